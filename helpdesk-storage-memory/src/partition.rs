//! The records of one kind in one scope, and their indexes.

use std::sync::Arc;

use helpdesk_core::storage::{FieldRef, KindSpec, Record, StorageError, Value, Words};
use imbl::{OrdMap, OrdSet};
use uuid::Uuid;

use crate::by_row::ByRow;
use crate::cube::Cube;
use crate::key::Key;
use crate::rollup::Rollup;
use crate::rows::{Row, RowSet};
use crate::text::TextIndex;

/// Rows by value of one field.
pub(crate) type ByValue = OrdMap<Value, RowSet>;

/// The records of a kind in a scope. A clone shares everything until one of them changes.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) kind: &'static KindSpec,
    /// All rows that there are.
    pub(crate) live: RowSet,
    pub(crate) records: ByRow<Arc<Record>>,
    ids: OrdMap<Uuid, Row>,
    /// By place of the field: the index it has.
    pub(crate) fields: Vec<FieldIndex>,
    /// The declared composite indexes that the bitmaps do not make needless.
    pub(crate) ordered: Vec<Ordered>,
    pub(crate) text: TextIndex,
    pub(crate) cube: Cube,
    /// In the order in which they are declared.
    pub(crate) rollups: Vec<Rollup>,
    next: Row,
}

/// The index of a single field.
#[derive(Clone, Debug)]
pub(crate) enum FieldIndex {
    None,
    Counted(ByValue),
    Unique(OrdMap<Value, Row>),
}

/// A composite index.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub(crate) fields: Arc<[FieldRef]>,
    pub(crate) keys: OrdSet<Key>,
}

impl Ordered {
    fn key(&self, record: &Record) -> Key {
        let mut key = Key::default();
        self.fields.iter().for_each(|field| key.push(&record.value(*field)));
        key.at(record.number as Row)
    }
}

