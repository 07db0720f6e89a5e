//! `syncmon publish`: a site that another machine built and sent here goes live, if it is whole and newer.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::Outcome;
use super::build::warn_once;
use super::progress::Progress;
use super::stopping::undisturbed;
use super::telling::{say, tell};
use crate::cli::PublishOptions;
use crate::doctor::StatusFile;
use crate::health::CLOCK_TOLERANCE;
use crate::publish::{self, Opened, Received, Target};
use crate::views::length;

/// Publishing takes moments: so long another one is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// By which a site tells what it is.
const STATUS: &str = "status.json";

pub fn run(options: &PublishOptions) -> Result<Outcome> {
    let PublishOptions { from, out, quiet } = options;
    let mut progress = Progress::begin(*quiet);
    progress.step(&format!("reading {}", from.display()));
    publish::lie_apart(from, out)?;
    let received = publish::receive(from)?;
    let sent = status_of(&received).ok_or_else(|| {
        anyhow!(
            "{STATUS} of the site that was sent to {} cannot be understood; build it anew with this version of \
             syncmon, and send it again",
            from.display()
        )
    })?;
    let demo = received.demo || sent.demo;
    progress.step(&format!("publishing {} files", received.files.len()));
    let Some(target) = free(options, demo)? else {
        say(&format!(
            "another build has been at work on {} for 10 seconds; nothing was published: try again",
            out.display()
        ))?;
        return Ok(Outcome::Unreadable);
    };
    let live = publish::published(&target.live, STATUS)?;
    let live = live.as_deref().and_then(StatusFile::parse);
    if let Some(reason) = reason_to_stay(&sent, live.as_ref(), Utc::now()) {
        return leave(options, reason);
    }
    let published = undisturbed(|| publish::publish(&target, &received.files, demo))
        .with_context(|| format!("the site in {} was not replaced", out.display()))?;
    warn_once(published, out)?;
    if !quiet {
        tell(&format!(
            "Published {} files in {}, built at {}.\n",
            received.files.len(),
            out.display(),
            sent.generated_at.to_rfc3339_opts(SecondsFormat::Secs, true)
        ))?;
    }
    Ok(Outcome::Done)
}

fn status_of(received: &Received) -> Option<StatusFile> {
    StatusFile::parse(received.bytes_of(STATUS)?)
}

/// The directory to publish into, once nobody else is at work on it. `None` if somebody stays.
fn free(options: &PublishOptions, demo: bool) -> Result<Option<Target>> {
    let until = Instant::now() + PATIENCE;
    loop {
        match publish::open(&options.out, demo, &options.from)? {
            Opened::Ready(target) => return Ok(Some(target)),
            Opened::Busy if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Opened::Busy => return Ok(None),
        }
    }
}

/// Why what is live stays, although what was sent is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It is later by so much.
    Later(TimeDelta),
    /// It shows data, and what was sent shows none.
    ShowsData,
}

/// A real site always replaces a demo. A live site from a clock that was ahead must not keep out all that come after
/// it.
fn reason_to_stay(
    sent: &StatusFile,
    live: Option<&StatusFile>,
    now: DateTime<Utc>,
) -> Option<Reason> {
    let live = live.filter(|live| live.demo == sent.demo)?;
    if sent.as_of.is_none() && live.as_of.is_some() {
        return Some(Reason::ShowsData);
    }
    let later = live.generated_at - sent.generated_at;
    (later > TimeDelta::zero() && live.generated_at <= now + CLOCK_TOLERANCE)
        .then_some(Reason::Later(later))
}

/// Says why the live site stays. That one is older than another is the way of things; that there are no data is not.
fn leave(options: &PublishOptions, reason: Reason) -> Result<Outcome> {
    let (from, out) = (options.from.display(), options.out.display());
    let (why, outcome) = match reason {
        Reason::Later(by) => (
            format!(
                "it was built {} later than what was sent to {from}",
                length(by)
            ),
            Outcome::Done,
        ),
        Reason::ShowsData => (
            format!(
                "what was sent to {from} shows no data, for its builder has never read the database; look at what \
                 the build says there"
            ),
            Outcome::Unreadable,
        ),
    };
    say(&format!("the site in {out} was left as it is: {why}"))?;
    Ok(outcome)
}
