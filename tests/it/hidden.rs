//! What row security keeps from the reading role, and a clock that is not the builder's.

use crate::cluster::Cluster;
use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox, execute};

/// One success of an hour ago in both tables.
const SYNCED: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
    values ('2026-11-22T19:05:00Z', 'sales', 'incremental_sync', 'completed', 0);
    insert into sync_state (entity_type, status, last_sync_time, updated_at)
    values ('sales', 'success', '2026-11-22T19:05:00Z', '2026-11-22T19:05:00Z');";

/// A database in which row security hides these tables from `syncmon_ro`.
fn hiding(tables: &[&str]) -> Sandbox {
    let sandbox = Sandbox::postgres().sql(SYNCED);
    for table in tables {
        sandbox.execute(&format!("drop policy syncmon_ro_select on {table}"));
    }
    sandbox
}

fn built(sandbox: Sandbox) -> Sandbox {
    sandbox.build();
    sandbox
}

/// A build that sees only part of the record has not read the database.
fn built_blind(sandbox: Sandbox) -> Sandbox {
    let ended = sandbox.build_at(NOW);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("Row security hides the table"));
    sandbox
}

/// What is said of hidden tables, from one entity.
fn notices(sandbox: &Sandbox) -> Vec<String> {
    let entity = sandbox.entity("sales");
    let notices = entity["notices"].as_array().unwrap().iter();
    notices
        .map(|notice| notice.as_str().unwrap().to_owned())
        .filter(|notice| notice.starts_with("Row security hides"))
        .collect()
}

/// The statement that a notice tells the reader to run.
fn remedy(notice: &str) -> String {
    notice.split_once(" run: ").unwrap().1.to_owned()
}

/// A role of its own that may read both tables, as far as row security lets it.
fn reader(sandbox: &Sandbox, role: &str) -> String {
    let database = sandbox.url().rsplit('/').next().unwrap();
    sandbox.execute(&format!(
        "create role {role} login noinherit;
         grant usage on schema public to {role};
         grant select on sync_log, sync_state to {role};"
    ));
    let login = role.trim_matches('"').replace(' ', "%20");
    Cluster::shared().url(&login, database)
}

#[test]
fn a_hidden_log_is_not_an_empty_one() {
    let sandbox = built_blind(hiding(&["sync_log"]));
    assert_eq!(sandbox.verdict("sales"), "yellow hidden");
    assert_eq!(
        notices(&sandbox),
        [
            "Row security hides the table sync_log from the role syncmon_ro. To grant it, run: create policy \
          syncmon_reads on public.sync_log for select to syncmon_ro using (true);"
        ]
    );
    assert!(
        sandbox
            .page("index.html")
            .contains("Row security hides the table sync_log")
    );
}

#[test]
fn a_hidden_state_is_not_an_empty_one() {
    let sandbox = built_blind(hiding(&["sync_state"]));
    assert_eq!(sandbox.verdict("sales"), "yellow hidden");
    assert_eq!(notices(&sandbox).len(), 1);
    assert!(notices(&sandbox)[0].contains("the table sync_state from"));
}

#[test]
fn with_both_hidden_nothing_is_known_and_both_are_named() {
    let sandbox = built_blind(hiding(&["sync_log", "sync_state"]));
    assert_eq!(sandbox.verdict("sales"), "red never_synced");
    assert_eq!(notices(&sandbox).len(), 2);
    assert_eq!(
        sandbox.status()["overall"]["summary"],
        "The database cannot be read. All 6 syncs are not readable"
    );
    let page = sandbox.page("index.html");
    assert!(page.contains("part of the record is hidden"));
    for claim in ["<b>never</b>", "no success on record", "no run in the log"] {
        assert!(!page.contains(claim), "{claim}: nobody knows");
    }
}

#[test]
fn what_the_notices_say_to_run_makes_the_tables_readable() {
    let sandbox = built_blind(hiding(&["sync_log", "sync_state"]));
    for notice in notices(&sandbox) {
        sandbox.execute(&remedy(&notice));
    }
    let sandbox = built(sandbox);
    assert_eq!(sandbox.verdict("sales"), "green fresh");
    assert!(notices(&sandbox).is_empty());
}

