//! What row security keeps from the reading role, and a clock that is not the builder's.

use crate::cluster::Cluster;
use crate::golden;
use crate::outage::{only_line, told};
use crate::sandbox::{Ended, NOW, Sandbox, execute};
use crate::tools::failed;

/// One success of an hour ago in both tables.
const SYNCED: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
    values ('2026-11-22T19:05:00Z', 'sales', 'incremental_sync', 'completed', 0);
    insert into sync_state (entity_type, status, last_sync_time, updated_at)
    values ('sales', 'success', '2026-11-22T19:05:00Z', '2026-11-22T19:05:00Z');";

/// A database in which row security hides these tables from `syncmon_ro`.
fn hiding(tables: &[&str]) -> Sandbox {
    let sandbox = Sandbox::postgres().sql(SYNCED);
    hide(&sandbox, tables);
    sandbox
}

fn hide(sandbox: &Sandbox, tables: &[&str]) {
    for table in tables {
        sandbox.execute(&format!("drop policy syncmon_ro_select on {table}"));
    }
}

/// A build that sees only part of the record has not read the database.
fn built_blind(sandbox: &Sandbox, now: &str) -> Ended {
    let ended = sandbox.build_at(now);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(only_line(&ended).contains("Row security hides the table"));
    ended
}

/// What is said of hidden tables, from one entity.
fn notices(sandbox: &Sandbox) -> Vec<String> {
    let notices = crate::rows::notices(sandbox, "sales");
    let hidden = notices
        .lines()
        .filter(|said| said.starts_with("Row security hides"));
    hidden.map(str::to_owned).collect()
}

/// Does what the notices say: then everything can be read.
fn is_healed_by_what_the_notices_say(sandbox: &Sandbox) {
    for notice in notices(sandbox) {
        let (_, remedy) = notice.split_once(" run: ").unwrap();
        execute(sandbox.owner_url(), remedy);
    }
    sandbox.build();
    assert_eq!(sandbox.verdict("sales"), "green fresh");
    assert!(notices(sandbox).is_empty());
    assert_eq!(sandbox.status()["source"]["state"], "ok");
}

/// A role of its own that may read both tables, as far as row security lets it.
fn reader(sandbox: Sandbox, role: &str) -> Sandbox {
    sandbox.execute(&format!(
        "create role \"{role}\" login noinherit;
         grant usage on schema public to \"{role}\";
         grant select on sync_log, sync_state to \"{role}\";"
    ));
    let url = Cluster::shared().url(&role.replace(' ', "%20"), &sandbox.database());
    sandbox.with_url(&url)
}

#[test]
fn with_both_hidden_nothing_is_known_and_both_are_named() {
    let sandbox = hiding(&["sync_log", "sync_state"]);
    built_blind(&sandbox, NOW);
    assert_eq!(sandbox.verdict("sales"), "red never_synced");
    assert_eq!(notices(&sandbox).len(), 2);
    let summary = "The database cannot be read. All 6 syncs are not readable";
    assert_eq!(sandbox.status()["overall"]["summary"], summary);
    let page = sandbox.page("index.html");
    assert!(page.contains("part of the record is hidden"));
    for claim in ["<b>never</b>", "no success on record", "no run in the log"] {
        assert!(!page.contains(claim), "{claim}: nobody knows");
    }
    is_healed_by_what_the_notices_say(&sandbox);
}

#[test]
fn a_remedy_fits_a_role_of_any_name() {
    let sandbox = hiding(&[]);
    let name = format!("Read Only {}", sandbox.database());
    let sandbox = reader(sandbox, &name);
    built_blind(&sandbox, NOW);
    is_healed_by_what_the_notices_say(&sandbox);
}

#[test]
fn a_policy_is_enough_where_it_lets_the_role_read_everything() {
    let sandbox = hiding(&["sync_log"]);
    for policy in [
        "for insert to syncmon_ro with check (true)",
        "for select to postgres using (true)",
        "as restrictive for select to syncmon_ro using (true)",
    ] {
        sandbox.execute(&format!("create policy tried on sync_log {policy}"));
        built_blind(&sandbox, NOW);
        sandbox.execute("drop policy tried on sync_log");
    }
    for policy in [
        "for select to public using (true)",
        "for all to syncmon_ro using (true)",
    ] {
        sandbox.execute(&format!("create policy tried on sync_log {policy}"));
        sandbox.build();
        assert_eq!(sandbox.verdict("sales"), "green fresh", "{policy}");
        sandbox.execute("drop policy tried on sync_log");
    }
    let name = sandbox.database();
    let owner = sandbox.with_url(&Cluster::shared().url("postgres", &name));
    // The owner sees everything.
    owner.build();
    assert_eq!(owner.verdict("sales"), "green fresh");
}

