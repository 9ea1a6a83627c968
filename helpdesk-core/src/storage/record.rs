//! Records as stores hold them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kind::{Builtin, FieldRef};
use super::{Scope, Value};

/// A record as it stands in a store: what the store knows of it, and a body that it does not look into.
pub struct Record {
    /// The record's id, chosen by who made it.
    pub id: Uuid,
    /// The organisation it belongs to.
    pub scope: Scope,
    /// Positive, and rises with every record of the kind in its scope; gaps are allowed. Given by the store.
    pub number: i64,
    /// 1 when inserted, one more with every change. Given by the store.
    pub version: i64,
    /// When it was inserted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The declared fields, in the order of the kind's declaration.
    pub fields: Box<[Value]>,
    /// The rest, as JSON.
    pub body: Body,
}

impl Record {
    /// The value of a field.
    #[must_use]
    pub fn value(&self, field: FieldRef) -> Cow<'_, Value> {
        match field {
            FieldRef::Declared(place) => Cow::Borrowed(&self.fields[place]),
            FieldRef::Builtin(Builtin::Id) => Cow::Owned(Value::Uuid(self.id)),
            FieldRef::Builtin(Builtin::Number) => Cow::Owned(Value::Int(self.number)),
            FieldRef::Builtin(Builtin::CreatedAt) => Cow::Owned(Value::time(self.created_at)),
            FieldRef::Builtin(Builtin::UpdatedAt) => Cow::Owned(Value::time(self.updated_at)),
        }
    }
}

impl fmt::Debug for Record {
    /// Names the record without its content, so that no personal data ends in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("scope", &self.scope)
            .field("number", &self.number)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A body: JSON text, and the version of its form.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// The version of the form, as the kind declared it when the body was written.
    pub version: u16,
    /// A JSON object as text.
    pub json: Box<str>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body(version {}, {} bytes)", self.version, self.json.len())
    }
}

/// A place in the event log. Rises with every event of the database and never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// An event with its place in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Where in the log it stands.
    pub position: Position,
    /// The event, a record of the kind `event`.
    pub record: Arc<Record>,
}
