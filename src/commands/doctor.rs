//! `syncmon doctor`: every link of the chain, from the configuration to the reader, is looked at and told of. Nothing is
//! written but the findings.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Outcome;
use super::examining::{Chain, credentials, environment_files, grounds, keeping, paper, visit_of};
use super::telling::tell;
use crate::cli::DoctorOptions;
use crate::config::Config;
use crate::doctor::{self, Condition, EnvironmentFile, Link, Publication, Seen, StatusFile};
use crate::kept::state_directory;
use crate::model::Snapshot;
use crate::publish;
use crate::store::{self, Database, Limits};
use crate::views::Speaker;
use crate::visit::Visitor;

/// How long looking at a directory may take: one on another machine may never answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// `environment` is why an environment file was refused.
pub async fn run(options: &DoctorOptions, environment: Option<anyhow::Error>) -> Result<Outcome> {
    let now = Utc::now();
    let mut chain = Chain::begin();
    let (config, files) = configuration(&mut chain, options, environment);
    // What does not depend on the configuration is looked at by what is built in.
    let own = config.is_some();
    let config = config.map_or_else(|| Config::parse("", Path::new("syncmon.toml")), Ok)?;
    let speaker = Speaker {
        zone: config.time_zone,
        now,
    };
    let database = database(&mut chain, &files);
    let snapshot = if let Some(database) = &database {
        look_into(&mut chain, database, &config, speaker).await
    } else {
        chain.skip(&DATABASE_LINKS, "no database is known");
        None
    };
    chain.look(Link::Thresholds);
    chain.add(match &snapshot {
        Some(snapshot) if own => doctor::thresholds(snapshot, &config.policy, speaker),
        Some(_) => Seen::skipped(Link::Thresholds, "the configuration is refused"),
        None => Seen::skipped(Link::Thresholds, "no rows were read"),
    });
    let identity = database.as_ref().map(Database::identity);
    directories(&mut chain, options, identity, &config, speaker).await;
    served(&mut chain, options, &config, speaker).await;

    let links = chain.end();
    tell(&if options.json {
        doctor::json(&links, now)
    } else {
        doctor::text(&links, paper())
    })?;
    let is_broken = |seen: &Seen| seen.condition() == Condition::Problem;
    Ok(if links.iter().any(is_broken) {
        Outcome::Broken
    } else {
        Outcome::Done
    })
}

/// The links that take a connection.
const DATABASE_LINKS: [Link; 6] = [
    Link::Connection,
    Link::Role,
    Link::Tables,
    Link::Index,
    Link::Rows,
    Link::Clock,
];

/// The configuration, unless it is refused, and the environment files.
fn configuration(
    chain: &mut Chain,
    options: &DoctorOptions,
    refused: Option<anyhow::Error>,
) -> (Option<Config>, Vec<EnvironmentFile>) {
    chain.look(Link::Configuration);
    let files = environment_files();
    let file = Config::file_in_force(options.config.as_deref());
    let config = Config::load(options.config.as_deref());
    let refused = refused.map(|error| format!("{error:#}"));
    let refusal = config.as_ref().err().map(ToString::to_string);
    chain.add(doctor::configuration(&doctor::ConfigurationFacts {
        environment: &files,
        environment_refused: refused.as_deref(),
        file: file.as_deref(),
        config: match (&config, &refusal) {
            (Ok(config), _) => Ok(config),
            (Err(_), refusal) => Err(refusal.as_deref().unwrap_or_default()),
        },
    }));
    (config.ok(), files)
}

fn database(chain: &mut Chain, files: &[EnvironmentFile]) -> Option<Database> {
    chain.look(Link::Database);
    match super::database() {
        Ok(database) => {
            chain.hide(database.secrets());
            chain.add(doctor::database(Ok(&database.identity()), files));
            Some(database)
        }
        Err(refusal) => {
            chain.add(doctor::database(Err(&format!("{refusal:#}")), files));
            None
        }
    }
}

/// Everything that the database can tell, and what a build would read.
async fn look_into(
    chain: &mut Chain,
    database: &Database,
    config: &Config,
    speaker: Speaker,
) -> Option<Snapshot> {
    let limits = Limits {
        connect: config.connect_timeout,
        read: config.build_timeout,
    };
    let way = database.way();
    chain.look(Link::Connection);
    let begun = Utc::now();
    let examined = match store::examine(database, limits).await {
        Ok(examined) => examined,
        Err(why) => {
            chain.add(doctor::no_connection(&why, database.secrets()));
            chain.skip(&DATABASE_LINKS[1..], "there is no connection");
            return None;
        }
    };
    chain.add(doctor::connection(&way, &examined, config.connect_timeout));
    chain.look(Link::Role);
    match &examined.says {
        Ok(examination) => {
            chain.add(doctor::role(examination));
            chain.add(doctor::tables(examination));
            chain.add(doctor::index(examination));
        }
        Err(why) => {
            let (what, remedy) = (why.what(database.secrets()), why.remedy());
            chain.add(Seen::broken(Link::Role, what, remedy));
            chain.skip(&[Link::Tables, Link::Index], "the database did not say");
        }
    }
    chain.look(Link::Rows);
    let snapshot = if chain.is_broken(Link::Tables) {
        chain.skip(&[Link::Rows], "the tables cannot be read");
        None
    } else {
        rows(chain, database, config, limits, speaker).await
    };
    chain.add(doctor::clock(&way, &examined, begun));
    snapshot
}

