//! Sets of rows that share what they can with their older selves.
//!
//! A row is a record's number. Rows are kept in blocks of 4,096, so that adding one copies a few hundred bytes
//! at most, and so that two sets are compared 64 rows at a time.

use std::sync::Arc;

use imbl::OrdMap;

use crate::places::{BLOCK, Bits, LAST, List, Places, SPARSE};

/// A record's number within its partition.
pub(crate) type Row = u32;

/// The largest set that is kept as a plain list.
const FEW: usize = 48;
/// The block of a row, and the row's place in it.
pub(crate) const fn split(row: Row) -> (u32, u16) {
    (row / BLOCK, (row % BLOCK) as u16)
}

/// The row at a place of a block.
pub(crate) const fn join(block: u32, place: u16) -> Row {
    block * BLOCK + place as u32
}

#[derive(Clone, Debug)]
enum Block {
    Sparse(Arc<[u16]>),
    Dense(Arc<Bits>),
}

impl Block {
    fn places(&self) -> Places {
        match self {
            Self::Sparse(places) => Places::Few(List::from_slice(places)),
            Self::Dense(bits) => Places::Many(**bits),
        }
    }

    fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Sparse(places) => places.iter().for_each(|place| bits.set(*place)),
            Self::Dense(dense) => bits.or(dense),
        }
    }

    fn narrow(&self, places: &mut Places) {
        match self {
            Self::Sparse(own) => places.and_list(own),
            Self::Dense(bits) => places.and(bits),
        }
    }

    fn thin(&self, places: &mut Places) {
        match self {
            Self::Sparse(own) => places.minus_list(own),
            Self::Dense(bits) => places.minus(bits),
        }
    }

    fn has(&self, place: u16) -> bool {
        match self {
            Self::Sparse(places) => places.binary_search(&place).is_ok(),
            Self::Dense(bits) => bits.has(place),
        }
    }

    fn insert(&mut self, place: u16) {
        match self {
            Self::Sparse(places) if places.len() < SPARSE => *places = inserted(places, place),
            Self::Sparse(places) => {
                let mut bits = Bits::of(places);
                bits.set(place);
                *self = Self::Dense(Arc::new(bits));
            }
            Self::Dense(bits) => Arc::make_mut(bits).set(place),
        }
    }

    /// Takes a place out; true if nothing is left.
    fn remove(&mut self, place: u16) -> bool {
        match self {
            Self::Sparse(places) => {
                *places = places.iter().copied().filter(|other| *other != place).collect();
                places.is_empty()
            }
            Self::Dense(bits) => {
                let bits = Arc::make_mut(bits);
                bits.clear(place);
                bits.is_empty()
            }
        }
    }
}

fn inserted<T: Copy + Ord>(sorted: &[T], item: T) -> Arc<[T]> {
    let at = sorted.partition_point(|other| *other < item);
    let mut items = Vec::with_capacity(sorted.len() + 1);
    items.extend_from_slice(&sorted[..at]);
    items.push(item);
    items.extend_from_slice(&sorted[at..]);
    items.into()
}

/// A set of rows. Cheap to clone; a clone does not change with its original.
#[derive(Clone, Debug)]
pub(crate) struct RowSet(Form);

#[derive(Clone, Debug)]
enum Form {
    Few(Arc<[Row]>),
    Many(OrdMap<u32, Block>, u32),
}

impl Default for RowSet {
    fn default() -> Self {
        Self(Form::Few(Arc::from([])))
    }
}

impl RowSet {
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Form::Few(rows) => rows.len(),
            Form::Many(_, len) => *len as usize,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn has(&self, row: Row) -> bool {
        match &self.0 {
            Form::Few(rows) => rows.binary_search(&row).is_ok(),
            Form::Many(blocks, _) => {
                let (block, place) = split(row);
                blocks.get(&block).is_some_and(|block| block.has(place))
            }
        }
    }

    /// Adds a row that is not there yet.
    pub(crate) fn insert(&mut self, row: Row) {
        match &mut self.0 {
            Form::Few(rows) if rows.len() < FEW => *rows = inserted(rows, row),
            Form::Few(rows) => {
                let mut blocks = OrdMap::new();
                for row in rows.iter().copied().chain([row]) {
                    add(&mut blocks, row);
                }
                self.0 = Form::Many(blocks, FEW as u32 + 1);
            }
            Form::Many(blocks, len) => {
                add(blocks, row);
                *len += 1;
            }
        }
    }

    /// Takes out a row that is there.
    pub(crate) fn remove(&mut self, row: Row) {
        match &mut self.0 {
            Form::Few(rows) => *rows = rows.iter().copied().filter(|other| *other != row).collect(),
            Form::Many(blocks, len) => {
                let (block, place) = split(row);
                if blocks.get_mut(&block).is_some_and(|block| block.remove(place)) {
                    blocks.remove(&block);
                }
                *len -= 1;
            }
        }
    }

