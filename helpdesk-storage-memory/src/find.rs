//! Pages of records, from one partition.

use std::sync::Arc;

use helpdesk_core::storage::{
    Condition, Cursor, FieldRef, Filter, From, Page, Query, Record, Sequence, Total, TotalMode, Value,
};

use crate::key::Key;
use crate::matching::{Matching, Selection};
use crate::node::Node;
use crate::partition::{ByValue, FieldIndex, Ordered, Partition};
use crate::places::LAST;
use crate::plan::same;
use crate::rows::{Row, join, split};

/// The most values of a field whose bitmaps are gone through one after the other to order by it.
pub(crate) const MANY_VALUES: usize = 512;

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
        let mut found = Vec::with_capacity(count);
        self.rows(&self.matching.rows(), after, &mut skip, count, &mut found);
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
            let node = Node::Rows(rows);
            self.rows(&self.matching.within(&node), after, &mut skip, count, &mut found);
            if found.len() >= count {
                break;
            }
        }
        found
    }

    /// Adds the records of rows, block by block, in the walk's direction of the numbers.
    fn rows(
        &self,
        rows: &Selection<'_>,
        after: Option<i64>,
        skip: &mut usize,
        count: usize,
        found: &mut Vec<Arc<Record>>,
    ) {
        let descending = self.walk.descending;
        let (first, last) = match (after.map(|number| Row::try_from(number.max(0))), descending) {
            (None, _) | (Some(Err(_)), true) => (0, Row::MAX),
            (Some(Ok(0)), true) | (Some(Ok(Row::MAX) | Err(_)), false) => return,
            (Some(Ok(after)), true) => (0, after - 1),
            (Some(Ok(after)), false) => (after + 1, Row::MAX),
        };
        for block in rows.blocks((split(first).0, split(last).0), descending) {
            let mut places = rows.places(block);
            if first > join(block, 0) || last < join(block, LAST) {
                let (first, last) = (first.max(join(block, 0)), last.min(join(block, LAST)));
                places.keep(split(first).1, split(last).1);
            }
            if *skip > 0 {
                let here = places.count();
                if here <= *skip {
                    *skip -= here;
                    continue;
                }
            }
            places.each(descending, |place| {
                if *skip > 0 {
                    *skip -= 1;
                } else {
                    found.extend(self.partition.records.get(join(block, place)).cloned());
                }
                found.len() < count
            });
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
            .filter_map(|row| self.partition.records.get(row).cloned())
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
