//! Workbooks.

use bytes::Bytes;
use helpdesk_core::insight::{Cell, Chart, Document, Shape, Table, WriteError, plain};
use rust_xlsxwriter::{
    Chart as Drawing, ChartType, Color, DocProperties, Format, FormatBorder, Workbook, Worksheet, XlsxError,
};

/// The row that has the headings: title and subtitle stand above.
const HEADINGS: u32 = 3;
/// The longest text of a cell, in characters; a program takes no more than 32,767.
const MAX_TEXT: usize = 32_000;
/// How wide a column is at least and at most, in letters.
const WIDTHS: (usize, usize) = (10, 48);

/// A workbook with a sheet for each table, and the chart beside the first.
pub(crate) fn write(document: &Document) -> Result<Bytes, WriteError> {
    workbook(document).map(Bytes::from).map_err(|error| WriteError(error.into()))
}

/// How cells look.
struct Looks {
    title: Format,
    subtitle: Format,
    heading: Format,
    count: Format,
    number: Format,
    share: Format,
    length: Format,
}

impl Looks {
    fn new() -> Self {
        let grey = Color::RGB(0x0059_6170);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            subtitle: Format::new().set_font_color(grey),
            heading: Format::new().set_bold().set_text_wrap().set_border_bottom(FormatBorder::Thin),
            count: Format::new().set_num_format("0"),
            number: Format::new().set_num_format("0.0"),
            share: Format::new().set_num_format("0.0%"),
            length: Format::new().set_num_format("[h]:mm"),
        }
    }
}

fn workbook(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_title(text(&document.title)));
    let looks = Looks::new();
    for (place, table) in document.tables.iter().enumerate() {
        let sheet = workbook.add_worksheet();
        sheet.set_name(sheet_name(table.title))?;
        sheet.write_string_with_format(0, 0, text(&document.title), &looks.title)?;
        sheet.write_string_with_format(1, 0, text(&document.subtitle), &looks.subtitle)?;
        write_table(sheet, table, &looks)?;
        if place == 0
            && let Some(chart) = &document.chart
            && let Some(drawing) = drawing(table, chart)
        {
            sheet.insert_chart(HEADINGS, column(table.columns.len() + 1), &drawing)?;
        }
    }
    workbook.save_to_buffer()
}

fn write_table(sheet: &mut Worksheet, table: &Table, looks: &Looks) -> Result<(), XlsxError> {
    for (place, heading) in table.columns.iter().enumerate() {
        sheet.write_string_with_format(HEADINGS, column(place), *heading, &looks.heading)?;
        let letters = table.rows.iter().filter_map(|row| row.get(place)).map(letters).max().unwrap_or(0);
        // A heading of several words may take two lines.
        let heading = heading.split(' ').map(str::len).max().unwrap_or(0);
        let width = letters.max(heading).clamp(WIDTHS.0, WIDTHS.1);
        #[expect(clippy::cast_precision_loss, reason = "a width is a float")]
        sheet.set_column_width(column(place), width as f64 + 2.0)?;
    }
    for (place, row) in (HEADINGS + 1..).zip(&table.rows) {
        for (column, cell) in row.iter().enumerate().map(|(place, cell)| (self::column(place), cell)) {
            write_cell(sheet, place, column, cell, looks)?;
        }
    }
    sheet.set_freeze_panes(HEADINGS + 1, 0)?;
    sheet.set_print_fit_to_pages(1, 0);
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    looks: &Looks,
) -> Result<(), XlsxError> {
    #[expect(clippy::cast_precision_loss, reason = "numbers of a workbook are floats")]
    let (number, look) = match cell {
        Cell::Empty => return Ok(()),
        // A text stays one also where it is copied, or saved as CSV.
        Cell::Text(words) => return sheet.write_string(row, column, text(&plain(words))).map(drop),
        Cell::Count(count) => (*count as f64, &looks.count),
        Cell::Number(number) => (*number, &looks.number),
        Cell::Share(share) => (*share, &looks.share),
        // Programs count time in days.
        Cell::Length(length) => (length.num_seconds() as f64 / 86_400.0, &looks.length),
    };
    sheet.write_number_with_format(row, column, number, look).map(drop)
}

/// The chart as one that the program draws from the cells.
fn drawing(table: &Table, chart: &Chart) -> Option<Drawing> {
    let rows = u32::try_from(table.rows.len().min(chart.rows)).ok()?;
    if rows == 0 || chart.columns.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(match chart.shape {
        Shape::Lines => ChartType::Line,
        Shape::Columns => ChartType::Column,
        Shape::Bars => ChartType::Bar,
    });
    let sheet = sheet_name(table.title);
    let (first, last) = (HEADINGS + 1, HEADINGS + rows);
    for place in chart.columns.iter().map(|place| column(*place)) {
        drawing
            .add_series()
            .set_name((sheet.as_str(), HEADINGS, place))
            .set_categories((sheet.as_str(), first, 0, last, 0))
            .set_values((sheet.as_str(), first, place, last, place));
    }
    drawing.title().set_name(chart.title);
    if chart.columns.len() == 1 {
        drawing.legend().set_hidden();
    }
    if chart.shape == Shape::Bars {
        // The program draws from below; the first row is to be on top.
        drawing.x_axis().set_reverse();
    }
    drawing.set_width(640).set_height(360);
    Some(drawing)
}

/// The name of a sheet: without the signs that no name may have, and not too long.
fn sheet_name(title: &str) -> String {
    title.replace(['[', ']', ':', '*', '?', '/', '\\'], " ").chars().take(31).collect()
}

/// A text that a cell can hold.
fn text(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn letters(cell: &Cell) -> usize {
    cell.words().chars().count()
}

fn column(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}
