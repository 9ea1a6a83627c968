//! Charts on pages.

use std::borrow::Cow;

use helpdesk_core::insight::{Cell, Chart, Shape, Table};

use super::page::{Colour, LEFT, Pages, WIDTH};
use super::typeface::Typeface;

/// The size of what is written in charts.
const SIZE: f32 = 7.5;
/// The size of a chart's title.
const TITLE: f32 = 12.0;
/// How high the area is in which lines and upright bars are drawn.
const HEIGHT: f32 = 150.0;
/// How much room the numbers at the left have.
const MARGIN: f32 = 34.0;
/// How high the room of one lying bar is.
const BAR: f32 = 15.0;
/// How much room the names of lying bars have.
const NAMES: f32 = 130.0;
/// The most lying bars.
const MOST_BARS: usize = 25;
/// The most names below lines and upright bars.
const MOST_LABELS: usize = 8;

/// What is drawn: a row of numbers for each column.
struct Series<'a> {
    name: &'a str,
    values: Vec<Option<f32>>,
}

/// A chart of some columns of a table, below what is on the page.
pub(super) fn lay_out(pages: &mut Pages, typeface: &Typeface<'_>, chart: &Chart, table: &Table) {
    let most = if chart.shape == Shape::Bars { chart.rows.min(MOST_BARS) } else { chart.rows };
    let rows = &table.rows[..table.rows.len().min(most)];
    if rows.is_empty() {
        return;
    }
    let names: Vec<_> = rows.iter().map(|row| row.first().map(Cell::words).unwrap_or_default()).collect();
    #[expect(clippy::cast_possible_truncation, reason = "a place on a page needs no more")]
    let value =
        |row: &Vec<Cell>, place: usize| row.get(place).and_then(Cell::drawn).map(|number| number as f32);
    let series: Vec<_> = chart
        .columns
        .iter()
        .map(|place| Series {
            name: table.columns.get(*place).copied().unwrap_or_default(),
            values: rows.iter().map(|row| value(row, *place)).collect(),
        })
        .collect();
    pages.text(LEFT, pages.y + TITLE, TITLE, Colour::INK, typeface.fitted(chart.title, TITLE, WIDTH));
    if series.len() > 1 {
        legend(pages, typeface, &series);
    }
    pages.y += TITLE + 14.0;
    let greatest = series.iter().flat_map(|series| &series.values).flatten().copied().fold(0.0, f32::max);
    let scale = Scale::up_to(greatest);
    match chart.shape {
        Shape::Bars => bars(pages, typeface, &names, &series, &scale),
        Shape::Lines | Shape::Columns => upright(pages, typeface, chart.shape, &names, &series, &scale),
    }
    pages.y += 24.0;
}

/// Which colour is what, at the right of the title.
fn legend(pages: &mut Pages, typeface: &Typeface<'_>, series: &[Series<'_>]) {
    let mut x = LEFT + WIDTH;
    for (place, series) in series.iter().enumerate().rev() {
        let name = typeface.fitted(series.name, SIZE, 120.0);
        x -= typeface.width(&name, SIZE);
        pages.text(x, pages.y + TITLE - 1.0, SIZE, Colour::GREY, name);
        x -= 11.0;
        pages.block(x, pages.y + TITLE - 7.5, 7.0, 7.0, Colour::of_series(place));
        x -= 12.0;
    }
}

