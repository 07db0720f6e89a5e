-- syncmon: the tables, the index and the reading role that a status page needs. PostgreSQL 13 or newer.
--
--     psql -v ON_ERROR_STOP=1 -f schema.sql "$DATABASE_URL"
--
-- Run it as a superuser, or as a role that owns the database and the tables and has CREATEROLE (on Supabase: postgres).
-- It may be run as often as you like, over tables that hold rows as well: what is there already is left as it is. It is
-- one transaction, which either does everything or nothing. If another transaction keeps a table locked for more than
-- five seconds it gives up; run it again then.
--
-- What it does, and to whom:
--   * The tables sync_state, sync_log and lightspeed_* are created in schema public where they are missing, with row
--     security on. service_role, where there is such a role, may read and write those new ones.
--   * sync_state and sync_log, new or old: row security on; sync_state gets the column last_version; sync_log gets an
--     index for the newest runs of an entity. The roles anon and authenticated lose every privilege on both.
--     Owners, superusers and roles with BYPASSRLS (service_role) go on as before. ANY OTHER ROLE THAT READS OR WRITES
--     THEM needs a policy from now on.
--   * A lightspeed_* table that exists already is not touched.
--   * The functions sync_start, sync_finish and sync_record, by which scripts report their runs (docs/recording.md).
--     sync_log gets the columns run_key and last_version for them, and an index on the former.
--   * The role syncmon_ro may read sync_state and sync_log, and nothing else. The role syncmon_rw may execute those
--     functions, and nothing else; so may service_role, where there is such a role. anon and authenticated may not.
--     Neither role has a password, and so cannot log in over the network: type  \password syncmon_ro  in psql, which
--     keeps the password out of history and server log.
--   * syncmon.undo remembers how to take every change back: deploy/rollback.sql does so.

begin;

set local search_path = pg_catalog, pg_temp;
set local lock_timeout = '5s';

-- One at a time; an unnamed rival would be met as a confusing "already exists".
do $$
begin
    perform pg_advisory_xact_lock(hashtext('syncmon'));
end $$;


-- The memory of what was done. It lies in a schema of its own, which the REST API does not expose.
do $$
declare
    owner pg_roles;
begin
    if to_regnamespace('syncmon') is null then
        create schema syncmon;
        revoke all on schema syncmon from public;
    end if;

    if to_regclass('syncmon.undo') is null then
        create table syncmon.undo (
            id bigint generated always as identity primary key,
            statement text not null
        );
        revoke all on syncmon.undo from public;
        alter table syncmon.undo enable row level security;
    end if;

    -- A trigger on somebody else's table would run with the rights of whoever runs this file.
    select r.* into owner
    from pg_class c join pg_roles r on r.oid = c.relowner
    where c.oid = 'syncmon.undo'::regclass;
    if owner.rolname <> current_user and not owner.rolsuper then
        raise exception 'syncmon.undo belongs to the role %', quote_ident(owner.rolname)
            using hint = 'Run this file as that role.';
    end if;
end $$;


-- The roles. They belong to the whole cluster, so another database may have made them already. The comment tells
-- whether syncmon made one; then the last database that is rolled back drops it.
do $$
declare
    wanted record;
    marked boolean;
    setting record;
begin
    for wanted in
        select *
        from (values
            ('syncmon_ro', 'made by syncmon: reads sync_state and sync_log',
                '{"default_transaction_read_only": "on", "statement_timeout": "30s", "jit": "off"}'::json),
            ('syncmon_rw', 'made by syncmon: records runs by sync_start, sync_finish and sync_record',
                '{"statement_timeout": "30s"}')
        ) as role (name, mark, settings)
    loop
        if to_regrole(wanted.name) is null then
            begin
                execute format('create role %I login', wanted.name);
                execute format('comment on role %I is %L', wanted.name, wanted.mark);
            exception when duplicate_object or unique_violation then
                null; -- Another database was quicker.
            end;
        end if;

        marked := shobj_description(wanted.name::regrole, 'pg_authid') is not distinct from wanted.mark;
        if marked and not exists (select from syncmon.undo where statement = 'drop role if exists ' || wanted.name) then
            insert into syncmon.undo (statement) values ('drop role if exists ' || wanted.name);
        end if;

        -- Settings of the role hold behind connection poolers too. They are a habit and no boundary: a client may
        -- change them. What stops it from writing is that nothing was granted.
        for setting in
            select key as name, value
            from json_each_text(wanted.settings)
            where not exists (
                select from pg_db_role_setting s, unnest(s.setconfig) as present
                where s.setrole = wanted.name::regrole and s.setdatabase = 0 and present like key || '=%'
            )
        loop
            begin
                execute format('alter role %I set %I = %L', wanted.name, setting.name, setting.value);
                if not marked then
                    insert into syncmon.undo (statement)
                    values (format('alter role %I reset %I', wanted.name, setting.name));
                end if;
            exception when insufficient_privilege then
                raise warning 'the role % exists, and % may not change it', wanted.name, current_user
                    using hint = format('Let its maker run: alter role %I set %I = %L;',
                        wanted.name, setting.name, setting.value);
            end;
        end loop;
    end loop;
