-- Every stretch of time with its health, by the rules of docs/verdict.md. A question follows.
set timezone = 'America/Los_Angeles';
with evidence as (
    select entity_type, "timestamp" + duration_seconds * interval '1 second' as at,
           lower(status) in ('completed', 'ok') as good
    from sync_log where lower(status) in ('completed', 'ok', 'failed', 'error')
    union all
    select entity_type, last_sync_time, true from sync_state
),
reigns as (
    select *, coalesce(lead(at) over (partition by entity_type order by at, good), 'NOW') as until from evidence
),
spans as (
    select entity_type, 'green' as health, at as since, least(until, at + interval '2 hours') as until from reigns where good
    union all
    select entity_type, 'yellow', at + interval '2 hours', least(until, at + interval '12 hours') from reigns where good
    union all
    select entity_type, 'red', at + interval '12 hours', until from reigns where good
    union all
    select entity_type, 'red', at, until from reigns where not good
),
true_spans as (select * from spans where until > since)
