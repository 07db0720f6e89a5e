//! Worlds in which somebody is told: what the sync scripts leave, and builds one after the other.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::generations::names;
use crate::golden;
use crate::receivers::Receiver;
use crate::sandbox::{Ended, Sandbox};

/// A world with two entities, both green at 12:05; `alerts` goes into its configuration.
pub fn world(alerts: &str) -> Sandbox {
    let configuration = format!(
        "url = \"https://status.example.org/sync\"
         [[entities]]
         entity_type = \"sales\"
         owner = \"Ana Ruiz\"
         contact = \"ana@example.org\"
         [[entities]]
         entity_type = \"inventory\"
         {alerts}"
    );
    Sandbox::sqlite().file("syncmon.toml", &configuration).sql(
        &["sales", "inventory"]
            .map(|entity| run(entity, "completed", "20:00:00"))
            .concat(),
    )
}

/// With a webhook to this receiver.
pub fn hooked(receiver: &Receiver, alerts: &str) -> Sandbox {
    world(&format!("[alerts]\n{alerts}\n[alerts.webhook]"))
        .env("SYNCMON_WEBHOOK_URL", &hook(receiver))
}

/// An address that is a secret.
pub fn hook(receiver: &Receiver) -> String {
    format!("http://127.0.0.1:{}/services/{SECRET_PATH}", receiver.port)
}

pub const SECRET_PATH: &str = "T0SECRET/b0SECRETb0";

/// A row of the log on that Sunday.
fn run(entity: &str, status: &str, at: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
         values ('2026-11-22 {at}', '{entity}', 'incremental_sync', '{status}', 0,
             case '{status}' when 'failed' then 'No space left on device' end);"
    )
}

pub fn fails(world: &Sandbox, entity: &str, at: &str) {
    world.execute(&run(entity, "failed", at));
}

pub fn succeeds(world: &Sandbox, entity: &str, at: &str) {
    world.execute(&run(entity, "completed", at));
}

/// A build on that Sunday, the time in UTC, that ends well, and does not wait for ever for those who are told.
#[track_caller]
pub fn built(world: &Sandbox, at: &str) -> Ended {
    let (ended, time) = lasting(|| world.build_at(&format!("2026-11-22T{at}Z")));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(time < Duration::from_secs(40), "it hangs");
    ended
}

/// The same, and it has nothing to complain of.
#[track_caller]
pub fn quietly_built(world: &Sandbox, at: &str) {
    assert_eq!(built(world, at).stderr, "");
}

/// One after the other: "20:04 sales fails, 20:05 builds, 20:06 sales succeeds".
#[track_caller]
pub fn happens(world: &Sandbox, events: &str) {
    for event in events.split(", ") {
        let (at, what) = event.split_once(' ').unwrap();
        let at = format!("{at}:00");
        match what.split(' ').collect::<Vec<_>>()[..] {
            ["builds"] => quietly_built(world, &at),
            [entity, "fails"] => fails(world, entity, &at),
            [entity, "succeeds"] => succeeds(world, entity, &at),
            _ => panic!("{event}"),
        }
    }
}

/// The same, but somebody cannot be told, which is said as the file of messages has it.
#[track_caller]
pub fn complains(world: &Sandbox, at: &str, title: &str) {
    let said = built(world, at).stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    let port = Regex::new(r"localhost:\d+").unwrap();
    let said = port.replace_all(&said, "localhost:PORT");
    golden::message(&format!("alerts: {title}"), &said);
}

/// How long something takes.
pub fn lasting<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// The files in the state directory in which is kept what people were told.
pub fn kept(world: &Sandbox) -> Vec<PathBuf> {
    let folder = world.path("state");
    let names = names(&folder).into_iter();
    names
        .filter(|name| name.starts_with("alerts."))
        .map(|name| folder.join(name))
        .collect()
}