end $$;


-- The tables. Those that are missing are made here, and only those get row security and grants in this block.
do $$
declare
    missing constant text[] := array(
        select name
        from unnest(array[
            'sync_state', 'sync_log', 'lightspeed_customers', 'lightspeed_outlets', 'lightspeed_products',
            'lightspeed_sales', 'lightspeed_sale_line_items', 'lightspeed_inventory'
        ]) as name
        where to_regclass('public.' || name) is null
    );
    name text;
begin
    if 'sync_state' = any (missing) then
        create table public.sync_state (
            entity_type text primary key,
            last_sync_time timestamptz,
            status text default 'pending',
            error_message text,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            last_version bigint
        );
    end if;

    if 'sync_log' = any (missing) then
        create table public.sync_log (
            id serial primary key,
            "timestamp" timestamptz default now(),
            entity_type text not null,
            action text not null,
            status text not null,
            duration_seconds numeric,
            records_processed integer default 0,
            error_details text,
            metadata jsonb,
            run_key uuid,
            last_version bigint
        );
    end if;

    if 'lightspeed_customers' = any (missing) then
        create table public.lightspeed_customers (
            id text primary key,
            first_name text,
            last_name text,
            email text,
            phone text,
            created_at timestamptz,
            updated_at timestamptz
        );
    end if;

    if 'lightspeed_outlets' = any (missing) then
        create table public.lightspeed_outlets (
            id text primary key,
            name text,
            address text,
            phone text,
            email text
        );
    end if;

    if 'lightspeed_products' = any (missing) then
        create table public.lightspeed_products (
            id text primary key,
            name text,
            sku text,
            price numeric,
            cost numeric,
            category_id text,
            brand_id text,
            created_at timestamptz,
            updated_at timestamptz
        );
    end if;

    if 'lightspeed_sales' = any (missing) then
        create table public.lightspeed_sales (
            id text primary key,
            outlet_id text,
            register_id text,
            user_id text,
            customer_id text,
            invoice_number text,
            status text,
            total_price numeric,
            sale_date timestamptz,
            created_at timestamptz,
            updated_at timestamptz
        );
    end if;

    if 'lightspeed_sale_line_items' = any (missing) then
        create table public.lightspeed_sale_line_items (
            id text primary key,
            sale_id text,
            product_id text,
            price_total text,
            quantity text,
            status text,
            total_price text
        );
    end if;

    if 'lightspeed_inventory' = any (missing) then
        create table public.lightspeed_inventory (
            id text primary key,
            product_id text,
            current_amount numeric default 0,
            created_at timestamptz default now(),
            updated_at timestamptz default now(),
            lightspeed_created_at timestamptz,
            lightspeed_updated_at timestamptz
        );
    end if;

    foreach name in array missing loop
        insert into syncmon.undo (statement) values (format('drop table if exists public.%I', name));
        execute format('alter table public.%I enable row level security', name);

        -- Newer Supabase projects grant nothing on new tables by default: the scripts could not write.
        if to_regrole('service_role') is not null then
            execute format('grant select, insert, update, delete on public.%I to service_role', name);
            if name = 'sync_log' then
                grant usage, select on sequence public.sync_log_id_seq to service_role;
            end if;
        end if;
    end loop;
end $$;


-- What older sync tables lack.
do $$
declare
    name text;
    missing record;
