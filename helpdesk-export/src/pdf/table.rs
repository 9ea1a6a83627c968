//! Tables on pages.

use helpdesk_core::insight::{Cell, Table};

use super::page::{Colour, LEFT, Pages, WIDTH};
use super::typeface::Typeface;

/// The size of what is in tables.
const SIZE: f32 = 8.5;
/// The size of a table's title.
const TITLE: f32 = 12.0;
/// The height of a row, and of a line of the headings.
const ROW: f32 = 16.0;
/// See [`ROW`].
const LINE: f32 = 11.0;
/// What is left free at both sides of a cell.
const PADDING: f32 = 5.0;
/// The least room for the first column.
const LEAST: f32 = 60.0;

/// A column of a table.
struct Column {
    x: f32,
    width: f32,
    heading: Vec<String>,
    right: bool,
}

impl Column {
    /// Where a text of this column begins.
    fn place(&self, typeface: &Typeface<'_>, text: &str) -> f32 {
        if self.right { self.x + self.width - PADDING - typeface.width(text, SIZE) } else { self.x + PADDING }
    }

    fn room(&self) -> f32 {
        self.width - 2.0 * PADDING
    }
}

/// A table with its title, below what is on the pages, and on as many more pages as it takes.
pub(super) fn lay_out(pages: &mut Pages, typeface: &Typeface<'_>, table: &Table) {
    let columns = columns(typeface, table);
    let lines = columns.iter().map(|column| column.heading.len()).max().unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let headings = lines as f32 * LINE + 6.0;
    // A title does not stand at the foot of a page without anything below.
    if !pages.has_room(TITLE + 10.0 + headings + 3.0 * ROW) {
        pages.turn();
    }
    pages.text(LEFT, pages.y + TITLE, TITLE, Colour::INK, typeface.fitted(table.title, TITLE, WIDTH));
    pages.y += TITLE + 10.0;
    lay_out_headings(pages, typeface, &columns, headings);
    for row in &table.rows {
        if !pages.has_room(ROW) {
            pages.turn();
            lay_out_headings(pages, typeface, &columns, headings);
        }
        for (column, cell) in columns.iter().zip(row) {
            let text = typeface.fitted(&cell.words(), SIZE, column.room());
            pages.text(column.place(typeface, &text), pages.y + 11.0, SIZE, Colour::INK, text);
        }
        pages.y += ROW;
        pages.line(vec![(LEFT, pages.y), (LEFT + WIDTH, pages.y)], 0.4, Colour::RULE);
    }
    pages.y += 24.0;
}

fn lay_out_headings(pages: &mut Pages, typeface: &Typeface<'_>, columns: &[Column], height: f32) {
    pages.block(LEFT, pages.y, WIDTH, height, Colour::SHADE);
    for column in columns {
        let mut y = pages.y + LINE;
        for line in &column.heading {
            pages.text(column.place(typeface, line), y, SIZE, Colour::GREY, line.clone());
            y += LINE;
        }
    }
    pages.y += height;
}

/// The columns over the whole width: as wide as what is in them, and the rest shared out.
#[expect(clippy::cast_precision_loss, reason = "a handful of columns")]
fn columns(typeface: &Typeface<'_>, table: &Table) -> Vec<Column> {
    let mut widths: Vec<f32> = table
        .columns
        .iter()
        .enumerate()
        .map(|(place, heading)| {
            let cells = table.rows.iter().filter_map(|row| row.get(place));
            let cells = cells.map(|cell| typeface.width(&cell.words(), SIZE));
            let words = heading.split(' ').map(|word| typeface.width(word, SIZE));
            cells.chain(words).fold(0.0, f32::max) + 2.0 * PADDING
        })
        .collect();
    let others: f32 = widths.iter().skip(1).sum();
    if let Some(first) = widths.first_mut() {
        // The first column has names, which can be cut; the others have numbers.
        *first = first.min((WIDTH - others).max(LEAST));
    }
    let used: f32 = widths.iter().sum();
    let (share, shrink) =
        if used <= WIDTH { ((WIDTH - used) / widths.len().max(1) as f32, 1.0) } else { (0.0, WIDTH / used) };
    let mut x = LEFT;
    let columns = widths.into_iter().enumerate().map(|(place, width)| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(place));
        let width = width * shrink + share;
        let heading = typeface.lines(table.columns[place], SIZE, width - 2.0 * PADDING);
        let heading = heading.iter().map(|line| typeface.fitted(line, SIZE, width - 2.0 * PADDING));
        let heading = heading.collect();
        let right = cells.any(|cell| !matches!(cell, Cell::Text(_) | Cell::Empty));
        let column = Column { x, width, heading, right };
        x += width;
        column
    });
    columns.collect()
}
