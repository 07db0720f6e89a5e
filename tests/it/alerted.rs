//! Worlds in which somebody is told: what the sync scripts leave, and builds one after the other.

use std::time::{Duration, Instant};

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
    Sandbox::sqlite()
        .file("syncmon.toml", &configuration)
        .sql(&format!(
            "{} {}",
            run("sales", "completed", "2026-11-22 20:00:00"),
            run("inventory", "completed", "2026-11-22 20:00:00")
        ))
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

/// A row of the log.
pub fn run(entity: &str, status: &str, at: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
         values ('{at}', '{entity}', 'incremental_sync', '{status}', 0,
             case '{status}' when 'failed' then 'No space left on device' end);"
    )
}

pub fn fails(world: &Sandbox, entity: &str, at: &str) {
    world.execute(&run(entity, "failed", &format!("2026-11-22 {at}")));
}

pub fn succeeds(world: &Sandbox, entity: &str, at: &str) {
    world.execute(&run(entity, "completed", &format!("2026-11-22 {at}")));
}

/// A build on that Sunday, the time in UTC, that ends well.
#[track_caller]
pub fn built(world: &Sandbox, at: &str) -> Ended {
    let ended = world.build_at(&format!("2026-11-22T{at}Z"));
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

/// The same, and it has nothing to complain of.
#[track_caller]
pub fn quietly_built(world: &Sandbox, at: &str) {
    let ended = built(world, at);
    assert_eq!(ended.stderr, "");
}

/// How long something takes.
pub fn lasting<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// What is kept of alerts in the state directory.
pub fn kept(world: &Sandbox) -> Vec<std::path::PathBuf> {
    let Ok(files) = std::fs::read_dir(world.path("state")) else {
        return Vec::new();
    };
    files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("alerts.")
        })
        .collect()
}
