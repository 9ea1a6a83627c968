//! The parts of a filter, and which rows of a block they hold for.

use std::cmp::Reverse;

use helpdesk_core::storage::Filter;

use crate::hits::Hits;
use crate::partition::Partition;
use crate::places::{Bits, LAST, Places};
use crate::rows::{Blocks, EVERYWHERE, Row, RowSet, join, split};

/// A filter or a part of one, with the indexes that answer it.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    All,
    None,
    /// The rows of an index.
    Rows(&'a RowSet),
    /// The rows of several values of a field.
    Values(Values<'a>),
    /// Rows that were collected for this query.
    Hits(Hits<'a>),
    /// Rows from the first to the last, both included.
    Numbers(Row, Row),
    /// No index helps: looks at the records that the rest of the filter leaves.
    Look(&'a Filter),
    /// The part that leaves the fewest rows comes first, those that look at records come last.
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
}

#[derive(Debug)]
pub(crate) struct Values<'a> {
    sets: Vec<&'a RowSet>,
    /// Whether no two of the sets share a row.
    disjoint: bool,
}

impl<'a> Node<'a> {
    pub(crate) fn hits(rows: impl IntoIterator<Item = Row>) -> Self {
        Self::Hits(Hits::of(rows))
    }

    pub(crate) fn values(sets: Vec<&'a RowSet>, disjoint: bool) -> Self {
        match sets[..] {
            [] => Self::None,
            [single] => Self::Rows(single),
            _ => Self::Values(Values { sets, disjoint }),
        }
    }

    /// Where all of some nodes hold.
    pub(crate) fn all(nodes: impl Iterator<Item = Self>, partition: &Partition) -> Self {
        let mut parts = Vec::new();
        for node in nodes {
            match node {
                Self::All => {}
                Self::None => return Self::None,
                Self::And(others) => parts.extend(others),
                other => parts.push(other),
            }
        }
        parts.sort_by_cached_key(|part| part.weight(partition));
        match parts.len() {
            0 => Self::All,
            1 => parts.swap_remove(0),
            _ => Self::And(parts),
        }
    }

    /// Where any of some nodes holds.
    pub(crate) fn any(nodes: impl Iterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for node in nodes {
            match node {
                Self::All => return Self::All,
                Self::None => {}
                Self::Or(others) => parts.extend(others),
                other => parts.push(other),
            }
        }
        match parts.len() {
            0 => Self::None,
            1 => parts.swap_remove(0),
            _ => Self::Or(parts),
        }
    }

    /// Where a node does not hold.
    pub(crate) fn not(node: Self) -> Self {
        match node {
            Self::All => Self::None,
            Self::None => Self::All,
            Self::Not(part) => *part,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The parts of which all must hold.
    pub(crate) fn parts(&self) -> &[Self] {
        match self {
            Self::All => &[],
            Self::And(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// About how many rows are left to look at after this node; last are those that look at each of them.
    pub(crate) fn weight(&self, partition: &Partition) -> usize {
        let live = partition.live.len();
        match self {
            Self::None => 0,
            Self::Rows(rows) => rows.len(),
            Self::Values(values) => values.sets.iter().map(|rows| rows.len()).sum::<usize>().min(live),
            Self::Hits(hits) => hits.len(),
            Self::All | Self::Numbers(..) => live,
            Self::Look(_) => usize::MAX,
            Self::And(parts) => parts.iter().map(|part| part.weight(partition)).min().unwrap_or(live),
            Self::Or(parts) => parts
                .iter()
                .map(|part| part.weight(partition))
                .fold(0, usize::saturating_add)
                .min(if self.looks() { usize::MAX } else { live }),
            Self::Not(_) => {
                if self.looks() {
                    usize::MAX
                } else {
                    live
                }
            }
        }
    }

    fn looks(&self) -> bool {
        match self {
            Self::Look(_) => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::looks),
            Self::Not(part) => part.looks(),
            _ => false,
        }
    }

    /// How many rows there are, where that is known without walking any.
    pub(crate) fn known(&self, partition: &Partition) -> Option<usize> {
        match self {
            Self::All => Some(partition.live.len()),
            Self::None => Some(0),
            Self::Rows(rows) => Some(rows.len()),
            Self::Values(values) => values.disjoint.then(|| values.sets.iter().map(|rows| rows.len()).sum()),
            Self::Hits(hits) => Some(hits.len()),
            Self::Not(part) => Some(partition.live.len() - part.known(partition)?),
            Self::Numbers(..) | Self::Look(_) | Self::And(_) | Self::Or(_) => None,
        }
    }

    /// The first and the last block that may have rows.
    pub(crate) fn span(&self) -> (u32, u32) {
        match self {
            Self::Numbers(first, last) => (split(*first).0, split(*last).0),
            Self::And(parts) => parts.iter().map(Self::span).fold(EVERYWHERE, common),
            _ => EVERYWHERE,
        }
    }

    /// The blocks of a span that may have rows, or `None` for any that there are.
    pub(crate) fn blocks(
        &self,
        partition: &Partition,
        span: (u32, u32),
        descending: bool,
    ) -> Option<Blocks<'_>> {
        match self {
            Self::None => Some(Box::new(std::iter::empty())),
            Self::Rows(rows) => Some(rows.blocks(span, descending)),
            Self::Values(values) => {
                let count: usize = values.sets.iter().map(|rows| rows.block_count()).sum();
                (count < partition.live.block_count())
                    .then(|| merged(values.sets.iter().map(|rows| rows.blocks(span, false)), descending))
            }
            Self::Hits(hits) => hits.blocks(span, descending),
            Self::And(parts) => parts.first()?.blocks(partition, span, descending),
            Self::Or(parts) => {
                let parts: Option<Vec<_>> =
                    parts.iter().map(|part| part.blocks(partition, span, false)).collect();
                Some(merged(parts?.into_iter(), descending))
            }
            Self::All | Self::Numbers(..) | Self::Look(_) | Self::Not(_) => None,
        }
    }

    /// The places of a block where the node holds.
    pub(crate) fn places(&self, partition: &Partition, block: u32) -> Places {
        match self {
            Self::None => Places::none(),
            Self::Rows(rows) => rows.places(block),
            Self::Values(values) => Places::Many(values.bits(block)),
            Self::Hits(hits) => hits.places(block),
            Self::And(parts) => {
                let Some((first, others)) = parts.split_first() else {
                    return partition.live.places(block);
                };
                let mut places = first.places(partition, block);
                narrow(others, partition, block, &mut places);
                places
            }
            Self::Or(parts) => {
                let mut places = Places::none();
                parts.iter().for_each(|part| places.or(&part.places(partition, block)));
                places
            }
            Self::All | Self::Numbers(..) | Self::Look(_) | Self::Not(_) => {
                let mut places = partition.live.places(block);
                self.narrow(partition, block, &mut places);
                places
            }
        }
    }

    /// Keeps of some places of a block those where the node holds.
    pub(crate) fn narrow(&self, partition: &Partition, block: u32, places: &mut Places) {
        match self {
            Self::All => {}
            Self::None => places.clear(),
            Self::Rows(rows) => rows.narrow(block, places),
            Self::Values(values) => places.and(&values.bits(block)),
            Self::Hits(hits) => places.and_places(&hits.places(block)),
            Self::Numbers(first, last) => {
                let (start, end) = (join(block, 0), join(block, LAST));
                if *last < start || *first > end {
                    places.clear();
                } else {
                    places.keep(split((*first).max(start)).1, split((*last).min(end)).1);
                }
            }
            Self::Look(filter) => places.retain(|place| looks(partition, filter, join(block, place))),
            Self::And(parts) => narrow(parts, partition, block, places),
            Self::Or(parts) => {
                let mut any = Places::none();
                for part in parts {
                    let mut own = places.clone();
                    part.narrow(partition, block, &mut own);
                    any.or(&own);
                }
                *places = any;
            }
            Self::Not(part) => match &**part {
                Self::Rows(rows) => rows.thin(block, places),
                Self::Values(values) => values.sets.iter().for_each(|rows| rows.thin(block, places)),
                part => {
                    let mut own = places.clone();
                    part.narrow(partition, block, &mut own);
                    places.minus_places(&own);
                }
            },
        }
    }

    /// Whether the node holds for a row that exists.
    pub(crate) fn has(&self, partition: &Partition, row: Row) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Rows(rows) => rows.has(row),
            Self::Values(values) => values.sets.iter().any(|rows| rows.has(row)),
            Self::Hits(hits) => hits.has(row),
            Self::Numbers(first, last) => (*first..=*last).contains(&row),
            Self::Look(filter) => looks(partition, filter, row),
            Self::And(parts) => parts.iter().all(|part| part.has(partition, row)),
            Self::Or(parts) => parts.iter().any(|part| part.has(partition, row)),
            Self::Not(part) => !part.has(partition, row),
        }
    }
}

impl Values<'_> {
    fn bits(&self, block: u32) -> Bits {
        let mut bits = Bits::EMPTY;
        self.sets.iter().for_each(|rows| rows.add_to(block, &mut bits));
        bits
    }
}

/// Keeps of some places of a block those where all nodes hold.
pub(crate) fn narrow<'n, 'a: 'n>(
    nodes: impl IntoIterator<Item = &'n Node<'a>>,
    partition: &Partition,
    block: u32,
    places: &mut Places,
) {
    for node in nodes {
        if places.is_empty() {
            return;
        }
        node.narrow(partition, block, places);
    }
}

/// What two spans of blocks have in common.
pub(crate) fn common(a: (u32, u32), b: (u32, u32)) -> (u32, u32) {
    (a.0.max(b.0), a.1.min(b.1))
}

fn merged<'a>(parts: impl Iterator<Item = Blocks<'a>>, descending: bool) -> Blocks<'a> {
    let mut blocks: Vec<_> = parts.flatten().collect();
    if descending {
        blocks.sort_unstable_by_key(|block| Reverse(*block));
    } else {
        blocks.sort_unstable();
    }
    blocks.dedup();
    Box::new(blocks.into_iter())
}

fn looks(partition: &Partition, filter: &Filter, row: Row) -> bool {
    // A filter that is looked up record by record is a single condition on a field, never one on words.
    partition.records.get(row).is_some_and(|record| filter.holds(partition.kind, record, &|_| false))
}
