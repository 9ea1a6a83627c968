//! Sets of rows that share what they can with their older selves.
//!
//! A row is a record's number. Rows are kept in blocks of 4,096, so that adding one copies a few hundred bytes
//! at most, and so that two sets are compared 64 rows at a time.

use std::sync::Arc;

use imbl::OrdMap;

/// A record's number within its partition.
pub(crate) type Row = u32;

/// Rows to a block.
const BLOCK: u32 = 4_096;
/// The largest set that is kept as a plain list.
const FEW: usize = 48;
/// The largest block that is kept as a plain list; as bits it takes 512 bytes.
const SPARSE: usize = 128;

/// One bit for each row of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits([u64; 64]);

impl Bits {
    pub(crate) const EMPTY: Self = Self([0; 64]);

    pub(crate) fn set(&mut self, place: u16) {
        self.0[usize::from(place / 64)] |= 1 << (place % 64);
    }

    pub(crate) fn clear(&mut self, place: u16) {
        self.0[usize::from(place / 64)] &= !(1 << (place % 64));
    }

    pub(crate) fn has(&self, place: u16) -> bool {
        self.0[usize::from(place / 64)] & (1 << (place % 64)) != 0
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn minus(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    /// Keeps the places from `first` to `last`, both included.
    pub(crate) fn keep(&mut self, first: u16, last: u16) {
        for (index, word) in self.0.iter_mut().enumerate() {
            let start = index as u32 * 64;
            let low = u32::from(first).saturating_sub(start).min(64);
            let high = (u32::from(last) + 1).saturating_sub(start).min(64);
            let below = |end: u32| if end >= 64 { u64::MAX } else { (1 << end) - 1 };
            *word &= below(high) & !below(low);
        }
    }

    /// The places that are set, rising or falling.
    pub(crate) fn places(&self, descending: bool) -> impl Iterator<Item = u16> + '_ {
        let words = (0..64).map(move |index| if descending { 63 - index } else { index });
        words.flat_map(move |index: usize| {
            let mut word = self.0[index];
            std::iter::from_fn(move || {
                if word == 0 {
                    return None;
                }
                let bit = if descending { 63 - word.leading_zeros() } else { word.trailing_zeros() };
                word &= !(1 << bit);
                Some((index as u32 * 64 + bit) as u16)
            })
        })
    }
}

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
    fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Sparse(places) => places.iter().for_each(|place| bits.set(*place)),
            Self::Dense(dense) => bits.or(dense),
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
                let mut bits = Bits::EMPTY;
                places.iter().for_each(|place| bits.set(*place));
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

    /// The rows of a block as bits.
    pub(crate) fn bits(&self, block: u32) -> Bits {
        let mut bits = Bits::EMPTY;
        match &self.0 {
            Form::Few(rows) => {
                let start = rows.partition_point(|row| split(*row).0 < block);
                for (own, place) in rows[start..].iter().map(|row| split(*row)) {
                    if own != block {
                        break;
                    }
                    bits.set(place);
                }
            }
            Form::Many(blocks, _) => {
                if let Some(block) = blocks.get(&block) {
                    block.add_to(&mut bits);
                }
            }
        }
        bits
    }

    /// The blocks that have rows, rising.
    pub(crate) fn blocks(&self) -> Vec<u32> {
        match &self.0 {
            Form::Few(rows) => {
                let mut blocks: Vec<_> = rows.iter().map(|row| split(*row).0).collect();
                blocks.dedup();
                blocks
            }
            Form::Many(blocks, _) => blocks.keys().copied().collect(),
        }
    }
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
        let mut blocks = set.blocks();
        if descending {
            blocks.reverse();
        }
        blocks
            .into_iter()
            .flat_map(|block| {
                set.bits(block).places(descending).map(|place| join(block, place)).collect::<Vec<_>>()
            })
            .collect()
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
        assert!(set.is_empty() && set.blocks().is_empty());
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut set = RowSet::default();
        (0..500).for_each(|row| set.insert(row));
        let before = set.clone();
        set.remove(3);
        assert!(before.has(3) && !set.has(3));
    }

    #[test]
    fn bits_are_kept_between_two_places() {
        let mut bits = Bits::EMPTY;
        [0, 63, 64, 100, 4_095].into_iter().for_each(|place| bits.set(place));
        bits.keep(63, 100);
        assert_eq!(bits.places(false).collect::<Vec<_>>(), [63, 64, 100]);
        bits.keep(0, 4_095);
        assert_eq!(bits.count(), 3);
    }
}
