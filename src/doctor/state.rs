//! The state directory: what is kept between builds.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::{Link, Seen};
use crate::kept::Earlier;
use crate::place::Place;
use crate::views::{Speaker, ago, counted};

/// What is to be known of it.
pub struct Keeping<'a> {
    pub place: &'a Place,
    /// When the kept snapshot of this database was taken. `None` if it is not known which database it is.
    pub snapshot: Option<&'a Earlier<DateTime<Utc>>>,
    /// Since when the builds could not read it.
    pub outage: Option<&'a Earlier<DateTime<Utc>>>,
    /// Files in it that others may read.
    pub exposed: &'a [PathBuf],
    /// How many runs wait to be told to the database.
    pub waiting: usize,
}

pub fn state(keeping: &Keeping, speaker: Speaker) -> Seen {
    if let Some(seen) = not_in_use(keeping.place) {
        return seen;
    }
    let seen = private(
        Seen::new(
            Link::State,
            format!(
                "{}{}",
                keeping.place.path.display(),
                snapshot(keeping, speaker)
            ),
        ),
        keeping,
    );
    remembered(seen, keeping, speaker)
}

/// A directory that is still to be made, or one that cannot be used.
fn not_in_use(place: &Place) -> Option<Seen> {
    let path = place.path.display();
    let Some(found) = place.found else {
        let folder = place.nearest.display();
        return Some(if place.nearest_writable {
            Seen::new(Link::State, format!("{path} will be made in {folder}"))
        } else {
            Seen::broken(
                Link::State,
                format!("{path} cannot be made: {folder} may not be written"),
                "run this as the user of the build, or give another directory with --state-dir",
            )
        });
    };
    if !found.is_folder {
        return Some(Seen::broken(
            Link::State,
            format!("{path} is not a folder"),
            "move it away, or give another directory with --state-dir",
        ));
    }
    (!found.readable || !found.writable).then(|| {
        Seen::broken(
            Link::State,
            format!(
                "{path} may not be read and written by the user who looks; it belongs to {}",
                found.owner
            ),
            "run this as the user of the build, or give another directory with --state-dir",
        )
    })
}

/// What is kept is nobody else's business.
fn private(mut seen: Seen, keeping: &Keeping) -> Seen {
    let path = keeping.place.path.display();
    let mode = keeping.place.found.map_or(0, |found| found.mode);
    if mode & 0o022 != 0 {
        seen = seen.problem(
            format!("others may write {path}: what is kept there could be forged"),
            format!("chmod go-w {path}"),
        );
    }
    if let [first, ..] = keeping.exposed {
        seen = seen.problem(
            format!(
                "others may read {}: texts of the database lie in it",
                first.display()
            ),
            format!("chmod go-rwx {}", first.display()),
        );
    }
    seen
}

/// What the builds, and the runs, have left there.
fn remembered(mut seen: Seen, keeping: &Keeping, speaker: Speaker) -> Seen {
    for earlier in [keeping.snapshot, keeping.outage].into_iter().flatten() {
        if let Earlier::Unusable(why) = earlier {
            let (says, remedy) = why.split_once(": ").unwrap_or((why, "move it away"));
            seen.summary.clear();
            seen = seen.problem(
                says,
                format!("{remedy}; until then there is nothing to fall back on"),
            );
        }
    }
    if let Some(Earlier::Known(since)) = keeping.outage {
        seen = seen.advice(
            format!(
                "the last build could not read the database, since {}",
                speaker.time_then_day(*since)
            ),
            "run syncmon build and see what it says, once the links above are in order",
        );
    }
    if keeping.waiting > 0 {
        let runs = i64::try_from(keeping.waiting).unwrap_or(i64::MAX);
        seen = seen.advice(
            format!(
                "{} the database has not been told of",
                counted(runs, "run that", "runs that")
            ),
            "syncmon flush, unless they are still going on",
        );
    }
    seen
}

fn snapshot(keeping: &Keeping, speaker: Speaker) -> String {
    match keeping.snapshot {
        Some(Earlier::Known(as_of)) => {
            format!(", with a snapshot read {}", ago(speaker.now - *as_of))
        }
        Some(Earlier::Nothing) => ", nothing kept of this database yet".to_owned(),
        Some(Earlier::Unusable(_)) | None => String::new(),
    }
}

/// Which directory it is cannot be said.
pub fn no_state(refusal: &str) -> Seen {
    Seen::refused(Link::State, refusal)
}
