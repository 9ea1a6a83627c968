//! PDF: laid out first, as plain values, and then drawn.

mod chart;
mod page;
mod table;
mod typeface;

use bytes::Bytes;
use helpdesk_core::insight::{Document, WriteError};
use krilla::Data;

use self::page::{BOTTOM, Colour, LEFT, Pages, WIDTH};
use self::typeface::Typeface;

/// The size of the title.
const TITLE: f32 = 18.0;
/// The size of what stands below the title, and at the foot of pages.
const SMALL: f32 = 8.5;
/// How many rows a table has at most that comes before longer ones.
const SHORT: usize = 12;

/// Checks that PDF can be written with a font.
pub(crate) fn check_font(font: &[u8]) -> Result<(), WriteError> {
    Typeface::new(font).map(drop)
}

/// A document on A4 pages.
pub(crate) fn write(document: &Document, font: &Data) -> Result<Bytes, WriteError> {
    let typeface = Typeface::new(font.as_ref())?;
    let pages = lay_out(document, &typeface);
    page::draw(&document.title, pages, font.clone())
}

fn lay_out(document: &Document, typeface: &Typeface<'_>) -> Pages {
    let mut pages = Pages::new();
    let title = typeface.fitted(&document.title, TITLE, WIDTH);
    pages.text(LEFT, pages.y + TITLE, TITLE, Colour::INK, title);
    let subtitle = typeface.fitted(&document.subtitle, SMALL, WIDTH);
    pages.text(LEFT, pages.y + TITLE + 16.0, SMALL, Colour::GREY, subtitle);
    pages.y += TITLE + 36.0;
    if let (Some(chart), Some(table)) = (&document.chart, document.tables.first()) {
        chart::lay_out(&mut pages, typeface, chart, table);
    }
    // What sums up comes before what goes over pages.
    let mut tables: Vec<_> = document.tables.iter().collect();
    tables.sort_by_key(|table| table.rows.len() > SHORT);
    for table in tables {
        table::lay_out(&mut pages, typeface, table);
    }
    let count = pages.count();
    for number in 1..=count {
        let foot = format!("{number} / {count}");
        let x = LEFT + WIDTH - typeface.width(&foot, SMALL);
        pages.text_on(number - 1, x, BOTTOM + 24.0, SMALL, Colour::GREY, foot);
    }
    pages
}

#[cfg(test)]
mod tests {
    use helpdesk_core::insight::{Cell, Chart, Shape, Table};

    use super::page::{HEIGHT, PAGE_WIDTH};
    use super::*;

    fn document(rows: usize, shape: Shape, name: &str) -> Document {
        let row = |place: usize| {
            vec![Cell::Text(format!("{name} {place}")), Cell::Count(place as u64), Cell::Empty]
        };
        Document {
            title: "Tickets".into(),
            subtitle: "Acme".into(),
            tables: vec![
                Table::new("Created", &["Day", "Created in all", "Resolved"]).rows((0..rows).map(row)),
                Table::new("Nothing", &["Day"]),
            ],
            chart: Some(Chart { title: "Created", shape, columns: vec![1, 2], rows: usize::MAX }),
        }
    }

    #[test]
    fn everything_stays_on_the_page_however_much_there_is() {
        let typeface = Typeface::new(crate::FONT).expect("a font");
        for shape in [Shape::Lines, Shape::Columns, Shape::Bars] {
            for (rows, name) in
                [(0, "a"), (1, "a"), (47, "a"), (2_000, "a"), (30, &"Wolfeschlegel".repeat(40))]
            {
                let pages = lay_out(&document(rows, shape, name), &typeface);
                for (x, y) in pages.corners(&typeface) {
                    assert!((0.0..=PAGE_WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{x} {y} {rows}");
                }
            }
        }
    }

    #[test]
    fn long_tables_go_over_several_pages() {
        let typeface = Typeface::new(crate::FONT).expect("a font");
        assert_eq!(lay_out(&document(5, Shape::Lines, "a"), &typeface).count(), 1);
        assert!(lay_out(&document(500, Shape::Lines, "a"), &typeface).count() > 9);
    }
}
