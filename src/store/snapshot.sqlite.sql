-- Everything that syncmon asks of SQLite, in one statement, in the shape of snapshot.postgres.sql.
--
-- SQLite has no type for moments. Text is read as ISO 8601, to the second or only to the minute,
-- with or without a zone (then UTC), numbers as seconds since 1970; the part before the fraction
-- goes through strftime, the fraction is added by hand, because strftime rounds to milliseconds.
-- Where a text holds a NUL, substr and length end there; error_length then counts its bytes, so that
-- it is seen to be shortened, and a status gets a mark that makes it a word of its own. A text is a
-- moment only if it begins with a day that exists: SQLite would take 'now', a time alone and 30
-- February as well. {window_start}, {history_start}, {most_runs} and so on are
-- replaced as there.
--
-- The log is read through a fixed number of times, however many entities there are, and each time a row is
-- cleaned only as far as is needed there: "limit -1" keeps SQLite from working out "started" for each use.
with
log as (
    select id, entity_type as raw_type, sync_log."timestamp" as moment, error_details,
        cast(entity_type as text) as entity_type, substr(cast(action as text), 1, 200) as action,
        substr(cast(status as text), 1, 200) || case when instr(cast(status as blob), x'00') > 0
                                                     then char(65533) else '' end as status,
        substr(cast(error_details as text), 1, 4000) as error,
        case when instr(cast(error_details as blob), x'00') > 0 then length(cast(error_details as blob))
             else length(cast(error_details as text)) end as error_length,
        case when typeof(records_processed) in ('integer', 'real')
             then cast(records_processed as integer) end as records,
        case when typeof(duration_seconds) in ('integer', 'real')
             then substr(cast(duration_seconds as text), 1, 40) end as duration,
        duration_seconds is not null
            and (typeof(duration_seconds) not in ('integer', 'real') or duration_seconds < 0) as odd,
        case when typeof(duration_seconds) in ('integer', 'real') and duration_seconds > 0
             then cast(round(min(duration_seconds, 100000000000) * 1000000) as integer)
             else 0 end as duration_micros,
        -- The usual notations take a tenth of the time of all the others.
        coalesce(
            case when sync_log."timestamp" glob
                        '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-2][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'
                    and substr(sync_log."timestamp", 9, 2) < '29'
                then unixepoch(substr(sync_log."timestamp", 1, 19)) * 1000000 + case
                    when substr(sync_log."timestamp", 20) in ('Z', '', '+00:00') then 0
                    when substr(sync_log."timestamp", 20) glob '.[0-9][0-9][0-9][0-9][0-9][0-9]*'
                            and substr(sync_log."timestamp", 27) in ('Z', '', '+00:00')
                        then substr(sync_log."timestamp", 21, 6)
                    when substr(sync_log."timestamp", 20) glob '.[0-9][0-9][0-9]*'
                            and substr(sync_log."timestamp", 24) in ('Z', '', '+00:00')
                        then substr(sync_log."timestamp", 21, 3) * 1000
                    end
            end,
            (
                select case
                    when typeof(moment) in ('integer', 'real') then cast(round(moment * 1000000) as integer)
                    when date(substr(text_moment, 1, 10)) = substr(text_moment, 1, 10)
                    then cast(strftime('%s', substr(text_moment, 1, 19) || case
                             when length(zone) = 3 and zone <> 'UTC' then zone || ':00'
                             when length(zone) = 5 then substr(zone, 1, 3) || ':' || substr(zone, 4, 2)
                             when upper(zone) in ('UTC', 'Z') then 'Z'
                             else zone end) as integer) * 1000000
                         + case when substr(text_moment, 20, 1) = '.'
                                then cast(round(cast('0.' || substr(text_moment, 21) as real) * 1000000) as integer)
                                else 0 end
                    end
                from (
                    select moment, text_moment, ltrim(substr(text_moment, 20), '.0123456789 ') as zone
                    from (
                        select moment, case when substr(text_moment, 17, 1) in ('+', '-', ' ', 'Z', 'z')
                            then substr(text_moment, 1, 16) || ':00' || substr(text_moment, 17)
                            else text_moment end as text_moment
                        from (
                            select sync_log."timestamp" as moment,
                                trim(cast(sync_log."timestamp" as text)) as text_moment
                        )
                    )
                )
            )
        ) as started
    from sync_log
    where entity_type is not null
),
outcomes as materialized (
    select entity_type, status, action,
        count(*) filter (where started is null) as untimed,
        count(*) filter (where odd and started is not null) as odd_durations,
        max(started + duration_micros) filter (where started + duration_micros < {window_start}) as before,
        group_concat(started + duration_micros, ' ')
            filter (where started + duration_micros >= {window_start}) as finishes
    from (select entity_type, status, action, odd, started, duration_micros from log limit -1)
    group by entity_type, status, action
),
-- Of each entity, a day before which no row can be among those that are listed or measured. The text of a moment
-- begins with a day that differs from the one in UTC by less than two. What does not begin with a digit is always
-- looked at: '0-' stands before all days, after all numbers and all other notations.
floors as (
    select raw_type, date(substr(min(moment), 1, 10), '-3 days') as floor
    from (
        select raw_type, moment, row_number() over (partition by raw_type order by moment desc) as place
        from log
        where raw_type >= '' and started is not null
          and moment >= date({window_start} / 1000000, 'unixepoch', '-3 days')
          and moment < date({history_start} / 1000000, 'unixepoch', '-3 days')
    )
    where place <= {measured_among}
    group by raw_type
    having count(*) >= 50
),
names as materialized (
    select t.raw_type, coalesce((select f.floor from floors f where f.raw_type = t.raw_type), '0-') as floor
    from (select distinct entity_type as raw_type from sync_log where entity_type is not null) t
),
newest as materialized (
    select l.id, l.entity_type, l.action, l.status, l.error, l.error_length, l.records, l.duration, l.started
    from names n cross join log l on l.raw_type = n.raw_type
    where l.moment >= n.floor or l.moment < '0-'
),
failures as materialized (
    select l.id, l.entity_type, l.action, l.status, l.error, l.error_length, l.records, l.duration, l.started
    from log l cross join (
        select entity_type, min(started) as started
        from (
            select entity_type, started, row_number() over (partition by entity_type order by started desc) as place
            from (select entity_type, started from log where error_details is not null limit -1)
            where started is not null
        )
        where place <= 20
        group by entity_type
    ) f on f.entity_type = l.entity_type
    where l.error_details is not null and l.started >= f.started
),
state_moments as (
    select cast(entity_type as text) as entity_type, 'last_sync_time' as name,
           last_sync_time as moment, trim(cast(last_sync_time as text)) as text_moment
    from sync_state
    union all
    select cast(entity_type as text), 'updated_at', updated_at, trim(cast(updated_at as text))
    from sync_state
),
state_moments_to_the_second as (
    select entity_type, name, moment,
           case when substr(text_moment, 17, 1) in ('+', '-', ' ', 'Z', 'z')
                then substr(text_moment, 1, 16) || ':00' || substr(text_moment, 17)
                else text_moment end as text_moment
    from state_moments
),
zoned_state_moments as (
    select *, ltrim(substr(text_moment, 20), '.0123456789 ') as zone from state_moments_to_the_second
),
state_micros as (
    select entity_type, name, case
            when typeof(moment) in ('integer', 'real') then cast(round(moment * 1000000) as integer)
            when date(substr(text_moment, 1, 10)) = substr(text_moment, 1, 10)
            then cast(strftime('%s', substr(text_moment, 1, 19) || case
                     when length(zone) = 3 and zone <> 'UTC' then zone || ':00'
                     when length(zone) = 5 then substr(zone, 1, 3) || ':' || substr(zone, 4, 2)
                     when upper(zone) in ('UTC', 'Z') then 'Z'
                     else zone end) as integer) * 1000000
                 + case when substr(text_moment, 20, 1) = '.'
                        then cast(round(cast('0.' || substr(text_moment, 21) as real) * 1000000) as integer)
                        else 0 end
        end as micros
    from zoned_state_moments
),
entities as (
    select entity_type from outcomes
    union
    select cast(entity_type as text) from sync_state where entity_type is not null
)
select
    null as entity_type,
    json_object(
        'clock', cast(strftime('%s', 'now') as integer) * 1000000,
        'role', null,
        'hidden', json('[]')
    ) as observed
