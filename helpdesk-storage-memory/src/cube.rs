//! How many records there are of each combination of values.
//!
//! Statuses, priorities, categories and the like have few values, and few combinations of them occur. With the
//! records of each combination counted, the total of any filter on such fields comes from going through some
//! hundred combinations, however many records there are. Which fields those are shows as records are written:
//! a field that turns out to have many values, as an account or a ticket's number does, is given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use helpdesk_core::storage::{Bound, Condition, FieldType, Filter, KindSpec, Value};
use smallvec::SmallVec;

/// The most combinations that are counted.
const MOST_CELLS: usize = 1_024;
/// The most values of a field, as a set of them is kept in the bits of a word.
const MOST_VALUES: usize = 64;
/// How many bits of a cell's key name a field's value.
const BITS: u32 = 6;
/// The most fields: as many as have room in a key.
const MOST_AXES: usize = 10;

/// The counted combinations. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Cube {
    kind: &'static KindSpec,
    axes: Arc<[Axis]>,
    /// How many records there are by the codes of their values, six bits for each axis; in order, and one after
    /// the other in memory, since every total goes through all of them.
    cells: Arc<Vec<(u64, u32)>>,
}

/// A field of the combinations.
#[derive(Clone, Debug)]
struct Axis {
    /// Its place among the kind's fields.
    place: usize,
    /// Its values in order, each with its code. Some may have gone out of use.
    values: Vec<(Value, u8)>,
}

impl Axis {
    fn code(&self, value: &Value) -> Option<u8> {
        let place = self.values.binary_search_by(|(known, _)| known.cmp(value)).ok()?;
        Some(self.values[place].1)
    }

    /// The codes of the values that pass a test, as the bits of a word.
    fn codes(&self, test: impl Fn(&Value) -> bool) -> u64 {
        self.values.iter().filter(|(value, _)| test(value)).fold(0, |codes, (_, code)| codes | 1 << code)
    }
}

const fn code(key: u64, axis: usize) -> u64 {
    key >> (axis as u32 * BITS) & (MOST_VALUES as u64 - 1)
}

impl Cube {
    pub(crate) fn new(kind: &'static KindSpec) -> Self {
        let counted = (0..kind.fields.len()).filter(|place| {
            let field = &kind.fields[*place];
            field.counted && !field.unique && !field.many
        });
        let axes = counted.take(MOST_AXES).map(|place| Axis { place, values: Vec::new() }).collect();
        Self { kind, axes, cells: Arc::default() }
    }

    /// How many combinations there are.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Takes note of a record's values before and after a change; there are none before it was made, or after it
    /// was deleted.
    pub(crate) fn change(&mut self, before: Option<&[Value]>, after: Option<&[Value]>) {
        if let (Some(before), Some(after)) = (before, after)
            && self.axes.iter().all(|axis| before[axis.place] == after[axis.place])
        {
            return;
        }
        if let Some(key) = before.and_then(|fields| self.key(fields))
            && let Ok(place) = self.place(key)
        {
            let cells = Arc::make_mut(&mut self.cells);
            cells[place].1 -= 1;
            if cells[place].1 == 0 {
                cells.remove(place);
            }
        }
        let Some(fields) = after else { return };
        self.learn(fields);
        if let Some(key) = self.key(fields) {
            let place = self.place(key);
            let cells = Arc::make_mut(&mut self.cells);
            match place {
                Ok(place) => cells[place].1 += 1,
                Err(place) => cells.insert(place, (key, 1)),
            }
        }
        while self.cells.len() > MOST_CELLS {
            let Some(widest) = (0..self.axes.len()).max_by_key(|axis| self.width(*axis)) else { return };
            self.give_up(widest);
        }
    }

    /// How many records match a filter, where it is on the counted combinations alone.
    pub(crate) fn count(&self, filter: &Filter) -> Option<u64> {
        let test = Test::new(self.check(filter)?);
        // Without a branch: which cells pass is anybody's guess.
        Some(self.cells.iter().map(|(key, count)| u64::from(test.holds(*key)) * u64::from(*count)).sum())
    }

