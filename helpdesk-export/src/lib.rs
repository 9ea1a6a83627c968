//! Reports of a help desk as files: workbooks for spreadsheet programs, and PDF.
//!
//! [`FileWriter`] fills the core's port for writing reports, [`ReportWriter`]. CSV needs none of it: the core writes that
//! itself.
//!
//! ```
//! use std::sync::Arc;
//!
//! use helpdesk_core::Helpdesk;
//! use helpdesk_export::FileWriter;
//!
//! let builder = Helpdesk::builder().report_writer(Arc::new(FileWriter::new()));
//! # let _ = builder;
//! ```
//!
//! | form | holds |
//! | --- | --- |
//! | XLSX | a sheet for each table, and the chart as one that the program draws anew when numbers change |
//! | PDF | A4 pages with the chart and each table |
//!
//! PDF are written with DejaVu Sans, which comes with the crate and has Latin, Greek and Cyrillic letters. For names in
//! other scripts give a font that has them to [`FileWriter::font`].

mod pdf;
mod xlsx;

use std::fmt;

use bytes::Bytes;
use helpdesk_core::insight::{Document, ReportFormat, ReportWriter, WriteError};
use krilla::Data;

/// The font that PDF are written with.
static FONT: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");

/// Writes reports as XLSX and PDF.
#[derive(Clone)]
pub struct FileWriter {
    font: Data,
}

impl FileWriter {
    /// A writer with the font of this crate.
    #[must_use]
    pub fn new() -> Self {
        Self { font: Data::from(FONT) }
    }

    /// A writer with another font for PDF: the content of a TrueType or OpenType file. What it has of the letters that
    /// are written is embedded.
    ///
    /// # Errors
    ///
    /// [`WriteError`] where it is no font.
    pub fn font(self, font: Vec<u8>) -> Result<Self, WriteError> {
        pdf::check_font(&font)?;
        Ok(Self { font: Data::from(font) })
    }
}

impl Default for FileWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter").finish_non_exhaustive()
    }
}

impl ReportWriter for FileWriter {
    fn formats(&self) -> &[ReportFormat] {
        &[ReportFormat::Xlsx, ReportFormat::Pdf]
    }

    fn write(&self, document: &Document, format: ReportFormat) -> Result<Bytes, WriteError> {
        match format {
            ReportFormat::Xlsx => xlsx::write(document),
            ReportFormat::Pdf => pdf::write(document, &self.font),
            ReportFormat::Csv => Err(WriteError("the core writes CSV".into())),
        }
    }
}
