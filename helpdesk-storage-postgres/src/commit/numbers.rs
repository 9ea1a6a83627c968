//! Numbers for records of dense kinds: given before the commit and in a statement of their own, so that commits of
//! one organisation do not wait for each other's disk.

use std::collections::HashMap;
use std::sync::Arc;

use helpdesk_core::storage::StorageError;
use parking_lot::Mutex;
use sqlx::Row as _;
use tokio::sync::Mutex as Turn;
use tokio::sync::oneshot::{self, error::TryRecvError};
use uuid::Uuid;

use crate::args::Args;
use crate::errors::{failed, source};
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
    asked: Mutex<Vec<(usize, Given)>>,
}

/// Where the first of the numbers goes, or why there are none.
type Given = oneshot::Sender<Result<i64, String>>;

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
        let drawn = self.take_turn(organisation, kind, &waiting, count).await;
        self.forget(organisation, kind, &waiting);
        drawn
    }

    async fn take_turn(
        &self,
        organisation: Uuid,
        kind: &'static str,
        waiting: &Waiting,
        count: usize,
    ) -> Result<i64, StorageError> {
        loop {
            let (sender, mut given) = oneshot::channel();
            waiting.asked.lock().push((count, sender));
            let _turn = waiting.turn.lock().await;
            match given.try_recv() {
                // Whoever had the turn before has drawn for this one too, or has failed for all.
                Ok(Ok(first)) => return Ok(first),
                Ok(Err(why)) => return Err(StorageError::Unavailable { source: why.into() }),
                // Or no longer cared, and was dropped on the way.
                Err(TryRecvError::Closed) => continue,
                Err(TryRecvError::Empty) => {}
            }
            let asked = std::mem::take(&mut *waiting.asked.lock());
            self.draw_for(organisation, kind, asked).await?;
            if let Ok(Ok(first)) = given.try_recv() {
                return Ok(first);
            }
        }
    }

    /// Draws for all who ask. Those who no longer wait leave a gap.
    async fn draw_for(
        &self,
        organisation: Uuid,
        kind: &'static str,
        asked: Vec<(usize, Given)>,
    ) -> Result<(), StorageError> {
        let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let all = size(asked.iter().map(|(count, _)| count).sum());
        let mut args = Args::default();
        args.bind(organisation);
        args.bind(kind);
        args.bind(all);
        let last: Result<i64, _> =
            self.pool.one(self.draw.clone(), args).await.and_then(|row| row.try_get(0));
        match last {
            Ok(last) => {
                let mut next = last - all + 1;
                for (count, given) in asked {
                    let _ = given.send(Ok(next));
                    next += size(count);
                }
                Ok(())
            }
            Err(error) => {
                // Each would wait for as long, one after the other.
                for (_, given) in asked {
                    let _ = given.send(Err(source(&error).to_string()));
                }
                Err(failed(error))
            }
        }
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
