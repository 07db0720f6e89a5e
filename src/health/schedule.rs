//! When runs are expected: a schedule as cron has it, and the times in which nothing is expected
//! (`docs/verdict.md`, "Schedules").

use chrono::offset::LocalResult;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// When the runs of an entity are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields; evaluated in `time_zone`.
    pub cron: Cron,
    pub time_zone: Tz,
    /// How long after its due time a run has to have succeeded.
    pub grace: TimeDelta,
    /// A success so long before a due time meets it too.
    pub early: TimeDelta,
    /// Runs that were due before are not expected; `None` if the schedule has always held.
    pub since: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Every due time after a moment that lies in no pause, oldest first; those before 1970 are of no interest to anybody.
    ///
    /// Across changes of the clock it goes as with the cron that starts the runs: a fixed time that is left out comes
    /// due when the gap ends, and one that comes twice is due the first time; `*` comes due as often as the clock
    /// shows it.
    pub fn dues_after<'a>(
        &'a self,
        moment: DateTime<Utc>,
        pauses: &'a Pauses,
    ) -> impl Iterator<Item = DateTime<Utc>> + 'a {
        let moment = moment.max(DateTime::UNIX_EPOCH);
        // A run that is due at the very beginning is expected.
        let since = self.since.map(just_before);
        let mut dues = self.all_after(since.map_or(moment, |since| since.max(moment)));
        std::iter::from_fn(move || {
            loop {
                let due = dues.next()?;
                match pauses.at(due) {
                    None => return Some(due),
                    Some(pause) => dues = self.all_after(just_before(pause.until)),
                }
            }
        })
    }

    fn all_after(&self, moment: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + use<'_> {
        let is_fixed = self.has_fixed_times();
        self.cron
            .iter_after(moment.with_timezone(&self.time_zone))
            .filter(move |due| !is_fixed || !is_second_of_two(due))
            .map(|due| due.with_timezone(&Utc))
    }

    /// As it was configured: "0 2 * * *".
    pub fn text(&self) -> &str {
        self.cron.as_str()
    }

    /// Neither minutes nor hours are given by `*`.
    fn has_fixed_times(&self) -> bool {
        let mut fields = self.text().split_ascii_whitespace();
        fields.by_ref().take(2).all(|field| !field.starts_with('*'))
    }
}

fn just_before(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment - TimeDelta::microseconds(1)
}

/// Whether the clock has shown this time before on the same night.
fn is_second_of_two(due: &DateTime<Tz>) -> bool {
    match due.timezone().from_local_datetime(&due.naive_local()) {
        LocalResult::Ambiguous(first, _) => *due != first,
        LocalResult::Single(_) | LocalResult::None => false,
    }
}

/// A time in which nothing is expected: a maintenance window or a closing day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub until: DateTime<Utc>,
    /// Why, as it was configured; `None` for a closing day.
    pub why: Option<String>,
}

/// All pauses of an entity, in the order in which they begin. They may overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pauses(Vec<Pause>);

impl Pauses {
    pub fn at(&self, moment: DateTime<Utc>) -> Option<&Pause> {
        self.0
            .iter()
            .find(|pause| (pause.from..pause.until).contains(&moment))
    }

    /// The moment at which so much time outside all pauses has gone by since `from`, in microseconds since 1970.
    pub fn moment_after(&self, from: i64, time: i64) -> i64 {
        let mut end = from.saturating_add(time);
        let mut counted_to = from;
        for pause in &self.0 {
            let begins = pause.from.timestamp_micros().max(counted_to);
            let ends = pause.until.timestamp_micros();
            if begins > end {
                break;
            }
            if ends > begins {
                end = end.saturating_add(ends - begins);
                counted_to = ends;
            }
        }
        end
    }
}

impl From<Vec<Pause>> for Pauses {
    fn from(mut pauses: Vec<Pause>) -> Pauses {
        pauses.sort();
        Pauses(pauses)
    }
}

#[cfg(test)]
mod properties;
