-- As prune.postgres.sql.
with ended as (
    select id, entity_type, unixepoch("timestamp", 'subsec') as started,
        case
            when lower(trim(status)) in ('success', 'succeeded', 'completed', 'complete', 'ok') then 'completed'
            when lower(trim(status)) in ('failed', 'failure', 'error') then 'failed'
        end as result,
        unixepoch("timestamp", 'subsec') + max(coalesce(duration_seconds, 0), 0) as finish
    from sync_log
),
ranked as (
    select id, started,
        row_number() over (partition by entity_type, result order by finish desc, id desc) as place
    from ended
    where result is not null and finish is not null
),
doomed as (
    select id from ranked where place > 1 and started < unixepoch('{before}', 'subsec')
)
