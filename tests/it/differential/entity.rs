//! What the writers left behind of one entity: mostly on the boundaries of the rules.

use std::fmt::Write;

use serde_json::{Value, json};

use super::notation::{seconds, some_notation};
use super::world::{DAY, HOUR, MINUTE, SECOND, Thresholds, around, pick};
use crate::rows::quoted;

/// The rows of one entity.
pub struct Record {
    pub entity_type: String,
    state: Option<State>,
    runs: Vec<Run>,
}

struct State {
    status: Option<&'static str>,
    last_sync_time: Option<String>,
    updated_at: Option<String>,
}

struct Run {
    id: i64,
    timestamp: Option<String>,
    status: &'static str,
    duration: Option<String>,
}

/// The statement tells microseconds apart, to the last one, from 1834 to 2106.
const A_LIFE: i64 = 27_000 * DAY;

/// The plain words come often, the others now and then.
const SUCCESS: &str = "completed|success|completed|success|SUCCEEDED|Complete| ok\t|\n completed \r\n|\u{a0}Success\u{a0}";
const FAILURE: &str = "failed|failed|Failure| ERROR ";
const RUNNING: &str = "started|started|Running|in_progress| IN_PROGRESS";
const NEITHER: &str = "pending|never_synced|Pending |NEVER_SYNCED";
const UNKNOWN: &str =
    "|  |skipped|success!|not ok|in progress|never synced|\u{17f}uccess|fail|null";

impl Record {
    /// Judged at `now`, by these thresholds. `id` is the last one given away.
    pub fn random(
        random: &mut fastrand::Rng,
        entity_type: &str,
        now: i64,
        limits: Thresholds,
        id: &mut i64,
    ) -> Record {
        let mut moments = Moments {
            now,
            limits,
            used: Vec::new(),
            recent: random.bool(),
            crowded: random.u8(0..4) == 0,
        };
        let mood = random.u8(0..5);
        let mut runs: Vec<Run> = (0..pick(random, &[0, 1, 1, 2, 3, 4, 6]))
            .map(|_| some_run(random, &mut moments, mood, id))
            .collect();
        let state = (random.u8(0..4) > 0).then(|| some_state(random, &mut moments, mood));
        random.shuffle(&mut runs);
        Record {
            entity_type: entity_type.to_owned(),
            state,
            runs,
        }
    }

    pub fn sql(&self, infinity: &str) -> String {
        let text = |value: Option<&str>| value.map_or("null".to_owned(), quoted);
        let name = quoted(&self.entity_type);
        let mut sql = String::new();
        if let Some(state) = &self.state {
            let (synced, updated) = (&state.last_sync_time, &state.updated_at);
            writeln!(
                sql,
                "insert into sync_state (entity_type, status, last_sync_time, updated_at) values ({name}, {}, {}, {});",
                text(state.status),
                text(synced.as_deref()),
                text(updated.as_deref())
            )
            .unwrap();
        }
        for run in &self.runs {
            let duration = match run.duration.as_deref() {
                None => "null".to_owned(),
                Some("NaN") => "'NaN'".to_owned(),
                Some("Infinity") => infinity.to_owned(),
                Some("-Infinity") => format!("-{infinity}"),
                Some(number) => number.to_owned(),
            };
            writeln!(
                sql,
                "insert into sync_log (id, entity_type, action, status, \"timestamp\", duration_seconds) \
                 values ({}, {name}, 'incremental_sync', {}, {}, {duration});",
                run.id,
                quoted(run.status),
                text(run.timestamp.as_deref())
            )
            .unwrap();
        }
        sql
    }

    /// The rows of `sync_state` and of `sync_log`, in the words of the columns.
    pub fn recorded(&self) -> (Option<Value>, Vec<Value>) {
        let state = self.state.as_ref().map(|state| {
            json!({
                "entity_type": self.entity_type, "status": state.status,
                "last_sync_time": state.last_sync_time, "updated_at": state.updated_at,
            })
        });
        let run = |run: &Run| {
            json!({
                "id": run.id, "entity_type": self.entity_type, "status": run.status,
                "timestamp": run.timestamp, "duration_seconds": run.duration,
            })
        };
        (state, self.runs.iter().map(run).collect())
    }
}

/// Where to find moments that matter.
struct Moments {
    now: i64,
    limits: Thresholds,
    /// Those that the entity's rows speak of already.
    used: Vec<i64>,
    /// Nothing long ago and little in the future, so that something may be up to date.
    recent: bool,
    /// Everything happens within minutes, much of it at once.
    crowded: bool,
}