begin
    -- sync_log before sync_state, the order in which the scripts write them: nobody deadlocks.
    foreach name in array array['sync_log', 'sync_state'] loop
        if not (select relrowsecurity from pg_class where oid = ('public.' || name)::regclass) then
            execute format('alter table public.%I enable row level security', name);
            insert into syncmon.undo (statement)
            values (format('alter table public.%I disable row level security', name));
        end if;
    end loop;

    for missing in
        select *
        from (values
            ('sync_log', 'run_key', 'uuid'),
            ('sync_log', 'last_version', 'bigint'),
            ('sync_state', 'last_version', 'bigint')
        ) as column_of (relation, name, type)
        where not exists (
            select from pg_attribute
            where attrelid = ('public.' || relation)::regclass and attname = column_of.name and not attisdropped
        )
    loop
        execute format('alter table public.%I add column %I %s', missing.relation, missing.name, missing.type);
        insert into syncmon.undo (statement)
        values (format('alter table public.%I drop column if exists %I', missing.relation, missing.name));
    end loop;

    -- No run is recorded twice. An update that finishes a run does not touch the column, and stays within its page.
    if to_regclass('public.sync_log_run_key_idx') is null then
        create unique index sync_log_run_key_idx on public.sync_log (run_key) where run_key is not null;
        insert into syncmon.undo (statement) values ('drop index if exists public.sync_log_run_key_idx');
    end if;

    -- The same index under another name serves as well.
    if not exists (
        select from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = 'public.sync_log'::regclass
            and (c.relname = 'sync_log_entity_type_timestamp_idx'
                or i.indisvalid
                    and pg_get_indexdef(c.oid) like '% USING btree (entity_type, "timestamp" DESC)')
    ) then
        create index sync_log_entity_type_timestamp_idx on public.sync_log (entity_type, "timestamp" desc);
        insert into syncmon.undo (statement)
        values ('drop index if exists public.sync_log_entity_type_timestamp_idx');
    end if;
end $$;


-- The functions by which scripts report their runs: docs/recording.md. They run with the rights of the tables' owner,
-- for callers who may not write the tables themselves, and so look up every name in full.
do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from (values
            ('public.sync_start(text, text, jsonb, uuid)'),
            ('public.sync_finish(bigint, text, integer, text, bigint, jsonb)'),
            ('public.sync_record(uuid, text, text, text, timestamptz, numeric, integer, text, bigint, jsonb)'),
            ('syncmon.result_of(text)'),
            ('syncmon.finish(public.sync_log, text, boolean, numeric, integer, text, bigint, jsonb)')
        ) as function (signature)
    loop
        if exists (select from syncmon.undo where statement = 'drop function if exists ' || wanted.signature) then
            continue;
        end if;
        if to_regprocedure(wanted.signature) is not null then
            raise exception 'the function % exists, and syncmon did not make it', wanted.signature
                using hint = 'Drop or rename it, and run this file again.';
        end if;
        insert into syncmon.undo (statement) values ('drop function if exists ' || wanted.signature);
    end loop;
end $$;

-- What a writer's word for a result means: 'completed', 'failed', or null where it is neither.
create or replace function syncmon.result_of(word text) returns text
language sql immutable set search_path = ''
as $function$
    select case
        when lower(btrim(word, E' \t\n\r\f\v')) in ('success', 'succeeded', 'completed', 'complete', 'ok') then 'completed'
        when lower(btrim(word, E' \t\n\r\f\v')) in ('failed', 'failure', 'error') then 'failed'
    end
$function$;

-- Ends a run, whose row the caller has locked, in both tables. If it has ended before, with this very result, nothing
-- happens.
create or replace function syncmon.finish(
    run public.sync_log,
    result text,
    ends_now boolean,
    duration numeric,
    records integer,
    error text,
    version bigint,
    details jsonb
) returns void
language plpgsql set search_path = ''
as $function$
declare
    finished constant timestamptz :=
        coalesce(run."timestamp", clock_timestamp()) + coalesce(duration, 0) * interval '1 second';
    leeway constant interval := case when ends_now then interval '1 second' else interval '0' end;
    merged constant jsonb := case
        when jsonb_typeof(run.metadata) = 'object' and jsonb_typeof(details) = 'object' then run.metadata || details
        else coalesce(details, run.metadata)
    end;
    ended constant text := syncmon.result_of(run.status);
