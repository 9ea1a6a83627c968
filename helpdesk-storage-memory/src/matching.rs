//! Which rows satisfy a filter, a block of 4,096 at a time, and how many they are.

use std::cell::OnceCell;
use std::sync::Arc;

use helpdesk_core::storage::{Filter, Record};
use smallvec::SmallVec;

use crate::node::{Node, common, narrow};
use crate::partition::Partition;
use crate::places::Places;
use crate::plan;
use crate::rows::{Blocks, EVERYWHERE, Row, join};

/// How many cells of the cube are gone through in the time that one block takes.
const CELLS_A_BLOCK: usize = 16;

/// A filter made ready for one partition.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    partition: &'a Partition,
    filter: &'a Filter,
    node: Node<'a>,
    count: OnceCell<u64>,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(partition: &'a Partition, filter: &'a Filter) -> Self {
        Self { partition, filter, node: plan::node(partition, filter), count: OnceCell::new() }
    }

    /// The rows that match.
    pub(crate) fn rows(&self) -> Selection<'_> {
        Selection { partition: self.partition, nodes: self.node.parts().iter().collect() }
    }

    /// The rows that match and are those of another node as well.
    pub(crate) fn within<'n>(&'n self, other: &'n Node<'a>) -> Selection<'n> {
        let mut nodes: SmallVec<[&'n Node<'n>; 8]> = self.node.parts().iter().collect();
        let weight = other.weight(self.partition);
        nodes.insert(nodes.partition_point(|node| node.weight(self.partition) < weight), other);
        Selection { partition: self.partition, nodes }
    }

    /// Whether a row that exists matches.
    pub(crate) fn has(&self, row: Row) -> bool {
        self.node.has(self.partition, row)
    }

    /// How many rows match.
    pub(crate) fn count(&self) -> u64 {
        *self.count.get_or_init(|| {
            let rows = self.rows();
            let cheap = rows.known().is_some() || self.partition.cube.len() > rows.effort() * CELLS_A_BLOCK;
            let cells = if cheap { None } else { self.partition.cube.count(self.filter) };
            cells.unwrap_or_else(|| rows.count())
        })
    }

    /// How many rows match, counted no further than `limit`.
    pub(crate) fn count_to(&self, limit: u64) -> u64 {
        match self.count.get() {
            Some(count) => (*count).min(limit),
            None => self.rows().count_to(limit),
        }
    }

    /// All matches, by number.
    pub(crate) fn records(&self) -> impl Iterator<Item = &'a Arc<Record>> {
        let mut records = Vec::new();
        let rows = self.rows();
        for block in rows.blocks(EVERYWHERE, false) {
            rows.places(block).each(false, |place| {
                records.extend(self.partition.records.get(join(block, place)));
                true
            });
        }
        records.into_iter()
    }
}

/// Rows for which all of some nodes hold. The node that leaves the fewest rows comes first, those that look at
/// records come last.
#[derive(Debug)]
pub(crate) struct Selection<'n> {
    partition: &'n Partition,
    nodes: SmallVec<[&'n Node<'n>; 8]>,
}

impl<'n> Selection<'n> {
    /// The blocks of a span that may have rows, rising or falling, found as they are asked for.
    pub(crate) fn blocks(&self, span: (u32, u32), descending: bool) -> Blocks<'n> {
        let span = self.nodes.iter().map(|node| node.span()).fold(span, common);
        if span.0 > span.1 {
            return Box::new(std::iter::empty());
        }
        let first = self.nodes.first().and_then(|node| node.blocks(self.partition, span, descending));
        first.unwrap_or_else(|| self.partition.live.blocks(span, descending))
    }

    /// The places of a block's rows.
    pub(crate) fn places(&self, block: u32) -> Places {
        let Some((first, others)) = self.nodes.split_first() else {
            return self.partition.live.places(block);
        };
        let mut places = first.places(self.partition, block);
        narrow(others.iter().copied(), self.partition, block, &mut places);
        places
    }

    /// How many rows there are, where that is known without walking any.
    fn known(&self) -> Option<usize> {
        match self.nodes[..] {
            [] => Some(self.partition.live.len()),
            [node] => node.known(self.partition),
            _ => None,
        }
    }

    /// About how many blocks have to be looked at, once for each node.
    fn effort(&self) -> usize {
        let blocks = self.partition.live.block_count();
        let rows = self.nodes.first().map_or(blocks, |node| node.weight(self.partition));
        blocks.min(rows) * self.nodes.len()
    }

    pub(crate) fn count(&self) -> u64 {
        let partition = self.partition;
        if let Some(known) = self.known() {
            return known as u64;
        }
        match self.nodes[..] {
            [Node::Not(part)] => partition.live.len() as u64 - self.of([&**part]).count(),
            [Node::Or(parts)] => {
                // Those of either are those of each, less those of both, which are often few.
                if let [a, b] = &parts[..]
                    && let (Some(of_a), Some(of_b)) = (a.known(partition), b.known(partition))
                {
                    let order = if of_a <= of_b { [a, b] } else { [b, a] };
                    return (of_a + of_b) as u64 - self.of(order).count();
                }
                self.walked()
            }
            [first, Node::Not(left_out)] => {
                // What a part leaves out of another is counted instead of what it leaves in, where it is less:
                // next to nothing in most lists, which leave out what was deleted.
                let less = left_out.weight(partition) < first.weight(partition);
                match first.known(partition) {
                    Some(known) if less => known as u64 - self.of([&**left_out, first]).count(),
                    _ => self.walked(),
                }
            }
            _ => self.walked(),
        }
    }

    fn of<const N: usize>(&self, nodes: [&'n Node<'n>; N]) -> Self {
        Self { partition: self.partition, nodes: nodes.into_iter().collect() }
    }

    /// The number of rows, from every block that may have any.
    fn walked(&self) -> u64 {
        self.blocks(EVERYWHERE, false).map(|block| self.places(block).count() as u64).sum()
    }

    /// How many rows there are, counted no further than `limit`.
    fn count_to(&self, limit: u64) -> u64 {
        if let Some(known) = self.known() {
            return (known as u64).min(limit);
        }
        let mut count = 0;
        for block in self.blocks(EVERYWHERE, false) {
            count += self.places(block).count() as u64;
            if count >= limit {
                return limit;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests;
