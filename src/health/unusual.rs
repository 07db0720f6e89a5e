//! Which completed runs are unusual (`docs/verdict.md`, "Unusual runs").

use std::collections::{BTreeMap, VecDeque};

use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;

use crate::model::{Measured, Observation, Status};

/// With so many earlier runs at most a run is compared: with the newest.
pub const COMPARED: usize = 200;

/// So many earlier runs of the same weekday are enough to compare with, …
pub const ENOUGH_OF_A_WEEKDAY: usize = 8;

/// … if they are of so many days.
pub const ENOUGH_DAYS: usize = 4;

/// Else so many of any weekday are.
pub const ENOUGH: usize = 15;

/// Nothing less than this factor is far from the usual number.
pub const FACTOR: f64 = 3.0;

/// Nor anything less than the spread to this power: six standard deviations, since on a scale of ratios 1.4826
/// times the median distance is what the standard deviation would be without outliers.
pub const SPREADS: f64 = 6.0 * 1.4826;

/// If more than one in so many runs are as far, it is not unusual to be.
pub const RARE: usize = 60;

/// So many unusual runs one after the other are not compared with, as long as they last: a fault goes on
/// being unusual, until it is what is usual.
pub const HELD_BACK: usize = 7;

/// Records and seconds that are added to both sides before numbers are divided: few of them say nothing.
pub const RECORDS_BESIDE: f64 = 5.0;
pub const SECONDS_BESIDE: f64 = 10.0;

/// What is unusual about a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unusual {
    pub figure: Figure,
    pub usual: Usual,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// How many it processed.
    Records(f64),
    /// How long it took.
    Seconds(f64),
}

/// Between which numbers three quarters of the compared runs lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    pub low: f64,
    pub high: f64,
    /// `None`: runs of all weekdays were compared.
    pub weekday: Option<Weekday>,
}

/// A completed run among those of its action.
struct Completed {
    day: NaiveDate,
    /// Among the listed runs; `None` if it is older than those.
    place: Option<usize>,
    records: Option<f64>,
    seconds: Option<f64>,
}

/// The unusual ones among the listed runs, by their places.
pub fn unusual_runs(observation: &Observation, zone: Tz) -> BTreeMap<usize, Vec<Unusual>> {
    let mut unusual: BTreeMap<usize, Vec<Unusual>> = BTreeMap::new();
    for runs in completed_by_action(observation, zone).values() {
        let records = figures(runs, |run| run.records);
        for (place, number, usual) in far_off(&records, RECORDS_BESIDE, true) {
            let figure = Figure::Records(number);
            let found = unusual.entry(place).or_default();
            found.push(Unusual { figure, usual });
        }
        let seconds = figures(runs, |run| run.seconds);
        for (place, number, usual) in far_off(&seconds, SECONDS_BESIDE, false) {
            let figure = Figure::Seconds(number);
            let found = unusual.entry(place).or_default();
            found.push(Unusual { figure, usual });
        }
    }
    unusual
}

/// Oldest first.
fn completed_by_action(observation: &Observation, zone: Tz) -> BTreeMap<&str, Vec<Completed>> {
    let mut by_action: BTreeMap<&str, Vec<Completed>> = BTreeMap::new();
    let Some(oldest) = observation.runs.last().map(|run| run.started_at) else {
        return by_action;
    };
    let completed = |measured, place| {
        let Measured(started, records, seconds) = measured;
        #[expect(clippy::cast_precision_loss, reason = "a difference of one in 2^53")]
        let records: Option<f64> = records.map(|records: i64| records as f64);
        Completed {
            day: started.with_timezone(&zone).date_naive(),
            place,
            // Scripts that do not measure a duration write 0.
            seconds: seconds.filter(|&seconds| seconds > 0.0),
            records: records.filter(|&records| records >= 0.0),
        }
    };
    let mut before: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
    for measures in &observation.measures {
        if measures.status == Status::Completed {
            let runs = measures.runs.iter().copied();
            before
                .entry(&measures.action)
                .or_default()
                .extend(runs.filter(|&Measured(started, _, _)| started < oldest));
        }
    }
    for (action, mut runs) in before {
        runs.sort_by_key(|&Measured(started, records, _)| (started, records));
        let runs = runs.into_iter().map(|measured| completed(measured, None));
        by_action.insert(action, runs.collect());
    }
    for (place, run) in observation.runs.iter().enumerate().rev() {
        if run.status == Status::Completed {
            let measured = Measured(run.started_at, run.records_processed, run.duration_seconds);
            by_action
                .entry(&run.action)
                .or_default()
                .push(completed(measured, Some(place)));
        }
    }
    by_action
}

/// Of the runs for which it is recorded, one figure.
fn figures(
    runs: &[Completed],
    figure: impl Fn(&Completed) -> Option<f64>,
) -> Vec<(NaiveDate, Option<usize>, f64)> {
    let recorded = runs.iter().filter_map(|run| Some((run, figure(run)?)));
    recorded
        .map(|(run, number)| (run.day, run.place, number))
        .collect()
}

