//! Numbers for records of dense kinds: given before the commit and in a statement of their own, so that commits of
//! one organisation do not wait for each other's disk.

use std::collections::HashMap;
use std::sync::Arc;

use helpdesk_core::storage::StorageError;
use parking_lot::Mutex;
use sqlx::Row as _;
use tokio::sync::{Mutex as Turn, oneshot};
use uuid::Uuid;

use crate::args::Args;
use crate::errors::failed;
use crate::names::Names;
use crate::pool::Pool;

/// Whose numbers: the organisation, and the kind's name.
type Series = (Uuid, &'static str);

/// Draws numbers, for all that ask at a time at once.
#[derive(Debug)]
pub(crate) struct Numbers {
    draw: String,
    pool: Pool,
    series: Mutex<HashMap<Series, Arc<Waiting>>>,
}

/// Those who wait for numbers of one series. The first whose turn it is draws for all.
#[derive(Debug, Default)]
struct Waiting {
    turn: Turn<()>,
    asked: Mutex<Vec<(usize, oneshot::Sender<i64>)>>,
}

impl Numbers {
    pub(crate) fn new(pool: Pool, names: &Names) -> Self {
        let table = names.of("number");
        // Not written through to the disk: the commit that uses the number is, and with it all that went before.
        let draw = format!(
            "WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
             INSERT INTO {table} AS n (organisation, kind, last) SELECT $1, $2, $3 FROM quick
             ON CONFLICT (organisation, kind) DO UPDATE SET last = n.last + excluded.last RETURNING last"
        );
        Self { draw, pool, series: Mutex::default() }
    }

    /// The first of `count` numbers that follow each other, and that nobody else is given.
    pub(crate) async fn draw(
        &self,
        organisation: Uuid,
        kind: &'static str,
        count: usize,
    ) -> Result<i64, StorageError> {
        let waiting = Arc::clone(self.series.lock().entry((organisation, kind)).or_default());
        let (sender, mut given) = oneshot::channel();
        waiting.asked.lock().push((count, sender));
        let turn = waiting.turn.lock().await;
        // Whoever had the turn before may have drawn for this one too.
        if let Ok(first) = given.try_recv() {
            return Ok(first);
        }
        let asked = std::mem::take(&mut *waiting.asked.lock());
        let all: usize = asked.iter().map(|(count, _)| count).sum();
        let mut args = Args::default();
        args.bind(organisation);
        args.bind(kind);
        args.bind(i64::try_from(all).unwrap_or(i64::MAX));
        let drawn = self.pool.one(self.draw.clone(), args).await.and_then(|row| row.try_get(0));
        let last: i64 = drawn.map_err(failed)?;
        let mut next = last - i64::try_from(all).unwrap_or(i64::MAX) + 1;
        for (count, sender) in asked {
            // Somebody who no longer waits leaves a gap.
            let _ = sender.send(next);
            next += i64::try_from(count).unwrap_or(i64::MAX);
        }
        drop(turn);
        self.forget(organisation, kind, &waiting);
        given.try_recv().map_err(|_| StorageError::Invalid("no number was drawn".to_owned()))
    }

    /// Forgets a series that nobody waits for, so that organisations that have gone quiet take no room.
    fn forget(&self, organisation: Uuid, kind: &'static str, waiting: &Arc<Waiting>) {
        let mut series = self.series.lock();
        // The map's and this one; whoever else waits holds another.
        if Arc::strong_count(waiting) == 2 && waiting.asked.lock().is_empty() {
            series.remove(&(organisation, kind));
        }
    }
}
