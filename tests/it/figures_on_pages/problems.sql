-- Every stretch that was not green and reaches into the last seven days.
, marked as (
    select *, health <> 'green' as bad,
           lag(health <> 'green', 1, false) over (partition by entity_type order by since) as bad_before
    from true_spans
),
numbered as (
    select *, count(*) filter (where bad and not bad_before) over (partition by entity_type order by since) as problem
    from marked
),
problems as (
    select entity_type, min(since) as since, max(until) as until from numbered where bad group by entity_type, problem
)
select concat(entity_type, ' ', to_char(since, 'Dy FMDD Mon, HH24:MI'), case when until = 'NOW' then ' lasting' end)
from problems where until > ('NOW'::timestamptz::date - 6)::timestamptz
order by since desc
