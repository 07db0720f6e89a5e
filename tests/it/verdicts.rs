//! The same rows give the same verdicts in both databases, and the expected ones.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::Campaign;
use crate::rows::{
    MICRO, ZERO, built_from_both, entity, hours, judged_as_expected, log_row, minutes, moment,
    notices, quoted, state_row,
};
use crate::sandbox::{NOW, Sandbox};

#[test]
fn every_boundary_is_the_same_in_both_databases() {
    let (late, overdue, stuck) = (hours(2), hours(12), hours(1));
    let minute = minutes(1);
    judged_as_expected(&[
        entity("synced now", "green fresh").log("completed", ZERO),
        entity("just before late", "green fresh").log("completed", late - MICRO),
        entity("exactly late", "yellow late").log("completed", late),
        entity("just after late", "yellow late").log("completed", late + MICRO),
        entity("just before overdue", "yellow late").log("completed", overdue - MICRO),
        entity("exactly overdue", "yellow late").log("completed", overdue),
        entity("just after overdue", "red overdue").log("completed", overdue + MICRO),
        entity("before the window", "red overdue").log("completed", hours(24 * 91) + MICRO),
        entity("at the window", "red overdue").log("completed", hours(24 * 91)),
        entity("state just before late", "green fresh").state("success", late - MICRO),
        entity("state exactly late", "yellow late").state("success", late),
        entity("state just after overdue", "red overdue").state("success", overdue + MICRO),
        entity("late by its duration", "yellow late").lasting(
            "completed",
            late + minute,
            "59.999999",
        ),
        entity("fresh by its duration", "yellow late").lasting("completed", late + minute, "60"),
        entity("just fresh by its duration", "green fresh").lasting(
            "completed",
            late + minute,
            "60.000001",
        ),
        entity("failed just before success", "green fresh")
            .log("failed", minutes(10) + MICRO)
            .log("completed", minutes(10)),
        entity("failed with success", "green fresh")
            .log("failed", minutes(10))
            .log("completed", minutes(10)),
        entity("failed just after success", "red failed")
            .log("failed", minutes(10) - MICRO)
            .log("completed", minutes(10)),
        entity("own timestamp at once", "red failed")
            .log("failed", minutes(10))
            .state("success", minutes(10)),
        entity("own timestamp after 60 s", "red failed")
            .log("failed", minutes(10))
            .state("success", minutes(9)),
        entity("no own timestamp after 60 s", "green fresh")
            .log("failed", minutes(10))
            .state("success", minutes(9) - MICRO),
        entity("no own timestamp before", "red failed")
            .log("failed", minutes(10))
            .state("success", minutes(10) + MICRO),
        entity("own timestamp with a success since", "green fresh")
            .log("failed", minutes(10))
            .log("completed", minutes(10) - MICRO)
            .state("success", minutes(9)),
        entity("success five minutes ahead", "green fresh").log("completed", -minutes(5)),
        entity("success further ahead", "red never_synced").log("completed", -minutes(5) - MICRO),
        entity("state success further ahead", "red unconfirmed")
            .state("success", -minutes(5) - MICRO),
        entity("fresh with a success further ahead", "yellow clock_skew")
            .log("completed", minutes(10))
            .log("completed", -minutes(5) - MICRO),
        entity("failure ahead", "red failed")
            .log("completed", MICRO)
            .log("failed", -hours(30)),
        entity("running", "green fresh")
            .log("completed", minutes(70))
            .log("started", stuck),
        entity("just stuck", "yellow stuck")
            .log("completed", minutes(70))
            .log("started", stuck + MICRO),
        entity("superseded", "green fresh")
            .log("started", minutes(80))
            .log("completed", minutes(70)),
        entity("superseded at the same moment", "green fresh")
            .log("started", minutes(70))
            .log("completed", minutes(70)),
        entity("started last at the same moment", "yellow stuck")
            .log("completed", minutes(70))
            .log("started", minutes(70)),
        entity("stuck and late", "yellow late")
            .log("completed", hours(3))
            .log("started", hours(2)),
        entity("stuck and failing", "red failed")
            .log("failed", hours(3))
            .log("started", hours(2)),
        entity("closed by the state", "green fresh")
            .log("started", minutes(70))
            .state("success", minutes(70) - MICRO),
        entity("not closed by the state", "yellow stuck")
            .log("started", minutes(70))
            .state("success", minutes(70)),
    ]);
}

