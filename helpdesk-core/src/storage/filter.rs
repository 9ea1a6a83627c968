//! Which records a query is about.

use std::borrow::Cow;

use super::kind::{FieldRef, FieldType, KindSpec};
use super::words::Term;
use super::{Record, StorageError, Value};

/// A condition on records, built from the functions below and combined with [`Filter::and`], [`Filter::or`]
/// and [`not`](Filter::not).
///
/// A filter either holds for a record or does not; there is no third outcome. No condition but
/// [`Filter::null`] holds for a field without a value, so `not(equals("a", 1))` holds for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(pub(crate) Condition);

/// The forms of a filter, for stores to take apart. See [`Filter::condition`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// Every record.
    All,
    /// The field has the value, or one of the values: a set field if any element does.
    OneOf(&'static str, Vec<Value>),
    /// The field lies between the bounds, each inclusive or exclusive or open.
    Range(&'static str, Bound, Bound),
    /// The text field begins with the text.
    Prefix(&'static str, String),
    /// The field has no value.
    Null(&'static str),
    /// The record has words for all the terms. Only for searched kinds.
    Words(Vec<Term>),
    /// All hold.
    And(Vec<Filter>),
    /// At least one holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// No end.
    Open,
    /// Up to and with the value.
    Included(Value),
    /// Up to but without the value.
    Excluded(Value),
}

impl Bound {
    /// The bound's value, where it has one.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Open => None,
            Self::Included(value) | Self::Excluded(value) => Some(value),
        }
    }

    fn holds(&self, value: &Value, below: bool) -> bool {
        let (limit, included) = match self {
            Self::Open => return true,
            Self::Included(limit) => (limit, true),
            Self::Excluded(limit) => (limit, false),
        };
        (included && value == limit) || if below { value > limit } else { value < limit }
    }
}

impl Filter {
    /// Holds for every record.
    #[must_use]
    pub const fn all() -> Self {
        Self(Condition::All)
    }

    /// Holds for no record.
    #[must_use]
    pub const fn none() -> Self {
        Self(Condition::Or(Vec::new()))
    }

    /// Holds where the field has the value. `Null` equals nothing: see [`Filter::null`].
    #[must_use]
    pub fn equals(field: &'static str, value: impl Into<Value>) -> Self {
        Self::one_of(field, [value.into()])
    }

    /// Holds where the field has one of the values.
    #[must_use]
    pub fn one_of(field: &'static str, values: impl IntoIterator<Item = Value>) -> Self {
        let mut values: Vec<_> = values.into_iter().filter(|value| !value.is_null()).collect();
        values.sort();
        values.dedup();
        Self(Condition::OneOf(field, values))
    }

    /// Holds where the field lies between the bounds.
    #[must_use]
    pub const fn range(field: &'static str, low: Bound, high: Bound) -> Self {
        Self(Condition::Range(field, low, high))
    }

    /// Holds where the field is at least `low`.
    #[must_use]
    pub fn at_least(field: &'static str, low: impl Into<Value>) -> Self {
        Self::range(field, Bound::Included(low.into()), Bound::Open)
    }

    /// Holds where the field is less than `high`.
    #[must_use]
    pub fn less_than(field: &'static str, high: impl Into<Value>) -> Self {
        Self::range(field, Bound::Open, Bound::Excluded(high.into()))
    }

    /// Holds where the text field begins with `text`, by code points.
    #[must_use]
    pub fn prefix(field: &'static str, text: impl Into<String>) -> Self {
        Self(Condition::Prefix(field, text.into()))
    }

    /// Holds where the field has no value.
    #[must_use]
    pub const fn null(field: &'static str) -> Self {
        Self(Condition::Null(field))
    }

    /// Holds where the record's words satisfy every term. No terms hold for every record.
    #[must_use]
    pub fn words(terms: Vec<Term>) -> Self {
        if terms.is_empty() { Self::all() } else { Self(Condition::Words(terms)) }
    }

    /// Holds where both do.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Condition::All, other) => Self(other),
            (this, Condition::All) => Self(this),
            (Condition::And(mut parts), other) => {
                parts.push(Self(other));
                Self(Condition::And(parts))
            }
            (this, other) => Self(Condition::And(vec![Self(this), Self(other)])),
        }
    }

    /// Holds where at least one does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Condition::Or(mut parts), other) => {
                parts.push(Self(other));
                Self(Condition::Or(parts))
            }
            (this, other) => Self(Condition::Or(vec![Self(this), Self(other)])),
        }
    }

    /// Holds where this does not.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "reads as the other combinators do")]
    pub fn not(self) -> Self {
        Self(Condition::Not(Box::new(self)))
    }

    /// The filter's form, for a store to translate.
    #[must_use]
    pub const fn condition(&self) -> &Condition {
        &self.0
    }

    /// Whether a record satisfies the filter, for stores that look at records one by one. `words` answers
    /// whether the record satisfies the terms of a full-text condition.
    pub fn holds(&self, kind: &KindSpec, record: &Record, words: &dyn Fn(&[Term]) -> bool) -> bool {
        self.holds_of(&|name| kind.field(name).map(|field| record.value(field)), words)
    }

    /// Whether the filter holds of values that are looked up by the names of their fields, as [`Filter::holds`].
    pub fn holds_of<'a>(
        &self,
        value: &dyn Fn(&str) -> Option<Cow<'a, Value>>,
        words: &dyn Fn(&[Term]) -> bool,
    ) -> bool {
        let any = |name: &str, test: &dyn Fn(&Value) -> bool| {
            value(name).is_some_and(|value| value.elements().iter().any(test))
        };
        match &self.0 {
            Condition::All => true,
            Condition::OneOf(name, values) => any(name, &|value| values.binary_search(value).is_ok()),
            Condition::Range(name, low, high) => {
                any(name, &|value| low.holds(value, true) && high.holds(value, false))
            }
            Condition::Prefix(name, prefix) => {
                any(name, &|value| value.as_text().is_some_and(|text| text.starts_with(prefix)))
            }
            Condition::Null(name) => value(name).is_some_and(|value| value.is_null()),
            Condition::Words(terms) => words(terms),
            Condition::And(parts) => parts.iter().all(|part| part.holds_of(value, words)),
            Condition::Or(parts) => parts.iter().any(|part| part.holds_of(value, words)),
            Condition::Not(part) => !part.holds_of(value, words),
        }
    }

    /// Whether nothing but the values of these fields decides about a record, so that a rollup of them answers.
    #[must_use]
    pub fn is_on(&self, fields: &[&str]) -> bool {
        match &self.0 {
            Condition::All => true,
            Condition::OneOf(name, _)
            | Condition::Range(name, ..)
            | Condition::Prefix(name, _)
            | Condition::Null(name) => fields.contains(name),
            Condition::Words(_) => false,
            Condition::And(parts) | Condition::Or(parts) => parts.iter().all(|part| part.is_on(fields)),
            Condition::Not(part) => part.is_on(fields),
        }
    }

    /// Checks that every field exists and is compared with values of its own type, which it could have.
    ///
    /// # Errors
    ///
    /// [`StorageError::Invalid`] names the field that does not fit.
    pub fn check(&self, kind: &KindSpec) -> Result<(), StorageError> {
        match &self.0 {
            Condition::All => Ok(()),
            Condition::OneOf(name, values) => {
                let field = known(kind, name)?;
                values.iter().try_for_each(|value| typed(kind, name, field, value))
            }
            Condition::Range(name, low, high) => {
                let field = known(kind, name)?;
                [low, high]
                    .into_iter()
                    .filter_map(Bound::value)
                    .try_for_each(|value| typed(kind, name, field, value))
            }
            Condition::Prefix(name, text) => match kind.type_of(known(kind, name)?) {
                FieldType::Text if !text.contains('\0') => Ok(()),
                FieldType::Text => Err(unstorable(kind, name)),
                _ => Err(StorageError::Invalid(format!("{}.{name} is no text", kind.name))),
            },
            Condition::Null(name) => known(kind, name).map(drop),
            Condition::Words(_) if kind.searched => Ok(()),
            Condition::Words(_) => Err(StorageError::Invalid(format!("{} is not searched", kind.name))),
            Condition::And(parts) | Condition::Or(parts) => {
                parts.iter().try_for_each(|part| part.check(kind))
            }
            Condition::Not(part) => part.check(kind),
        }
    }
}

