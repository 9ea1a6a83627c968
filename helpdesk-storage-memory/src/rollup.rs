//! How many records there are by the values of a declared rollup.
//!
//! The [cube](crate::cube) finds out for itself which fields are worth counting together, and gives up those that
//! turn out to have many values. What a kind declares is kept whatever turns out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use helpdesk_core::storage::{FieldRef, Figures, Filter, Group, KindSpec, Sums, Tally, Value};
use imbl::OrdMap;

/// The counts of one rollup. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Rollup {
    fields: &'static [&'static str],
    /// Where the fields stand among those of the kind.
    places: Arc<[usize]>,
    /// How many records there are by their values in the fields; never none.
    cells: OrdMap<Arc<[Value]>, u32>,
}

impl Rollup {
    /// The rollups of a kind, empty.
    pub(crate) fn all(kind: &'static KindSpec) -> Vec<Self> {
        let rollup = |fields: &&'static [&'static str]| Self {
            fields,
            places: fields.iter().filter_map(|field| kind.position(field)).collect(),
            cells: OrdMap::new(),
        };
        kind.rollups.iter().map(rollup).collect()
    }

    /// Takes note of a record's values before and after a change; there are none before it was made, or after it
    /// was deleted.
    pub(crate) fn change(&mut self, before: Option<&[Value]>, after: Option<&[Value]>) {
        if let (Some(before), Some(after)) = (before, after)
            && self.places.iter().all(|place| before[*place] == after[*place])
        {
            return;
        }
        let cell =
            |values: &[Value]| self.places.iter().map(|place| values[*place].clone()).collect::<Arc<[_]>>();
        let (before, after) = (before.map(cell), after.map(cell));
        if let Some(cell) = before {
            match self.cells.get_mut(&cell) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.cells.remove(&cell)),
            }
        }
        if let Some(cell) = after {
            match self.cells.get_mut(&cell) {
                Some(count) => *count += 1,
                None => drop(self.cells.insert(cell, 1)),
            }
        }
    }

    /// The figures of a tally that is on the fields alone.
    pub(crate) fn figures(&self, tally: &Tally) -> Vec<Figures> {
        let kind = tally.kind();
        let keys: Vec<_> = tally
            .groups()
            .iter()
            .filter_map(|group| match group {
                Group::Field(name) => self.fields.iter().position(|field| field == name),
                Group::Period(..) => None,
            })
            .collect();
        let mut figures: BTreeMap<Vec<Value>, Sums> = BTreeMap::new();
        if keys.is_empty() {
            figures.insert(Vec::new(), Sums::new(tally));
        }
        for (cell, count) in self.matching(tally.condition()) {
            let keys = keys.iter().map(|place| cell[*place].clone()).collect();
            let value = |field: FieldRef| match field {
                FieldRef::Declared(place) => self
                    .places
                    .iter()
                    .position(|other| *other == place)
                    .map_or(Cow::Owned(Value::Null), |place| Cow::Borrowed(&cell[place])),
                FieldRef::Builtin(_) => Cow::Owned(Value::Null),
            };
            figures.entry(keys).or_insert_with(|| Sums::new(tally)).add_times(value, count);
        }
        figures.into_iter().map(|(keys, sums)| Figures { keys, values: sums.values(kind) }).collect()
    }

    /// The cells whose records match a filter, with how many those are.
    fn matching<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = (&'a [Value], u32)> {
        let matches = move |cell: &'a [Value]| {
            let value = move |name: &str| {
                let place = self.fields.iter().position(|field| *field == name)?;
                Some(Cow::Borrowed(&cell[place]))
            };
            filter.holds_of(&value, &|_| false)
        };
        self.cells.iter().map(|(cell, count)| (&**cell, *count)).filter(move |(cell, _)| matches(cell))
    }
}

#[cfg(test)]
mod tests {
    use helpdesk_core::storage::{FieldSpec, Measure, Scope};

    use super::*;

    static THING: KindSpec = KindSpec::new(
        "thing",
        &[FieldSpec::text("status"), FieldSpec::text("owner"), FieldSpec::int("rank")],
    )
    .rollups(&[&["rank", "owner"]]);

    fn thing(owner: i64, rank: Option<i64>) -> Vec<Value> {
        vec![Value::Null, Value::from(format!("o{owner}")), rank.into()]
    }

    #[test]
    fn records_are_counted_by_values_however_many_there_are() {
        let mut rollup = Rollup::all(&THING).remove(0);
        let all: Vec<_> = (0..6_000).map(|n| thing(n % 2_000, (n % 3 > 0).then_some(n % 3))).collect();
        all.iter().for_each(|fields| rollup.change(None, Some(fields)));
        let count = |rollup: &Rollup, filter| {
            rollup
                .figures(&Tally::new(&THING, Scope::organisation(uuid::Uuid::nil())).filter(filter))
                .remove(0)
                .values
                .remove(0)
        };
        assert_eq!(count(&rollup, Filter::equals("owner", "o7")), Value::Int(3));
        assert_eq!(count(&rollup, Filter::null("rank")), Value::Int(2_000));
        rollup.change(Some(&all[1]), Some(&thing(7, Some(9))));
        rollup.change(Some(&all[2]), None);
        let tally = Tally::new(&THING, Scope::organisation(uuid::Uuid::nil()))
            .measure(Measure::Count)
            .measure(Measure::Sum("rank"));
        let rows = rollup.figures(&tally.clone().by(Group::Field("rank")));
        let rows: Vec<_> = rows.into_iter().map(|row| [row.keys, row.values].concat()).collect();
        let row = |key: Option<i64>, count: i64, sum: Option<i64>| {
            vec![Value::from(key), Value::Int(count), Value::from(sum)]
        };
        assert_eq!(
            rows,
            [
                row(None, 2_000, None),
                row(Some(1), 1_999, Some(1_999)),
                row(Some(2), 1_999, Some(3_998)),
                row(Some(9), 1, Some(9)),
            ]
        );
        assert_eq!(rollup.figures(&tally)[0].values, [Value::Int(5_999), Value::Int(6_006)]);
        let average =
            Tally::new(&THING, Scope::organisation(uuid::Uuid::nil())).measure(Measure::Average("rank"));
        let few = average.filter(Filter::equals("owner", "o7").and(Filter::at_least("rank", 9_i64)));
        assert_eq!(rollup.figures(&few)[0].values, [Value::from(9.0)]);
        all[3..].iter().for_each(|fields| rollup.change(Some(fields), None));
        rollup.change(Some(&all[0]), None);
        rollup.change(Some(&thing(7, Some(9))), None);
        assert!(rollup.cells.is_empty());
    }
}
