//! How a store is reached, and how hard it tries.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SetupError;

/// How long a connection may have been idle before it is asked whether it still works.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// When a connection was last lost. After a restart of the database, all that were idle then are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Arc<Mutex<Option<Instant>>>);

impl Losses {
    /// A connection was lost just now.
    pub(crate) fn note(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    /// Whether a connection that has been idle for a while may be broken.
    fn doubt(&self, idle: Duration) -> bool {
        idle >= ASK_AFTER || self.0.lock().is_some_and(|lost| idle >= lost.elapsed())
    }
}

/// The settings of a store. The defaults suit a server of its own; an embedding team changes what it must.
///
/// ```
/// use helpdesk_storage_postgres::PostgresSettings;
///
/// let settings = PostgresSettings::parse("postgres://desk@localhost/desk")?.connections(20);
/// # let _ = settings;
/// # Ok::<(), helpdesk_storage_postgres::SetupError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    pub(crate) connect: PgConnectOptions,
    pub(crate) schema: String,
    connections: u32,
    acquire: Duration,
    statement: Duration,
}

impl PostgresSettings {
    /// The settings of an address: `postgres://user:password@host:port/database?sslmode=require`.
    ///
    /// # Errors
    ///
    /// [`SetupError::Address`] where it is none.
    pub fn parse(url: &str) -> Result<Self, SetupError> {
        // The address may hold a password, so it is no part of the error.
        let connect = PgConnectOptions::from_str(url).map_err(|_| SetupError::Address)?;
        Ok(Self {
            connect: connect.application_name("helpdesk").statement_cache_capacity(500),
            schema: "helpdesk".to_owned(),
            connections: 16,
            acquire: Duration::from_secs(5),
            statement: Duration::from_secs(30),
        })
    }

    /// The schema that the tables live in. Default: `helpdesk`.
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        name.clone_into(&mut self.schema);
        self
    }

    /// The most connections that requests share, half of them for reads and half for commits; up to three more are
    /// kept for the event log. Default: 16.
    #[must_use]
    pub const fn connections(mut self, count: u32) -> Self {
        self.connections = count;
        self
    }

    /// How long a request waits for a connection before it is told that the database is unavailable. Default: 5 s.
    #[must_use]
    pub const fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire = limit;
        self
    }

    /// How long one statement may take. Default: 30 s.
    #[must_use]
    pub const fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement = limit;
        self
    }

    /// The options of a connection.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        let millis = self.statement.as_millis().to_string();
        self.connect.clone().options([
            ("statement_timeout", millis.as_str()),
            // A node that dies in the middle of a transaction must not keep its locks.
            ("idle_in_transaction_session_timeout", "30000"),
            // Nor one whose machine has gone, and with it nobody else could be the relay: the server would not notice
            // for two hours.
            ("tcp_keepalives_idle", "15"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ])
    }

    /// Connections for reads.
    pub(crate) async fn reads(&self, losses: &Losses) -> Result<PgPool, sqlx::Error> {
        self.pool(self.connections.div_ceil(2), losses).connect_with(self.connect_options()).await
    }

    /// Connections for commits. Their statements go by keys, whatever the planner thinks of tables that have just
    /// been made, and are planned once.
    pub(crate) async fn writes(&self, losses: &Losses) -> Result<PgPool, sqlx::Error> {
        let planned = [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];
        self.pool((self.connections / 2).max(1), losses)
            .connect_with(self.connect_options().options(planned))
            .await
    }

    /// Connections for hearing and telling of events.
    pub(crate) fn log_pool(&self) -> PgPool {
        self.pool(2, &Losses::default()).connect_lazy_with(self.connect_options())
    }

    fn pool(&self, connections: u32, losses: &Losses) -> PgPoolOptions {
        let losses = losses.clone();
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.acquire)
            // One that has not been used for a while may be broken; to ask each time would be a round trip.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let doubt = losses.doubt(meta.idle_for);
                Box::pin(async move { Ok(!doubt || sqlx::Connection::ping(connection).await.is_ok()) })
            })
    }
}
