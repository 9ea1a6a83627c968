//! Making rollups: their tables and triggers, and counting what is there already.

use std::collections::HashSet;

use helpdesk_core::storage::KindSpec;
use sqlx::{AssertSqlSafe, PgConnection};

use super::migrate::{execute, patiently};
use super::wanted::sql_type;
use crate::names::{Names, made_of, quoted};
use crate::rollups::Rollup;

/// How many triggers a rollup has: for what is inserted, updated and deleted.
const TRIGGERS: i64 = 3;

/// The names of the rollups that count all rows there are.
pub(crate) async fn filled_rollups(
    connection: &mut PgConnection,
    names: &Names,
) -> Result<HashSet<String>, sqlx::Error> {
    let table = names.of("rollup");
    // A database that only an older release has seen has none.
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "SELECT r.name FROM {table} r
         WHERE EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = $1 AND c.relname = r.name)
           AND (SELECT count(*) FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
                     JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname = $1 AND p.proname = r.name AND g.tgenabled <> 'D') = {TRIGGERS}"
    );
    let filled: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(names.schema()).fetch_all(connection).await?;
    Ok(filled.into_iter().collect())
}

/// Makes the rollups of the kinds, or finishes what was begun.
pub(super) async fn rollups(
    connection: &mut PgConnection,
    names: &Names,
    kinds: &[&'static KindSpec],
) -> Result<(), sqlx::Error> {
    let filled = filled_rollups(connection, names).await?;
    for kind in kinds {
        for (rollup, fields) in Rollup::all(kind, names).iter().zip(kind.rollups) {
            if filled.contains(&rollup.name) {
                continue;
            }
            // Commits wait for this as for a new column: for as long as it takes those that run to end.
            patiently(connection, &count(kind, rollup, fields, names)).await?;
            execute(connection, &fill(kind, rollup, names)).await?;
        }
    }
    Ok(())
}

/// Has all changes counted from now on. To be run in one transaction.
fn count(kind: &'static KindSpec, rollup: &Rollup, fields: &[&str], names: &Names) -> String {
    let Rollup { name, table, .. } = rollup;
    let (function, of, listed) = (names.of(name), names.table(kind), rollup.listed(""));
    let column = |field: &&str| {
        let spec = &kind.fields[kind.position(field).unwrap_or_default()];
        let ty = sql_type(spec);
        let collation = if ty == "text" { " COLLATE \"C\"" } else { "" };
        format!(", {} {ty}{collation}", quoted(field))
    };
    let columns: String = fields.iter().map(column).collect();
    let changed: Vec<_> = ["organisation".to_owned()]
        .iter()
        .chain(&rollup.columns)
        .map(|column| format!("OLD.{column} IS DISTINCT FROM NEW.{column}"))
        .collect();
    let changed = changed.join(" OR ");
    let (old, new) = (rollup.listed("OLD."), rollup.listed("NEW."));
    let into = format!("INSERT INTO {table} (organisation, \"count\"{listed})");
    let [inserted, updated, deleted] =
        ["inserted", "updated", "deleted"].map(|event| quoted(&made_of(&[name, event])));
    let literal = name.replace('\'', "''");
    // Inserts and deletes are counted once for a statement, whatever the number of rows. An update that changes none of
    // the fields, as most do, costs a comparison.
    format!(
        "DELETE FROM {mark} WHERE name = '{literal}';
         CREATE TABLE IF NOT EXISTS {table}
             (organisation uuid NOT NULL, folded boolean NOT NULL DEFAULT false, \"count\" bigint NOT NULL{columns});
         CREATE INDEX IF NOT EXISTS {index} ON {table} (organisation, folded);
         CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $count$
         BEGIN
             IF TG_OP = 'INSERT' THEN
                 {into} SELECT organisation, count(*){listed} FROM inserted GROUP BY organisation{listed};
             ELSIF TG_OP = 'DELETE' THEN
                 {into} SELECT organisation, -count(*){listed} FROM deleted GROUP BY organisation{listed};
             ELSE
                 {into} VALUES (OLD.organisation, -1{old}), (NEW.organisation, 1{new});
             END IF;
             RETURN NULL;
         END
         $count$;
         CREATE OR REPLACE TRIGGER {inserted} AFTER INSERT ON {of} REFERENCING NEW TABLE AS inserted
             FOR EACH STATEMENT EXECUTE FUNCTION {function}();
         CREATE OR REPLACE TRIGGER {deleted} AFTER DELETE ON {of} REFERENCING OLD TABLE AS deleted
             FOR EACH STATEMENT EXECUTE FUNCTION {function}();
         CREATE OR REPLACE TRIGGER {updated} AFTER UPDATE ON {of}
             FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {function}();",
        mark = names.of("rollup"),
        index = quoted(&index(rollup)),
    )
}

/// The name of the index of a rollup.
pub(super) fn index(rollup: &Rollup) -> String {
    made_of(&[&rollup.name, "idx"])
}

/// Adds what is there and was not counted, and marks the rollup as filled.
///
/// Making the triggers waited for all who wrote without them, and everybody since is counted in the transaction that
/// writes. So in any one snapshot, what the kind has more than the rollup is what was there before; and it goes on being
/// that, whatever is committed meanwhile. Nobody is locked out, and to run it once more adds nothing.
fn fill(kind: &KindSpec, rollup: &Rollup, names: &Names) -> String {
    let (table, listed) = (&rollup.table, rollup.listed(""));
    format!(
        "INSERT INTO {table} (organisation, folded, \"count\"{listed})
         SELECT organisation, true, sum(\"count\")::bigint{listed}
         FROM (SELECT organisation, count(*) AS \"count\"{listed} FROM {of} GROUP BY organisation{listed}
               UNION ALL SELECT organisation, -\"count\"{listed} FROM {table}) AS missing
         GROUP BY organisation{listed} HAVING sum(\"count\") <> 0;
         INSERT INTO {mark} (name) VALUES ('{literal}') ON CONFLICT DO NOTHING;",
        of = names.table(kind),
        mark = names.of("rollup"),
        literal = rollup.name.replace('\'', "''"),
    )
}
