//! Some of the 4,096 places of a block of rows: as bits, or as a list where there are few.

use smallvec::SmallVec;

/// Rows to a block.
pub(crate) const BLOCK: u32 = 4_096;
/// The last place of a block.
pub(crate) const LAST: u16 = (BLOCK - 1) as u16;
/// The most places that are kept as a list; as bits they take 512 bytes.
pub(crate) const SPARSE: usize = 128;

/// The most places of lists that are merged; beyond, setting bits is quicker.
const SHORT: usize = 32;

/// Places in rising order.
pub(crate) type List = SmallVec<[u16; SPARSE]>;

/// One bit for each place of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits([u64; 64]);

impl Bits {
    pub(crate) const EMPTY: Self = Self([0; 64]);

    /// The bits of a list of places.
    pub(crate) fn of(places: &[u16]) -> Self {
        let mut bits = Self::EMPTY;
        places.iter().for_each(|place| bits.set(*place));
        bits
    }

    pub(crate) fn set(&mut self, place: u16) {
        self.0[usize::from(place / 64)] |= 1 << (place % 64);
    }

    /// Sets up to sixty-four places: those of a word's bits, from a place on. None may be beyond the last.
    pub(crate) fn set_word(&mut self, place: u16, word: u64) {
        let (index, shift) = (usize::from(place / 64), place % 64);
        self.0[index] |= word << shift;
        if shift > 0 && word >> (64 - shift) != 0 {
            self.0[index + 1] |= word >> (64 - shift);
        }
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
    fn keep(&mut self, first: u16, last: u16) {
        for (index, word) in self.0.iter_mut().enumerate() {
            let start = index as u32 * 64;
            let low = u32::from(first).saturating_sub(start).min(64);
            let high = (u32::from(last) + 1).saturating_sub(start).min(64);
            let below = |end: u32| if end >= 64 { u64::MAX } else { (1 << end) - 1 };
            *word &= below(high) & !below(low);
        }
    }

    /// The places that are set, rising or falling.
    fn places(&self, descending: bool) -> impl Iterator<Item = u16> + '_ {
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

/// Places of one block, while they are narrowed down. A short list is compared place by place, which spares the
/// sixty-four words that bits would take.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "lives on the stack, one at a time")]
pub(crate) enum Places {
    Few(List),
    Many(Bits),
}

impl Places {
    pub(crate) fn none() -> Self {
        Self::Few(List::new())
    }

    /// The given places, rising; as bits where there are too many for a list.
    pub(crate) fn of(places: &[u16]) -> Self {
        if places.len() <= SPARSE {
            Self::Few(List::from_slice(places))
        } else {
            Self::Many(Bits::of(places))
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(bits) => bits.count() as usize,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(list) => list.is_empty(),
            Self::Many(bits) => bits.is_empty(),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::none();
    }

    /// Adds the places of others.
    pub(crate) fn or(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Few(list), Self::Few(other)) if list.len() + other.len() <= SHORT => {
                *list = merged(list, other);
            }
            (Self::Few(list), other) => {
                let mut bits = Bits::of(list);
                other.add_to(&mut bits);
                *self = Self::Many(bits);
            }
            (Self::Many(bits), other) => other.add_to(bits),
        }
    }

    fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Few(list) => list.iter().for_each(|place| bits.set(*place)),
            Self::Many(own) => bits.or(own),
        }
    }

    /// Keeps those that pass a test.
    pub(crate) fn retain(&mut self, mut test: impl FnMut(u16) -> bool) {
        match self {
            Self::Few(list) => list.retain(|place| test(*place)),
            Self::Many(bits) => {
                let all = *bits;
                all.places(false).filter(|place| !test(*place)).for_each(|place| bits.clear(place));
            }
        }
    }

    /// Keeps those from `first` to `last`, both included.
    pub(crate) fn keep(&mut self, first: u16, last: u16) {
        match self {
            Self::Few(list) => list.retain(|place| (first..=last).contains(place)),
            Self::Many(bits) => bits.keep(first, last),
        }
    }

    /// Keeps those that are set in `other`.
    pub(crate) fn and(&mut self, other: &Bits) {
        match self {
            Self::Few(list) => list.retain(|place| other.has(*place)),
            Self::Many(bits) => bits.and(other),
        }
    }

    /// Keeps those that are in a rising list.
    pub(crate) fn and_list(&mut self, other: &[u16]) {
        match self {
            Self::Few(list) => {
                let mut listed = listed(other);
                list.retain(|place| listed(*place));
            }
            Self::Many(bits) => {
                let mut both = List::new();
                both.extend(other.iter().copied().filter(|place| bits.has(*place)));
                *self = Self::Few(both);
            }
        }
    }

    /// Takes out those that are set in `other`.
    pub(crate) fn minus(&mut self, other: &Bits) {
        match self {
            Self::Few(list) => list.retain(|place| !other.has(*place)),
            Self::Many(bits) => bits.minus(other),
        }
    }

    /// Takes out those that are in a rising list.
    pub(crate) fn minus_list(&mut self, other: &[u16]) {
        match self {
            Self::Few(list) => {
                let mut listed = listed(other);
                list.retain(|place| !listed(*place));
            }
            Self::Many(bits) => other.iter().for_each(|place| bits.clear(*place)),
        }
    }

    /// Keeps those that are in `other`.
    pub(crate) fn and_places(&mut self, other: &Self) {
        match other {
            Self::Few(list) => self.and_list(list),
            Self::Many(bits) => self.and(bits),
        }
    }

    /// Takes out those that are in `other`.
    pub(crate) fn minus_places(&mut self, other: &Self) {
        match other {
            Self::Few(list) => self.minus_list(list),
            Self::Many(bits) => self.minus(bits),
        }
    }

    /// Hands over the places one by one, rising or falling, as long as `take` says that it wants more.
    pub(crate) fn each(&self, descending: bool, mut take: impl FnMut(u16) -> bool) {
        match (self, descending) {
            (Self::Few(list), false) => _ = list.iter().all(|place| take(*place)),
            (Self::Few(list), true) => _ = list.iter().rev().all(|place| take(*place)),
            (Self::Many(bits), _) => _ = bits.places(descending).all(take),
        }
    }
}

