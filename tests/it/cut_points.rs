//! The connection ends after every single byte of the real exchange.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};

use crate::campaign::{Campaign, is_whole};
use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::outage::{FIRST_FAILURE, PATIENT, is_healed, says_that_it_is_away, through, within};
use crate::sandbox::{NOW, Sandbox};

/// A short answer: one entity, one run.
fn world() -> (Sandbox, Gate) {
    let world = within(Sandbox::postgres(), PATIENT).sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5)",
    );
    let gate = Gate::before(Cluster::shared().port);
    let world = through(world, gate.port);
    gate.turn(Manner::Open);
    world.build();
    (world, gate)
}

/// A moment of its own for each build, so that each page tells which build wrote it.
fn moment(number: usize) -> String {
    let first = DateTime::parse_from_rfc3339(FIRST_FAILURE).unwrap();
    let moment = first + TimeDelta::milliseconds(i64::try_from(number).unwrap());
    moment
        .to_utc()
        .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// Where the server's messages end; the first byte answers the question for encryption.
fn boundaries(answer: &[u8]) -> Vec<usize> {
    let mut ends = vec![1];
    while let Some([_, length @ ..]) = answer
        .get(ends[ends.len() - 1]..)
        .and_then(<[u8]>::first_chunk::<5>)
    {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        ends.push(ends[ends.len() - 1] + 1 + length);
    }
    assert_eq!(ends.last(), Some(&answer.len()));
    ends
}

/// Every point, or those that matter most: the ends, the last messages with a byte on either side.
fn points(answer: &[u8]) -> Vec<usize> {
    if is_whole("cuts") {
        return (0..=answer.len()).collect();
    }
    let ends = boundaries(answer);
    let mut points = BTreeSet::from([0, 1, 2, 5, 6, 7, answer.len() - 1, answer.len()]);
    for end in ends.iter().rev().take(6) {
        points.extend([end - 1, *end, end + 1]);
    }
    points.extend([ends[1] - 1, ends[1], ends[1] + 1, answer.len() / 2]);
    points.retain(|&point| point <= answer.len());
    points.into_iter().collect()
}

/// Each `point` short of `enough` leaves the last good data, and whatever reaches it a new page.
fn cut(
    part: &str,
    (world, gate): (&Sandbox, &Gate),
    manner: impl Fn(usize) -> Manner,
    points: &[usize],
    enough: usize,
) {
    let campaign = Campaign::named("cuts", part);
    for step in campaign.among(points.len(), points) {
        let point = points[step.number];
        step.count("points", 1);
        gate.turn(manner(point));
        let now = moment(step.number);
        let ended = world.build_at(&now);
        let what = format!("{:?}: {ended:?}", manner(point));
        if point < enough {
            assert_eq!(ended.code, 75, "{what}");
            let status = says_that_it_is_away(world, &ended);
            assert_eq!(status["generated_at"], now, "{what}");
            assert_eq!(world.verdict("sales"), "green fresh", "{what}");
            assert_eq!(status["overall"]["health"], "yellow", "{what}");
        } else {
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{what}");
            assert_eq!(world.status()["source"]["state"], "ok", "{what}");
        }
    }
    gate.turn(Manner::Open);
    is_healed(world, NOW);
    campaign.ends(&format!(
        "{} points of {enough} bytes",
        campaign.tally("points")
    ));
}

#[test]
fn the_connection_ends_after_any_byte_of_the_answer() {
    let (world, gate) = world();
    let answer = gate.answered();
    let points = points(&answer);
    let (both, enough) = ((&world, &gate), answer.len());
    cut(
        "closed by the server",
        both,
        Manner::CutAfter,
        &points,
        enough,
    );
    cut(
        "reset by the server",
        both,
        Manner::ResetAfter,
        &points,
        enough,
    );
}

#[test]
fn the_connection_ends_after_any_byte_of_the_question() {
    let (world, gate) = world();
    let asked = gate.heard();
    // The farewell of five bytes changes nothing any more.
    let question = asked.len() - 5;
    let step = if is_whole("cuts") { 7 } else { question / 6 };
    let mut points: Vec<usize> = (0..question).step_by(step).collect();
    points.extend([1, 7, 8, 9, question - 1]);
    let both = (&world, &gate);
    cut(
        "closed by the client",
        both,
        Manner::CutAsking,
        &points,
        question,
    );
    cut(
        "reset by the client",
        both,
        Manner::ResetAsking,
        &points,
        question,
    );
}
