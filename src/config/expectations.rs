//! When runs are expected, when not, and which of them count: schedules, pauses and actions of the file.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use toml::Spanned;

use super::file::{EntityTable, File, MaintenanceTable};
use super::source::Source;
use crate::failure::UsageError;
use crate::health::{Pause, Pauses, Schedule};
use crate::text::word;

/// The years in which anything is expected.
const CALENDAR: std::ops::Range<i32> = 1970..3000;

/// How many closing days can be listed.
const MOST_PAUSES: usize = 1000;

/// What is expected of an entity besides thresholds; what it does not say itself, it takes from all.
#[derive(Debug, Clone)]
pub struct Expectations {
    pub zone: Tz,
    pub schedule: Option<Schedule>,
    pub pauses: Pauses,
    pub actions: Option<Vec<String>>,
    /// In force for an entity that sets a schedule of its own.
    grace: TimeDelta,
    early: TimeDelta,
    since: Option<DateTime<Utc>>,
    written: Vec<Pause>,
}

/// The keys of the file or of one of its entities.
struct Keys<'a> {
    schedule: Option<&'a Spanned<String>>,
    grace: Option<&'a Spanned<String>>,
    early: Option<&'a Spanned<String>>,
    since: Option<&'a Spanned<toml::Value>>,
    except: &'a [Spanned<toml::Value>],
    maintenance: &'a [MaintenanceTable],
    actions: Option<&'a [Spanned<String>]>,
}

