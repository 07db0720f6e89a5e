//! The same rows give the same verdicts in both databases, and the expected ones.

use crate::rows::{
    Table, built_from_both, hours, judged_as_expected, log_row, minutes, moment, notices, quoted,
    state_row,
};
use crate::sandbox::Sandbox;

#[test]
fn every_boundary_is_the_same_in_both_databases() {
    judged_as_expected(
        "
        synced now                   | green fresh        | completed 0h
        just before late             | green fresh        | completed 2h-1us
        exactly late                 | yellow late        | completed 2h
        exactly overdue              | yellow late        | completed 12h
        just after overdue           | red overdue        | completed 12h+1us
        before the window            | red overdue        | completed 91d+1us
        at the window                | red overdue        | completed 91d
        state just before late       | green fresh        | state success 2h-1us
        state exactly late           | yellow late        | state success 2h
        state just after overdue     | red overdue        | state success 12h+1us
        late by its duration         | yellow late        | completed 2h+1min lasting 59.999999
        fresh by its duration        | yellow late        | completed 2h+1min lasting 60
        just fresh by its duration   | green fresh        | completed 2h+1min lasting 60.000001
        failed just before success   | green fresh        | failed 10min+1us; completed 10min
        failed with success          | green fresh        | failed 10min; completed 10min
        failed just after success    | red failed         | failed 10min-1us; completed 10min
        own timestamp at once        | red failed         | failed 10min; state success 10min
        own timestamp after 60 s     | red failed         | failed 10min; state success 9min
        no own timestamp after 60 s  | green fresh        | failed 10min; state success 9min-1us
        no own timestamp before      | red failed         | failed 10min; state success 10min+1us
        own timestamp, success since | green fresh        | failed 10min; completed 10min-1us; state success 9min
        success five minutes ahead   | green fresh        | completed -5min
        success further ahead        | red never_synced   | completed -5min-1us
        state success further ahead  | red unconfirmed    | state success -5min-1us
        fresh, and one further ahead | yellow clock_skew  | completed 10min; completed -5min-1us
        failure ahead                | red failed         | completed 1us; failed -30h
        running                      | green fresh        | completed 70min; started 1h
        just stuck                   | yellow stuck       | completed 70min; started 1h+1us
        superseded                   | green fresh        | started 80min; completed 70min
        superseded at the moment     | green fresh        | started 70min; completed 70min
        started last at the moment   | yellow stuck       | completed 70min; started 70min
        stuck and late               | yellow late        | completed 3h; started 2h
        stuck and failing            | red failed         | failed 3h; started 2h
        closed by the state          | green fresh        | started 70min; state success 70min-1us
        not closed by the state      | yellow stuck       | started 70min; state success 70min",
    );
}

#[test]
fn every_kind_of_row_is_the_same_in_both_databases() {
    judged_as_expected(
        "
        word in capitals             | green fresh        | ' SUCCEEDED ' 10min
        another failure              | red failed         | Error 10min
        another start                | red never_synced   | In_Progress 10min
        unknown word                 | red never_synced   | 'Skipped ' 10min | The status “Skipped” in the log is not known
        empty word                   | red never_synced   | '' 10min
        unknown state                | red never_synced   | state partial 10min | The status “partial” in sync_state is not known
        pending with a time          | green fresh        | state pending 10min
        running with a time          | green fresh        | state running 10min
        never synced with a time     | red never_synced   | state never_synced 10min
        null state                   | red never_synced   | state null 10min updated 10min
        state all null               | red never_synced   | state null null
        success without time         | red unconfirmed    | state success null updated 10min | sync_state says success, but gives no time
        failed without time          | red never_synced   | state failed null | sync_state says failed, but gives no time
        failed when updated          | red failed         | state failed 3h updated 10min
        run without time             | red never_synced   | completed null lasting 4.5 | 1 row is in the log without a timestamp
        some runs without time       | yellow late        | completed null lasting 4.5; failed null lasting null; completed 3h | 2 rows are in the log without a timestamp
        null duration                | green fresh        | completed 10min lasting null | no notice
        negative duration            | green fresh        | completed 10min lasting -86400 | 1 run has a duration that is negative or no number
        NaN duration                 | green fresh        | completed 10min lasting 'NaN' | 1 run has a duration that is negative or no number
        negative, long ago           | red overdue        | completed 400d lasting -5 | 1 run has a duration that is negative or no number
        huge duration                | red never_synced   | completed 10min lasting 1e30 | which is in the future
        whole duration               | green fresh        | completed 3h lasting 9000
        sales                        | green fresh        | completed 10min",
    );
}

