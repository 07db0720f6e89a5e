//! What was wrong, from when until when.

use super::*;
use crate::health::{Past, Problem, problems};

fn found(recorded: &Recorded) -> Vec<Problem> {
    let judged = recorded.judged();
    problems(
        &judged.past,
        judged.evidence.state_failure,
        now() - hours(48),
    )
}

fn ago(time: TimeDelta) -> DateTime<Utc> {
    now() - time
}

#[test]
fn a_failure_is_a_problem_until_the_next_success() {
    let recorded = Recorded::nothing()
        .completed(hours(6))
        .failed(hours(5))
        .failed(hours(4))
        .completed(hours(3))
        .completed(hours(1));
    let expected = Problem {
        from: ago(hours(5)),
        until: Some(ago(hours(3))),
        first: Past::Failed,
        late: false,
        overdue: false,
        failed: true,
        failures: vec![ago(hours(5)), ago(hours(4))],
    };
    assert_eq!(found(&recorded), [expected]);
}

#[test]
fn what_lasts_has_no_end_and_comes_first() {
    let recorded = Recorded::nothing()
        .completed(hours(40))
        .completed(hours(20));
    let [lasting, before] = found(&recorded).try_into().unwrap();
    assert_eq!((lasting.from, lasting.until), (ago(hours(18)), None));
    assert!(lasting.late && lasting.overdue && !lasting.failed);
    assert_eq!(before.until, Some(ago(hours(20))));
    assert_eq!(before.first, Past::Late);
}

#[test]
fn what_ended_before_the_time_asked_for_is_left_out() {
    let until_then = Recorded::nothing()
        .failed(hours(50))
        .completed(hours(48))
        .completed(hours(1));
    let problems = found(&until_then);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].from, ago(hours(46)));
    let into_it = Recorded::nothing()
        .failed(hours(50))
        .completed(hours(48) - MICRO);
    assert_eq!(found(&into_it).last().unwrap().from, ago(hours(50)));
}