    /// How many records match a filter, by their values in the fields at some places.
    pub(crate) fn counts(&self, filter: &Filter, places: &[usize]) -> Option<BTreeMap<Vec<Value>, u64>> {
        let test = Test::new(self.check(filter)?);
        let axes: Option<Vec<_>> = places.iter().map(|place| self.axis(*place)).collect();
        let axes = axes?;
        // By the codes of those axes alone, packed as they are in a key.
        let mut by_codes: BTreeMap<u64, u64> = BTreeMap::new();
        for (key, count) in self.cells.iter().filter(|(key, _)| test.holds(*key)) {
            let codes = axes.iter().fold(0, |codes, axis| codes << BITS | code(*key, *axis));
            *by_codes.entry(codes).or_insert(0) += u64::from(*count);
        }
        let value = |axis: usize, code: u64| {
            let mut values = self.axes[axis].values.iter();
            values
                .find(|(_, other)| u64::from(*other) == code)
                .map_or(Value::Null, |(value, _)| value.clone())
        };
        let values = |codes: u64| -> Vec<Value> {
            let behind = (0..axes.len()).rev();
            axes.iter().zip(behind).map(|(axis, behind)| value(*axis, code(codes, behind))).collect()
        };
        Some(by_codes.into_iter().map(|(codes, count)| (values(codes), count)).collect())
    }

    /// Where the cell of a key is, or would be.
    fn place(&self, key: u64) -> Result<usize, usize> {
        self.cells.binary_search_by_key(&key, |(key, _)| *key)
    }

    fn axis(&self, place: usize) -> Option<usize> {
        self.axes.iter().position(|axis| axis.place == place)
    }

    /// The key of a record's values; `None` where there is a value that has no code, or nothing to count by.
    fn key(&self, fields: &[Value]) -> Option<u64> {
        if self.axes.is_empty() {
            return None;
        }
        self.axes
            .iter()
            .rev()
            .try_fold(0, |key, axis| Some(key << BITS | u64::from(axis.code(&fields[axis.place])?)))
    }

    /// Gives codes to the values of a record that have none, and gives up the fields that have too many.
    fn learn(&mut self, fields: &[Value]) {
        // From the last to the first, since giving one up moves those behind it.
        for place in (0..self.axes.len()).rev() {
            let value = &fields[self.axes[place].place];
            if self.axes[place].code(value).is_some() {
                continue;
            }
            if self.axes[place].values.len() == MOST_VALUES {
                let used = self.used(place);
                // Forgetting goes through all cells, so it must make room for many.
                if used.count_ones() as usize > MOST_VALUES / 2 {
                    self.give_up(place);
                    continue;
                }
                let values = &mut Arc::make_mut(&mut self.axes)[place].values;
                values.retain(|(_, code)| used & 1 << code != 0);
            }
            let values = &mut Arc::make_mut(&mut self.axes)[place].values;
            let taken = values.iter().fold(0_u64, |taken, (_, code)| taken | 1 << code);
            let at = values.partition_point(|(known, _)| known < value);
            values.insert(at, (value.clone(), taken.trailing_ones() as u8));
        }
    }

    /// How much an axis multiplies the combinations. Those of ids come first whatever has occurred so far: there
    /// is no end to the accounts that tickets are asked for by.
    fn width(&self, axis: usize) -> (bool, u32) {
        let id = self.kind.fields[self.axes[axis].place].ty == FieldType::Uuid;
        (id, self.used(axis).count_ones())
    }

    /// The codes of an axis that occur, as the bits of a word.
    fn used(&self, axis: usize) -> u64 {
        self.cells.iter().fold(0, |used, (key, _)| used | 1 << code(*key, axis))
    }

    /// Counts by the other axes only.
    fn give_up(&mut self, axis: usize) {
        let axes = self.axes.iter().enumerate().filter(|(place, _)| *place != axis);
        self.axes = axes.map(|(_, axis)| axis.clone()).collect();
        let low = axis as u32 * BITS;
        let mut cells = BTreeMap::new();
        if !self.axes.is_empty() {
            for (key, count) in self.cells.iter() {
                let key = (key >> low >> BITS) << low | key & ((1 << low) - 1);
                *cells.entry(key).or_insert(0) += *count;
            }
        }
        self.cells = Arc::new(cells.into_iter().collect());
    }