#[test]
fn contradictions_are_the_same_in_both_databases() {
    judged_as_expected(
        "
        failure only in log   | red failed  | completed 3h; failed 1h; state success 3h | the log shows a failed run on Sunday 22 November, 11:05 that sync_state does not know of
        failure only in state | red failed  | completed 3h; state failed 1h | a failure on Sunday 22 November, 11:05 that the log does not show
        success only in log   | green fresh | completed 1h; state never_synced 1h | a completed run on Sunday 22 November, 11:05 that sync_state
        success only in state | green fresh | completed 30h; state success 1h | a success on Sunday 22 November, 11:05 that the log does not show
        state still failed    | green fresh | failed 3h; completed 1h; state failed 3h | sync_state still says failed, as of Sunday 22 November, 09:05
        consistent            | green fresh | completed 1h; state success 1h | no notice
        both at once          | green fresh | failed 10min; completed 10min; state success 9min+30s | is that of a failed run
        running               | green fresh | completed 30min; state running 28min | no notice",
    );
}

#[test]
fn moments_are_read_with_any_offset_and_fraction() {
    let success_at = [
        "2026-11-22T19:22:00Z = 2026-11-22T19:22:00Z",
        "2026-11-22T19:22Z = 2026-11-22T19:22:00Z",
        "2026-11-22 19:22 Z = 2026-11-22T19:22:00Z",
        "2026-11-22T11:22-08 = 2026-11-22T19:22:00Z",
        "2026-11-22 11:22-0800 = 2026-11-22T19:22:00Z",
        "2026-11-22 11:22 -08:00 = 2026-11-22T19:22:00Z",
        "2026-11-23T00:52+05:30 = 2026-11-22T19:22:00Z",
        "2026-11-22 19:22:00+00 = 2026-11-22T19:22:00Z",
        "2026-11-22 11:22:00-08 = 2026-11-22T19:22:00Z",
        "2026-11-22 11:22:00.5-0800 = 2026-11-22T19:22:00.500Z",
        "2026-11-22T11:22:00.123456-08:00 = 2026-11-22T19:22:00.123456Z",
        "2026-11-23T00:52:00.000001+05:30 = 2026-11-22T19:22:00.000001Z",
        "2026-11-22 19:22:00.1234567Z = 2026-11-22T19:22:00.123457Z",
        "2026-11-22 19:21:59.9999999 UTC = 2026-11-22T19:22:00Z",
        "1969-12-31T23:59:59.25Z = 1969-12-31T23:59:59.250Z",
        "0001-01-01T00:00:00Z = 0001-01-01T00:00:00Z",
    ]
    .map(|case| case.split_once(" = ").unwrap());
    let mut rows = String::new();
    for (written, _) in success_at {
        let in_log = format!("log {written}");
        rows += &log_row(&in_log, "'completed'", &quoted(written), "null");
        let in_state = format!("state {written}");
        rows += &state_row(&in_state, "'success'", &quoted(written), "null");
    }
    let sandbox = built_from_both(&rows);
    for (written, expected) in success_at {
        for table in ["log", "state"] {
            let entity = sandbox.entity(&format!("{table} {written}"));
            assert_eq!(entity["last_success_at"], expected, "{table} {written}");
        }
    }
}

#[test]
fn endless_moments_of_postgresql_are_the_first_and_last_of_the_calendar() {
    let table = Table::of(
        "
        log begin          | red overdue      | completed '-infinity'
        log end            | red never_synced | completed 'infinity'
        fails for ever     | red failed       | failed 'infinity'
        runs for ever      | red never_synced | started '-infinity'
        endless            | red never_synced | completed '-infinity' lasting 'Infinity'
        endlessly negative | green fresh      | completed 0h lasting '-Infinity'
        state begin        | red overdue      | state success '-infinity' updated '-infinity'
        state end          | red unconfirmed  | state success 'infinity' updated 'infinity'",
    );
    let sandbox = Sandbox::postgres().sql(&table.sql());
    sandbox.build();
    table.is_judged_in(&sandbox);
    let begin = &sandbox.entity("log begin")["last_success_at"];
    assert_eq!(begin, "0001-01-01T00:00:00Z");
}

