//! Files are read back by other programs' means.

use std::io::{Cursor, Read as _};

use calamine::{Data, DataType as _, Reader as _, Xlsx};
use chrono::Duration;
use helpdesk_core::insight::{Cell, Chart, Document, ReportFormat, ReportWriter as _, Shape, Table};
use helpdesk_export::FileWriter;

const NAMES: [&str; 5] =
    ["=HYPERLINK(\"http://evil.test\")", "Żółć Łęcka", "Ελένη Παππά", "Жанна Ёлкина", "@ada"];

fn agents(rows: usize) -> Document {
    let row = |place: usize| {
        vec![
            Cell::Text(NAMES[place % NAMES.len()].to_owned()),
            Cell::Count(40 - (place as u64).min(40)),
            Cell::Length(Duration::minutes(263)),
            Cell::Share(0.958),
            Cell::Empty,
        ]
    };
    let columns = ["Agent", "Resolved", "Resolution (h:mm)", "Service levels (%)", "Satisfaction"];
    Document {
        title: "Agents".into(),
        subtitle: "Acme · 2025-01-01 to 2025-01-31 · Europe/Warsaw".into(),
        tables: vec![
            Table::new("Agents", &columns).rows((0..rows).map(row)),
            Table::new("By status: all?", &["Status", "Tickets"]),
        ],
        chart: Some(Chart { title: "Tickets resolved", shape: Shape::Bars, columns: vec![1], rows: 20 }),
    }
}

fn written(document: &Document, format: ReportFormat) -> Vec<u8> {
    FileWriter::new().write(document, format).expect("a file").to_vec()
}

#[test]
fn a_workbook_has_a_sheet_for_each_table_with_numbers_as_numbers() {
    let bytes = written(&agents(5), ReportFormat::Xlsx);
    let mut workbook = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    assert_eq!(workbook.sheet_names(), ["Agents", "By status  all "]);
    let sheet = workbook.worksheet_range("Agents").expect("a sheet");
    assert_eq!(sheet.get((0, 0)), Some(&Data::String("Agents".into())));
    assert_eq!(sheet.get((3, 1)), Some(&Data::String("Resolved".into())));
    assert_eq!(sheet.get((4, 1)), Some(&Data::Float(40.0)));
    assert_eq!(sheet.get((4, 3)), Some(&Data::Float(0.958)));
    let length = sheet.get((4, 2)).and_then(Data::get_datetime).expect("a length of time");
    assert!(length.is_duration() && (length.as_f64() * 24.0 * 60.0 - 263.0).abs() < 0.01);
    assert!(matches!(sheet.get((4, 4)), None | Some(Data::Empty)));
}

#[test]
fn the_chart_of_a_workbook_is_drawn_from_its_cells() {
    let bytes = written(&agents(5), ReportFormat::Xlsx);
    // The list of an archive's files is not compressed.
    assert!(find(&bytes, b"xl/charts/chart1.xml").is_some());
    assert!(find(&written(&agents(0), ReportFormat::Xlsx), b"xl/charts/chart1.xml").is_none());
}

#[test]
fn no_cell_of_a_workbook_is_a_formula() {
    let bytes = written(&agents(5), ReportFormat::Xlsx);
    let mut workbook = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let formulas = workbook.worksheet_formula("Agents").expect("formulas");
    assert!(formulas.used_cells().all(|(_, _, formula)| formula.is_empty()));
    let sheet = workbook.worksheet_range("Agents").expect("a sheet");
    let names: Vec<_> = (4..9).filter_map(|row| sheet.get((row, 0))).map(ToString::to_string).collect();
    assert_eq!(names, ["'=HYPERLINK(\"http://evil.test\")", NAMES[1], NAMES[2], NAMES[3], "'@ada"]);
}

#[test]
fn a_workbook_without_rows_is_one_all_the_same() {
    let bytes = written(&agents(0), ReportFormat::Xlsx);
    assert!(Xlsx::new(Cursor::new(bytes)).is_ok());
}

#[test]
fn a_pdf_has_its_pages_and_their_words() {
    let bytes = written(&agents(200), ReportFormat::Pdf);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("%PDF-1.") && text.trim_end().ends_with("%%EOF"));
    let pages = text.matches("/Type/Page/").count();
    assert!((5..=8).contains(&pages), "{pages} pages");
    // Which letters a font's glyphs stand for is in the streams that programs copy texts by.
    let maps = streams(&bytes);
    for letter in "Ż ł Ε λ Ж Ё".split(' ') {
        let code = format!("<{:04X}>", letter.chars().next().map_or(0, u32::from));
        assert!(maps.iter().any(|map| map.contains(&code) || map.contains(&code.to_lowercase())), "{letter}");
    }
}

/// The streams of a PDF that are compressed texts.
fn streams(pdf: &[u8]) -> Vec<String> {
    let mut streams = Vec::new();
    let mut rest = pdf;
    while let Some(begin) = find(rest, b"stream\n") {
        rest = &rest[begin + 7..];
        let end = find(rest, b"endstream").unwrap_or(rest.len());
        let mut text = Vec::new();
        if flate2::read::ZlibDecoder::new(&rest[..end]).read_to_end(&mut text).is_ok() {
            streams.push(String::from_utf8_lossy(&text).into_owned());
        }
        rest = &rest[(end + 9).min(rest.len())..];
    }
    streams
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

#[test]
fn what_is_no_font_is_refused() {
    assert!(FileWriter::new().font(b"no font".to_vec()).is_err());
}
