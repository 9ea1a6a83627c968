//! Full-text search: which rows have which words.
//!
//! The last few records wait in a small map that is searched record by record. Now and then they become a
//! segment, an immutable table of words and rows, and segments of one size are merged into a larger one, so
//! that each record is moved a few times in all and a commit copies none of the tables. A record that changes
//! or goes is marked dead in its segment.

use std::collections::BTreeMap;
use std::sync::Arc;

use helpdesk_core::storage::{Term, Words};
use imbl::OrdMap;

use crate::rows::{Bits, Row, split};

/// Records that wait before they become a segment.
const PENDING: usize = 32;
/// Segments of one size that are merged into one.
const FAN_IN: usize = 8;
/// Segments of so many records are not merged any more: a merge holds up the writer, for some 20 ms at this size.
const LARGEST: usize = 16_384;
/// The most records of a segment. A place in a segment must fit the 16 bits of a posting.
const MOST: usize = 2 * LARGEST;

/// Rows found by a search, as bits by block.
pub(crate) type Hits = BTreeMap<u32, Box<Bits>>;

/// The words of a partition's records. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextIndex {
    pending: OrdMap<Row, Arc<Words>>,
    segments: imbl::Vector<Live>,
}

/// A segment, and which of its records are no longer as it says.
#[derive(Clone, Debug)]
struct Live {
    segment: Arc<Segment>,
    dead: Arc<[u64]>,
    alive: usize,
}

#[derive(Debug)]
struct Segment {
    /// The rows, rising; a row's place here is its name in the postings.
    rows: Box<[Row]>,
    /// All words in order, one after the other.
    text: Box<str>,
    /// Where each word ends in `text`.
    ends: Box<[u32]>,
    /// Where each word's postings end.
    limits: Box<[u32]>,
    /// The places of the rows that have each word.
    postings: Box<[u16]>,
}

impl TextIndex {
    /// Adds the words of a row that is not there yet.
    pub(crate) fn insert(&mut self, row: Row, words: Words) {
        if words.is_empty() {
            return;
        }
        self.pending.insert(row, Arc::new(words));
        if self.pending.len() >= PENDING {
            let pending = std::mem::take(&mut self.pending);
            let segment = Segment::of(pending.iter().map(|(row, words)| (*row, &**words)));
            self.segments.push_back(Live::new(segment));
            self.merge();
        }
    }

    /// Takes out the words of a row, if it has any.
    pub(crate) fn remove(&mut self, row: Row) {
        if self.pending.remove(&row).is_some() {
            return;
        }
        for place in (0..self.segments.len()).rev() {
            let Some(index) = self.segments[place].alive_at(row) else { continue };
            let live = &mut self.segments[place];
            let mut dead = live.dead.to_vec();
            dead[index / 64] |= 1 << (index % 64);
            live.dead = dead.into();
            live.alive -= 1;
            if live.alive == 0 {
                self.segments.remove(place);
            } else if live.alive * 2 < live.segment.rows.len() {
                *live = Live::new(Segment::merged(std::slice::from_ref(live)));
            }
            return;
        }
    }

    /// The rows whose words satisfy every term.
    pub(crate) fn search(&self, terms: &[Term]) -> Hits {
        let mut hits = Hits::new();
        let mut hit = |row: Row| {
            let (block, place) = split(row);
            hits.entry(block).or_insert_with(|| Box::new(Bits::EMPTY)).set(place);
        };
        for live in &self.segments {
            live.search(terms, &mut hit);
        }
        for (row, words) in &self.pending {
            if words.satisfy(terms) {
                hit(*row);
            }
        }
        hits
    }

    /// Merges the segments at the end as long as there are enough of one size.
    fn merge(&mut self) {
        loop {
            let count = self.segments.len();
            let Some(last) = self.segments.back() else { return };
            let (size, mut total) = (class(last.alive), 0);
            // A segment that lost records counts as a smaller one, so a few of a size may be too many together.
            let fits = |live: &&Live| {
                total += live.alive;
                class(live.alive) <= size && total <= MOST
            };
            let same = self.segments.iter().rev().take_while(fits).count();
            if same < FAN_IN || size >= LARGEST {
                return;
            }
            let parts: Vec<_> = self.segments.split_off(count - same).into_iter().collect();
            self.segments.push_back(Live::new(Segment::merged(&parts)));
        }
    }
}

