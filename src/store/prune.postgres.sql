-- Which runs may be deleted: "doomed". {before} is replaced by a moment. Runs without an end stay, and of each entity
-- the run that succeeded last and the one that failed last, however old.
with ended as (
    select id, entity_type, "timestamp",
        case
            when lower(btrim(status, E' \t\n\r\f\v')) in ('success', 'succeeded', 'completed', 'complete', 'ok') then 'completed'
            when lower(btrim(status, E' \t\n\r\f\v')) in ('failed', 'failure', 'error') then 'failed'
        end as result,
        "timestamp" + case when duration_seconds between 0 and 100000000000 then duration_seconds else 0 end
            * interval '1 second' as finish
    from public.sync_log
),
newest as (
    select distinct on (entity_type, result) id
    from ended
    where result is not null and finish is not null
    order by entity_type, result, finish desc, id desc
),
doomed as (
    select id from ended
    where result is not null and "timestamp" < '{before}'::timestamptz and id not in (select id from newest)
)
