//! The event log.
//!
//! Transactions commit in another order than they begin, so a batch has no place in the log when it is committed.
//! One node at a time is the *relay*: it gives places to the batches that can be seen and have none yet, in the order
//! of `seq`. A batch that was answered before another was sent has the lower `seq` and can be seen by then, so it
//! never comes after it; and since places only rise, nothing ever appears before an event that was read. A
//! transaction that stays open keeps nobody waiting: its batch gets its place when it can be seen.

mod listener;
mod relay;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use helpdesk_core::events::EVENT;
use helpdesk_core::storage::{Health, Logged, Position, StorageError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Row as _};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::args::{Args, scope};
use crate::errors::failed;
use crate::pool::Pool;
use crate::rows::read;
use crate::tables::Tables;

/// The longest that somebody waits for an event before they are told to ask again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the tasks around the log share.
#[derive(Debug)]
struct Shared {
    tables: Arc<Tables>,
    /// How far the log is known to go.
    newest: watch::Sender<u64>,
    /// Rings when there is something to be placed.
    bell: Notify,
    /// Whether this node is the relay.
    leads: AtomicBool,
    /// Rings when another node that is the relay is to be told.
    distant: Notify,
}

/// The log as one node sees it. Dropped, it stops relaying and listening.
#[derive(Debug)]
pub(crate) struct Log {
    shared: Arc<Shared>,
    // Aborts its tasks when dropped.
    _tasks: JoinSet<()>,
}

impl Log {
    /// Begins to listen, and to stand by as relay.
    pub(crate) fn start(
        options: PgConnectOptions,
        hearing: PgPool,
        reads: Pool,
        tables: Arc<Tables>,
    ) -> Self {
        let shared = Arc::new(Shared {
            tables,
            newest: watch::Sender::new(0),
            bell: Notify::new(),
            leads: AtomicBool::new(false),
            distant: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(relay::run(options, Arc::clone(&shared)));
        tasks.spawn(listener::run(hearing, reads.clone(), Arc::clone(&shared)));
        tasks.spawn(listener::ring(reads, Arc::clone(&shared)));
        Self { shared, _tasks: tasks }
    }

    /// Tells the relay, wherever it is, that there are new events.
    pub(crate) fn committed(&self) {
        self.shared.bell.notify_one();
        if !self.shared.leads.load(Ordering::Relaxed) {
            self.shared.distant.notify_one();
        }
    }

    /// Waits until the log goes beyond a place, or for a while.
    pub(crate) async fn wait(&self, after: Position) {
        let mut newest = self.shared.newest.subscribe();
        let beyond = newest.wait_for(|newest| *newest > after.0);
        let _ = tokio::time::timeout(LONGEST_WAIT, beyond).await;
    }
}

impl Shared {
    fn reached(&self, newest: u64) {
        self.newest.send_if_modified(|known| {
            let further = newest > *known;
            *known = newest.max(*known);
            further
        });
    }
}

/// The events after a place, in order.
pub(crate) async fn events(
    pool: &Pool,
    tables: &Tables,
    after: Position,
    limit: usize,
) -> Result<Vec<Logged>, StorageError> {
    let table = tables.of(&EVENT)?;
    // A batch is found by the place of its last event, so one that was read in part is found again.
    let sql = format!(
        "SELECT b.position - b.events + e.ord, t.organisation, {selected}
         FROM (SELECT * FROM {batch} WHERE position > $1 ORDER BY position LIMIT $2) AS b
              CROSS JOIN LATERAL unnest(b.event_organisations, b.event_ids) WITH ORDINALITY AS e(organisation, id, ord)
              JOIN {event} t ON t.organisation = e.organisation AND t.id = e.id
         WHERE b.position - b.events + e.ord > $1 ORDER BY 1 LIMIT $2",
        selected = table.selected,
        batch = tables.names().of("batch"),
        event = table.name,
    );
    let mut args = Args::default();
    args.bind(i64::try_from(after.0).unwrap_or(i64::MAX));
    args.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = pool.all(sql, args).await.map_err(failed)?;
    rows.iter()
        .map(|row| {
            let (position, organisation): (i64, Uuid) =
                (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            let record = read(table, scope(organisation), row, 2)?;
            Ok(Logged { position: Position(position.cast_unsigned()), record })
        })
        .collect()
}

/// How far the log goes, and how many events have no place in it yet.
pub(crate) async fn health(pool: &Pool, tables: &Tables) -> Result<Health, StorageError> {
    let batch = tables.names().of("batch");
    let sql = format!(
        "SELECT (SELECT COALESCE(max(position), 0) FROM {batch} WHERE position IS NOT NULL),
                (SELECT COALESCE(sum(events), 0)::bigint FROM {batch} WHERE position IS NULL AND events > 0)"
    );
    let row = pool.one(sql, Args::default()).await.map_err(failed)?;
    let (newest, unplaced): (i64, i64) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
    Ok(Health { newest: Position(newest.cast_unsigned()), unplaced: unplaced.cast_unsigned() })
}