/// Which of these numbers, oldest first, are far from those before them, and what is usual.
fn far_off(
    figures: &[(NaiveDate, Option<usize>, f64)],
    beside: f64,
    none_counts: bool,
) -> Vec<(usize, f64, Usual)> {
    let mut found = Vec::new();
    let mut earlier = Earlier::default();
    let mut held_back: Vec<(NaiveDate, f64)> = Vec::new();
    for &(day, place, number) in figures {
        let none_counts = none_counts && number == 0.0;
        let usual = earlier.usual_beside(day, number, beside, none_counts);
        let is_unusual = usual.is_some();
        if let (Some(place), Some(usual)) = (place, usual) {
            found.push((place, number, usual));
        }
        if is_unusual && held_back.len() < HELD_BACK {
            held_back.push((day, number));
            continue;
        }
        for (day, number) in held_back.drain(..).chain([(day, number)]) {
            earlier.add(day, number);
        }
    }
    found
}

/// What a run is compared with.
#[derive(Default)]
struct Earlier {
    all: Pool,
    by_weekday: [Pool; 7],
}

impl Earlier {
    fn add(&mut self, day: NaiveDate, number: f64) {
        self.all.add(day, number);
        self.by_weekday[place_of(day.weekday())].add(day, number);
    }

    /// What is usual, if this number is not.
    fn usual_beside(
        &self,
        day: NaiveDate,
        number: f64,
        beside: f64,
        none_counts: bool,
    ) -> Option<Usual> {
        let same = &self.by_weekday[place_of(day.weekday())];
        let (compared, weekday) =
            if same.sorted.len() >= ENOUGH_OF_A_WEEKDAY && same.days >= ENOUGH_DAYS {
                (same, Some(day.weekday()))
            } else if self.all.sorted.len() >= ENOUGH {
                (&self.all, None)
            } else {
                return None;
            };
        let median = compared.median();
        // Where there usually is nothing, no number is a multiple of it.
        if median <= 0.0 {
            return None;
        }
        let apart = |number: f64| {
            let (number, median) = (number + beside, median + beside);
            number.max(median) / number.min(median)
        };
        let distance = apart(number);
        if distance < FACTOR && !none_counts {
            return None;
        }
        let spread = compared.median_of(apart).powf(SPREADS);
        let limit = spread.max(FACTOR);
        let is_rare = if distance >= limit {
            let (many, as_far) = self.counted(day.weekday(), weekday.is_some(), |other| {
                (other < median) == (number < median) && apart(other) >= limit
            });
            as_far <= many / RARE
        } else if none_counts {
            let (many, none) = self.counted(day.weekday(), weekday.is_some(), |other| other == 0.0);
            none == 0 && (distance >= spread || many >= RARE)
        } else {
            false
        };
        is_rare.then(|| compared.usual(weekday))
    }

    /// Of all weekdays how many there are, and how many like this. A weekday that usually is like this says
    /// nothing about another one that has its own habits.
    fn counted(
        &self,
        weekday: Weekday,
        has_own_habits: bool,
        is_like_this: impl Fn(f64) -> bool,
    ) -> (usize, usize) {
        let mut by_weekday: [Vec<f64>; 7] = Default::default();
        for &(day, number) in &self.all.by_age {
            by_weekday[place_of(day.weekday())].push(number);
        }
        let (mut many, mut like_this) = (0, 0);
        for (place, mut numbers) in by_weekday.into_iter().enumerate() {
            let middle = numbers.len() / 2;
            if numbers.is_empty() {
                continue;
            }
            let usual = *numbers.select_nth_unstable_by(middle, f64::total_cmp).1;
            if !has_own_habits || place == place_of(weekday) || !is_like_this(usual) {
                many += numbers.len();
                like_this += numbers
                    .iter()
                    .filter(|&&number| is_like_this(number))
                    .count();
            }
        }
        (many, like_this)
    }
}

fn place_of(weekday: Weekday) -> usize {
    weekday.num_days_from_monday() as usize
}

/// The newest of some earlier runs.
#[derive(Default)]
struct Pool {
    by_age: VecDeque<(NaiveDate, f64)>,
    sorted: Vec<f64>,
    /// Of how many days they are.
    days: usize,
}

impl Pool {
    fn add(&mut self, day: NaiveDate, number: f64) {
        if self.by_age.back().is_none_or(|&(newest, _)| newest != day) {
            self.days += 1;
        }
        self.by_age.push_back((day, number));
        let place = self.sorted.partition_point(|&other| other < number);
        self.sorted.insert(place, number);
        if self.by_age.len() > COMPARED
            && let Some((day, number)) = self.by_age.pop_front()
        {
            let place = self.sorted.partition_point(|&other| other < number);
            self.sorted.remove(place);
            if self.by_age.front().is_none_or(|&(oldest, _)| oldest != day) {
                self.days -= 1;
            }
        }
    }

    /// Of an even number of runs the mean of the two in the middle.
    fn median(&self) -> f64 {
        let count = self.sorted.len();
        let (below, above) = (self.sorted[(count - 1) / 2], self.sorted[count / 2]);
        below.midpoint(above)
    }

    /// The median of how far they are apart from it; of an even number the greater of the two in the middle.
    fn median_of(&self, apart: impl Fn(f64) -> f64) -> f64 {
        let mut distances: Vec<f64> = self.sorted.iter().map(|&number| apart(number)).collect();
        let middle = distances.len() / 2;
        *distances.select_nth_unstable_by(middle, f64::total_cmp).1
    }

    /// Without the lowest and the highest eighth.
    fn usual(&self, weekday: Option<Weekday>) -> Usual {
        let eighth = self.sorted.len() / 8;
        Usual {
            low: self.sorted[eighth],
            high: self.sorted[self.sorted.len() - 1 - eighth],
            weekday,
        }
    }
}
