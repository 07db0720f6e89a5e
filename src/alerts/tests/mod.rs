//! What is told when: worlds in a line each, and what people hear of them.

mod deciding;
mod queues;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Memory, Occasion, Rules, Seen, decide};
use crate::health::Health;

fn start() -> DateTime<Utc> {
    "2026-11-22T20:00:00Z".parse().unwrap()
}

/// The moment of a build: they are five minutes apart.
fn build(number: usize) -> DateTime<Utc> {
    start() + TimeDelta::minutes(5) * i32::try_from(number).unwrap()
}

fn rules(after: usize) -> Rules {
    Rules {
        after,
        remind: TimeDelta::minutes(30),
    }
}

/// What a build saw of entities "a", "b", "c" …, a letter each: "gry", or "-" if the database was away; "." is an
/// entity that is not there.
fn seen(letters: &str) -> Seen {
    if letters == "-" {
        return Seen::Away;
    }
    let health = |letter| match letter {
        'g' => Some(Health::Green),
        'y' => Some(Health::Yellow),
        'r' => Some(Health::Red),
        '.' => None,
        other => panic!("{other} is no health"),
    };
    let names = "abcdefgh".chars().map(String::from);
    Seen::Read(
        names
            .zip(letters.chars())
            .filter_map(|(name, letter)| Some((name, health(letter)?)))
            .collect(),
    )
}

/// "3 problem ab since 2": build, kind, what is affected, and the build in which it began.
fn told(occasion: &Occasion) -> String {
    let number = |at: DateTime<Utc>| (at - start()).num_minutes() / 5;
    let kind = format!("{:?}", occasion.kind).to_lowercase();
    let about = match occasion.about {
        super::About::Database => "database".to_owned(),
        super::About::Syncs => occasion.affected.concat(),
    };
    let until = occasion
        .until
        .map(|at| format!(" until {}", number(at)))
        .unwrap_or_default();
    format!(
        "{} {kind} {about} since {}{until}",
        number(occasion.at),
        number(occasion.since)
    )
    .replace("  ", " ")
}

/// Everything that builds tell which see this, one after the other.
fn heard(memory: Memory, builds: &str, rules: Rules) -> Vec<String> {
    let mut memory = memory;
    let mut heard = Vec::new();
    for (number, letters) in builds.split_whitespace().enumerate() {
        let (after, occasions) = decide(memory, &seen(letters), rules, build(number));
        memory = after;
        heard.extend(occasions.iter().map(told));
    }
    heard
}
