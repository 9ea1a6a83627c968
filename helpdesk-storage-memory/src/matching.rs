//! Which rows satisfy a filter, a block of 4,096 at a time.

use std::cell::OnceCell;

use helpdesk_core::storage::{Bound, Builtin, Condition, FieldRef, Filter, Record, Value};

use crate::key::Key;
use crate::partition::{FieldIndex, Ordered, Partition};
use crate::rows::{Bits, Row, RowSet, join, split};
use crate::text::Hits;

/// A filter made ready for one partition.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    partition: &'a Partition,
    node: Node<'a>,
    /// The blocks that may hold matches, rising.
    blocks: OnceCell<Vec<u32>>,
}

#[derive(Debug)]
enum Node<'a> {
    All,
    /// The rows of an index.
    Rows(&'a RowSet),
    /// Rows that were collected for this query.
    Hits(Hits),
    /// Rows from the first to the last, both included.
    Numbers(Row, Row),
    /// No index helps: looks at the records that the rest of the filter leaves.
    Look(&'a Filter),
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
}

impl<'a> Matching<'a> {
    pub(crate) fn new(partition: &'a Partition, filter: &'a Filter) -> Self {
        Self { partition, node: node(partition, filter), blocks: OnceCell::new() }
    }

    /// The blocks that may hold matches, rising.
    pub(crate) fn blocks(&self) -> &[u32] {
        self.blocks.get_or_init(|| blocks(&self.node).unwrap_or_else(|| self.partition.live.blocks()))
    }

    /// The matches in a block.
    pub(crate) fn bits(&self, block: u32) -> Bits {
        let live = self.partition.live.bits(block);
        match &self.node {
            Node::All => live,
            node => bits(self.partition, node, block, &live),
        }
    }

    /// The matches in a block that are in `rows` as well.
    pub(crate) fn bits_within(&self, block: u32, rows: &RowSet) -> Bits {
        let mask = rows.bits(block);
        bits(self.partition, &self.node, block, &mask)
    }

    /// Whether a row that exists matches.
    pub(crate) fn has(&self, row: Row) -> bool {
        has(self.partition, &self.node, row)
    }

    /// How many rows match.
    pub(crate) fn count(&self) -> u64 {
        match &self.node {
            Node::All => self.partition.live.len() as u64,
            Node::Rows(rows) => rows.len() as u64,
            _ => self.blocks().iter().map(|block| u64::from(self.bits(*block).count())).sum(),
        }
    }

    /// How many rows match, counted no further than `limit`.
    pub(crate) fn count_to(&self, limit: u64) -> u64 {
        if matches!(self.node, Node::All | Node::Rows(_)) {
            return self.count().min(limit);
        }
        let mut count = 0;
        for block in self.blocks() {
            count += u64::from(self.bits(*block).count());
            if count >= limit {
                return limit;
            }
        }
        count
    }

    /// All matches, by number.
    pub(crate) fn records(&self) -> impl Iterator<Item = &'a std::sync::Arc<Record>> {
        let partition = self.partition;
        self.blocks().iter().flat_map(move |block| {
            let rows: Vec<_> = self.bits(*block).places(false).map(|place| join(*block, place)).collect();
            rows.into_iter().filter_map(|row| partition.records.get(&row))
        })
    }
}

