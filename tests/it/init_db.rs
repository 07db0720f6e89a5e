//! `syncmon init-db` and the way back, `deploy/rollback.sql`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cluster::{Cluster, debian_binaries};
use crate::sandbox::{Sandbox, execute};
use crate::sql::{ask, hold, refusal};

/// The tables as the sync scripts have had them from the beginning, with rows.
const ORIGINAL: &str = "
    create table sync_state (
        entity_type text primary key, last_sync_time timestamptz, status text default 'pending',
        error_message text, created_at timestamptz default now(), updated_at timestamptz default now());
    create table sync_log (
        id serial primary key, timestamp timestamptz default now(), entity_type text not null,
        action text not null, status text not null, duration_seconds numeric,
        records_processed integer default 0, error_details text, metadata jsonb);
    create table lightspeed_customers (
        id text primary key, first_name text, last_name text, email text, phone text,
        created_at timestamptz, updated_at timestamptz);
    create table lightspeed_outlets (
        id text primary key, name text, address text, phone text, email text);
    create table lightspeed_products (
        id text primary key, name text, sku text, price numeric, cost numeric, category_id text,
        brand_id text, created_at timestamptz, updated_at timestamptz);
    create table lightspeed_sales (
        id text primary key, outlet_id text, register_id text, user_id text, customer_id text,
        invoice_number text, status text, total_price numeric, sale_date timestamptz,
        created_at timestamptz, updated_at timestamptz);
    create table lightspeed_sale_line_items (
        id text primary key, sale_id text, product_id text, price_total text, quantity text,
        status text, total_price text);
    insert into sync_state (entity_type, last_sync_time, status) values
        ('sales', '2026-11-22 19:22:04+00', 'success'), ('outlets', null, 'success'),
        ('inventory', null, 'never_synced');
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details, metadata)
        select '2026-11-22 19:22:00+00'::timestamptz - n * interval '1 hour', 'sales', 'incremental_sync',
            case n % 3 when 0 then 'completed' when 1 then 'failed' else 'started' end, n / 10.0,
            'line\none', '{\"n\": 1}' from generate_series(0, 99) n;
    insert into lightspeed_customers (id, first_name) values ('1', 'Ada'), ('2', 'Grace');
    insert into lightspeed_outlets (id, name) values ('1', 'Museum shop');
    insert into lightspeed_products (id, price) values ('1', 12.50);
    insert into lightspeed_sales (id, total_price) values ('1', 25.00);
    insert into lightspeed_sale_line_items (id, quantity) values ('1', '2');
";

/// The roles that Supabase has, and what it grants them on every new table.
const SUPABASE: &str = "
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
";

const SUPABASE_ROLES: &str =
    "create role anon; create role authenticated; create role service_role bypassrls";

/// Roles belong to the whole server, so these tests have servers of their own.
fn server() -> Cluster {
    Cluster::start(&debian_binaries(), &[])
}

fn connecting_as(role: &str, server: &Cluster, world: Sandbox) -> Sandbox {
    let url = server.url(role, &world.database());
    world.with_url(&url)
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn client(program: &str, arguments: &[&str]) -> Output {
    Command::new(debian_binaries().join(program))
        .args(arguments)
        .output()
        .unwrap()
}

/// The whole database as text: schema, privileges and rows. And the server's roles.
fn dump(world: &Sandbox) -> String {
    let url = world.owner_url();
    let outputs = [
        client("pg_dump", &[url]),
        client("pg_dumpall", &["--roles-only", "-d", url]),
    ];
    let mut text = String::new();
    for output in outputs {
        assert!(output.status.success(), "{output:?}");
        text.push_str(&String::from_utf8(output.stdout).unwrap());
    }
    // A random word that newer versions put around their output.
    let random = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    let lines: Vec<&str> = text.lines().filter(|line| !random(line)).collect();
    lines.join("\n")
}

fn roll_back(world: &Sandbox) {
    let file = in_repository("deploy/rollback.sql").display().to_string();
    let output = client(
        "psql",
        &[
            "-qX",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            &file,
            world.owner_url(),
        ],
    );
    assert!(output.status.success(), "{output:?}");
}

fn assert_same(actual: &str, expected: &str, what: &str) {
    let differs = actual
        .lines()
        .zip(expected.lines())
        .find(|(actual, expected)| actual != expected);
    assert!(actual == expected, "{what}: {differs:?}");
}

/// "table column type default" of every column in schema public.
fn columns(world: &Sandbox) -> Vec<String> {
    ask(
        world.owner_url(),
        "select concat_ws(' ', table_name, column_name, data_type,
             case when is_nullable = 'NO' then 'required' end, column_default)
         from information_schema.columns where table_schema = 'public'
         order by table_name, ordinal_position",
    )
}

