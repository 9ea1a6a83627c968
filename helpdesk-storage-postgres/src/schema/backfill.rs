//! Filling columns that were declared after rows were written.

use helpdesk_core::storage::{KindSpec, StorageError};
use sqlx::Row as _;
use uuid::Uuid;

use crate::args::{Args, scope};
use crate::errors::failed;
use crate::pool::Pool;
use crate::rows::read;
use crate::tables::{Table, Tables};

/// How many rows are brought up to date at a time.
const ROWS: usize = 500;

/// Fills the columns of rows that were written before a field was declared, or by an older server since. Answers how
/// many there were. Meant to run beside everything else; a row that is changed meanwhile is left to the next run.
pub(crate) async fn backfill(pool: &Pool, tables: &Tables) -> Result<u64, StorageError> {
    let mut filled = 0;
    for kind in tables.schema().kinds() {
        if kind.derive.is_some() {
            filled += table(pool, tables.of(kind)?).await?;
        }
    }
    Ok(filled)
}

async fn table(pool: &Pool, table: &Table) -> Result<u64, StorageError> {
    let kind: &'static KindSpec = table.kind;
    let select = format!(
        "SELECT {}, t.organisation FROM {} t WHERE t.fields <> {} AND (t.organisation, t.id) > ($1, $2)
         ORDER BY t.organisation, t.id LIMIT {ROWS}",
        table.selected, table.name, table.hash,
    );
    let owner = 8 + kind.fields.len();
    let (mut last, mut filled) = ((Uuid::nil(), Uuid::nil()), 0);
    loop {
        let mut args = Args::default();
        args.bind(last.0);
        args.bind(last.1);
        let rows = pool.all(select.clone(), args).await.map_err(failed)?;
        if rows.is_empty() {
            return Ok(filled);
        }
        for row in &rows {
            let organisation: Uuid = row.try_get(owner).map_err(failed)?;
            let record = read(table, scope(organisation), row, 0)?;
            let mut args = Args::default();
            let (organisation_arg, id, version) =
                (args.bind(organisation), args.bind(record.id), args.bind(record.version));
            let mut set = format!("fields = {}", table.hash);
            for ((field, column), value) in kind.fields.iter().zip(&table.columns).zip(&record.fields) {
                let bound = args.value(field.ty, field.many, value);
                let cast =
                    if field.many { format!("::text::{}", super::sql_type(field)) } else { String::new() };
                set.push_str(&format!(", {column} = ${bound}{cast}"));
            }
            // The record does not change, and so neither does its version.
            let sql = format!(
                "UPDATE {} SET {set} WHERE organisation = ${organisation_arg} AND id = ${id} AND version = ${version}",
                table.name,
            );
            filled += pool.execute(sql, args).await.map_err(failed)?;
            last = (organisation, record.id);
        }
    }
}
