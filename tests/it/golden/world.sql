-- A world with something of everything, seen on 2026-11-22 at 20:05 UTC (12:05 in Los Angeles).

-- Customers: as it should be.
insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    (1, '2026-09-01T10:00:00Z', 'customers', 'historical_import', 'completed', 310, 48211, null),
    (2, '2026-11-20T18:22:00Z', 'customers', 'incremental_sync', 'completed', 5.1, 1085, null),
    (3, '2026-11-22T18:22:00Z', 'customers', 'incremental_sync', 'failed', 0.2, 0, '429 Client Error: Too Many Requests'),
    (4, '2026-11-22T19:21:55.1Z', 'customers', 'incremental_sync', 'completed', 4.9, 1086, null);
insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) values
    ('customers', '2026-11-22T19:22:01Z', 'success', '2026-09-01T10:00:00Z', '2026-11-22T19:22:01Z');

-- Outlets: only the state is written.
insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) values
    ('outlets', '2026-11-22T19:22:30Z', 'success', '2026-09-01T10:00:00Z', '2026-11-22T19:22:30Z');

-- Products: stuck, though fresh; a duration that is no number, a row without a time.
insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    (10, '2026-11-22T18:30:00Z', 'products', 'incremental_sync', 'completed', 'NaN', 5005, null),
    (11, null, 'products', 'incremental_sync', 'completed', 26, 5005, null),
    (12, '2026-11-22T18:45:00Z', 'products', 'incremental_sync', 'started', null, 0, null);

-- Sales: late, with a run going on and one that was superseded.
insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    (20, '2026-11-22T16:52:40Z', 'sales', 'incremental_sync', 'completed', 18.5, 212, null),
    (21, '2026-11-22T18:00:00Z', 'sales', 'incremental_sync', 'started', null, 0, null),
    (22, '2026-11-22T20:01:00Z', 'sales', 'incremental_sync', 'started', null, 0, null);

-- Sale line items: the log failed, and the state does not know.
insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    (30, '2026-11-21T10:00:00Z', 'sale_line_items', 'extract_from_sales', 'completed', 68, 25785, null),
    (31, '2026-11-22T10:00:00Z', 'sale_line_items', 'extract_from_sales', 'failed', 3, 0,
     'could not connect: postgres://etl:hunter2@db.example.org/app refused <b>password=hunter2</b>');
insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) values
    ('sale_line_items', '2026-11-22T10:00:05Z', 'success', '2026-09-01T10:00:00Z', '2026-11-22T10:00:05Z');

-- Inventory: says success, but not when.
insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) values
    ('inventory', null, 'success', '2026-09-01T10:00:00Z', '2026-09-01T10:00:00Z');

-- Nobody configured this one, and its name wants escaping.
insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    (40, '2026-11-22T20:00:00Z', '<gift & "cards">', 'incremental_sync', 'ok', -5, 3, null),
    (41, '2026-11-22T20:02:00Z', '<gift & "cards">', 'incremental_sync', 'paused', null, 0, null);
