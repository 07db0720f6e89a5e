//! `api/v2/`, by a client that was written for Statuspage.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::browser::check;
use crate::sandbox::{NOW, Sandbox};
use crate::tools::{HOSTILE, URL, WORLD, all_well, failed, hostile, synced};

/// What the client makes of the site, which a server hands out as it lies there.
fn client(world: &Sandbox) -> Value {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    let site = Arc::new(world.site());
    std::thread::spawn(move || {
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let read = connection.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = request
                .split(' ')
                .nth(1)
                .unwrap_or_default()
                .trim_start_matches('/')
                .to_owned();
            let (status, body) = match site.get(&path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b"{}"[..]),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            connection
                .write_all(&[head.as_bytes(), body].concat())
                .unwrap();
        }
    });
    serde_json::from_str(&check("statuspage", &[&address])).unwrap()
}

/// "Customers operational" of each.
fn components(read: &Value) -> Vec<String> {
    let components = read["components"]["components"].as_array().unwrap().iter();
    components
        .map(|one| {
            format!(
                "{} {}",
                one["name"].as_str().unwrap(),
                one["status"].as_str().unwrap()
            )
        })
        .collect()
}

/// "Sales is failing investigating major" of each.
fn incidents(document: &Value) -> Vec<String> {
    let incidents = document["incidents"].as_array().unwrap().iter();
    incidents
        .map(|one| {
            let of = |key: &str| one[key].as_str().unwrap();
            format!("{} {} {}", of("name"), of("status"), of("impact"))
        })
        .collect()
}

#[test]
fn a_client_of_statuspage_reads_all_four_documents() {
    for world in Sandbox::both() {
        let world = world.sql(WORLD).file(
            "syncmon.toml",
            &format!("title = \"Craft Contemporary\"\n{URL}"),
        );
        world.build();
        let read = client(&world);
        assert_eq!(
            components(&read),
            [
                "Customers operational",
                "Outlets operational",
                "Products degraded_performance",
                "Sales degraded_performance",
                "Sale Line Items major_outage",
                "Inventory major_outage",
                "<gift & \"cards\"> operational",
                "Database operational",
            ]
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
        assert!(
            lasting.iter().all(|line| line.contains(" investigating ")),
            "{lasting:?}"
        );
        assert_eq!(lasting.len(), 4, "{lasting:?}");
        let all = incidents(&read["incidents"]);
        assert!(
            all.contains(&"Customers is failing resolved major".to_owned()),
            "{all:?}"
        );
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
    let world = Sandbox::sqlite().sql(&sql).file(
        "syncmon.toml",
        &format!("{URL}[[entities]]\nentity_type = \"sales\"\n"),
    );
    world.build();
    let read = client(&world);
    let incident = read["incidents"]["incidents"][0].clone();
    assert_eq!(
        incidents(&read["incidents"]),
        ["Sales is failing resolved major"]
    );
    assert_eq!(incident["started_at"], "2026-11-22T04:00:04.500Z");
    assert_eq!(incident["resolved_at"], "2026-11-22T19:00:04.500Z");
    assert_eq!(
        incident["shortlink"],
        "https://status.example.org/sync/entities/sales.html"
    );
    let updates = incident["incident_updates"].as_array().unwrap();
    let told: Vec<_> = updates
        .iter()
        .map(|update| {
            let of = |key: &str| update["affected_components"][0][key].as_str().unwrap();
            format!(
                "{} {} → {}",
                update["created_at"].as_str().unwrap(),
                of("old_status"),
                of("new_status")
            )
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
    assert_eq!(
        incident["components"][0]["id"],
        read["components"]["components"][0]["id"]
    );
    assert_eq!(read["status"]["status"]["indicator"], "none");
    // Nothing of it changes with the next build.
    world.build_at("2026-11-22T20:10:00Z");
    assert_eq!(
        client(&world)["incidents"]["incidents"][0]["id"],
        incident["id"]
    );
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
    assert_eq!(world.build_at("2026-11-22T20:10:00Z").code, 75);
    let read = client(&world);
    assert_eq!(read["status"]["status"]["indicator"], "minor");
    assert_eq!(components(&read).last().unwrap(), "Database partial_outage");
    assert_eq!(
        incidents(&read["summary"]),
        ["The database cannot be read investigating minor"]
    );
    assert_eq!(read["status"]["syncmon"]["database_readable"], false);
    assert_eq!(read["status"]["syncmon"]["as_of"], "2026-11-22T20:05:00Z");
    assert_eq!(world.build_at("2026-11-22T20:21:00Z").code, 75);
    let read = client(&world);
    assert!(
        components(&read)[..6]
            .iter()
            .all(|line| line.ends_with("degraded_performance"))
    );

    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    assert_eq!(world.build_at(NOW).code, 75);
    let read = client(&world);
    assert_eq!(read["status"]["status"]["indicator"], "critical");
    assert!(
        components(&read)
            .iter()
            .all(|line| line.ends_with("major_outage"))
    );
    assert_eq!(read["status"]["syncmon"]["as_of"], Value::Null);
}

#[test]
fn hostile_names_have_ids_of_their_own() {
    let world = hostile();
    world.build();
    let read = client(&world);
    let components = read["components"]["components"].as_array().unwrap();
    let mut ids: Vec<_> = components
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.iter()
            .all(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_alphanumeric()))
    );
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6 + HOSTILE.len() + 1);
}
