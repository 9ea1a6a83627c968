//! The event log: who did what to which record, field by field.

mod model;

pub use self::model::EVENT;