    /// A filter as a check of cells, where all of it is on the axes.
    fn check(&self, filter: &Filter) -> Option<Check> {
        let on = |name: &str, test: &dyn Fn(&Value) -> bool| {
            let axis = self.axis(self.kind.position(name)?)?;
            Some(Check::Codes(axis, self.axes[axis].codes(test)))
        };
        let all = |parts: &[Filter]| parts.iter().map(|part| self.check(part)).collect::<Option<Vec<_>>>();
        match filter.condition() {
            Condition::All if self.axes.is_empty() => None,
            Condition::All => Some(Check::All(Vec::new())),
            Condition::And(parts) => Some(Check::All(all(parts)?)),
            Condition::Or(parts) => Some(Check::Any(all(parts)?)),
            Condition::Not(part) => Some(Check::Not(Box::new(self.check(part)?))),
            Condition::OneOf(name, values) => {
                on(name, &|value| !value.is_null() && values.binary_search(value).is_ok())
            }
            Condition::Null(name) => on(name, &Value::is_null),
            Condition::Prefix(name, prefix) => {
                on(name, &|value| value.as_text().is_some_and(|text| text.starts_with(prefix)))
            }
            Condition::Range(name, low, high) => on(name, &|value| {
                let above = match low {
                    Bound::Open => true,
                    Bound::Included(low) => value >= low,
                    Bound::Excluded(low) => value > low,
                };
                let below = match high {
                    Bound::Open => true,
                    Bound::Included(high) => value <= high,
                    Bound::Excluded(high) => value < high,
                };
                !value.is_null() && above && below
            }),
            _ => None,
        }
    }
}

/// A filter on cells.
#[derive(Debug)]
enum Check {
    /// The code of an axis is one of those whose bits are set.
    Codes(usize, u64),
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
}

impl Check {
    fn holds(&self, key: u64) -> bool {
        match self {
            Self::Codes(axis, codes) => codes >> code(key, *axis) & 1 != 0,
            Self::All(parts) => parts.iter().all(|part| part.holds(key)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(key)),
            Self::Not(part) => !part.holds(key),
        }
    }
}

/// A check with what most filters consist of in one row: codes that all must be among some.
#[derive(Debug)]
struct Test {
    /// How far to shift a key for a code, and the codes.
    codes: SmallVec<[(u32, u64); 8]>,
    others: Vec<Check>,
}

impl Test {
    fn new(check: Check) -> Self {
        let mut test = Self { codes: SmallVec::new(), others: Vec::new() };
        test.add(check);
        test
    }

    fn add(&mut self, check: Check) {
        match check {
            Check::Codes(axis, codes) => self.codes.push((axis as u32 * BITS, codes)),
            Check::All(parts) => parts.into_iter().for_each(|part| self.add(part)),
            other => self.others.push(other),
        }
    }

    fn holds(&self, key: u64) -> bool {
        let code = |shift: u32| key >> shift & (MOST_VALUES as u64 - 1);
        self.codes.iter().fold(1, |holds, (shift, codes)| holds & codes >> code(*shift)) & 1 != 0
            && self.others.iter().all(|check| check.holds(key))
    }
}

#[cfg(test)]
mod tests {
    use helpdesk_core::storage::FieldSpec;

    use super::*;

    static THING: KindSpec = KindSpec::new(
        "thing",
        &[
            FieldSpec::text("status"),
            FieldSpec::text("owner"),
            FieldSpec::text("tags").many(),
            FieldSpec::text("group"),
            FieldSpec::int("rank").counted(),
        ],
    );

    fn thing(status: u32, owner: u32, group: u32, rank: Option<i64>) -> Vec<Value> {
        let text = |name: &str, number: u32| Value::text(&format!("{name}{number}"));
        vec![text("s", status), text("o", owner), Value::Null, text("g", group), rank.into()]
    }

    fn named(cube: &Cube) -> Vec<&str> {
        cube.axes.iter().map(|axis| THING.fields[axis.place].name).collect()
    }

