//! Rollups: how many rows of a kind there are by the values of some fields, kept in a table of its own.
//!
//! The kind's triggers add a row with what a statement changed, `count` more or fewer rows of these values, in the same
//! transaction. So what a snapshot sees of the rollup, added up, is what it sees of the kind: figures and pages that are
//! read by one statement agree. Rows are only ever added by commits, which therefore wait for nothing and nobody.
//!
//! Now and then the rows of an organisation are *folded*: taken out, and one for each combination of values put in their
//! place. Each folding puts in the sum of what it took out itself, so that it changes no answer, whatever else happens.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use helpdesk_core::storage::{Batch, KindSpec};

use crate::args::Args;
use crate::names::{Names, made_of, quoted};
use crate::pool::Pool;
use crate::schema::filled_rollups;
use crate::tables::Tables;

/// How often it is looked whether there is enough to fold.
const PERIOD: Duration = Duration::from_secs(5);
/// The most rows that are folded by one statement, which must come to an end.
const AT_ONCE: u64 = 100_000;
/// How many rows of an organisation are worth folding: few enough that reading them costs next to nothing.
const WORTH: usize = 256;

/// A rollup of a kind.
#[derive(Debug)]
pub(crate) struct Rollup {
    /// The name of its table, and of the function that its triggers call; unquoted.
    pub(crate) name: String,
    /// The table, qualified.
    pub(crate) table: String,
    /// Its columns for the fields.
    pub(crate) columns: Vec<String>,
    /// Whether it counts all rows there are, as far as is known.
    filled: AtomicBool,
}

impl Rollup {
    /// The rollups of a kind, in the order of their declaration.
    pub(crate) fn all(kind: &'static KindSpec, names: &Names) -> Vec<Self> {
        let rollup = |fields: &&[&str]| {
            let mut parts = vec![kind.name];
            parts.extend_from_slice(fields);
            parts.push("rollup");
            let name = made_of(&parts);
            let columns = fields.iter().map(|field| quoted(field)).collect();
            Self { table: names.of(&name), name, columns, filled: AtomicBool::new(false) }
        };
        kind.rollups.iter().map(rollup).collect()
    }

    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// The columns, each after a comma.
    pub(crate) fn listed(&self, alias: &str) -> String {
        self.columns.iter().map(|column| format!(", {alias}{column}")).collect()
    }

    /// Folds the rows of every organisation that has at least so many that were not, or some of them where there are very
    /// many. Answers how many there were.
    async fn fold(&self, pool: &Pool, names: &Names, least: usize) -> Result<u64, sqlx::Error> {
        let (table, columns) = (&self.table, self.listed(""));
        let mut args = Args::default();
        let lock = args.bind(names.lock(&self.name));
        let least = args.bind(i64::try_from(least).unwrap_or(i64::MAX));
        // One at a time, since two would wait for each other's rows; whoever comes second leaves it to the first.
        let sql = format!(
            "WITH alone AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${lock}) AS held),
             crowded AS MATERIALIZED (SELECT organisation FROM {table} WHERE NOT folded AND (SELECT held FROM alone)
                                      GROUP BY organisation HAVING count(*) >= ${least}),
             gone AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                          SELECT r.at FROM crowded CROSS JOIN LATERAL (
                              SELECT t.ctid AS at FROM {table} t WHERE t.organisation = crowded.organisation
                              ORDER BY t.folded LIMIT {AT_ONCE}) AS r LIMIT {AT_ONCE}))
                      RETURNING organisation, folded, \"count\"{columns}),
             kept AS (INSERT INTO {table} (organisation, folded, \"count\"{columns})
                      SELECT organisation, true, sum(\"count\")::bigint{columns} FROM gone
                      GROUP BY organisation{columns} HAVING sum(\"count\") <> 0)
             SELECT count(*) FROM gone WHERE NOT folded"
        );
        let row = pool.one(sql, args).await?;
        let folded: i64 = sqlx::Row::try_get(&row, 0)?;
        Ok(folded.cast_unsigned())
    }
}

/// Looks which rollups are filled. One that a newer or older server has not got so far is looked at again later.
pub(crate) async fn look(pool: &Pool, tables: &Tables) -> Result<(), sqlx::Error> {
    if tables.rollups().all(Rollup::is_filled) {
        return Ok(());
    }
    let mut connection = pool.acquire().await?;
    let filled = filled_rollups(&mut connection.raw, tables.names()).await;
    let filled = connection.note(filled)?;
    note(tables, &filled);
    Ok(())
}

/// Has those rollups read from now on that are filled.
pub(crate) fn note(tables: &Tables, filled: &HashSet<String>) {
    for rollup in tables.rollups().filter(|rollup| filled.contains(&rollup.name)) {
        rollup.filled.store(true, Ordering::Relaxed);
    }
}

/// Folds all rollups. Answers how many rows there were.
pub(crate) async fn fold(pool: &Pool, tables: &Tables, least: usize) -> Result<u64, sqlx::Error> {
    let mut folded = 0;
    for rollup in tables.rollups().filter(|rollup| rollup.is_filled()) {
        loop {
            let rows = rollup.fold(pool, tables.names(), least).await?;
            folded += rows;
            if rows < AT_ONCE {
                break;
            }
        }
    }
    Ok(folded)
}

/// Whether a batch may add rows to a rollup.
pub(crate) fn counts(batch: &Batch) -> bool {
    batch.writes.iter().any(|write| !write.target().0.rollups.is_empty())
}

/// How many changes this server has made that were counted, since it last folded.
#[derive(Clone, Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(crate) fn new() -> Self {
        // Whoever was here before may have left something.
        Self(Arc::new(AtomicUsize::new(WORTH)))
    }

    pub(crate) fn note(&self, changes: usize) {
        self.0.fetch_add(changes, Ordering::Relaxed);
    }
}

/// Folds for as long as the server goes on, once there is something to be folded. A desk where nothing happens is
/// asked nothing.
pub(crate) async fn keep_folding(pool: Pool, tables: Arc<Tables>, counted: Counted) {
    if tables.rollups().next().is_none() {
        return;
    }
    loop {
        tokio::time::sleep(PERIOD).await;
        let changes = counted.0.load(Ordering::Relaxed);
        if changes < WORTH {
            continue;
        }
        match fold(&pool, &tables, WORTH).await {
            Ok(_) => drop(counted.0.fetch_sub(changes, Ordering::Relaxed)),
            Err(error) => tracing::warn!(%error, "rollups could not be folded"),
        }
    }
}

/// What is done once in a while: looks at those that were not filled, and folds what others have left.
pub(crate) async fn attend(pool: &Pool, tables: &Tables) -> Result<(), sqlx::Error> {
    look(pool, tables).await?;
    fold(pool, tables, WORTH).await.map(drop)
}
