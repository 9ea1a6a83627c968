//! Pages of records and figures over them, from one partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use helpdesk_core::storage::{
    Condition, Cursor, FieldRef, Figures, Filter, From, Group, Measure, Page, Query, Record, Sequence, Sums,
    Tally, Total, TotalMode, Value,
};

use crate::key::Key;
use crate::matching::{Matching, same};
use crate::partition::{ByValue, FieldIndex, Ordered, Partition};
use crate::rows::{Bits, Row, RowSet, join, split};

/// The most values of a field whose bitmaps are gone through one after the other to order by it.
const MANY_VALUES: usize = 512;

pub(crate) fn find(partition: &Partition, query: &Query) -> Page {
    let matching = Matching::new(partition, query.condition());
    let total = match query.wants_total() {
        TotalMode::None => None,
        TotalMode::Exact => Some(Total { count: matching.count(), exact: true }),
        TotalMode::UpTo(limit) => {
            let count = matching.count_to(limit.saturating_add(1));
            Some(Total { count: count.min(limit), exact: count <= limit })
        }
    };
    let sequence = query.ordering();
    let limit = query.page_size();
    if limit == 0 {
        return Page { total, ..Page::default() };
    }
    let (start, turned) = match query.start() {
        From::Start => (Start::First(0), false),
        From::Offset(count) => (Start::First(usize::try_from(*count).unwrap_or(usize::MAX)), false),
        From::After(cursor) => (Start::After(cursor), false),
        From::Before(cursor) => (Start::After(cursor), true),
    };
    let walk = Sequence {
        keys: sequence.keys.iter().map(|(field, descending)| (*field, descending ^ turned)).collect(),
        descending: sequence.descending ^ turned,
    };
    let finder = Finder { partition, matching: &matching, filter: query.condition(), walk: &walk };
    let mut records = finder.take(&start, limit + 1);
    if turned {
        records.reverse();
    }
    sequence.page(records, limit, query.start(), total)
}

/// The page of a partition that has nothing in it.
pub(crate) fn nothing(query: &Query) -> Page {
    let none = Total { count: 0, exact: true };
    Page { total: (query.wants_total() != TotalMode::None).then_some(none), ..Page::default() }
}

enum Start<'a> {
    First(usize),
    After(&'a Cursor),
}

struct Finder<'a> {
    partition: &'a Partition,
    matching: &'a Matching<'a>,
    filter: &'a Filter,
    walk: &'a Sequence,
}

