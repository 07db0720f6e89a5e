-- How long an entity was green, yellow and red in the last hours, in milliseconds.
select (extract(epoch from coalesce(sum(least(until, 'NOW') - greatest(since, 'NOW'::timestamptz - interval 'HOURS hours'))
    filter (where true_spans.health = wanted.health), interval '0')) * 1000)::bigint::text
from (values (1, 'green'), (2, 'yellow'), (3, 'red')) wanted (place, health)
left join true_spans on entity_type = 'ENTITY' and until > 'NOW'::timestamptz - interval 'HOURS hours'
group by place, wanted.health order by place
