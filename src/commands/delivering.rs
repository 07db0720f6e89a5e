//! Delivering reports of runs to the database, in order, each once.

use std::time::Duration;

use anyhow::Result;

use super::progress::Progress;
use super::telling::say;
use crate::recording::{Own, Pending};
use crate::store::{Database, Limits, NotRecorded, Recorder};

/// How long recording one run may take.
const RECORDING: Duration = Duration::from_secs(30);

/// What became of the reports.
#[derive(Debug, Default)]
pub struct Delivered {
    /// How many the database has now.
    pub recorded: usize,
    /// Why the others have to wait, in one line.
    pub trouble: Option<String>,
}

pub fn limits(connect: Duration) -> Limits {
    Limits {
        connect,
        read: RECORDING,
    }
}

/// Delivers every report that lies there, the oldest run first, and says what the database refuses for ever. Of
/// `own`, the run of this process, it may only tell that it has begun: now, if `begins_now`.
pub async fn deliver(
    pending: &Pending,
    database: &Database,
    limits: Limits,
    own: Option<&Own>,
    begins_now: bool,
    mut progress: Progress,
) -> Result<Delivered> {
    let _alone = pending.alone()?;
    let found = pending.reports()?;
    for path in found.damaged {
        say(&format!(
            "{} is no report of a run, and was moved there for you to look at",
            path.display()
        ))?;
    }
    let mut delivered = Delivered::default();
    let mut recorder = None;
    for (path, report) in found.reports {
        let is_own = own.is_some_and(|own| own.is(&path));
        let goes_on = is_own && report.end.is_none() || pending.goes_on(&path, &report);
        if goes_on && !is_own {
            continue;
        }
        progress.step(&format!("recording a run of {}", report.entity_type));
        let connected = match recorder.take() {
            Some(connected) => Ok(connected),
            None => Recorder::connect(database, limits).await,
        };
        let told = match connected {
            Ok(mut connected) => {
                let told = connected.record(&report, is_own && begins_now).await;
                recorder = Some(connected);
                told
            }
            Err(unreadable) => Err(NotRecorded::Unreachable(unreadable)),
        };
        match told {
            Ok(()) => {
                delivered.recorded += 1;
                if !goes_on {
                    pending.delivered(&path)?;
                }
            }
            Err(NotRecorded::Refused(why)) => {
                let aside = pending.refused(&path)?;
                say(&format!(
                    "the database refuses the report of a run of {}: {}; it is kept in {}",
                    report.entity_type,
                    why.technical(database.secrets()),
                    aside.display()
                ))?;
            }
            Err(NotRecorded::Unreachable(why)) => {
                delivered.trouble = Some(format!(
                    "{}: {}",
                    database.identity(),
                    why.technical(database.secrets())
                ));
                break;
            }
        }
    }
    if let Some(recorder) = recorder {
        recorder.close().await;
    }
    Ok(delivered)
}
