//! What a page of the history says of its rows: how many there are, which are missing, and where
//! those are.

use std::collections::BTreeMap;

use super::super::runs::RunResult;
use super::super::times::counted;
use super::listing::{Day, Listing};
use super::pages::{Source, Subject};
use super::{DayOfRuns, MOST_ROWS};
use crate::health::EntityAssessment;
use crate::text::apart;

impl Source<'_> {
    /// The days of a page, newest first, each with its rows. A day without a run stands there too,
    /// except on the page of a result.
    pub fn days_of(&self, subject: Subject, here: &str, runs: &[usize]) -> Vec<DayOfRuns> {
        let Some(listing) = self.listing.filter(|_| !runs.is_empty()) else {
            return Vec::new();
        };
        let mut days: BTreeMap<Day, (Vec<usize>, usize)> = BTreeMap::new();
        for &day in listing.by_day.keys() {
            match subject {
                Subject::Everything | Subject::Entity(_) => {
                    days.entry(day).or_default();
                }
                Subject::Day(_) | Subject::Result(_) => {}
            }
        }
        for (index, &run) in runs.iter().enumerate() {
            let (of_day, listed) = days.entry(listing.runs[run].day).or_default();
            of_day.push(run);
            *listed += usize::from(index < MOST_ROWS);
        }
        days.into_iter()
            .rev()
            .map(|(day, (mut of_day, listed))| {
                let mut tally = tally(listing, subject, &of_day);
                if listed == 0 && !of_day.is_empty() {
                    tally.push_str("; none of them is listed here");
                } else if listed < of_day.len() {
                    tally = format!("{tally}; the newest {} are listed", number(listed));
                }
                let unlisted = of_day.len() - listed;
                of_day.truncate(listed);
                DayOfRuns {
                    date: day.key(),
                    name: listing.name_of(day),
                    tally,
                    href: (subject != Subject::Day(day))
                        .then(|| format!("{here}{}.html", Subject::Day(day).stem())),
                    runs: of_day,
                    unlisted,
                }
            })
            .collect()
    }

    /// How many runs there are, since when, and whether all of them are listed.
    pub fn shown(&self, subject: Subject, runs: &[usize]) -> String {
        let Some(listing) = self.listing else {
            return match self.assessment.as_of {
                None => "Nothing is known: the database could not be read.".to_owned(),
                Some(_) => "Nothing is known of these days.".to_owned(),
            };
        };
        if runs.is_empty() {
            return self.nothing(subject);
        }
        let since = match subject {
            Subject::Day(_) => String::new(),
            Subject::Everything | Subject::Entity(_) | Subject::Result(_) => {
                format!(" since {}", listing.first_day.format("%A %-d %B %Y"))
            }
        };
        let incomplete = self.incomplete(subject).next().is_some();
        let at_least = if incomplete { "At least " } else { "" };
        let listed = match runs.len() {
            1 if !incomplete => "it is listed".to_owned(),
            ..=MOST_ROWS if incomplete => "all that are known are listed".to_owned(),
            ..=MOST_ROWS => "all of them are listed".to_owned(),
            _ => format!("the newest {} of them are listed", number(MOST_ROWS)),
        };
        let (count, kinds) = counts(listing, subject, runs);
        let of_which = if kinds.is_empty() { "" } else { ": " };
        format!(
            "{at_least}{count}{since}{of_which}{}; {listed}.",
            kinds.join(", ")
        )
    }

    fn nothing(&self, subject: Subject) -> String {
        let days = match self.days() {
            1 => "today".to_owned(),
            days => format!("in these {days} days"),
        };
        match subject {
            Subject::Everything | Subject::Result(_) => format!("No run started {days}."),
            Subject::Day(_) => "No run started on this day.".to_owned(),
            Subject::Entity(entity_type) => {
                let entities = &mut self.assessment.entities.iter();
                let entity = entities.find(|entity| entity.policy.entity_type == entity_type);
                let name = entity.map_or_else(String::new, |entity| apart(&entity.policy.name));
                format!("No run of {name} started {days}.")
            }
        }
    }

    /// What a page does not list, and where that is.
    pub fn missing(&self, subject: Subject, runs: &[usize]) -> Vec<String> {
        let mut missing = Vec::new();
        if runs.len() > MOST_ROWS {
            let others = number(runs.len() - MOST_ROWS);
            missing.push(match subject {
                Subject::Everything | Subject::Result(_) => {
                    format!("The other {others} are on the pages of the days and of the syncs.")
                }
                Subject::Day(_) | Subject::Entity(_) => {
                    format!("The other {others} are on the pages of the syncs.")
                }
            });
        }
        missing.extend(self.incomplete(subject).map(|(entity, known)| {
            let oldest = known.last().map_or_else(String::new, |run| {
                let since = self.site.speaker.day_and_time(run.started_at);
                format!(", since {since}; what ran before is not listed")
            });
            format!(
                "Of {} only the newest {} runs are known{oldest}.",
                apart(&entity.policy.name),
                number(known.len())
            )
        }));
        missing
    }

    /// The entities that had too many runs, of those whose missing runs would belong here, and
    /// the runs that are known.
    fn incomplete(
        &self,
        subject: Subject,
    ) -> impl Iterator<Item = (&EntityAssessment, &[crate::model::Run])> {
        let entities = self.assessment.entities.iter().enumerate();
        entities
            .filter(move |(index, entity)| {
                let Some(listing) = self.listing.filter(|_| entity.observation.runs_cut) else {
                    return false;
                };
                let listed = &listing.by_entity[*index];
                let oldest = listed.last().map(|&run| listing.runs[run].day);
                // Otherwise what is missing lies before the first day.
                let known = listed
                    .iter()
                    .filter(|&&run| listing.runs[run].what.is_run());
                known.count() == entity.observation.runs.len()
                    && match subject {
                        Subject::Everything | Subject::Result(_) => true,
                        Subject::Entity(entity_type) => entity.policy.entity_type == entity_type,
                        Subject::Day(day) => oldest.is_some_and(|oldest| day <= oldest),
                    }
            })
            .map(|(_, entity)| (entity, &entity.observation.runs[..]))
    }
}

