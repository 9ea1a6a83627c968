//! How a store is reached, and how hard it tries.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};

use crate::SetupError;
use crate::pool::{Losses, Pool};

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
            connect: connect.application_name("helpdesk").statement_cache_capacity(200),
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

    /// The most connections that requests share, half of them for reads and half for commits; two more are
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
        self.connect.clone().disable_statement_logging().options([
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
    pub(crate) fn reads(&self, losses: &Losses) -> Result<Pool, sqlx::Error> {
        // Plans that serve any values are made once and kept. Without values the planner does not know how few rows
        // an index leaves, and takes to reading tables from end to end.
        let options = self.connect_options().options([("enable_seqscan", "off")]);
        Pool::new(options, self.connections.div_ceil(2), self.acquire, losses)
    }

    /// Connections for commits. Their statements go by keys, whatever the planner thinks of tables that have just
    /// been made, and are planned once.
    pub(crate) fn writes(&self, losses: &Losses) -> Result<Pool, sqlx::Error> {
        let planned = [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];
        Pool::new(
            self.connect_options().options(planned),
            (self.connections / 2).max(1),
            self.acquire,
            losses,
        )
    }

    /// The connection for hearing of events.
    pub(crate) fn log_pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.acquire)
            .connect_lazy_with(self.connect_options())
    }
}