#[test]
fn a_remedy_fits_a_role_of_any_name() {
    let sandbox = hiding(&[]);
    let url = reader(&sandbox, "\"Read Only\"");
    let admin = sandbox.url().replace("syncmon_ro@", "postgres@");
    let sandbox = built_blind(sandbox.with_url(&url));
    for notice in notices(&sandbox) {
        execute(&admin, &remedy(&notice));
    }
    assert_eq!(built(sandbox).verdict("sales"), "green fresh");
}

#[test]
fn a_policy_for_everybody_is_enough() {
    let sandbox = hiding(&["sync_log"])
        .sql("create policy everybody on sync_log for select to public using (true)");
    assert_eq!(built(sandbox).verdict("sales"), "green fresh");
}

#[test]
fn a_policy_for_all_commands_is_enough() {
    let sandbox = hiding(&["sync_log"])
        .sql("create policy anything on sync_log for all to syncmon_ro using (true)");
    assert_eq!(built(sandbox).verdict("sales"), "green fresh");
}

#[test]
fn a_policy_that_lets_nothing_be_read_is_not_enough() {
    for policy in [
        "create policy writers on sync_log for insert to syncmon_ro with check (true)",
        "create policy others on sync_log for select to postgres using (true)",
        "create policy fewer on sync_log as restrictive for select to syncmon_ro using (true)",
    ] {
        let sandbox = built_blind(hiding(&["sync_log"]).sql(policy));
        assert_eq!(sandbox.verdict("sales"), "yellow hidden", "{policy}");
    }
}

#[test]
fn a_policy_reaches_members_of_its_role_who_inherit_from_it() {
    let sandbox = hiding(&["sync_log", "sync_state"]);
    let url = reader(&sandbox, "syncmon_test_member");
    sandbox.execute(
        "create role syncmon_test_readers;
         grant syncmon_test_readers to syncmon_test_member;
         create policy readers on sync_log for select to syncmon_test_readers using (true);
         create policy readers on sync_state for select to syncmon_test_readers using (true);",
    );
    let admin = sandbox.url().replace("syncmon_ro@", "postgres@");
    let sandbox = built_blind(sandbox.with_url(&url));
    assert_eq!(sandbox.verdict("sales"), "red never_synced");
    assert_eq!(notices(&sandbox).len(), 2);
    execute(
        &admin,
        "alter role syncmon_test_member inherit;
         revoke syncmon_test_readers from syncmon_test_member;
         grant syncmon_test_readers to syncmon_test_member;",
    );
    assert_eq!(built(sandbox).verdict("sales"), "green fresh");
}