/// Lines, or upright bars, over names below.
#[expect(clippy::cast_precision_loss, reason = "a place on a page needs no more")]
fn upright(
    pages: &mut Pages,
    typeface: &Typeface<'_>,
    shape: Shape,
    names: &[Cow<'_, str>],
    series: &[Series<'_>],
    scale: &Scale,
) {
    let (left, width, floor) = (LEFT + MARGIN, WIDTH - MARGIN, pages.y + HEIGHT);
    for step in 0..=scale.steps {
        let number = scale.step * step as f32;
        let y = floor - HEIGHT * scale.part(number);
        pages.line(vec![(left, y), (left + width, y)], 0.4, Colour::RULE);
        let words = number_words(number);
        let x = left - 5.0 - typeface.width(&words, SIZE);
        pages.text(x, y + 2.5, SIZE, Colour::GREY, words);
    }
    let slot = width / names.len() as f32;
    let middle = |place: usize| left + slot * (place as f32 + 0.5);
    let every = names.len().div_ceil(MOST_LABELS);
    for (place, name) in names.iter().enumerate().step_by(every) {
        let name = typeface.fitted(name, SIZE, slot * every as f32 - 2.0);
        let wide = typeface.width(&name, SIZE);
        let x = (middle(place) - wide / 2.0).min(LEFT + WIDTH - wide);
        pages.text(x, floor + 11.0, SIZE, Colour::GREY, name);
    }
    // Bars of one name stand side by side, with a fifth of the room free between names.
    let bar = slot * 0.8 / series.len() as f32;
    for (number, series) in series.iter().enumerate() {
        let colour = Colour::of_series(number);
        let height = |value: f32| HEIGHT * scale.part(value);
        if shape == Shape::Columns {
            for (place, value) in series.values.iter().enumerate() {
                let Some(value) = value.filter(|value| *value > 0.0) else { continue };
                let x = left + slot * (place as f32 + 0.1) + bar * number as f32;
                pages.block(x, floor - height(value), bar, height(value), colour);
            }
            continue;
        }
        let points = series.values.iter().enumerate();
        let points: Vec<_> =
            points.map(|(place, value)| Some((middle(place), floor - height((*value)?)))).collect();
        // Where nothing is known the line is broken.
        for points in points.split(Option::is_none) {
            let points: Vec<_> = points.iter().flatten().copied().collect();
            match points[..] {
                [] => {}
                [(x, y)] => pages.block(x - 1.5, y - 1.5, 3.0, 3.0, colour),
                _ => pages.line(points, 1.6, colour),
            }
        }
    }
    pages.y = floor + 12.0;
}

/// Lying bars, with names at the left and numbers at their ends.
#[expect(clippy::cast_precision_loss, reason = "a place on a page needs no more")]
fn bars(
    pages: &mut Pages,
    typeface: &Typeface<'_>,
    names: &[Cow<'_, str>],
    series: &[Series<'_>],
    scale: &Scale,
) {
    let (left, width) = (LEFT + NAMES, WIDTH - NAMES - MARGIN);
    let thick = BAR * 0.7 / series.len() as f32;
    for (place, name) in names.iter().enumerate() {
        let name = typeface.fitted(name, SIZE, NAMES - 8.0);
        let x = left - 6.0 - typeface.width(&name, SIZE);
        pages.text(x, pages.y + BAR * 0.65, SIZE, Colour::INK, name);
        for (number, series) in series.iter().enumerate() {
            let Some(value) = series.values[place] else { continue };
            let (y, long) = (pages.y + BAR * 0.15 + thick * number as f32, width * scale.part(value));
            if long > 0.0 {
                pages.block(left, y, long, thick, Colour::of_series(number));
            }
            let words = number_words(value);
            pages.text(left + long + 4.0, y + thick / 2.0 + 2.5, SIZE, Colour::GREY, words);
        }
        pages.y += BAR;
    }
}

/// How numbers become lengths.
#[derive(Debug)]
struct Scale {
    /// What lies between two of the lines.
    step: f32,
    /// How many lines there are above the floor.
    steps: u16,
}

impl Scale {
    /// From nothing up to a number, by steps of 1, 2 or 5.
    fn up_to(greatest: f32) -> Self {
        let rough = (greatest / 5.0).max(0.2);
        let power = 10.0_f32.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(10.0 * power);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from one to five")]
        let steps = (greatest / step - 0.001).ceil().max(1.0) as u16;
        Self { step, steps }
    }

    /// Which part of the length a number takes, from 0 to 1.
    fn part(&self, number: f32) -> f32 {
        (number / (self.step * f32::from(self.steps))).clamp(0.0, 1.0)
    }
}

fn number_words(number: f32) -> String {
    if (number - number.round()).abs() < 0.005 { format!("{number:.0}") } else { format!("{number:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_go_by_round_steps_and_hold_the_greatest() {
        for (greatest, step, steps) in
            [(0.0, 0.2, 1), (1.0, 0.2, 5), (4.8, 1.0, 5), (5.0, 1.0, 5), (12.0, 5.0, 3), (100.0, 20.0, 5)]
        {
            let scale = Scale::up_to(greatest);
            assert!((scale.step - step).abs() < 1e-4 && scale.steps == steps, "{greatest}: {scale:?}");
            assert!(scale.part(greatest) <= 1.0);
        }
        let large = Scale::up_to(1_234_567.0);
        assert!(large.steps <= 6 && large.step * f32::from(large.steps) >= 1_234_567.0);
    }
}
