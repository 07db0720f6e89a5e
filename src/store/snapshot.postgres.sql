-- Everything that syncmon asks of PostgreSQL, in one statement.
--
-- The first row (entity_type NULL) is about the database itself; then one row an entity, each
-- with one JSON value. Moments are whole microseconds since 1970, clamped to the years 1 to 9999.
-- {window_start} is replaced by such a number: the start of the 90-day window. {history_start} is
-- that of the days whose runs are all listed, {most_runs} how many at most, of an entity. Their
-- errors are cut short; those of the newest are whole in "errors". Of the runs before those days,
-- "measures" has what later ones are compared with: the newest {measured_runs} of each action among the
-- newest {measured_among} of the entity.
-- The words in "status" are not judged here: the program knows the vocabulary.
with recursive
logged (entity_type) as (
    -- Jumps along the index from name to name instead of reading every row.
    (select min(l.entity_type) from public.sync_log l)
    union all
    select (select min(l.entity_type) from public.sync_log l where l.entity_type > logged.entity_type)
    from logged
    where logged.entity_type is not null
),
entities as (
    select entity_type from logged where entity_type is not null
    union
    select entity_type from public.sync_state
)
select
    null::text as entity_type,
    json_build_object(
        'clock', round(date_part('epoch', clock_timestamp()) * 1e6)::bigint,
        'role', current_user,
        'hidden', (
            select coalesce(json_agg(t.name order by t.name), '[]'::json)
            from (values ('sync_log', 'public.sync_log'::regclass),
                         ('sync_state', 'public.sync_state'::regclass)) t (name, id)
            where row_security_active(t.id)
              and not exists (
                  select from pg_catalog.pg_policy p
                  where p.polrelid = t.id
                    and p.polpermissive
                    and p.polcmd in ('r', '*')
                    and exists (
                        select from unnest(p.polroles) r
                        where r = 0 or pg_has_role(current_user, r, 'usage')
                    )
              )
        )
    )::text as observed
union all
select
    e.entity_type,
    json_build_object(
        'state', state.value,
        'outcomes', coalesce(outcomes.list, '[]'::json),
        'runs', coalesce(runs.list, '[]'::json),
        'earlier', coalesce(earlier.list, '[]'::json),
        'measures', coalesce(measures.list, '[]'::json),
        'errors', coalesce(errors.list, '[]'::json)
    )::text
-- An array, since the planner expects it to be short: for as many entities as it would expect of
-- the recursion, it would compile the statement first (JIT), which takes longer than running it.
from unnest(array(select entity_type from entities order by entity_type)) e (entity_type)
left join lateral (
    select json_build_object(
        'status', left(s.status, 200),
        'last_sync_time', case when s.last_sync_time is not null then round(date_part('epoch', least(greatest(
                s.last_sync_time, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end,
        'updated_at', case when s.updated_at is not null then round(date_part('epoch', least(greatest(
                s.updated_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end,
        'error', left(s.error_message, 4000),
        'error_length', length(s.error_message)
    ) as value
    from public.sync_state s
    where s.entity_type = e.entity_type
) state on true
left join lateral (
    select json_agg(json_build_object(
        'status', g.status,
        'action', g.action,
        'untimed', g.untimed,
        'odd_durations', g.odd_durations,
        'before', g.before,
        'finishes', g.finishes
    ) order by g.status, g.action) as list
    from (
        select
            left(f.status, 200) as status,
            left(f.action, 200) as action,
            count(*) filter (where f.finish is null) as untimed,
            count(*) filter (where f.odd and f.finish is not null) as odd_durations,
            max(f.finish) filter (where f.finish < {window_start}) as before,
            string_agg(f.finish::text, ' ') filter (where f.finish >= {window_start}) as finishes
        from (
            select
                l.status,
                l.action,
                l.duration_seconds < 0 or l.duration_seconds = 'NaN' as odd,
                case when l."timestamp" is not null then round(date_part('epoch', least(greatest(
                l."timestamp", '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end
                + case
                    when l.duration_seconds > 0 and l.duration_seconds <= 100000000000
                        then round(l.duration_seconds * 1000000)::bigint
                    when l.duration_seconds > 100000000000 and l.duration_seconds <> 'NaN'
                        then 100000000000000000
                    else 0
                end as finish
            from public.sync_log l
            where l.entity_type = e.entity_type
        ) f
        group by 1, 2
    ) g
) outcomes on true
left join lateral (
    select json_agg(r.value) as list
    from (
        select json_build_object(
            'id', l.id,
            'started', case when l."timestamp" is not null then round(date_part('epoch', least(greatest(
                l."timestamp", '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end,
            'action', left(l.action, 200),
            'status', left(l.status, 200),
            'duration', left(l.duration_seconds::text, 40),
            'records', l.records_processed,
            'error', left(l.error_details, 600),
            'error_length', length(l.error_details)
        ) as value
        from public.sync_log l
        where l.entity_type = e.entity_type and l."timestamp" >= to_timestamp({history_start} / 1e6)
        order by l."timestamp" desc, l.id desc
        limit {most_runs}
    ) r
) runs on true
left join lateral (
    select json_agg(r.value) as list
    from (
        select json_build_object(
            'id', l.id,
            'started', case when l."timestamp" is not null then round(date_part('epoch', least(greatest(
                l."timestamp", '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end,
            'action', left(l.action, 200),
            'status', left(l.status, 200),
            'duration', left(l.duration_seconds::text, 40),
            'records', l.records_processed,
            'error', left(l.error_details, 600),
            'error_length', length(l.error_details)
        ) as value
        from public.sync_log l
        where l.entity_type = e.entity_type and l."timestamp" < to_timestamp({history_start} / 1e6)
        order by l."timestamp" desc, l.id desc
        limit 50
    ) r
) earlier on true
left join lateral (
    select json_agg(json_build_object(
        'status', m.status,
        'action', m.action,
        'runs', m.runs
    ) order by m.status, m.action) as list
    from (
        select
            left(n.status, 200) as status,
            left(n.action, 200) as action,
            string_agg(round(date_part('epoch', n."timestamp") * 1e6)::bigint
                || ' ' || coalesce(n.records_processed::text, '-')
                || ' ' || coalesce(left(n.duration_seconds::text, 40), '-'), ' ') as runs
        from (
            select w.*, row_number() over (partition by w.action order by w."timestamp" desc, w.id desc) as place
            from (
                select l.id, l."timestamp", l.action, l.status, l.records_processed, l.duration_seconds
                from public.sync_log l
                where l.entity_type = e.entity_type
                  and l."timestamp" >= to_timestamp({window_start} / 1e6)
                  and l."timestamp" < to_timestamp({history_start} / 1e6)
                order by l."timestamp" desc, l.id desc
                limit {measured_among}
            ) w
        ) n
        where n.place <= {measured_runs}
        group by 1, 2
    ) m
) measures on true
left join lateral (
    select json_agg(r.value) as list
    from (
        select json_build_object(
            'id', l.id,
            'started', case when l."timestamp" is not null then round(date_part('epoch', least(greatest(
                l."timestamp", '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00')) * 1e6)::bigint end,
            'action', left(l.action, 200),
            'status', left(l.status, 200),
            'duration', left(l.duration_seconds::text, 40),
            'records', l.records_processed,
            'error', left(l.error_details, 4000),
            'error_length', length(l.error_details)
        ) as value
        from public.sync_log l
        where l.entity_type = e.entity_type and l."timestamp" is not null and l.error_details is not null
        order by l."timestamp" desc, l.id desc
        limit 20
    ) r
) errors on true