/// "143 runs, 2 failed"
fn tally(listing: &Listing, subject: Subject, runs: &[usize]) -> String {
    let (count, kinds) = counts(listing, subject, runs);
    [vec![count], kinds].concat().join(", ")
}

/// "143 runs", and of which kinds people ask first: "2 failed".
fn counts(listing: &Listing, subject: Subject, runs: &[usize]) -> (String, Vec<String>) {
    let counted =
        |count: usize, one, many| counted(i64::try_from(count).unwrap_or(i64::MAX), one, many);
    let expected = runs.iter().filter(|&&run| !listing.runs[run].what.is_run());
    let expected = expected.count();
    let count = match runs.len() - expected {
        0 => "no run".to_owned(),
        count => counted(count, "run", "runs"),
    };
    match subject {
        // All of one kind.
        Subject::Result(RunResult::NothingRecorded) => {
            let count = counted(expected, "expected run", "expected runs");
            return (count, Vec::new());
        }
        Subject::Result(_) => return (count, Vec::new()),
        Subject::Everything | Subject::Entity(_) | Subject::Day(_) => {}
    }
    let mut kinds = Vec::new();
    for result in [RunResult::Failed, RunResult::Unfinished, RunResult::Stuck] {
        let of_kind = runs
            .iter()
            .filter(|&&run| listing.runs[run].result == result);
        let count = of_kind.count();
        if count > 0 {
            kinds.push(format!("{} {}", number(count), result.word()));
        }
    }
    if expected > 0 {
        kinds.push(format!("{} expected without a trace", number(expected)));
    }
    (count, kinds)
}

fn number(count: usize) -> String {
    crate::text::grouped(count as u64)
}
