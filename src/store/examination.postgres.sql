-- What syncmon doctor asks of PostgreSQL besides the build's own statement: one row, one JSON value, in the shape of
-- examination.sqlite.sql. It reads the catalogue only, none of the tables, so that it is answered whatever the role may
-- read. Moments are whole microseconds since 1970.
with tables as (
    select c.oid, c.relname::text as name, c.relkind, c.relowner
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public'
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and (c.relname in ('sync_state', 'sync_log') or c.relname like 'lightspeed\_%')
)
select json_build_object(
    'server', current_setting('server_version'),
    'clock', round(date_part('epoch', clock_timestamp()) * 1e6)::bigint,
    -- Behind a pooler this is about its own connection to the server.
    'encryption', (select s.version from pg_catalog.pg_stat_ssl s where s.pid = pg_backend_pid() and s.ssl),
    'role', (
        select json_build_object(
            'name', current_user,
            'superuser', r.rolsuper,
            'bypasses_row_security', r.rolbypassrls,
            'reads_only', current_setting('default_transaction_read_only') = 'on',
            'statement_timeout_ms', (
                select g.setting::bigint from pg_catalog.pg_settings g where g.name = 'statement_timeout'
            ),
            'owns', (
                select coalesce(json_agg(t.name order by t.name), '[]'::json)
                from tables t
                where pg_has_role(current_user, t.relowner, 'usage')
            ),
            'writes', (
                select coalesce(json_agg(json_build_object('table', w.name, 'privileges', w.privileges) order by w.name), '[]'::json)
                from (
                    select t.name, json_agg(p.name order by p.place) as privileges
                    from tables t
                    cross join (values (1, 'INSERT'), (2, 'UPDATE'), (3, 'DELETE'), (4, 'TRUNCATE')) p (place, name)
                    where has_table_privilege(t.oid, p.name)
                       or p.name in ('INSERT', 'UPDATE') and has_any_column_privilege(t.oid, p.name)
                    group by t.name
                ) w
            )
        )
        from pg_catalog.pg_roles r
        where r.rolname = current_user
    ),
    'enters_schema', has_schema_privilege('public', 'usage'),
    'tables', (
        select coalesce(json_agg(json_build_object(
            'name', t.name,
            'readable', has_table_privilege(t.oid, 'SELECT'),
            'stored', t.relkind in ('r', 'p', 'm'),
            'columns', (
                select coalesce(json_agg(json_build_object(
                    'name', a.attname,
                    'type', case when y.typtype = 'd' then format_type(y.typbasetype, null)
                                 else format_type(a.atttypid, null) end
                ) order by a.attnum), '[]'::json)
                from pg_catalog.pg_attribute a
                join pg_catalog.pg_type y on y.oid = a.atttypid
                where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
            ),
            -- Either direction serves: an index can be walked both ways.
            'indexed', exists (
                select from pg_catalog.pg_index i
                join pg_catalog.pg_attribute e on e.attrelid = t.oid and e.attnum = i.indkey[0]
                join pg_catalog.pg_attribute m on m.attrelid = t.oid and m.attnum = i.indkey[1]
                where i.indrelid = t.oid
                  and i.indisvalid
                  and i.indpred is null
                  and e.attname = 'entity_type'
                  and m.attname = 'timestamp'
            )
        ) order by t.name), '[]'::json)
        from tables t
        where t.name in ('sync_state', 'sync_log')
    )
)::text as examined
