//! What `sync_record` is in PostgreSQL, for SQLite: the same rules, in one transaction (`docs/recording.md`).

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use crate::model::Status;
use crate::report::{End, Report};

/// Tells of a run.
pub async fn record(connection: &mut SqliteConnection, report: &Report) -> sqlx::Result<()> {
    let mut transaction = connection.begin_with("begin immediate").await?;
    sqlx::query(BEGIN)
        .bind(iso(report.started_at))
        .bind(&report.entity_type)
        .bind(&report.action)
        .bind(report.key.to_string())
        .execute(&mut *transaction)
        .await?;
    let run = sqlx::query(RUN)
        .bind(report.key.to_string())
        .fetch_one(&mut *transaction)
        .await?;
    if let Some(end) = &report.end {
        finish(&mut transaction, report, end, &run).await?;
    }
    transaction.commit().await
}

const BEGIN: &str = "
    insert into sync_log (\"timestamp\", entity_type, action, status, records_processed, run_key)
    values (?, ?, ?, 'started', null, ?)
    on conflict do nothing";

const RUN: &str = "
    select id, \"timestamp\", status, records_processed, error_details, last_version
    from sync_log where run_key = ?";

const FINISH: &str = "
    update sync_log
    set status = ?2, duration_seconds = ?3, records_processed = coalesce(?4, records_processed),
        error_details = coalesce(?5, error_details), last_version = coalesce(?6, last_version),
        metadata = coalesce(?7, metadata)
    where id = ?1";

/// Whether a newer run of the entity has ended.
const SUPERSEDED: &str = "
    select count(*) from sync_log
    where entity_type = ?1 and id <> ?2
        and (unixepoch(\"timestamp\", 'subsec'), id) > (unixepoch(?3, 'subsec'), ?2)
        and lower(trim(status)) in ('success', 'succeeded', 'completed', 'complete', 'ok', 'failed', 'failure', 'error')";

/// A state that is newer stays; but one from the future was written by a clock that is wrong.
const STATE: &str = "
    insert into sync_state (entity_type, status, last_sync_time, last_version, error_message, created_at, updated_at)
    values (?1, case when ?2 then 'success' else 'failed' end, case when ?2 then ?3 end, case when ?2 then ?4 end,
        case when not ?2 then ?5 end, ?3, ?3)
    on conflict (entity_type) do update
    set status = excluded.status,
        last_sync_time = coalesce(excluded.last_sync_time, last_sync_time),
        last_version = coalesce(excluded.last_version, last_version),
        error_message = excluded.error_message,
        updated_at = excluded.updated_at
    where max(coalesce(unixepoch(last_sync_time, 'subsec'), 0), coalesce(unixepoch(updated_at, 'subsec'), 0))
            not between unixepoch(?3, 'subsec') + 0.001 and unixepoch('now', 'subsec')";

async fn finish(
    transaction: &mut SqliteConnection,
    report: &Report,
    end: &End,
    run: &SqliteRow,
) -> sqlx::Result<()> {
    let status: String = run.try_get("status")?;
    match Status::parse(Some(&status)) {
        ended @ (Status::Completed | Status::Failed) => {
            let records: Option<i64> = run.try_get("records_processed")?;
            let error: Option<String> = run.try_get("error_details")?;
            let version: Option<i64> = run.try_get("last_version")?;
            let told = end.result.records_processed.map(i64::from);
            let same = (ended == Status::Completed) == end.succeeded
                && agrees(records.as_ref(), told.as_ref())
                && agrees(error.as_ref(), end.error.as_ref())
                && agrees(version.as_ref(), end.result.last_version.as_ref());
            let otherwise = || "the run has ended before, with another result".into();
            return if same {
                Ok(())
            } else {
                Err(sqlx::Error::Encode(otherwise()))
            };
        }
        Status::Started
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded
        | Status::Other(_) => {}
    }
    let id: i64 = run.try_get("id")?;
    let started: String = run.try_get("timestamp")?;
    sqlx::query(FINISH)
        .bind(id)
        .bind(report.status())
        .bind(end.duration)
        .bind(end.result.records_processed)
        .bind(&end.error)
        .bind(end.result.last_version)
        .bind(end.result.metadata.as_ref().map(ToString::to_string))
        .execute(&mut *transaction)
        .await?;
    let newer: i64 = sqlx::query_scalar(SUPERSEDED)
        .bind(&report.entity_type)
        .bind(id)
        .bind(&started)
        .fetch_one(&mut *transaction)
        .await?;
    if newer > 0 {
        return Ok(());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "durations of runs, in microseconds"
    )]
    let lasted = TimeDelta::microseconds((end.duration.unwrap_or(0.0) * 1e6) as i64);
    sqlx::query(STATE)
        .bind(&report.entity_type)
        .bind(end.succeeded)
        .bind(iso(report.started_at + lasted))
        .bind(end.result.last_version)
        .bind(&end.error)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// What is not told again is not contradicted.
fn agrees<T: PartialEq>(recorded: Option<&T>, told: Option<&T>) -> bool {
    told.is_none() || recorded == told
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
