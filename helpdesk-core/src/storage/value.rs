//! The values of declared fields.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest text of a declared field, in bytes: what every store can index.
pub const MAX_TEXT: usize = 2_000;

/// A value of a declared field, as a store keeps, compares and orders it.
///
/// The order is total and the same in every store: `Null` before everything, `false` before `true`, numbers by
/// size, text by its Unicode code points (not by a language's collation), ids by their bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// A number; never NaN.
    Real(f64),
    /// An instant, in microseconds since 1970 UTC.
    Time(i64),
    /// An id.
    Uuid(Uuid),
    /// A text without U+0000.
    Text(Arc<str>),
    /// The values of a field that may have several; a set, ordered and without repeats.
    Many(Arc<[Value]>),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// An instant, cut to the microsecond.
    #[must_use]
    pub fn time(at: DateTime<Utc>) -> Self {
        Self::Time(at.timestamp_micros())
    }

    /// The set of the given values.
    #[must_use]
    pub fn many(values: impl IntoIterator<Item = Self>) -> Self {
        let mut values: Vec<_> = values.into_iter().filter(|value| !value.is_null()).collect();
        values.sort();
        values.dedup();
        if values.is_empty() { Self::Null } else { Self::Many(values.into()) }
    }

    /// Whether this is no value at all; an empty set counts as none.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value itself, or each of its elements where it is a set; nothing for `Null`.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::Null => &[],
            Self::Many(values) => values,
            single => std::slice::from_ref(single),
        }
    }

    /// The text, where this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, where this is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number as a float, where this is a number of either sort.
    #[must_use]
    pub fn as_real(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "averages are floats by definition")]
            Self::Int(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            _ => None,
        }
    }

    /// The id, where this is one.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        if let Self::Uuid(id) = self { Some(*id) } else { None }
    }

    /// The instant, where this is one.
    #[must_use]
    pub fn as_time(&self) -> Option<DateTime<Utc>> {
        if let Self::Time(micros) = self { DateTime::from_timestamp_micros(*micros) } else { None }
    }

    /// Whether every store can keep the value: one that it can compare, a text that is not too long, a set in order.
    pub(super) fn is_storable(&self) -> bool {
        match self {
            Self::Text(text) => text.len() <= MAX_TEXT && self.is_comparable(),
            Self::Many(values) => {
                !values.is_empty()
                    && values.is_sorted_by(|a, b| a < b)
                    && values.iter().all(|value| !value.is_null() && value.is_storable())
            }
            _ => self.is_comparable(),
        }
    }

    /// Whether every store can compare the value with those it keeps: a text without U+0000, a number that is one.
    pub(super) fn is_comparable(&self) -> bool {
        match self {
            Self::Text(text) => !text.contains('\0'),
            Self::Real(number) => !number.is_nan(),
            _ => true,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Flag(_) => 1,
            Self::Int(_) | Self::Real(_) => 2,
            Self::Time(_) => 3,
            Self::Uuid(_) => 4,
            Self::Text(_) => 5,
            Self::Many(_) => 6,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Many(a), Self::Many(b)) => a.cmp(b),
            (Self::Int(_) | Self::Real(_), Self::Int(_) | Self::Real(_)) => {
                self.as_real().unwrap_or_default().total_cmp(&other.as_real().unwrap_or_default())
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    /// NaN becomes `Null`, since it has no place in an order.
    fn from(value: f64) -> Self {
        if value.is_nan() { Self::Null } else { Self::Real(if value == 0.0 { 0.0 } else { value }) }
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::time(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::text(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_comes_first_and_numbers_of_both_sorts_compare_by_size() {
        let mut values = [Value::Int(3), Value::Null, Value::Real(2.5), Value::Int(-1)];
        values.sort();
        assert_eq!(values, [Value::Null, Value::Int(-1), Value::Real(2.5), Value::Int(3)]);
    }

    #[test]
    fn a_set_is_ordered_without_repeats_and_empty_is_null() {
        assert_eq!(Value::many(["b".into(), "a".into(), "b".into()]), Value::many(["a".into(), "b".into()]));
        assert!(Value::many([]).is_null());
    }

    #[test]
    fn minus_zero_is_zero_and_nan_is_nothing() {
        assert_eq!(Value::from(-0.0), Value::from(0.0));
        assert!(Value::from(f64::NAN).is_null());
    }
}
