//! What statements need to know of the table of each kind, worked out once.

use helpdesk_core::storage::{JOB, KindSpec, Schema, StorageError};

use crate::names::{Names, quoted};
use crate::rollups::Rollup;
use crate::schema::fields_hash;

/// The table of a kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) kind: &'static KindSpec,
    /// The qualified name.
    pub(crate) name: String,
    /// What is selected of the alias `t` for [`read`](crate::rows::read) to make a record of.
    pub(crate) selected: String,
    /// The mark of the declared fields.
    pub(crate) hash: i32,
    /// The columns of the declared fields.
    pub(crate) columns: Vec<String>,
    /// Where the kind's records may be referred to from sets: table and column.
    pub(crate) in_sets: Vec<(String, String)>,
    /// In the order of their declaration.
    pub(crate) rollups: Vec<Rollup>,
}

impl Table {
    /// Whether this is the table of jobs, which has columns of its own.
    pub(crate) fn is_job(&self) -> bool {
        self.kind.name == JOB.name
    }

    /// The rollup to read instead of the table, where there is one whose fields will do.
    pub(crate) fn rollup(&self, will_do: impl Fn(&[&str]) -> bool) -> Option<&Rollup> {
        let filled = |place: usize| self.rollups.get(place).is_some_and(Rollup::is_filled);
        let place = self.kind.rollup(|place, fields| filled(place) && will_do(fields))?;
        self.rollups.get(place)
    }
}

/// The tables of a store, in the order of its schema.
#[derive(Debug)]
pub(crate) struct Tables {
    schema: Schema,
    names: Names,
    tables: Vec<Table>,
}

impl Tables {
    pub(crate) fn new(schema: Schema, names: Names) -> Self {
        let in_sets = |target: &str| {
            let kinds =
                schema.kinds().iter().flat_map(|kind| kind.fields.iter().map(move |field| (kind, field)));
            let sets = kinds.filter(|(_, field)| field.many && field.refers == Some(target));
            sets.map(|(kind, field)| (names.table(kind), quoted(field.name))).collect()
        };
        let tables = schema.kinds().iter().map(|kind| {
            let columns: Vec<_> = kind.fields.iter().map(|field| quoted(field.name)).collect();
            let own = if kind.name == JOB.name {
                "t.payload, t.token, t.lease_until, t.rerun, t.error"
            } else {
                "t.body_version, t.body"
            };
            let declared: String = columns.iter().map(|column| format!(", t.{column}")).collect();
            let selected =
                format!("t.id, t.number, t.version, t.created_at, t.updated_at, t.fields, {own}{declared}");
            Table {
                kind,
                name: names.table(kind),
                selected,
                hash: fields_hash(kind),
                columns,
                in_sets: in_sets(kind.name),
                rollups: Rollup::all(kind, &names),
            }
        });
        let tables = tables.collect();
        Self { schema, names, tables }
    }

    pub(crate) const fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// The place of a kind's table.
    pub(crate) fn place(&self, kind: &'static KindSpec) -> Result<usize, StorageError> {
        self.schema.place(kind.name).ok_or_else(|| {
            StorageError::Invalid(format!("the store was not made for the kind {}", kind.name))
        })
    }

    pub(crate) fn at(&self, place: usize) -> &Table {
        &self.tables[place]
    }

    /// The rollups of all kinds.
    pub(crate) fn rollups(&self) -> impl Iterator<Item = &Rollup> {
        self.tables.iter().flat_map(|table| &table.rollups)
    }

    pub(crate) fn of(&self, kind: &'static KindSpec) -> Result<&Table, StorageError> {
        Ok(self.at(self.place(kind)?))
    }
}
