//! Ninety days of believable history for a first look, always the same for the same moment.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The demo's database within the state directory.
pub const FILE: &str = "demo.sqlite";

/// Held while that database is written and read.
pub const LOCK: &str = "demo.lock";

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
    Failing { runs: i64, error: &'static str },
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

/// How many runs one statement inserts. SQLite is handed all that follows with each statement of a text, so that a
/// text of thousands takes time by the square.
const RUNS_A_STATEMENT: usize = 500;

/// Statements that fill the two sync tables with what could have happened in the 90 days before `now`:
/// a run an hour for each of six entities, about 1 in 200 failed, 1 in 700 never finished.
pub fn history(now: DateTime<Utc>) -> impl Iterator<Item = String> {
    (20_250_700..).zip(&CHARACTERS).flat_map(move |(seed, character)| {
        let (runs, state) = character.live(now, &mut fastrand::Rng::with_seed(seed));
        let inserts = runs.chunks(RUNS_A_STATEMENT).map(|runs| {
            format!(
                "insert into sync_log (\"timestamp\", entity_type, action, status, duration_seconds, \
                 records_processed, error_details) values {}",
                runs.join(", ")
            )
        });
        inserts.chain(state).collect::<Vec<_>>()
    })
}

/// What one invented run came to.
enum Attempt {
    Completed,
    Failed(&'static str),
    Unfinished,
}

impl Character {
    /// Its runs as rows, and the statement for its state.
    fn live(
        &self,
        now: DateTime<Utc>,
        random: &mut fastrand::Rng,
    ) -> (Vec<String>, Option<String>) {
        let mut runs = Vec::new();
        let newest = now - TimeDelta::minutes(self.newest);
        let mut state = None;
        for back in (0..90 * 24i64).rev() {
            // While a run is going on, the ones before it are missing: that is why it is late.
            if matches!(self.ending, Ending::Running) && (1..4).contains(&back) {
                continue;
            }
            let started = newest - TimeDelta::hours(back) - TimeDelta::seconds(random.i64(0..40));
            let seconds = self.seconds * (0.7 + 0.6 * random.f64());
            let records = (f64::from(self.records) * (0.9 + 0.2 * random.f64())).round();
            let (status, result) = match self.attempt(back, random) {
                Attempt::Completed => {
                    let lasted = Duration::from_secs_f64(seconds);
                    state = Some(("success", started + lasted));
                    ("completed", format!("{seconds:.3}, {records:.0}, null"))
                }
                Attempt::Failed(error) => {
                    state = Some(("failed", started + Duration::from_millis(200)));
                    let error = error.replace('\'', "''");
                    ("failed", format!("0.2, 0, '{error}'"))
                }
                Attempt::Unfinished => ("started", "null, 0, null".to_owned()),
            };
            let (entity_type, started) = (self.entity_type, moment(started));
            runs.push(format!(
                "('{started}', '{entity_type}', 'incremental_sync', '{status}', {result})"
            ));
        }
        let state = state.map(|(status, at)| {
            let (entity_type, at) = (self.entity_type, moment(at));
            format!(
                "insert into sync_state (entity_type, last_sync_time, status, created_at, updated_at) \
                 values ('{entity_type}', '{at}', '{status}', '{at}', '{at}')"
            )
        });
        (runs, state)
    }

    /// How the run of `back` hours ago went.
    fn attempt(&self, back: i64, random: &mut fastrand::Rng) -> Attempt {
        let chance = random.f64();
        let error = random.choice(ERRORS).unwrap_or_default();
        match self.ending {
            Ending::Running if back == 0 => Attempt::Unfinished,
            Ending::Failing { runs, error } if back < runs => Attempt::Failed(error),
            Ending::Well | Ending::Failing { .. } | Ending::Running | Ending::Silent => {
                match chance {
                    _ if back < 6 => Attempt::Completed,
                    ..0.0015 => Attempt::Unfinished,
                    ..0.006 => Attempt::Failed(error),
                    _ => Attempt::Completed,
                }
            }
        }
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
