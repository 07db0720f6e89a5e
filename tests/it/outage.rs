//! The whole story of an outage, whatever its cause: what is said, what is kept, what is never
//! told, and that it ends by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};

/// Sales synced 43 minutes before [`NOW`]. The text makes the answer longer than one packet, and
/// is that of a run before.
const SYNCED: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details) values
        ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, null),
        ('2026-11-22T18:22:00Z', 'sales', 'incremental_sync', 'failed', 4.5, '%')";

pub const FIRST_FAILURE: &str = "2026-11-22T20:10:00Z";
/// What was read at [`NOW`] may be believed until 20:20.
pub const SECOND_FAILURE: &str = "2026-11-22T20:30:00Z";
pub const HEALED: &str = "2026-11-22T20:40:00Z";

/// A build that has to wait reads for 3 seconds at most, and ends within 6.
pub const SETTINGS: &str = "connect_timeout = \"1s\"\nbuild_timeout = \"6s\"\n\
                            [[entities]]\nentity_type = \"sales\"\n";

/// Stands in every connection string that has no other: servers that trust everybody ignore it.
pub const PASSWORD: &str = "S3cret/pass w@rd";
const PASSWORD_IN_URL: &str = "S3cret%2Fpass%20w%40rd";

pub fn filled(world: Sandbox) -> Sandbox {
    guarded(
        world
            .sql(&SYNCED.replace('%', &"x".repeat(3900)))
            .file("syncmon.toml", SETTINGS),
    )
}

/// The same world, read with a password in the connection string.
fn guarded(world: Sandbox) -> Sandbox {
    let url = world.url().to_owned();
    match url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
    {
        Some((role, _)) if !role.contains(':') => {
            let given = format!("{role}:{PASSWORD_IN_URL}@");
            world.with_url(&url.replacen(&format!("{role}@"), &given, 1))
        }
        _ => world,
    }
}

/// A real database, read through a gate.
pub fn behind_a_gate() -> (Sandbox, Gate) {
    let world = filled(Sandbox::postgres());
    let gate = Gate::before(Cluster::shared().port);
    (through(world, &gate), gate)
}

/// The same database, read through this gate.
pub fn through(world: Sandbox, gate: &Gate) -> Sandbox {
    through_port(world, gate.port)
}

pub fn through_port(world: Sandbox, port: u16) -> Sandbox {
    let url = format!(
        "postgres://syncmon_ro@127.0.0.1:{}/{}",
        port,
        world.database()
    );
    guarded(world.with_url(&url))
}

pub fn turn(gate: &Gate, manner: Manner) -> impl FnOnce(Sandbox) -> Sandbox {
    move |world| {
        gate.turn(manner);
        world
    }
}

/// The whole story of an outage.
pub fn survives(
    fault: &str,
    world: Sandbox,
    breaks: impl FnOnce(Sandbox) -> Sandbox,
    heals: impl FnOnce(Sandbox) -> Sandbox,
) {
    let good = world.build_at(NOW);
    assert_eq!(good.code, 0, "{good:?}");
    assert_eq!(world.verdict("sales"), "green fresh");
    let known = world.entity("sales");

    let world = guarded(breaks(world));
    let away = fails_in_time(&world, FIRST_FAILURE);
    golden::section("messages.txt", fault, &told(&world, &away));
    let status = says_that_it_is_away(&world, &away);
    assert_eq!(status["generated_at"], "2026-11-22T20:10:00Z");
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(status["overall"]["health"], "yellow");
    let kept = world.entity("sales");
    for unchanged in ["last_success_at", "last_run", "turns_yellow_at", "detail"] {
        assert_eq!(kept[unchanged], known[unchanged], "{unchanged}");
    }
    assert_eq!(kept["age_seconds"], 47.0 * 60.0 + 55.5);

    let away = fails_in_time(&world, SECOND_FAILURE);
    let status = says_that_it_is_away(&world, &away);
    assert_eq!(status["generated_at"], "2026-11-22T20:30:00Z");
    assert_eq!(world.verdict("sales"), "yellow out_of_date");

    says_what_to_do_if_nothing_was_ever_read(&world);

    let world = guarded(heals(world));
    is_healed(&world);
}

/// The next good build leaves nothing of an outage.
pub fn is_healed(world: &Sandbox) {
    is_healed_at(world, HEALED);
    assert_eq!(world.status()["as_of"], "2026-11-22T20:40:00Z");
}

/// The same at any moment.
pub fn is_healed_at(world: &Sandbox, now: &str) {
    let healed = world.build_at(now);
    assert_eq!((healed.code, healed.stderr.as_str()), (0, ""), "{healed:?}");
    never_tells_the_password(world, &healed);
    is_whole(&world.path("site"));
    assert_eq!(
        world.status()["source"],
        serde_json::json!({"state": "ok", "since": null, "message": null})
    );
    assert_eq!(world.verdict("sales"), "green fresh");
    assert!(!world.page("index.html").contains("class=\"banner\""));
}

/// A build that fails within the time that the configuration gives it.
fn fails_in_time(world: &Sandbox, now: &str) -> Ended {
    let begun = Instant::now();
    let ended = world.build_at(now);
    let limit = build_timeout(world);
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    ended
}

fn build_timeout(world: &Sandbox) -> Duration {
    let text = fs::read_to_string(world.path("syncmon.toml")).unwrap();
    let settings: toml::Table = toml::from_str(&text).unwrap();
    humantime::parse_duration(settings["build_timeout"].as_str().unwrap()).unwrap()
}

