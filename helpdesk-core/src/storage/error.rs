//! What can go wrong in a store.

use std::error::Error as StdError;

use uuid::Uuid;

/// Whatever a driver reported, kept for the log.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Why a store did not do what it was asked. The same for all stores.
///
/// Nothing of a failed commit is ever visible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A record is not at the version that the caller decided on, or not there, or there already.
    #[error("{kind} {id} is {}", match current { Some(version) => format!("at version {version}"), None => "absent".into() })]
    Conflict {
        /// The kind of the record.
        kind: &'static str,
        /// Its id.
        id: Uuid,
        /// The version it is at, or `None` where it is absent.
        current: Option<i64>,
    },
    /// Another record of the scope has the value of a unique field.
    #[error("another {kind} has the same {field}")]
    Duplicate {
        /// The kind of the record.
        kind: &'static str,
        /// The unique field.
        field: &'static str,
    },
    /// A record refers to one that is not there.
    #[error("{kind}.{field} refers to a record that does not exist")]
    MissingReference {
        /// The kind of the referring record.
        kind: &'static str,
        /// The referring field.
        field: &'static str,
    },
    /// A record to be deleted is still referred to.
    #[error("{kind} {id} is still referred to")]
    Referenced {
        /// The kind of the record that was to go.
        kind: &'static str,
        /// Its id.
        id: Uuid,
    },
    /// The worker no longer holds the lease of a job: it lapsed, or the job was cancelled.
    #[error("the lease of job {job} was lost")]
    LeaseLost {
        /// The job.
        job: Uuid,
    },
    /// A batch is larger than a batch may be.
    #[error("the batch has {what}")]
    TooLarge {
        /// What there is too much of.
        what: String,
    },
    /// A query or batch does not fit the kinds it names: a mistake of the program, not of its users.
    #[error("not valid: {0}")]
    Invalid(String),
    /// The connection was lost during a commit, which may or may not have happened. Ask
    /// [`Storage::outcome`](super::Storage::outcome) before anything is tried again.
    #[error("the outcome of batch {batch} is unknown")]
    Unknown {
        /// The batch.
        batch: Uuid,
        /// What the driver said.
        #[source]
        source: Source,
    },
    /// The store cannot be reached, or is too busy. Nothing was done.
    #[error("the storage is unavailable")]
    Unavailable {
        /// What the driver said.
        #[source]
        source: Source,
    },
    /// Two commits crossed in a way that only the database noticed. Nothing was done; decide again.
    #[error("the commit crossed with another")]
    Crossed {
        /// What the driver said.
        #[source]
        source: Source,
    },
    /// What is stored cannot be read as what it should be.
    #[error("a stored {kind} cannot be read")]
    Corrupt {
        /// The kind of the record.
        kind: &'static str,
        /// Why.
        #[source]
        source: Source,
    },
}

impl StorageError {
    /// Whether deciding again from fresh reads may succeed where this failed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Crossed { .. })
    }
}
