//! Giving events their places in the log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Shared;

/// How often a node that stands by looks whether the relay is gone.
const STAND_BY: Duration = Duration::from_millis(250);
/// How often the relay looks by itself, should nobody have told it.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that a statement is waited for.
const LONGEST: Duration = Duration::from_secs(60);
/// The most batches that are placed at once.
const ROUND: usize = 2_000;

/// Stands by until no other node is the relay, and is it then for as long as the connection holds.
pub(super) async fn run(options: PgConnectOptions, shared: Arc<Shared>) {
    let mut delay = STAND_BY;
    loop {
        match lead(&options, &shared).await {
            Ok(()) => delay = STAND_BY,
            Err(error) => {
                tracing::warn!(error = %kind_of(&error), "the event log is not relayed from here");
                delay = (delay * 2).min(Duration::from_secs(5));
            }
        }
        shared.leads.store(false, Ordering::Relaxed);
        tokio::time::sleep(delay).await;
    }
}

/// What sort of error it was. What the server says may name more than a log should.
fn kind_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(reported) => format!("database error {}", reported.code().unwrap_or_default()),
        sqlx::Error::Io(error) => error.kind().to_string(),
        _ => "connection error".to_owned(),
    }
}

async fn lead(options: &PgConnectOptions, shared: &Shared) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let lock = shared.tables.names().lock("relay");
    // The lock lives as long as the session in which places are given, so that there are never two who do. It is not
    // waited for in the database: a statement that waits keeps the rows from being cleaned up that it might see.
    loop {
        let leads: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(lock)
            .fetch_one(&mut connection)
            .await?;
        if leads {
            break;
        }
        tokio::time::sleep(STAND_BY).await;
    }
    shared.leads.store(true, Ordering::Relaxed);
    let statements = Statements::new(shared);
    let mut told = None;
    loop {
        // The server may be gone without a word. Without its connection, this node is not the relay.
        let placed = soon(statements.place(&mut connection, shared)).await?;
        if placed == 0 || told.is_none_or(|told: Instant| told.elapsed() >= LOOK) {
            soon(statements.tell_lag(&mut connection)).await?;
            told = Some(Instant::now());
        }
        if placed == 0 {
            let _ = tokio::time::timeout(LOOK, shared.bell.notified()).await;
        }
    }
}

/// Waits for a statement, but not for as long as a connection may take to be given up.
async fn soon<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let done = tokio::time::timeout(LONGEST, statement).await;
    done.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

struct Statements {
    place: String,
    unplaced: String,
    channel: String,
}

impl Statements {
    fn new(shared: &Shared) -> Self {
        let names = shared.tables.names();
        let batch = names.of("batch");
        // All in one statement, and so of one state of the database. That its end is told is part of it.
        let place = format!(
            "WITH next AS MATERIALIZED (
                 SELECT id, seq, events FROM {batch} WHERE position IS NULL AND events > 0 ORDER BY seq LIMIT {ROUND}),
             last AS (SELECT COALESCE(max(position), 0) AS position FROM {batch} WHERE position IS NOT NULL),
             placed AS (
                 UPDATE {batch} AS b SET position = n.position
                 FROM (SELECT next.id, last.position + sum(next.events) OVER (ORDER BY next.seq) AS position
                       FROM next, last) AS n
                 WHERE b.id = n.id AND b.position IS NULL RETURNING b.position, b.events)
             SELECT count(*), COALESCE(max(position), 0)::bigint FROM placed"
        );
        let unplaced = format!(
            "SELECT COALESCE(sum(events), 0)::bigint FROM {batch} WHERE position IS NULL AND events > 0"
        );
        Self { place, unplaced, channel: names.log_channel() }
    }

    /// Places the batches that can be seen, and tells the other nodes. Answers how many there were.
    async fn place(&self, connection: &mut PgConnection, shared: &Shared) -> Result<i64, sqlx::Error> {
        let (placed, newest): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(self.place.as_str())).fetch_one(&mut *connection).await?;
        if placed > 0 {
            shared.reached(newest.cast_unsigned());
            // After the commit, so that whoever hears it can read what it tells of. One that is lost is made up for
            // by the next, or by the look that every node takes by itself.
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(&self.channel)
                .bind(newest.to_string())
                .execute(&mut *connection)
                .await?;
        }
        Ok(placed)
    }

    /// Tells how many events wait for their places.
    async fn tell_lag(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let unplaced: i64 =
            sqlx::query_scalar(AssertSqlSafe(self.unplaced.as_str())).fetch_one(connection).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("helpdesk_log_unplaced_events").set(unplaced as f64);
        Ok(())
    }
}
