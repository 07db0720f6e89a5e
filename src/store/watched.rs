//! Asking a database, but for no longer than it may take.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{Database, Limits, Unreadable};

/// Connects and asks, within these limits: `asking` gets the database, and a sender to use once it is connected.
///
/// It runs on a thread of its own: while bytes keep coming, the driver never pauses, and no limit of time would be
/// looked at on the thread that it runs on.
pub async fn watched<T, F>(
    database: &Database,
    limits: Limits,
    asking: impl FnOnce(Database, oneshot::Sender<()>) -> F + Send + 'static,
) -> Result<T, Unreadable>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Unreadable>>,
{
    let database = database.clone();
    let connect_limit = database.connect_limit(limits.connect);
    let (connected, connecting) = oneshot::channel();
    let asking = spawn_blocking(move || in_a_runtime(asking(database, connected)));
    let answered = async {
        // Where the other end is dropped without a word, asking has its own reason to end.
        if timeout(connect_limit, connecting).await.is_err() {
            return Err(Unreadable::connect_timeout(connect_limit));
        }
        asking
            .await
            .unwrap_or_else(|_panic| Err(Unreadable::unintelligible()))
    };
    timeout(limits.read, answered)
        .await
        .map_err(|_elapsed| Unreadable::read_timeout(limits.read))?
}

/// Says that a connection is there. Nobody may wait for it any more: then it is to be asked nothing.
pub fn say_connected(connected: oneshot::Sender<()>) -> Result<(), Unreadable> {
    connected
        .send(())
        .map_err(|()| Unreadable::connect_timeout(Duration::ZERO))
}

fn in_a_runtime<T>(asking: impl Future<Output = Result<T, Unreadable>>) -> Result<T, Unreadable> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Unreadable::from_sqlx(&sqlx::Error::Io(error)))?;
    // The driver panics on some answers that no server gives. Nothing that it leaves is used again.
    let answered = runtime.block_on(AssertUnwindSafe(asking).catch_unwind());
    // A name look-up that hangs must not be waited for.
    runtime.shutdown_background();
    answered.unwrap_or_else(|_panic| Err(Unreadable::unintelligible()))
}
