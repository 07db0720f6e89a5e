//! Clocks that are set between two builds, by hand or by law.

use std::fs;

use crate::sandbox::Sandbox;

/// One success at a moment, in both databases.
fn synced_at(moment: &str) -> [Sandbox; 2] {
    Sandbox::both().map(|world| {
        world
            .sql(&format!(
                "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
                 values ('{moment}', 'sales', 'incremental_sync', 'completed', 0)"
            ))
            .file("syncmon.toml", "[[entities]]\nentity_type = \"sales\"\n")
    })
}

/// Nobody can read it from now on.
fn away(world: Sandbox) -> Sandbox {
    if world.url().starts_with("sqlite:") {
        fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
        world
    } else {
        world.sql("revoke select on sync_log from syncmon_ro")
    }
}

/// By a build that is told this moment, and shows it as `said`.
fn is_judged(world: &Sandbox, now: &str, verdict: &str, said: &str) {
    assert_eq!(world.build_at(now).code, 0);
    assert_eq!(world.verdict("sales"), verdict, "{now}");
    let page = world.page("index.html");
    assert!(page.contains(&format!("2026, {said}")), "{now}: {page}");
}

#[test]
fn a_clock_that_was_a_day_ahead_is_not_believed_once_it_is_right() {
    for world in synced_at("2026-11-22T20:00:00Z") {
        assert_eq!(world.build_at("2026-11-23T20:05:00Z").code, 0);
        assert_eq!(world.verdict("sales"), "red overdue");
        assert_eq!(world.build_at("2026-11-22T20:05:00Z").code, 0);
        assert_eq!(world.verdict("sales"), "green fresh", "as just read");

        assert_eq!(world.build_at("2026-11-23T20:05:00Z").code, 0);
        let world = away(world);
        assert_eq!(world.build_at("2026-11-22T20:10:00Z").code, 75);
        assert_eq!(world.verdict("sales"), "yellow clock_skew");
        let status = world.status();
        assert_eq!(status["as_of"], "2026-11-23T20:05:00Z");
        assert_eq!(
            status["valid_until"], "2026-11-22T20:25:00Z",
            "the page does not ask to be believed until tomorrow"
        );
        assert_eq!(status["source"]["since"], "2026-11-22T20:10:00Z");
        let page = world.page("index.html");
        assert!(page.contains("by a clock that was ahead"), "{page}");
    }
}

#[test]
fn a_clock_that_is_set_back_a_day_makes_nothing_green() {
    for world in synced_at("2026-11-22T20:00:00Z") {
        assert_eq!(world.build_at("2026-11-22T20:05:00Z").code, 0);
        // Yesterday, the success lies in the future: it is no evidence.
        assert_eq!(world.build_at("2026-11-21T20:05:00Z").code, 0);
        assert_eq!(world.verdict("sales"), "red never_synced");
        assert_eq!(world.build_at("2026-11-22T20:05:00Z").code, 0);
        let world = away(world);
        assert_eq!(world.build_at("2026-11-21T20:05:00Z").code, 75);
        assert_eq!(world.verdict("sales"), "red never_synced");
        assert_eq!(world.build_at("2026-11-22T20:10:00Z").code, 75);
        assert_eq!(world.verdict("sales"), "green fresh", "and back again");
        assert_eq!(
            world.status()["source"]["since"],
            "2026-11-21T20:05:00Z",
            "the outage began when it began, whatever the clock said then"
        );
    }
}

#[test]
fn pages_stay_newer_than_those_before_them_when_the_clock_is_set_back() {
    use std::os::unix::fs::MetadataExt;
    let [_, world] = synced_at("2026-11-22T20:00:00Z");
    let mut last = 0;
    for moment in [
        "2026-11-23T20:05:00Z",
        "2026-11-22T20:05:00Z",
        "2026-11-23T20:10:00Z",
    ] {
        world.build_at(moment);
        let modified = world.path("site/index.html").metadata().unwrap().mtime();
        assert!(modified > last, "a browser would keep the old page");
        last = modified;
    }
}

/// On the night of 1 November 2026 the hour from 01:00 to 02:00 comes twice in Los Angeles.
#[test]
fn an_hour_that_comes_twice_is_an_hour_like_any_other() {
    for world in synced_at("2026-11-01T08:30:00Z") {
        for (now, verdict, since) in [
            ("2026-11-01T08:31:00Z", "green fresh", "01:31 PDT"),
            ("2026-11-01T09:31:00Z", "green fresh", "01:31 PST"),
            ("2026-11-01T10:29:59Z", "green fresh", "02:29 PST"),
            ("2026-11-01T10:30:00Z", "yellow late", "02:30 PST"),
            ("2026-11-01T20:30:01Z", "red overdue", "12:30 PST"),
        ] {
            is_judged(&world, now, verdict, since);
        }
        let summary = world.status()["overall"]["summary"].clone();
        assert_eq!(
            summary, "Sales has not synced since Sunday 1 November, 01:30 PDT",
            "which of the two half past ones it was"
        );
        let world = away(world);
        assert_eq!(world.build_at("2026-11-01T20:50:00Z").code, 75);
        let page = world.page("index.html");
        let until = "If it is later than 12:45 PST on Sunday 1 November, do not rely on this page";
        assert!(page.contains(until), "{page}");
    }
}

/// On the night of 8 March 2026 the hour from 02:00 to 03:00 is left out in Los Angeles.
#[test]
fn an_hour_that_is_left_out_makes_nothing_late() {
    for world in synced_at("2026-03-08T09:30:00Z") {
        for (now, verdict, said) in [
            ("2026-03-08T09:59:59Z", "green fresh", "01:59 PST"),
            ("2026-03-08T10:00:00Z", "green fresh", "03:00 PDT"),
            ("2026-03-08T11:29:59Z", "green fresh", "04:29 PDT"),
            ("2026-03-08T11:30:00Z", "yellow late", "04:30 PDT"),
            ("2026-03-08T21:30:00Z", "yellow late", "14:30 PDT"),
            ("2026-03-08T21:30:01Z", "red overdue", "14:30 PDT"),
        ] {
            is_judged(&world, now, verdict, said);
        }
        // An outage across the change: 15 minutes of validity are 15 minutes.
        let at = |now: &str| world.build_at(now).code;
        assert_eq!(at("2026-03-08T09:50:00Z"), 0);
        let world = away(world);
        for (now, verdict) in [
            ("2026-03-08T10:05:00Z", "green fresh"),
            ("2026-03-08T10:05:01Z", "yellow out_of_date"),
        ] {
            assert_eq!(world.build_at(now).code, 75);
            assert_eq!(world.verdict("sales"), verdict, "{now}");
        }
        let page = world.page("index.html");
        assert!(page.contains("03:05 PDT on Sunday 8 March"), "{page}");
    }
}
