//! Full-text search: which rows have which words.
//!
//! The last few records wait in a small map that is searched record by record. Now and then they become a
//! segment, an immutable table of words and rows, and segments of one size are merged into a larger one, so
//! that each record is moved a few times in all and a commit copies none of the tables. A record that changes
//! or goes is marked dead in its segment.

mod found;
mod segment;

use std::sync::Arc;

use helpdesk_core::storage::{Term, Words};
use imbl::OrdMap;

pub(crate) use self::found::Found;
use self::segment::Segment;
use crate::hits::Hits;
use crate::rows::Row;

/// Records that wait before they become a segment.
const PENDING: usize = 32;
/// Segments of one size that are merged into one.
const FAN_IN: usize = 8;
/// Segments of so many records are not merged any more: a merge holds up the writer, for some 20 ms at this size.
const LARGEST: usize = 16_384;
/// The most records of a segment. A place in a segment must fit the 16 bits of a posting.
const MOST: usize = 2 * LARGEST;

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
                *live = Live::new(merged(std::slice::from_ref(live)));
            }
            return;
        }
    }

    /// The rows whose words satisfy every term.
    pub(crate) fn search(&self, terms: &[Term]) -> Hits<'_> {
        let waiting = self.pending.iter().filter(|(_, words)| words.satisfy(terms)).map(|(row, _)| *row);
        let found = self.segments.iter().filter_map(|live| live.search(terms));
        Hits::found(found.collect(), waiting)
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
            self.segments.push_back(Live::new(merged(&parts)));
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

    /// The rows whose words satisfy every term.
    fn search(&self, terms: &[Term]) -> Option<Found<'_>> {
        let mets: Option<Vec<_>> = terms.iter().map(|term| self.segment.meet(term)).collect();
        Some(Found::of(&self.segment, &self.dead, &mets?))
    }
}

/// The segment of what is alive in others.
fn merged(parts: &[Live]) -> Segment {
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
        for (word, postings) in live.segment.words() {
            pairs.extend(postings.places().filter_map(|place| Some((word, names[usize::from(place)]?))));
        }
    }
    // Each part is in order already, which a stable sort makes use of.
    pairs.sort();
    Segment::build(alive.into_iter().map(|(row, ..)| row).collect(), &pairs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Model;

    use super::*;
    use crate::rows::join;

    fn found(index: &TextIndex, typed: &str) -> Vec<Row> {
        let hits = index.search(&Term::typed(typed));
        let rows: Vec<_> = (0..200_000).filter(|row| hits.has(*row)).collect();
        assert_eq!(hits.len(), rows.len());
        let mut by_block = Vec::new();
        for block in 0..50 {
            hits.places(block).each(false, |place| {
                by_block.push(join(block, place));
                true
            });
        }
        assert_eq!(by_block, rows);
        rows
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
                // Common words and rare ones, which large segments keep in different ways.
                let numbers =
                    vec![step % 7, step % 11 + 100, step % 13 + 200, step % 60 + 300, row % 70 + 400];
                let text: Vec<_> = numbers.iter().map(|number| format!("w{number}")).collect();
                index.insert(row, Words::cut([text.join(" ").as_str()]));
                model.insert(row, numbers);
            }
        }
        for wanted in [&[3][..], &[3, 105], &[3, 105, 209], &[329], &[3, 329], &[410, 5], &[410, 105]] {
            let typed: Vec<_> = wanted.iter().map(|number| format!("w{number}")).collect();
            let typed = typed.join(" ");
            let expected: Vec<_> = model
                .iter()
                .filter(|(_, numbers)| wanted.iter().all(|number| numbers.contains(number)))
                .map(|(row, _)| *row)
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(found(&index, &typed), expected, "{typed}");
        }
        assert_eq!(found(&index, "w1*").len(), model.len());
        assert!(found(&index, "w99*").is_empty());
        assert!(index.segments.len() < 40, "{} segments", index.segments.len());
    }
}
