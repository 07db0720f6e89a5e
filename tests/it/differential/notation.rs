//! Moments and lengths of time, which are whole microseconds, in the many ways of writing them.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

use super::world::{SECOND, pick};

pub fn utc(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

pub fn rfc3339(micros: i64) -> String {
    utc(micros).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A number of seconds.
pub fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros / SECOND, micros % SECOND)
}

/// As the configuration wants it.
pub fn span(micros: i64) -> String {
    format!("{}s {}us", micros / SECOND, micros % SECOND)
}

/// A moment as some writer might have written it.
pub fn some_notation(random: &mut fastrand::Rng, micros: i64) -> String {
    let quarters = random.i32(-48..=48) * random.i32(0..=1);
    let at = utc(micros).with_timezone(&FixedOffset::east_opt(900 * quarters).unwrap());
    let hours = format!("{:+03}", quarters / 4);
    let zones: &[&str] = match quarters {
        0 => &["Z", "z", "+00", "+00:00", "-0000", " +00:00"],
        whole if whole % 4 == 0 => &["%:z", "%z", " %:z", &hours],
        _ => &["%:z", "%z", " %:z"],
    };
    let zone = at.format(pick(random, zones));
    let day = at.format(pick(random, &["%Y-%m-%dT", "%Y-%m-%d "]));
    let time = match micros.rem_euclid(SECOND) {
        0 if micros.rem_euclid(60 * SECOND) == 0 && random.bool() => at.format("%H:%M").to_string(),
        0 if random.bool() => at.format("%H:%M:%S").to_string(),
        part if part % 1000 == 0 && random.bool() => at.format("%H:%M:%S%.3f").to_string(),
        // Finer than the databases, and nearest to this microsecond.
        _ if random.u8(0..4) == 0 => {
            format!("{}{:03}", at.format("%H:%M:%S%.6f"), random.u16(1..500))
        }
        _ => at.format("%H:%M:%S%.6f").to_string(),
    };
    format!("{day}{time}{zone}")
}
