//! How a filter is answered from the indexes of a partition.

use helpdesk_core::storage::{Bound, Builtin, Condition, FieldRef, Filter, Value};

use crate::key::Key;
use crate::node::Node;
use crate::partition::{ByValue, FieldIndex, Ordered, Partition};
use crate::rows::{Row, RowSet};

/// The most values that are left out of a set instead of naming those that are in it.
const FEW_LEFT_OUT: usize = 8;

/// The node of a filter.
pub(crate) fn node<'a>(partition: &'a Partition, filter: &'a Filter) -> Node<'a> {
    let kind = partition.kind;
    match filter.condition() {
        Condition::All => Node::All,
        Condition::And(parts) => Node::all(parts.iter().map(|part| node(partition, part)), partition),
        Condition::Or(parts) => Node::any(parts.iter().map(|part| node(partition, part))),
        Condition::Not(part) => Node::not(node(partition, part)),
        Condition::Words(terms) => Node::Hits(partition.text.search(terms)),
        Condition::OneOf(name, values) => match kind.field(name) {
            Some(FieldRef::Builtin(Builtin::Id)) => {
                Node::hits(values.iter().filter_map(|value| partition.row(value.as_uuid()?)))
            }
            Some(FieldRef::Builtin(Builtin::Number)) => {
                let rows = values.iter().filter_map(|value| Row::try_from(value.as_int()?).ok());
                Node::hits(rows.filter(|row| partition.live.has(*row)))
            }
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => {
                    let sets = values.iter().filter_map(|value| rows.get(value)).collect();
                    with_values(partition, place, rows, sets)
                }
                FieldIndex::Unique(rows) => {
                    Node::hits(values.iter().filter_map(|value| rows.get(value).copied()))
                }
                FieldIndex::None => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => Node::hits(values.iter().flat_map(|value| equal_rows(index, value))),
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        Condition::Null(name) => match kind.field(name) {
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => {
                    with_values(partition, place, rows, rows.get(&Value::Null).into_iter().collect())
                }
                _ => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => Node::hits(equal_rows(index, &Value::Null)),
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        Condition::Range(name, low, high) => match kind.field(name) {
            Some(FieldRef::Builtin(Builtin::Number)) => numbers(low, high),
            Some(FieldRef::Declared(place)) if !matches!(partition.fields[place], FieldIndex::None) => {
                between(partition, place, low, high)
            }
            Some(field) => match ordered_by(partition, field) {
                Some(index) => Node::hits(range_rows(index, low, high)),
                None => Node::Look(filter),
            },
            None => Node::Look(filter),
        },
        Condition::Prefix(name, prefix) => match kind.field(name) {
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => {
                    let sets = rows
                        .range(Value::text(prefix)..)
                        .take_while(|(value, _)| begins(value, prefix))
                        .map(|(_, rows)| rows);
                    with_values(partition, place, rows, sets.collect())
                }
                FieldIndex::Unique(rows) => Node::hits(
                    rows.range(Value::text(prefix)..)
                        .take_while(|(value, _)| begins(value, prefix))
                        .map(|(_, row)| *row),
                ),
                FieldIndex::None => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => {
                        let mut low = Key::default();
                        low.push_prefix(prefix);
                        let high = low.clone().after_all();
                        Node::hits(index.keys.range(low..high).map(Key::row))
                    }
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        _ => Node::Look(filter),
    }
}

/// The rows of some values of a counted field.
fn with_values<'a>(
    partition: &'a Partition,
    place: usize,
    all: &'a ByValue,
    sets: Vec<&'a RowSet>,
) -> Node<'a> {
    // A record has one value of such a field or none, which is kept as a value too: so the sets share no rows,
    // together they have all there are, and what is not in some of them is in the others.
    let disjoint = !partition.kind.fields[place].many;
    let count: usize = sets.iter().map(|rows| rows.len()).sum();
    let live = partition.live.len();
    if disjoint && count == live && live > 0 {
        return Node::All;
    }
    if disjoint && count / 7 > live / 8 && all.len() - sets.len() <= FEW_LEFT_OUT {
        let named = |rows: &&RowSet| sets.iter().any(|set| std::ptr::eq(*set, *rows));
        return Node::not(Node::values(all.values().filter(|rows| !named(rows)).collect(), true));
    }
    Node::values(sets, disjoint)
}

fn begins(value: &Value, prefix: &str) -> bool {
    value.as_text().is_some_and(|text| text.starts_with(prefix))
}

fn numbers<'a>(low: &Bound, high: &Bound) -> Node<'a> {
    let low = match low {
        Bound::Open => Some(0),
        Bound::Included(value) => value.as_int(),
        Bound::Excluded(value) => value.as_int().and_then(|number| number.checked_add(1)),
    };
    let high = match high {
        Bound::Open => Some(i64::MAX),
        Bound::Included(value) => value.as_int(),
        Bound::Excluded(value) => value.as_int().and_then(|number| number.checked_sub(1)),
    };
    match (low, high) {
        (Some(low), Some(high)) if low <= high && high >= 0 && low <= i64::from(Row::MAX) => {
            Node::Numbers(low.max(0) as Row, high.min(i64::from(Row::MAX)) as Row)
        }
        _ => Node::None,
    }
}

/// The rows whose value lies between bounds, from the index of a single field.
fn between<'a>(partition: &'a Partition, place: usize, low: &Bound, high: &Bound) -> Node<'a> {
    use std::ops::Bound as Edge;
    // `Null` sorts first and is in no range.
    let start = match low {
        Bound::Open => Edge::Excluded(Value::Null),
        Bound::Included(value) => Edge::Included(value.clone()),
        Bound::Excluded(value) => Edge::Excluded(value.clone()),
    };
    let end = match high {
        Bound::Open => Edge::Unbounded,
        Bound::Included(value) => Edge::Included(value.clone()),
        Bound::Excluded(value) => Edge::Excluded(value.clone()),
    };
    if let (Some(low), Some(high)) = (low.value(), high.value())
        && low >= high
        && !(low == high && matches!((&start, &end), (Edge::Included(_), Edge::Included(_))))
    {
        return Node::None;
    }
    match &partition.fields[place] {
        FieldIndex::Counted(rows) => {
            let sets = rows.range((start, end)).map(|(_, rows)| rows);
            with_values(partition, place, rows, sets.collect())
        }
        FieldIndex::Unique(rows) => Node::hits(rows.range((start, end)).map(|(_, row)| *row)),
        FieldIndex::None => Node::None,
    }
}

