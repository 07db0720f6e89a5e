-- The two sync tables for SQLite: same names and meaning as schema.sql has for PostgreSQL.
create table if not exists sync_state (
    entity_type text primary key not null,
    last_sync_time timestamptz,
    status text default 'pending',
    error_message text,
    created_at timestamptz default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at timestamptz default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_version bigint
);

create table if not exists sync_log (
    id integer primary key autoincrement,
    "timestamp" timestamptz default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    entity_type text not null,
    action text not null,
    status text not null,
    duration_seconds numeric,
    records_processed integer default 0,
    error_details text,
    metadata jsonb,
    run_key text,
    last_version bigint
);

create index if not exists sync_log_entity_type_timestamp_idx
    on sync_log (entity_type, "timestamp" desc);