impl Partition {
    pub(crate) fn new(kind: &'static KindSpec) -> Self {
        let fields = kind.fields.iter().map(|field| match (field.unique, field.counted) {
            (true, _) => FieldIndex::Unique(OrdMap::new()),
            (false, true) => FieldIndex::Counted(OrdMap::new()),
            (false, false) => FieldIndex::None,
        });
        let counted =
            |field: &FieldRef| matches!(field, FieldRef::Declared(place) if kind.fields[*place].counted);
        let ordered = kind
            .indexes
            .iter()
            .map(|names| names.iter().filter_map(|name| kind.field(name)).collect::<Arc<[_]>>())
            // Rows come out of the bitmaps by number, which is what follows an index's last field.
            .filter(|fields| !fields.iter().all(counted))
            .map(|fields| Ordered { fields, keys: OrdSet::new() });
        Self {
            kind,
            live: RowSet::default(),
            records: ByRow::default(),
            ids: OrdMap::new(),
            fields: fields.collect(),
            ordered: ordered.collect(),
            text: TextIndex::default(),
            cube: Cube::new(kind),
            rollups: Rollup::all(kind),
            next: 1,
        }
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Arc<Record>> {
        self.records.get(self.row(id)?)
    }

    /// The row of the record of an id.
    pub(crate) fn row(&self, id: Uuid) -> Option<Row> {
        self.ids.get(&id).copied()
    }

    /// The record that has a value in the unique field at `place`.
    pub(crate) fn by_unique(&self, place: usize, value: &Value) -> Option<&Arc<Record>> {
        match &self.fields[place] {
            FieldIndex::Unique(rows) => rows.get(value).and_then(|row| self.records.get(*row)),
            _ => None,
        }
    }

    /// The number of the next record.
    pub(crate) fn draw(&mut self) -> Result<Row, StorageError> {
        let row = self.next;
        let full =
            || StorageError::TooLarge { what: format!("no number left for another {}", self.kind.name) };
        self.next = row.checked_add(1).ok_or_else(full)?;
        Ok(row)
    }

    /// Frees the unique values that a record gives up, before any write of the batch takes one.
    pub(crate) fn release(&mut self, old: &Record, new: Option<&[Value]>) {
        for (place, index) in self.fields.iter_mut().enumerate() {
            let FieldIndex::Unique(rows) = index else { continue };
            if new.is_none_or(|new| new[place] != old.fields[place]) {
                for value in old.fields[place].elements() {
                    rows.remove(value);
                }
            }
        }
    }

    /// Replaces texts by those that the indexes hold already, so that a thousand records of one status share one.
    pub(crate) fn share_texts(&self, values: &mut [Value]) {
        for (index, value) in self.fields.iter().zip(values) {
            if let (FieldIndex::Counted(rows), Value::Text(_)) = (index, &*value)
                && let Some((known, _)) = rows.get_key_value(value)
            {
                *value = known.clone();
            }
        }
    }

    /// Puts `new` in the place of `old`, where there was one. Unique values were released before.
    pub(crate) fn write(
        &mut self,
        old: Option<&Record>,
        new: Arc<Record>,
        words: Option<Words>,
    ) -> Result<(), StorageError> {
        let row = new.number as Row;
        for (place, index) in self.fields.iter_mut().enumerate() {
            let (before, after) = (old.map(|old| &old.fields[place]), &new.fields[place]);
            if before == Some(after) {
                continue;
            }
            match index {
                FieldIndex::None => {}
                FieldIndex::Counted(rows) => {
                    before.into_iter().for_each(|before| leave(rows, before, row));
                    join(rows, after, row);
                }
                FieldIndex::Unique(rows) => {
                    for value in after.elements() {
                        if rows.insert(value.clone(), row).is_some() {
                            let field = self.kind.fields[place].name;
                            return Err(StorageError::Duplicate { kind: self.kind.name, field });
                        }
                    }
                }
            }
        }
        for index in &mut self.ordered {
            let (before, after) = (old.map(|old| index.key(old)), index.key(&new));
            if before.as_ref() != Some(&after) {
                before.iter().for_each(|before| drop(index.keys.remove(before)));
                index.keys.insert(after);
            }
        }
        self.count(old.map(|old| &*old.fields), Some(&new.fields));
        if let Some(words) = words {
            if old.is_some() {
                self.text.remove(row);
            }
            self.text.insert(row, words);
        }
        if old.is_none() {
            self.live.insert(row);
            self.ids.insert(new.id, row);
        }
        self.records.insert(row, new);
        Ok(())
    }

    /// Takes a record out. Its unique values were released before.
    pub(crate) fn delete(&mut self, old: &Record) {
        let row = old.number as Row;
        for (index, value) in self.fields.iter_mut().zip(&old.fields) {
            if let FieldIndex::Counted(rows) = index {
                leave(rows, value, row);
            }
        }
        for index in &mut self.ordered {
            let key = index.key(old);
            index.keys.remove(&key);
        }
        self.count(Some(&old.fields), None);
        if self.kind.searched {
            self.text.remove(row);
        }
        self.live.remove(row);
        self.ids.remove(&old.id);
        self.records.remove(row);
    }

    /// Has the combinations of values counted that come with a change, and those that go.
    fn count(&mut self, before: Option<&[Value]>, after: Option<&[Value]>) {
        self.cube.change(before, after);
        self.rollups.iter_mut().for_each(|rollup| rollup.change(before, after));
    }

    /// Whether a record has the value in the field at `place`.
    pub(crate) fn has_value(&self, place: usize, value: &Value) -> bool {
        match &self.fields[place] {
            FieldIndex::Counted(rows) => rows.contains_key(value),
            FieldIndex::Unique(rows) => rows.contains_key(value),
            FieldIndex::None => {
                self.records.values().any(|record| record.fields[place].elements().contains(value))
            }
        }
    }
}

/// The values under which a counted field keeps a record: its elements, or `Null`.
fn values(value: &Value) -> &[Value] {
    if value.is_null() { std::slice::from_ref(value) } else { value.elements() }
}

fn join(rows: &mut ByValue, value: &Value, row: Row) {
    for value in values(value) {
        match rows.get_mut(value) {
            Some(rows) => rows.insert(row),
            None => {
                let mut single = RowSet::default();
                single.insert(row);
                rows.insert(value.clone(), single);
            }
        }
    }
}

fn leave(rows: &mut ByValue, value: &Value, row: Row) {
    for value in values(value) {
        if let Some(left) = rows.get_mut(value) {
            left.remove(row);
            if left.is_empty() {
                rows.remove(value);
            }
        }
    }
}
