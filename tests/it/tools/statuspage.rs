//! `api/v2/`, by a client that was written for Statuspage.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::browser::check;
use crate::golden::Told;
use crate::sandbox::{NOW, Sandbox};
use crate::tools::{HOSTILE, URL, WORLD, all_well, failed, hostile, synced};
use crate::web::Nginx;

/// What the client makes of the site.
fn client(world: &Sandbox) -> Value {
    let nginx = Nginx::serving_with(world, &[("auth_basic \"syncmon\";", "auth_basic off;")]);
    let address = nginx.url();
    let read = check("statuspage", &[address.trim_end_matches('/')]);
    serde_json::from_str(&read).unwrap()
}

/// "Customers operational" of each.
fn components(read: &Value) -> Vec<String> {
    told(&read["components"]["components"], &["name", "status"])
}

/// "Sales is failing investigating major" of each.
fn incidents(document: &Value) -> Vec<String> {
    told(&document["incidents"], &["name", "status", "impact"])
}

/// These of each.
fn told(all: &Value, keys: &[&str]) -> Vec<String> {
    let told = all.as_array().unwrap().iter().map(|one| {
        let parts = keys.iter().map(|key| one[key].as_str().unwrap());
        parts.collect::<Vec<_>>().join(" ")
    });
    told.collect()
}

#[test]
fn a_client_of_statuspage_reads_all_four_documents() {
    for world in Sandbox::both() {
        let title = format!("title = \"Craft Contemporary\"\n{URL}");
        let world = world.sql(WORLD).file("syncmon.toml", &title);
        world.build();
        let read = client(&world);
        assert_eq!(
            components(&read).join(", "),
            "Customers operational, Outlets operational, Products degraded_performance, Sales degraded_performance, \
             Sale Line Items major_outage, Inventory major_outage, <gift & \"cards\"> operational, Database operational"
        );
        assert_eq!(read["status"]["status"]["indicator"], "major");
        let page = &read["summary"]["page"];
        assert_eq!(page["name"], "Craft Contemporary");
        assert_eq!(page["url"], "https://status.example.org/sync/");
        assert_eq!(page["time_zone"], "America/Los_Angeles");
        assert_eq!(page["updated_at"], "2026-11-22T20:05:00.000Z");
        assert_eq!(read["summary"]["scheduled_maintenances"], json!([]));
        // What lasts stands in the summary, what is over besides in the list.
        let lasting = incidents(&read["summary"]);
        let lasts = |line: &String| line.contains(" investigating ");
        assert_eq!(lasting.len(), 4, "{lasting:?}");
        assert!(lasting.iter().all(lasts), "{lasting:?}");
        let all = incidents(&read["incidents"]).join("\n");
        all.has("Customers is failing resolved major");
        for document in ["summary", "status", "components", "incidents"] {
            let truth = &read[document]["syncmon"];
            assert_eq!(truth["as_of"], "2026-11-22T20:05:00Z", "{document}");
            assert_eq!(truth["valid_until"], "2026-11-22T20:20:00Z", "{document}");
            assert_eq!(truth["demo"], false, "{document}");
        }
    }
}

#[test]
fn an_incident_tells_what_happened_from_its_beginning_to_its_end() {
    let sql = synced("sales", "2026-11-22T02:00:00Z")
        + &failed("sales", "2026-11-22T05:00:00Z")
        + &synced("sales", "2026-11-22T19:00:00Z");
    let only = format!("{URL}[[entities]]\nentity_type = \"sales\"\n");
    let world = Sandbox::sqlite().sql(&sql).file("syncmon.toml", &only);
    world.build();
    let read = client(&world);
    let incident = read["incidents"]["incidents"][0].clone();
    let all = incidents(&read["incidents"]);
    assert_eq!(all, ["Sales is failing resolved major"]);
    assert_eq!(incident["started_at"], "2026-11-22T04:00:04.500Z");
    assert_eq!(incident["resolved_at"], "2026-11-22T19:00:04.500Z");
    let link = "https://status.example.org/sync/entities/sales.html";
    assert_eq!(incident["shortlink"], link);
    let updates = incident["incident_updates"].as_array().unwrap().iter();
    let told: Vec<String> = updates
        .map(|update| {
            let of = |key: &str| update["affected_components"][0][key].as_str().unwrap();
            let at = update["created_at"].as_str().unwrap();
            format!("{at} {} → {}", of("old_status"), of("new_status"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "2026-11-22T19:00:04.500Z major_outage → operational",
            "2026-11-22T05:00:04.500Z degraded_performance → major_outage",
            "2026-11-22T04:00:04.500Z operational → degraded_performance",
        ]
    );
    let component = &read["components"]["components"][0];
    assert_eq!(incident["components"][0]["id"], component["id"]);
    assert_eq!(read["status"]["status"]["indicator"], "none");
    // Nothing of it changes with the next build.
    world.build_at("2026-11-22T20:10:00Z");
    let again = &client(&world)["incidents"]["incidents"][0];
    assert_eq!(again["id"], incident["id"]);
}

#[test]
fn old_documents_do_not_pass_for_green() {
    let world = Sandbox::sqlite().sql(&all_well());
    world.build();
    let read = client(&world);
    assert_eq!(read["status"]["status"]["indicator"], "none");
    assert_eq!(
        read["status"]["status"]["description"],
        "All 6 syncs are up to date. Read on Sunday 22 November 2026, 12:05 PST. If it is later than Sunday 22 November \
         2026, 12:20 PST, do not rely on this."
    );
    fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-22T20:10:00Z").exits(75);
    let read = client(&world);
    assert_eq!(read["status"]["status"]["indicator"], "minor");
    assert_eq!(components(&read).last().unwrap(), "Database partial_outage");
    let away = "The database cannot be read investigating minor";
    assert_eq!(incidents(&read["summary"]), [away]);
    assert_eq!(read["status"]["syncmon"]["database_readable"], false);
    assert_eq!(read["status"]["syncmon"]["as_of"], "2026-11-22T20:05:00Z");
    world.build_at("2026-11-22T20:21:00Z").exits(75);
    let read = client(&world);
    let all = components(&read).join("\n");
    assert_eq!(all.matches(" degraded_performance\n").count(), 6, "{all}");

    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    world.build_at(NOW).exits(75);
    let read = client(&world);
    assert_eq!(read["status"]["status"]["indicator"], "critical");
    let all = components(&read);
    assert!(all.iter().all(|line| line.ends_with(" major_outage")));
    assert_eq!(read["status"]["syncmon"]["as_of"], Value::Null);
}

#[test]
fn hostile_names_have_ids_of_their_own() {
    let world = hostile();
    world.build();
    let read = client(&world);
    let ids = told(&read["components"]["components"], &["id"]);
    let plain = |id: &String| id.len() == 12 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    assert!(ids.iter().all(plain), "{ids:?}");
    let different: BTreeSet<String> = ids.into_iter().collect();
    assert_eq!(different.len(), 6 + HOSTILE.len() + 1);
}
