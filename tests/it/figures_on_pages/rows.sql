-- A hundred days of three entities: hourly with failures and gaps, nightly, and one that began lately.
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
select timestamptz '2026-11-22T19:40:00Z' - n * interval '1 hour' - (n * 37 % 600) * interval '1 second', 'sales', 'incremental_sync',
       case when n % 23 = 5 or n between 700 and 712 then 'failed' when n % 41 = 7 then 'started' else 'completed' end,
       10 + n % 50 + 0.25, 200 + n * 7 % 90, case when n % 23 = 5 then '429 Client Error: Too Many Requests' end
from generate_series(0, 2400) n where n not between 300 and 330 and n % 97 not between 3 and 6;
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
select timestamptz '2026-11-22T10:00:00Z' - n * interval '1 day', 'products', 'incremental_sync',
       case when n in (0, 9, 10) then 'error' else 'ok' end, 1800, 5000 + n
from generate_series(0, 99) n;
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
select timestamptz '2026-11-22T19:50:00Z' - n * interval '90 minutes', 'customers', 'incremental_sync', 'Completed', 4.5, n
from generate_series(0, 60) n;
insert into sync_state (entity_type, last_sync_time, status) values
    ('products', '2026-11-22T15:00:00Z', 'success'), ('customers', '2026-11-22T19:50:04.5Z', 'success');