    #[test]
    fn records_that_come_change_and_go_are_counted_by_their_values() {
        let mut cube = Cube::new(&THING);
        assert_eq!(named(&cube), ["status", "owner", "group", "rank"]);
        let all: Vec<_> = (0..300).map(|n| thing(n % 3, n % 5, n % 2, (n % 7 > 0).then_some(4))).collect();
        all.iter().for_each(|fields| cube.change(None, Some(fields)));
        let count = |cube: &Cube, filter: Filter| cube.count(&filter);
        assert_eq!(count(&cube, Filter::equals("status", "s0")), Some(100));
        assert_eq!(count(&cube, Filter::equals("status", "s0").and(Filter::equals("owner", "o0"))), Some(20));
        assert_eq!(count(&cube, Filter::equals("status", "s0").not()), Some(200));
        assert_eq!(count(&cube, Filter::null("rank")), Some(43));
        assert_eq!(count(&cube, Filter::less_than("rank", 4_i64)), Some(0));
        assert_eq!(count(&cube, Filter::at_least("rank", 4_i64).not()), Some(43));
        assert_eq!(count(&cube, Filter::equals("tags", "red")), None);
        assert_eq!(count(&cube, Filter::equals("number", 3_i64)), None);

        let moved = thing(9, 0, 0, None);
        cube.change(Some(&all[0]), Some(&moved));
        cube.change(Some(&all[1]), None);
        cube.change(Some(&moved), Some(&moved));
        assert_eq!(count(&cube, Filter::equals("status", "s0")), Some(99));
        let by_status: Vec<_> = cube.counts(&Filter::all(), &[0]).expect("counts").into_iter().collect();
        let expected = [("s0", 99), ("s1", 99), ("s2", 100), ("s9", 1)];
        assert_eq!(by_status, expected.map(|(status, count)| (vec![Value::text(status)], count)));
        let by_both = cube.counts(&Filter::equals("owner", "o3"), &[3, 0]).expect("counts");
        assert_eq!(by_both.len(), 6);
        assert_eq!(by_both[&vec![Value::text("g1"), Value::text("s2")]], 10);

        all[2..].iter().chain([&moved]).for_each(|fields| cube.change(Some(fields), None));
        assert_eq!(cube.len(), 0);
    }

    #[test]
    fn a_field_with_many_values_is_given_up_and_the_others_are_kept() {
        let mut cube = Cube::new(&THING);
        let all: Vec<_> = (0..500).map(|n| thing(n % 3, n, n % 2, Some(i64::from(n % 4)))).collect();
        all.iter().for_each(|fields| cube.change(None, Some(fields)));
        assert_eq!(named(&cube), ["status", "group", "rank"]);
        let filter = Filter::equals("status", "s1").and(Filter::equals("rank", 2_i64));
        let expected = (0..500).filter(|n| n % 3 == 1 && n % 4 == 2).count() as u64;
        assert_eq!(cube.count(&filter), Some(expected));
        assert_eq!(cube.count(&filter.and(Filter::equals("owner", "o3"))), None);
        all.iter().for_each(|fields| cube.change(Some(fields), None));
        assert_eq!(cube.len(), 0);
    }

    #[test]
    fn the_widest_field_is_given_up_where_there_are_too_many_combinations() {
        let mut cube = Cube::new(&THING);
        let count = 60 * 30 * 4;
        for n in 0..count {
            // Every combination once, in no order.
            let n = n * 7_919 % count;
            cube.change(None, Some(&thing(n % 30, n / 30 % 60, n / 1_800, Some(1))));
            assert!(cube.len() <= MOST_CELLS);
        }
        assert_eq!(named(&cube), ["status", "group", "rank"]);
        assert_eq!(cube.count(&Filter::all()), Some(u64::from(count)));
        assert_eq!(cube.count(&Filter::equals("group", "g2")), Some(u64::from(count / 4)));
    }

    #[test]
    fn values_that_went_out_of_use_make_room() {
        let mut cube = Cube::new(&THING);
        for n in 0..1_000 {
            cube.change(None, Some(&thing(1, 1, n, None)));
            if n >= 10 {
                cube.change(Some(&thing(1, 1, n - 10, None)), None);
            }
        }
        assert_eq!(named(&cube), ["status", "owner", "group", "rank"]);
        assert_eq!(cube.count(&Filter::equals("group", "g995")), Some(1));
        assert_eq!(cube.count(&Filter::equals("group", "g980")), Some(0));
        assert_eq!(cube.count(&Filter::all()), Some(10));
    }
}
