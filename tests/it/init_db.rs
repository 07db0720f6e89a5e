//! `syncmon init-db` and the way back, `deploy/rollback.sql`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

/// Other roles than the shared server's.
const ROLES: &str =
    "create role anon; create role authenticated; create role service_role bypassrls;
    create role guest login; create role keeper login createrole";

/// Roles belong to the whole server, so these tests have a server of their own.
fn server() -> Cluster {
    let server = Cluster::start(&debian_binaries(), &[]);
    execute(&server.url("postgres", "postgres"), ROLES);
    server
}

fn connecting_as(role: &str, server: &Cluster, world: Sandbox) -> Sandbox {
    let url = server.url(role, &world.database());
    world.with_url(&url)
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a program of PostgreSQL's prints.
fn client(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(debian_binaries().join(program));
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn psql(world: &Sandbox, file: &Path) {
    let file = file.display().to_string();
    let arguments = ["-qX", "-vON_ERROR_STOP=1", "-f", &file, world.owner_url()];
    client("psql", &arguments);
}

/// The whole database as text: schema, privileges and rows. And the server's roles.
fn dump(world: &Sandbox) -> String {
    let url = world.owner_url();
    let text = client("pg_dump", &[url]) + &client("pg_dumpall", &["--roles-only", "-d", url]);
    // A random word that newer versions put around their output.
    let random = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    let lines: Vec<&str> = text.lines().filter(|line| !random(line)).collect();
    lines.join("\n")
}

fn roll_back(world: &Sandbox) {
    psql(world, &in_repository("deploy/rollback.sql"));
}

fn assert_same(actual: &str, expected: &str, what: &str) {
    let mut lines = actual.lines().zip(expected.lines());
    let differs = lines.find(|(actual, expected)| actual != expected);
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

/// In this order on one server: each leaves the server's roles as they were.
#[test]
fn databases_get_what_they_lack_and_the_way_back_leaves_them_as_they_were() {
    let server = server();
    let original = Sandbox::empty_postgres_in(&server).sql(ORIGINAL);
    a_fresh_database_gets_everything(&server, &columns(&original));
    existing_tables_lose_no_row_and_others_are_not_touched(&server, original);
    the_way_back_leaves_every_database_as_it_was(&server);
    several_at_once_do_not_disturb_each_other(&server);
}

/// What the scripts use must be what they have used from the beginning.
fn a_fresh_database_gets_everything(server: &Cluster, original: &[String]) {
    let world = Sandbox::empty_postgres_in(server);
    let said = world.succeeds(&["init-db"]);
    let (_, address) = world.url().split_once('@').unwrap();
    let expected = format!("The schema is in place in postgres {address}.\n");
    assert_eq!((said.stdout, &*said.stderr), (expected, ""));
    let columns = columns(&world);
    let added = columns.iter().filter(|column| !original.contains(column));
    assert_eq!(
        added.collect::<Vec<_>>(),
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
        assert!(columns.contains(column), "{column} is missing");
    }
    let roles = "select rolname || case when rolpassword is null then ', no password' end
         from pg_authid where rolname like 'syncmon%' and rolcanlogin and not rolsuper
         and not rolbypassrls and not rolcreaterole and not rolcreatedb and not rolreplication
         order by 1";
    let expected = ["syncmon_ro, no password", "syncmon_rw, no password"];
    assert_eq!(ask(world.owner_url(), roles), expected);
    let world = connecting_as("syncmon_ro", server, world);
    world.build();
    assert_eq!(world.verdict("sales"), "red never_synced");
    roll_back(&world);
}

fn existing_tables_lose_no_row_and_others_are_not_touched(server: &Cluster, world: Sandbox) {
    let contents = || {
        let rows = "sync_state sync_log lightspeed_customers lightspeed_outlets lightspeed_products \
                    lightspeed_sales lightspeed_sale_line_items";
        let rows = rows.split(' ').flat_map(|table| {
            let row = "to_jsonb(t) - 'last_version' - 'run_key'";
            let sql = format!(
                "select md5(string_agg(({row})::text, ' ' order by t::text)) from {table} t"
            );
            ask(world.owner_url(), &sql)
        });
        let others = "select concat_ws(' ', c.relname, c.relrowsecurity, c.relacl) from pg_class c
            where c.relname like 'lightspeed%' and c.relname not like '%inventory%' order by 1";
        let others = ask(world.owner_url(), others);
        rows.chain(others).collect::<Vec<String>>()
    };
    let before = contents();
    world.succeeds(&["init-db"]);
    assert_eq!(contents(), before);
    let secured = "select relname::text from pg_class where relrowsecurity
         and relnamespace = 'public'::regnamespace order by 1";
    let expected = ["lightspeed_inventory", "sync_log", "sync_state"];
    assert_eq!(ask(world.owner_url(), secured), expected);
    let unset = "select entity_type from sync_state where last_version is null";
    assert_eq!(ask(world.owner_url(), unset).len(), 3);
    // The scripts go on writing, and what they write is seen.
    world.execute(
        "update sync_state set last_version = 7, last_sync_time = '2026-11-22 20:00:00+00'
         where entity_type = 'sales'",
    );
    let world = connecting_as("syncmon_ro", server, world);
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
    roll_back(&world);
}

fn the_way_back_leaves_every_database_as_it_was(server: &Cluster) {
    let secured = "
        alter table sync_log enable row level security;
        create policy scripts on sync_log to service_role using (true);
        grant select on sync_state to anon with grant option;
        grant select (id, status) on sync_log to authenticated;
        create index sync_log_entity_type_timestamp_idx on sync_log (entity_type, timestamp desc)";
    let complete = "
        alter table sync_state add column last_version bigint;
        update sync_state set last_version = 12;
        create table lightspeed_inventory (id text primary key, product_id text,
            current_amount numeric default 0);
        insert into lightspeed_inventory values ('1', '1', 3)";
    let closed = "revoke all on schema public from public";
    for (what, before) in [
        ("empty", [""; 2]),
        ("old tables with rows", ["", ORIGINAL]),
        ("Supabase, empty", [SUPABASE, ""]),
        ("Supabase, old tables", [SUPABASE, ORIGINAL]),
        ("row security and grants of its own", [ORIGINAL, secured]),
        ("nothing is missing", [ORIGINAL, complete]),
        ("a closed schema", [ORIGINAL, closed]),
    ] {
        let world = Sandbox::empty_postgres_in(server).sql(&before.concat());
        let original = dump(&world);
        world.succeeds(&["init-db"]);
        let prepared = dump(&world);
        assert!(prepared != original, "{what}");
        world.succeeds(&["init-db"]);
        assert_same(&dump(&world), &prepared, what);
        for what in [what, "once more"] {
            roll_back(&world);
            assert_same(&dump(&world), &original, what);
        }
    }
}

fn several_at_once_do_not_disturb_each_other(server: &Cluster) {
    let world = Sandbox::empty_postgres_in(server);
    let start = |_| {
        let mut command = world.command(&["init-db"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    for child in (0..4).map(start).collect::<Vec<Child>>() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// As on Supabase, where the highest role is no superuser either.
fn an_owner_can_do_it(server: &Cluster) {
    let world = Sandbox::empty_postgres_in(server);
    let database = world.database();
    world.execute(&format!(
        "alter database {database} owner to keeper; alter schema public owner to keeper; \
         set role keeper; {ORIGINAL}"
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
    an_owner_can_do_it(&server);
    let printed = Sandbox::bare().succeeds(&["init-db", "--print"]).stdout;
    let file = in_repository("schema.sql");
    assert_eq!(printed, std::fs::read_to_string(&file).unwrap());
    let by_psql = Sandbox::empty_postgres_in(&server);
    psql(&by_psql, &file);
    let by_program = Sandbox::empty_postgres_in(&server);
    by_program.succeeds(&["init-db"]);
    assert_same(&dump(&by_psql), &dump(&by_program), "by psql");
    the_public_roles_lose_the_sync_tables_and_the_scripts_keep_them(&server);
    refusals_say_what_to_do_and_change_nothing(&server);
}

fn the_public_roles_lose_the_sync_tables_and_the_scripts_keep_them(server: &Cluster) {
    for before in [[SUPABASE, ""], [SUPABASE, ORIGINAL]] {
        let world = Sandbox::empty_postgres_in(server).sql(&before.concat());
        world.succeeds(&["init-db"]);
        let tries =
            |role: &str, sql: &str| refusal(world.owner_url(), &format!("set role {role}; {sql}"));
        for role in ["anon", "authenticated"] {
            for table in ["sync_state", "sync_log"] {
                let refused = tries(role, &format!("select * from {table}"));
                assert_eq!(refused.as_deref(), Some("42501"));
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

fn refusals_say_what_to_do_and_change_nothing(server: &Cluster) {
    let empty = Sandbox::empty_postgres_in(server);
    let database = empty.database();
    is_refused(
        &connecting_as("guest", server, empty),
        &format!(
            "permission denied for database {database} (SQLSTATE 42501); connect as a superuser, \
             or as a role that owns the database and its tables and has CREATEROLE"
        ),
    );

    // A trigger on another role's table would run with a superuser's rights.
    let foreign = Sandbox::empty_postgres_in(server);
    let database = foreign.database();
    foreign.execute(&format!(
        "alter database {database} owner to keeper; alter schema public owner to keeper"
    ));
    let foreign = connecting_as("keeper", server, foreign);
    foreign.succeeds(&["init-db"]);
    is_refused(
        &connecting_as("postgres", server, foreign),
        "syncmon.undo belongs to the role keeper (SQLSTATE P0001); Run this file as that role.",
    );

    let busy = Sandbox::empty_postgres_in(server).sql(ORIGINAL);
    let _import = hold(busy.owner_url(), "begin; lock table sync_state");
    is_refused(
        &busy,
        "canceling statement due to lock timeout (SQLSTATE 55P03); another program keeps a table \
         locked; run syncmon init-db again when it has ended",
    );
}

fn is_refused(world: &Sandbox, reason: &str) {
    let schema = || {
        ask(
            world.owner_url(),
            "select concat_ws(' ', oid::regclass, relrowsecurity, relacl) from pg_class
             where relnamespace = 'public'::regnamespace order by 1",
        )
    };
    let before = schema();
    let ended = world.run(&["init-db"]).exits(1);
    let (_, address) = world.url().split_once('@').unwrap();
    let expected =
        format!("syncmon: the schema could not be applied to postgres {address}: {reason}\n");
    assert_eq!((&*ended.stdout, ended.stderr), ("", expected));
    assert_eq!(schema(), before);
}

/// A server of the newest PostgreSQL.
pub fn newest() -> Cluster {
    let directory = std::env::var_os("SYNCMON_TEST_NEWEST_POSTGRES");
    let directory = directory.expect("./tests/run installs the newest PostgreSQL and sets this");
    Cluster::start(&Path::new(&directory).join("bin"), &[])
}

#[test]
fn the_newest_postgresql_works_as_well() {
    let server = newest();
    let postgres = server.url("postgres", "postgres");
    execute(&postgres, ROLES);
    let version = ask(&postgres, "select current_setting('server_version_num')");
    let version: u32 = version[0].parse().unwrap();
    assert!(version >= 180_000, "{version} is not the newest");

    an_owner_can_do_it(&server);
    let world = Sandbox::postgres_in(&server).sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
    );
    assert_eq!(world.build().stderr, "");
    assert_eq!(world.verdict("sales"), "green fresh");
    let success_at = &world.entity("sales")["last_success_at"];
    assert_eq!(success_at, "2026-11-22T19:22:04.500Z");
    let insert = "insert into sync_log (entity_type) values ('x')";
    assert_eq!(refusal(world.url(), insert).as_deref(), Some("25006"));
}
