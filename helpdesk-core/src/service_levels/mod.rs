//! Service levels: what a desk has promised, by which time, and whether it was kept.

mod calendar;

pub use self::calendar::{Calendar, Span};