#[test]
fn every_kind_of_row_is_the_same_in_both_databases() {
    let recent = moment(minutes(10));
    let sandbox = judged_as_expected(&[
        entity("word in capitals", "green fresh").log(" SUCCEEDED ", minutes(10)),
        entity("another failure", "red failed").log("Error", minutes(10)),
        entity("another start", "red never_synced").log("In_Progress", minutes(10)),
        entity("unknown word", "red never_synced").log("Skipped ", minutes(10)),
        entity("empty word", "red never_synced").log("", minutes(10)),
        entity("unknown state", "red never_synced").state("partial", minutes(10)),
        entity("pending with a time", "green fresh").state("pending", minutes(10)),
        entity("running with a time", "green fresh").state("running", minutes(10)),
        entity("never synced with a time", "red never_synced").state("never_synced", minutes(10)),
        entity("null state", "red never_synced").state_row("null", &recent, &recent),
        entity("state all null", "red never_synced").state_row("null", "null", "null"),
        entity("success without time", "red unconfirmed").state_row("'success'", "null", &recent),
        entity("failed without time", "red never_synced").state_row("'failed'", "null", "null"),
        entity("failed when updated", "red failed").state_row(
            "'failed'",
            &moment(hours(3)),
            &recent,
        ),
        entity("run without time", "red never_synced").log_row("'completed'", "null", "4.5"),
        entity("run without time beside another", "yellow late")
            .log_row("'completed'", "null", "4.5")
            .log_row("'failed'", "null", "null")
            .log("completed", hours(3)),
        entity("null duration", "green fresh").lasting("completed", minutes(10), "null"),
        entity("negative duration", "green fresh").lasting("completed", minutes(10), "-86400"),
        entity("NaN duration", "green fresh").lasting("completed", minutes(10), "'NaN'"),
        entity("huge duration", "red never_synced").lasting("completed", minutes(10), "1e30"),
        entity("whole duration", "green fresh").lasting("completed", hours(3), "9000"),
        entity("sales", "green fresh").log("completed", minutes(10)),
        entity("customers", "red never_synced"),
    ]);
    for (entity_type, said) in [
        (
            "unknown word",
            "The status “Skipped” in the log is not known",
        ),
        (
            "unknown state",
            "The status “partial” in sync_state is not known",
        ),
        (
            "success without time",
            "sync_state says success, but gives no time",
        ),
        (
            "failed without time",
            "sync_state says failed, but gives no time",
        ),
        (
            "run without time",
            "1 row is in the log without a timestamp",
        ),
        (
            "run without time beside another",
            "2 rows are in the log without a timestamp",
        ),
        (
            "negative duration",
            "1 run has a duration that is negative or no number",
        ),
        (
            "NaN duration",
            "1 run has a duration that is negative or no number",
        ),
        ("huge duration", "which is in the future"),
    ] {
        assert_only_notice(&sandbox, entity_type, said);
    }
    assert_eq!(notices(&sandbox, "null duration"), "");
}

#[test]
fn contradictions_are_the_same_in_both_databases() {
    let sandbox = judged_as_expected(&[
        entity("failure only in log", "red failed")
            .log("completed", hours(3))
            .log("failed", hours(1))
            .state("success", hours(3)),
        entity("failure only in state", "red failed")
            .log("completed", hours(3))
            .state("failed", hours(1)),
        entity("success only in log", "green fresh")
            .log("completed", hours(1))
            .state("never_synced", hours(1)),
        entity("success only in state", "green fresh")
            .log("completed", hours(30))
            .state("success", hours(1)),
        entity("state still failed", "green fresh")
            .log("failed", hours(3))
            .log("completed", hours(1))
            .state("failed", hours(3)),
        entity("consistent", "green fresh")
            .log("completed", hours(1))
            .state("success", hours(1)),
    ]);
    for (entity_type, said) in [
        (
            "failure only in log",
            "the log shows a failed run on Sunday 22 November, 11:05 that sync_state does not know of",
        ),
        (
            "failure only in state",
            "a failure on Sunday 22 November, 11:05 that the log does not show",
        ),
        (
            "success only in log",
            "a completed run on Sunday 22 November, 11:05 that sync_state",
        ),
        (
            "success only in state",
            "a success on Sunday 22 November, 11:05 that the log does not show",
        ),
        (
            "state still failed",
            "sync_state still says failed, as of Sunday 22 November, 09:05",
        ),
    ] {
        assert_only_notice(&sandbox, entity_type, said);
    }
    assert_eq!(notices(&sandbox, "consistent"), "");
}

