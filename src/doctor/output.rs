//! The directory to publish into: whether a build could, and whether a web server could read it.

use std::path::Path;

use super::{Link, Seen};
use crate::place::{Found, Place};
use crate::publish::{CAN_EXCHANGE, Inspected};

/// With less than so many bytes no site is published, since both generations lie there for a while.
const TOO_LITTLE: u64 = 16 << 20;
/// Less than this is worth a word.
const LITTLE: u64 = 128 << 20;

/// What is to be known of the directory.
pub struct Grounds<'a> {
    pub inspected: &'a Inspected,
    pub live: &'a Place,
    pub parent: &'a Place,
    /// The hidden folder in which a site is staged, where there is one.
    pub workplace: Option<Found>,
    /// The overview in it, if there is one.
    pub index: Option<Found>,
    /// The number of the user who looks.
    pub user: u32,
}

pub fn output(grounds: &Grounds) -> Seen {
    let live = grounds.live;
    let path = live.path.display();
    let seen = match live.found {
        None if live.nearest_writable => {
            let folder = live.nearest.display();
            Seen::new(
                Link::Output,
                format!("{path} will be made in {folder}{}", space(live)),
            )
        }
        None => {
            return Seen::broken(
                Link::Output,
                format!(
                    "{path} cannot be made: {} may not be written by the user who looks (number {})",
                    live.nearest.display(),
                    grounds.user
                ),
                format!(
                    "run this as the user of the build, let that user write {}, or give another directory with --out",
                    live.nearest.display()
                ),
            );
        }
        Some(found) => match replaceable(grounds, found) {
            Ok(seen) => seen,
            Err(seen) => return seen,
        },
    };
    let seen = room(seen, live);
    let seen = reachable(seen, grounds);
    as_whom(seen, grounds)
}

/// How a site that is there would be replaced, or why it cannot be.
fn replaceable(grounds: &Grounds, found: Found) -> Result<Seen, Seen> {
    let path = grounds.live.path.display();
    let parent = grounds.parent.path.display();
    let owner = found.owner;
    let above = grounds.parent.found.is_some_and(|parent| parent.writable);
    let beside = CAN_EXCHANGE && !grounds.inspected.mounted && above;
    if !beside && !found.writable {
        return Err(Seen::broken(
            Link::Output,
            format!(
                "neither {path} nor {parent} may be written by the user who looks (number {}; it belongs to {owner})",
                grounds.user
            ),
            format!("run this as the user of the build, or as root: chown -R USER {path}"),
        ));
    }
    if grounds.workplace.is_some_and(|place| !place.is_folder) {
        let hidden = if beside {
            &grounds.inspected.beside
        } else {
            &grounds.inspected.within
        };
        return Err(Seen::broken(
            Link::Output,
            format!("{} is in the way and is not a folder", hidden.display()),
            "look into it and move it away",
        ));
    }
    let whose = format!("{path}, of user {owner}{}", space(grounds.live));
    if beside {
        return Ok(Seen::new(
            Link::Output,
            format!("{whose}, replaced as a whole"),
        ));
    }
    let because = if !CAN_EXCHANGE {
        "this operating system cannot exchange directories".to_owned()
    } else if grounds.inspected.mounted {
        "it is a mount point".to_owned()
    } else {
        format!("{parent} may not be written")
    };
    Ok(Seen::new(Link::Output, whose).note(format!(
        "replaced file by file, in a safe order, since {because}"
    )))
}

fn room(seen: Seen, live: &Place) -> Seen {
    match live.free {
        Some(free) if free < TOO_LITTLE => seen.problem(
            format!("only {} are free there", bytes(free)),
            "make room on that disk",
        ),
        Some(free) if free < LITTLE => seen.advice(
            format!("only {} are free there", bytes(free)),
            "make room on that disk",
        ),
        Some(_) | None => seen,
    }
}

/// Web servers run as somebody else.
fn reachable(seen: Seen, grounds: &Grounds) -> Seen {
    if let Some(closed) = &grounds.live.closed {
        return seen.advice(
            format!(
                "a web server passes {} only as its owner or in its group",
                closed.display()
            ),
            format!(
                "chmod o+x {}, or publish elsewhere with --out",
                closed.display()
            ),
        );
    }
    match grounds.index {
        Some(index) if index.mode & 0o004 == 0 => seen.problem(
            "the overview in it is closed to web servers: they answer 403",
            "the next build opens it; look for what closes it afterwards",
        ),
        Some(_) | None => seen,
    }
}

/// What root may do tells nothing of what the user of the build may.
fn as_whom(seen: Seen, grounds: &Grounds) -> Seen {
    let owner = grounds.live.found.map(|found| found.owner);
    match owner {
        Some(owner) if grounds.user == 0 && owner != 0 => seen.advice(
            "root looks, who may write everything: that the build may is not shown by this",
            format!("run this as the user of the build, for example: setpriv --reuid {owner} --clear-groups syncmon doctor"),
        ),
        Some(_) | None => seen,
    }
}

/// It was not even looked at.
pub fn no_output(out: &Path, refusal: &str) -> Seen {
    let (says, remedy) = super::taken_apart(refusal);
    let says = if says.contains(&*out.to_string_lossy()) {
        says
    } else {
        format!("{}: {says}", out.display())
    };
    Seen::broken(Link::Output, says, remedy)
}

fn space(place: &Place) -> String {
    place
        .free
        .map_or_else(String::new, |free| format!(", {} free", bytes(free)))
}

/// "1.5 GB", "340 MB".
fn bytes(number: u64) -> String {
    match number / 1_000_000 {
        megabytes @ ..1000 => format!("{megabytes} MB"),
        megabytes @ 1000..100_000 => format!("{}.{} GB", megabytes / 1000, megabytes % 1000 / 100),
        megabytes => format!("{} GB", megabytes / 1000),
    }
}
