//! The event log: who did what to which record, field by field.
//!
//! Events are committed with the changes they tell of, and are the only history: a ticket's history, an activity
//! feed and an audit log are queries over them. A [`Notifier`] is handed each committed event, in order; a [`Feed`]
//! says in which words the clients of an API are told.

mod feed;
mod history;
mod model;
mod relay;

pub use self::feed::{Bearer, Feed, Mark, NoMark, Told, View, Viewer};
pub use self::history::{History, HistoryQuery};
pub use self::model::{Audience, Detail, EVENT, Event, EventDraft, FieldChange};
#[cfg(feature = "mock")]
pub use self::relay::MockNotifier;
pub use self::relay::{Notifier, Relay};
