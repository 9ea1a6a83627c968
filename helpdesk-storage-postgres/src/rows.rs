//! Records from rows.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use helpdesk_core::storage::{
    Body, FieldSpec, FieldType, JobState, Phase, Record, Scope, StorageError, Value,
};
use sqlx::postgres::PgRow;
use sqlx::{Row as _, ValueRef as _};
use uuid::Uuid;

use crate::tables::Table;

type Decoded<T> = Result<T, sqlx::Error>;

/// The record of a row whose columns from `first` on are [`Table::selected`].
pub(crate) fn read(
    table: &Table,
    scope: Scope,
    row: &PgRow,
    first: usize,
) -> Result<Arc<Record>, StorageError> {
    let corrupt =
        |source: sqlx::Error| StorageError::Corrupt { kind: table.kind.name, source: Box::new(source) };
    let mut columns = Columns { row, next: first };
    let mut record = decode(table, scope, &mut columns).map_err(corrupt)?;
    // Written before a field was declared, or by an older server since: the columns do not say all.
    let hash: i32 = row.try_get(first + 5).map_err(corrupt)?;
    if hash != table.hash
        && let Some(derive) = table.kind.derive
    {
        record.fields = derive(&record.body)?;
    }
    Ok(Arc::new(record))
}

fn decode(table: &Table, scope: Scope, columns: &mut Columns<'_>) -> Decoded<Record> {
    let (id, number, version) = (columns.next()?, columns.next()?, columns.next()?);
    let (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>) = (columns.next()?, columns.next()?);
    columns.next += 1;
    let (body, fields) = if table.is_job() {
        let state = job(columns)?;
        (state.body(), state.fields())
    } else {
        let version: i16 = columns.next()?;
        let body = Body { version: version.cast_unsigned(), json: columns.json()? };
        let fields = table.kind.fields.iter().map(|field| columns.value(field));
        (body, fields.collect::<Decoded<_>>()?)
    };
    Ok(Record { id, scope, number, version, created_at, updated_at, fields, body })
}

fn job(columns: &mut Columns<'_>) -> Decoded<JobState> {
    let (payload, token, lease_until, rerun, error): (String, _, _, _, _) =
        (columns.next()?, columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let (key, name, state): (_, _, String) = (columns.next()?, columns.next()?, columns.next()?);
    let (due, attempts): (_, i64) = (columns.next()?, columns.next()?);
    Ok(JobState {
        key,
        name,
        payload: payload.into(),
        due,
        phase: phase(&state)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        token,
        lease_until,
        rerun,
        error,
    })
}

fn phase(name: &str) -> Decoded<Phase> {
    let known = [Phase::Waiting, Phase::Leased, Phase::Failed].into_iter().find(|phase| phase.name() == name);
    known.ok_or_else(|| sqlx::Error::Decode("a job in no known state".into()))
}

/// The columns of a row, one after the other.
struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn next<T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>>(&mut self) -> Decoded<T> {
        self.next += 1;
        self.row.try_get(self.next - 1)
    }

    /// A `jsonb` as text. It travels as a version byte and the text.
    fn json(&mut self) -> Decoded<Box<str>> {
        self.next += 1;
        let value = self.row.try_get_raw(self.next - 1)?;
        if value.is_null() {
            return Err(sqlx::Error::Decode("no body".into()));
        }
        let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
        let text = std::str::from_utf8(bytes.get(1..).unwrap_or_default());
        Ok(text.map_err(|error| sqlx::Error::Decode(error.into()))?.into())
    }

    fn value(&mut self, field: &FieldSpec) -> Decoded<Value> {
        if field.many {
            return self.set(field.ty);
        }
        Ok(match field.ty {
            FieldType::Text => self.next::<Option<&str>>()?.into(),
            FieldType::Int => self.next::<Option<i64>>()?.into(),
            FieldType::Real => self.next::<Option<f64>>()?.into(),
            FieldType::Flag => self.next::<Option<bool>>()?.into(),
            FieldType::Time => self.next::<Option<DateTime<Utc>>>()?.into(),
            FieldType::Uuid => self.next::<Option<Uuid>>()?.into(),
        })
    }

    fn set(&mut self, ty: FieldType) -> Decoded<Value> {
        fn many<T: Into<Value>>(values: Option<Vec<T>>) -> Value {
            Value::many(values.unwrap_or_default().into_iter().map(Into::into))
        }
        Ok(match ty {
            FieldType::Text => many::<String>(self.next()?),
            FieldType::Int => many::<i64>(self.next()?),
            FieldType::Real => many::<f64>(self.next()?),
            FieldType::Flag => many::<bool>(self.next()?),
            FieldType::Time => many::<DateTime<Utc>>(self.next()?),
            FieldType::Uuid => many::<Uuid>(self.next()?),
        })
    }
}

/// The value of a column of a tally, of a given type.
pub(crate) fn value(row: &PgRow, column: usize, ty: FieldType) -> Decoded<Value> {
    let field = FieldSpec { ty, ..FieldSpec::text("") };
    Columns { row, next: column }.value(&field)
}