begin
    if ended is not null then
        if ended = result
            and run.records_processed is not distinct from coalesce(records, run.records_processed)
            and run.error_details is not distinct from coalesce(error, run.error_details)
            and run.last_version is not distinct from coalesce(version, run.last_version)
            and run.metadata is not distinct from merged
        then
            return;
        end if;
        raise exception 'run % of % has ended before, as %, with another result', run.id, run.entity_type, ended
            using errcode = 'object_not_in_prerequisite_state', hint = 'A run ends once: call sync_start for each.';
    end if;

    update public.sync_log l
    set status = result, duration_seconds = duration, records_processed = coalesce(records, l.records_processed),
        error_details = coalesce(error, l.error_details), last_version = coalesce(version, l.last_version),
        metadata = merged
    where l.id = run.id;

    -- Runs of one entity end one after the other. Where there is no row to wait for, they wait for its name.
    perform from public.sync_state s where s.entity_type = run.entity_type for update;
    if not found then
        perform pg_advisory_xact_lock(hashtextextended('syncmon ' || run.entity_type, 0));
        perform from public.sync_state s where s.entity_type = run.entity_type for update;
    end if;

    -- What a newer run has written stays.
    if exists (
        select from public.sync_log l
        where l.entity_type = run.entity_type
            and (l."timestamp", l.id) > (run."timestamp", run.id)
            and (l.status in ('completed', 'failed') or syncmon.result_of(l.status) is not null)
    ) then
        return;
    end if;

    -- So does a state that is newer; but one that lies in the future was written by a clock that is wrong. Of two runs
    -- that end at once the older one may read the clock later and come to the state before: within a second the newer
    -- one decides.
    insert into public.sync_state as s
        (entity_type, status, last_sync_time, last_version, error_message, created_at, updated_at)
    values (run.entity_type, case result when 'completed' then 'success' else 'failed' end,
        case result when 'completed' then finished end, case result when 'completed' then version end,
        case result when 'failed' then error end, finished, finished)
    on conflict (entity_type) do update
    set status = excluded.status,
        last_sync_time = coalesce(excluded.last_sync_time, s.last_sync_time),
        last_version = coalesce(excluded.last_version, s.last_version),
        error_message = excluded.error_message,
        updated_at = excluded.updated_at
    where coalesce(greatest(s.last_sync_time, s.updated_at) <= finished + leeway, true)
        or greatest(s.last_sync_time, s.updated_at) > clock_timestamp();
end
$function$;

-- A run begins: its number. It is in the log from now on; sync_state stays as it is until the run ends. Called again
-- with the same key, it begins nothing and gives the same number.
create or replace function public.sync_start(
    entity_type text,
    action text,
    metadata jsonb default null,
    run_key uuid default null
) returns bigint
language plpgsql security definer set search_path = ''
as $function$
declare
    run bigint;
begin
    insert into public.sync_log as l ("timestamp", entity_type, action, status, records_processed, metadata, run_key)
    values (clock_timestamp(), sync_start.entity_type, sync_start.action, 'started', null, sync_start.metadata,
        sync_start.run_key)
    on conflict do nothing
    returning l.id into run;
    if run is null then
        select l.id into strict run from public.sync_log l where l.run_key = sync_start.run_key;
    end if;
    return run;
end
$function$;

-- A run has ended, now. What is not given stays as it is recorded; details are added to those of the start.
create or replace function public.sync_finish(
    run_id bigint,
    status text,
    records_processed integer default null,
    error_details text default null,
    last_version bigint default null,
    metadata jsonb default null
) returns void
language plpgsql security definer set search_path = ''
as $function$
declare
    result constant text := syncmon.result_of(sync_finish.status);
    run public.sync_log;
begin
    if result is null then
        raise exception 'sync_finish: a run cannot end as %', coalesce(quote_literal(sync_finish.status), 'null')
            using errcode = 'invalid_parameter_value', hint = 'Its status is completed or failed.';
    end if;
    select * into run from public.sync_log l where l.id = sync_finish.run_id for update;
    if not found then
        raise exception 'sync_finish: there is no run %', coalesce(sync_finish.run_id::text, 'null')
            using errcode = 'no_data_found', hint = 'Give the number that sync_start returned.';
    end if;
    perform syncmon.finish(run, result, true,
        round(extract(epoch from greatest(clock_timestamp() - run."timestamp", interval '0'))::numeric, 3),
        sync_finish.records_processed, sync_finish.error_details, sync_finish.last_version, sync_finish.metadata);
