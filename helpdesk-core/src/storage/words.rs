//! Cutting text into the words that full-text search knows.
//!
//! Words are cut here and not by a store, so that every store finds the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// The longest word that is told apart, in characters. Longer ones (encoded data, mostly) are cut off.
const MAX_WORD: usize = 64;
/// The most different words of one record that are searched.
const MAX_WORDS: usize = 10_000;

/// The words of a record: folded, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Box<[Box<str>]>);

impl Words {
    /// Cuts texts into words at the boundaries of Unicode's rules, folding case and accents.
    ///
    /// ```
    /// use helpdesk_core::storage::Words;
    ///
    /// let words = Words::cut(["Crème brûlée, STRASSE & Straße"]);
    /// assert_eq!(words.iter().collect::<Vec<_>>(), ["brulee", "creme", "strasse"]);
    /// ```
    pub fn cut<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = BTreeSet::new();
        for text in texts {
            for word in text.unicode_words() {
                if words.len() >= MAX_WORDS {
                    break;
                }
                words.insert(fold(word).into_boxed_str());
            }
        }
        words.remove("");
        Self(words.into_iter().collect())
    }

    /// The words in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every term is met by some word.
    #[must_use]
    pub fn satisfy(&self, terms: &[Term]) -> bool {
        terms.iter().all(|term| {
            let place = self.0.partition_point(|word| **word < *term.text);
            self.0.get(place).is_some_and(|word| term.meets(word))
        })
    }
}

/// A word that is searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    text: String,
    prefix: bool,
}

impl Term {
    /// The terms of what somebody typed into a search box. A word followed by `*` is met by every word that
    /// begins with it.
    ///
    /// ```
    /// use helpdesk_core::storage::Term;
    ///
    /// let terms = Term::typed("Printer pap*");
    /// assert_eq!(terms[0].text(), "printer");
    /// assert!(terms[1].meets("paper"));
    /// ```
    #[must_use]
    pub fn typed(text: &str) -> Vec<Self> {
        let mut terms: Vec<Self> = Vec::new();
        for (start, word) in text.unicode_word_indices() {
            let folded = fold(word);
            let prefix = text[start + word.len()..].starts_with('*');
            let term = Self { text: folded, prefix };
            if !term.text.is_empty() && terms.len() < 32 && !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms
    }

    /// The same terms, with the last one met by every word that begins with it: for searching while typing.
    #[must_use]
    pub fn typing(text: &str) -> Vec<Self> {
        let mut terms = Self::typed(text);
        if let Some(last) = terms.last_mut() {
            last.prefix = true;
        }
        terms
    }

    /// The folded word.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether words that only begin with it meet the term.
    #[must_use]
    pub const fn is_prefix(&self) -> bool {
        self.prefix
    }

    /// Whether a folded word meets the term.
    #[must_use]
    pub fn meets(&self, word: &str) -> bool {
        if self.prefix { word.starts_with(&self.text) } else { word == self.text }
    }
}

/// A text as search sees it: lower case, without accents, ligatures spelled out.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().take(MAX_WORD).map(|c| c.to_ascii_lowercase()).collect();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).take(MAX_WORD) {
        match c {
            // Letters that people type without their stroke or ligature, but that Unicode does not decompose.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            // What lower-casing itself decomposes (İ becomes i and a dot).
            c if is_combining_mark(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        Words::cut([text]).iter().map(str::to_owned).collect()
    }

    #[test]
    fn case_accents_and_ligatures_are_folded_in_many_scripts() {
        assert_eq!(cut("Żółć ŁÓDŹ"), ["lodz", "zolc"]);
        assert_eq!(cut("ΣΊΣΥΦΟΣ Сайт İstanbul"), ["istanbul", "σισυφοσ", "саит"]);
        assert_eq!(cut("Æsir ﬁne"), ["aesir", "fine"]);
        assert_eq!(cut("東京"), ["京", "東"]);
    }

    #[test]
    fn numbers_and_addresses_are_words() {
        assert_eq!(
            cut("TX0001: error 0x80070057, don't panic"),
            ["0x80070057", "don't", "error", "panic", "tx0001"]
        );
    }

    #[test]
    fn terms_are_met_by_words_and_prefixes() {
        let words = Words::cut(["the printer is on fire"]);
        assert!(words.satisfy(&Term::typed("FIRE printer")));
        assert!(words.satisfy(&Term::typed("prin*")));
        assert!(words.satisfy(&Term::typing("on fi")));
        assert!(!words.satisfy(&Term::typed("prin")));
        assert!(!words.satisfy(&Term::typed("fire water")));
        assert!(words.satisfy(&[]));
    }

    #[test]
    fn endless_words_are_cut_off() {
        assert_eq!(cut(&"x".repeat(5_000))[0].len(), MAX_WORD);
    }
}