#[test]
fn a_fresh_database_gets_everything_and_repeating_changes_nothing() {
    let server = server();
    let world = Sandbox::empty_postgres_in(&server);
    let said = world.succeeds(&["init-db"]);
    assert_eq!(
        (said.stdout, said.stderr),
        (
            format!(
                "The schema is in place in postgres 127.0.0.1:{}/{}.\n",
                server.port,
                world.database()
            ),
            String::new()
        )
    );
    let first = dump(&world);
    for time in ["twice", "thrice"] {
        world.succeeds(&["init-db"]);
        assert_same(&dump(&world), &first, time);
    }
    assert_eq!(
        columns(&world)
            .iter()
            .filter(|column| column.starts_with("sync_"))
            .collect::<Vec<_>>(),
        [
            "sync_log id integer required nextval('sync_log_id_seq'::regclass)",
            "sync_log timestamp timestamp with time zone now()",
            "sync_log entity_type text required",
            "sync_log action text required",
            "sync_log status text required",
            "sync_log duration_seconds numeric",
            "sync_log records_processed integer 0",
            "sync_log error_details text",
            "sync_log metadata jsonb",
            "sync_log run_key uuid",
            "sync_log last_version bigint",
            "sync_state entity_type text required",
            "sync_state last_sync_time timestamp with time zone",
            "sync_state status text 'pending'::text",
            "sync_state error_message text",
            "sync_state created_at timestamp with time zone now()",
            "sync_state updated_at timestamp with time zone now()",
            "sync_state last_version bigint",
        ]
    );
    assert_eq!(
        ask(
            world.owner_url(),
            "select rolname || case when rolpassword is null then ', no password' end
             from pg_authid where rolname like 'syncmon%' and rolcanlogin and not rolsuper
             and not rolbypassrls and not rolcreaterole and not rolcreatedb and not rolreplication
             order by 1"
        ),
        ["syncmon_ro, no password", "syncmon_rw, no password"]
    );
    let world = connecting_as("syncmon_ro", &server, world);
    world.build();
    assert_eq!(world.verdict("sales"), "red never_synced");
}

/// What the scripts use must be what they have used from the beginning.
#[test]
fn a_fresh_database_has_the_original_tables_and_columns() {
    let server = server();
    let (fresh, original) = (
        Sandbox::empty_postgres_in(&server),
        Sandbox::empty_postgres_in(&server).sql(ORIGINAL),
    );
    fresh.succeeds(&["init-db"]);
    let (fresh, original) = (columns(&fresh), columns(&original));
    let added: Vec<_> = fresh
        .iter()
        .filter(|column| !original.contains(column))
        .collect();
    assert_eq!(
        added,
        [
            "lightspeed_inventory id text required",
            "lightspeed_inventory product_id text",
            "lightspeed_inventory current_amount numeric 0",
            "lightspeed_inventory created_at timestamp with time zone now()",
            "lightspeed_inventory updated_at timestamp with time zone now()",
            "lightspeed_inventory lightspeed_created_at timestamp with time zone",
            "lightspeed_inventory lightspeed_updated_at timestamp with time zone",
            "sync_log run_key uuid",
            "sync_log last_version bigint",
            "sync_state last_version bigint",
        ]
    );
    for column in original {
        assert!(fresh.contains(&column), "{column} is missing");
    }
}

