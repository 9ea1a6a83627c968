//! Making the changes of a batch, all or none.
//!
//! A batch is one statement and so one round trip, unless it draws numbers of a series, requires a record to be
//! absent, deletes what sets refer to, or changes one job more than once: then it is a transaction of a few.

mod diagnose;
mod jobs;
mod numbers;
mod plan;
mod source;
mod statement;

use std::collections::BTreeMap;

use helpdesk_core::storage::{Batch, Committed, Expect, StorageError, Write, Written};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _, Transaction};
use uuid::Uuid;

pub(crate) use self::numbers::Numbers;
use self::plan::Plan;
pub(crate) use self::statement::micros;
use self::statement::{Dense, statement};
use crate::args::{Args, organisation};
use crate::errors::{failed, is_lost, source};
use crate::pool::Pool;
use crate::tables::Tables;

/// How often a batch is sent whose connection is lost. It happens once, however often it arrives.
const ATTEMPTS: u32 = 4;

/// Why a batch did not go through.
enum Refusal {
    /// The port's own words for it.
    Said(StorageError),
    /// The database refused, for a reason that is to be found out.
    Refused(sqlx::Error),
    /// The connection was lost on the way, and the batch may have been committed or not.
    Lost(sqlx::Error),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Said(error)
    }
}

fn refused(error: sqlx::Error) -> Refusal {
    if is_lost(&error) { Refusal::Lost(error) } else { Refusal::Refused(error) }
}

/// Makes the changes of a batch.
pub(crate) async fn commit(
    pool: &Pool,
    tables: &Tables,
    numbers: &Numbers,
    batch: Batch,
) -> Result<Committed, StorageError> {
    batch.check()?;
    let plan = Plan::new(&batch, tables)?;
    let dense = dense(&plan, numbers, tables, &batch).await?;
    // The last error after which nobody knows whether the batch was committed.
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        let refusal = match attempt_once(pool, tables, &plan, &dense, &batch).await {
            Ok(committed) => return Ok(committed),
            // Nothing was sent this time, and who asks for the outcome now waits as long in vain.
            Err(Refusal::Said(error @ StorageError::Unavailable { .. })) => match lost {
                None => return Err(error),
                Some(_) => break,
            },
            Err(refusal) => refusal,
        };
        // Whatever it was refused for: it may have been committed before, under this id, and is answered the same.
        let before = outcome(pool, tables, batch.id).await;
        if let Ok(Some(committed)) = before {
            return Ok(committed);
        }
        match (refusal, before) {
            (Refusal::Lost(error), _) => lost = Some(error),
            // It may be refused for what an earlier attempt has done.
            (_, Err(_)) if lost.is_some() => break,
            (Refusal::Said(error), _) => return Err(error),
            (Refusal::Refused(error), Ok(_)) => {
                return Err(diagnose::diagnose(pool, tables, &batch, error).await);
            }
            (Refusal::Refused(_), Err(unavailable)) => return Err(unavailable),
        }
    }
    Err(match lost {
        Some(error) => StorageError::Unknown { batch: batch.id, source: source(&error) },
        None => StorageError::Invalid("a commit that was never tried".to_owned()),
    })
}

/// What a batch was answered.
pub(crate) async fn outcome(
    pool: &Pool,
    tables: &Tables,
    batch: Uuid,
) -> Result<Option<Committed>, StorageError> {
    let sql = format!("SELECT numbers, versions, counters FROM {} WHERE id = $1", tables.names().of("batch"));
    let mut args = Args::default();
    args.bind(batch);
    let row = pool.optional(sql, args).await.map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let counters = row.try_get(2).map_err(failed)?;
    Ok(Some(Committed { written: written(&row).map_err(failed)?, counters }))
}