/// The field called `name`, or a complaint.
pub(super) fn known(kind: &KindSpec, name: &str) -> Result<FieldRef, StorageError> {
    kind.field(name).ok_or_else(|| StorageError::Invalid(format!("{} has no field {name}", kind.name)))
}

fn typed(kind: &KindSpec, name: &str, field: FieldRef, value: &Value) -> Result<(), StorageError> {
    if !fits(kind.type_of(field), value) {
        return Err(StorageError::Invalid(format!(
            "{}.{name} is compared with a value of another type",
            kind.name
        )));
    }
    if value.is_comparable() { Ok(()) } else { Err(unstorable(kind, name)) }
}

/// A complaint about a value that no record can have.
pub(super) fn unstorable(kind: &KindSpec, name: &str) -> StorageError {
    StorageError::Invalid(format!(
        "{}.{name} cannot hold U+0000, NaN, a set out of order or a text of more than 2,000 bytes",
        kind.name
    ))
}

/// Whether a single value is of a field's type.
pub(super) fn fits(ty: FieldType, value: &Value) -> bool {
    matches!(
        (ty, value),
        (FieldType::Text, Value::Text(_))
            | (FieldType::Int, Value::Int(_))
            | (FieldType::Real, Value::Real(_))
            | (FieldType::Flag, Value::Flag(_))
            | (FieldType::Time, Value::Time(_))
            | (FieldType::Uuid, Value::Uuid(_))
    )
}
