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
fn set_places(bits: &[u64]) -> impl Iterator<Item = u16> + '_ {
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

    /// The postings of words from one index up to another, one word's after the other, without the common ones.
    fn lists(&self, low: usize, high: usize) -> &[u16] {
        let limit = |index: usize| if index == 0 { 0 } else { self.limits[index - 1] as usize };
        &self.postings[limit(low)..limit(high)]
    }

    /// The bits of the common word at a place among them.
    fn common(&self, place: usize) -> &[u64] {
        let words = self.rows.len().div_ceil(64);
        &self.bits[place * words..(place + 1) * words]
    }

    fn postings(&self, index: usize) -> Postings<'_> {
        match self.lists(index, index + 1) {
            [] => Postings::Bits(self.common(self.common.partition_point(|word| (*word as usize) < index))),
            list => Postings::List(list),
        }
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (&str, Postings<'_>)> {
        (0..self.ends.len()).map(|index| (self.word(index), self.postings(index)))
    }

    /// The places of the rows that have a word which meets the term; `None` where no word does.
    pub(super) fn meet(&self, term: &Term) -> Option<Met<'_>> {
        let low = self.first(0, |word| word < term.text());
        if low == self.ends.len() || !term.meets(self.word(low)) {
            return None;
        }
        if !term.is_prefix() {
            return Some(Met::One(self.postings(low)));
        }
        let high = self.first(low, |word| term.meets(word));
        if high == low + 1 {
            return Some(Met::One(self.postings(low)));
        }
        let mut bits = vec![0; self.rows.len().div_ceil(64)];
        self.lists(low, high).iter().for_each(|place| set(&mut bits, *place));
        let place = |index: usize| self.common.partition_point(|word| (*word as usize) < index);
        for common in place(low)..place(high) {
            bits.iter_mut().zip(self.common(common)).for_each(|(word, common)| *word |= common);
        }
        Some(Met::Several(bits))
    }

    /// The index of the first word, from an index on, that does not pass a test which those before it pass.
    fn first(&self, from: usize, passes: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (from, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if passes(self.word(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