fn node<'a>(partition: &'a Partition, filter: &'a Filter) -> Node<'a> {
    let kind = partition.kind;
    let field = |name: &str| kind.field(name);
    match filter.condition() {
        Condition::All => Node::All,
        Condition::And(parts) => Node::And(parts.iter().map(|part| node(partition, part)).collect()),
        Condition::Or(parts) => Node::Or(parts.iter().map(|part| node(partition, part)).collect()),
        Condition::Not(part) => Node::Not(Box::new(node(partition, part))),
        Condition::Words(terms) => Node::Hits(partition.text.search(terms)),
        Condition::OneOf(name, values) => match field(name) {
            Some(FieldRef::Builtin(Builtin::Id)) => Node::Hits(hits(
                values.iter().filter_map(|value| partition.ids.get(&value.as_uuid()?).copied()),
            )),
            Some(FieldRef::Builtin(Builtin::Number)) => {
                let rows = values.iter().filter_map(|value| Row::try_from(value.as_int()?).ok());
                Node::Hits(hits(rows.filter(|row| partition.live.has(*row))))
            }
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => {
                    any(values.iter().filter_map(|value| rows.get(value)).map(Node::Rows).collect())
                }
                FieldIndex::Unique(rows) => {
                    Node::Hits(hits(values.iter().filter_map(|value| rows.get(value).copied())))
                }
                FieldIndex::None => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => Node::Hits(hits(values.iter().flat_map(|value| equal_rows(index, value)))),
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        Condition::Null(name) => match field(name) {
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => rows.get(&Value::Null).map_or(Node::Or(Vec::new()), Node::Rows),
                _ => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => Node::Hits(hits(equal_rows(index, &Value::Null))),
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        Condition::Range(name, low, high) => match field(name) {
            Some(FieldRef::Builtin(Builtin::Number)) => numbers(low, high),
            Some(FieldRef::Declared(place)) if !matches!(partition.fields[place], FieldIndex::None) => {
                between(&partition.fields[place], low, high)
            }
            Some(field) => match ordered_by(partition, field) {
                Some(index) => Node::Hits(hits(range_rows(index, low, high))),
                None => Node::Look(filter),
            },
            None => Node::Look(filter),
        },
        Condition::Prefix(name, prefix) => match field(name) {
            Some(FieldRef::Declared(place)) => match &partition.fields[place] {
                FieldIndex::Counted(rows) => any(rows
                    .range(Value::text(prefix)..)
                    .take_while(|(value, _)| begins(value, prefix))
                    .map(|(_, rows)| Node::Rows(rows))
                    .collect()),
                FieldIndex::Unique(rows) => Node::Hits(hits(
                    rows.range(Value::text(prefix)..)
                        .take_while(|(value, _)| begins(value, prefix))
                        .map(|(_, row)| *row),
                )),
                FieldIndex::None => match ordered_by(partition, FieldRef::Declared(place)) {
                    Some(index) => {
                        let mut low = Key::default();
                        low.push_prefix(prefix);
                        let high = low.clone().after_all();
                        Node::Hits(hits(index.keys.range(low..high).map(Key::row)))
                    }
                    None => Node::Look(filter),
                },
            },
            _ => Node::Look(filter),
        },
        _ => Node::Look(filter),
    }
}

fn begins(value: &Value, prefix: &str) -> bool {
    value.as_text().is_some_and(|text| text.starts_with(prefix))
}

fn any(mut nodes: Vec<Node<'_>>) -> Node<'_> {
    match (nodes.len(), nodes.pop()) {
        (1, Some(single)) => single,
        (_, last) => {
            nodes.extend(last);
            Node::Or(nodes)
        }
    }
}

fn hits(rows: impl Iterator<Item = Row>) -> Hits {
    let mut hits = Hits::new();
    for row in rows {
        let (block, place) = split(row);
        hits.entry(block).or_insert_with(|| Box::new(Bits::EMPTY)).set(place);
    }
    hits
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
        _ => Node::Or(Vec::new()),
    }
}

/// The rows whose value lies between bounds, from the index of a single field.
fn between<'a>(index: &'a FieldIndex, low: &Bound, high: &Bound) -> Node<'a> {
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
        return Node::Or(Vec::new());
    }
    match index {
        FieldIndex::Counted(rows) => {
            any(rows.range((start, end)).map(|(_, rows)| Node::Rows(rows)).collect())
        }
        FieldIndex::Unique(rows) => Node::Hits(hits(rows.range((start, end)).map(|(_, row)| *row))),
        FieldIndex::None => Node::Or(Vec::new()),
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

/// The blocks a node's matches can be in, or `None` for any.
fn blocks(node: &Node<'_>) -> Option<Vec<u32>> {
    match node {
        Node::All | Node::Look(_) | Node::Not(_) => None,
        Node::Rows(rows) => Some(rows.blocks()),
        Node::Hits(hits) => Some(hits.keys().copied().collect()),
        // Live blocks beyond the numbers are cheap to pass over, and the range may be far wider than they are.
        Node::Numbers(..) => None,
        Node::And(parts) => parts.iter().filter_map(blocks).min_by_key(Vec::len),
        Node::Or(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(blocks(part)?);
            }
            all.sort_unstable();
            all.dedup();
            Some(all)
        }
    }
}

/// Those of `mask` that match.
fn bits(partition: &Partition, node: &Node<'_>, block: u32, mask: &Bits) -> Bits {
    match node {
        Node::All => *mask,
        Node::Rows(rows) => {
            let mut found = rows.bits(block);
            found.and(mask);
            found
        }
        Node::Hits(hits) => hits.get(&block).map_or(Bits::EMPTY, |hits| {
            let mut found = **hits;
            found.and(mask);
            found
        }),
        Node::Numbers(first, last) => {
            let (start, end) = (join(block, 0), join(block, 4_095));
            if *last < start || *first > end {
                return Bits::EMPTY;
            }
            let mut found = *mask;
            found.keep(split((*first).max(start)).1, split((*last).min(end)).1);
            found
        }
        Node::Look(filter) => {
            let mut found = *mask;
            for place in mask.places(false) {
                if !looks(partition, filter, join(block, place)) {
                    found.clear(place);
                }
            }
            found
        }
        Node::And(parts) => {
            let mut found = *mask;
            // Those that look at records come last, when there are the fewest left to look at.
            let (look, rest): (Vec<_>, Vec<_>) = parts.iter().partition(|part| matches!(part, Node::Look(_)));
            for part in rest.into_iter().chain(look) {
                if found.is_empty() {
                    break;
                }
                found = bits(partition, part, block, &found);
            }
            found
        }
        Node::Or(parts) => {
            let mut found = Bits::EMPTY;
            parts.iter().for_each(|part| found.or(&bits(partition, part, block, mask)));
            found
        }
        Node::Not(part) => {
            let mut found = *mask;
            found.minus(&bits(partition, part, block, mask));
            found
        }
    }
}

fn has(partition: &Partition, node: &Node<'_>, row: Row) -> bool {
    match node {
        Node::All => true,
        Node::Rows(rows) => rows.has(row),
        Node::Hits(hits) => {
            let (block, place) = split(row);
            hits.get(&block).is_some_and(|bits| bits.has(place))
        }
        Node::Numbers(first, last) => (*first..=*last).contains(&row),
        Node::Look(filter) => looks(partition, filter, row),
        Node::And(parts) => parts.iter().all(|part| has(partition, part, row)),
        Node::Or(parts) => parts.iter().any(|part| has(partition, part, row)),
        Node::Not(part) => !has(partition, part, row),
    }
}

fn looks(partition: &Partition, filter: &Filter, row: Row) -> bool {
    // A filter that is looked up record by record is a single condition on a field, never one on words.
    partition.records.get(&row).is_some_and(|record| filter.holds(partition.kind, record, &|_| false))
}
