//! Typed records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::batch::Written;
use super::{Body, KindSpec, Record, Scope, StorageError, Value};

/// An id of one kind of record. Made by the `entity_id!` macro.
pub trait EntityId: Copy + Eq + Debug + Send + Sync + 'static {
    /// The id of the given bits.
    fn from_uuid(id: Uuid) -> Self;

    /// The id's bits.
    fn uuid(self) -> Uuid;
}

/// A type whose values are kept as records of a kind.
///
/// The body is the value as JSON. Keys of a stored body that the type does not know, as a newer server may
/// have written, are kept when the value is written back.
pub trait Entity: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// The type of its ids.
    type Id: EntityId;

    /// The kind's declaration.
    const SPEC: &'static KindSpec;

    /// Sets the declared fields that have a value.
    fn index(&self, row: &mut Row);

    /// Adds the texts that full-text search sees.
    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        let _ = texts;
    }

    /// Brings a body of an older version up to date.
    ///
    /// # Errors
    ///
    /// If it cannot be read as what that version wrote.
    fn upgrade(body: serde_json::Value, version: u16) -> Result<serde_json::Value, serde_json::Error> {
        let _ = version;
        Ok(body)
    }
}

/// The declared fields of a value, read from its body.
pub(super) fn derive<T: Entity>(body: &Body) -> Result<Box<[Value]>, StorageError> {
    Ok(Row::of(&decode::<T>(body)?))
}

fn decode<T: Entity>(body: &Body) -> Result<T, StorageError> {
    let spec = T::SPEC;
    let corrupt = |source| StorageError::Corrupt { kind: spec.name, source: Box::new(source) };
    if body.version == spec.body_version {
        return serde_json::from_str(&body.json).map_err(corrupt);
    }
    let old = serde_json::from_str(&body.json).map_err(corrupt)?;
    let current = T::upgrade(old, body.version).map_err(corrupt)?;
    serde_json::from_value(current).map_err(corrupt)
}

/// The declared fields of a record, set by name.
#[derive(Debug)]
pub struct Row {
    kind: &'static KindSpec,
    values: Box<[Value]>,
}

impl Row {
    pub(super) fn of<T: Entity>(value: &T) -> Box<[Value]> {
        let mut row =
            Self { kind: T::SPEC, values: vec![Value::Null; T::SPEC.fields.len()].into_boxed_slice() };
        value.index(&mut row);
        row.values
    }

    /// Sets a field.
    ///
    /// # Panics
    ///
    /// If the kind declares no field of that name, which is a mistake in the program.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        let place = self.kind.position(field);
        let place = place.unwrap_or_else(|| panic!("{} declares no field {field}", self.kind.name));
        self.values[place] = value.into();
    }
}

/// A value as it is stored, with what the store knows of it.
#[derive(Clone, Debug)]
pub struct Stored<T: Entity> {
    /// Its id.
    pub id: T::Id,
    /// The organisation it belongs to.
    pub scope: Scope,
    /// Its number: rises in its kind and organisation.
    pub number: i64,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The value.
    pub value: T,
    // Where it was read from, for the keys of the body that the type does not know.
    origin: Option<Arc<Record>>,
}

impl<T: Entity> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Entity> Stored<T> {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] where the body cannot be read as the type.
    pub fn read(record: &Arc<Record>) -> Result<Self, StorageError> {
        let value = decode::<T>(&record.body)?;
        Ok(Self {
            id: T::Id::from_uuid(record.id),
            scope: record.scope,
            number: record.number,
            version: record.version,
            created_at: record.created_at,
            updated_at: record.updated_at,
            value,
            origin: Some(Arc::clone(record)),
        })
    }

    /// The value as a commit inserted it.
    #[must_use]
    pub fn inserted(scope: Scope, id: T::Id, at: DateTime<Utc>, written: Written, value: T) -> Self {
        Self {
            id,
            scope,
            number: written.number,
            version: written.version,
            created_at: at,
            updated_at: at,
            value,
            origin: None,
        }
    }

    /// This record as a commit changed it.
    #[must_use]
    pub fn replaced(&self, at: DateTime<Utc>, written: Written, value: T) -> Self {
        Self {
            id: self.id,
            scope: self.scope,
            number: self.number,
            version: written.version,
            created_at: self.created_at,
            updated_at: at,
            value,
            origin: None,
        }
    }

    /// The JSON of a new value for this record, with the keys of the old body that the type does not know.
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON.
    pub(super) fn rewrite(&self, value: &T) -> Result<String, serde_json::Error> {
        let new = serde_json::to_string(value)?;
        let Some(record) = &self.origin else { return Ok(new) };
        let old = &*record.body.json;
        let known: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(&new)?;
        let before: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(old)?;
        let unknown: Vec<_> = before.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
        if unknown.is_empty() {
            return Ok(new);
        }
        let mut merged = known.clone();
        merged.extend(unknown.into_iter().map(|(key, raw)| (key.clone(), *raw)));
        serde_json::to_string(&merged)
    }
}