fn written(row: &PgRow) -> Result<Vec<Written>, sqlx::Error> {
    let (numbers, versions): (Vec<i64>, Vec<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(numbers.into_iter().zip(versions).map(|(number, version)| Written { number, version }).collect())
}

/// Draws the numbers of new records of dense kinds, in the order of the writes.
async fn dense(
    plan: &Plan,
    numbers: &Numbers,
    tables: &Tables,
    batch: &Batch,
) -> Result<Dense, StorageError> {
    let mut next: BTreeMap<(Uuid, usize), i64> = BTreeMap::new();
    for ((organisation, place), count) in &plan.dense {
        let first = numbers.draw(*organisation, tables.at(*place).kind.name, *count).await?;
        next.insert((*organisation, *place), first);
    }
    let mut dense = Dense::new();
    if next.is_empty() {
        return Ok(dense);
    }
    for (index, write) in batch.writes.iter().enumerate() {
        let (kind, scope, _, expect) = write.target();
        let series = (organisation(scope), tables.place(kind)?);
        if let (Write::Put(_), Expect::Absent, Some(number)) = (write, expect, next.get_mut(&series)) {
            dense.insert(index, *number);
            *number += 1;
        }
    }
    Ok(dense)
}

async fn attempt_once(
    pool: &Pool,
    tables: &Tables,
    plan: &Plan,
    dense: &Dense,
    batch: &Batch,
) -> Result<Committed, Refusal> {
    let mut connection = pool.acquire().await.map_err(failed)?;
    let done = if plan.is_single(batch) {
        let (sql, args) = statement(batch, plan, tables, dense, &[], &[])?;
        single(&mut connection.raw, sql, args.finish()?).await
    } else {
        several(&mut connection.raw, tables, plan, dense, batch).await
    };
    if let Err(Refusal::Lost(_) | Refusal::Said(StorageError::Unavailable { .. })) = &done {
        connection.give_up();
    }
    done
}

/// Makes the changes in one statement.
async fn single(connection: &mut PgConnection, sql: String, args: PgArguments) -> Result<Committed, Refusal> {
    match sqlx::query_with(AssertSqlSafe(sql), args).fetch_one(&mut *connection).await {
        Ok(row) => Ok(Committed { written: written(&row).map_err(refused)?, counters: Vec::new() }),
        Err(error) => {
            // The server tells of an error before it lets go of the locks; whoever is answered finds none.
            let _ = connection.ping().await;
            Err(refused(error))
        }
    }
}

/// Makes the changes in several statements of one transaction.
async fn several(
    connection: &mut PgConnection,
    tables: &Tables,
    plan: &Plan,
    dense: &Dense,
    batch: &Batch,
) -> Result<Committed, Refusal> {
    let mut transaction = connection.begin().await.map_err(refused)?;
    match in_transaction(&mut transaction, tables, plan, dense, batch).await {
        Ok(committed) => {
            transaction.commit().await.map_err(refused)?;
            Ok(committed)
        }
        Err(refusal) => {
            // At once, and not when the connection is next used: until then it would keep its locks.
            let _ = transaction.rollback().await;
            Err(refusal)
        }
    }
}

async fn in_transaction(
    transaction: &mut Transaction<'_, Postgres>,
    tables: &Tables,
    plan: &Plan,
    dense: &Dense,
    batch: &Batch,
) -> Result<Committed, Refusal> {
    require_absent(transaction, tables, plan).await?;
    let counters = draw(transaction, tables, batch).await?;
    let mut placed = batch.clone();
    placed.place(&counters);
    // A number may make a value unique that was not known before.
    let placed_plan;
    let plan = if counters.is_empty() {
        plan
    } else {
        placed_plan = Plan::new(&placed, tables)?;
        &placed_plan
    };
    lock_freed(transaction, tables, plan).await?;
    let settled = match plan.jobs {
        Some(_) => Vec::new(),
        None => jobs::work_out(transaction, tables, &placed.jobs).await?,
    };
    let (sql, args) = statement(&placed, plan, tables, dense, &counters, &settled)?;
    let row = sqlx::query_with(AssertSqlSafe(sql), args.finish()?)
        .fetch_one(&mut **transaction)
        .await
        .map_err(refused)?;
    check_freed(transaction, tables, plan).await?;
    Ok(Committed { written: written(&row).map_err(refused)?, counters })
}

/// Makes sure that records are not there, and that nobody else inserts them before this commits: by inserting them,
/// and taking them away again. Whoever inserts one at the same time waits, or is waited for.
async fn require_absent(connection: &mut PgConnection, tables: &Tables, plan: &Plan) -> Result<(), Refusal> {
    let mut kinds: BTreeMap<usize, Vec<plan::RowKey>> = BTreeMap::new();
    for (place, key) in &plan.absent {
        kinds.entry(*place).or_default().push(*key);
    }
    for (place, keys) in kinds {
        let table = tables.at(place);
        // One at a time, since two that require what the other inserts would wait for each other.
        let lock = tables.names().lock(&format!("absent {}", table.kind.name));
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock)
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
        let mut args = Args::default();
        let organisations = args.bind(keys.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>());
        let ids = args.bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>());
        // Numbers below zero are nobody's, and this is the only one that uses them at a time.
        let numbers =
            args.bind((1..=i64::try_from(keys.len()).unwrap_or(1)).map(|number| -number).collect::<Vec<_>>());
        let (columns, values) = if table.is_job() {
            (", payload, \"key\"", ", '', 'absent ' || id::text")
        } else {
            (", body_version, body", ", 0, '{}'")
        };
        let sql = format!(
            "INSERT INTO {} (organisation, id, number, version, created_at, updated_at, fields{columns})
             SELECT organisation, id, number, 0, now(), now(), 0{values}
             FROM unnest(${organisations}::uuid[], ${ids}::uuid[], ${numbers}::bigint[]) AS u(organisation, id, number)",
            table.name,
        );
        sqlx::query_with(AssertSqlSafe(sql), args.finish()?)
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
        let mut args = Args::default();
        args.bind(keys.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>());
        args.bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>());
        let sql = format!(
            "DELETE FROM {} t USING unnest($1::uuid[], $2::uuid[]) AS u(organisation, id)
             WHERE t.organisation = u.organisation AND t.id = u.id",
            table.name,
        );
        sqlx::query_with(AssertSqlSafe(sql), args.finish()?)
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

