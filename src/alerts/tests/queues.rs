//! What waits for a channel, and how long.

use chrono::TimeDelta;

use super::*;
use crate::alerts::{About, Failure, Kind, Message, Outbox};

fn message(key: usize, kind: Kind) -> Message {
    Message {
        key: key.to_string(),
        kind,
        about: About::Syncs,
        at: build(key),
        since: start(),
        until: None,
        site: "Sync status".to_owned(),
        url: None,
        subject: String::new(),
        text: String::new(),
        entities: Vec::new(),
    }
}

fn failure() -> Failure {
    Failure {
        plain: "Nobody answers.".to_owned(),
        technical: "no answer".to_owned(),
        only_this: false,
    }
}

fn channels() -> Vec<String> {
    vec!["one".to_owned(), "two".to_owned()]
}

fn keys(outbox: &Outbox, channel: &str) -> String {
    let waiting = outbox.waiting(channel).iter();
    waiting
        .map(|message| message.key.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn each_channel_has_its_queue() {
    let mut outbox = Outbox::default();
    for key in 1..=3 {
        outbox.add(&message(key, Kind::Worse), &channels());
    }
    outbox.settle("one", &["1".to_owned()], Some(&failure()), build(3));
    outbox.settle(
        "two",
        &["1".to_owned(), "2".to_owned(), "3".to_owned()],
        None,
        build(3),
    );
    assert_eq!(keys(&outbox, "one"), "2 3");
    assert_eq!(keys(&outbox, "two"), "");
    let undelivered = outbox.undelivered();
    assert_eq!(undelivered.len(), 1);
    assert_eq!(
        (&*undelivered[0].channel, undelivered[0].waiting),
        ("one", 2)
    );
}

#[test]
fn trouble_lasts_from_the_first_failure_to_the_next_success() {
    let mut outbox = Outbox::default();
    outbox.add(&message(1, Kind::Problem), &channels()[..1]);
    outbox.settle("one", &[], Some(&failure()), build(1));
    outbox.add(&message(2, Kind::Worse), &channels()[..1]);
    // The first is refused for itself, the second gets through.
    outbox.settle("one", &["2".to_owned()], Some(&failure()), build(2));
    assert_eq!(outbox.undelivered()[0].since, build(1));
    outbox.settle("one", &["1".to_owned()], None, build(3));
    assert_eq!(outbox.undelivered(), []);
    assert!(outbox.is_empty());
}

#[test]
fn a_reminder_takes_the_place_of_an_older_one() {
    let mut outbox = Outbox::default();
    for (key, kind) in [
        (1, Kind::Problem),
        (2, Kind::Reminder),
        (3, Kind::Worse),
        (4, Kind::Reminder),
        (5, Kind::Reminder),
    ] {
        outbox.add(&message(key, kind), &channels());
    }
    assert_eq!(keys(&outbox, "one"), "1 3 5");
}

#[test]
fn of_many_the_newest_fifty_wait() {
    let mut outbox = Outbox::default();
    for key in 0..80 {
        outbox.add(&message(key, Kind::Worse), &channels());
    }
    assert_eq!(outbox.waiting("one").len(), 50);
    assert_eq!(outbox.waiting("one")[0].key, "30");
}

#[test]
fn what_cannot_be_delivered_for_a_week_is_given_up_after_one_more_try() {
    let mut outbox = Outbox::default();
    outbox.add(&message(0, Kind::Worse), &channels());
    outbox.add(&message(1, Kind::Worse), &channels());
    let week = TimeDelta::days(7);
    assert_eq!(
        outbox.settle("one", &[], Some(&failure()), start() + week),
        0
    );
    let later = start() + week + TimeDelta::minutes(1);
    assert_eq!(outbox.settle("one", &[], Some(&failure()), later), 1);
    assert_eq!(keys(&outbox, "one"), "1");
    assert_eq!(keys(&outbox, "two"), "0 1");
}

#[test]
fn a_channel_that_is_not_configured_any_more_is_forgotten() {
    let mut outbox = Outbox::default();
    outbox.add(&message(0, Kind::Worse), &channels());
    outbox.settle("one", &[], Some(&failure()), start());
    outbox.keep_only(&channels()[1..]);
    assert_eq!(outbox.undelivered(), []);
    assert_eq!(keys(&outbox, "two"), "0");
}
