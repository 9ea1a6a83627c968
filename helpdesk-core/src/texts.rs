//! Checking the texts that somebody gave: all that is wrong is said at once.

use std::collections::BTreeSet;

use crate::error::{Problem, Problems};

/// Collects what is wrong with texts, and takes away the spaces around them.
#[derive(Debug, Default)]
pub(crate) struct Texts(Problems);

impl Texts {
    /// A line that must say something.
    pub(crate) fn line(&mut self, field: &str, text: &mut String, most: usize) {
        trim(text);
        self.text(field, text, most);
    }

    /// A line that may be absent; one that says nothing is.
    pub(crate) fn optional(&mut self, field: &str, text: &mut Option<String>, most: usize) {
        text.iter_mut().for_each(trim);
        text.take_if(|text| text.is_empty());
        if let Some(text) = text {
            self.text(field, text, most);
        }
    }

    /// A text that must say something, and is kept as it is.
    pub(crate) fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(field, Problem::Blank);
        } else if text.chars().count() > most {
            self.add(field, Problem::TooLong(most));
        } else if text.contains('\0') {
            // No store keeps it.
            self.add(field, Problem::NulCharacter);
        }
    }

    /// A set of words, each of which must say something.
    pub(crate) fn words(&mut self, field: &str, words: &mut BTreeSet<String>, most: usize, longest: usize) {
        *words = words.iter().map(|word| word.trim().to_owned()).collect();
        words.iter().for_each(|word| self.text(field, word, longest));
        if words.len() > most {
            self.add(field, Problem::TooMany(most));
        }
    }

    /// Something else that is wrong.
    pub(crate) fn add(&mut self, field: &str, problem: Problem) {
        self.0.add(field, problem);
    }

    /// What was wrong.
    pub(crate) fn into_problems(self) -> Problems {
        self.0
    }
}

fn trim(text: &mut String) {
    let trimmed = text.trim();
    if trimmed.len() < text.len() {
        *text = trimmed.to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_said() {
        let mut texts = Texts::default();
        texts.line("name", &mut "  ".to_owned(), 5);
        texts.line("title", &mut " żółwie ".to_owned(), 5);
        texts.text("content", "a\0", 5);
        texts.words("tags", &mut ["a", "b", " "].map(str::to_owned).into(), 2, 1);
        let problems = texts.into_problems();
        let said: Vec<_> = problems.iter().map(|(field, problems)| (field, problems.to_vec())).collect();
        assert_eq!(
            said,
            [
                ("content", vec![Problem::NulCharacter]),
                ("name", vec![Problem::Blank]),
                ("tags", vec![Problem::Blank, Problem::TooMany(2)]),
                ("title", vec![Problem::TooLong(5)]),
            ]
        );
    }

    #[test]
    fn spaces_around_go_and_what_says_nothing_is_absent() {
        let mut texts = Texts::default();
        let (mut phone, mut role) = (Some(" 12 ".to_owned()), Some("  ".to_owned()));
        texts.optional("phone", &mut phone, 5);
        texts.optional("role", &mut role, 5);
        assert_eq!((phone.as_deref(), role), (Some("12"), None));
        assert!(texts.into_problems().is_empty());
    }
}
