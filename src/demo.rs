//! Ninety days of believable history for a first look, always the same for the same moment.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The demo's database within the state directory.
pub const FILE: &str = "demo.sqlite";

/// How an invented entity behaves.
struct Character {
    entity_type: &'static str,
    /// Records of an ordinary run.
    records: i32,
    /// Seconds of an ordinary run.
    seconds: f64,
    /// How long ago the newest run started, in minutes.
    newest: i64,
    ending: Ending,
}

/// What the newest runs of an entity came to.
enum Ending {
    /// The last run succeeded.
    Well,
    /// The last runs failed with this error.
    Failing { runs: usize, error: &'static str },
    /// The last success is a while ago, and a run is going on.
    Running,
    /// Nothing has come for a while.
    Silent,
}

const CHARACTERS: [Character; 6] = [
    Character {
        entity_type: "customers",
        records: 1086,
        seconds: 4.9,
        newest: 43,
        ending: Ending::Well,
    },
    Character {
        entity_type: "outlets",
        records: 1,
        seconds: 2.0,
        newest: 42,
        ending: Ending::Well,
    },
    Character {
        entity_type: "products",
        records: 5005,
        seconds: 26.0,
        newest: 44,
        ending: Ending::Well,
    },
    Character {
        entity_type: "sales",
        records: 212,
        seconds: 18.0,
        newest: 4,
        ending: Ending::Running,
    },
    Character {
        entity_type: "sale_line_items",
        records: 25_785,
        seconds: 68.0,
        newest: 201,
        ending: Ending::Silent,
    },
    Character {
        entity_type: "inventory",
        records: 10_738,
        seconds: 39.0,
        newest: 65,
        ending: Ending::Failing {
            runs: 3,
            error: "404 Client Error: Not Found for url: https://example.retail.lightspeed.app/api/2.0/inventory (route not found)",
        },
    },
];

const ERRORS: [&str; 4] = [
    "401 Client Error: Unauthorized (token refused)",
    "429 Client Error: Too Many Requests (rate limit)",
    "HTTPSConnectionPool: Read timed out. (read timeout=30)",
    "insert or update on table \"lightspeed_sales\" violates foreign key constraint",
];

/// SQL that fills the two sync tables with what could have happened in the 90 days before `now`:
/// a run an hour for each of six entities, about 1 in 200 failed, 1 in 700 never finished.
pub fn history(now: DateTime<Utc>) -> String {
    let mut sql = String::new();
    for (index, character) in CHARACTERS.iter().enumerate() {
        let mut random = fastrand::Rng::with_seed(20_250_700 + index as u64);
        character.live(now, &mut random, &mut sql);
    }
    sql
}

impl Character {
    fn live(&self, now: DateTime<Utc>, random: &mut fastrand::Rng, sql: &mut String) {
        let newest = now - TimeDelta::minutes(self.newest);
        let mut state: Option<(bool, DateTime<Utc>)> = None;
        for back in (0..90 * 24usize).rev() {
            // While a run is going on, the ones before it are missing: that is why it is late.
            if matches!(self.ending, Ending::Running) && (1..4).contains(&back) {
                continue;
            }
            let hours = TimeDelta::hours(i64::try_from(back).unwrap_or(0));
            let started = newest - hours - TimeDelta::seconds(random.i64(0..40));
            let chance = random.f64();
            let seconds = self.seconds * (0.7 + 0.6 * random.f64());
            let (status, error) = match self.ending {
                Ending::Running if back == 0 => ("started", None),
                Ending::Failing { runs, error } if back < runs => ("failed", Some(error)),
                Ending::Well | Ending::Failing { .. } | Ending::Running | Ending::Silent
                    if back < 6 || chance >= 0.006 =>
                {
                    ("completed", None)
                }
                Ending::Well | Ending::Failing { .. } | Ending::Running | Ending::Silent
                    if chance < 0.0015 =>
                {
                    ("started", None)
                }
                Ending::Well | Ending::Failing { .. } | Ending::Running | Ending::Silent => {
                    ("failed", random.choice(ERRORS))
                }
            };
            let records = (f64::from(self.records) * (0.9 + 0.2 * random.f64())).round();
            match status {
                "completed" => {
                    insert(
                        sql,
                        self.entity_type,
                        started,
                        status,
                        Some((seconds, records)),
                        None,
                    );
                    state = Some((
                        true,
                        started
                            + TimeDelta::from_std(Duration::from_secs_f64(seconds))
                                .unwrap_or_default(),
                    ));
                }
                "failed" => {
                    insert(
                        sql,
                        self.entity_type,
                        started,
                        status,
                        Some((0.2, 0.0)),
                        error,
                    );
                    state = Some((false, started + TimeDelta::milliseconds(200)));
                }
                _ => insert(sql, self.entity_type, started, status, None, None),
            }
        }
        let Some((well, at)) = state else { return };
        let status = if well { "success" } else { "failed" };
        let at = moment(at);
        writeln!(
            sql,
            "insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) \
             values ('{}', '{at}', '{status}', '{at}', '{at}');",
            self.entity_type
        )
        .expect("writing to a string");
    }
}

fn insert(
    sql: &mut String,
    entity_type: &str,
    started: DateTime<Utc>,
    status: &str,
    result: Option<(f64, f64)>,
    error: Option<&str>,
) {
    let started = moment(started);
    let (seconds, records) = result.map_or_else(
        || ("null".to_owned(), "0".to_owned()),
        |(seconds, records)| (format!("{seconds:.3}"), format!("{records:.0}")),
    );
    let error = error.map_or_else(
        || "null".to_owned(),
        |error| format!("'{}'", error.replace('\'', "''")),
    );
    writeln!(
        sql,
        "insert into sync_log (\"timestamp\", entity_type, action, status, duration_seconds, \
         records_processed, error_details) values ('{started}', '{entity_type}', 'incremental_sync', \
         '{status}', {seconds}, {records}, {error});"
    )
    .expect("writing to a string");
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
