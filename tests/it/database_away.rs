//! The database is away: the page stays, grows older and says so; programs get exit code 75.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::gate::Manner;
use crate::outage::{FIRST_FAILURE, SECOND_FAILURE, behind_a_gate, is_away};
use crate::sandbox::Sandbox;

/// An outage of a day: nothing that was read stays true for ever.
#[test]
fn verdicts_go_on_ageing_and_recover_with_the_database() {
    let (world, gate) = behind_a_gate();
    world.build();
    gate.turn(Manner::Refusing);
    for (now, verdict, overall) in [
        ("2026-11-22T20:10:00Z", "green fresh", "yellow"),
        ("2026-11-22T20:20:00Z", "green fresh", "yellow"),
        ("2026-11-22T20:20:01Z", "yellow out_of_date", "yellow"),
        ("2026-11-22T21:22:04Z", "yellow out_of_date", "yellow"),
        ("2026-11-22T21:22:05Z", "yellow late", "yellow"),
        ("2026-11-23T07:22:04Z", "yellow late", "yellow"),
        ("2026-11-23T07:22:05Z", "red overdue", "red"),
        ("2026-11-23T20:00:00Z", "red overdue", "red"),
    ] {
        is_away(&world, now);
        assert_eq!(world.verdict("sales"), verdict, "{now}");
        assert_eq!(world.status()["overall"]["health"], overall, "{now}");
        let page = world.page("entities/sales.html");
        let banner = "The database has not been readable since Sunday 22 November, 12:10";
        assert!(page.contains(banner), "{page}");
    }

    gate.turn(Manner::Open);
    world.execute(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         values ('2026-11-23T20:00:00Z', 'sales', 'incremental_sync', 'completed', 1)",
    );
    assert_eq!(world.build_at("2026-11-23T20:10:00Z").code, 0);
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(world.status()["overall"]["health"], "green");

    gate.turn(Manner::Refusing);
    assert_eq!(world.build_at("2026-11-23T20:15:00Z").code, 75);
    assert_eq!(
        world.status()["source"]["since"],
        "2026-11-23T20:15:00Z",
        "a new outage begins anew"
    );
}

#[test]
fn what_was_read_from_another_database_is_never_shown() {
    let (world, gate) = behind_a_gate();
    world.build();
    gate.turn(Manner::Refusing);
    let here = world.url().to_owned();
    let (port, name) = (gate.port.to_string(), world.database());
    let other_port = crate::cluster::free_port().to_string();
    let mut world = world;
    for elsewhere in [
        here.replace(&port, &other_port),
        here.replace(&name, &format!("{name}_2")),
        here.replace("127.0.0.1", "localhost"),
    ] {
        world = world.with_url(&elsewhere);
        assert_eq!(world.build_at(FIRST_FAILURE).code, 75);
        assert_eq!(world.status()["as_of"], Value::Null, "{elsewhere}");
        assert!(!world.page("index.html").contains("<p>Read on "));
    }
    // Another role reads the same database.
    let other_role = here.replace("syncmon_ro:", "postgres:");
    is_away(&world.with_url(&other_role), FIRST_FAILURE);
}

/// State files that a crash, a full disk, another version or an editor left behind.
#[test]
fn damaged_state_counts_as_none_and_is_healed_by_the_next_good_build() {
    let (world, gate) = behind_a_gate();
    world.build();
    let whole = fs::read_to_string(kept(&world, "snapshot")).unwrap();
    let damages = [
        ("empty", Vec::new()),
        ("not UTF-8", vec![0xff; 5000]),
        ("other JSON", b"{\"format\":4}".to_vec()),
        ("deep JSON", vec![b'['; 200_000]),
    ];
    for (what, content) in damages {
        fs::write(kept(&world, "snapshot"), &content).unwrap();
        gate.turn(Manner::Refusing);
        let away = world.build_at(FIRST_FAILURE);
        assert_eq!(away.code, 75, "{what}: {away:?}");
        assert_eq!(world.status()["as_of"], Value::Null, "{what}");

        fs::write(kept(&world, "outage"), &content).unwrap();
        let away = world.build_at(SECOND_FAILURE);
        assert_eq!(away.code, 75, "{what}: {away:?}");
        let since = &world.status()["source"]["since"];
        assert_eq!(since, SECOND_FAILURE, "{what}");

        gate.turn(Manner::Open);
        world.build();
        let healed = fs::read_to_string(kept(&world, "snapshot")).unwrap();
        assert_eq!(healed, whole, "{what}");
        gate.turn(Manner::Refusing);
        is_away(&world, FIRST_FAILURE);
        gate.turn(Manner::Open);
        world.build();
    }
}

/// A state file of this sandbox: there is one of each kind.
fn kept(world: &Sandbox, kind: &str) -> PathBuf {
    let entries = fs::read_dir(world.path("state")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{kind}."))
        })
        .unwrap_or_else(|| panic!("no {kind} is kept"))
}
