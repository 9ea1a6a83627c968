//! How wide texts are.

use helpdesk_core::insight::WriteError;
use ttf_parser::Face;

/// A font, as far as lengths of texts go.
pub(super) struct Typeface<'a> {
    face: Face<'a>,
    units: f32,
}

impl<'a> Typeface<'a> {
    pub(super) fn new(font: &'a [u8]) -> Result<Self, WriteError> {
        let face = Face::parse(font, 0).map_err(|error| WriteError(error.into()))?;
        let units = f32::from(face.units_per_em());
        Ok(Self { face, units })
    }

    fn letter(&self, letter: char) -> f32 {
        let glyph = self.face.glyph_index(letter).unwrap_or_default();
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) / self.units
    }

    /// How wide a text is at a size.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.letter(letter)).sum::<f32>() * size
    }

    /// As much of a text as fits into a width, on one line.
    pub(super) fn fitted(&self, text: &str, size: f32, width: f32) -> String {
        let text: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        if self.width(&text, size) <= width {
            return text;
        }
        let room = width / size - self.letter('…');
        let mut used = 0.0;
        let fits = text.chars().take_while(|letter| {
            used += self.letter(*letter);
            used <= room
        });
        let mut cut: String = fits.collect();
        cut.truncate(cut.trim_end().len());
        cut.push('…');
        cut
    }

    /// The lines of a text that is broken between words.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line)
                    if self.width(line, size) + self.width(word, size) + self.letter(' ') * size <= width =>
                {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_latin_greek_and_cyrillic_letters() {
        let typeface = Typeface::new(crate::FONT).expect("a font");
        for letter in "AzŻółćŠřÞğǅΕλένηЖёЇӘẾ€№–“…·".chars() {
            assert!(typeface.face.glyph_index(letter).is_some(), "{letter}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let typeface = Typeface::new(crate::FONT).expect("a font");
        assert_eq!(typeface.fitted("Ada\tLovelace", 10.0, 500.0), "Ada Lovelace");
        let cut = typeface.fitted("Ada Lovelace", 10.0, 40.0);
        assert!(cut.ends_with('…') && typeface.width(&cut, 10.0) <= 40.0, "{cut}");
        assert_eq!(typeface.lines("First response (h:mm)", 8.0, 50.0), ["First", "response", "(h:mm)"]);
    }
}
