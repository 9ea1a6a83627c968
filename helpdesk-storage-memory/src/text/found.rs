//! What a search found in one segment.

use super::segment::{Met, Postings, Segment, set_places};
use crate::rows::Row;

/// The rows of a segment that satisfy every term of a search.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// The segment's rows, rising.
    rows: &'a [Row],
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
        Self { rows: &segment.rows, places }
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
        let outside = self.rows.first().is_none_or(|first| row < *first)
            || self.rows.last().is_none_or(|last| row > *last);
        if outside {
            return false;
        }
        let Ok(place) = self.rows.binary_search(&row) else { return false };
        match &self.places {
            Places::List(list) => list.binary_search(&(place as u16)).is_ok(),
            Places::Bits(bits, _) => has(bits, place as u16),
        }
    }

    /// Hands over the rows between two, both included.
    pub(crate) fn between(&self, first: Row, last: Row, mut take: impl FnMut(Row)) {
        let start = self.rows.partition_point(|row| *row < first);
        let end = start + self.rows[start..].partition_point(|row| *row <= last);
        if start == end {
            return;
        }
        match &self.places {
            Places::List(list) => {
                let skipped = list.partition_point(|place| usize::from(*place) < start);
                let within = list[skipped..].iter().map(|place| usize::from(*place));
                within.take_while(|place| *place < end).for_each(|place| take(self.rows[place]));
            }
            Places::Bits(bits, _) => {
                let words = start / 64..end.div_ceil(64);
                let base = words.start * 64;
                set_places(&bits[words])
                    .map(|place| base + usize::from(place))
                    .filter(|place| (start..end).contains(place))
                    .for_each(|place| take(self.rows[place]));
            }
        }
    }
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
