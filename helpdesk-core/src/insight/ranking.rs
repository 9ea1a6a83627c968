//! Ranking what a search has found.
//!
//! A store says which records have the words, not how well they fit. So the newest of those that match are ranked
//! here, the same for every store; what lies beyond them follows by age.

use std::cmp::Reverse;

use crate::error::Result;
use crate::storage::{Entity, From, Listing, Select, Stored, Term, TotalMode, Words};

/// How many of the newest matches are ranked.
pub(crate) const RANKED: usize = 200;
/// How much of a long text is looked at, in characters. A word that stands further back counts for little anyway.
const READ: usize = 2_000;

/// Which part of what was found is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many come before it.
    pub skip: u64,
    /// How many it has at most.
    pub limit: usize,
}

impl Window {
    /// The first so many.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { skip: 0, limit }
    }
}

/// How well a record fits what was searched for. For each word: that it stands in what the record is called is worth
/// more than that it stands in its text, and a whole word more than the beginning of one.
///
/// ```
/// use helpdesk_core::insight::score;
/// use helpdesk_core::storage::Term;
///
/// let terms = Term::typing("print");
/// let called = score(&terms, ["Print at home"], ["How to"]);
/// let begun = score(&terms, ["Printers"], ["How to"]);
/// let said = score(&terms, ["Paper"], ["It does not print"]);
/// assert!(called > begun && begun > said && said > score(&terms, ["Paper"], ["Toner"]));
/// ```
pub fn score<'a>(
    terms: &[Term],
    called: impl IntoIterator<Item = &'a str>,
    texts: impl IntoIterator<Item = &'a str>,
) -> u32 {
    let (called, texts) = (Words::cut(called), Words::cut(texts.into_iter().map(beginning)));
    terms.iter().map(|term| (met(term, &called) * 4).max(met(term, &texts))).sum()
}

/// 2 for a whole word, 1 for the beginning of one.
fn met(term: &Term, words: &Words) -> u32 {
    if !words.satisfy(std::slice::from_ref(term)) {
        0
    } else if term.is_prefix() && words.iter().all(|word| word != term.text()) {
        1
    } else {
        2
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(READ).map_or(text, |(end, _)| &text[..end])
}

/// A part of what a search has found, the best first and of equally good ones the newest, with the number of all.
pub(crate) async fn ranked<T: Entity>(
    select: Select<'_, T>,
    window: Window,
    score: impl Fn(&Stored<T>) -> u32 + Send,
) -> Result<Listing<T>> {
    let Window { skip, limit } = window;
    let select = select.newest();
    let beyond = u64::try_from(RANKED).unwrap_or(u64::MAX);
    if skip >= beyond {
        return Ok(select.limit(limit).from(From::Offset(skip)).total(TotalMode::Exact).page().await?);
    }
    let mut found = select.clone().limit(RANKED).total(TotalMode::Exact).page().await?;
    // Stable, so that what fits equally well stays by age.
    found.items.sort_by_cached_key(|item| Reverse(score(item)));
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    found.items.drain(..skip.min(found.items.len()));
    if found.items.len() < limit && found.next.is_some() {
        let missing = limit - found.items.len();
        found.items.extend(select.limit(missing).from(From::Offset(beyond)).page().await?.items);
    }
    found.items.truncate(limit);
    Ok(Listing { next: None, previous: None, ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(typed: &str, called: &str, text: &str) -> u32 {
        score(&Term::typing(typed), [called], [text])
    }

    #[test]
    fn words_in_the_title_come_before_words_in_the_text() {
        assert!(of("printer", "Printer offline", "") > of("printer", "Offline", "printer printer printer"));
        assert!(of("printer fire", "Printer on fire", "") > of("printer fire", "Printer", "It is on fire"));
        assert!(of("printer fire", "Printer", "fire") > of("printer fire", "Help", "printer on fire"));
    }

    #[test]
    fn whole_words_come_before_beginnings() {
        assert!(of("print", "Print", "") > of("print", "Printer", ""));
        assert!(of("print", "", "print") > of("print", "", "printer"));
        // Only the last word may be unfinished.
        assert_eq!(of("print fire", "Printer", ""), 0);
    }

    #[test]
    fn case_and_accents_make_no_difference() {
        assert_eq!(of("CREME", "Crème", ""), of("crème", "creme", ""));
        assert_eq!(of("", "Printer", "on fire"), 0);
    }

    #[test]
    fn long_texts_are_looked_at_in_part() {
        let long = format!("{}printer", "ü ".repeat(READ));
        assert_eq!(of("printer", "", &long), 0);
        assert_eq!(of("printer", "", &long[long.len() - 20..]), 2);
    }
}