/// What every build during the outage has in common.
pub fn says_that_it_is_away(world: &Sandbox, ended: &Ended) -> Value {
    assert_eq!(ended.code, 75, "{ended:?}");
    let line = only_line(ended);
    assert!(line.starts_with("syncmon: the database could not be read ("));
    assert!(!line.contains(char::is_control), "{line:?}");
    never_tells_the_password(world, ended);
    is_whole(&world.path("site"));
    let status = world.status();
    assert_eq!(status["source"]["state"], "unreachable");
    assert_eq!(status["source"]["since"], "2026-11-22T20:10:00Z");
    assert_eq!(status["as_of"], "2026-11-22T20:05:00Z");
    assert_eq!(status["valid_until"], "2026-11-22T20:20:00Z");
    let banner = banner(world);
    for part in [
        "since Sunday 22 November, 12:10",
        status["source"]["message"].as_str().unwrap(),
    ] {
        assert!(banner.contains(part), "{part:?} is not in {banner:?}");
    }
    assert!(
        world
            .page("index.html")
            .contains("<p>Read on Sunday 22 November 2026, 12:05 PST.")
    );
    status
}

/// The one line on standard error.
pub fn only_line(ended: &Ended) -> &str {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.stderr.trim_end()
}

/// Another state directory and another site: nothing is known from before.
fn says_what_to_do_if_nothing_was_ever_read(world: &Sandbox) {
    let ended = world.run(&[
        "build",
        "--out",
        "first",
        "--state-dir",
        "first-state",
        "--now",
        SECOND_FAILURE,
    ]);
    assert_eq!(ended.code, 75, "{ended:?}");
    never_tells_the_password(world, &ended);
    is_whole(&world.path("first"));
    let page = fs::read_to_string(world.path("first/index.html")).unwrap();
    assert!(page.contains("there is nothing to show yet"), "{page}");
    assert!(page.contains("Ask whoever runs syncmon"), "{page}");
    let status: Value =
        serde_json::from_slice(&fs::read(world.path("first/status.json")).unwrap()).unwrap();
    assert_eq!(status["as_of"], Value::Null);
    assert_eq!(status["valid_until"], Value::Null);
    assert_eq!(status["source"]["since"], "2026-11-22T20:30:00Z");
    assert_ne!(status["overall"]["health"], "green");
    for entity in status["entities"].as_array().unwrap() {
        assert_ne!(entity["health"], "green", "{entity}");
        assert_eq!(entity["last_success_at"], Value::Null);
    }
}

/// Neither on any output nor in any byte of the site and of what is kept.
pub fn never_tells_the_password(world: &Sandbox, ended: &Ended) {
    let Some((_, rest)) = world.url().split_once("://") else {
        return;
    };
    let (user, _) = rest.split_once('@').expect("no password is given");
    let (_, in_url) = user.split_once(':').expect("no password is given");
    let in_form = in_url.replace("%20", "+");
    let in_lower_case = in_form.replace("%2F", "%2f");
    for secret in [PASSWORD, in_url, &in_form, &in_lower_case] {
        assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        for entry in walkdir::WalkDir::new(world.root()) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let bytes = fs::read(entry.path()).unwrap();
                let found = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{secret} is in {}", entry.path().display());
            }
        }
    }
}

/// Each page has its end, and everything that it refers to is there.
pub fn is_whole(site: &Path) {
    let mut pages = 0;
    for entry in walkdir::WalkDir::new(site) {
        let entry = entry.unwrap();
        let path = entry.path();
        match path.extension().and_then(|kind| kind.to_str()) {
            Some("html") => {
                let page = fs::read_to_string(path).unwrap();
                assert!(
                    page.to_lowercase().starts_with("<!doctype html>"),
                    "{}",
                    path.display()
                );
                assert!(page.trim_end().ends_with("</html>"), "{}", path.display());
                for link in links(&page) {
                    let target = path.parent().unwrap().join(&link);
                    assert!(target.exists(), "{} refers to {link}", path.display());
                }
                pages += 1;
            }
            Some("json") => {
                let parsed = serde_json::from_slice::<Value>(&fs::read(path).unwrap());
                assert!(parsed.is_ok(), "{}: {parsed:?}", path.display());
            }
            _ => {}
        }
    }
    assert!(pages > 0, "no page in {}", site.display());
}

/// The files of the site that a page refers to.
fn links(page: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for attribute in [" href=\"", " src=\""] {
        for rest in page.split(attribute).skip(1) {
            let link = rest.split(['"', '?', '#']).next().unwrap();
            if !link.is_empty() && !link.contains(':') {
                links.insert(link.to_owned());
            }
        }
    }
    links
}

fn banner(world: &Sandbox) -> String {
    let page = world.page("index.html");
    let (_, rest) = page.split_once("<p class=\"banner\"").expect("no banner");
    let (_, text) = rest.split_once('>').unwrap();
    let (text, _) = text.split_once("</p>").unwrap();
    text.replace("&#39;", "'")
}

/// For the engineer and for everybody, without what differs from run to run.
pub fn told(world: &Sandbox, ended: &Ended) -> String {
    let mut text = format!(
        "{}\n{}",
        only_line(ended),
        world.status()["source"]["message"].as_str().unwrap()
    );
    if let Some((_, address)) = world.url().split_once('@') {
        let address = address.split('?').next().unwrap();
        let (host, database) = address.rsplit_once('/').unwrap();
        text = text
            .replace(host, "HOST:PORT")
            .replace(database, "DATABASE");
        text = text.replace(&world.database(), "DATABASE");
    }
    text.replace(&world.root().display().to_string(), "DIR")
}
