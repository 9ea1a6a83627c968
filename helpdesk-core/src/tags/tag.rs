//! The tag.

use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::error::{Problem, Problems};
use crate::storage::{Entity, FieldSpec, KindSpec, Row};
use crate::texts::Texts;

/// The longest name that is taken, in characters: that of the words that tickets are marked with.
const MAX_NAME: usize = 100;

entity_id! {
    /// The id of a tag.
    pub TagId
}

/// A word that the desk agreed on to mark records with, and its colour. Records hold the word itself, so they may be
/// marked with words that are no tags, and keep their words when a tag goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// The word. No other tag has it, in whatever case.
    pub name: String,
    /// Its colour, as in CSS: `#36f` or `#3366ff`.
    pub color: String,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Tag {
    /// A tag of a name and a colour.
    #[must_use]
    pub fn new(name: impl Into<String>, color: impl Into<String>) -> Self {
        Self { name: name.into(), color: color.into(), ext: serde_json::Map::new() }
    }

    /// Brings the texts into the form that is kept, and says what is wrong with them.
    pub(super) fn tidy(&mut self) -> Problems {
        let mut texts = Texts::default();
        texts.line("name", &mut self.name, MAX_NAME);
        self.color = self.color.trim().to_owned();
        if !is_color(&self.color) {
            texts.add("color", Problem::Format("colour; use #rrggbb"));
        }
        texts.into_problems()
    }
}

/// Whether a text is a colour of three or six digits.
fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| {
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

impl Entity for Tag {
    type Id = TagId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("tag", &[FieldSpec::text("name").unique()]).indexes(&[&["name"]]).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("name", self.name.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_three_or_six_digits() {
        for color in ["#36f", "#3366ff", "#ABCDEF", " #000 "] {
            assert!(Tag::new("x", color).tidy().is_empty(), "{color}");
        }
        for wrong in ["", "#", "36f", "#3366f", "#33 66f", "#3366fff", "red", "#ggg", "#äb", "url(x)"] {
            assert!(!Tag::new("x", wrong).tidy().is_empty(), "{wrong}");
        }
    }

    #[test]
    fn names_are_trimmed_and_have_an_end() {
        let mut tag = Tag::new(" Printer ", "#fff");
        assert!(tag.tidy().is_empty());
        assert_eq!(tag.name, "Printer");
        assert!(!Tag::new(" ", "#fff").tidy().is_empty());
        assert!(!Tag::new("x".repeat(101), "#fff").tidy().is_empty());
    }
}