end
$function$;

-- A run as it happened, whenever this is called: its number. With status 'started' it has only begun. The key is the
-- run's own: whatever of it is recorded already is not recorded again.
create or replace function public.sync_record(
    run_key uuid,
    entity_type text,
    action text,
    status text,
    started_at timestamptz default null,
    duration_seconds numeric default null,
    records_processed integer default null,
    error_details text default null,
    last_version bigint default null,
    metadata jsonb default null
) returns bigint
language plpgsql security definer set search_path = ''
as $function$
declare
    result constant text := syncmon.result_of(sync_record.status);
    run public.sync_log;
begin
    if result is null and sync_record.status is distinct from 'started' then
        raise exception 'sync_record: a run cannot be %', coalesce(quote_literal(sync_record.status), 'null')
            using errcode = 'invalid_parameter_value', hint = 'Its status is started, completed or failed.';
    end if;
    if sync_record.run_key is null then
        raise exception 'sync_record: the run has no key'
            using errcode = 'null_value_not_allowed', hint = 'Give each run a UUID of its own.';
    end if;
    if sync_record.duration_seconds < 0 or sync_record.duration_seconds in ('NaN', 'Infinity') then
        raise exception 'sync_record: a run cannot last % seconds', sync_record.duration_seconds
            using errcode = 'invalid_parameter_value';
    end if;

    insert into public.sync_log ("timestamp", entity_type, action, status, records_processed, metadata, run_key)
    values (
        coalesce(sync_record.started_at,
            clock_timestamp() - coalesce(sync_record.duration_seconds, 0) * interval '1 second'),
        sync_record.entity_type, sync_record.action, 'started', null, sync_record.metadata, sync_record.run_key)
    on conflict do nothing;
    select * into strict run from public.sync_log l where l.run_key = sync_record.run_key for update;
    if run.entity_type <> sync_record.entity_type then
        raise exception 'sync_record: the run with this key is one of %', run.entity_type
            using errcode = 'invalid_parameter_value', hint = 'Give each run a UUID of its own.';
    end if;
    if result is not null then
        perform syncmon.finish(run, result, false, sync_record.duration_seconds, sync_record.records_processed,
            sync_record.error_details, sync_record.last_version, sync_record.metadata);
    end if;
    return run.id;
end
$function$;

-- Who may call them. Everybody may call a new function, and on Supabase anon and authenticated besides.
do $$
declare
    function regprocedure;
    caller text;
begin
    foreach function in array array[
        'public.sync_start(text, text, jsonb, uuid)',
        'public.sync_finish(bigint, text, integer, text, bigint, jsonb)',
        'public.sync_record(uuid, text, text, text, timestamptz, numeric, integer, text, bigint, jsonb)',
        'syncmon.result_of(text)',
        'syncmon.finish(public.sync_log, text, boolean, numeric, integer, text, bigint, jsonb)'
    ]::regprocedure[] loop
        execute format('revoke all on function %s from public', function);
        for caller in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on function %s from %I', function, caller);
        end loop;
        continue when (select pronamespace from pg_proc where oid = function) <> 'public'::regnamespace;
        for caller in select rolname from pg_roles where rolname in ('syncmon_rw', 'service_role') loop
            execute format('grant execute on function %s to %I', function, caller);
        end loop;
    end loop;
end $$;


-- The roles behind the public key of Supabase's REST API lose what was granted to them on the sync tables.
do $$
declare
    public_roles constant oid[] := array(select oid from pg_roles where rolname in ('anon', 'authenticated'));
    role_list constant text := (
        select string_agg(quote_ident(rolname), ', ') from pg_roles where oid = any (public_roles)
    );
    relation record;
    entry record;
