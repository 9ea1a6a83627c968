//! A table as comma-separated values.

use bytes::Bytes;

use super::document::{Cell, Document, WriteError, plain};

/// The first table of a document, its headings first.
pub(super) fn write(document: &Document) -> Result<Bytes, WriteError> {
    let Some(table) = document.tables.first() else { return Ok(Bytes::new()) };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| WriteError(error.into());
    writer.write_record(&table.columns).map_err(failed)?;
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => plain(text),
            cell => cell.words(),
        });
        for cell in cells {
            writer.write_field(cell.as_bytes()).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|error| WriteError(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::Table;

    #[test]
    fn values_are_read_back_and_formulas_are_texts() {
        let names = ["=HYPERLINK(\"http://evil\")", "Żółć, \"Ada\"\nsecond line", "Ελένη", "@x"];
        let rows = names.iter().map(|name| vec![Cell::Text((*name).to_owned()), Cell::Count(3)]);
        let document = Document {
            title: "Agents".into(),
            subtitle: String::new(),
            tables: vec![Table::new("Agents", &["Name", "Tickets"]).rows(rows), Table::new("More", &["x"])],
            chart: None,
        };
        let bytes = write(&document).expect("a file");
        let mut reader = csv::Reader::from_reader(&*bytes);
        assert_eq!(reader.headers().expect("headings"), vec!["Name", "Tickets"]);
        let read: Vec<_> = reader.records().map(|row| row.expect("a row")[0].to_owned()).collect();
        assert_eq!(read, ["'=HYPERLINK(\"http://evil\")", names[1], names[2], "'@x"]);
    }
}
