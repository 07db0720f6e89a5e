//! Which completed runs are unusual, compared with earlier ones of their entity and action.

use chrono::{Datelike, Weekday};

use super::*;
use crate::health::unusual::{HELD_BACK, RARE, unusual_runs};
use crate::health::{Figure, Unusual, Usual};
use crate::model::{Measured, Measures};

const ZONE: chrono_tz::Tz = chrono_tz::America::Los_Angeles;

/// A completed run, so many days ago.
#[derive(Debug, Clone)]
struct Done {
    ago: TimeDelta,
    action: &'static str,
    status: Status,
    records: Option<i64>,
    seconds: Option<f64>,
}

fn done(days_ago: i64, records: i64) -> Done {
    Done {
        ago: TimeDelta::days(days_ago),
        action: "incremental_sync",
        status: Status::Completed,
        records: Some(records),
        seconds: None,
    }
}

fn lasting(days_ago: i64, seconds: f64) -> Done {
    Done {
        records: None,
        seconds: Some(seconds),
        ..done(days_ago, 0)
    }
}

/// One a night, the oldest first; the newest was last night.
fn nightly(records: impl IntoIterator<Item = i64, IntoIter: ExactSizeIterator>) -> Vec<Done> {
    let records = records.into_iter();
    let nights = i64::try_from(records.len()).unwrap();
    let nights = (1..=nights).rev().zip(records);
    nights.map(|(ago, records)| done(ago, records)).collect()
}

/// So many nights that were as ever, and then these.
fn after(usual: usize, records: i64, then: &[i64]) -> Vec<Done> {
    nightly([&vec![records; usual][..], then].concat())
}

/// As the statement tells of them: the newest are listed, those from before a week ago are measured.
fn observed(runs: &[Done]) -> Observation {
    let mut observation = Observation::empty("sales");
    let mut runs: Vec<_> = runs.iter().collect();
    runs.sort_by_key(|run| run.ago);
    for (index, run) in runs.iter().enumerate() {
        let started_at = now() - run.ago;
        if index < 50 {
            observation.runs.push(Run {
                id: 1000 - i64::try_from(index).unwrap(),
                started_at,
                action: run.action.to_owned(),
                status: run.status.clone(),
                duration_seconds: run.seconds,
                records_processed: run.records,
                error: None,
            });
        }
        if run.ago > TimeDelta::days(7) {
            observation.measures.push(Measures {
                status: run.status.clone(),
                action: run.action.to_owned(),
                runs: vec![Measured(started_at, run.records, run.seconds)],
            });
        }
    }
    observation
}

/// How many days ago those were that are unusual, newest first.
fn unusual_days(runs: &[Done]) -> Vec<i64> {
    let observation = observed(runs);
    let unusual = unusual_runs(&observation, ZONE);
    unusual
        .keys()
        .map(|&place| (now() - observation.runs[place].started_at).num_days())
        .collect()
}

/// What is unusual about the newest run.
fn of_newest(runs: &[Done]) -> Vec<Unusual> {
    let mut unusual = unusual_runs(&observed(runs), ZONE);
    unusual.remove(&0).unwrap_or_default()
}

fn is_unusual(runs: &[Done]) -> bool {
    !of_newest(runs).is_empty()
}

fn records(number: f64, low: f64, high: f64, weekday: Option<Weekday>) -> Unusual {
    Unusual {
        figure: Figure::Records(number),
        usual: Usual { low, high, weekday },
    }
}

#[test]
fn it_takes_fifteen_earlier_runs_or_eight_of_the_same_weekday() {
    assert!(!is_unusual(&after(14, 4950, &[12])));
    let usual = |weekday| records(12.0, 4950.0, 4950.0, weekday);
    assert_eq!(of_newest(&after(15, 4950, &[12])), [usual(None)]);
    // The 22nd of November is a Sunday, so last night's run was one of a Saturday.
    let saturday = Some(Weekday::Sat);
    assert_eq!((now() - TimeDelta::days(1)).weekday(), Weekday::Sat);
    assert_eq!(of_newest(&after(55, 4950, &[12])), [usual(None)]);
    assert_eq!(of_newest(&after(56, 4950, &[12])), [usual(saturday)]);

    let weekly = |weeks: i64| {
        let earlier = (1..=weeks).map(|week| done(1 + 7 * week, 4950));
        earlier.chain([done(1, 12)]).collect::<Vec<_>>()
    };
    assert!(!is_unusual(&weekly(7)));
    assert_eq!(of_newest(&weekly(8)), [usual(saturday)]);
}