/// The whole story: good data, then a role that sees less, then the grant.
#[test]
fn a_role_that_goes_blind_is_an_outage_of_what_it_cannot_see() {
    for (tables, title) in [
        (["sync_log"].as_slice(), "row security hides the log"),
        (&["sync_state"], "row security hides the state"),
        (
            &["sync_log", "sync_state"],
            "row security hides both tables",
        ),
    ] {
        let sandbox = built(hiding(&[]));
        let known = sandbox.entity("sales");
        for table in tables {
            sandbox.execute(&format!("drop policy syncmon_ro_select on {table}"));
        }
        for (later, verdict) in [
            ("2026-11-22T20:10:00Z", "yellow hidden"),
            ("2026-11-22T20:30:00Z", "yellow hidden"),
            ("2026-11-22T21:05:00Z", "yellow late"),
            ("2026-11-23T07:05:01Z", "red overdue"),
        ] {
            let ended = sandbox.build_at(later);
            assert_eq!(ended.code, 75, "{title}: {ended:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert_eq!(sandbox.verdict("sales"), verdict, "{title} at {later}");
            let status = sandbox.status();
            assert_eq!(status["source"]["state"], "unreachable");
            assert_eq!(status["source"]["since"], "2026-11-22T20:10:00Z");
            assert_eq!(status["as_of"], NOW);
            assert_eq!(status["valid_until"], "2026-11-22T20:20:00Z");
            let entity = sandbox.entity("sales");
            for unchanged in ["last_success_at", "last_run"] {
                assert_eq!(entity[unchanged], known[unchanged], "{title}");
            }
            let page = sandbox.page("index.html");
            assert!(page.contains("hides part of the sync records"), "{page}");
            assert!(page.contains("<p>Read on Sunday 22 November 2026, 12:05 PST."));
            let told = ended.stderr.replace(&sandbox.database(), "DATABASE");
            let told = told.replace(&Cluster::shared().port.to_string(), "PORT");
            let plain = status["source"]["message"].as_str().unwrap();
            golden::section(
                "messages.txt",
                title,
                &format!("{}\n{plain}", told.trim_end()),
            );
        }
        assert_eq!(notices(&sandbox).len(), tables.len());
        for notice in notices(&sandbox) {
            sandbox.execute(&remedy(&notice));
        }
        let healed = built(sandbox);
        assert_eq!(healed.verdict("sales"), "green fresh", "{title}");
        assert_eq!(healed.status()["source"]["state"], "ok");
    }
}

#[test]
fn a_failure_in_the_table_that_can_be_seen_is_red_at_once() {
    let sandbox = built(hiding(&[]));
    sandbox.execute(
        "drop policy syncmon_ro_select on sync_state;
         insert into sync_log (timestamp, entity_type, action, status)
         values ('2026-11-22T20:06:00Z', 'sales', 'incremental_sync', 'failed')",
    );
    assert_eq!(sandbox.build_at("2026-11-22T20:10:00Z").code, 75);
    assert_eq!(sandbox.verdict("sales"), "red failed");

    let sandbox = built(hiding(&[]));
    sandbox.execute(
        "drop policy syncmon_ro_select on sync_log;
         update sync_state set status = 'failed', last_sync_time = '2026-11-22T20:06:00Z'",
    );
    assert_eq!(sandbox.build_at("2026-11-22T20:10:00Z").code, 75);
    assert_eq!(sandbox.verdict("sales"), "red failed");
}

#[test]
fn row_security_hides_nothing_from_the_owner() {
    let sandbox = hiding(&["sync_log", "sync_state"]);
    let admin = sandbox.url().replace("syncmon_ro@", "postgres@");
    assert_eq!(
        built(sandbox.with_url(&admin)).verdict("sales"),
        "green fresh"
    );
}

/// Builds with the builder's clock shifted, from a database that was synced ten minutes ago.
fn built_with_clock_shifted_by(seconds: &str) -> (Sandbox, Ended) {
    let sandbox = Sandbox::postgres()
        .sql(
            "insert into sync_log (timestamp, entity_type, action, status)
             values (now() - interval '10 minutes', 'sales', 'incremental_sync', 'completed')",
        )
        .env("LD_PRELOAD", &faketime())
        .env("FAKETIME", seconds)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let ended = sandbox.build_now();
    (sandbox, ended)
}

/// Debian's library that shifts a program's clock.
pub fn faketime() -> String {
    let found = walkdir::WalkDir::new("/usr/lib")
        .max_depth(3)
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| entry.path().ends_with("faketime/libfaketime.so.1"));
    let library = found.expect("libfaketime is not installed; ./tests/run installs it");
    library.path().display().to_string()
}

#[test]
fn nothing_is_green_while_the_clocks_of_database_and_builder_differ() {
    for (shift, said) in [
        (
            "+390",
            "The database's clock is 6 minutes behind this machine's",
        ),
        (
            "-390",
            "The database's clock is 6 minutes ahead of this machine's",
        ),
    ] {
        let (sandbox, ended) = built_with_clock_shifted_by(shift);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(sandbox.verdict("sales"), "yellow clock_skew", "{shift}");
        assert!(
            sandbox
                .page("entities/sales.html")
                .contains(said.split('\'').next().unwrap())
        );
        let notices = sandbox.entity("sales")["notices"].to_string();
        assert!(notices.contains(said), "{shift}: {notices}");
    }
    let (sandbox, _) = built_with_clock_shifted_by("+240");
    assert_eq!(sandbox.verdict("sales"), "green fresh");
}