async fn rows(
    chain: &mut Chain,
    database: &Database,
    config: &Config,
    limits: Limits,
    speaker: Speaker,
) -> Option<Snapshot> {
    let begun = Instant::now();
    let since = speaker.start_of_history(config.policy.history_days);
    let read = store::read(database, speaker.now, false, since, limits).await;
    chain.add(doctor::rows(
        read.as_ref(),
        begun.elapsed(),
        &config.policy,
        database.secrets(),
        speaker.now,
    ));
    read.ok().filter(|_| !chain.is_broken(Link::Rows))
}

/// Where the site goes, where things are kept, and what lies there.
async fn directories(
    chain: &mut Chain,
    options: &DoctorOptions,
    identity: Option<String>,
    config: &Config,
    speaker: Speaker,
) {
    chain.look(Link::Output);
    let state = state_directory(options.state_dir.as_deref()).map_err(|error| format!("{error:#}"));
    // Without a state directory there is none that could lie within the site.
    let private = state.clone().unwrap_or_else(|_| "/nonexistent".into());
    let out = options.out.clone();
    let looked = in_time(move || grounds(&out, &private)).await;
    let publishable = matches!(looked, Some(Ok(_)));
    chain.add(match looked {
        Some(looked) => looked.unwrap_or_else(|refusal| doctor::no_output(&options.out, &refusal)),
        None => too_late(Link::Output),
    });

    chain.look(Link::State);
    chain.add(match state {
        Ok(state) => in_time(move || keeping(&state, identity, speaker))
            .await
            .unwrap_or_else(|| too_late(Link::State)),
        Err(refusal) => doctor::no_state(&refusal),
    });

    chain.look(Link::Published);
    chain.add(if publishable {
        let (out, interval) = (options.out.clone(), config.policy.interval);
        in_time(move || last_publish(&out, interval, speaker))
            .await
            .unwrap_or_else(|| too_late(Link::Published))
    } else {
        Seen::skipped(Link::Published, "the output directory is refused")
    });
}

fn last_publish(out: &Path, interval: chrono::TimeDelta, speaker: Speaker) -> Seen {
    let found = publish::Manifest::of(out)
        .and_then(|manifest| Ok((manifest, publish::published(out, "status.json")?)));
    let publication = match &found {
        Ok((None, _)) => Publication::Nothing,
        Ok((Some(_), Some(text))) => Publication::Site(text),
        Ok((Some(_), None)) => Publication::WithoutStatus,
        Err(error) => return Seen::refused(Link::Published, &format!("{error:#}")),
    };
    doctor::published(&publication, interval, speaker)
}

/// The page as a reader's browser gets it.
async fn served(chain: &mut Chain, options: &DoctorOptions, config: &Config, speaker: Speaker) {
    chain.look(Link::Served);
    let Some(url) = options.url.as_ref().or(config.url.as_ref()).cloned() else {
        chain.skip(&[Link::Served], "no address was given with --url");
        return;
    };
    let visitor = credentials().and_then(|key| {
        if let Some((_, password)) = &key {
            chain.hide(std::slice::from_ref(password));
        }
        Visitor::new(key.as_ref().map(|(user, password)| (&**user, &**password)))
    });
    let visitor = match visitor {
        Ok(visitor) => visitor,
        Err(error) => {
            chain.add(Seen::refused(Link::Served, &format!("{error:#}")));
            return;
        }
    };
    let out = options.out.clone();
    let visited = spawn_blocking(move || {
        let before = built_at(&out);
        let mut visit = visit_of(&visitor, url, some_page(&out).as_deref());
        visit.published = before.into_iter().chain(built_at(&out)).collect();
        visit
    });
    chain.add(match visited.await {
        Ok(visit) => doctor::served(&visit, speaker),
        Err(_panic) => Seen::broken(
            Link::Served,
            "the answer could not be understood",
            "check the address given with --url",
        ),
    });
}

fn site_status(out: &Path) -> Option<StatusFile> {
    StatusFile::parse(&publish::published(out, "status.json").ok()??)
}

fn built_at(out: &Path) -> Option<DateTime<Utc>> {
    site_status(out).map(|status| status.generated_at)
}

fn some_page(out: &Path) -> Option<String> {
    site_status(out)?.some_page()
}

/// Looks at something on disk; `None` if that takes too long.
async fn in_time<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    timeout(PATIENCE, spawn_blocking(look)).await.ok()?.ok()
}

fn too_late(link: Link) -> Seen {
    Seen::broken(
        link,
        "its file system does not answer within 10 s",
        "look whether it is on another machine that is away (mount, dmesg)",
    )
}
