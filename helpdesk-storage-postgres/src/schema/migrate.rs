//! Bringing a database to what the kinds want, while older servers go on using it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helpdesk_core::storage::Schema;
use sqlx::migrate::{Migrate as _, MigrateError, Migration, MigrationType};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _};

use super::wanted::{Table, wanted};
use crate::SetupError;
use crate::names::{Names, quoted};

/// The oldest PostgreSQL that will do, as `server_version_num` has it.
const OLDEST: i32 = 150_000;
/// How long to wait for another that migrates before looking again.
const STAND_BY: Duration = Duration::from_millis(100);
/// How often a change that waits for others' locks is tried.
const ATTEMPTS: u32 = 30;

/// Makes the tables of the kinds, or adds what they lack. Takes nothing away, so that servers of an older release
/// go on. Several that start at once wait for one another.
pub(crate) async fn migrate(
    connection: &mut PgConnection,
    names: &Names,
    schema: &Schema,
) -> Result<(), SetupError> {
    super::wanted::check(schema, names)?;
    let (number, version): (String, String) =
        sqlx::query_as("SELECT current_setting('server_version_num'), current_setting('server_version')")
            .fetch_one(&mut *connection)
            .await?;
    if number.parse().unwrap_or(0) < OLDEST {
        return Err(SetupError::Version { found: version });
    }
    // Held by the session, because what follows takes more than one transaction. Not waited for in the database: an
    // index that is built beside others' work waits for every statement that runs, and so for one that waits for it.
    let lock = names.lock("migrate");
    while !sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(lock)
        .fetch_one(&mut *connection)
        .await?
    {
        tokio::time::sleep(STAND_BY).await;
    }
    let migrated = run(connection, names, schema).await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(lock).execute(&mut *connection).await?;
    migrated
}

async fn run(connection: &mut PgConnection, names: &Names, schema: &Schema) -> Result<(), SetupError> {
    base(connection, names).await?;
    // A change waits for long transactions, and everybody behind it: so it gives up soon, and tries again.
    execute(connection, "SET lock_timeout = '2s'").await?;
    let tables: Vec<_> = schema.kinds().iter().map(|kind| wanted(kind, names)).collect();
    for table in &tables {
        columns(connection, names, table).await?;
    }
    for foreign in [false, true] {
        for table in &tables {
            constraints(connection, names, table, foreign).await?;
        }
    }
    for table in &tables {
        indexes(connection, names, table).await?;
    }
    super::rollups::rollups(connection, names, schema.kinds()).await?;
    super::views::views(connection, names, schema.kinds()).await?;
    execute(connection, "RESET lock_timeout").await?;
    Ok(())
}

/// What does not depend on the kinds.
async fn base(connection: &mut PgConnection, names: &Names) -> Result<(), SetupError> {
    let path: String =
        sqlx::query_scalar("SELECT current_setting('search_path')").fetch_one(&mut *connection).await?;
    execute(connection, &format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(names.schema()))).await?;
    execute(connection, &format!("SET search_path TO {}", quoted(names.schema()))).await?;
    let ran = applied(connection, &names.of("_migrations")).await;
    sqlx::query("SELECT set_config('search_path', $1, false)").bind(path).execute(&mut *connection).await?;
    Ok(ran?)
}

/// Runs the migrations that were not yet. One that is not known here is a newer release's, and stays.
async fn applied(connection: &mut PgConnection, table: &str) -> Result<(), MigrateError> {
    // Not by `Migrator::run`, whose future cannot be shown to be `Send`.
    connection.ensure_migrations_table(table).await?;
    if let Some(version) = connection.dirty_version(table).await? {
        return Err(MigrateError::Dirty(version));
    }
    let applied = connection.list_applied_migrations(table).await?;
    let base = include_str!("../../migrations/0001_base.sql").into_sql_str();
    let rollups = include_str!("../../migrations/0002_rollups.sql").into_sql_str();
    for migration in [
        Migration::new(1, "base".into(), MigrationType::Simple, base, false),
        Migration::new(2, "rollups".into(), MigrationType::Simple, rollups, false),
    ] {
        match applied.iter().find(|applied| applied.version == migration.version) {
            None => {
                connection.apply(table, &migration).await?;
            }
            Some(applied) if applied.checksum == migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(migration.version)),
        }
    }
    Ok(())
}

pub(super) async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    // Not by `RawSql::execute`, whose future cannot be shown to be `Send`.
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
}

/// Runs a change, again and again for as long as others hold what it needs.
pub(super) async fn patiently(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    for _ in 1..ATTEMPTS {
        match execute(connection, sql).await {
            Err(error)
                if error.as_database_error().and_then(|error| error.code()).as_deref() == Some("55P03") => {}
            ran => return ran,
        }
    }
    execute(connection, sql).await
}

