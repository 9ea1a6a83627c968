//! Whether the tables that are there are those that the kinds want.

use helpdesk_core::storage::Schema;
use sqlx::PgConnection;

use super::migrate::{columns_of, constraints_of, indexes_of};
use super::wanted::wanted;
use crate::names::Names;
use crate::rollups::Rollup;

/// What the database lacks, or has otherwise, in words. Columns and indexes of a newer release do not count.
pub(crate) async fn differences(
    connection: &mut PgConnection,
    names: &Names,
    schema: &Schema,
) -> Result<Vec<String>, sqlx::Error> {
    let mut found = Vec::new();
    let filled = super::rollups::filled_rollups(connection, names).await?;
    for kind in schema.kinds() {
        let table = wanted(kind, names);
        let columns = columns_of(connection, names, table.name).await?;
        for column in &table.columns {
            match columns.get(&column.name) {
                None => found.push(format!("{}.{} is missing", table.name, column.name)),
                Some((ty, required)) if ty != column.ty || *required != column.required => {
                    found.push(format!("{}.{} is {ty}, required: {required}", table.name, column.name));
                }
                Some(_) => {}
            }
        }
        let constraints = constraints_of(connection, names, table.name).await?;
        for constraint in &table.constraints {
            if constraints.get(&constraint.name) != Some(&true) {
                found.push(format!("the constraint {} is missing or not valid", constraint.name));
            }
        }
        let indexes = indexes_of(connection, names, table.name).await?;
        for index in &table.indexes {
            if indexes.get(&index.name) != Some(&true) {
                found.push(format!("the index {} is missing or not valid", index.name));
            }
        }
        for rollup in Rollup::all(kind, names) {
            if !filled.contains(&rollup.name) {
                found.push(format!("the rollup {} does not count all there is", rollup.name));
            }
        }
    }
    Ok(found)
}