#[test]
fn of_an_even_number_of_runs_the_mean_of_the_two_in_the_middle_is_compared_with() {
    let earlier = [100, 130].repeat(8);
    let usual = records(500.0, 100.0, 130.0, None);
    assert_eq!(of_newest(&nightly([earlier, vec![500]].concat())), [usual]);
}

#[test]
fn runs_of_one_weekday_have_to_be_of_four_days() {
    let several_a_day = |days: i64| {
        let on = |week: i64, minute| Done {
            ago: TimeDelta::days(1 + 7 * week) + minutes(minute),
            ..done(0, 4950)
        };
        let earlier = (1..=days).flat_map(move |week| [on(week, 0), on(week, 1), on(week, 2)]);
        earlier.chain([done(1, 12)]).collect::<Vec<_>>()
    };
    assert!(!is_unusual(&several_a_day(3)));
    assert!(is_unusual(&several_a_day(4)));
}

#[test]
fn a_third_or_three_times_the_usual_number_is_unusual_with_five_records_beside_both() {
    for (number, expected) in [
        (309, false),
        (310, true),
        (31, false),
        (30, true),
        (i64::MAX, true),
    ] {
        assert_eq!(
            is_unusual(&after(20, 100, &[number])),
            expected,
            "{number} after 100"
        );
    }
    // Of few records nothing but none is unusual.
    for (number, expected) in [(1, false), (9, false), (10, false), (0, true)] {
        assert_eq!(
            is_unusual(&after(20, 2, &[number])),
            expected,
            "{number} after 2"
        );
    }
    assert!(is_unusual(&after(20, 2, &[16])));
}

#[test]
fn nothing_within_six_times_the_spread_is_unusual() {
    // Half of them are 1.5 times as far from the median: 1.5 to the power of 8.8956 is 36.9.
    let spread = |newest: i64| {
        let numbers = [995, 1495, 995, 660, 995, 1495, 1495, 660].repeat(5);
        nightly([numbers, vec![newest]].concat())
    };
    assert!(!is_unusual(&spread(36_000)));
    assert!(is_unusual(&spread(38_000)));
    assert!(!is_unusual(&spread(23)));
    assert!(is_unusual(&spread(20)));
}

#[test]
fn no_records_are_unusual_where_there_always_are_some() {
    assert_eq!(
        of_newest(&after(20, 1, &[0])),
        [records(0.0, 1.0, 1.0, None)]
    );
    let mut sometimes_none = after(20, 1, &[0]);
    sometimes_none[3].records = Some(0);
    assert!(!is_unusual(&sometimes_none));
    // Three on average: none of them is a matter of chance.
    let few = [3, 4, 2, 5, 1, 3, 2, 6, 3, 4, 1, 2, 3, 5, 4, 2, 0];
    assert!(!is_unusual(&nightly(few)));
    // Unless it never was: not once in sixty times.
    let often = few[..16].repeat(4);
    assert!(!is_unusual(&nightly([&often[..59], &[0]].concat())));
    assert!(is_unusual(&nightly([&often[..60], &[0]].concat())));
}

#[test]
fn where_nothing_is_usual_nothing_is_unusual() {
    for number in [0, 1, 500, 1_000_000] {
        assert!(!is_unusual(&after(80, 0, &[number])), "{number}");
    }
}

#[test]
fn a_day_on_which_the_museum_is_closed_is_as_usual_as_others() {
    let weeks = |newest: i64| -> Vec<Done> {
        let of = |ago: i64| {
            let monday = (now() - TimeDelta::days(ago)).weekday() == Weekday::Mon;
            done(ago, if monday { 0 } else { 200 + ago % 7 * 10 })
        };
        (7..84).map(of).chain([done(6, newest)]).collect()
    };
    // Six days before a Sunday it is Monday.
    assert_eq!(unusual_days(&weeks(0)), [0; 0]);
    let tuesday: Vec<Done> = weeks(0).into_iter().chain([done(5, 0)]).collect();
    assert_eq!(
        of_newest(&tuesday),
        [records(0.0, 250.0, 250.0, Some(Weekday::Tue))]
    );
    // Before there are enough Mondays, they are among the days to compare with.
    let fresh: Vec<Done> = weeks(0)
        .into_iter()
        .filter(|run| run.ago < TimeDelta::days(28))
        .collect();
    assert_eq!(unusual_days(&fresh), [0; 0]);
}

