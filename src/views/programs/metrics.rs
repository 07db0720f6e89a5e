//! The metrics of a build, in the text format of Prometheus, for the textfile collector of its node exporter.

use std::fmt::{Display, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{label_of, reason_word};
use crate::health::{Assessment, EntityAssessment, Health, Source};
use crate::views::words;

/// What a build knows of itself.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// From the first look at the configuration until the site was published.
    pub took: Duration,
    pub demo: bool,
}

const HEALTHS: [Health; 3] = [Health::Green, Health::Yellow, Health::Red];

/// The whole file. What is not known has no line: nothing stands for zero but zero.
pub fn metrics(assessment: &Assessment, build: Build) -> String {
    let mut text = Text::default();
    text.about_the_build(assessment, build);
    text.about_entities(assessment);
    text.written
}

#[derive(Default)]
struct Text {
    written: String,
}

impl Text {
    fn about_the_build(&mut self, assessment: &Assessment, build: Build) {
        let readable = match assessment.source {
            Source::Read => 1,
            Source::Unreachable { .. } => 0,
        };
        self.single(
            "syncmon_build_timestamp_seconds",
            "When the site was built.",
            Some(seconds(assessment.generated_at)),
        );
        self.single(
            "syncmon_build_duration_seconds",
            "How long the build took.",
            Some(build.took.as_secs_f64()),
        );
        self.single(
            "syncmon_database_readable",
            "Whether the database could be read (1) or not (0).",
            Some(readable),
        );
        self.single(
            "syncmon_snapshot_timestamp_seconds",
            "When the data was read that the verdicts rest on.",
            assessment.as_of.map(seconds),
        );
        self.single(
            "syncmon_valid_until_timestamp_seconds",
            "Until when the verdicts may be believed.",
            assessment.valid_until.map(seconds),
        );
        self.single(
            "syncmon_demo",
            "Whether all of this is invented (1) or not (0).",
            Some(u8::from(build.demo)),
        );
        self.family(
            "syncmon_health",
            "The verdict on everything: 1 for the health that it has.",
        );
        for health in HEALTHS {
            let holds = u8::from(assessment.health == health);
            self.line("syncmon_health", &[("state", words::health(health))], holds);
        }
    }

    fn about_entities(&mut self, assessment: &Assessment) {
        let entities: Vec<(String, &EntityAssessment)> = assessment
            .entities
            .iter()
            .map(|entity| (label_of(&entity.policy.entity_type), entity))
            .collect();
        let name = "syncmon_entity_health";
        self.family(
            name,
            "The verdict on an entity: 1 for the health that it has.",
        );
        for (label, entity) in &entities {
            for health in HEALTHS {
                let labels = [("entity", label.as_str()), ("state", words::health(health))];
                self.line(name, &labels, u8::from(entity.health() == health));
            }
        }
        let name = "syncmon_entity_reason_info";
        self.family(
            name,
            "Why an entity has its health, and what it is called; always 1.",
        );
        for (label, entity) in &entities {
            let labels = [
                ("entity", label.as_str()),
                ("name", &entity.policy.name),
                ("reason", reason_word(entity.reason)),
            ];
            self.line(name, &labels, 1);
        }
        self.each(
            "syncmon_entity_last_success_timestamp_seconds",
            "The newest moment for which there is evidence that the entity was synced.",
            &entities,
            |entity| entity.evidence.last_success.map(seconds),
        );
        self.each(
            "syncmon_entity_last_run_start_timestamp_seconds",
            "When the newest run of the entity started.",
            &entities,
            |entity| Some(seconds(entity.observation.runs.first()?.started_at)),
        );
        self.each(
            "syncmon_entity_last_run_duration_seconds",
            "How long the newest run of the entity took, as recorded.",
            &entities,
            |entity| entity.observation.runs.first()?.duration_seconds,
        );
        self.each(
            "syncmon_entity_last_run_records",
            "How many records the newest run of the entity processed.",
            &entities,
            |entity| entity.observation.runs.first()?.records_processed,
        );
    }

    fn each<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        entities: &[(String, &EntityAssessment)],
        value: impl Fn(&EntityAssessment) -> Option<V>,
    ) {
        let known = entities
            .iter()
            .filter_map(|(label, entity)| Some((label, value(entity)?)));
        for (place, (label, value)) in known.enumerate() {
            if place == 0 {
                self.family(name, help);
            }
            self.line(name, &[("entity", label)], value);
        }
    }

    fn single(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, help);
            self.line(name, &[], value);
        }
    }

    fn family(&mut self, name: &str, help: &str) {
        writeln!(self.written, "# HELP {name} {help}\n# TYPE {name} gauge")
            .expect("writing to a string");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            some => format!("{{{}}}", some.join(",")),
        };
        writeln!(self.written, "{name}{labels} {value}").expect("writing to a string");
    }
}

/// As the value of a label: within quotation marks, on one line.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Since 1970, to the microsecond.
fn seconds(at: DateTime<Utc>) -> String {
    let micros = at.timestamp_subsec_micros();
    if micros == 0 || at.timestamp() < 0 {
        at.timestamp().to_string()
    } else {
        let written = format!("{}.{micros:06}", at.timestamp());
        written.trim_end_matches('0').to_owned()
    }
}