fn assert_only_notice(sandbox: &Sandbox, entity_type: &str, said: &str) {
    let all = notices(sandbox, entity_type);
    assert!(all.contains(said), "{entity_type}: {all}");
    assert_eq!(all.lines().count(), 1, "{entity_type}: {all}");
}

#[test]
fn moments_are_read_with_any_offset_and_fraction() {
    let success_at = [
        ("2026-11-22T19:22:00Z", "2026-11-22T19:22:00Z"),
        ("2026-11-22T19:22Z", "2026-11-22T19:22:00Z"),
        ("2026-11-22 19:22 Z", "2026-11-22T19:22:00Z"),
        ("2026-11-22T11:22-08", "2026-11-22T19:22:00Z"),
        ("2026-11-22 11:22-0800", "2026-11-22T19:22:00Z"),
        ("2026-11-22 11:22 -08:00", "2026-11-22T19:22:00Z"),
        ("2026-11-23T00:52+05:30", "2026-11-22T19:22:00Z"),
        ("2026-11-22 19:22:00+00", "2026-11-22T19:22:00Z"),
        ("2026-11-22 11:22:00-08", "2026-11-22T19:22:00Z"),
        ("2026-11-22 11:22:00.5-0800", "2026-11-22T19:22:00.500Z"),
        (
            "2026-11-22T11:22:00.123456-08:00",
            "2026-11-22T19:22:00.123456Z",
        ),
        (
            "2026-11-23T00:52:00.000001+05:30",
            "2026-11-22T19:22:00.000001Z",
        ),
        (
            "2026-11-22 19:22:00.1234567Z",
            "2026-11-22T19:22:00.123457Z",
        ),
        ("2026-11-22 19:21:59.9999999 UTC", "2026-11-22T19:22:00Z"),
        ("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ];
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
    let rows = log_row("log begin", "'completed'", "'-infinity'", "0")
        + &log_row("log end", "'completed'", "'infinity'", "0")
        + &log_row("fails for ever", "'failed'", "'infinity'", "0")
        + &log_row("runs for ever", "'started'", "'-infinity'", "0")
        + &log_row("endless", "'completed'", "'-infinity'", "'Infinity'")
        + &log_row(
            "endlessly negative",
            "'completed'",
            &moment(ZERO),
            "'-Infinity'",
        )
        + &state_row("state begin", "'success'", "'-infinity'", "'-infinity'")
        + &state_row("state end", "'success'", "'infinity'", "'infinity'");
    let sandbox = Sandbox::postgres().sql(&rows);
    sandbox.build();
    for (entity_type, verdict) in [
        ("log begin", "red overdue"),
        ("log end", "red never_synced"),
        ("fails for ever", "red failed"),
        ("runs for ever", "red never_synced"),
        ("endless", "red never_synced"),
        ("endlessly negative", "green fresh"),
        ("state begin", "red overdue"),
        ("state end", "red unconfirmed"),
    ] {
        assert_eq!(sandbox.verdict(entity_type), verdict, "{entity_type}");
    }
    assert_eq!(
        sandbox.entity("log begin")["last_success_at"],
        "0001-01-01T00:00:00Z"
    );
}

#[test]
fn moments_that_only_sqlite_can_hold_are_read_or_said() {
    let rows = log_row("number", "'completed'", "1795375320", "0")
        + &log_row("fraction", "'completed'", "1795375320.25", "0")
        + &log_row("naive", "'completed'", "'2026-11-22 19:22:00'", "0")
        + &log_row("day", "'completed'", "'2026-11-22'", "0")
        + &log_row("nonsense", "'completed'", "'yesterday'", "0")
        + &log_row(
            "no number",
            "'completed'",
            "'2026-11-22 19:22:00'",
            "'1:30'",
        )
        + &log_row(
            "text of a number",
            "'completed'",
            "'2026-11-22 19:22:00'",
            "'Infinity'",
        )
        + &state_row("state nonsense", "'success'", "'yesterday'", "null");
    let sandbox = Sandbox::sqlite().sql(&rows);
    sandbox.build();
    for (entity_type, verdict, success_at) in [
        ("number", "green fresh", "2026-11-22T19:22:00Z"),
        ("fraction", "green fresh", "2026-11-22T19:22:00.250Z"),
        ("naive", "green fresh", "2026-11-22T19:22:00Z"),
        ("day", "red overdue", "2026-11-22T00:00:00Z"),
        ("no number", "green fresh", "2026-11-22T19:22:00Z"),
        ("text of a number", "green fresh", "2026-11-22T19:22:00Z"),
    ] {
        assert_eq!(sandbox.verdict(entity_type), verdict, "{entity_type}");
        let entity = sandbox.entity(entity_type);
        assert_eq!(entity["last_success_at"], success_at, "{entity_type}");
        assert_eq!(
            entity["last_run"]["finished_at"], success_at,
            "{entity_type}: the run and its evidence end alike"
        );
    }
    assert_eq!(sandbox.verdict("nonsense"), "red never_synced");
    assert_eq!(sandbox.verdict("state nonsense"), "red unconfirmed");
    assert!(notices(&sandbox, "nonsense").contains("without a timestamp"));
    assert!(notices(&sandbox, "no number").contains("no number"));
}

#[test]
fn what_sqlite_would_take_for_a_moment_is_none() {
    let sandbox = Sandbox::sqlite();
    for (entity_type, moment) in [
        ("words", "now"),
        ("time_alone", "10:00:00"),
        ("julian", "2461120.5x"),
        ("no_such_day", "2026-11-31T10:00:00Z"),
    ] {
        sandbox.execute(&state_row(
            entity_type,
            "'success'",
            &quoted(moment),
            "null",
        ));
        sandbox.execute(&log_row(entity_type, "'completed'", &quoted(moment), "1"));
    }
    let ended = sandbox.build_now();
    assert_eq!(ended.code, 0, "{ended:?}");
    for entity_type in ["words", "time_alone", "julian", "no_such_day"] {
        assert_eq!(
            sandbox.verdict(entity_type),
            "red unconfirmed",
            "{entity_type}"
        );
        let said = notices(&sandbox, entity_type);
        assert!(
            said.contains("without a timestamp"),
            "{entity_type}: {said}"
        );
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
fn an_odd_duration_is_said_however_old_the_run_is() {
    let old = moment(TimeDelta::days(400));
    let sandbox = built_from_both(&log_row("sales", "'completed'", &old, "-5"));
    assert!(notices(&sandbox, "sales").contains("a duration that is negative or no number"));
}

#[test]
fn a_running_or_a_failing_writer_is_not_said_to_contradict_itself() {
    let both_at_once = [
        log_row("outlets", "'failed'", &moment(minutes(10)), "0"),
        log_row("outlets", "'completed'", &moment(minutes(10)), "0"),
        state_row(
            "outlets",
            "'success'",
            &moment(minutes(9) + TimeDelta::seconds(30)),
            "null",
        ),
    ];
    let running = [
        log_row("sales", "'completed'", &moment(minutes(30)), "0"),
        state_row("sales", "'running'", &moment(minutes(28)), "null"),
    ];
    let rows = [both_at_once.concat(), running.concat()].concat();
    let sandbox = built_from_both(&rows);
    for entity_type in ["outlets", "sales"] {
        let said = notices(&sandbox, entity_type);
        assert!(!said.contains("Contradiction"), "{entity_type}: {said}");
    }
}

#[test]
fn entities_of_any_name_are_told_apart_and_have_their_page() {
    let names = [
        "",
        " ",
        "sales ",
        " sales",
        "Sales",
        "SALES",
        "O'Hara's",
        "a\"b",
        "<b>bold</b>",
        "a&amp;b",
        "a/b",
        "a\\b",
        "..",
        ".htaccess",
        "index",
        "index.html",
        "100%",
        "%2e%2e",
        "Größe",
        "日本",
        "a\tb",
        "a\nb",
        "naïve",
        "nai\u{308}ve",
    ];
    let mut entities = vec![entity("sales", "green fresh").log("completed", minutes(10))];
    entities.extend(names.map(|name| entity(name, "yellow late").log("completed", hours(3))));
    let sandbox = judged_as_expected(&entities);
    let pages = sandbox.site();
    let entity_pages = pages.keys().filter(|path| path.starts_with("entities/"));
    let never_recorded = 5;
    assert_eq!(entity_pages.count(), entities.len() + never_recorded);
    assert!(pages.contains_key("entities/sales.html"));
    assert!(pages.contains_key("entities/index.html"));
}

#[test]
fn empty_tables_mean_that_nothing_was_ever_synced() {
    let sandbox = judged_as_expected(&[
        entity("customers", "red never_synced"),
        entity("outlets", "red never_synced"),
        entity("products", "red never_synced"),
        entity("sales", "red never_synced"),
        entity("sale_line_items", "red never_synced"),
        entity("inventory", "red never_synced"),
    ]);
    assert_eq!(sandbox.status()["entities"].as_array().unwrap().len(), 6);
    assert_eq!(sandbox.status()["source"]["state"], "ok");
    assert_eq!(
        sandbox.status()["overall"]["summary"],
        "All 6 syncs have never synced"
    );
}

#[test]
fn hundreds_of_random_entities_are_judged_alike() {
    let campaign = Campaign::named("differential", "entities over both databases");
    for step in campaign.steps(1, 30) {
        let random = fastrand::Rng::with_seed(20_261_122 + step.number as u64);
        for reason in reasons_of_random_entities(random) {
            step.count(&reason, 1);
        }
    }
    let reasons = campaign.tallies();
    assert_eq!(
        reasons
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        "clock_skew failed fresh late never_synced overdue stuck unconfirmed",
        "chance reaches every reason that rows alone can give"
    );
    campaign.ends(&format!("{} entities", reasons.values().sum::<usize>()));
}

/// Judges 400 random entities in both databases, expects the same, and returns the reasons.
fn reasons_of_random_entities(mut random: fastrand::Rng) -> Vec<String> {
    let mut rows = String::new();
    for index in 0..400 {
        let name = format!("random {index}");
        for _ in 0..random.usize(0..6) {
            let status = quoted(random.choice(WORDS).unwrap());
            let (timestamp, duration) = (some_moment(&mut random), some_duration(&mut random));
            rows += &log_row(&name, &status, &timestamp, &duration);
        }
        if random.bool() {
            let status = random
                .choice(WORDS)
                .filter(|_| random.u8(..) > 20)
                .map_or("null".to_owned(), |word| quoted(word));
            let (synced, updated) = (some_moment(&mut random), some_moment(&mut random));
            rows += &state_row(&name, &status, &synced, &updated);
        }
    }
    let sandbox = built_from_both(&rows);
    let status = sandbox.status();
    let entities = status["entities"].as_array().unwrap().iter();
    entities
        .map(|entity| entity["reason"].as_str().unwrap().to_owned())
        .collect()
}

const WORDS: &[&str] = &[
    "completed",
    "success",
    "completed",
    "success",
    "OK ",
    "failed",
    "error",
    "started",
    "started",
    "running",
    "pending",
    "never_synced",
    "skipped",
];

/// NULL now and then, mostly recent, often on a whole minute, in some notation.
fn some_moment(random: &mut fastrand::Rng) -> String {
    let span = *random
        .choice(&[minutes(60), minutes(130), hours(13), hours(3000)])
        .unwrap();
    let mut ago = TimeDelta::microseconds(random.i64(0..span.num_microseconds().unwrap()));
    match random.u8(0..12) {
        0 => return "null".to_owned(),
        1 => ago = -ago,
        2 => ago = minutes(5) * random.i32(-1..150) + MICRO * random.i32(-1..=1),
        _ => {}
    }
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let at = now - ago;
    let offset = chrono::FixedOffset::east_opt(900 * random.i32(-48..=48)).unwrap();
    let mut text = String::new();
    let notation = *random
        .choice(&[
            "%Y-%m-%dT%H:%M:%S%.6fZ",
            "%Y-%m-%d %H:%M:%S%.3f+00",
            "%Y-%m-%d %H:%M:%SZ",
        ])
        .unwrap();
    if random.bool() {
        write!(
            text,
            "{}",
            at.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%.6f%:z")
        )
        .unwrap();
    } else {
        write!(text, "{}", at.format(notation)).unwrap();
    }
    quoted(&text)
}

/// NULL, odd, huge, or up to half an hour.
fn some_duration(random: &mut fastrand::Rng) -> String {
    match random.u8(0..16) {
        0 => "null".to_owned(),
        1 => "'NaN'".to_owned(),
        2 => "-4.5".to_owned(),
        3 => "1e12".to_owned(),
        4..8 => "0".to_owned(),
        _ => format!("{}.{:06}", random.u32(0..1800), random.u32(0..1_000_000)),
    }
}
