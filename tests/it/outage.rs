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
use crate::secrets::are_nowhere;

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

/// A build waits longer than any machine needs where nothing is wrong.
pub const PATIENT: [u32; 2] = [20, 60];
/// It gives up a connection after a second.
pub const CONNECTS_IN_HASTE: [u32; 2] = [1, 60];
/// It gives up an answer after two seconds, half of what a build may take.
pub const READS_IN_HASTE: [u32; 2] = [20, 4];
/// What ends by itself has ended by then, on any machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Stands in every connection string that has no other: servers that trust everybody ignore it.
pub const PASSWORD: &str = "S3cret/pass w@rd";
pub const PASSWORD_IN_URL: &str = "S3cret%2Fpass%20w%40rd";

/// In how many seconds a build connects, and ends.
pub fn within(world: Sandbox, [connect, build]: [u32; 2]) -> Sandbox {
    let settings = format!(
        "connect_timeout = \"{connect}s\"\nbuild_timeout = \"{build}s\"\n\
         [[entities]]\nentity_type = \"sales\"\n"
    );
    world.file("syncmon.toml", &settings)
}

pub fn filled(world: Sandbox) -> Sandbox {
    let world = world.sql(&SYNCED.replace('%', &"x".repeat(3900)));
    guarded(within(world, PATIENT))
}

/// The same world, read with a password in the connection string.
fn guarded(world: Sandbox) -> Sandbox {
    let given = match world.url().split_once('@') {
        Some((role, address)) if role.matches(':').count() == 1 => {
            format!("{role}:{PASSWORD_IN_URL}@{address}")
        }
        _ => return world,
    };
    world.with_url(&given)
}

/// A real database, read through a gate.
pub fn behind_a_gate() -> (Sandbox, Gate) {
    let world = filled(Sandbox::postgres());
    let gate = Gate::before(Cluster::shared().port);
    (through(world, gate.port), gate)
}

/// The same database, read through this port.
pub fn through(world: Sandbox, port: u16) -> Sandbox {
    let name = world.database();
    guarded(world.with_url(&format!("postgres://syncmon_ro@127.0.0.1:{port}/{name}")))
}

pub fn turn(gate: &Gate, manner: Manner) -> impl FnOnce(Sandbox) -> Sandbox {
    move |world| {
        gate.turn(manner);
        world
    }
}

/// The arguments of a build at a moment.
pub fn building(now: &str) -> Vec<&str> {
    let arguments = "build --out site --state-dir state --now".split(' ');
    arguments.chain([now]).collect()
}

/// The whole story of an outage. The world is as it was before.
pub fn survives(
    fault: &str,
    world: Sandbox,
    breaks: impl FnOnce(Sandbox) -> Sandbox,
    heals: impl FnOnce(Sandbox) -> Sandbox,
) -> Sandbox {
    println!("fault: {fault}");
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
    let known = world.entity("sales");

    let world = guarded(breaks(world));
    let away = is_away(&world, FIRST_FAILURE);
    golden::section("messages.txt", fault, &told(&world, &away));
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(world.status()["overall"]["health"], "yellow");
    let kept = world.entity("sales");
    for unchanged in ["last_success_at", "last_run", "turns_yellow_at", "detail"] {
        assert_eq!(kept[unchanged], known[unchanged], "{unchanged}");
    }
    assert_eq!(kept["age_seconds"], 47.0 * 60.0 + 55.5);

    // Both may have to wait: they do it at the same time.
    let elsewhere = "build --out first --state-dir first-state --now".split(' ');
    let elsewhere: Vec<&str> = elsewhere.chain([SECOND_FAILURE]).collect();
    let (again, first) = std::thread::scope(|scope| {
        let first = scope.spawn(|| world.run(&elsewhere));
        (world.build_at(SECOND_FAILURE), first.join().unwrap())
    });
    says_that_it_is_away(&world, &again);
    assert_eq!(world.verdict("sales"), "yellow out_of_date");
    says_what_to_do_if_nothing_was_ever_read(&world, &first);

    let world = guarded(within(heals(world), PATIENT));
    is_healed(&world, HEALED);
    world
}

/// The next good build leaves nothing of an outage.
pub fn is_healed(world: &Sandbox, now: &str) {
    shows_no_outage(world, &world.build_at(now), now);
}

/// What such a build, however it was run, has left.
pub fn shows_no_outage(world: &Sandbox, healed: &Ended, now: &str) {
    assert_eq!((healed.code, healed.stderr.as_str()), (0, ""), "{healed:?}");
    never_tells_the_password(world, healed);
    is_whole(&world.path("site"));
    let status = world.status();
    assert_eq!(status["as_of"], now);
    let source = serde_json::json!({"state": "ok", "since": null, "message": null});
    assert_eq!(status["source"], source);
    assert_eq!(world.verdict("sales"), "green fresh");
    assert!(!world.page("index.html").contains("class=\"banner\""));
}