#[test]
fn existing_tables_lose_no_row_and_others_are_not_touched() {
    let server = server();
    let world = Sandbox::empty_postgres_in(&server).sql(ORIGINAL);
    let rows = |table: &str| {
        let sql = format!(
            "select md5(string_agg((to_jsonb(t) - 'last_version' - 'run_key')::text, ' ' order by t::text)) from {table} t"
        );
        ask(world.owner_url(), &sql)
    };
    let tables = [
        "sync_state",
        "sync_log",
        "lightspeed_customers",
        "lightspeed_outlets",
        "lightspeed_products",
        "lightspeed_sales",
        "lightspeed_sale_line_items",
    ];
    let others = "select concat_ws(' ', c.relname, c.relrowsecurity, c.relacl) from pg_class c
        where c.relname like 'lightspeed%' and c.relname not like '%inventory%' order by 1";
    let before: Vec<_> = tables.iter().map(|table| rows(table)).collect();
    let untouched = ask(world.owner_url(), others);
    for _ in 0..3 {
        world.succeeds(&["init-db"]);
    }
    let after: Vec<_> = tables.iter().map(|table| rows(table)).collect();
    assert_eq!(after, before);
    assert_eq!(ask(world.owner_url(), others), untouched);
    assert_eq!(
        ask(
            world.owner_url(),
            "select relname::text from pg_class where relrowsecurity
             and relnamespace = 'public'::regnamespace order by 1"
        ),
        ["lightspeed_inventory", "sync_log", "sync_state"]
    );
    assert_eq!(
        ask(
            world.owner_url(),
            "select count(*)::text from sync_state where last_version is null"
        ),
        ["3"]
    );
    // The scripts go on writing, and what they write is seen.
    world.execute("update sync_state set last_version = 7, last_sync_time = '2026-11-22 20:00:00+00' where entity_type = 'sales'");
    let world = connecting_as("syncmon_ro", &server, world);
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
}

#[test]
fn the_way_back_leaves_every_database_as_it_was() {
    let server = server();
    execute(&server.url("postgres", "postgres"), SUPABASE_ROLES);
    let secured = format!(
        "{ORIGINAL}
         alter table sync_log enable row level security;
         create policy scripts on sync_log to service_role using (true);
         grant select on sync_state to anon with grant option;
         grant select (id, status) on sync_log to authenticated;
         create index sync_log_entity_type_timestamp_idx on sync_log (entity_type, timestamp desc)"
    );
    let complete = format!(
        "{ORIGINAL}
         alter table sync_state add column last_version bigint;
         update sync_state set last_version = 12;
         create table lightspeed_inventory (id text primary key, product_id text,
             current_amount numeric default 0);
         insert into lightspeed_inventory values ('1', '1', 3)"
    );
    let closed = format!("{ORIGINAL} revoke all on schema public from public");
    for (what, before) in [
        ("empty", String::new()),
        ("old tables with rows", ORIGINAL.to_owned()),
        ("Supabase, empty", SUPABASE.to_owned()),
        ("Supabase, old tables", format!("{SUPABASE}{ORIGINAL}")),
        ("row security and grants of its own", secured),
        ("nothing is missing", complete),
        ("a closed schema", closed),
    ] {
        let world = Sandbox::empty_postgres_in(&server).sql(&before);
        let original = dump(&world);
        world.succeeds(&["init-db"]);
        world.succeeds(&["init-db"]);
        assert!(dump(&world) != original, "{what}");
        roll_back(&world);
        assert_same(&dump(&world), &original, what);
        roll_back(&world);
        assert_same(&dump(&world), &original, "once more");
    }
}

#[test]
fn the_public_roles_of_supabase_lose_the_sync_tables_and_the_scripts_keep_them() {
    let server = server();
    execute(&server.url("postgres", "postgres"), SUPABASE_ROLES);
    for before in [SUPABASE.to_owned(), format!("{SUPABASE}{ORIGINAL}")] {
        let world = Sandbox::empty_postgres_in(&server).sql(&before);
        world.succeeds(&["init-db"]);
        let tries =
            |role: &str, sql: &str| refusal(world.owner_url(), &format!("set role {role}; {sql}"));
        for role in ["anon", "authenticated"] {
            for table in ["sync_state", "sync_log"] {
                assert_eq!(
                    tries(role, &format!("select * from {table}")).as_deref(),
                    Some("42501")
                );
            }
        }
        for sql in [
            "insert into sync_log (entity_type, action, status) values ('x', 'y', 'started')",
            "update sync_log set status = 'completed' where entity_type = 'x'",
            "insert into sync_state (entity_type) values ('x') on conflict (entity_type) do update set status = 'success'",
            "select * from sync_log, sync_state",
            "insert into lightspeed_inventory (id) values ('x')",
        ] {
            assert_eq!(tries("service_role", sql), None, "{sql}");
        }
    }
}

#[test]
fn an_owner_without_superuser_rights_can_do_it() {
    let server = server();
    an_owner_can_do_it(&server);
}

/// As on Supabase, where the highest role is no superuser either.
fn an_owner_can_do_it(server: &Cluster) {
    let world = Sandbox::empty_postgres_in(server);
    let database = world.database();
    world.execute(&format!(
        "create role keeper login createrole; alter database {database} owner to keeper; \
         alter schema public owner to keeper; set role keeper; {ORIGINAL}"
    ));
    let world = connecting_as("keeper", server, world);
    for _ in 0..2 {
        assert_eq!(world.succeeds(&["init-db"]).stderr, "");
    }
    let world = connecting_as("syncmon_ro", server, world);
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
}