/// Whether places that rise from call to call are in a list that rises. A step at a time, which for lists as short
/// as these is quicker than to search.
fn listed(list: &[u16]) -> impl FnMut(u16) -> bool {
    let mut rest = list.iter().copied().peekable();
    move |place| {
        while rest.next_if(|other| *other < place).is_some() {}
        rest.peek() == Some(&place)
    }
}

/// The places of two rising lists, rising.
fn merged(a: &[u16], b: &[u16]) -> List {
    let mut both = List::new();
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    while let (Some(first), Some(second)) = (a.peek().copied(), b.peek().copied()) {
        both.push(first.min(second));
        a.next_if(|place| *place <= second);
        b.next_if(|place| *place <= first);
    }
    both.extend(a);
    both.extend(b);
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(places: &Places, descending: bool) -> Vec<u16> {
        let mut list = Vec::new();
        places.each(descending, |place| {
            list.push(place);
            true
        });
        list
    }

    /// The same places in both forms.
    fn forms(places: &[u16]) -> [Places; 2] {
        [Places::Few(List::from_slice(places)), Places::Many(Bits::of(places))]
    }

    #[test]
    fn places_are_kept_between_two_of_them() {
        for mut places in forms(&[0, 63, 64, 100, 4_095]) {
            places.keep(63, 100);
            assert_eq!(list(&places, false), [63, 64, 100]);
            assert_eq!(list(&places, true), [100, 64, 63]);
            places.keep(0, LAST);
            assert_eq!(places.count(), 3);
        }
    }

    #[test]
    fn both_forms_are_narrowed_alike_by_both_forms() {
        let (a, b) = ([1, 2, 64, 700, 701, 4_095], [0, 2, 63, 64, 701, 900]);
        for other in forms(&b) {
            for places in forms(&a) {
                let mut both = places.clone();
                both.and_places(&other);
                assert_eq!(list(&both, false), [2, 64, 701]);
                let mut any = places.clone();
                any.or(&other);
                assert_eq!(list(&any, false), [0, 1, 2, 63, 64, 700, 701, 900, 4_095]);
                let mut rest = places;
                rest.minus_places(&other);
                assert_eq!(list(&rest, false), [1, 700, 4_095]);
                rest.retain(|place| place > 1);
                assert_eq!(list(&rest, true), [4_095, 700]);
                rest.clear();
                assert!(rest.is_empty());
            }
        }
    }

    #[test]
    fn places_are_handed_over_until_enough_were_taken() {
        for places in forms(&[3, 5, 9]) {
            let mut taken = Vec::new();
            places.each(true, |place| {
                taken.push(place);
                taken.len() < 2
            });
            assert_eq!(taken, [9, 5]);
        }
    }
}
