//! `syncmon build`: read once, judge, render, publish.

use std::mem::forget;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, SubsecRound, Utc};
use futures_util::future::join;
use url::Url;

use super::Outcome;
use super::alerting::Alerting;
use super::deadline::within;
use super::measuring::write_metrics;
use super::progress::Progress;
use super::reading::{Taken, make_the_best_of};
use super::remembering::{Remembered, carry_on};
use super::stopping::undisturbed;
use super::telling::{say, tell};
use crate::cli::BuildOptions;
use crate::config::Config;
use crate::demo;
use crate::health::{Assessment, Source, assess};
use crate::kept::{Alone, Kept, alone_in, make_state_directory, state_directory};
use crate::publish::{self, Opened, Published, Target};
use crate::render::Look;
use crate::store::{self, Database, Limits};
use crate::views::programs::{Build, Report, metrics};
use crate::views::{self, Site, Speaker};

/// Of a build's time, what is left for rendering and publishing once reading has to end.
const TIME_TO_PUBLISH: Duration = Duration::from_secs(5);

pub async fn run(options: BuildOptions) -> Result<Outcome> {
    let config = Config::load(options.config.as_deref())?;
    let url = config.url.as_ref().map(Url::to_string);
    let mut alerting = Alerting::prepared(&config.alerts, url, options.demo)?;
    let mut progress = Progress::begin(options.quiet).verbose(options.verbose);
    let ended = build(&options, &config, &mut alerting, &mut progress).await;
    alerting.tell(&ended, &mut progress);
    if ended.is_ok() {
        progress.step("done");
    }
    ended
}

async fn build(
    options: &BuildOptions,
    config: &Config,
    alerting: &mut Alerting<'_>,
    progress: &mut Progress,
) -> Result<Outcome> {
    // No finer than the databases: other programs should find moments that they can read.
    let now = options.now.unwrap_or_else(Utc::now).trunc_subsecs(6);
    let look = Look::load(options.templates.as_deref(), &config.brand)?;
    let site = site(config, options.demo, now);
    within(TIME_TO_PUBLISH, || look.rehearse(site))?;
    let state = state_directory(options.state_dir.as_deref())?;
    let database = database(options.demo, &state)?;
    let Some(target) = free(
        publish::open(&options.out, options.demo, &state)?,
        &options.out,
    )?
    else {
        return Ok(Outcome::Done);
    };
    make_state_directory(&state)?;
    let alone = if options.demo {
        progress.step("inventing 90 days of history");
        Some(invent(&state, now, config.build_timeout).await?)
    } else {
        None
    };

    progress.step(&format!("reading {}", database.identity()));
    let since = site.speaker.start_of_history(config.policy.history_days);
    let clock_given = options.now.is_some();
    // While the database works out its answer there is time for what does not depend on it.
    let (taken, (cleared, assets)) = join(
        store::read(&database, now, clock_given, since, limits(config)),
        async { (publish::clear(&target), look.assets()) },
    )
    .await;
    drop(alone);
    let kept = Kept::new(state, database.identity());
    let Taken { reading, keeping } = make_the_best_of(taken, &kept, &database, now);
    let outcome = outcome(&reading.source);
    let assessment = assess(reading, &config.policy, now);
    let undelivered = alerting.undelivered(&kept);
    let site = Site {
        undelivered: undelivered.as_deref(),
        ..site
    };
    let Remembered { journal, keeping } = carry_on(&kept, &assessment, options.demo, keeping);
    progress.step("rendering");
    let report = Report {
        assessment: &assessment,
        journal: &journal,
        site,
    };
    let left = config.build_timeout.saturating_sub(progress.elapsed());
    let left = left.max(TIME_TO_PUBLISH);
    let mut files = assets?;
    files.extend(within(left, || look.render_all(report, config.outputs))?);
    progress.step(&format!("publishing {} files", files.len()));
    let published = cleared
        .and_then(|()| undisturbed(|| publish::publish(&target, &files, options.demo)))
        .with_context(|| format!("the site in {} was not replaced", options.out.display()))?;
    alerting.decide(&assessment, site, kept, &database.identity());
    keeping.and(measure(options, &assessment, progress))?;

    warn_once(published, &options.out)?;
    if options.verbose || !options.quiet {
        tell_verdicts(&assessment, site, &target)?;
    }
    // The process ends here: taking these apart first would cost what a tenth of reading costs.
    forget((files, assessment));
    progress.told().map(|()| outcome)
}

fn outcome(source: &Source) -> Outcome {
    match source {
        Source::Read => Outcome::Done,
        Source::Unreachable { .. } => Outcome::Unreadable,
    }
}

fn database(demo: bool, state: &Path) -> Result<Database> {
    if demo {
        Ok(Database::Sqlite(state.join(demo::FILE)))
    } else {
        super::database()
    }
}

/// Writes the metrics where that is asked for.
fn measure(options: &BuildOptions, assessment: &Assessment, progress: &Progress) -> Result<()> {
    let Some(path) = &options.metrics_file else {
        return Ok(());
    };
    let build = Build {
        took: progress.elapsed(),
        demo: options.demo,
    };
    write_metrics(path, &metrics(assessment, build))
}

pub fn site(config: &Config, demo: bool, now: DateTime<Utc>) -> Site<'_> {
    Site {
        title: &config.title,
        footer: config.brand.footer.as_deref(),
        demo,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
        undelivered: None,
        url: config.url.as_ref(),
        feed: config.outputs.feed,
    }
}

fn tell_verdicts(assessment: &Assessment, site: Site, target: &Target) -> Result<()> {
    let verdicts = views::terminal(assessment, site);
    tell(&format!("{verdicts}\nOpen {}\n", index(&target.live)))
}

/// The directory to publish into, unless another build is at work on it, which is said.
fn free(opened: Opened, out: &Path) -> Result<Option<Target>> {
    match opened {
        Opened::Ready(target) => Ok(Some(target)),
        Opened::Busy => {
            let place = out.display();
            say(&format!(
                "another build is at work on {place}; left it to that one"
            ))?;
            Ok(None)
        }
    }
}

/// Fills the demo's database. While what is returned lives, no other demo with the same state directory
/// takes it from under this one.
async fn invent(state: &Path, now: DateTime<Utc>, patience: Duration) -> Result<Alone> {
    let alone = alone_in(state, demo::LOCK, patience)?;
    store::fill(&state.join(demo::FILE), demo::history(now)).await?;
    Ok(alone)
}

/// A site that cannot be exchanged as a whole is published all the same; that is said when it begins.
pub fn warn_once(published: Published, out: &Path) -> Result<()> {
    match published {
        Published::AtOnce | Published::FileByFile { news: false } => Ok(()),
        Published::FileByFile { news: true } => say(&format!(
            "{} cannot be exchanged as a whole (a mount point, or its parent is not writable); \
             published file by file, in a safe order",
            out.display()
        )),
    }
}

/// Reading ends early enough for a page that says so.
pub fn limits(config: &Config) -> Limits {
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