impl Source<'_> {
    /// What is expected of every entity that says nothing else.
    pub fn expectations(&self, file: &File) -> Result<Expectations, UsageError> {
        let zone = self.zone(file.time_zone.as_ref())?;
        let nothing = Expectations {
            zone,
            schedule: None,
            pauses: Pauses::default(),
            actions: None,
            grace: TimeDelta::hours(1),
            early: TimeDelta::minutes(15),
            since: None,
            written: Vec::new(),
        };
        let keys = Keys {
            schedule: file.schedule.as_ref(),
            grace: file.grace.as_ref(),
            early: file.early.as_ref(),
            since: file.schedule_since.as_ref(),
            except: file.except.as_deref().unwrap_or_default(),
            maintenance: file.maintenance.as_deref().unwrap_or_default(),
            actions: file.actions.as_deref(),
        };
        self.expected(&keys, &nothing, zone)
    }

    pub fn expectations_of(
        &self,
        entity: &EntityTable,
        of_all: &Expectations,
    ) -> Result<Expectations, UsageError> {
        let zone = match &entity.time_zone {
            Some(_) => self.zone(entity.time_zone.as_ref())?,
            None => of_all.zone,
        };
        let keys = Keys {
            schedule: entity.schedule.as_ref(),
            grace: entity.grace.as_ref(),
            early: entity.early.as_ref(),
            since: entity.schedule_since.as_ref(),
            except: entity.except.as_deref().unwrap_or_default(),
            maintenance: entity.maintenance.as_deref().unwrap_or_default(),
            actions: entity.actions.as_deref(),
        };
        self.expected(&keys, of_all, zone)
    }

    fn expected(
        &self,
        keys: &Keys,
        of_all: &Expectations,
        zone: Tz,
    ) -> Result<Expectations, UsageError> {
        let grace = self.duration("grace", keys.grace, of_all.grace)?;
        let early = self.duration("early", keys.early, of_all.early)?;
        let since = match keys.since {
            Some(value) => Some(self.moment("schedule_since", value, zone)?),
            None => of_all.since,
        };
        let cron = match (keys.schedule, &of_all.schedule) {
            (Some(written), _) => Some(self.cron(written)?),
            (None, of_all) => of_all.as_ref().map(|schedule| schedule.cron.clone()),
        };
        let mut written = of_all.written.clone();
        for day in keys.except {
            written.push(self.closing_day(day, zone)?);
        }
        for window in keys.maintenance {
            written.push(self.maintenance(window, zone)?);
        }
        if let Some(one_too_many) = keys.except.get(MOST_PAUSES) {
            let problem = format!("more than {MOST_PAUSES} days are listed; keep fewer");
            return Err(self.refuse(one_too_many.span(), "except", &problem));
        }
        Ok(Expectations {
            zone,
            schedule: cron.map(|cron| Schedule {
                cron,
                time_zone: zone,
                grace,
                early,
                since,
            }),
            pauses: written.clone().into(),
            actions: match keys.actions {
                Some(actions) => Some(self.actions(actions)?),
                None => of_all.actions.clone(),
            },
            grace,
            early,
            since,
            written,
        })
    }

    fn cron(&self, value: &Spanned<String>) -> Result<croner::Cron, UsageError> {
        let refuse = |problem: &str| {
            let problem = format!(
                "{:?} {problem}; write five fields as for cron, for example \"0 2 * * *\" for every day at 02:00",
                word(value.as_ref())
            );
            self.refuse(value.span(), "schedule", &problem)
        };
        let fields = value.as_ref().split_ascii_whitespace().count();
        if fields != 5 {
            return Err(refuse("is no schedule"));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(value.as_ref())
            .map_err(|_| refuse("is no schedule"))?;
        // Any day will do: dates that never come, such as 31 February, do not come later either.
        let some_day = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_454);
        match cron.find_next_occurrence(&some_day, false) {
            Ok(_) => Ok(cron),
            Err(_) => Err(refuse("never comes due")),
        }
    }

    fn closing_day(&self, value: &Spanned<toml::Value>, zone: Tz) -> Result<Pause, UsageError> {
        let text = as_text(value.as_ref());
        let date = text.trim().parse::<NaiveDate>().ok();
        let date = date
            .filter(|date| CALENDAR.contains(&date.year()))
            .ok_or_else(|| {
                let problem = format!(
                    "{:?} is not a date; write for example 2026-12-25",
                    word(&text)
                );
                self.refuse(value.span(), "except", &problem)
            })?;
        let start = |date: NaiveDate| beginning_of(date, zone);
        Ok(Pause {
            from: start(date),
            until: date.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, start),
            why: None,
        })
    }

    fn maintenance(&self, window: &MaintenanceTable, zone: Tz) -> Result<Pause, UsageError> {
        let from = self.moment("from", &window.from, zone)?;
        let until = self.moment("to", &window.to, zone)?;
        if until <= from {
            let problem = "is not after \"from\"; a maintenance window ends after it begins";
            return Err(self.refuse(window.to.span(), "to", problem));
        }
        Ok(Pause {
            from,
            until,
            why: self.shown("why", Some(&window.why))?,
        })
    }

    /// A moment with an offset, or a time or a date of the zone.
    fn moment(
        &self,
        key: &str,
        value: &Spanned<toml::Value>,
        zone: Tz,
    ) -> Result<DateTime<Utc>, UsageError> {
        let text = as_text(value.as_ref());
        let written = text.trim().replacen(' ', "T", 1);
        let exact = written.parse::<DateTime<FixedOffset>>().ok();
        let local = || {
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(&written, form).ok())
        };
        let moment = exact
            .map(|at| at.with_timezone(&Utc))
            .or_else(|| local().map(|at| first_at_or_after(at, zone)))
            .or_else(|| Some(beginning_of(written.parse().ok()?, zone)));
        moment.filter(|moment| CALENDAR.contains(&moment.year())).ok_or_else(|| {
            let problem = format!(
                "{:?} is not a moment; write for example 2026-11-28T22:00:00, which is meant in {zone}",
                word(&text)
            );
            self.refuse(value.span(), key, &problem)
        })
    }

    fn actions(&self, values: &[Spanned<String>]) -> Result<Vec<String>, UsageError> {
        if values.is_empty() {
            let problem =
                "the list is empty, so nothing would ever count; name an action or take it away";
            return Err(self.refuse(0..0, "actions", problem));
        }
        values
            .iter()
            .map(|value| {
                self.shown("actions", Some(value))?;
                // As it is kept of what the database says.
                Ok(word(value.as_ref()))
            })
            .collect()
    }
}

/// A value as it would be written between quotation marks.
fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(moment) => moment.to_string(),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => value.type_str().to_owned(),
    }
}

/// The first moment of a day in a zone; where midnight does not exist, the first that does.
fn beginning_of(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    first_at_or_after(date.and_time(chrono::NaiveTime::MIN), zone)
}

fn first_at_or_after(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // No clock is ever set on by more than a day.
    (0..=96)
        .filter_map(|quarters| local.checked_add_signed(TimeDelta::minutes(15 * quarters)))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| local.and_utc(), |moment| moment.with_timezone(&Utc))
}
