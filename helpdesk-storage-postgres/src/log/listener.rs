//! Hearing from the other nodes, and telling them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgPool, Row as _};

use super::Shared;
use crate::args::Args;
use crate::pool::Pool;

/// How often a node looks how far the log goes, should it have missed that it was told.
const LOOK: Duration = Duration::from_secs(1);

/// Hears how far the log goes, and that there are events to be placed.
pub(super) async fn run(pool: PgPool, reads: Pool, shared: Arc<Shared>) {
    loop {
        if listen(&pool, &reads, &shared).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn listen(pool: &PgPool, reads: &Pool, shared: &Shared) -> Result<(), sqlx::Error> {
    let names = shared.tables.names();
    let (log, bell) = (names.log_channel(), names.bell_channel());
    let newest =
        format!("SELECT COALESCE(max(position), 0) FROM {} WHERE position IS NOT NULL", names.of("batch"));
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([log.as_str(), bell.as_str()]).await?;
    loop {
        match tokio::time::timeout(LOOK, listener.try_recv()).await {
            Ok(heard) => {
                let Some(heard) = heard? else { continue };
                if heard.channel() == bell {
                    shared.bell.notify_one();
                    continue;
                }
                shared.reached(heard.payload().parse().unwrap_or(0));
            }
            Err(_) => {
                let position: i64 = reads.one(newest.clone(), Args::default()).await?.try_get(0)?;
                shared.reached(position.cast_unsigned());
            }
        }
    }
}

/// Tells the relay on another node that there are events to be placed: once for all that were committed meanwhile.
/// Not as a part of commits, since the database lets only one transaction at a time commit that tells something.
pub(super) async fn ring(pool: Pool, shared: Arc<Shared>) {
    let channel = shared.tables.names().bell_channel();
    loop {
        shared.distant.notified().await;
        if shared.leads.load(Ordering::Relaxed) {
            continue;
        }
        let mut args = Args::default();
        args.bind(channel.as_str());
        let rung = pool.execute("SELECT pg_notify($1, '')".to_owned(), args).await;
        if rung.is_err() {
            // The relay looks by itself, too.
            tokio::time::sleep(LOOK).await;
        }
    }
}