impl Finder<'_> {
    /// The first `count` matches from a start on, by the cheapest of four ways.
    fn take(&self, start: &Start<'_>, count: usize) -> Vec<Arc<Record>> {
        let by_value = match self.walk.keys[..] {
            [] => return self.by_number(start, count),
            [(FieldRef::Declared(place), descending)] => match &self.partition.fields[place] {
                FieldIndex::Counted(rows) if rows.len() <= MANY_VALUES => Some((rows, descending)),
                _ => None,
            },
            _ => None,
        };
        if let Some((rows, descending)) = by_value {
            return self.by_value(rows, descending, start, count);
        }
        if let Some((index, prefix)) = self.index() {
            // Walking an index passes over rows that do not match; sorting looks at all that do. Where one in k
            // rows matches, the walk takes about k steps a record.
            let live = self.partition.live.len() as u64;
            let few = (live.saturating_mul(count as u64)).isqrt().max(64);
            if self.matching.count_to(few) >= few {
                return self.by_index(index, &prefix, start, count);
            }
        }
        self.by_sorting(start, count)
    }

    /// Matches in the order of their numbers, straight from the bitmaps.
    fn by_number(&self, start: &Start<'_>, count: usize) -> Vec<Arc<Record>> {
        let (mut skip, after) = match start {
            Start::First(skip) => (*skip, None),
            Start::After(cursor) => (0, Some(cursor.number)),
        };
        let bits = |block| self.matching.bits(block);
        let mut found = Vec::new();
        self.rows(self.matching.blocks(), &bits, after, &mut skip, count, &mut found);
        found
    }

    /// Matches by the values of a counted field, one bitmap after the other.
    fn by_value(
        &self,
        rows: &ByValue,
        descending: bool,
        start: &Start<'_>,
        count: usize,
    ) -> Vec<Arc<Record>> {
        let (mut skip, cursor) = match start {
            Start::First(skip) => (*skip, None),
            Start::After(cursor) => (0, Some(*cursor)),
        };
        let mut values: Vec<_> = rows.iter().collect();
        if descending {
            values.reverse();
        }
        let mut found = Vec::new();
        for (value, rows) in values {
            let mut after = None;
            if let Some(cursor) = cursor {
                let order = value.cmp(&cursor.values[0]);
                let order = if descending { order.reverse() } else { order };
                if order.is_lt() {
                    continue;
                }
                after = order.is_eq().then_some(cursor.number);
            }
            let bits = |block| self.matching.bits_within(block, rows);
            self.rows(&rows.blocks(), &bits, after, &mut skip, count, &mut found);
            if found.len() >= count {
                break;
            }
        }
        found
    }

    /// Adds the records of rows, block by block, in the walk's direction of the numbers.
    fn rows(
        &self,
        blocks: &[u32],
        bits: &dyn Fn(u32) -> Bits,
        after: Option<i64>,
        skip: &mut usize,
        count: usize,
        found: &mut Vec<Arc<Record>>,
    ) {
        let descending = self.walk.descending;
        let after = after.map(|number| Row::try_from(number.max(0)).unwrap_or(Row::MAX));
        for index in 0..blocks.len() {
            let block = blocks[if descending { blocks.len() - 1 - index } else { index }];
            let mut keep = None;
            if let Some(after) = after {
                let (last_block, place) = split(after);
                if (descending && block > last_block) || (!descending && block < last_block) {
                    continue;
                }
                if block == last_block {
                    keep =
                        Some(if descending { (0, place.checked_sub(1)) } else { (place + 1, Some(4_095)) });
                }
            }
            let mut bits = bits(block);
            match keep {
                Some((first, Some(last))) if first <= last => bits.keep(first, last),
                Some(_) => continue,
                None => {}
            }
            if *skip > 0 {
                let here = bits.count() as usize;
                if here <= *skip {
                    *skip -= here;
                    continue;
                }
            }
            for place in bits.places(descending).skip(std::mem::take(skip)) {
                if found.len() >= count {
                    return;
                }
                found.extend(self.partition.records.get(&join(block, place)).cloned());
            }
            if found.len() >= count {
                return;
            }
        }
    }

    /// A composite index in the order that is wanted, behind fields that the filter holds at one value: the
    /// index, and the beginning of its keys.
    fn index(&self) -> Option<(&Ordered, Key)> {
        let directions = self.walk.keys.iter().all(|(_, descending)| *descending == self.walk.descending);
        if !directions {
            return None;
        }
        let fixed = fixed(self.filter);
        self.partition.ordered.iter().find_map(|index| {
            let held = index.fields.len().checked_sub(self.walk.keys.len())?;
            let (front, back) = index.fields.split_at(held);
            let ordered = back.iter().zip(&self.walk.keys).all(|(field, (wanted, _))| same(*field, *wanted));
            if !ordered {
                return None;
            }
            let mut prefix = Key::default();
            for field in front {
                let (_, value) = fixed.iter().find(|(name, _)| {
                    self.partition.kind.field(name).is_some_and(|other| same(other, *field))
                })?;
                prefix.push(value);
            }
            Some((index, prefix))
        })
    }

    fn by_index(&self, index: &Ordered, prefix: &Key, start: &Start<'_>, count: usize) -> Vec<Arc<Record>> {
        let (skip, low, high) = match start {
            Start::First(skip) => (*skip, prefix.clone(), prefix.clone().after_all()),
            Start::After(cursor) => {
                let mut key = prefix.clone();
                cursor.values.iter().for_each(|value| key.push(value));
                let row = Row::try_from(cursor.number.max(0)).unwrap_or(Row::MAX);
                if self.walk.descending {
                    (0, prefix.clone(), key.at(row))
                } else {
                    (0, key.at(row).after_all(), prefix.clone().after_all())
                }
            }
        };
        let keys = index.keys.range(low..high);
        let rows: Box<dyn Iterator<Item = Row> + '_> = if self.walk.descending {
            Box::new(keys.rev().map(Key::row))
        } else {
            Box::new(keys.map(Key::row))
        };
        rows.filter(|row| self.matching.has(*row))
            .skip(skip)
            .take(count)
            .filter_map(|row| self.partition.records.get(&row).cloned())
            .collect()
    }

    fn by_sorting(&self, start: &Start<'_>, count: usize) -> Vec<Arc<Record>> {
        let (skip, cursor) = match start {
            Start::First(skip) => (*skip, None),
            Start::After(cursor) => (0, Some(*cursor)),
        };
        let mut records: Vec<_> = self
            .matching
            .records()
            .filter(|record| cursor.is_none_or(|cursor| self.walk.compare_to(record, cursor).is_gt()))
            .collect();
        let wanted = skip.saturating_add(count);
        if wanted < records.len() {
            records.select_nth_unstable_by(wanted, |a, b| self.walk.compare(a, b));
            records.truncate(wanted);
        }
        records.sort_unstable_by(|a, b| self.walk.compare(a, b));
        records.into_iter().skip(skip).cloned().collect()
    }
}