begin
    for relation in
        select c.oid, c.relowner, c.relacl,
            case c.relkind when 'S' then 'sequence ' else 'table ' end || c.oid::regclass as name
        from pg_class c
        where c.oid in (
            'public.sync_state'::regclass,
            'public.sync_log'::regclass,
            pg_get_serial_sequence('public.sync_log', 'id')::regclass
        )
    loop
        -- The owner's grants as statements, one row a role: those on columns to these two roles, and those on the
        -- whole relation from their first entry on. Backwards, since the undo goes backwards. An access list that
        -- is null, the default, grants them nothing.
        for entry in
            with granted as (
                select item.place, item.acl::text, held.grantee, held.is_grantable,
                    lower(held.privilege_type) as privilege
                from unnest(relation.relacl) with ordinality as item (acl, place),
                    aclexplode(array[item.acl]) as held
                where held.grantor = relation.relowner
                union all
                select null, null, held.grantee, held.is_grantable,
                    format('%s (%I)', lower(held.privilege_type), a.attname)
                from pg_attribute a, aclexplode(a.attacl) as held
                where a.attrelid = relation.oid and not a.attisdropped
                    and held.grantor = relation.relowner and held.grantee = any (public_roles)
            ), statements as (
                select place, acl, grantee, format('grant %s on %s to %s%s',
                    string_agg(privilege, ', '), relation.name,
                    case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                    case when is_grantable then ' with grant option' end) as statement
                from granted
                group by place, acl, grantee, is_grantable
            )
            select place, acl, grantee, string_agg(statement, '; ') as statement
            from statements
            where place is null
                or place >= (select min(place) from granted where grantee = any (public_roles))
            group by place, acl, grantee
            order by place desc nulls first
        loop
            -- Entries of other roles that stood behind are moved behind again, if they are still the same: the
            -- access list gets back its order, and a dump of the database is what it was, byte for byte.
            insert into syncmon.undo (statement) values (
                case when entry.grantee = any (public_roles) then entry.statement
                else format(
                    'do $undo$ begin'
                    ' if exists (select from pg_class where oid = %2$L::regclass and %1$L::aclitem = any (relacl)) then'
                    ' revoke all on %3$s from %4$s; %5$s; end if; end $undo$',
                    entry.acl, relation.oid::regclass, relation.name,
                    case entry.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(entry.grantee)) end,
                    entry.statement)
                end);
        end loop;

        if found then
            execute format('revoke all on %s from %s', relation.name, role_list);
        end if;
    end loop;

    -- What is left was granted by somebody else, or to everybody, or comes from another role.
    for entry in
        select r.rolname as role, t.name as relation
        from pg_roles r, unnest(array['public.sync_state', 'public.sync_log']) as t (name)
        where r.oid = any (public_roles)
            and (has_table_privilege(r.oid, t.name, 'select, insert, update, delete, truncate')
                or has_any_column_privilege(r.oid, t.name, 'select, insert, update'))
    loop
        raise warning 'the role % can still reach %', entry.role, entry.relation
            using hint = 'Type \dp in psql to see who granted what to whom, and revoke it there.';
    end loop;
end $$;


-- What syncmon_ro and syncmon_rw may do.
do $$
declare
    role text;
    name text;
begin
    -- Usually everybody may connect and use schema public. Where that was tightened, these roles need it.
    foreach role in array array['syncmon_ro', 'syncmon_rw'] loop
        if not has_database_privilege(role, current_database(), 'connect') then
            execute format('grant connect on database %I to %I', current_database(), role);
            insert into syncmon.undo (statement)
            values (format('revoke connect on database %I from %I', current_database(), role));
        end if;
        if not has_schema_privilege(role, 'public', 'usage') then
            execute format('grant usage on schema public to %I', role);
            insert into syncmon.undo (statement) values (format('revoke usage on schema public from %I', role));
        end if;
    end loop;

    foreach name in array array['sync_state', 'sync_log'] loop
        if not exists (
            select from pg_class c, aclexplode(c.relacl) as held
            where c.oid = ('public.' || name)::regclass
                and held.grantee = 'syncmon_ro'::regrole and held.privilege_type = 'SELECT'
        ) then
            execute format('grant select on public.%I to syncmon_ro', name);
            insert into syncmon.undo (statement) values (format('revoke select on public.%I from syncmon_ro', name));
        end if;

        -- Without a policy row security would show it no rows, and no error either.
        if not exists (
            select from pg_policy
            where polrelid = ('public.' || name)::regclass and polname = 'syncmon_ro_select'
        ) then
            execute format('create policy syncmon_ro_select on public.%I for select to syncmon_ro using (true)', name);
            insert into syncmon.undo (statement)
            values (format('drop policy if exists syncmon_ro_select on public.%I', name));
        end if;
    end loop;
end $$;

commit;
