//! What `syncmon doctor` finds: facts for [`crate::doctor`] to conclude from.

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use chrono::{DateTime, Utc};
use url::Url;

use super::progress::Progress;
use crate::doctor::{
    self, Condition, EnvironmentFile, Grounds, Keeping, Link, Paper, Plain, Seen, Step, Visit,
};
use crate::failure::UsageError;
use crate::kept::{Earlier, Kept};
use crate::place;
use crate::publish;
use crate::views::Speaker;
use crate::visit::Visitor;

/// The links that were looked at so far.
pub struct Chain {
    seen: Vec<Seen>,
    secrets: Vec<String>,
    progress: Progress,
}

impl Chain {
    pub fn begin() -> Chain {
        Chain {
            seen: Vec::new(),
            secrets: Vec::new(),
            progress: Progress::begin(false),
        }
    }

    /// Says which link is being looked at, if somebody waits for it.
    pub fn look(&mut self, link: Link) {
        self.progress.step(&doctor::progress(link));
    }

    /// From now on these appear in no finding.
    pub fn hide(&mut self, secrets: &[String]) {
        self.secrets.extend_from_slice(secrets);
    }

    pub fn add(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    pub fn skip(&mut self, links: &[Link], because: &str) {
        for link in links {
            self.add(Seen::skipped(*link, because));
        }
    }

    /// Whether a problem was found on this link.
    pub fn is_broken(&self, link: Link) -> bool {
        let found = self.seen.iter().find(|seen| seen.link == link);
        found.is_some_and(|seen| seen.condition() == Condition::Problem)
    }

    pub fn end(self) -> Vec<Seen> {
        let clean = |seen: Seen| seen.without(&self.secrets);
        self.seen.into_iter().map(clean).collect()
    }
}

/// What the findings are written on: a terminal, or something as wide as most of them.
pub fn paper() -> Paper {
    let out = std::io::stdout();
    let is_terminal = out.is_terminal();
    let columns = if is_terminal {
        rustix::termios::tcgetwinsize(&out).map_or(0, |size| size.ws_col)
    } else {
        0
    };
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    Paper {
        columns: match columns {
            0 => 80,
            columns => usize::from(columns).clamp(60, 100),
        },
        colours: is_terminal && !plain,
    }
}

/// The environment files that are there.
pub fn environment_files() -> Vec<EnvironmentFile> {
    let in_force = std::env::var("DATABASE_URL").ok();
    super::environment_files()
        .iter()
        .filter_map(|file| {
            let metadata = file.metadata().ok()?;
            let lines = dotenvy::from_path_iter(file).into_iter().flatten();
            let named = lines
                .map_while(Result::ok)
                .find(|(key, _)| key == "DATABASE_URL")
                .map(|(_, value)| value);
            Some(EnvironmentFile {
                name: file.display().to_string(),
                names_the_database: named.is_some() && named == in_force,
                open_to_others: metadata.mode() & 0o007 != 0,
            })
        })
        .collect()
}

/// Looks at the directory to publish into, or says why it is refused.
pub fn grounds(out: &Path, private: &Path) -> Result<Seen, String> {
    let inspected = publish::inspect(out, private).map_err(|error| format!("{error:#}"))?;
    let look = |path: &Path| {
        place::look_at(path).map_err(|error| {
            format!(
                "{} cannot be looked at ({error}); check its permissions and the disk",
                path.display()
            )
        })
    };
    let live = look(&inspected.live)?;
    let parent = look(inspected.live.parent().unwrap_or(&inspected.live))?;
    let workplace = if inspected.mounted || !parent.nearest_writable {
        &inspected.within
    } else {
        &inspected.beside
    };
    Ok(doctor::output(&Grounds {
        live: &live,
        parent: &parent,
        workplace: look(workplace)?.found,
        index: look(&inspected.live.join("index.html"))?.found,
        user: place::this_user(),
        inspected: &inspected,
    }))
}

/// Looks at the state directory, and at what it holds of this database.
pub fn keeping(directory: &Path, identity: Option<String>, speaker: Speaker) -> Seen {
    let place = match place::look_at(directory) {
        Ok(place) => place,
        Err(error) => {
            return Seen::broken(
                Link::State,
                format!("{} cannot be looked at ({error})", directory.display()),
                "check its permissions and the disk",
            );
        }
    };
    let kept = identity.map(|identity| Kept::new(directory.to_owned(), identity));
    let snapshot: Option<Earlier<DateTime<Utc>>> =
        kept.as_ref().map(|kept| match kept.snapshot() {
            Earlier::Known(snapshot) => Earlier::Known(snapshot.as_of),
            Earlier::Nothing => Earlier::Nothing,
            Earlier::Unusable(why) => Earlier::Unusable(why),
        });
    let outage = kept.as_ref().map(Kept::outage);
    let reports = place::files_in(&directory.join("runs"));
    let is_report = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "json");
    let exposed: Vec<PathBuf> = place::files_in(directory)
        .into_iter()
        .chain(reports.clone())
        .filter(|(path, mode)| is_report(path) && mode & 0o077 != 0)
        .map(|(path, _)| path)
        .collect();
    doctor::state(
        &Keeping {
            place: &place,
            snapshot: snapshot.as_ref(),
            outage: outage.as_ref(),
            exposed: &exposed,
            waiting: reports.iter().filter(|(path, _)| is_report(path)).count(),
        },
        speaker,
    )
}

/// User and password for the served page, which only the environment may hold.
pub fn credentials() -> Result<Option<(String, String)>> {
    let given = |name: &str| match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(UsageError::new(format!(
            "{name} is not UTF-8; write it anew"
        ))),
    };
    match (
        given("SYNCMON_DOCTOR_USER")?,
        given("SYNCMON_DOCTOR_PASSWORD")?,
    ) {
        (Some(user), Some(password)) => Ok(Some((user, password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(UsageError::new(
            "SYNCMON_DOCTOR_USER is set and SYNCMON_DOCTOR_PASSWORD is not; set both or neither",
        )
        .into()),
        (None, Some(_)) => Err(UsageError::new(
            "SYNCMON_DOCTOR_PASSWORD is set and SYNCMON_DOCTOR_USER is not; set both or neither",
        )
        .into()),
    }
}

/// Asks for the overview, `status.json` and a page of an entity; no further once nobody answers.
pub fn visit_of(visitor: &Visitor, url: Url, page: Option<&str>) -> Visit {
    let paths: Vec<&str> = ["", "status.json"].into_iter().chain(page).collect();
    let ask = |with_key: bool| {
        let mut steps = Vec::new();
        for path in &paths {
            let Ok(address) = url.join(path) else {
                continue;
            };
            let answer = if with_key {
                visitor.enter(&address)
            } else {
                visitor.knock(&address)
            };
            let is_over = answer.is_err();
            steps.push(Step {
                path: (*path).to_owned(),
                answer,
            });
            if is_over {
                break;
            }
        }
        steps
    };
    let shut = ask(false);
    let answers = shut.iter().all(|step| step.answer.is_ok());
    Visit {
        open: visitor
            .has_a_key()
            .then(|| if answers { ask(true) } else { Vec::new() }),
        plain: match plain(&url).filter(|_| answers) {
            Some(plain) => Plain::Asked(visitor.knock(&plain)),
            None => Plain::NotAsked,
        },
        shut,
        url,
        published: Vec::new(),
    }
}

/// The same address without encryption, where that is at its usual port.
fn plain(url: &Url) -> Option<Url> {
    if url.scheme() != "https" || url.port().is_some() {
        return None;
    }
    let mut plain = url.clone();
    plain.set_scheme("http").ok()?;
    Some(plain)
}