/// A composite index that begins with the field.
fn ordered_by(partition: &Partition, field: FieldRef) -> Option<&Ordered> {
    partition.ordered.iter().find(|index| index.fields.first().is_some_and(|first| same(*first, field)))
}

/// Whether two references name the same field.
pub(crate) fn same(a: FieldRef, b: FieldRef) -> bool {
    match (a, b) {
        (FieldRef::Builtin(a), FieldRef::Builtin(b)) => a == b,
        (FieldRef::Declared(a), FieldRef::Declared(b)) => a == b,
        _ => false,
    }
}

fn equal_rows(index: &Ordered, value: &Value) -> impl Iterator<Item = Row> {
    let low = Key::of([value]);
    let high = low.clone().after_all();
    index.keys.range(low..high).map(Key::row)
}

fn range_rows(index: &Ordered, low: &Bound, high: &Bound) -> impl Iterator<Item = Row> {
    let low = match low {
        Bound::Open => Key::of([&Value::Null]).after_all(),
        Bound::Included(value) => Key::of([value]),
        Bound::Excluded(value) => Key::of([value]).after_all(),
    };
    let high = match high {
        Bound::Open => Key::default().after_all(),
        Bound::Included(value) => Key::of([value]).after_all(),
        Bound::Excluded(value) => Key::of([value]),
    };
    (low < high).then(|| index.keys.range(low..high)).into_iter().flatten().map(Key::row)
}