/// Draws the batch's numbers. The series stay locked until the commit, so that a number is never left out.
async fn draw(connection: &mut PgConnection, tables: &Tables, batch: &Batch) -> Result<Vec<i64>, Refusal> {
    let mut series: BTreeMap<(Uuid, &str), (i64, i64)> = BTreeMap::new();
    for counter in &batch.counters {
        series.entry((organisation(counter.scope), &counter.series)).or_default().0 += 1;
    }
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let table = tables.names().of("series");
    let sql = format!(
        "INSERT INTO {table} AS s (organisation, name, last)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS u(organisation, name, count)
         ON CONFLICT (organisation, name) DO UPDATE SET last = s.last + excluded.last
         RETURNING organisation, name, last"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(series.keys().map(|(organisation, _)| *organisation).collect::<Vec<_>>())
        .bind(series.keys().map(|(_, name)| *name).collect::<Vec<_>>())
        .bind(series.values().map(|(count, _)| *count).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(refused)?;
    for row in &rows {
        let (organisation, name, last): (Uuid, &str, i64) = (
            row.try_get(0).map_err(refused)?,
            row.try_get(1).map_err(refused)?,
            row.try_get(2).map_err(refused)?,
        );
        if let Some((count, next)) = series.get_mut(&(organisation, name)) {
            *next = last - *count + 1;
        }
    }
    let mut drawn = Vec::with_capacity(batch.counters.len());
    for counter in &batch.counters {
        if let Some((_, next)) = series.get_mut(&(organisation(counter.scope), &*counter.series)) {
            drawn.push(*next);
            *next += 1;
        }
    }
    Ok(drawn)
}

/// Locks rows that are deleted and that sets may refer to: from here on, no new set will.
async fn lock_freed(connection: &mut PgConnection, tables: &Tables, plan: &Plan) -> Result<(), Refusal> {
    for (place, keys) in &plan.freed {
        let sql = format!(
            "SELECT FROM {} t JOIN unnest($1::uuid[], $2::uuid[]) AS u(organisation, id)
                 ON t.organisation = u.organisation AND t.id = u.id
             ORDER BY t.organisation, t.id FOR UPDATE OF t",
            tables.at(*place).name,
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(keys.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>())
            .bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

/// Refuses to leave a set that refers to what was deleted.
async fn check_freed(connection: &mut PgConnection, tables: &Tables, plan: &Plan) -> Result<(), Refusal> {
    for (place, keys) in &plan.freed {
        for (table, column) in &tables.at(*place).in_sets {
            let sql = format!(
                "SELECT u.id FROM unnest($1::uuid[], $2::uuid[]) AS u(organisation, id)
                 WHERE EXISTS (SELECT FROM {table} t WHERE t.organisation = u.organisation AND t.{column} && ARRAY[u.id])
                 LIMIT 1"
            );
            let held: Option<Uuid> = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(keys.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>())
                .bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>())
                .fetch_optional(&mut *connection)
                .await
                .map_err(refused)?;
            if let Some(id) = held {
                return Err(StorageError::Referenced { kind: tables.at(*place).kind.name, id }.into());
            }
        }
    }
    Ok(())
}