#[test]
fn weekdays_are_those_of_the_sites_zone() {
    // 20:05 UTC is 12:05 in Los Angeles; 18 hours earlier it is 18:05 of the day before, and in UTC 02:05.
    let evening = |ago: i64, number| Done {
        ago: TimeDelta::days(ago) + hours(18),
        ..done(0, number)
    };
    let runs: Vec<Done> = (1..=60)
        .map(|ago| evening(ago, 100))
        .chain([evening(0, 1)])
        .collect();
    assert_eq!(
        of_newest(&runs),
        [records(1.0, 100.0, 100.0, Some(Weekday::Sat))]
    );
}

#[test]
fn far_too_slow_and_far_too_fast_with_ten_seconds_beside_both() {
    let then = |usual: f64, seconds: f64| {
        let earlier = (2..40).map(|ago| lasting(ago, usual));
        is_unusual(&earlier.chain([lasting(1, seconds)]).collect::<Vec<_>>())
    };
    assert!(then(38.0, 134.0));
    assert!(!then(38.0, 133.9));
    assert!(then(38.0, 6.0));
    assert!(!then(38.0, 6.1));
    assert!(!then(3.0, 0.1));
    assert!(then(3.0, 7500.0));
    assert!(then(38.0, 1e38));
}

#[test]
fn what_is_not_recorded_is_neither_unusual_nor_compared_with() {
    let unrecorded = |records: Option<i64>, seconds: Option<f64>| {
        let mut runs = after(20, 4950, &[4950]);
        for run in &mut runs {
            run.seconds = Some(60.0);
        }
        let newest = runs.last_mut().unwrap();
        (newest.records, newest.seconds) = (records, seconds);
        is_unusual(&runs)
    };
    for records in [None, Some(-1), Some(i64::MIN)] {
        for seconds in [None, Some(0.0), Some(-5.0)] {
            assert!(!unrecorded(records, seconds), "{records:?} {seconds:?}");
        }
    }
    let mut compared = after(15, 4950, &[12]);
    assert!(is_unusual(&compared));
    compared[7].records = None;
    assert!(!is_unusual(&compared));
}

#[test]
fn only_completed_runs_of_the_same_action_are_compared() {
    let with = |change: fn(&mut Done)| {
        let mut runs = after(15, 4950, &[12]);
        change(&mut runs[7]);
        unusual_days(&runs)
    };
    assert_eq!(with(|_| ()), [1]);
    assert_eq!(with(|run| run.action = "historical_import"), [0; 0]);
    assert_eq!(with(|run| run.status = Status::Failed), [0; 0]);
    assert_eq!(with(|run| run.status = Status::Started), [0; 0]);
    let mut failed = after(15, 4950, &[12]);
    failed.last_mut().unwrap().status = Status::Failed;
    assert_eq!(unusual_days(&failed), [0; 0]);
}

