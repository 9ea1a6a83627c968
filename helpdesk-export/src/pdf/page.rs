//! Pages as lists of what is on them, and drawing them.

use bytes::Bytes;
use helpdesk_core::insight::WriteError;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, LineJoin, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use krilla::{Data, Document};

/// The size of a page: A4, in points.
pub(super) const PAGE_WIDTH: f32 = 595.0;
/// See [`PAGE_WIDTH`].
pub(super) const HEIGHT: f32 = 842.0;
/// Where what is written begins.
pub(super) const LEFT: f32 = 48.0;
/// How wide it is.
pub(super) const WIDTH: f32 = PAGE_WIDTH - 2.0 * LEFT;
/// Where it begins and ends on a page.
const TOP: f32 = 48.0;
/// See [`TOP`].
pub(super) const BOTTOM: f32 = HEIGHT - 64.0;

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(u8, u8, u8);

impl Colour {
    pub(super) const INK: Self = Self(0x1f, 0x25, 0x33);
    pub(super) const GREY: Self = Self(0x59, 0x61, 0x70);
    pub(super) const RULE: Self = Self(0xd5, 0xd9, 0xe0);
    pub(super) const SHADE: Self = Self(0xee, 0xf1, 0xf5);

    /// The colour of a row of numbers; told apart also by who does not see red and green.
    pub(super) const fn of_series(place: usize) -> Self {
        [Self(0x1f, 0x6f, 0xb2), Self(0xe6, 0x8a, 0x00), Self(0x4b, 0x9b, 0x8e)][place % 3]
    }

    fn rgb(self) -> rgb::Color {
        rgb::Color::new(self.0, self.1, self.2)
    }
}

/// Something on a page.
#[derive(Debug)]
enum Item {
    Text { x: f32, y: f32, size: f32, colour: Colour, text: String },
    Block { x: f32, y: f32, width: f32, height: f32, colour: Colour },
    Line { points: Vec<(f32, f32)>, width: f32, colour: Colour },
}

/// Pages that are being filled.
#[derive(Debug)]
pub(super) struct Pages {
    pages: Vec<Vec<Item>>,
    /// How far down the last page is filled.
    pub(super) y: f32,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self { pages: vec![Vec::new()], y: TOP }
    }

    pub(super) fn count(&self) -> usize {
        self.pages.len()
    }

    /// Whether so much fits below what is there.
    pub(super) fn has_room(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Goes on to a new page.
    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    /// A text whose letters stand on `y`.
    pub(super) fn text(&mut self, x: f32, y: f32, size: f32, colour: Colour, text: String) {
        self.text_on(self.pages.len() - 1, x, y, size, colour, text);
    }

    /// The same on another page than the last.
    pub(super) fn text_on(&mut self, page: usize, x: f32, y: f32, size: f32, colour: Colour, text: String) {
        if !text.trim().is_empty() {
            self.pages[page].push(Item::Text { x, y, size, colour, text });
        }
    }

    /// A filled block.
    pub(super) fn block(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.push(Item::Block { x, y, width, height, colour });
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: Vec<(f32, f32)>, width: f32, colour: Colour) {
        self.push(Item::Line { points, width, colour });
    }

    fn push(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    /// The corners of everything that is on pages.
    #[cfg(test)]
    pub(super) fn corners(&self, typeface: &super::typeface::Typeface<'_>) -> Vec<(f32, f32)> {
        let corners = |item: &Item| match item {
            Item::Text { x, y, size, text, .. } => {
                vec![(*x, y - size), (x + typeface.width(text, *size), y + 0.3 * size)]
            }
            Item::Block { x, y, width, height, .. } => vec![(*x, *y), (x + width, y + height)],
            Item::Line { points, .. } => points.clone(),
        };
        self.pages.iter().flatten().flat_map(corners).collect()
    }
}

/// Draws pages.
pub(super) fn draw(title: &str, pages: Pages, font: Data) -> Result<Bytes, WriteError> {
    let font = Font::new(font, 0).ok_or_else(|| WriteError("the font cannot be read".into()))?;
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(title.to_owned()).language("en".to_owned()));
    for items in pages.pages {
        let settings = PageSettings::from_wh(PAGE_WIDTH, HEIGHT);
        let settings = settings.ok_or_else(|| WriteError("a page has no size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for item in items {
            draw_item(&mut surface, item, &font);
        }
        surface.finish();
        page.finish();
    }
    let bytes = document.finish().map_err(|error| WriteError(format!("{error:?}").into()))?;
    Ok(Bytes::from(bytes))
}

fn draw_item(surface: &mut Surface<'_>, item: Item, font: &Font) {
    let fill = |colour: Colour| Some(Fill { paint: colour.rgb().into(), ..Fill::default() });
    match item {
        Item::Text { x, y, size, colour, text } => {
            surface.set_stroke(None);
            surface.set_fill(fill(colour));
            surface.draw_text(Point::from_xy(x, y), font.clone(), size, &text, false, TextDirection::Auto);
        }
        Item::Block { x, y, width, height, colour } => {
            let Some(rect) = Rect::from_xywh(x, y, width, height) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let Some(path) = path.finish() else { return };
            surface.set_stroke(None);
            surface.set_fill(fill(colour));
            surface.draw_path(&path);
        }
        Item::Line { points, width, colour } => {
            let mut path = PathBuilder::new();
            for (place, (x, y)) in points.into_iter().enumerate() {
                if place == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
            }
            let Some(path) = path.finish() else { return };
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: colour.rgb().into(),
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            }));
            surface.draw_path(&path);
        }
    }
}
