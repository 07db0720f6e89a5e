//! `badge.svg` and `badge.json`.

use serde_json::{Value, json};

use crate::sandbox::{NOW, Sandbox};
use crate::tools::{all_well, failed, read_by, synced};

/// What a drawing shows, without its measures.
const DRAWN: &str = include_str!("badge.py");

fn drawn(world: &Sandbox) -> Value {
    read_by("/usr/bin/python3", &["-c", DRAWN], &world.page("badge.svg"))
}

#[test]
fn a_badge_says_its_verdict_by_shape_and_colour_and_word_with_its_moment() {
    let late = all_well().replacen("19:22", "17:22", 1);
    let failing = ["sales", "outlets"].map(|entity| failed(entity, "2026-11-22T20:00:00Z"));
    let failing = all_well() + &failing.concat();
    for (sql, verdict, colour, shape) in [
        (all_well(), "all up to date", "1a7f4b", "circle"),
        (late, "1 of 6 needs attention", "8a6100", "path M10.6"),
        (failing, "2 of 6 need attention", "b3261e", "path M7.4 1"),
    ] {
        let titled = Sandbox::sqlite().file("syncmon.toml", "title = \"<Craft> & co\"\n");
        let world = titled.sql(&sql);
        world.build();
        let message = format!("{verdict} · as of 22 Nov 12:05 PST");
        let badge = drawn(&world);
        assert_eq!(badge["texts"], json!(["syncs", message]));
        assert_eq!(badge["colour"], format!("#{colour}"));
        assert_eq!(badge["shape"].as_str().unwrap().trim(), shape);
        assert_eq!(badge["role"], "img");
        assert_eq!(
            badge["title"],
            format!(
                "<Craft> & co: {verdict}. Read on Sunday 22 November 2026, 12:05 PST. If it is later than Sunday 22 \
                 November 2026, 12:20 PST, do not rely on this."
            )
        );
        let is = ["named", "fits", "active"].map(|key| &badge[key]);
        assert_eq!(is, [&json!(true), &json!(true), &json!([])]);
        // As shields.io describes what an endpoint answers: these keys, and no others.
        let endpoint: Value = serde_json::from_str(&world.page("badge.json")).unwrap();
        assert_eq!(
            endpoint,
            json!({
                "schemaVersion": 1, "label": "syncs", "message": message, "color": colour,
                "isError": colour != "1a7f4b",
            })
        );
    }
}

#[test]
fn a_badge_of_old_data_says_of_when_it_is() {
    let world = Sandbox::sqlite().sql(&synced("sales", "2026-11-22T20:00:00Z"));
    let world = world.file("syncmon.toml", "[[entities]]\nentity_type = \"sales\"\n");
    world.build();
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-22T20:10:00Z").exits(75);
    let badge = drawn(&world);
    let away = "database cannot be read";
    let then = "as of 22 Nov 12:05 PST";
    assert_eq!(badge["texts"][1], format!("{away} · {then}"));
    assert_eq!(badge["colour"], "#8a6100");

    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    world.build_at(NOW).exits(75);
    let badge = drawn(&world);
    assert_eq!(badge["texts"][1], format!("{away} · never read {then}"));
    assert_eq!(badge["colour"], "#b3261e");
}
