-- All six fail, each for another reason, three of them after a success.
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
    ('2026-11-19T10:00:00Z', 'customers', 'incremental_sync', 'completed', 5, 1086, null),
    ('2026-11-21T10:00:00Z', 'products', 'incremental_sync', 'completed', 26, 5005, null),
    ('2026-11-22T06:00:00Z', 'sales', 'incremental_sync', 'completed', 18, 212, null),
    ('2026-11-22T10:00:00Z', 'customers', 'incremental_sync', 'failed', 0.2, 0, '401 Client Error: Unauthorized for url: https://example.org/api/2.0/customers'),
    ('2026-11-22T10:01:00Z', 'outlets', 'incremental_sync', 'failed', 0.2, 0, '404 Client Error: Not Found for url: https://example.org/api/2.0/outlet'),
    ('2026-11-22T10:02:00Z', 'products', 'incremental_sync', 'failed', 0.3, 0, '429 Client Error: Too Many Requests'),
    ('2026-11-22T10:03:00Z', 'sales', 'incremental_sync', 'failed', 30, 0, 'Read timed out. (read timeout=30)'),
    ('2026-11-22T10:04:00Z', 'sale_line_items', 'extract_from_sales', 'failed', 1, 0, 'violates foreign key constraint "sale_line_items_sale_id_fkey"'),
    ('2026-11-22T10:05:00Z', 'inventory', 'incremental_sync', 'failed', 1, 0, 'No space left on device');
