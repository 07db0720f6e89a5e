//! What is unusual about a run, with the numbers.

use chrono::Weekday;

use super::times::{counted, lasting};
use crate::health::{Figure, Unusual, Usual};
use crate::text::grouped;

/// "12 records; usually 4,900 to 5,000 on Mondays", "took 2 h 5 min; usually 30 to 45 s"
pub fn unusual(unusual: &Unusual) -> String {
    let Usual { low, high, weekday } = unusual.usual;
    let (what, low, high) = match unusual.figure {
        Figure::Records(number) => {
            let what = match whole(number) {
                0 => "no records".to_owned(),
                number => counted(number, "record", "records"),
            };
            (what, grouped(whole(low)), grouped(whole(high)))
        }
        Figure::Seconds(seconds) => (
            format!("took {}", lasting(seconds)),
            lasting(low),
            lasting(high),
        ),
    };
    let usually = range(low, &high);
    let when = weekday.map_or(String::new(), |weekday| format!(" on {}", plural(weekday)));
    format!("{what}; usually {usually}{when}")
}

/// "30 to 45 s", "50 s to 1 min 10 s", "30 s" where both are the same.
fn range(low: String, high: &str) -> String {
    if low == high {
        return low;
    }
    let unit = |text: &str| text.split_once(' ').map(|(_, unit)| unit.to_owned());
    let is_plain = |text: &str| text.split(' ').count() == 2;
    match low.split_once(' ') {
        Some((number, _)) if is_plain(&low) && unit(&low) == unit(high) => {
            format!("{number} to {high}")
        }
        Some(_) | None => format!("{low} to {high}"),
    }
}

fn plural(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Mondays",
        Weekday::Tue => "Tuesdays",
        Weekday::Wed => "Wednesdays",
        Weekday::Thu => "Thursdays",
        Weekday::Fri => "Fridays",
        Weekday::Sat => "Saturdays",
        Weekday::Sun => "Sundays",
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unusual_is_said_with_the_numbers() {
        let records = |number, low, high, weekday| Unusual {
            figure: Figure::Records(number),
            usual: Usual { low, high, weekday },
        };
        let seconds = |number, low, high| Unusual {
            figure: Figure::Seconds(number),
            usual: Usual {
                low,
                high,
                weekday: None,
            },
        };
        for (found, said) in [
            (
                records(12.0, 4900.0, 5000.0, None),
                "12 records; usually 4,900 to 5,000",
            ),
            (
                records(0.0, 2.0, 2.0, Some(Weekday::Mon)),
                "no records; usually 2 on Mondays",
            ),
            (
                records(1.0, 4900.0, 5000.0, None),
                "1 record; usually 4,900 to 5,000",
            ),
            (
                seconds(7500.0, 30.2, 45.1),
                "took 2 h 5 min; usually 30 to 45 s",
            ),
            (
                seconds(0.2, 50.0, 70.0),
                "took 0.2 s; usually 50 s to 1 min 10 s",
            ),
            (seconds(0.2, 120.0, 180.0), "took 0.2 s; usually 2 to 3 min"),
            (seconds(1.0, 130.0, 130.2), "took 1.0 s; usually 2 min 10 s"),
        ] {
            assert_eq!(unusual(&found), said);
        }
    }
}
