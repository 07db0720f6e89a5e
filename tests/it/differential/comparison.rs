//! The program's `status.json` next to what the judge says of the same world.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::notation::rfc3339;
use super::world::World;

/// How the program says what the judge knows by a name.
const SENTENCES: [(&str, &str); 10] = [
    ("hidden", "Row security hides the table"),
    ("database_clock", "The database's clock is"),
    ("future_success", "A success is recorded for"),
    ("future_failure", "A failure is recorded for"),
    ("stuck", "has not ended; it is probably dead"),
    ("not_closed", "was never closed in the log"),
    ("contradiction", "Contradiction: "),
    ("odd_duration", "a duration that is negative or no number"),
    ("untimed", "in the log without a timestamp"),
    ("unknown_word", "is not known to syncmon"),
];

/// The year 3000, in microseconds since 1970: of an endless duration only the direction matters.
const ENDLESS: f64 = 32_503_680_000e6;

/// How much was compared, and what differs.
#[derive(Default)]
pub struct Comparison {
    pub compared: usize,
    /// Of an entity, or of all of them together, what the two say.
    pub differences: Vec<(Option<String>, String)>,
    entity_type: Option<String>,
}

impl Comparison {
    pub fn of(world: &World, status: &Value, verdict: &Value) -> Comparison {
        let mut comparison = Comparison::default();
        let at = json!(rfc3339(world.now));
        let generated_at = micros(&status["generated_at"]);
        comparison.compare("generated_at", &generated_at, &micros(&at));
        comparison.compare("overall", &status["overall"]["health"], &verdict["overall"]);
        let programs = status["entities"].as_array().unwrap().iter();
        let programs: BTreeMap<&str, &Value> = programs
            .map(|entity| (entity["entity_type"].as_str().unwrap(), entity))
            .collect();
        let judges = verdict["entities"].as_object().unwrap();
        let names: Vec<&str> = programs.keys().copied().collect();
        let others: Vec<&String> = judges.keys().collect();
        comparison.compare("entities", &json!(names), &json!(others));
        for (name, entity) in programs {
            if let Some(judge) = judges.get(name) {
                comparison.entity_type = Some(name.to_owned());
                comparison.compare_entity(entity, judge);
            }
        }
        comparison
    }

    fn compare_entity(&mut self, entity: &Value, judge: &Value) {
        for key in ["health", "reason", "running"] {
            self.compare(key, &entity[key], &judge[key]);
        }
        for (key, moment) in [
            ("last_success_at", "last_success"),
            ("turns_yellow_at", "turns_yellow_at"),
            ("turns_red_at", "turns_red_at"),
            ("next_expected_at", "next_expected_at"),
        ] {
            self.compare(key, &micros(&entity[key]), &judge[moment]);
        }
        #[expect(clippy::cast_precision_loss, reason = "exact for ages up to 285 years")]
        let age = judge["age"].as_i64().map(|micros| micros as f64 / 1e6);
        self.compare("age_seconds", &entity["age_seconds"], &json!(age));
        self.compare_last_run(&entity["last_run"], &judge["last_run"]);
        self.compare_notices(&entity["notices"], &judge["says"]);
    }

    fn compare_last_run(&mut self, run: &Value, judge: &Value) {
        self.compare("last_run", &run.is_null().into(), &judge.is_null().into());
        let word = match judge["meaning"].as_str() {
            Some("success") => "completed",
            Some("failure") => "failed",
            Some("running") => "started",
            Some(own @ ("pending" | "never_synced")) => own,
            Some("unknown") => judge["word"].as_str().unwrap().trim(),
            None => return,
            Some(other) => panic!("what does the judge mean by {other}?"),
        };
        self.compare("last_run.status", &run["status"], &word.into());
        let started = micros(&run["started_at"]);
        self.compare("last_run.started_at", &started, &judge["started"]);
        let (finished, expected) = (micros(&run["finished_at"]), &judge["finished"]);
        let endless = |moment: &Value| moment.as_f64().is_some_and(|micros| micros > ENDLESS);
        if !(endless(expected) && endless(&finished)) {
            self.compare("last_run.finished_at", &finished, expected);
        }
    }

    fn compare_notices(&mut self, notices: &Value, says: &Value) {
        let notices = notices.as_array().unwrap().iter();
        let notices: Vec<&str> = notices.map(|notice| notice.as_str().unwrap()).collect();
        assert_eq!(says.as_object().unwrap().len(), SENTENCES.len());
        for (name, sentence) in SENTENCES {
            // The rules leave it open.
            if says[name].is_null() {
                continue;
            }
            let said = notices.iter().any(|notice| notice.contains(sentence));
            self.compare(&format!("says {name}"), &said.into(), &says[name]);
        }
    }

    fn compare(&mut self, what: &str, program: &Value, judge: &Value) {
        self.compared += 1;
        if program != judge {
            let said = format!("{what}: the program says {program}, the judge {judge}");
            self.differences.push((self.entity_type.clone(), said));
        }
    }
}

/// An RFC 3339 moment in microseconds since 1970.
fn micros(moment: &Value) -> Value {
    let Some(text) = moment.as_str() else {
        return Value::Null;
    };
    let at = DateTime::parse_from_rfc3339(text).unwrap();
    assert_eq!(at.timestamp_subsec_nanos() % 1000, 0, "{text}");
    at.timestamp_micros().into()
}
