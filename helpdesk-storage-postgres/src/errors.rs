//! From what the driver says to what the port says.

use helpdesk_core::storage::{KindSpec, Schema, Source, StorageError};
use sqlx::postgres::PgDatabaseError;

use crate::names::made_of;

/// Why a store could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is none of a PostgreSQL database.
    #[error("that is no address of a PostgreSQL database")]
    Address,
    /// A kind cannot have a table.
    #[error("the kind {kind} cannot have a table: {why}")]
    Kind {
        /// The kind.
        kind: &'static str,
        /// Why.
        why: String,
    },
    /// The database is too old.
    #[error("PostgreSQL 15 or later is needed; this is {found}")]
    Version {
        /// What was found.
        found: String,
    },
    /// The database could not be reached, or refused.
    #[error("the database could not be prepared")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// A precondition that did not hold, as the function `expect` reports it.
pub(crate) const EXPECTATION: &str = "HD001";

/// What the driver reported, without the values that the database tells beside it: it ends in logs.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Driver {
    what: String,
    lost: bool,
}

impl Driver {
    /// Whether the connection was lost, so that another may do.
    pub(crate) fn is_lost(source: &Source) -> bool {
        source.downcast_ref::<Self>().is_some_and(|driver| driver.lost)
    }
}

/// What the driver reported, as the source of an error of the port.
pub(crate) fn source(error: &sqlx::Error) -> Source {
    let what = match error {
        sqlx::Error::Database(reported) => {
            format!("the database reports {}", reported.code().unwrap_or_else(|| "an error".into()))
        }
        sqlx::Error::Io(error) => format!("the connection failed: {}", error.kind()),
        sqlx::Error::PoolTimedOut => "no connection to the database was free in time".to_owned(),
        sqlx::Error::PoolClosed => "the store is closed".to_owned(),
        sqlx::Error::Tls(_) => "the connection could not be encrypted".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    Box::new(Driver { what, lost: is_lost(error) })
}

/// An error of a read, or of anything that has not reached its commit: nothing was done.
pub(crate) fn failed(error: sqlx::Error) -> StorageError {
    match &error {
        sqlx::Error::Database(reported) => {
            let code = reported.code().unwrap_or_default().into_owned();
            match code.as_str() {
                // Serialisation failure, deadlock, a lock that was not to be had.
                "40001" | "40P01" | "55P03" => StorageError::Crossed { source: source(&error) },
                // A statement that was cut off: too slow counts as not to be had.
                "57014" => StorageError::Unavailable { source: source(&error) },
                code if is_outage(code) => StorageError::Unavailable { source: source(&error) },
                _ => unexpected(&error),
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => StorageError::Unavailable { source: source(&error) },
        _ => unexpected(&error),
    }
}

/// The server has ended the session: it was idle in a transaction, or at all, for too long.
const ENDED: [&str; 2] = ["25P03", "25P04"];

/// Whether the connection was lost, so that nobody knows whether what was sent was done.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        // The server went away, possibly after it had committed.
        sqlx::Error::Database(reported) => reported.code().is_some_and(|code| {
            ENDED.contains(&&*code) || code.starts_with("57P0") || code.starts_with("08")
        }),
        _ => false,
    }
}

/// Whether the database cannot do anything for anybody at the moment.
fn is_outage(code: &str) -> bool {
    // Connection exceptions, insufficient resources, operator intervention, system errors, a read-only standby.
    ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class))
        || ENDED.contains(&code)
        || code == "25006"
}

fn unexpected(error: &sqlx::Error) -> StorageError {
    StorageError::Invalid(match error.as_database_error() {
        // The message may quote a value.
        Some(reported) => {
            format!("the database refused a statement ({})", reported.code().unwrap_or_default())
        }
        None => "the database and the program do not agree".to_owned(),
    })
}

/// A constraint that stood against a batch.
pub(crate) enum Constraint {
    /// A batch of the id was committed before.
    Batch,
    /// A record of the id, or job, is there already.
    Present,
    /// A unique field's value is taken.
    Unique(&'static KindSpec, &'static str),
    /// A record refers to one that is not there; or one that is to go is referred to by it.
    Reference(&'static KindSpec, &'static str),
}

/// The constraint that an error reports, where it is one of ours.
pub(crate) fn constraint(error: &sqlx::Error, schema: &Schema) -> Option<Constraint> {
    let reported = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    let (table, name) = (reported.table()?, reported.constraint()?);
    if table == "batch" {
        return (reported.code() == "23505").then_some(Constraint::Batch);
    }
    let kind = schema.kind(table)?;
    match reported.code() {
        "23505" => {
            let unique = kind.fields.iter().find(|field| name == made_of(&[kind.name, field.name, "key"]));
            Some(unique.map_or(Constraint::Present, |field| Constraint::Unique(kind, field.name)))
        }
        "23503" => {
            let field = kind.fields.iter().find(|field| name == made_of(&[kind.name, field.name, "fkey"]))?;
            Some(Constraint::Reference(kind, field.name))
        }
        _ => None,
    }
}
