//! Counting and measuring records by group.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;

use super::filter::known;
use super::kind::{FieldRef, FieldType, KindSpec};
use super::{Filter, Scope, StorageError, Value};

/// A question for figures over the records of one kind in one scope.
#[derive(Clone, Debug)]
pub struct Tally {
    kind: &'static KindSpec,
    scope: Scope,
    filter: Filter,
    by: Vec<Group>,
    measures: Vec<Measure>,
}

/// What records are grouped by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Group {
    /// A field. A record counts for each element of a set, and under `Null` where there is none.
    Field(&'static str),
    /// The stretch of time that an instant falls into, by the clocks of a zone. The key is a text that names
    /// the stretch as people there do, and orders by time: see [`Unit::label`].
    Period(&'static str, Unit, Tz),
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An hour by the clock; the hour that is repeated when summer time ends counts as one.
    Hour,
    /// A day.
    Day,
    /// A week that begins on Monday.
    Week,
    /// A month.
    Month,
}

impl Unit {
    /// The name of the stretch that `at` falls into: `2025-03-30T02`, `2025-03-30`, the Monday `2025-03-24`,
    /// or `2025-03`.
    #[must_use]
    pub fn label(self, at: DateTime<Utc>, zone: Tz) -> String {
        let local = at.with_timezone(&zone).naive_local();
        match self {
            Self::Hour => local.format("%Y-%m-%dT%H").to_string(),
            Self::Day => local.format("%Y-%m-%d").to_string(),
            Self::Week => {
                let back = chrono::Days::new(u64::from(local.weekday().num_days_from_monday()));
                local.checked_sub_days(back).unwrap_or(local).format("%Y-%m-%d").to_string()
            }
            Self::Month => local.format("%Y-%m").to_string(),
        }
    }
}

/// A figure over the records of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many records there are.
    Count,
    /// The sum of a number field, of the field's own type; the least or greatest whole number where it is beyond
    /// them. `Null` where no record has a value.
    Sum(&'static str),
    /// The average of a number field, always a real number. `Null` where no record has a value.
    Average(&'static str),
    /// The smallest value of a field, or `Null`.
    Least(&'static str),
    /// The largest value of a field, or `Null`.
    Greatest(&'static str),
}

impl Measure {
    /// The field that is measured, if any.
    #[must_use]
    pub const fn field(self) -> Option<&'static str> {
        match self {
            Self::Count => None,
            Self::Sum(field) | Self::Average(field) | Self::Least(field) | Self::Greatest(field) => {
                Some(field)
            }
        }
    }
}

/// The figures of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// What the group has in common, one value for each [`Group`] of the question.
    pub keys: Vec<Value>,
    /// One value for each [`Measure`] of the question.
    pub values: Vec<Value>,
}

impl Tally {
    /// How many records of a kind a scope has. Without groups the answer is one row, also where it counts none.
    #[must_use]
    pub fn new(kind: &'static KindSpec, scope: Scope) -> Self {
        Self { kind, scope, filter: Filter::all(), by: Vec::new(), measures: Vec::new() }
    }

    /// Narrows down which records are looked at.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Groups by a field or stretch of time, within the groups already given. Only groups with at least one
    /// record are answered, ordered by their keys.
    #[must_use]
    pub fn by(mut self, group: Group) -> Self {
        self.by.push(group);
        self
    }

    /// Asks for a figure; without any, records are counted.
    #[must_use]
    pub fn measure(mut self, measure: Measure) -> Self {
        self.measures.push(measure);
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> &'static KindSpec {
        self.kind
    }

    /// The scope.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The filter.
    #[must_use]
    pub const fn condition(&self) -> &Filter {
        &self.filter
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.by
    }

    /// The figures that are wanted; at least one.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        if self.measures.is_empty() { &[Measure::Count] } else { &self.measures }
    }

    /// Whether a rollup of these fields answers: filter and groups are on them alone, and what is measured are counts,
    /// and sums and averages of whole numbers among them.
    #[must_use]
    pub fn is_on(&self, fields: &[&str]) -> bool {
        let whole = |name: &str| {
            let field = self.kind.field(name);
            field.is_some_and(|field| self.kind.type_of(field) == FieldType::Int)
        };
        let measured = |measure: &Measure| match measure {
            Measure::Count => true,
            Measure::Sum(name) | Measure::Average(name) => fields.contains(name) && whole(name),
            Measure::Least(_) | Measure::Greatest(_) => false,
        };
        self.filter.is_on(fields)
            && self.by.iter().all(|group| matches!(group, Group::Field(name) if fields.contains(name)))
            && self.measures().iter().all(measured)
    }

    /// Checks the question against its kind.
    ///
    /// # Errors
    ///
    /// [`StorageError::Invalid`] where a field is unknown, or of a type that cannot be grouped or measured so.
    pub fn check(&self) -> Result<(), StorageError> {
        self.filter.check(self.kind)?;
        for group in &self.by {
            let (Group::Field(name) | Group::Period(name, ..)) = *group;
            let field = known(self.kind, name)?;
            if matches!(group, Group::Period(..)) && self.kind.type_of(field) != FieldType::Time {
                return Err(StorageError::Invalid(format!("{name} is no instant")));
            }
        }
        for measure in &self.measures {
            let Some(name) = measure.field() else { continue };
            let field = known(self.kind, name)?;
            let number = matches!(self.kind.type_of(field), FieldType::Int | FieldType::Real);
            let set = matches!(field, FieldRef::Declared(place) if self.kind.fields[place].many);
            if set || (!number && matches!(measure, Measure::Sum(_) | Measure::Average(_))) {
                return Err(StorageError::Invalid(format!("{name} cannot be measured so")));
            }
        }
        Ok(())
    }
}

/// Adds up the figures of one group, record by record, for stores that look at records one by one.
#[derive(Clone, Debug)]
pub struct Sums {
    measures: Arc<[(Measure, Option<FieldRef>)]>,
    rows: Vec<Sum>,
}

#[derive(Clone, Debug)]
struct Sum {
    count: i64,
    // Wide enough for any number of records, so that the sum does not depend on their order.
    whole: i128,
    real: f64,
    extreme: Value,
}

impl Sums {
    /// Nothing added up yet.
    #[must_use]
    pub fn new(tally: &Tally) -> Self {
        let kind = tally.kind();
        let measures: Arc<[_]> = tally
            .measures()
            .iter()
            .map(|measure| (*measure, measure.field().and_then(|name| kind.field(name))))
            .collect();
        let rows = vec![Sum { count: 0, whole: 0, real: 0.0, extreme: Value::Null }; measures.len()];
        Self { measures, rows }
    }

    /// Adds a record.
    pub fn add(&mut self, record: &super::Record) {
        self.add_times(|field| record.value(field), 1);
    }

    /// Adds so many records that have the same values in what is measured.
    pub fn add_times<'a>(&mut self, value: impl Fn(FieldRef) -> Cow<'a, Value>, times: u32) {
        for ((measure, field), row) in self.measures.iter().zip(&mut self.rows) {
            let Some(field) = field else {
                row.count += i64::from(times);
                continue;
            };
            let value = value(*field);
            if value.is_null() {
                continue;
            }
            row.count += i64::from(times);
            match measure {
                Measure::Count => {}
                Measure::Sum(_) | Measure::Average(_) => {
                    row.whole += i128::from(value.as_int().unwrap_or(0)) * i128::from(times);
                    row.real += value.as_real().unwrap_or(0.0) * f64::from(times);
                }
                Measure::Least(_) if row.extreme.is_null() || *value < row.extreme => {
                    row.extreme = value.into_owned();
                }
                Measure::Greatest(_) if *value > row.extreme => row.extreme = value.into_owned(),
                Measure::Least(_) | Measure::Greatest(_) => {}
            }
        }
    }

    /// The figures, one for each measure.
    #[must_use]
    pub fn values(&self, kind: &KindSpec) -> Vec<Value> {
        self.measures
            .iter()
            .zip(&self.rows)
            .map(|((measure, field), row)| match measure {
                Measure::Count => Value::Int(row.count),
                _ if row.count == 0 => Value::Null,
                #[expect(clippy::cast_precision_loss, reason = "an average is a float")]
                Measure::Average(_) => Value::from(row.real / row.count as f64),
                Measure::Sum(_) if field.is_some_and(|field| kind.type_of(field) == FieldType::Int) => {
                    let bounded = row.whole.clamp(i64::MIN.into(), i64::MAX.into());
                    Value::Int(i64::try_from(bounded).unwrap_or_default())
                }
                Measure::Sum(_) => Value::from(row.real),
                Measure::Least(_) | Measure::Greatest(_) => row.extreme.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::super::FieldSpec;
    use super::*;

    #[test]
    fn a_rollup_answers_what_is_on_its_fields_alone() {
        static THING: KindSpec = KindSpec::new(
            "thing",
            &[
                FieldSpec::text("state"),
                FieldSpec::int("grade"),
                FieldSpec::real("weight"),
                FieldSpec::time("due"),
                FieldSpec::text("owner"),
            ],
        )
        .searched();
        let fields = ["state", "grade", "weight", "due"];
        let open = || Filter::equals("state", "open").and(Filter::null("grade").not());
        let tally = || Tally::new(&THING, Scope::GLOBAL).filter(open());
        let period = Group::Period("due", Unit::Day, chrono_tz::UTC);
        for (answers, tally) in [
            (true, tally()),
            (true, tally().by(Group::Field("grade")).by(Group::Field("state"))),
            (true, tally().measure(Measure::Average("grade")).measure(Measure::Sum("grade"))),
            (true, tally().filter(Filter::prefix("state", "o").or(Filter::none()))),
            (false, tally().filter(Filter::null("owner").or(Filter::none()))),
            (false, tally().filter(Filter::words(super::super::Term::typed("printer")))),
            (false, tally().by(Group::Field("owner"))),
            (false, tally().by(Group::Field("created_at"))),
            (false, tally().by(period)),
            (false, tally().measure(Measure::Sum("weight"))),
            (false, tally().measure(Measure::Least("grade"))),
            (false, tally().measure(Measure::Sum("number"))),
        ] {
            tally.check().expect("a question that makes sense");
            assert_eq!(tally.is_on(&fields), answers, "{tally:?}");
        }
    }

    #[test]
    fn stretches_are_named_by_the_clocks_of_the_zone() {
        let late = Utc.with_ymd_and_hms(2025, 3, 30, 22, 30, 0).single().expect("an instant");
        let zone = chrono_tz::Europe::Warsaw;
        assert_eq!(Unit::Hour.label(late, zone), "2025-03-31T00");
        assert_eq!(Unit::Day.label(late, zone), "2025-03-31");
        assert_eq!(Unit::Week.label(late, zone), "2025-03-31");
        assert_eq!(Unit::Week.label(late, chrono_tz::UTC), "2025-03-24");
        assert_eq!(Unit::Month.label(late, zone), "2025-03");
    }
}
