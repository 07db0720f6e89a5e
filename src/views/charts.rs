//! How long the last runs took and how many records they processed, as bars drawn at build time.

use std::fmt::Write;

use serde::Serialize;

use super::runs::{mark, status};
use super::times::{Speaker, counted, lasting};
use crate::health::EntityAssessment;
use crate::model::{Run, Status};
use crate::text::grouped;

/// A chart in its own units: as wide as [`WIDTH`], and 200 high.
#[derive(Debug, Serialize)]
pub struct Chart {
    pub title: &'static str,
    /// The same in words.
    pub label: String,
    /// Names the chart in addresses within the page.
    pub id: &'static str,
    pub lines: Vec<Line>,
    /// How wide each bar is.
    pub width: String,
    pub bars: Vec<Bar>,
    /// Under the first, the middle and the last bar.
    pub dates: Vec<Date>,
}

/// A line across the chart, with the number that it stands for.
#[derive(Debug, Serialize)]
pub struct Line {
    pub y: String,
    pub text_y: String,
    pub number: String,
}

/// One run. Failed and unfinished ones have a mark of their own shape instead of a colour alone.
#[derive(Debug, Serialize)]
pub struct Bar {
    pub run: i64,
    pub x: String,
    pub middle: String,
    pub y: String,
    pub height: String,
    /// "completed", "failed" or "other".
    pub mark: &'static str,
    pub said: String,
    /// The same in two lines, for the place above the bar.
    pub lines: [String; 2],
    /// The middle of these lines: that of the bar, but within the chart.
    pub lines_at: String,
}

#[derive(Debug, Serialize)]
pub struct Date {
    pub x: String,
    /// "start", "middle" or "end": which part of it stands at `x`.
    pub anchor: &'static str,
    pub said: String,
}

/// What is measured of a run, and how it is said.
struct Measure {
    title: &'static str,
    id: &'static str,
    of: fn(&Run) -> Option<f64>,
    said: fn(f64) -> String,
    /// Steps between lines that people can reckon with, smallest first; beyond them powers of ten.
    steps: &'static [f64],
}

const DURATION: Measure = Measure {
    title: "Duration of each run",
    id: "duration",
    of: |run| run.duration_seconds,
    said: lasting,
    steps: &[
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0,
        3600.0, 7200.0, 18_000.0, 36_000.0, 86_400.0,
    ],
};

const RECORDS: Measure = Measure {
    title: "Records of each run",
    id: "records",
    #[expect(
        clippy::cast_precision_loss,
        reason = "a bar is at most 150 units high"
    )]
    of: |run| run.records_processed.map(|records| records as f64),
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
    said: |records| counted(records.round() as i64, "record", "records"),
    steps: &[1.0, 2.0, 5.0],
};

/// In the chart's own units.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 84.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 170.0;

/// The height of a bar that stands for something, however little.
const LEAST: f64 = 2.0;

/// Half of the widest line that stands above a bar.
const HALF_OF_A_LINE: f64 = 160.0;

/// The charts of an entity's newest runs, at most as many; none where there is nothing to compare.
pub fn charts(entity: &EntityAssessment, most: usize, speaker: Speaker) -> Vec<Chart> {
    let shown: Vec<(usize, &Run)> = entity
        .observation
        .runs
        .iter()
        .enumerate()
        .take(most)
        .collect();
    if shown.len() < 2 {
        return Vec::new();
    }
    [DURATION, RECORDS]
        .iter()
        .filter(|measure| {
            shown
                .iter()
                .any(|(_, run)| (measure.of)(run).is_some_and(|value| value > 0.0))
        })
        .map(|measure| chart(measure, entity, &shown, speaker))
        .collect()
}

