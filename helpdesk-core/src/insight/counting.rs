//! What a store's figures say, as numbers.

use chrono::Duration;

use crate::storage::{Figures, Value};

/// How many records a group has, where counting was asked for first.
pub(super) fn count(row: &Figures) -> u64 {
    row.values.first().and_then(Value::as_int).map_or(0, |count| count.unsigned_abs())
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
