-- What syncmon doctor asks of SQLite besides the build's own statement, in the shape of examination.postgres.sql.
-- SQLite knows no roles, and does not hold columns to their types.
select json_object(
    'server', sqlite_version(),
    'clock', cast(strftime('%s', 'now') as integer) * 1000000,
    'encryption', null,
    'role', null,
    'enters_schema', json('true'),
    'tables', (
        select json_group_array(json_object(
            'name', lower(m.name),
            'readable', json('true'),
            'stored', json(case when m.type = 'table' then 'true' else 'false' end),
            'columns', (
                select json_group_array(json_object('name', lower(c.name), 'type', lower(c.type)))
                from pragma_table_info(m.name) c
            ),
            'indexed', json(case when exists (
                select 1 from pragma_index_list(m.name) i
                where i.partial = 0
                  and (select lower(k.name) from pragma_index_info(i.name) k where k.seqno = 0) = 'entity_type'
                  and (select lower(k.name) from pragma_index_info(i.name) k where k.seqno = 1) = 'timestamp'
            ) then 'true' else 'false' end)
        ))
        from sqlite_master m
        where m.type in ('table', 'view') and lower(m.name) in ('sync_state', 'sync_log')
    )
) as examined