/// `shown` are the runs with their places, newest first; the chart goes from the oldest to the newest.
fn chart(
    measure: &Measure,
    entity: &EntityAssessment,
    shown: &[(usize, &Run)],
    speaker: Speaker,
) -> Chart {
    let largest = shown.iter().map(|(_, run)| value(measure, run));
    let largest = largest.fold(0.0, f64::max);
    let step = step(largest, measure.steps);
    let top = (largest / step).ceil().max(1.0) * step;
    let y = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);
    #[expect(clippy::cast_precision_loss, reason = "at most a few dozen runs")]
    let slot = (WIDTH - LEFT) / shown.len() as f64;
    let bars = shown.iter().rev().enumerate();
    #[expect(clippy::cast_precision_loss, reason = "at most a few dozen runs")]
    let bars = bars.map(|(index, &(place, run))| {
        // Twelve records beside thousands are no gap.
        let height = match value(measure, run) {
            0.0 => 0.0,
            value => (BOTTOM - y(value)).max(LEAST),
        };
        let middle = LEFT + slot * (index as f64 + 0.5);
        let lines = said(measure, entity, place, run, speaker);
        Bar {
            run: run.id,
            x: units(middle - slot * 0.35),
            middle: units(middle),
            y: units(BOTTOM - height),
            height: units(height),
            mark: mark(run),
            said: lines.join(": "),
            lines,
            lines_at: units(middle.clamp(HALF_OF_A_LINE, WIDTH - HALF_OF_A_LINE)),
        }
    });
    let bars = bars.collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of lines"
    )]
    let lines = (0..=(top / step).round().min(10.0) as u32)
        .map(|number| f64::from(number) * step)
        .map(|at| Line {
            y: units(y(at)),
            text_y: units(y(at) + 4.0),
            number: axis_number(measure, at),
        })
        .collect();
    let date = |index: usize, x: f64, anchor: &'static str| {
        let (_, run) = shown[shown.len() - 1 - index];
        Date {
            x: units(x),
            anchor,
            said: speaker.dated(run.started_at),
        }
    };
    Chart {
        title: measure.title,
        label: label(measure, shown),
        id: measure.id,
        width: units(slot * 0.7),
        lines,
        bars,
        dates: vec![date(0, LEFT, "start"), date(shown.len() - 1, WIDTH, "end")],
    }
}

/// What a bar stands for.
fn value(measure: &Measure, run: &Run) -> f64 {
    (measure.of)(run).unwrap_or(0.0).max(0.0)
}

/// A distance between lines such that there are at most five.
fn step(largest: f64, steps: &[f64]) -> f64 {
    let enough = |step: f64| largest / step <= 4.0;
    if let Some(&step) = steps.iter().find(|&&step| enough(step)) {
        return step;
    }
    let mut power = 10.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let step = factor * power;
            if enough(step) && step >= steps[steps.len() - 1] {
                return step;
            }
        }
        power *= 10.0;
    }
}

/// Coordinates need no more than a tenth of a unit.
fn units(at: f64) -> String {
    let text = format!("{at:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn axis_number(measure: &Measure, at: f64) -> String {
    if at == 0.0 {
        return "0".to_owned();
    }
    if measure.id == RECORDS.id {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
        return grouped(at.round() as i64);
    }
    (measure.said)(at)
}

/// "Sun 22 Nov 2026, 02:00:07 PST", "completed, 39 s"
fn said(
    measure: &Measure,
    entity: &EntityAssessment,
    place: usize,
    run: &Run,
    speaker: Speaker,
) -> [String; 2] {
    let came_to = status(entity, place, run, speaker.now);
    let value = (measure.of)(run).map_or_else(
        || "not recorded".to_owned(),
        |value| (measure.said)(value.max(0.0)),
    );
    [
        speaker.exactly(run.started_at),
        format!("{came_to}, {value}"),
    ]
}

/// "Last 50 runs: 45 completed, 4 failed, 1 neither; completed ones: 24 s to 1 min 8 s, median 39 s"
fn label(measure: &Measure, shown: &[(usize, &Run)]) -> String {
    let count = |wanted: &str| shown.iter().filter(|(_, run)| mark(run) == wanted).count();
    let mut values: Vec<f64> = shown
        .iter()
        .filter(|(_, run)| run.status == Status::Completed)
        .filter_map(|(_, run)| (measure.of)(run))
        .map(|value| value.max(0.0))
        .collect();
    values.sort_by(f64::total_cmp);
    let kinds: Vec<String> = [
        (count("completed"), "completed"),
        (count("failed"), "failed"),
        (count("other"), "neither"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let mut label = format!("Last {} runs: {}", shown.len(), kinds.join(", "));
    if let (Some(&least), Some(&most)) = (values.first(), values.last()) {
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        let [from, median] = [least, median].map(|value| axis_number(measure, value));
        let to = (measure.said)(most);
        if (measure.said)(least) == to {
            write!(label, "; completed ones: {to}")
        } else {
            write!(label, "; completed ones: {from} to {to}, median {median}")
        }
        .expect("writing to a string");
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_numbers_that_people_reckon_with() {
        for (largest, expected) in [
            (0.0, 0.1),
            (39.0, 10.0),
            (41.0, 20.0),
            (95.0, 30.0),
            (4000.0, 1200.0),
            (1e9, 5e8),
        ] {
            let found = step(largest, DURATION.steps);
            assert!(
                (found - expected).abs() < 1e-9 * expected,
                "{largest}: {found}"
            );
        }
        assert!((step(10_738.0, RECORDS.steps) - 5000.0).abs() < 1e-9);
        assert!((step(3.0, RECORDS.steps) - 1.0).abs() < 1e-9);
    }
}