/// A build that cannot read, and does not wait for ever.
pub fn is_away(world: &Sandbox, now: &str) -> Ended {
    let begun = Instant::now();
    let ended = world.build_at(now);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let status = says_that_it_is_away(world, &ended);
    assert_eq!(status["generated_at"], now);
    ended
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
    assert_eq!(status["as_of"], NOW);
    assert_eq!(status["valid_until"], "2026-11-22T20:20:00Z");
    let message = status["source"]["message"].as_str().unwrap();
    let page = world.page("index.html");
    let banner = banner(&page);
    for part in ["since Sunday 22 November, 12:10", message] {
        assert!(banner.contains(part), "{part:?} is not in {banner:?}");
    }
    assert!(page.contains("<p>Read on Sunday 22 November 2026, 12:05 PST."));
    status
}

/// The one line on standard error.
pub fn only_line(ended: &Ended) -> &str {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.stderr.trim_end()
}

/// Another state directory and another site: nothing is known from before.
fn says_what_to_do_if_nothing_was_ever_read(world: &Sandbox, ended: &Ended) {
    assert_eq!(ended.code, 75, "{ended:?}");
    never_tells_the_password(world, ended);
    is_whole(&world.path("first"));
    let page = fs::read_to_string(world.path("first/index.html")).unwrap();
    assert!(page.contains("there is nothing to show yet"), "{page}");
    assert!(page.contains("Ask whoever runs syncmon"), "{page}");
    let status = fs::read(world.path("first/status.json")).unwrap();
    let status: Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["as_of"], Value::Null);
    assert_eq!(status["valid_until"], Value::Null);
    assert_eq!(status["source"]["since"], SECOND_FAILURE);
    assert_ne!(status["overall"]["health"], "green");
    for entity in status["entities"].as_array().unwrap() {
        assert_ne!(entity["health"], "green", "{entity}");
        assert_eq!(entity["last_success_at"], Value::Null);
    }
}

/// Neither on any output nor in any byte of the site and of what is kept.
pub fn never_tells_the_password(world: &Sandbox, ended: &Ended) {
    let Some((user, _)) = world.url().split_once('@') else {
        return;
    };
    assert_eq!(user.matches(':').count(), 2, "no password is given");
    let in_url = user.rsplit(':').next().unwrap().to_owned();
    let in_form = in_url.replace("%20", "+");
    let in_lower_case = in_form.replace("%2F", "%2f");
    let forms = [PASSWORD.to_owned(), in_url, in_form, in_lower_case];
    are_nowhere(world, ended, &forms, &[]);
}

/// Each page has its end, and everything that it refers to is there.
pub fn is_whole(site: &Path) {
    let mut pages = 0;
    for entry in walkdir::WalkDir::new(site) {
        let path = entry.unwrap().into_path();
        let shown = path.display();
        match path.extension().and_then(|kind| kind.to_str()) {
            Some("html") => {
                let page = fs::read_to_string(&path).unwrap();
                let begun = page.to_lowercase().starts_with("<!doctype html>");
                assert!(begun && page.trim_end().ends_with("</html>"), "{shown}");
                for link in links(&page) {
                    let target = path.parent().unwrap().join(&link);
                    assert!(target.exists(), "{shown} refers to {link}");
                }
                pages += 1;
            }
            Some("json") => {
                let parsed = serde_json::from_slice::<Value>(&fs::read(&path).unwrap());
                assert!(parsed.is_ok(), "{shown}: {parsed:?}");
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

/// What the banner of a page says.
fn banner(page: &str) -> String {
    let (_, rest) = page.split_once("<p class=\"banner\"").expect("no banner");
    let (_, text) = rest.split_once('>').unwrap();
    let (text, _) = text.split_once("</p>").unwrap();
    text.replace("&#39;", "'")
}

/// For the engineer and for everybody, without what differs from run to run.
pub fn told(world: &Sandbox, ended: &Ended) -> String {
    let message = world.status()["source"]["message"].clone();
    let mut text = format!("{}\n{}", only_line(ended), message.as_str().unwrap());
    if let Some((_, address)) = world.url().split_once('@') {
        let address = address.split('?').next().unwrap();
        let (host, database) = address.rsplit_once('/').unwrap();
        text = text
            .replace(host, "HOST:PORT")
            .replace(database, "DATABASE")
            .replace(&world.database(), "DATABASE");
    }
    text.replace(&world.root().display().to_string(), "DIR")
}
