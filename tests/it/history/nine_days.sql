-- Runs of five entities, one every 47 minutes, over nine days until NOW, with every kind of status.
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
select timestamptz 'NOW' - n * interval '47 minutes' - e.i * interval '61 seconds',
       e.name, case when n % 5 = 0 then 'historical_import' else 'incremental_sync' end,
       case when n % 17 = 3 then 'failed' when n % 29 = 4 then ' Error' when n % 31 = e.i then 'started'
            when n % 37 = 5 then 'paused' when n % 41 = 6 then 'ok' else 'completed' end,
       n % 90 + 0.5, 2000 + n * 7 + e.i, case when n % 17 = 3 then 'HTTP ' || n end
from generate_series(0, 275) n,
     (values (0, 'customers'), (1, 'outlets'), (2, 'products'), (3, 'sales'), (4, '<gift & "cards">')) e (i, name);
