//! The rows that a statement changes, as a table of bound values.

use helpdesk_core::storage::{FieldSpec, Value};
use sqlx::{Encode, Postgres, Type};

use crate::args::Args;
use crate::schema::sql_type;

/// A table of bound values under the alias `u`, with columns `c0`, `c1` and so on. A single row is bound value by
/// value, several are bound column by column, so that the statement stays the same however many there are.
pub(crate) struct Source<'a> {
    args: &'a mut Args,
    one: bool,
    params: Vec<String>,
}

impl<'a> Source<'a> {
    pub(crate) const fn new(args: &'a mut Args, rows: usize) -> Self {
        Self { args, one: rows == 1, params: Vec::new() }
    }

    /// Adds a column of a type, and answers its name.
    pub(crate) fn column<'q, T>(&mut self, ty: &str, mut values: impl Iterator<Item = T>) -> String
    where
        Option<T>: Encode<'q, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'q, Postgres> + Type<Postgres>,
    {
        let bound =
            if self.one { self.args.bind(values.next()) } else { self.args.bind(values.collect::<Vec<_>>()) };
        self.named(bound, ty)
    }

    /// Adds a column of a type that has no value in some rows, and answers its name.
    pub(crate) fn sparse<'q, T>(&mut self, ty: &str, mut values: impl Iterator<Item = Option<T>>) -> String
    where
        Option<T>: Encode<'q, Postgres> + Type<Postgres>,
        Vec<Option<T>>: Encode<'q, Postgres> + Type<Postgres>,
    {
        let bound = if self.one {
            self.args.bind(values.next().flatten())
        } else {
            self.args.bind(values.collect::<Vec<_>>())
        };
        self.named(bound, ty)
    }

    /// Adds the column of a declared field, and answers it as an expression of the field's type.
    pub(crate) fn field<'q>(
        &mut self,
        field: &FieldSpec,
        mut values: impl Iterator<Item = &'q Value>,
    ) -> String {
        let bound = if self.one {
            self.args.value(field.ty, field.many, values.next().unwrap_or(&Value::Null))
        } else {
            self.args.values(field.ty, field.many, values)
        };
        if field.many {
            return format!("{}::{}", self.named(bound, "text"), sql_type(field));
        }
        self.named(bound, sql_type(field))
    }

    fn named(&mut self, bound: usize, ty: &str) -> String {
        let array = if self.one { "" } else { "[]" };
        self.params.push(format!("${bound}::{ty}{array}"));
        format!("u.c{}", self.params.len() - 1)
    }

    /// The table, to stand after `FROM`.
    pub(crate) fn table(self) -> String {
        let columns: Vec<_> = (0..self.params.len()).map(|place| format!("c{place}")).collect();
        let (params, columns) = (self.params.join(","), columns.join(","));
        if self.one {
            format!("(VALUES ({params})) AS u({columns})")
        } else {
            format!("unnest({params}) AS u({columns})")
        }
    }
}
