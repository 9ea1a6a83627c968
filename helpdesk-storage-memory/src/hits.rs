//! Rows that were collected for one query, rather than kept by an index.

use crate::places::{Bits, Places};
use crate::rows::{Blocks, Row, split, within};
use crate::text::Found;

/// The most rows that are kept one by one. Beyond, bits are quicker to fill than a list is to sort.
const FEW: usize = 4_096;

/// Rows that were collected, each once.
#[derive(Debug)]
pub(crate) struct Hits<'a>(Form<'a>);

#[derive(Debug)]
enum Form<'a> {
    /// Rising.
    Rows(Vec<Row>),
    /// Bits by block, and how many are set.
    Bits(Vec<Option<Box<Bits>>>, usize),
    /// As the segments of the full-text index found them, the rows that wait for one, rising, and how many they
    /// all are. A search that finds so much is asked for their number and a page, seldom for all of them.
    Found(Vec<Found<'a>>, Vec<Row>, usize),
}

impl<'a> Hits<'a> {
    /// The given rows, in whatever order.
    pub(crate) fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().collect();
        if rows.len() <= FEW {
            rows.sort_unstable();
            rows.dedup();
            return Self(Form::Rows(rows));
        }
        let mut blocks: Vec<Option<Box<Bits>>> = Vec::new();
        for row in rows {
            let (block, place) = split(row);
            let block = block as usize;
            if blocks.len() <= block {
                blocks.resize_with(block + 1, || None);
            }
            blocks[block].get_or_insert_with(|| Box::new(Bits::EMPTY)).set(place);
        }
        let count = blocks.iter().flatten().map(|bits| bits.count() as usize).sum();
        Self(Form::Bits(blocks, count))
    }

    /// What the segments of the full-text index found, and further rows. No row may be there twice.
    pub(crate) fn found(found: Vec<Found<'a>>, others: impl Iterator<Item = Row>) -> Self {
        let others: Vec<_> = others.collect();
        let count = found.iter().map(Found::len).sum::<usize>() + others.len();
        if count <= FEW {
            return Self::of(found.iter().flat_map(Found::rows).chain(others));
        }
        Self(Form::Found(found, others, count))
    }

    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Form::Rows(rows) => rows.len(),
            Form::Bits(_, count) | Form::Found(_, _, count) => *count,
        }
    }

    pub(crate) fn has(&self, row: Row) -> bool {
        match &self.0 {
            Form::Rows(rows) => rows.binary_search(&row).is_ok(),
            Form::Bits(blocks, _) => {
                let (block, place) = split(row);
                blocks.get(block as usize).and_then(Option::as_ref).is_some_and(|bits| bits.has(place))
            }
            Form::Found(found, others, _) => {
                others.binary_search(&row).is_ok() || found.iter().any(|found| found.has(row))
            }
        }
    }

    /// The places of a block's rows.
    pub(crate) fn places(&self, block: u32) -> Places {
        match &self.0 {
            Form::Rows(rows) => Places::of(&within(rows, block)),
            Form::Bits(blocks, _) => match blocks.get(block as usize) {
                Some(Some(bits)) => Places::Many(**bits),
                _ => Places::none(),
            },
            Form::Found(found, others, _) => {
                let mut bits = Bits::of(&within(others, block));
                found.iter().for_each(|found| found.add_to(block, &mut bits));
                Places::Many(bits)
            }
        }
    }

    /// The blocks from the first to the last that have rows, rising or falling; `None` where they are so many
    /// that it is not worth looking.
    pub(crate) fn blocks(&self, (first, last): (u32, u32), descending: bool) -> Option<Blocks<'_>> {
        let mut blocks: Vec<u32> = match &self.0 {
            Form::Rows(rows) => rows.iter().map(|row| split(*row).0).collect(),
            Form::Bits(blocks, _) => {
                (0..).zip(blocks).filter_map(|(block, bits)| bits.as_ref().map(|_| block)).collect()
            }
            Form::Found(..) => return None,
        };
        blocks.dedup();
        blocks.retain(|block| (first..=last).contains(block));
        if descending {
            blocks.reverse();
        }
        Some(Box::new(blocks.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{EVERYWHERE, join};

    #[test]
    fn few_rows_and_many_are_kept_alike() {
        for count in [0_u32, 3, 4_096, 30_000] {
            // In no order, and some of them twice.
            let rows: Vec<Row> = (0..count).map(|step| step * 7_919 % 20_011 * 3).collect();
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let hits = Hits::of(rows);
            assert_eq!(hits.len(), sorted.len());
            assert!((0..60_100).all(|row| hits.has(row) == sorted.binary_search(&row).is_ok()));
            let mut found = Vec::new();
            for block in hits.blocks(EVERYWHERE, false).expect("the blocks") {
                hits.places(block).each(false, |place| {
                    found.push(join(block, place));
                    true
                });
            }
            assert_eq!(found, sorted);
            let falling: Vec<_> = hits.blocks((1, 3), true).expect("the blocks").collect();
            assert!(
                falling.is_sorted_by(|a, b| a > b) && falling.iter().all(|block| (1..=3).contains(block))
            );
        }
    }
}
