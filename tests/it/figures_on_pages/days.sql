-- Minutes of each health and runs, of each of the last 90 days of an entity.
, days as (
    select day::date, day as begins, least(day + interval '1 day', 'NOW') as ends
    from generate_series('NOW'::timestamptz::date - 89, 'NOW'::timestamptz::date, interval '1 day') day
),
minutes as (
    select day, health, floor(extract(epoch from sum(least(until, ends) - greatest(since, begins))) / 60)::bigint as many
    from days join true_spans on until > begins and since < ends and entity_type = 'ENTITY'
    group by day, health
),
ended as (
    select (at at time zone 'America/Los_Angeles')::date as day, count(*) filter (where good) as completed, count(*) filter (where not good) as failed
    from (select "timestamp" + duration_seconds * interval '1 second' as at, lower(status) in ('completed', 'ok') as good
          from sync_log where entity_type = 'ENTITY' and lower(status) in ('completed', 'ok', 'failed', 'error')) runs
    group by 1
)
select concat_ws('|', to_char(day, 'FMDy FMDD Mon YYYY'), coalesce(max(many) filter (where health = 'green'), -1),
                 coalesce(max(many) filter (where health = 'yellow'), -1), coalesce(max(many) filter (where health = 'red'), -1),
                 coalesce(max(completed), 0), coalesce(max(failed), 0))
from minutes left join ended using (day) group by day order by day desc