/// The fields that a filter holds at a single value.
fn fixed(filter: &Filter) -> Vec<(&'static str, Value)> {
    match filter.condition() {
        Condition::OneOf(field, values) if values.len() == 1 => vec![(*field, values[0].clone())],
        Condition::Null(field) => vec![(*field, Value::Null)],
        Condition::And(parts) => parts.iter().flat_map(fixed).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn tally(partition: Option<&Partition>, tally: &Tally) -> Vec<Figures> {
    let Some(partition) = partition else {
        if !tally.groups().is_empty() {
            return Vec::new();
        }
        return vec![Figures { keys: Vec::new(), values: Sums::new(tally).values(tally.kind()) }];
    };
    let matching = Matching::new(partition, tally.condition());
    if let Some(figures) = by_bitmaps(partition, &matching, tally) {
        return figures;
    }
    let kind = tally.kind();
    let groups: Vec<_> = tally
        .groups()
        .iter()
        .filter_map(|group| {
            let (Group::Field(name) | Group::Period(name, ..)) = group;
            kind.field(name).map(|field| (*group, field))
        })
        .collect();
    let mut figures: BTreeMap<Vec<Value>, Sums> = BTreeMap::new();
    if groups.is_empty() {
        figures.insert(Vec::new(), Sums::new(tally));
    }
    for record in matching.records() {
        for keys in keys(record, &groups) {
            figures.entry(keys).or_insert_with(|| Sums::new(tally)).add(record);
        }
    }
    figures.into_iter().map(|(keys, sums)| Figures { keys, values: sums.values(kind) }).collect()
}

/// Counts by one counted field, or by none, from the bitmaps alone.
fn by_bitmaps(partition: &Partition, matching: &Matching<'_>, tally: &Tally) -> Option<Vec<Figures>> {
    if tally.measures().iter().any(|measure| *measure != Measure::Count) {
        return None;
    }
    let figures = |keys, count: u64| Figures {
        keys,
        values: vec![Value::Int(i64::try_from(count).unwrap_or(i64::MAX)); tally.measures().len()],
    };
    match tally.groups() {
        [] => Some(vec![figures(Vec::new(), matching.count())]),
        [Group::Field(name)] => {
            let FieldIndex::Counted(values) = &partition.fields[partition.kind.position(name)?] else {
                return None;
            };
            // With many values, most of them rare, going through the records is quicker.
            if values.len() > MANY_VALUES {
                return None;
            }
            let all = *tally.condition() == Filter::all();
            let count = |rows: &RowSet| -> u64 {
                if all {
                    return rows.len() as u64;
                }
                rows.blocks().iter().map(|block| u64::from(matching.bits_within(*block, rows).count())).sum()
            };
            let counts = values.iter().map(|(value, rows)| (value, count(rows)));
            Some(
                counts
                    .filter(|(_, count)| *count > 0)
                    .map(|(value, count)| figures(vec![value.clone()], count))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The groups that a record counts in: several where a grouping field is a set.
fn keys(record: &Record, groups: &[(Group, FieldRef)]) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::with_capacity(groups.len())];
    for (group, field) in groups {
        let value = record.value(*field);
        let values: Vec<Value> = match group {
            Group::Field(_) if value.is_null() => vec![Value::Null],
            Group::Field(_) => value.elements().to_vec(),
            Group::Period(_, unit, zone) => {
                vec![value.as_time().map_or(Value::Null, |at| Value::from(unit.label(at, *zone)))]
            }
        };
        all = all
            .into_iter()
            .flat_map(|keys| {
                values.iter().map(move |value| {
                    let mut keys = keys.clone();
                    keys.push(value.clone());
                    keys
                })
            })
            .collect();
    }
    all
}
