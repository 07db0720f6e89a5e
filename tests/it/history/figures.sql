-- The runs of seven days until NOW as PostgreSQL tells them, in the words and at the times of the museum: by its own
-- calendar and its own clock changes. Each line is a place on the pages, a bar, and what should stand there.
set timezone = 'America/Los_Angeles';
with known as (
    select id, "timestamp" as at, entity_type, action, records_processed as records,
           row_number() over (partition by entity_type order by "timestamp" desc, id desc) as place,
           lower(trim(status)) as word
    from sync_log
),
runs as (
    select *, at::date as day,
           case when word in ('completed', 'ok') then 'completed' when word in ('failed', 'error') then 'failed'
                when word = 'started' and place > 1 then 'unfinished' when word = 'started' then 'running'
                else word end as result
    from known
    where at >= ((timestamptz 'NOW')::date - 6)::timestamptz
),
told as (
    select 'rows' as place, row_number() over (order by at desc, id desc) as nth,
           concat_ws('|', id, day, to_char(at, 'HH24:MI:SS TZ'), entity_type, result, action, records) as text
    from runs
    union all
    select 'headings', row_number() over (order by day desc),
           trim(to_char(day, 'FMDay FMDD FMMonth YYYY')) || ': ' || count(*) || ' runs'
               || coalesce(', ' || nullif(count(*) filter (where result = 'failed'), 0) || ' failed', '')
               || coalesce(', ' || nullif(count(*) filter (where result = 'unfinished'), 0) || ' unfinished', '')
    from runs group by day
    union all
    select 'days', row_number() over (order by day), concat_ws('|', day, string_agg(id::text, ' ' order by at desc, id desc))
    from runs group by day
    union all
    select 'status', row_number() over (order by page), concat_ws('|', page, string_agg(id::text, ' ' order by at desc, id desc))
    from (select *, case when result = 'paused' then 'other' else result end as page from runs) runs
    where result <> 'completed' group by page
    union all
    select 'entities', row_number() over (order by entity_type),
           concat_ws('|', entity_type, string_agg(id::text, ' ' order by at desc, id desc))
    from runs where entity_type not like '<%' group by entity_type
)
select concat_ws('|', place, text) from told order by place, nth;
