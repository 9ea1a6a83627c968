//! What a store's figures say, as numbers.

use chrono::Duration;

use super::period::Stretch;
use crate::storage::{Figures, Value};

/// How many records a group has, where counting was asked for first.
pub(super) fn count(row: &Figures) -> u64 {
    row.values.first().and_then(Value::as_int).map_or(0, i64::unsigned_abs)
}

/// An average, where there was anything to take it of.
pub(super) fn average(row: &Figures, place: usize) -> Option<f64> {
    row.values.get(place).and_then(Value::as_real)
}

/// An average of seconds.
pub(super) fn seconds(row: &Figures, place: usize) -> Option<Duration> {
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second is nobody's business")]
    average(row, place).and_then(|seconds| Duration::try_seconds(seconds.round() as i64))
}

/// A part of a whole, from 0 to 1. `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share is a float")]
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Gives each stretch of a period what belongs to it. The first key of the figures names the stretch; a stretch that
/// has none gets nothing.
pub(super) fn spread<T: Default>(
    stretches: &[Stretch],
    figures: &[Figures],
    mut add: impl FnMut(&mut T, &Figures),
) -> Vec<T> {
    let mut spread: Vec<T> = stretches.iter().map(|_| T::default()).collect();
    for row in figures {
        let Some(label) = row.keys.first().and_then(Value::as_text) else { continue };
        if let Ok(place) = stretches.binary_search_by(|stretch| stretch.label.as_str().cmp(label)) {
            add(&mut spread[place], row);
        }
    }
    spread
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Warsaw;

    use super::*;
    use crate::insight::period::{Edge, Step, Timeframe};

    fn row(label: &str, count: i64) -> Figures {
        Figures { keys: vec![Value::text(label)], values: vec![Value::Int(count)] }
    }

    #[test]
    fn every_stretch_has_its_figures_or_none_over_a_change_of_clocks() {
        let edge = |text: &str| Some(Edge::Day(text.parse().expect("a day")));
        let timeframe = Timeframe { start: edge("2025-10-25"), end: edge("2025-10-28"), step: Step::Day };
        let now = "2025-11-01T00:00:00Z".parse().expect("an instant");
        let stretches = timeframe.period(now, Warsaw).expect("a period").stretches();
        let figures = [row("2025-10-24", 9), row("2025-10-26", 25), row("2025-10-28", 3)];
        let spread: Vec<u64> = spread(&stretches, &figures, |sum, row| *sum += count(row));
        assert_eq!(spread, [0, 25, 0, 3]);
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!((share(0, 0), share(1, 4)), (None, Some(0.25)));
    }
}
