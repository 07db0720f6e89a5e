//! `syncmon build`: read once, judge, render, publish.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, SubsecRound, Utc};

use super::{Outcome, say};
use crate::cli::BuildOptions;
use crate::config::Config;
use crate::demo;
use crate::health::{Reading, Source, assess};
use crate::kept::{Kept, make_state_directory, state_directory};
use crate::masking::mask_known;
use crate::model::Snapshot;
use crate::publish::{self, Opened, Published};
use crate::render::Look;
use crate::store::{self, Database, Limits, Unreadable};
use crate::views::{self, Site, Speaker};

/// Of a build's time, what is left for rendering and publishing once reading has to end.
const TIME_TO_PUBLISH: Duration = Duration::from_secs(5);

pub async fn run(options: BuildOptions) -> Result<Outcome> {
    // No finer than the databases: other programs should find moments that they can read.
    let now = options.now.unwrap_or_else(Utc::now).trunc_subsecs(6);
    let narrator = Narrator {
        verbose: options.verbose,
        started: Instant::now(),
    };
    let config = Config::load(options.config.as_deref())?;
    let look = Look::load(options.templates.as_deref())?;
    let state = state_directory(options.state_dir.as_deref())?;
    let database = if options.demo {
        Database::Sqlite(state.join(demo::FILE))
    } else {
        super::database()?
    };
    let target = match publish::open(&options.out, options.demo, &state)? {
        Opened::Ready(target) => target,
        Opened::Busy => {
            say(&format!(
                "another build is at work on {}; left it to that one",
                options.out.display()
            ));
            return Ok(Outcome::Done);
        }
    };
    make_state_directory(&state)?;
    if options.demo {
        narrator.tell("inventing 90 days of history");
        store::fill(&state.join(demo::FILE), &demo::history(now)).await?;
    }

    narrator.tell(&format!("reading {}", database.identity()));
    let taken = store::read(&database, now, options.now.is_some(), limits(&config)).await;
    let kept = Kept::new(state, database.identity());
    let outcome = if taken.is_ok() {
        Outcome::Done
    } else {
        Outcome::Unreadable
    };
    let (reading, keeping) = reading(taken, &kept, &database, now);

    let assessment = assess(reading, &config.policy, now);
    let site = Site {
        title: &config.title,
        demo: options.demo,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
    };
    narrator.tell("rendering");
    let files = look.render(&assessment, site)?;
    narrator.tell(&format!("publishing {} files", files.len()));
    let published = publish::publish(&target, &files, options.demo)
        .with_context(|| format!("the site in {} was not replaced", options.out.display()))?;
    keeping?;

    warn_once(published, &options.out);
    if options.verbose || !options.quiet {
        print!("{}", views::terminal(&assessment, site));
        println!("\nOpen {}", index(&target.live));
    }
    narrator.tell("done");
    Ok(outcome)
}

/// A site that cannot be exchanged as a whole is published all the same; that is said when it begins.
fn warn_once(published: Published, out: &Path) {
    match published {
        Published::AtOnce | Published::FileByFile { news: false } => {}
        Published::FileByFile { news: true } => say(&format!(
            "{} cannot be exchanged as a whole (a mount point, or its parent is not writable); \
             published file by file, in a safe order",
            out.display()
        )),
    }
}

/// What there is to go on: the new snapshot, or the last good one and why there is no newer. The
/// second value says whether what has to be kept for the next build was kept; a build that could
/// not keep it publishes first and fails then.
fn reading(
    taken: Result<Snapshot, Unreadable>,
    kept: &Kept,
    database: &Database,
    now: DateTime<Utc>,
) -> (Reading, Result<()>) {
    match taken {
        Ok(snapshot) => {
            let keeping = kept.keep_snapshot(&snapshot);
            (
                Reading {
                    snapshot: Some(snapshot),
                    source: Source::Read,
                },
                keeping,
            )
        }
        Err(unreadable) => {
            say(&format!(
                "the database could not be read ({}): {}",
                database.identity(),
                mask_known(&unreadable.technical, database.secrets())
            ));
            let (since, keeping) = match kept.outage_since(now) {
                Ok(since) => (since, Ok(())),
                Err(error) => (now, Err(error)),
            };
            let message = unreadable.plain.to_owned();
            let source = Source::Unreachable { since, message };
            (
                Reading {
                    snapshot: kept.snapshot(),
                    source,
                },
                keeping,
            )
        }
    }
}

/// Reading ends early enough for a page that says so.
fn limits(config: &Config) -> Limits {
    let read = config
        .build_timeout
        .saturating_sub(TIME_TO_PUBLISH)
        .max(config.build_timeout / 2);
    Limits {
        connect: config.connect_timeout.min(read),
        read,
    }
}

fn index(live: &Path) -> String {
    let current = std::env::current_dir().unwrap_or_default();
    let index = live.join("index.html");
    index
        .strip_prefix(current)
        .unwrap_or(&index)
        .display()
        .to_string()
}

/// Says on standard error what is being done, if that was asked for.
struct Narrator {
    verbose: bool,
    started: Instant,
}

impl Narrator {
    fn tell(&self, what: &str) {
        if self.verbose {
            eprintln!("{:>6} ms  {what}", self.started.elapsed().as_millis());
        }
    }
}