impl Moments {
    fn some(&mut self, random: &mut fastrand::Rng) -> i64 {
        let limits = self.limits;
        let (late, overdue, stuck) = (limits.late, limits.overdue, limits.stuck);
        let choice = random.u8(0..8);
        let moment = match (choice, self.used.len()) {
            (_, 1..) if choice < 3 || self.crowded => {
                let other = pick(random, &self.used);
                let distance = pick(random, &[0, 0, 0, MINUTE, -MINUTE, 30 * SECOND]);
                let beside = around(random, other + distance);
                pick(random, &[other + distance, beside])
            }
            (3 | 4, _) if self.recent => {
                let ago = pick(random, &[0, late, stuck, MINUTE]);
                around(random, self.now - ago)
            }
            (3 | 4, _) => {
                let window = 91 * DAY;
                let boundaries = [0, late, overdue, stuck, -5 * MINUTE, window];
                let ago = pick(random, &boundaries);
                around(random, self.now - ago)
            }
            (_, _) if self.recent => self.now - random.i64(0..late.min(2 * HOUR)),
            _ => {
                let spans = [HOUR, 3 * HOUR, 13 * HOUR, 100 * DAY, A_LIFE];
                let span = pick(random, &spans);
                let ago = random.i64(0..span);
                self.now - if random.u8(0..8) == 0 { -ago } else { ago }
            }
        };
        self.used.push(moment);
        moment
    }

    /// On a whole minute now and then, or none at all.
    fn written(&mut self, random: &mut fastrand::Rng, moment: i64) -> Option<String> {
        let moment = match random.u8(0..24) {
            0 => return None,
            1 => moment / MINUTE * MINUTE,
            2 => moment / SECOND * SECOND,
            _ => moment,
        };
        self.used.push(moment);
        Some(some_notation(random, moment))
    }
}

const ANY: [&str; 7] = [
    SUCCESS, SUCCESS, FAILURE, RUNNING, RUNNING, NEITHER, UNKNOWN,
];

/// Most entities are in one mood for all of their rows: mostly well, mostly failing, or anything.
fn some_word(random: &mut fastrand::Rng, mood: u8) -> &'static str {
    let words = match (mood, random.u8(0..10)) {
        (0 | 1, 0..7) | (3, 4..8) => SUCCESS,
        (2, 0..5) => RUNNING,
        (3, 0..4) => FAILURE,
        _ => pick(random, &ANY),
    };
    let words: Vec<&str> = words.split('|').collect();
    pick(random, &words)
}

fn some_run(random: &mut fastrand::Rng, moments: &mut Moments, mood: u8, id: &mut i64) -> Run {
    *id += 1 + random.i64(0..3);
    let status = some_word(random, mood);
    let (duration, counted) = some_duration(random);
    // Either end of a run may be the one that matters.
    let end = moments.some(random);
    let start = if RUNNING.split('|').any(|word| word == status) || random.u8(0..4) == 0 {
        end
    } else {
        end - counted
    };
    Run {
        id: *id,
        timestamp: moments.written(random, start),
        status,
        duration,
    }
}

fn some_state(random: &mut fastrand::Rng, moments: &mut Moments, mood: u8) -> State {
    let status = (random.u8(0..20) > 0).then(|| some_word(random, mood));
    let (synced, updated) = (moments.some(random), moments.some(random));
    State {
        status,
        last_sync_time: moments.written(random, synced),
        updated_at: moments.written(random, updated),
    }
}

/// As written, and the microseconds for which it counts as far as that matters.
fn some_duration(random: &mut fastrand::Rng) -> (Option<String>, i64) {
    let odd = "NaN -4.5 -0.000001 -1e20 -Infinity Infinity 1e300 100000000001 1e-9 0.0000004";
    let odd: Vec<&str> = odd.split(' ').collect();
    match random.u8(0..16) {
        0 => (None, 0),
        1 => (Some(pick(random, &odd).to_owned()), 0),
        2..7 => (Some("0".to_owned()), 0),
        7 => {
            let micros = random.i64(0..400 * DAY);
            let nearly = random.u8(0..5);
            (Some(format!("{}{nearly}", seconds(micros))), micros)
        }
        8 => (Some("6e1".to_owned()), MINUTE),
        9 => (Some("60.000001".to_owned()), MINUTE + 1),
        _ => {
            let micros = random.i64(0..HOUR);
            (Some(seconds(micros)), micros)
        }
    }
}