/// The columns that a table has, with their types; none where there is no table.
pub(super) async fn columns_of(
    connection: &mut PgConnection,
    names: &Names,
    table: &str,
) -> Result<BTreeMap<String, (String, bool)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
    )
    .bind(names.schema())
    .bind(table)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
}

async fn columns(connection: &mut PgConnection, names: &Names, table: &Table) -> Result<(), SetupError> {
    let there = columns_of(connection, names, table.name).await?;
    let qualified = names.of(table.name);
    if there.is_empty() {
        let columns: Vec<_> = table.columns.iter().map(super::wanted::Column::definition).collect();
        execute(connection, &format!("CREATE TABLE {qualified} ({})", columns.join(", "))).await?;
        return Ok(());
    }
    for column in &table.columns {
        match there.get(&column.name) {
            Some((ty, _)) if ty == column.ty => {}
            Some((ty, _)) => {
                let why = format!("its column {} is of the type {ty}, not {}", column.name, column.ty);
                return Err(SetupError::Kind { kind: table.name, why });
            }
            None => {
                patiently(connection, &format!("ALTER TABLE {qualified} ADD COLUMN {}", column.definition()))
                    .await?;
            }
        }
    }
    Ok(())
}

/// The names of a table's constraints, with whether each holds for all rows.
pub(super) async fn constraints_of(
    connection: &mut PgConnection,
    names: &Names,
    table: &str,
) -> Result<BTreeMap<String, bool>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT k.conname::text, k.convalidated
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relname = $2",
    )
    .bind(names.schema())
    .bind(table)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn constraints(
    connection: &mut PgConnection,
    names: &Names,
    table: &Table,
    foreign: bool,
) -> Result<(), SetupError> {
    let there = constraints_of(connection, names, table.name).await?;
    let qualified = names.of(table.name);
    for constraint in &table.constraints {
        if constraint.foreign != foreign {
            continue;
        }
        let name = quoted(&constraint.name);
        if !there.contains_key(&constraint.name) {
            // Foreign keys are checked for the rows that are there in a second step, which locks nobody out.
            let later = if foreign { " NOT VALID" } else { "" };
            let sql =
                format!("ALTER TABLE {qualified} ADD CONSTRAINT {name} {}{later}", constraint.definition);
            patiently(connection, &sql).await?;
        }
        if foreign && !there.get(&constraint.name).is_some_and(|valid| *valid) {
            patiently(connection, &format!("ALTER TABLE {qualified} VALIDATE CONSTRAINT {name}")).await?;
        }
    }
    Ok(())
}

/// The names of a table's indexes, with whether each can be used.
pub(super) async fn indexes_of(
    connection: &mut PgConnection,
    names: &Names,
    table: &str,
) -> Result<BTreeMap<String, bool>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.relname::text, i.indisvalid AND i.indisready
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
              JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = $1 AND t.relname = $2",
    )
    .bind(names.schema())
    .bind(table)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn indexes(connection: &mut PgConnection, names: &Names, table: &Table) -> Result<(), SetupError> {
    let there = indexes_of(connection, names, table.name).await?;
    let qualified = names.of(table.name);
    let missing: BTreeSet<_> = table
        .indexes
        .iter()
        .filter(|index| there.get(&index.name) != Some(&true))
        .map(|index| &index.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let filled: bool = sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS (SELECT FROM {qualified})")))
        .fetch_one(&mut *connection)
        .await?;
    for index in &table.indexes {
        if !missing.contains(&index.name) {
            continue;
        }
        if there.contains_key(&index.name) {
            // Somebody was stopped in the middle of building it.
            patiently(connection, &format!("DROP INDEX {}", names.of(&index.name))).await?;
        }
        let name = quoted(&index.name);
        if filled {
            // Waits for every transaction on the table to end, which may take longer than a change may wait.
            execute(connection, "SET lock_timeout = 0").await?;
            let sql = format!("CREATE INDEX CONCURRENTLY {name} ON {qualified} {}", index.on);
            let built = execute(connection, &sql).await;
            execute(connection, "SET lock_timeout = '2s'").await?;
            built?;
        } else {
            patiently(connection, &format!("CREATE INDEX {name} ON {qualified} {}", index.on)).await?;
        }
    }
    Ok(())
}

/// Connects for as long as a migration takes, without the limits of requests.
pub(crate) async fn connect(options: &sqlx::postgres::PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let options =
        options.clone().options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")]);
    PgConnection::connect_with(&options).await
}