union all
select * from (
    select
        e.entity_type,
        json_object(
            'state', (
                select json_object(
                    'status', substr(cast(s.status as text), 1, 200)
                        || case when instr(cast(s.status as blob), x'00') > 0 then char(65533) else '' end,
                    'last_sync_time', (select m.micros from state_micros m
                                       where m.entity_type = e.entity_type and m.name = 'last_sync_time'),
                    'updated_at', (select m.micros from state_micros m
                                   where m.entity_type = e.entity_type and m.name = 'updated_at'),
                    'error', substr(cast(s.error_message as text), 1, 4000),
                    'error_length', case when instr(cast(s.error_message as blob), x'00') > 0
                        then length(cast(s.error_message as blob))
                        else length(cast(s.error_message as text)) end
                )
                from sync_state s where cast(s.entity_type as text) = e.entity_type
            ),
            'outcomes', (
                select json_group_array(json_object(
                    'status', g.status,
                    'action', g.action,
                    'untimed', g.untimed,
                    'odd_durations', g.odd_durations,
                    'before', g.before,
                    'finishes', g.finishes
                ))
                from (
                    select * from outcomes o where o.entity_type = e.entity_type order by o.status, o.action
                ) g
            ),
            'runs', (
                select json_group_array(json_object(
                    'id', r.id, 'started', r.started, 'action', r.action, 'status', r.status,
                    'duration', r.duration, 'records', r.records,
                    'error', substr(r.error, 1, 600), 'error_length', r.error_length
                ))
                from (
                    select * from newest l
                    where l.entity_type = e.entity_type and l.started >= {history_start}
                    order by l.started desc, l.id desc
                    limit {most_runs}
                ) r
            ),
            'earlier', (
                select json_group_array(json_object(
                    'id', r.id, 'started', r.started, 'action', r.action, 'status', r.status,
                    'duration', r.duration, 'records', r.records,
                    'error', substr(r.error, 1, 600), 'error_length', r.error_length
                ))
                from (
                    select * from newest l
                    where l.entity_type = e.entity_type and l.started < {history_start}
                    order by l.started desc, l.id desc
                    limit 50
                ) r
            ),
            'measures', (
                select json_group_array(json_object('status', m.status, 'action', m.action, 'runs', m.runs))
                from (
                    select n.status, n.action, group_concat(n.started || ' ' || coalesce(n.records, '-')
                               || ' ' || coalesce(n.duration, '-'), ' ') as runs
                    from (
                        select w.*, row_number() over (
                            partition by w.action order by w.started desc, w.id desc) as place
                        from (
                            select l.* from newest l
                            where l.entity_type = e.entity_type
                              and l.started >= {window_start} and l.started < {history_start}
                            order by l.started desc, l.id desc
                            limit {measured_among}
                        ) w
                    ) n
                    where n.place <= {measured_runs}
                    group by n.status, n.action
                    order by n.status, n.action
                ) m
            ),
            'errors', (
                select json_group_array(json_object(
                    'id', r.id, 'started', r.started, 'action', r.action, 'status', r.status,
                    'duration', r.duration, 'records', r.records,
                    'error', r.error, 'error_length', r.error_length
                ))
                from (
                    select * from failures l
                    where l.entity_type = e.entity_type
                    order by l.started desc, l.id desc
                    limit 20
                ) r
            )
        )
    from entities e
    order by e.entity_type
)