#[test]
fn a_policy_reaches_members_of_its_role_who_inherit_from_it() {
    let sandbox = hiding(&["sync_log", "sync_state"]);
    let member = format!("member_of_{}", sandbox.database());
    let sandbox = reader(sandbox, &member).sql(&format!(
        "create role readers_{member};
         grant readers_{member} to {member};
         create policy readers on sync_log for select to readers_{member} using (true);
         create policy readers on sync_state for select to readers_{member} using (true);"
    ));
    built_blind(&sandbox, NOW);
    assert_eq!(sandbox.verdict("sales"), "red never_synced");
    assert_eq!(notices(&sandbox).len(), 2);
    sandbox.execute(&format!(
        "alter role {member} inherit;
         revoke readers_{member} from {member};
         grant readers_{member} to {member};"
    ));
    sandbox.build();
    assert_eq!(sandbox.verdict("sales"), "green fresh");
}

/// The whole story: good data, then a role that sees less, then the grant.
#[test]
fn a_role_that_goes_blind_is_an_outage_of_what_it_cannot_see() {
    let sandbox = hiding(&[]);
    for (tables, what) in [
        (&["sync_log"][..], "the log"),
        (&["sync_state"], "the state"),
        (&["sync_log", "sync_state"], "both tables"),
    ] {
        let title = &format!("row security hides {what}");
        println!("{title}");
        sandbox.build();
        let known = sandbox.entity("sales");
        hide(&sandbox, tables);
        for (later, verdict) in [
            ("2026-11-22T20:10:00Z", "yellow hidden"),
            ("2026-11-22T20:30:00Z", "yellow hidden"),
            ("2026-11-22T21:05:00Z", "yellow late"),
            ("2026-11-23T07:05:01Z", "red overdue"),
        ] {
            let ended = built_blind(&sandbox, later);
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
            golden::section("messages.txt", title, &told(&sandbox, &ended));
        }
        assert_eq!(notices(&sandbox).len(), tables.len());
        is_healed_by_what_the_notices_say(&sandbox);
        for table in tables {
            sandbox.execute(&format!(
                "alter policy syncmon_reads on {table} rename to syncmon_ro_select"
            ));
        }
    }
}

#[test]
fn a_failure_in_the_table_that_can_be_seen_is_red_at_once() {
    let logged = failed("sales", "2026-11-22T20:06:00Z");
    let kept = "update sync_state set status = 'failed', last_sync_time = '2026-11-22T20:06:00Z'";
    for (hidden, failure) in [("sync_state", &*logged), ("sync_log", kept)] {
        let sandbox = hiding(&[]);
        sandbox.build();
        hide(&sandbox, &[hidden]);
        sandbox.execute(failure);
        built_blind(&sandbox, "2026-11-22T20:10:00Z");
        assert_eq!(sandbox.verdict("sales"), "red failed");
    }
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

/// The builder's clock is shifted; the database was synced ten minutes ago.
#[test]
fn nothing_is_green_while_the_clocks_of_database_and_builder_differ() {
    let mut world = Sandbox::postgres()
        .sql(
            "insert into sync_log (timestamp, entity_type, action, status)
             values (now() - interval '10 minutes', 'sales', 'incremental_sync', 'completed')",
        )
        .env("LD_PRELOAD", &faketime())
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    for (shift, said) in [("+390", "6 minutes behind"), ("-390", "6 minutes ahead of")] {
        world = world.env("FAKETIME", shift);
        let ended = world.build_now();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(world.verdict("sales"), "yellow clock_skew", "{shift}");
        assert!(world.page("entities/sales.html").contains(said));
        let notices = crate::rows::notices(&world, "sales");
        let said = format!("The database's clock is {said} this machine's");
        assert!(notices.contains(&said), "{shift}: {notices}");
    }
    let world = world.env("FAKETIME", "+240");
    world.build_now();
    assert_eq!(world.verdict("sales"), "green fresh");
}
