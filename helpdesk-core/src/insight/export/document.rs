//! A report as a document of tables, and the port to what writes it as a file.

use std::borrow::Cow;
use std::fmt::Debug;

use bytes::Bytes;
use chrono::Duration;

/// The form of a file that a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportFormat {
    /// Comma-separated values: the report's first table. The core writes these itself.
    Csv,
    /// A workbook for spreadsheet programs: every table, and the chart.
    Xlsx,
    /// Pages to be read and printed: every table, and the chart.
    Pdf,
}

impl ReportFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Pdf];

    /// What the names of such files end in.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// The type of their content.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A report as it is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is about: `Tickets`.
    pub title: String,
    /// Whose it is, over which time, by whose clocks.
    pub subtitle: String,
    /// What it says, the most important first. There is at least one.
    pub tables: Vec<Table>,
    /// What of the first table is drawn.
    pub chart: Option<Chart>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its heading; short, and not like another of the document.
    pub title: &'static str,
    /// The headings of its columns.
    pub columns: Vec<&'static str>,
    /// Its rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a place of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// A text. It may be somebody's name, so whoever writes it sees to it that no program takes it for more than a text:
    /// see [`plain`].
    Text(String),
    /// A number of things.
    Count(u64),
    /// A number with a fraction.
    Number(f64),
    /// A share, from 0 to 1.
    Share(f64),
    /// A length of time.
    Length(Duration),
}

/// A drawing of some columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub title: &'static str,
    /// How it is drawn.
    pub shape: Shape,
    /// The columns whose numbers are drawn, by place; the first column has what they are numbers of.
    pub columns: Vec<usize>,
    /// How many rows are drawn at most, from the first on.
    pub rows: usize,
}

/// How numbers are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line for each column, through its numbers one after another.
    Lines,
    /// An upright bar for each number, those of a row side by side.
    Columns,
    /// A lying bar for each number, with the row's name beside it: for names that are long.
    Bars,
}

impl Cell {
    /// The number that is drawn, where it is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "what is drawn is not exact")]
    pub fn drawn(&self) -> Option<f64> {
        match self {
            Self::Empty | Self::Text(_) => None,
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            Self::Share(share) => Some(share * 100.0),
            Self::Length(length) => Some(length.num_minutes() as f64 / 60.0),
        }
    }

    /// The words for it: numbers without signs that depend on a language, lengths of time in hours and minutes.
    #[must_use]
    pub fn words(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Count(count) => Cow::Owned(count.to_string()),
            Self::Number(number) => Cow::Owned(format!("{number:.1}")),
            Self::Share(share) => Cow::Owned(format!("{:.1}", share * 100.0)),
            Self::Length(length) => {
                let minutes = length.num_minutes().max(0);
                Cow::Owned(format!("{}:{:02}", minutes / 60, minutes % 60))
            }
        }
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: &'static str, columns: &[&'static str]) -> Self {
        Self { title, columns: columns.to_vec(), rows: Vec::new() }
    }

    /// The same with rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows.extend(rows);
        self
    }
}

/// A text that spreadsheet programs take for a text: one that begins as a formula does gets an apostrophe before it.
///
/// ```
/// use helpdesk_core::insight::plain;
///
/// assert_eq!(plain("=1+1"), "'=1+1");
/// assert_eq!(plain("Ada"), "Ada");
/// ```
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    // Programs skip spaces before a formula, and take the wide forms of the signs for the signs.
    let begins = text.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars().next();
    let dangerous =
        matches!(begins, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'));
    if dangerous { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report could not be written")]
pub struct WriteError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl From<WriteError> for crate::Error {
    fn from(error: WriteError) -> Self {
        Self::internal(error)
    }
}

/// Writes reports as files of the forms that need more than the core has.
pub trait ReportWriter: Debug + Send + Sync + 'static {
    /// The forms that it writes.
    fn formats(&self) -> &[ReportFormat];

    /// Writes a report. It may take its time: it is called where nothing else waits for it.
    ///
    /// # Errors
    ///
    /// [`WriteError`] where it cannot, or does not write that form.
    fn write(&self, document: &Document, format: ReportFormat) -> Result<Bytes, WriteError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_a_formula_is_a_text() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{a0}=1",
            "＝1",
            "=cmd|'/c calc'!A0",
        ] {
            assert_eq!(plain(formula), format!("'{formula}"));
        }
        for text in ["Ada", "a=1", "", "Żółć", "'quoted", "1-2"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn cells_have_words_of_no_language() {
        assert_eq!(Cell::Length(Duration::minutes(263)).words(), "4:23");
        assert_eq!(Cell::Length(Duration::hours(51)).words(), "51:00");
        assert_eq!(Cell::Share(0.958).words(), "95.8");
        assert_eq!(Cell::Number(4.75).words(), "4.8");
        assert_eq!(Cell::Empty.words(), "");
    }
}
