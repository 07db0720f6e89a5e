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
--   * The role syncmon_ro may read sync_state and sync_log, and nothing else. It has no password, and so cannot log in
--     over the network: type  \password syncmon_ro  in psql, which keeps the password out of history and server log.
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


-- The reading role. Roles belong to the whole cluster, so another database may have made this one already. The comment
-- tells whether syncmon made it; then the last database that is rolled back drops it.
do $$
declare
    mark constant text := 'made by syncmon: reads sync_state and sync_log';
    marked boolean;
    setting record;
begin
    if to_regrole('syncmon_ro') is null then
        begin
            create role syncmon_ro login;
            execute format('comment on role syncmon_ro is %L', mark);
        exception when duplicate_object or unique_violation then
            null; -- Another database was quicker.
        end;
    end if;

    marked := shobj_description('syncmon_ro'::regrole, 'pg_authid') is not distinct from mark;
    if marked and not exists (select from syncmon.undo where statement = 'drop role if exists syncmon_ro') then
        insert into syncmon.undo (statement) values ('drop role if exists syncmon_ro');
    end if;

    -- Settings of the role hold behind connection poolers too. They are a habit and no boundary: a client may change
    -- them. What stops it from writing is that nothing was granted.
    for setting in
        select name, value
        from (values ('default_transaction_read_only', 'on'), ('statement_timeout', '30s'), ('jit', 'off')) as wanted (name, value)
        where not exists (
            select from pg_db_role_setting s, unnest(s.setconfig) as present
            where s.setrole = 'syncmon_ro'::regrole and s.setdatabase = 0 and present like wanted.name || '=%'
        )
    loop
        begin
            execute format('alter role syncmon_ro set %I = %L', setting.name, setting.value);
            if not marked then
                insert into syncmon.undo (statement) values (format('alter role syncmon_ro reset %I', setting.name));
            end if;
        exception when insufficient_privilege then
            raise warning 'the role syncmon_ro exists, and % may not change it', current_user
                using hint = format('Let its maker run: alter role syncmon_ro set %I = %L;',
                    setting.name, setting.value);
        end;
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
            metadata jsonb
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
begin
    -- sync_log before sync_state, the order in which the scripts write them: nobody deadlocks.
    foreach name in array array['sync_log', 'sync_state'] loop
        if not (select relrowsecurity from pg_class where oid = ('public.' || name)::regclass) then
            execute format('alter table public.%I enable row level security', name);
            insert into syncmon.undo (statement)
            values (format('alter table public.%I disable row level security', name));
        end if;
    end loop;

    if not exists (
        select from pg_attribute
        where attrelid = 'public.sync_state'::regclass and attname = 'last_version' and not attisdropped
    ) then
        alter table public.sync_state add column last_version bigint;
        insert into syncmon.undo (statement)
        values ('alter table public.sync_state drop column if exists last_version');
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


-- What syncmon_ro may do.
do $$
declare
    name text;
begin
    -- Usually everybody may connect and use schema public. Where that was tightened, this role needs it.
    if not has_database_privilege('syncmon_ro', current_database(), 'connect') then
        execute format('grant connect on database %I to syncmon_ro', current_database());
        insert into syncmon.undo (statement)
        values (format('revoke connect on database %I from syncmon_ro', current_database()));
    end if;
    if not has_schema_privilege('syncmon_ro', 'public', 'usage') then
        grant usage on schema public to syncmon_ro;
        insert into syncmon.undo (statement) values ('revoke usage on schema public from syncmon_ro');
    end if;

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
