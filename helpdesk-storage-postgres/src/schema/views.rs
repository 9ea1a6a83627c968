//! Views for other programs to read: one for each kind, whose columns stay what they are when tables change.

use helpdesk_core::storage::{JOB, KindSpec};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::names::{Names, quoted};

/// Makes the views of the kinds, or adds the columns that a newer release declares. Columns are never taken away or
/// moved, so that a report goes on working, and an older server that starts leaves those of a newer one alone.
pub(super) async fn views(
    connection: &mut PgConnection,
    names: &Names,
    kinds: &[&'static KindSpec],
) -> Result<(), sqlx::Error> {
    let schema = names.views();
    let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&schema));
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    for kind in kinds {
        let there: Vec<String> = sqlx::query_scalar(
            "SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        )
        .bind(&schema)
        .bind(kind.name)
        .fetch_all(&mut *connection)
        .await?;
        let wanted = columns(kind);
        let missing: Vec<_> = wanted.iter().filter(|column| !there.contains(column)).cloned().collect();
        if missing.is_empty() {
            continue;
        }
        let selected: Vec<_> = there.into_iter().chain(missing).map(|column| expression(&column)).collect();
        let sql = format!(
            "CREATE OR REPLACE VIEW {}.{} AS SELECT {} FROM {}",
            quoted(&schema),
            quoted(kind.name),
            selected.join(", "),
            names.table(kind),
        );
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    }
    Ok(())
}

fn columns(kind: &KindSpec) -> Vec<String> {
    let body: &[&str] = if kind.name == JOB.name { &["payload", "error"] } else { &["body"] };
    let built_in = ["organisation", "id", "number", "version", "created_at", "updated_at"];
    let declared = kind.fields.iter().map(|field| field.name);
    built_in.iter().chain(body).copied().chain(declared).map(str::to_owned).collect()
}

fn expression(column: &str) -> String {
    match column {
        // What belongs to no organisation has an id of zeros in the table.
        "organisation" => {
            "nullif(organisation, '00000000-0000-0000-0000-000000000000') AS organisation".to_owned()
        }
        column => quoted(column),
    }
}