#[test]
fn what_is_printed_is_the_file_and_psql_does_the_same_with_it() {
    let server = server();
    let (by_program, by_psql) = (
        Sandbox::empty_postgres_in(&server),
        Sandbox::empty_postgres_in(&server),
    );
    let printed = Sandbox::bare().succeeds(&["init-db", "--print"]);
    assert_eq!(
        printed.stdout,
        fs::read_to_string(in_repository("schema.sql")).unwrap()
    );
    by_program.succeeds(&["init-db"]);
    let by_psql = by_psql.file("printed.sql", &printed.stdout);
    let file = by_psql.path("printed.sql").display().to_string();
    let output = client(
        "psql",
        &[
            "-qX",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            &file,
            by_psql.owner_url(),
        ],
    );
    assert!(output.status.success(), "{output:?}");
    assert_same(&dump(&by_psql), &dump(&by_program), "by psql");
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let server = server();
    let world = Sandbox::empty_postgres_in(&server);
    let running: Vec<_> = (0..4)
        .map(|_| {
            world
                .command(&["init-db"])
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn refusals_say_what_to_do_and_change_nothing() {
    let server = server();
    execute(
        &server.url("postgres", "postgres"),
        "create role guest login; create role keeper login createrole",
    );
    let empty = Sandbox::empty_postgres_in(&server);
    let database = empty.database();
    is_refused(
        &connecting_as("guest", &server, empty),
        &format!(
            "permission denied for database {database} (SQLSTATE 42501); connect as a superuser, \
             or as a role that owns the database and its tables and has CREATEROLE"
        ),
    );

    // A trigger on another role's table would run with a superuser's rights.
    let foreign = Sandbox::empty_postgres_in(&server);
    let database = foreign.database();
    foreign.execute(&format!(
        "alter database {database} owner to keeper; alter schema public owner to keeper"
    ));
    let foreign = connecting_as("keeper", &server, foreign);
    foreign.succeeds(&["init-db"]);
    is_refused(
        &connecting_as("postgres", &server, foreign),
        "syncmon.undo belongs to the role keeper (SQLSTATE P0001); Run this file as that role.",
    );

    let busy = Sandbox::empty_postgres_in(&server).sql(ORIGINAL);
    let _import = hold(busy.owner_url(), "begin; lock table sync_state");
    is_refused(
        &busy,
        "canceling statement due to lock timeout (SQLSTATE 55P03); another program keeps a table \
         locked; run syncmon init-db again when it has ended",
    );
}

fn is_refused(world: &Sandbox, reason: &str) {
    let schema = |world: &Sandbox| {
        ask(
            world.owner_url(),
            "select concat_ws(' ', oid::regclass, relrowsecurity, relacl) from pg_class
             where relnamespace = 'public'::regnamespace order by 1",
        )
    };
    let before = schema(world);
    let ended = world.run(&["init-db"]);
    let address = world.url().split_once('@').unwrap().1.to_owned();
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert_eq!(
        ended.stderr,
        format!("syncmon: the schema could not be applied to postgres {address}: {reason}\n")
    );
    assert_eq!(schema(world), before);
}

#[test]
fn the_newest_postgresql_works_as_well() {
    let Some(directory) = std::env::var_os("SYNCMON_TEST_NEWEST_POSTGRES") else {
        panic!(
            "SYNCMON_TEST_NEWEST_POSTGRES is not set: it names the directory that holds bin/ of \
             the newest PostgreSQL; ./tests/run installs one and sets it"
        );
    };
    let server = Cluster::start(&Path::new(&directory).join("bin"), &[]);
    let version: u32 = ask(
        &server.url("postgres", "postgres"),
        "select current_setting('server_version_num')",
    )[0]
    .parse()
    .unwrap();
    assert!(version >= 180_000, "{version} is not the newest");

    an_owner_can_do_it(&server);
    let world = Sandbox::postgres_in(&server).sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
    );
    let ended = world.build();
    assert_eq!(ended.stderr, "");
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(
        world.entity("sales")["last_success_at"],
        "2026-11-22T19:22:04.500Z"
    );
    assert_eq!(
        refusal(
            world.url(),
            "insert into sync_log (entity_type) values ('x')"
        )
        .as_deref(),
        Some("25006")
    );
}
