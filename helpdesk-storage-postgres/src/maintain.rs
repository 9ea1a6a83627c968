//! What a store does by itself now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::args::Args;
use crate::pool::Pool;
use crate::rollups::{self, Counted};
use crate::schema::backfill;
use crate::tables::Tables;

/// How often.
const PERIOD: Duration = Duration::from_secs(3_600);

/// The background work of a store. Dropped, it stops.
#[derive(Debug)]
pub(crate) struct Maintenance {
    // Aborts its tasks when dropped.
    _tasks: JoinSet<()>,
}

impl Maintenance {
    pub(crate) fn start(pool: Pool, tables: Arc<Tables>, counted: Counted) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(rollups::keep_folding(pool.clone(), Arc::clone(&tables), counted));
        tasks.spawn(async move {
            loop {
                // Sometime within the period, so that the nodes of a desk do not all come at once.
                tokio::time::sleep(PERIOD).await;
                if let Err(error) = backfill(&pool, &tables).await {
                    tracing::warn!(%error, "columns could not be filled");
                }
                if let Err(error) = rollups::attend(&pool, &tables).await {
                    tracing::warn!(%error, "rollups could not be folded");
                }
                if forget(&pool, &tables).await.is_err() {
                    tracing::warn!("old batches could not be forgotten");
                }
            }
        });
        Self { _tasks: tasks }
    }
}

/// Forgets what batches were answered that logged nothing, after two days. Those that logged something are the log.
async fn forget(pool: &Pool, tables: &Tables) -> Result<(), sqlx::Error> {
    let batch = tables.names().of("batch");
    let sql = format!(
        "DELETE FROM {batch} WHERE id IN (
             SELECT id FROM {batch} WHERE events = 0 AND at < now() - interval '2 days' ORDER BY at LIMIT 10000)"
    );
    loop {
        if pool.execute(sql.clone(), Args::default()).await? == 0 {
            return Ok(());
        }
    }
}
