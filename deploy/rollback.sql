-- syncmon: takes back everything that schema.sql did in this database, newest change first.
--
--     psql -v ON_ERROR_STOP=1 -f deploy/rollback.sql "$DATABASE_URL"
--
-- TABLES THAT SYNCMON MADE ARE DROPPED, WITH ALL THEIR ROWS: on a database that was empty before, that is the whole
-- history of the syncs and every lightspeed_* table. To keep a copy, run this first:
--
--     pg_dump --table='public.sync_*' --table='public.lightspeed_*' --file=before-rollback.sql "$DATABASE_URL"
--
-- Tables that existed before stay, with their rows; sync_state loses the column last_version if syncmon added it.
-- anon and authenticated get back what they held on the sync tables, and row security goes off where it was off.
--
-- Run it as the role that ran schema.sql. It is one transaction; running it again, or where syncmon never was, does
-- nothing. If it stops, for instance at a view that was built on such a table, nothing has been changed.

begin;

set local search_path = pg_catalog, pg_temp;
set local lock_timeout = '5s';

do $$
declare
    owner pg_roles;
    step record;
    detail text;
begin
    perform pg_advisory_xact_lock(hashtext('syncmon'));

    if to_regclass('syncmon.undo') is null then
        raise notice 'syncmon is not installed in the database %, there is nothing to take back', current_database();
        return;
    end if;

    -- The statements of a table that somebody else owns must not run with our rights.
    select r.* into owner
    from pg_class c join pg_roles r on r.oid = c.relowner
    where c.oid = 'syncmon.undo'::regclass;
    if owner.rolname <> current_user and not owner.rolsuper then
        raise exception 'syncmon.undo belongs to the role %', quote_ident(owner.rolname)
            using hint = 'Run this file as that role.';
    end if;

    for step in select statement from syncmon.undo order by id desc loop
        begin
            execute step.statement;
        exception
            when undefined_table or undefined_column or undefined_object or undefined_function
                or invalid_schema_name or invalid_catalog_name
            then
                raise notice 'gone already: %', step.statement;
            when dependent_objects_still_exist or insufficient_privilege then
                if step.statement not like 'drop role %' then
                    raise;
                end if;
                get stacked diagnostics detail = pg_exception_detail;
                detail := translate(concat_ws(': ', sqlerrm, nullif(detail, '')), E'\n', ';');
                raise notice 'the role stays, without any privilege from syncmon in the database %: %',
                    current_database(), detail
                    using hint = 'Once nothing else needs it: ' || step.statement || ';';
        end;
    end loop;

    drop table syncmon.undo;
    begin
        drop schema syncmon;
    exception when dependent_objects_still_exist then
        raise notice 'the schema syncmon stays: it holds something that schema.sql did not make';
    end;
end $$;

commit;
