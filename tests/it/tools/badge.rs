//! `badge.svg` and `badge.json`.

use serde_json::{Value, json};

use crate::sandbox::{NOW, Sandbox};
use crate::tools::{all_well, failed, read_by, synced};

/// What a drawing shows, without its measures.
const DRAWN: &str = "
import sys, json
import xml.etree.ElementTree as tree
svg = '{http://www.w3.org/2000/svg}'
root = tree.fromstring(sys.stdin.buffer.read())
shape = root.find(svg + 'svg')
json.dump({
    'role': root.get('role'), 'title': root.find(svg + 'title').text,
    'named': root.get('aria-labelledby') == root.find(svg + 'title').get('id'),
    'texts': [t.text for t in root.iter(svg + 'text')],
    'colour': [r.get('fill') for r in root.findall(svg + 'rect')][1],
    'shape': shape[0].tag[len(svg):] + ' ' + (shape[0].get('d') or '')[:6].strip(),
    'fits': sum(float(r.get('width')) for r in root.findall(svg + 'rect')) == float(root.get('width')),
    'active': [e.tag for e in root.iter() if e.tag[len(svg):] in ('script', 'image', 'use', 'a', 'foreignObject')],
}, sys.stdout)
";

fn drawn(world: &Sandbox) -> Value {
    read_by("/usr/bin/python3", &["-c", DRAWN], &world.page("badge.svg"))
}

#[test]
fn a_badge_says_its_verdict_by_shape_and_colour_and_word_with_its_moment() {
    let worlds = [
        (all_well(), "all up to date", "1a7f4b", "circle"),
        (
            all_well().replacen("19:22", "17:22", 1),
            "1 of 6 needs attention",
            "8a6100",
            "path M10.6",
        ),
        (
            all_well()
                + &failed("sales", "2026-11-22T20:00:00Z")
                + &failed("outlets", "2026-11-22T20:00:00Z"),
            "2 of 6 need attention",
            "b3261e",
            "path M7.4 1",
        ),
    ];
    for (sql, verdict, colour, shape) in worlds {
        let world = Sandbox::sqlite()
            .sql(&sql)
            .file("syncmon.toml", "title = \"<Craft> & co\"\n");
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
        assert_eq!(badge["named"], true);
        assert_eq!(badge["fits"], true);
        assert_eq!(badge["active"], json!([]));
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
    assert_eq!(world.build_at("2026-11-22T20:10:00Z").code, 75);
    let badge = drawn(&world);
    assert_eq!(
        badge["texts"][1],
        "database cannot be read · as of 22 Nov 12:05 PST"
    );
    assert_eq!(badge["colour"], "#8a6100");

    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    assert_eq!(world.build_at(NOW).code, 75);
    assert_eq!(
        drawn(&world)["texts"][1],
        "database cannot be read · never read as of 22 Nov 12:05 PST"
    );
    assert_eq!(drawn(&world)["colour"], "#b3261e");
}
