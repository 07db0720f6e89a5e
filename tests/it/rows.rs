//! Rows in SQL that both databases understand, and the one site that they must give.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::sandbox::{NOW, Sandbox};

pub const MICRO: TimeDelta = TimeDelta::microseconds(1);
pub const ZERO: TimeDelta = TimeDelta::zero();

pub fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

/// An entity as its writers left it, and what is to be concluded from that.
pub struct Entity {
    pub name: &'static str,
    pub verdict: &'static str,
    pub rows: String,
}

/// An entity of which nothing is recorded yet.
pub fn entity(name: &'static str, verdict: &'static str) -> Entity {
    Entity {
        name,
        verdict,
        rows: String::new(),
    }
}

impl Entity {
    /// A run that took no time.
    pub fn log(self, status: &str, ago: TimeDelta) -> Entity {
        self.lasting(status, ago, "0")
    }

    /// A run with its duration in SQL.
    pub fn lasting(self, status: &str, ago: TimeDelta, duration: &str) -> Entity {
        self.log_row(&quoted(status), &moment(ago), duration)
    }

    pub fn log_row(mut self, status: &str, timestamp: &str, duration: &str) -> Entity {
        self.rows
            .push_str(&log_row(self.name, status, timestamp, duration));
        self
    }

    pub fn state(self, status: &str, synced_ago: TimeDelta) -> Entity {
        self.state_row(&quoted(status), &moment(synced_ago), "null")
    }

    pub fn state_row(mut self, status: &str, synced: &str, updated: &str) -> Entity {
        self.rows
            .push_str(&state_row(self.name, status, synced, updated));
        self
    }
}

/// One row of `sync_log`; every value but the entity's name is SQL.
pub fn log_row(entity_type: &str, status: &str, timestamp: &str, duration: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ({timestamp}, {}, 'incremental_sync', {status}, {duration}, 1086);\n",
        quoted(entity_type)
    )
}

/// One row of `sync_state`; every value but the entity's name is SQL.
pub fn state_row(entity_type: &str, status: &str, synced: &str, updated: &str) -> String {
    format!(
        "insert into sync_state (entity_type, status, last_sync_time, updated_at)
         values ({}, {status}, {synced}, {updated});\n",
        quoted(entity_type)
    )
}

/// An SQL literal.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The moment that lies this long before [`NOW`], in SQL and to the microsecond.
pub fn moment(ago: TimeDelta) -> String {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    quoted(&(now - ago).to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Builds from the same rows in both databases, expects the same site from both, and returns one.
pub fn built_from_both(rows: &str) -> Sandbox {
    let [postgres, sqlite] = Sandbox::both().map(|sandbox| sandbox.sql(rows));
    postgres.build();
    sqlite.build();
    let (ours, theirs) = (postgres.status(), sqlite.status());
    let pairs = ours["entities"].as_array().unwrap().iter();
    for (ours, theirs) in pairs.zip(theirs["entities"].as_array().unwrap()) {
        assert_eq!(ours, theirs, "PostgreSQL is left, SQLite right");
    }
    assert_eq!(ours, theirs);
    assert!(postgres.site() == sqlite.site(), "the pages differ");
    postgres
}

/// All entities in one world: both databases agree on them, and on what was expected.
pub fn judged_as_expected(entities: &[Entity]) -> Sandbox {
    let rows: String = entities.iter().map(|entity| entity.rows.as_str()).collect();
    let sandbox = built_from_both(&rows);
    let wrong: Vec<_> = entities
        .iter()
        .map(|entity| (entity.name, entity.verdict, sandbox.verdict(entity.name)))
        .filter(|(_, expected, verdict)| expected != verdict)
        .collect();
    assert!(wrong.is_empty(), "(entity, expected, verdict): {wrong:#?}");
    sandbox
}

/// All that is said of an entity besides its verdict.
pub fn notices(sandbox: &Sandbox, entity_type: &str) -> String {
    let notices = sandbox.entity(entity_type)["notices"].clone();
    let notices = notices.as_array().unwrap().iter();
    notices
        .map(|notice| notice.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}