    /// The places of a block's rows.
    pub(crate) fn places(&self, block: u32) -> Places {
        match &self.0 {
            Form::Few(rows) => Places::Few(within(rows, block)),
            Form::Many(blocks, _) => blocks.get(&block).map_or_else(Places::none, Block::places),
        }
    }

    /// Adds the places of a block's rows to others.
    pub(crate) fn add_to(&self, block: u32, bits: &mut Bits) {
        match &self.0 {
            Form::Few(rows) => within(rows, block).into_iter().for_each(|place| bits.set(place)),
            Form::Many(blocks, _) => blocks.get(&block).into_iter().for_each(|block| block.add_to(bits)),
        }
    }

    /// Keeps of the places of a block those whose rows are here.
    pub(crate) fn narrow(&self, block: u32, places: &mut Places) {
        match &self.0 {
            Form::Few(rows) => places.and_list(&within(rows, block)),
            Form::Many(blocks, _) => match blocks.get(&block) {
                Some(block) => block.narrow(places),
                None => places.clear(),
            },
        }
    }

    /// Keeps of the places of a block those whose rows are not here.
    pub(crate) fn thin(&self, block: u32, places: &mut Places) {
        match &self.0 {
            Form::Few(rows) => places.minus_list(&within(rows, block)),
            Form::Many(blocks, _) => blocks.get(&block).into_iter().for_each(|block| block.thin(places)),
        }
    }

    /// The blocks from the first to the last that have rows, rising or falling, found as they are asked for.
    pub(crate) fn blocks(&self, (first, last): (u32, u32), descending: bool) -> Blocks<'_> {
        match (&self.0, descending) {
            (Form::Few(rows), _) => {
                let blocks = rows.iter().map(|row| split(*row).0);
                let mut blocks: Vec<_> = blocks.filter(|block| (first..=last).contains(block)).collect();
                blocks.dedup();
                if descending {
                    blocks.reverse();
                }
                Box::new(blocks.into_iter())
            }
            (Form::Many(blocks, _), false) => Box::new(blocks.range(first..=last).map(|(block, _)| *block)),
            (Form::Many(blocks, _), true) => {
                Box::new(blocks.range(first..=last).rev().map(|(block, _)| *block))
            }
        }
    }

    /// At most how many blocks have rows.
    pub(crate) fn block_count(&self) -> usize {
        match &self.0 {
            Form::Few(rows) => rows.len(),
            Form::Many(blocks, _) => blocks.len(),
        }
    }
}

/// Numbers of blocks, in order.
pub(crate) type Blocks<'a> = Box<dyn Iterator<Item = u32> + 'a>;

/// All blocks that there can be.
pub(crate) const EVERYWHERE: (u32, u32) = (0, u32::MAX / BLOCK);

/// The places of those of some rows, rising, that are in a block.
pub(crate) fn within(rows: &[Row], block: u32) -> List {
    let start = rows.partition_point(|row| *row < join(block, 0));
    rows[start..].iter().take_while(|row| **row <= join(block, LAST)).map(|row| split(*row).1).collect()
}

fn add(blocks: &mut OrdMap<u32, Block>, row: Row) {
    let (block, place) = split(row);
    match blocks.get_mut(&block) {
        Some(block) => block.insert(place),
        None => drop(blocks.insert(block, Block::Sparse(Arc::from([place])))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rows(set: &RowSet, descending: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        for block in set.blocks(EVERYWHERE, descending) {
            set.places(block).each(descending, |place| {
                rows.push(join(block, place));
                true
            });
        }
        rows
    }

    #[test]
    fn a_set_in_each_of_its_forms_holds_what_was_put_in() {
        let mut set = RowSet::default();
        let mut model = BTreeSet::new();
        // Few, then sparse blocks, then dense ones, by a walk that visits every residue.
        for step in 0..6_000_u32 {
            let row = step * 7_919 % 20_011;
            if model.insert(row) {
                set.insert(row);
            }
            if step % 3 == 0 {
                let gone = step * 31 % 20_011;
                if model.remove(&gone) {
                    set.remove(gone);
                }
            }
        }
        assert_eq!(set.len(), model.len());
        assert_eq!(rows(&set, false), model.iter().copied().collect::<Vec<_>>());
        assert_eq!(rows(&set, true), model.iter().rev().copied().collect::<Vec<_>>());
        assert!((0..20_011).all(|row| set.has(row) == model.contains(&row)));
        for row in model {
            set.remove(row);
        }
        assert!(set.is_empty() && set.blocks(EVERYWHERE, false).next().is_none());
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut set = RowSet::default();
        (0..500).for_each(|row| set.insert(row));
        let before = set.clone();
        set.remove(3);
        assert!(before.has(3) && !set.has(3));
    }
}
