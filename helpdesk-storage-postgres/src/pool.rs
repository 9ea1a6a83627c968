//! Connections, kept open and handed out.
//!
//! The driver has a pool of its own, which asks each connection whether it still works when it comes back: a round trip
//! and a task for every statement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use parking_lot::Mutex;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::args::Args;
use crate::errors::is_lost;

/// How long a connection may have been idle before it is asked whether it still works.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// When a connection was last lost. After a restart of the database, all that were idle then are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Arc<Mutex<Option<Instant>>>);

impl Losses {
    /// A connection was lost just now.
    fn note(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    /// Whether a connection that has been idle for a while may be broken.
    fn doubt(&self, idle: Duration) -> bool {
        idle >= ASK_AFTER || self.0.lock().is_some_and(|lost| idle >= lost.elapsed())
    }
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct Pool(managed::Pool<Manager>);

/// A connection of the pool, which goes back when it is dropped.
pub(crate) type Pooled = Object<Manager>;

/// Opens connections.
#[derive(Debug)]
pub(crate) struct Manager {
    options: PgConnectOptions,
    losses: Losses,
}

/// A connection, and whether it is still good.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) raw: PgConnection,
    broken: bool,
    losses: Losses,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Connection, sqlx::Error> {
        let raw = PgConnection::connect_with(&self.options).await?;
        Ok(Connection { raw, broken: false, losses: self.losses.clone() })
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if connection.broken {
            return Err(RecycleError::message("the connection was lost"));
        }
        if self.losses.doubt(metrics.last_used()) {
            connection.raw.ping().await?;
        }
        Ok(())
    }
}

impl Connection {
    /// Closes the connection, rather than have it used again.
    pub(crate) fn give_up(&mut self) {
        self.broken = true;
        self.losses.note();
    }

    /// Notes whether an error means that the connection is of no more use.
    pub(crate) fn note<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if outcome.as_ref().is_err_and(is_lost) {
            self.give_up();
        }
        outcome
    }
}

impl Pool {
    /// A pool of at most so many connections, each waited for no longer than `acquire`.
    pub(crate) fn new(
        options: PgConnectOptions,
        connections: u32,
        acquire: Duration,
        losses: &Losses,
    ) -> Result<Self, sqlx::Error> {
        let pool = managed::Pool::builder(Manager { options, losses: losses.clone() })
            .max_size(usize::try_from(connections).unwrap_or(usize::MAX))
            .wait_timeout(Some(acquire))
            .create_timeout(Some(acquire))
            .recycle_timeout(Some(acquire))
            .runtime(Runtime::Tokio1)
            .build();
        Ok(Self(pool.map_err(|_| sqlx::Error::PoolClosed)?))
    }

    /// A connection of one's own.
    pub(crate) async fn acquire(&self) -> Result<Pooled, sqlx::Error> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(_) => sqlx::Error::PoolTimedOut,
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                sqlx::Error::PoolClosed
            }
        })
    }

    /// The rows of a query.
    pub(crate) async fn all(&self, sql: String, args: Args) -> Result<Vec<PgRow>, sqlx::Error> {
        let args = bound(args)?;
        let mut connection = self.acquire().await?;
        let rows = sqlx::query_with(AssertSqlSafe(sql), args).fetch_all(&mut connection.raw).await;
        connection.note(rows)
    }

    /// The rows of a query whose plan must go by its values. That takes a round trip and the time of planning more.
    pub(crate) async fn planned(&self, sql: String, args: Args) -> Result<Vec<PgRow>, sqlx::Error> {
        let args = bound(args)?;
        let mut connection = self.acquire().await?;
        // A statement that is not kept is planned for the values that it comes with.
        let query = sqlx::query_with(AssertSqlSafe(sql), args).persistent(false);
        let rows = query.fetch_all(&mut connection.raw).await;
        connection.note(rows)
    }

    /// The only row of a query, or none.
    pub(crate) async fn optional(&self, sql: String, args: Args) -> Result<Option<PgRow>, sqlx::Error> {
        let args = bound(args)?;
        let mut connection = self.acquire().await?;
        let row = sqlx::query_with(AssertSqlSafe(sql), args).fetch_optional(&mut connection.raw).await;
        connection.note(row)
    }

    /// The only row of a query.
    pub(crate) async fn one(&self, sql: String, args: Args) -> Result<PgRow, sqlx::Error> {
        self.optional(sql, args).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs a statement. Answers how many rows it changed.
    pub(crate) async fn execute(&self, sql: String, args: Args) -> Result<u64, sqlx::Error> {
        let args = bound(args)?;
        let mut connection = self.acquire().await?;
        let done = sqlx::query_with(AssertSqlSafe(sql), args).execute(&mut connection.raw).await;
        Ok(connection.note(done)?.rows_affected())
    }
}

fn bound(args: Args) -> Result<PgArguments, sqlx::Error> {
    args.finish().map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
