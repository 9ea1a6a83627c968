//! An immutable table of words and of the rows that have them.

use helpdesk_core::storage::{Term, Words};

use crate::rows::Row;

/// Rows, and which of them have which words. A row's place among the rows is its name in the postings.
#[derive(Debug)]
pub(super) struct Segment {
    /// The rows, rising.
    pub(super) rows: Box<[Row]>,
    /// All words in order, one after the other.
    text: Box<str>,
    /// Where each word ends in `text`.
    ends: Box<[u32]>,
    /// Where each word's postings end. A word without any is a common one.
    limits: Box<[u32]>,
    /// The places of the rows that have each word.
    postings: Box<[u16]>,
    /// The common words, which as bits take less room than their postings would: their indexes, rising.
    common: Box<[u32]>,
    /// For each common word, a bit for each row.
    bits: Box<[u64]>,
}

/// The places of the rows that have a word.
#[derive(Clone, Copy, Debug)]
pub(super) enum Postings<'a> {
    List(&'a [u16]),
    Bits(&'a [u64]),
}

/// The places of the rows that meet a term.
#[derive(Debug)]
pub(super) enum Met<'a> {
    One(Postings<'a>),
    /// The bits of several words together.
    Several(Vec<u64>),
}

impl<'a> Postings<'a> {
    fn add_to(self, bits: &mut [u64]) {
        match self {
            Self::List(places) => places.iter().for_each(|place| set(bits, *place)),
            Self::Bits(own) => bits.iter_mut().zip(own).for_each(|(word, own)| *word |= own),
        }
    }

    /// The places, rising.
    pub(super) fn places(self) -> impl Iterator<Item = u16> + 'a {
        let (list, bits) = match self {
            Self::List(places) => (places, &[][..]),
            Self::Bits(bits) => (&[][..], bits),
        };
        list.iter().copied().chain(set_places(bits))
    }
}

fn set(bits: &mut [u64], place: u16) {
    bits[usize::from(place / 64)] |= 1 << (place % 64);
}

/// The places of the bits that are set, rising.
pub(super) fn set_places(bits: &[u64]) -> impl Iterator<Item = u16> + '_ {
    bits.iter().enumerate().flat_map(|(index, word)| {
        let mut word = *word;
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros())?;
            word &= word - 1;
            Some((index * 64) as u16 + bit as u16)
        })
    })
}

impl Segment {
    /// The segment of the given rows, rising, and their words.
    pub(super) fn of<'a>(records: impl Iterator<Item = (Row, &'a Words)>) -> Self {
        let mut rows = Vec::new();
        let mut pairs: Vec<(&str, u16)> = Vec::new();
        for (place, (row, words)) in records.enumerate() {
            rows.push(row);
            pairs.extend(words.iter().map(|word| (word, place as u16)));
        }
        pairs.sort_unstable();
        Self::build(rows, &pairs)
    }

    /// The segment of rows, rising, and of pairs of a word and a row's place, in order.
    pub(super) fn build(rows: Vec<Row>, pairs: &[(&str, u16)]) -> Self {
        let (mut text, mut ends, mut limits) = (String::new(), Vec::new(), Vec::new());
        let (mut postings, mut common, mut bits) = (Vec::new(), Vec::new(), Vec::new());
        let words = rows.len().div_ceil(64);
        for pairs in pairs.chunk_by(|(a, _), (b, _)| a == b) {
            // Postings take two bytes each, bits eight bytes for sixty-four rows.
            if pairs.len() > words * 4 {
                common.push(ends.len() as u32);
                let start = bits.len();
                bits.resize(start + words, 0);
                pairs.iter().for_each(|(_, place)| set(&mut bits[start..], *place));
            } else {
                postings.extend(pairs.iter().map(|(_, place)| *place));
            }
            text.push_str(pairs[0].0);
            ends.push(text.len() as u32);
            limits.push(postings.len() as u32);
        }
        Self {
            rows: rows.into(),
            text: text.into(),
            ends: ends.into(),
            limits: limits.into(),
            postings: postings.into(),
            common: common.into(),
            bits: bits.into(),
        }
    }

    fn word(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    fn postings(&self, index: usize) -> Postings<'_> {
        let start = if index == 0 { 0 } else { self.limits[index - 1] as usize };
        let list = &self.postings[start..self.limits[index] as usize];
        if !list.is_empty() {
            return Postings::List(list);
        }
        let words = self.rows.len().div_ceil(64);
        let place = self.common.binary_search(&(index as u32)).unwrap_or_default();
        Postings::Bits(&self.bits[place * words..(place + 1) * words])
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (&str, Postings<'_>)> {
        (0..self.ends.len()).map(|index| (self.word(index), self.postings(index)))
    }

    /// The places of the rows that have a word which meets the term; `None` where no word does.
    pub(super) fn meet(&self, term: &Term) -> Option<Met<'_>> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.word(middle) < term.text() { low = middle + 1 } else { high = middle }
        }
        let count = (low..self.ends.len()).take_while(|index| term.meets(self.word(*index))).count();
        match count {
            0 => None,
            1 => Some(Met::One(self.postings(low))),
            _ => {
                let mut bits = vec![0; self.rows.len().div_ceil(64)];
                (low..low + count).for_each(|index| self.postings(index).add_to(&mut bits));
                Some(Met::Several(bits))
            }
        }
    }
}
