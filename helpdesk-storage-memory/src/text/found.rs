//! What a search found in one segment.

use super::segment::{Met, Postings, Segment};
use crate::places::{Bits, LAST};
use crate::rows::{Row, join, split};

/// The rows of a segment that satisfy every term of a search.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// The segment's rows, rising.
    rows: &'a [Row],
    /// The first and the last of them: what says that a segment has nothing to say.
    span: (Row, Row),
    places: Places,
}

/// Which of the rows.
#[derive(Debug)]
enum Places {
    /// Their places, rising.
    List(Vec<u16>),
    /// A bit for each row, and how many are set.
    Bits(Vec<u64>, usize),
}

impl<'a> Found<'a> {
    /// The rows of a segment, but for the dead ones, that meet every one of some terms.
    pub(super) fn of(segment: &'a Segment, dead: &[u64], mets: &[Met<'_>]) -> Self {
        let shortest = mets.iter().filter_map(Met::list).min_by_key(|list| list.len());
        let places = match shortest {
            Some(shortest) => {
                let mut list = shortest.to_vec();
                list.retain(|place| !has(dead, *place));
                for met in mets {
                    match (met.list(), met.bits()) {
                        (Some(other), _) if !std::ptr::eq(other, shortest) => list.retain(listed(other)),
                        (_, Some(bits)) => list.retain(|place| has(bits, *place)),
                        _ => {}
                    }
                }
                Places::List(list)
            }
            None => {
                let mut others = mets.iter().filter_map(Met::bits);
                let mut bits = others.next().unwrap_or_default().to_vec();
                for other in others {
                    bits.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
                }
                bits.iter_mut().zip(dead).for_each(|(word, dead)| *word &= !dead);
                let count = bits.iter().map(|word| word.count_ones() as usize).sum();
                Places::Bits(bits, count)
            }
        };
        let rows = &*segment.rows;
        let span = (rows.first().copied().unwrap_or(Row::MAX), rows.last().copied().unwrap_or(0));
        Self { rows, span, places }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.places {
            Places::List(list) => list.len(),
            Places::Bits(_, count) => *count,
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let places = match &self.places {
            Places::List(list) => Postings::List(list),
            Places::Bits(bits, _) => Postings::Bits(bits),
        };
        places.places().map(|place| self.rows[usize::from(place)])
    }

    pub(crate) fn has(&self, row: Row) -> bool {
        if row < self.span.0 || row > self.span.1 {
            return false;
        }
        let Ok(place) = self.rows.binary_search(&row) else { return false };
        match &self.places {
            Places::List(list) => list.binary_search(&(place as u16)).is_ok(),
            Places::Bits(bits, _) => has(bits, place as u16),
        }
    }

    /// Adds the places of a block's rows to others.
    pub(crate) fn add_to(&self, block: u32, bits: &mut Bits) {
        let (first, last) = (join(block, 0), join(block, LAST));
        if self.span.0 > last || self.span.1 < first {
            return;
        }
        let start = self.rows.partition_point(|row| *row < first);
        let end = start + self.rows[start..].partition_point(|row| *row <= last);
        match &self.places {
            Places::List(list) => {
                let skipped = list.partition_point(|place| usize::from(*place) < start);
                let within = list[skipped..].iter().map(|place| usize::from(*place));
                within.take_while(|place| *place < end).for_each(|place| bits.set(split(self.rows[place]).1));
            }
            Places::Bits(own, _) => {
                // Rows that follow each other, as most do, are taken over sixty-four at a time.
                let mut start = start;
                while start < end {
                    let run = run(&self.rows[start..end]);
                    let place = split(self.rows[start]).1;
                    for from in (0..run).step_by(64) {
                        bits.set_word(place + from as u16, word(own, start + from, (run - from).min(64)));
                    }
                    start += run;
                }
            }
        }
    }
}

/// How many of the first rows follow each other without a gap.
fn run(rows: &[Row]) -> usize {
    let follows = |place: usize| rows[place] - rows[0] == place as Row;
    let mut step = 1;
    while step < rows.len() && follows(step) {
        step *= 2;
    }
    let (mut low, mut high) = (step / 2 + 1, step.min(rows.len()));
    while low < high {
        let middle = usize::midpoint(low, high);
        if follows(middle) { low = middle + 1 } else { high = middle }
    }
    low.min(rows.len())
}

/// Up to sixty-four bits from a place on.
fn word(bits: &[u64], start: usize, count: usize) -> u64 {
    let (index, shift) = (start / 64, start % 64);
    let low = bits[index] >> shift;
    let high = if shift + count > 64 { bits[index + 1] << (64 - shift) } else { 0 };
    (low | high) & (u64::MAX >> (64 - count))
}

impl Met<'_> {
    fn list(&self) -> Option<&[u16]> {
        if let Self::One(Postings::List(list)) = self { Some(list) } else { None }
    }

    fn bits(&self) -> Option<&[u64]> {
        match self {
            Self::One(Postings::List(_)) => None,
            Self::One(Postings::Bits(bits)) => Some(bits),
            Self::Several(bits) => Some(bits),
        }
    }
}

fn has(bits: &[u64], place: u16) -> bool {
    bits[usize::from(place / 64)] & (1 << (place % 64)) != 0
}

/// Whether places that rise from call to call are in a list that rises. Steps twice as far each time before it
/// searches what it stepped over, since the list may be far longer than the places are many.
fn listed(list: &[u16]) -> impl FnMut(&u16) -> bool {
    let mut rest = list;
    move |place| {
        let mut step = 1;
        while rest.get(step).is_some_and(|other| other < place) {
            step *= 2;
        }
        let reached = &rest[..rest.len().min(step + 1)];
        rest = &rest[reached.partition_point(|other| other < place)..];
        rest.first() == Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_rows_end_at_the_first_gap() {
        for length in 1..40_u32 {
            let rows: Vec<Row> = (7..7 + length).collect();
            assert_eq!(run(&rows), length as usize);
            for gap in 1..length {
                let rows: Vec<Row> = (0..length).map(|row| row + u32::from(row >= gap)).collect();
                assert_eq!(run(&rows), gap as usize);
            }
        }
    }

    #[test]
    fn bits_are_taken_over_wherever_they_start() {
        let bits = [0x8000_0000_0000_0001, 0b101, u64::MAX];
        let has = |place: usize| bits[place / 64] >> (place % 64) & 1;
        for start in 0..150 {
            for count in 1..=64.min(192 - start) {
                let expected = (0..count).fold(0, |word, place| word | has(start + place) << place);
                assert_eq!(word(&bits, start, count), expected, "{count} from {start}");
            }
        }
    }
}