#[test]
fn moments_that_only_sqlite_can_hold_are_read_or_said() {
    let table = Table::of(
        "
        number           | green fresh      | completed 1795375320
        fraction         | green fresh      | completed 1795375320.25
        naive            | green fresh      | completed '2026-11-22 19:22:00'
        day              | red overdue      | completed '2026-11-22'
        no number        | green fresh      | completed '2026-11-22 19:22:00' lasting '1:30' | no number
        text of a number | green fresh      | completed '2026-11-22 19:22:00' lasting 'Infinity'
        nonsense         | red never_synced | completed 'yesterday' | without a timestamp
        state nonsense   | red unconfirmed  | state success 'yesterday'
        words            | red unconfirmed  | completed 'now'; state success 'now'
        time alone       | red unconfirmed  | completed '10:00:00'; state success '10:00:00'
        julian           | red unconfirmed  | completed '2461120.5x'; state success '2461120.5x'
        no such day      | red unconfirmed  | completed '2026-11-31T10:00Z'; state success '2026-11-31T10:00Z'",
    );
    let sandbox = Sandbox::sqlite().sql(&table.sql());
    sandbox.build();
    table.is_judged_in(&sandbox);
    for (entity_type, success_at) in [
        ("number", "2026-11-22T19:22:00Z"),
        ("fraction", "2026-11-22T19:22:00.250Z"),
        ("naive", "2026-11-22T19:22:00Z"),
        ("day", "2026-11-22T00:00:00Z"),
        ("no number", "2026-11-22T19:22:00Z"),
        ("text of a number", "2026-11-22T19:22:00Z"),
    ] {
        let entity = sandbox.entity(entity_type);
        assert_eq!(entity["last_success_at"], success_at, "{entity_type}");
        // The run and its evidence end alike.
        let finished_at = &entity["last_run"]["finished_at"];
        assert_eq!(finished_at, success_at, "{entity_type}");
    }
    for entity_type in ["words", "time alone", "julian", "no such day"] {
        let said = notices(&sandbox, entity_type);
        let untimed = said.contains("without a timestamp");
        assert!(untimed, "{entity_type}: {said}");
    }
}

#[test]
fn a_status_with_nul_in_it_is_no_known_word() {
    let sandbox = Sandbox::sqlite().sql(
        "insert into sync_state (entity_type, status, last_sync_time)
         values ('sales', 'ok' || char(0) || 'failed', '2026-11-22T20:00:00Z');
         insert into sync_log (entity_type, action, status, timestamp)
         values ('outlets', 'sync', 'completed' || char(0), '2026-11-22T20:00:00Z')",
    );
    sandbox.build();
    assert_eq!(sandbox.verdict("sales"), "red never_synced");
    assert_eq!(sandbox.verdict("outlets"), "red never_synced");
    assert!(notices(&sandbox, "sales").contains("is not known to syncmon"));
}

#[test]
fn a_duration_with_hundreds_of_digits_is_published_alike() {
    let recent = moment(minutes(10));
    let sandbox = built_from_both(
        &["1e37", "1e39", "5e300", "-1e37", "-1e39", "-5e300"]
            .map(|duration| log_row(duration, "'completed'", &recent, duration))
            .concat(),
    );
    for (entity_type, published) in [
        ("1e37", 1e37),
        ("1e39", 1e38),
        ("5e300", 1e38),
        ("-1e37", -1e37),
        ("-1e39", -1e38),
        ("-5e300", -1e38),
    ] {
        let run = &sandbox.entity(entity_type)["last_run"];
        assert_eq!(run["duration_seconds"], published, "{entity_type}");
    }
}

#[test]
fn entities_of_any_name_are_told_apart_and_have_their_page() {
    let names = "sales | sales|Sales|SALES|O'Hara's|a\"b|<b>bold</b>|a&amp;b|a/b|a\\b|..|.htaccess|index|index.html|\
                 100%|%2e%2e|Größe|日本|a\tb|a\nb|naïve|nai\u{308}ve|| ";
    let names: Vec<&str> = names.split('|').collect();
    let rows = |name| log_row(name, "'completed'", &moment(hours(3)), "0");
    let mut sql: String = names.iter().copied().map(rows).collect();
    sql += &log_row("sales", "'completed'", &moment(minutes(10)), "0");
    let sandbox = built_from_both(&sql);
    assert_eq!(sandbox.verdict("sales"), "green fresh");
    for name in &names {
        assert_eq!(sandbox.verdict(name), "yellow late", "{name:?}");
    }
    let pages = sandbox.site();
    let entity_pages = pages.keys().filter(|path| path.starts_with("entities/"));
    let never_recorded = 5;
    assert_eq!(entity_pages.count(), names.len() + 1 + never_recorded);
    assert!(pages.contains_key("entities/sales.html"));
    assert!(pages.contains_key("entities/index.html"));
}

#[test]
fn empty_tables_mean_that_nothing_was_ever_synced() {
    let status = built_from_both("").status();
    let entities = status["entities"].as_array().unwrap();
    assert_eq!(entities.len(), 6);
    let mut reasons = entities.iter().map(|entity| &entity["reason"]);
    assert!(reasons.all(|reason| reason == "never_synced"));
    assert_eq!(status["source"]["state"], "ok");
    let summary = "All 6 syncs have never synced";
    assert_eq!(status["overall"]["summary"], summary);
}
