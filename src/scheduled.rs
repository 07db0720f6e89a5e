//! The cases of `tests/schedules/cases.toml`, judged from memory. Both databases judge them too.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::config::Config;
use crate::health::{EntityAssessment, Reading, Source, assess};
use crate::model::{DatabaseFacts, Observation, Outcomes, Run, Snapshot, Status, SyncState};

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    config: String,
    now: DateTime<Utc>,
    runs: Vec<String>,
    state: Option<String>,
    reason: String,
    next: Option<DateTime<Utc>>,
}

impl Case {
    fn judged(&self) -> EntityAssessment {
        let config = Config::parse(&self.config, Path::new("syncmon.toml")).unwrap();
        let snapshot = Snapshot {
            as_of: self.now,
            history_since: self.now,
            database: DatabaseFacts::default(),
            entities: vec![self.observation()],
        };
        let reading = Reading {
            snapshot: Some(snapshot),
            source: Source::Read,
        };
        let mut entities = assess(reading, &config.policy, self.now).entities;
        entities.retain(|entity| entity.policy.entity_type == "sales");
        entities.remove(0)
    }

    fn observation(&self) -> Observation {
        let mut observation = Observation::empty("sales");
        for (id, row) in (1..).zip(&self.runs) {
            let run = run(id, row);
            observation.outcomes.push(Outcomes {
                status: run.status.clone(),
                action: run.action.clone(),
                before: None,
                finishes: [run.finished_at().unwrap_or(run.started_at)]
                    .into_iter()
                    .collect(),
                untimed: 0,
                odd_durations: 0,
            });
            observation.runs.insert(0, run);
        }
        observation.state = self.state.as_deref().map(|row| {
            let (status, synced) = row.split_once(' ').unwrap();
            SyncState {
                status: Status::parse(Some(status)),
                last_sync_time: Some(synced.parse().unwrap()),
                updated_at: None,
                error: None,
            }
        });
        observation
    }
}

fn run(id: i64, row: &str) -> Run {
    let mut cells = row.split(' ');
    let status = cells.next().unwrap();
    let (status, action) = status
        .split_once('/')
        .unwrap_or((status, "incremental_sync"));
    Run {
        id,
        started_at: cells.next().unwrap().parse().unwrap(),
        action: action.to_owned(),
        status: Status::parse(Some(status)),
        duration_seconds: cells.next().map(|seconds| seconds.parse().unwrap()),
        records_processed: Some(1086),
        error: None,
    }
}

#[test]
fn every_case_of_schedules_is_judged_as_the_rules_say() {
    let Cases { case } = toml::from_str(include_str!("../tests/schedules/cases.toml")).unwrap();
    assert!(case.len() > 30);
    for case in case {
        let judged = case.judged();
        let reason = serde_json::to_value(judged.reason).unwrap();
        assert_eq!(reason, case.reason, "{}", case.name);
        assert_eq!(judged.next_due, case.next, "{}", case.name);
    }
}
