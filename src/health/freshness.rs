//! Then the clock: what the age of the last success says, or the schedule, and when that will change.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::{EntityPolicy, Reason, Schedule};

/// A moment that never comes, in microseconds since 1970.
const NEVER: i64 = i64::MAX / 4;

/// When the clock alone makes an entity worse after a success; in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Without a schedule it is late from this very moment on; with one, a run is missed just after it.
    pub yellow: i64,
    /// Just after this moment it is overdue.
    pub red: i64,
}

/// Finds the deadlines of one success after the other, oldest first: what was found of a schedule is used again.
pub struct Rhythm<'a> {
    policy: &'a EntityPolicy,
    /// Due times, in their order.
    ahead: VecDeque<DateTime<Utc>>,
}

impl<'a> Rhythm<'a> {
    pub fn of(policy: &'a EntityPolicy) -> Rhythm<'a> {
        Rhythm {
            policy,
            ahead: VecDeque::new(),
        }
    }

    pub fn deadlines(&mut self, success: i64) -> Deadlines {
        let policy = self.policy;
        match &policy.schedule {
            None => {
                let limits = policy.thresholds;
                let after = |limit| policy.pauses.moment_after(success, in_micros(limit));
                Deadlines {
                    yellow: after(limits.late_after),
                    red: after(limits.overdue_after),
                }
            }
            Some(schedule) => {
                let grace = in_micros(schedule.grace);
                let [first, second] = self.unmet(schedule, success);
                // Past the end of the calendar nobody knows what is expected: nothing is up to date there.
                let end = |due: Option<i64>| due.map_or(success, |due| due.saturating_add(grace));
                Deadlines {
                    yellow: end(first),
                    red: end(second),
                }
            }
        }
    }

    /// The first two runs that are due too late to be met by a success at this moment.
    fn unmet(&mut self, schedule: &Schedule, success: i64) -> [Option<i64>; 2] {
        let met_until = success.saturating_add(in_micros(schedule.early));
        let Some(met_until) = DateTime::from_timestamp_micros(met_until) else {
            return [None, None];
        };
        while self.ahead.front().is_some_and(|&due| due <= met_until) {
            self.ahead.pop_front();
        }
        if self.ahead.len() < 2 {
            let known_to = self.ahead.back().copied().unwrap_or(met_until);
            let missing = 2 - self.ahead.len();
            self.ahead
                .extend(self.policy.expected_after(known_to).take(missing));
        }
        let mut dues = self.ahead.iter().map(DateTime::timestamp_micros);
        [dues.next(), dues.next()]
    }
}

impl EntityPolicy {
    /// From which age of its newest success on an entity is yellow, and beyond which red, had it succeeded then last;
    /// `None` for what never comes.
    pub fn limits_after(&self, success: DateTime<Utc>) -> [Option<TimeDelta>; 2] {
        let success = success.timestamp_micros();
        let Deadlines { yellow, red } = Rhythm::of(self).deadlines(success);
        [yellow, red].map(|deadline| {
            let age = deadline.saturating_sub(success);
            (deadline < NEVER).then(|| TimeDelta::microseconds(age))
        })
    }

    /// Every expected run after a moment; none without a schedule.
    pub fn expected_after(
        &self,
        moment: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        self.schedule
            .iter()
            .flat_map(move |schedule| schedule.dues_after(moment, &self.pauses))
    }

    /// The first expected run that a success at this moment does not meet; `None` without a schedule.
    pub fn first_unmet(&self, success: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let schedule = self.schedule.as_ref()?;
        let [first, _] = Rhythm::of(self).unmet(schedule, success.timestamp_micros());
        first.and_then(DateTime::from_timestamp_micros)
    }

    /// The run that is expected next, where `unmet` is the first that the last success does not meet.
    pub fn next_due(
        &self,
        unmet: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let schedule = self.schedule.as_ref()?;
        let may_still_succeed = |due: &DateTime<Utc>| *due <= now && now <= *due + schedule.grace;
        unmet
            .filter(may_still_succeed)
            .or_else(|| self.expected_after(now).next())
    }
}

/// What the clock alone says of an entity whose last success is known.
pub fn by_clock(last_success: DateTime<Utc>, policy: &EntityPolicy, now: DateTime<Utc>) -> Reason {
    let now = now.timestamp_micros();
    let deadlines = Rhythm::of(policy).deadlines(last_success.timestamp_micros());
    let is_scheduled = policy.schedule.is_some();
    if now > deadlines.red {
        Reason::Overdue
    } else if is_scheduled && now > deadlines.yellow {
        Reason::Missed
    } else if !is_scheduled && now >= deadlines.yellow {
        Reason::Late
    } else {
        Reason::Fresh
    }
}

/// Now minus last success; a success that lies slightly ahead has age 0.
pub fn age(last_success: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - last_success).max(TimeDelta::zero())
}

/// The moments at which the clock alone makes an entity worse; `None` once passed, or if they cannot come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turns {
    /// At this very moment it is late; or, with a schedule, just after it a run is missed.
    pub yellow_at: Option<DateTime<Utc>>,
    /// Just after this moment it is red.
    pub red_at: Option<DateTime<Utc>>,
}

impl Turns {
    pub fn ahead(
        last_success: Option<DateTime<Utc>>,
        policy: &EntityPolicy,
        now: DateTime<Utc>,
    ) -> Turns {
        let Some(last_success) = last_success else {
            return Turns::default();
        };
        let deadlines = Rhythm::of(policy).deadlines(last_success.timestamp_micros());
        let moment =
            |micros: i64| DateTime::from_timestamp_micros(micros).filter(|_| micros != NEVER);
        let is_scheduled = policy.schedule.is_some();
        Turns {
            yellow_at: moment(deadlines.yellow)
                .filter(|&at| at > now || (is_scheduled && at == now)),
            red_at: moment(deadlines.red).filter(|&at| at >= now),
        }
    }
}

fn in_micros(duration: TimeDelta) -> i64 {
    duration.num_microseconds().unwrap_or(NEVER)
}