/// The size that a segment counts as: the largest of 32, 256, 2,048, 16,384 that it reaches.
fn class(alive: usize) -> usize {
    let mut size = PENDING;
    while size * FAN_IN <= alive && size < LARGEST {
        size *= FAN_IN;
    }
    size
}

impl Live {
    fn new(segment: Segment) -> Self {
        let count = segment.rows.len();
        Self { segment: Arc::new(segment), dead: vec![0; count.div_ceil(64)].into(), alive: count }
    }

    fn is_dead(&self, place: usize) -> bool {
        self.dead[place / 64] & (1 << (place % 64)) != 0
    }

    /// The place of a row, where this segment speaks for it.
    fn alive_at(&self, row: Row) -> Option<usize> {
        let place = self.segment.rows.binary_search(&row).ok()?;
        (!self.is_dead(place)).then_some(place)
    }

    fn search(&self, terms: &[Term], hit: &mut impl FnMut(Row)) {
        let segment = &*self.segment;
        let mut found: Option<Vec<u64>> = None;
        for term in terms {
            let mut bits = vec![0_u64; self.dead.len()];
            for place in segment.places(term) {
                bits[usize::from(place / 64)] |= 1 << (place % 64);
            }
            match &mut found {
                None => found = Some(bits),
                Some(found) => found.iter_mut().zip(&bits).for_each(|(word, other)| *word &= other),
            }
            if found.as_ref().is_some_and(|bits| bits.iter().all(|word| *word == 0)) {
                return;
            }
        }
        for (index, word) in found.into_iter().flatten().enumerate() {
            let mut word = word & !self.dead[index];
            while word != 0 {
                hit(segment.rows[index * 64 + word.trailing_zeros() as usize]);
                word &= word - 1;
            }
        }
    }
}