#[test]
fn a_run_is_compared_with_earlier_ones_only() {
    let later_is_different = after(20, 100, &[5000, 5100, 5000, 4900, 5000, 5000, 5050]);
    assert_eq!(unusual_days(&later_is_different), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(unusual_days(&after(14, 100, &[5000, 5000, 100])), [0; 0]);
}

#[test]
fn a_fault_goes_on_being_unusual_until_it_is_what_is_usual() {
    let shifted = after(70, 5000, &[1000; 20]);
    let marked: Vec<i64> = (20 - i64::try_from(HELD_BACK).unwrap()..=20).collect();
    assert_eq!(unusual_days(&shifted), marked);
    // What is over was not usual.
    let over = after(70, 5000, &[0, 5000, 0]);
    assert_eq!(unusual_days(&over), [1, 3]);
}

#[test]
fn what_happens_to_more_than_one_in_sixty_is_not_unusual() {
    let before = |times: usize| {
        let mut numbers = vec![100; 75];
        for time in 0..times {
            numbers[4 + 16 * time] = 5000;
        }
        let runs = nightly([numbers, vec![5000]].concat());
        assert_eq!((runs.len() - 1) / RARE, 1);
        is_unusual(&runs)
    };
    assert!(before(0));
    assert!(before(1));
    assert!(!before(2));
}

#[test]
fn an_unusual_run_is_told_and_changes_no_verdict() {
    let judged = |numbers: Vec<Done>| {
        let recorded = Recorded(observed(&numbers)).completed(minutes(10));
        let mut recorded = recorded;
        let newest = &mut recorded.0.runs[0];
        newest.records_processed = Some(12);
        recorded.judged()
    };
    let (few, usual) = (judged(after(40, 4950, &[])), judged(after(40, 12, &[])));
    assert_eq!(
        few.notices,
        [Notice::NewestUnusual(records(12.0, 4950.0, 4950.0, None))]
    );
    assert_eq!(usual.notices, []);
    assert_eq!((few.reason, few.health()), (Reason::Fresh, usual.health()));
    assert_eq!((few.past, few.turns), (usual.past, usual.turns));
}

mod false_alarms {
    use super::*;

    const HISTORIES: usize = 200;

    struct Chance(fastrand::Rng);

    impl Chance {
        fn normal(&mut self) -> f64 {
            let (a, b) = (1.0 - self.0.f64(), self.0.f64());
            (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        }

        fn poisson(&mut self, mean: f64) -> f64 {
            let (limit, mut product, mut count) = ((-mean).exp(), self.0.f64(), 0.0);
            while product > limit {
                product *= self.0.f64();
                count += 1.0;
            }
            count
        }

        fn pareto(&mut self, least: f64) -> f64 {
            least / (1.0 - self.0.f64())
        }
    }

    /// The share of runs that is marked, of those that have enough to be compared with.
    fn rate(times_a_day: i64, mut number: impl FnMut(&mut Chance, Weekday) -> f64) -> f64 {
        let (mut marked, mut judged) = (0, 0);
        for seed in 0..HISTORIES / usize::try_from(times_a_day).unwrap() {
            let mut chance = Chance(fastrand::Rng::with_seed(seed as u64));
            let runs: Vec<Done> = (1..=90 * times_a_day)
                .map(|ago| {
                    let ago = TimeDelta::days(1) * i32::try_from(ago).unwrap()
                        / i32::try_from(times_a_day).unwrap();
                    let weekday = (now() - ago).with_timezone(&ZONE).weekday();
                    #[expect(clippy::cast_possible_truncation, reason = "rounded")]
                    let records = number(&mut chance, weekday).round() as i64;
                    Done {
                        ago,
                        ..done(0, records)
                    }
                })
                .collect();
            let observation = observed(&runs);
            marked += unusual_runs(&observation, ZONE).len();
            judged += observation.runs.len();
        }
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let rate = marked as f64 / judged as f64;
        rate
    }

    #[test]
    fn ordinary_and_heavy_tailed_histories_are_hardly_ever_marked() {
        type Number = fn(&mut Chance, Weekday) -> f64;
        let histories: [(&str, f64, Number); 10] = [
            ("5,000 give or take 100", 0.0, |c, _| {
                5000.0 + 100.0 * c.normal()
            }),
            ("log-normal, sigma 0.5", 0.001, |c, _| {
                500.0 * (0.5 * c.normal()).exp()
            }),
            ("log-normal, sigma 1", 0.001, |c, _| {
                200.0 * c.normal().exp()
            }),
            ("log-normal, sigma 2", 0.005, |c, _| {
                50.0 * (2.0 * c.normal()).exp()
            }),
            ("Pareto, without a mean", 0.02, |c, _| c.pareto(20.0)),
            ("Poisson, mean 3", 0.002, |c, _| c.poisson(3.0)),
            ("closed on Mondays", 0.001, |c, weekday| match weekday {
                Weekday::Mon => 0.0,
                Weekday::Sat | Weekday::Sun => c.poisson(300.0),
                _ => c.poisson(90.0),
            }),
            ("none in one of ten, else 5,000", 0.001, |c, _| {
                if c.0.u8(0..10) == 0 {
                    0.0
                } else {
                    5000.0 + 100.0 * c.normal()
                }
            }),
            ("none mostly, and bursts", 0.001, |c, _| {
                if c.0.u8(0..5) > 0 {
                    0.0
                } else {
                    c.pareto(20.0)
                }
            }),
            ("10, and 3 % bursts", 0.015, |c, _| {
                if c.0.u8(0..100) > 2 {
                    10.0
                } else {
                    c.pareto(200.0)
                }
            }),
        ];
        let mut wrong = Vec::new();
        for times_a_day in [1, 24] {
            for (name, most, number) in &histories {
                let rate = rate(times_a_day, number);
                let said = format!("{times_a_day} a day, {name}: {:.3} %", rate * 100.0);
                println!("{said}");
                if rate > *most {
                    wrong.push(said);
                }
            }
        }
        assert!(wrong.is_empty(), "too often: {wrong:#?}");
    }
}
