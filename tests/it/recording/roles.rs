//! Who may do what: every role with every table and every function.

use crate::cluster::{Cluster, debian_binaries};
use crate::rows::quoted;
use crate::sandbox::{Sandbox, execute};
use crate::sql::ask;

/// The roles as Supabase defines them, and what it grants them on whatever is made in schema public.
pub const SUPABASE_ROLES: &str = "
    create role anon nologin noinherit; create role authenticated nologin noinherit;
    create role service_role nologin noinherit bypassrls;
    create role authenticator login noinherit; grant anon, authenticated, service_role to authenticator";
pub const OPEN_DEFAULTS: &str = "
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;";
pub const CLOSED_DEFAULTS: &str = "
    revoke all on schema public from public;
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges revoke execute on functions from public;";

/// Which roles may do what: `+` may, `-` may not. First where Supabase's defaults are open, then where they are closed. A
/// row of a table that row security hides is divided by.
const ROLES: &str = "anon authenticated service_role syncmon_ro syncmon_rw keeper";
const MATRIX: &str = "
    --++-+ --++-+ select * from public.sync_state
    --+--+ --+--+ insert into public.sync_state (entity_type) values ('new')
    --+--+ --+--+ update public.sync_state set status = 'success'
    --+--+ --+--+ delete from public.sync_state
    --+--+ -----+ truncate public.sync_state
    --++-+ --++-+ select * from public.sync_log
    --+--+ --+--+ insert into public.sync_log (entity_type, action, status) values ('sales', 'a', 'started')
    --+--+ --+--+ update public.sync_log set status = 'completed'
    --+--+ --+--+ delete from public.sync_log
    --+--+ -----+ truncate public.sync_log
    --+--+ --+--+ select nextval('public.sync_log_id_seq')
    --+--+ --+--+ select 1 / count(*) from public.lightspeed_sales
    --+--+ --+--+ insert into public.lightspeed_sales (id) values ('1')
    --+-++ --+-++ select public.sync_start('sales', 'a')
    --+-++ --+-++ select public.sync_finish(1, 'completed')
    --+-++ --+-++ select public.sync_record(gen_random_uuid(), 'sales', 'a', 'failed')
    -----+ -----+ select syncmon.result_of('ok')
    -----+ -----+ select syncmon.finish(jsonb_populate_record(null::public.sync_log, '{\"id\": 1, \"entity_type\": \"sales\"}'), 'failed', true, 1, 1, null, null, null)
    -----+ -----+ select * from syncmon.undo
    -----+ -----+ insert into syncmon.undo (statement) values ('select 1')";

/// Tries it and takes it back.
const MAY: &str = "
    create function may(role text, tried text) returns text language plpgsql as $$ begin
        execute format('set local role %I', role);
        execute tried;
        raise exception using errcode = 'TRIED';
    exception when sqlstate 'TRIED' then return '+';
        when insufficient_privilege or division_by_zero then return '-';
    end $$";

#[test]
fn every_role_may_do_what_it_needs_and_nothing_else() {
    let server = Cluster::start(&debian_binaries(), &[]);
    execute(&server.url("postgres", "postgres"), SUPABASE_ROLES);
    // The tables belong to a role without a superuser's rights, as on Supabase.
    let keeper = "create role keeper login createrole";
    execute(&server.url("postgres", "postgres"), keeper);
    for (closed, defaults) in [(false, OPEN_DEFAULTS), (true, CLOSED_DEFAULTS)] {
        let world = Sandbox::empty_postgres_in(&server);
        let database = world.database();
        world.execute(&format!(
            "alter database {database} owner to keeper; alter schema public owner to keeper; set role keeper; {defaults}"
        ));
        let world = world.with_url(&server.url("keeper", &database));
        for _ in 0..2 {
            assert_eq!(world.succeeds(&["init-db"]).stderr, "");
        }
        world.execute(
            "select sync_start('sales', 'a'); insert into lightspeed_sales (id) values ('0');
             insert into sync_state (entity_type) values ('sales')",
        );
        world.execute(MAY);
        for line in MATRIX.trim().lines() {
            let words: Vec<&str> = line.trim().splitn(3, ' ').collect();
            let (expected, tried) = (words[usize::from(closed)], quoted(words[2]));
            let found = ask(world.owner_url(), &format!(
                "select string_agg(may(role, {tried}), '' order by place)
                 from unnest(string_to_array('{ROLES}', ' ')) with ordinality as known (role, place)"
            ));
            assert_eq!(found, [expected], "{tried}, under {defaults}");
        }
    }
}