impl Segment {
    /// The segment of the given rows, rising, and their words.
    fn of<'a>(records: impl Iterator<Item = (Row, &'a Words)>) -> Self {
        let mut rows = Vec::new();
        let mut pairs: Vec<(&str, u16)> = Vec::new();
        for (place, (row, words)) in records.enumerate() {
            rows.push(row);
            pairs.extend(words.iter().map(|word| (word, place as u16)));
        }
        pairs.sort_unstable();
        Self::build(rows, pairs.into_iter())
    }

    /// The segment of what is alive in others.
    fn merged(parts: &[Live]) -> Self {
        let mut alive: Vec<(Row, usize, usize)> = Vec::new();
        for (part, live) in parts.iter().enumerate() {
            let rows = live.segment.rows.iter().enumerate().filter(|(place, _)| !live.is_dead(*place));
            alive.extend(rows.map(|(place, row)| (*row, part, place)));
        }
        alive.sort_unstable();
        let mut names: Vec<Vec<Option<u16>>> =
            parts.iter().map(|live| vec![None; live.segment.rows.len()]).collect();
        for (name, (_, part, place)) in alive.iter().enumerate() {
            names[*part][*place] = Some(name as u16);
        }
        let mut pairs: Vec<(&str, u16)> = Vec::new();
        for (live, names) in parts.iter().zip(&names) {
            for (word, places) in live.segment.words() {
                pairs.extend(places.iter().filter_map(|place| Some((word, names[usize::from(*place)]?))));
            }
        }
        // Each part is in order already, which a stable sort makes use of.
        pairs.sort();
        Self::build(alive.into_iter().map(|(row, ..)| row).collect(), pairs.into_iter())
    }

    fn build<'a>(rows: Vec<Row>, pairs: impl Iterator<Item = (&'a str, u16)>) -> Self {
        let (mut text, mut ends, mut limits, mut postings) =
            (String::new(), Vec::new(), Vec::new(), Vec::new());
        let mut last: Option<&str> = None;
        for (word, place) in pairs {
            if last != Some(word) {
                if last.is_some() {
                    limits.push(postings.len() as u32);
                }
                text.push_str(word);
                ends.push(text.len() as u32);
                last = Some(word);
            }
            postings.push(place);
        }
        if last.is_some() {
            limits.push(postings.len() as u32);
        }
        Self {
            rows: rows.into(),
            text: text.into(),
            ends: ends.into(),
            limits: limits.into(),
            postings: postings.into(),
        }
    }

    fn word(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    fn postings(&self, index: usize) -> &[u16] {
        let start = if index == 0 { 0 } else { self.limits[index - 1] as usize };
        &self.postings[start..self.limits[index] as usize]
    }

    fn words(&self) -> impl Iterator<Item = (&str, &[u16])> {
        (0..self.ends.len()).map(|index| (self.word(index), self.postings(index)))
    }

    /// The places of the rows that have a word which meets the term.
    fn places<'a>(&'a self, term: &'a Term) -> impl Iterator<Item = u16> + 'a {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.word(middle) < term.text() { low = middle + 1 } else { high = middle }
        }
        (low..self.ends.len())
            .take_while(|index| term.meets(self.word(*index)))
            .flat_map(|index| self.postings(index).iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Model;

    use super::*;
    use crate::rows::join;

    fn found(index: &TextIndex, typed: &str) -> Vec<Row> {
        let hits = index.search(&Term::typed(typed));
        hits.iter()
            .flat_map(|(block, bits)| bits.places(false).map(|place| join(*block, place)).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn large_segments_that_lost_a_record_are_not_merged_beyond_what_places_can_name() {
        let words = Words::cut(["word"]);
        let segment = |first: u32, count: usize| {
            let rows = first..first + count as u32;
            Live::new(Segment::of(rows.map(|row| (row, &words))))
        };
        let mut index = TextIndex::default();
        let large = LARGEST as u32;
        for place in 0..5 {
            index.segments.push_back(segment(place * large, LARGEST));
        }
        // One record less, and each counts as one of the next smaller size.
        for place in 0..5 {
            index.remove(place * large);
        }
        let mut first = 5 * large;
        for size in [2_048, 256, 32] {
            for _ in 0..7 {
                index.segments.push_back(segment(first, size));
                first += size as u32;
            }
        }
        for row in first..first + 32 {
            index.insert(row, words.clone());
        }
        assert_eq!(found(&index, "word").len(), first as usize + 32 - 5);
        assert!(index.segments.iter().all(|live| live.segment.rows.len() <= MOST));
    }

    #[test]
    fn rows_are_found_while_they_wait_and_after_any_number_of_merges() {
        let mut index = TextIndex::default();
        let mut model: Model<Row, Vec<u32>> = Model::new();
        for step in 0..5_000_u32 {
            let row = step * 37 % 3_001;
            if model.remove(&row).is_some() {
                index.remove(row);
            }
            if step % 5 != 0 {
                let numbers = vec![step % 7, step % 11 + 100, step % 13 + 200];
                let text: Vec<_> = numbers.iter().map(|number| format!("w{number}")).collect();
                index.insert(row, Words::cut([text.join(" ").as_str()]));
                model.insert(row, numbers);
            }
        }
        for (typed, wanted) in
            [("w3", vec![3]), ("w3 w105", vec![3, 105]), ("w3 w105 w209", vec![3, 105, 209])]
        {
            let expected: Vec<_> = model
                .iter()
                .filter(|(_, numbers)| wanted.iter().all(|number| numbers.contains(number)))
                .map(|(row, _)| *row)
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(found(&index, typed), expected, "{typed}");
        }
        assert_eq!(found(&index, "w1*").len(), model.len());
        assert!(found(&index, "w99*").is_empty());
        assert!(index.segments.len() < 40, "{} segments", index.segments.len());
    }
}
