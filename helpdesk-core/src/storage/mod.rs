//! The storage port: many kinds of records over a handful of operations.
//!
//! A store implements [`Storage`] and nothing else; it stores and does not decide. Everything typed
//! ([`Entity`], [`Store`], [`Changes`]) is built on top of it here, once for all stores. What each operation
//! promises is said on the trait, and put to the test by the conformance suite behind the feature `conformance`.

mod batch;
mod changes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entity;
mod error;
mod filter;
mod job;
mod kind;
mod query;
mod recent;
mod record;
mod scope;
mod store;
mod tally;
mod value;
mod words;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use self::batch::{
    Batch, Claim, Claimed, Committed, Counter, Expect, Health, JobOp, Lease, MAX_BYTES, MAX_WRITES, NewJob,
    Put, Require, Write, Written,
};
pub use self::changes::{Changes, Slot};
pub use self::entity::{Entity, EntityId, Row, Stored};
pub use self::error::{Source, StorageError};
pub use self::filter::{Bound, Condition, Filter};
pub use self::job::{JOB, JobState, Phase};
pub use self::kind::{Builtin, Derive, FieldRef, FieldSpec, FieldType, KindSpec, Mode, Schema};
pub use self::query::{Cursor, From, MAX_PAGE, Order, Page, Query, Sequence, Total, TotalMode};
pub use self::record::{Body, Logged, Position, Record};
pub use self::scope::Scope;
pub use self::store::{Listing, Select, Store};
pub use self::tally::{Figures, Group, Measure, Sums, Tally, Unit};
pub use self::value::{MAX_TEXT, Value};
pub use self::words::{Term, Words, fold};

/// A place to keep records, events and jobs.
///
/// Every read sees one consistent state that holds all commits answered before it began. No method has a
/// default body: a store that forgets one does not compile.
#[async_trait]
pub trait Storage: Debug + Send + Sync + 'static {
    /// The records of the given ids, each in its place, `None` where the scope has none of that id.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; [`StorageError::Invalid`] where the store was not made for the kind.
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError>;

    /// A page of the records that match a query, in its order.
    ///
    /// # Errors
    ///
    /// As [`Storage::get`]; [`StorageError::Invalid`] where [`Query::check`] says so.
    async fn find(&self, query: &Query) -> Result<Page, StorageError>;

    /// Figures over the records that match, by group, ordered by the groups' keys.
    ///
    /// # Errors
    ///
    /// As [`Storage::get`]; [`StorageError::Invalid`] where [`Tally::check`] says so.
    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError>;

    /// Makes all changes of a batch, or none.
    ///
    /// Numbers rise in each kind and scope: from a commit that was answered to one that was sent after it, and
    /// within a batch in the order of its writes, events and jobs. Where several preconditions fail, any of them may be answered. A batch of an id
    /// that was committed before changes nothing and answers what it answered then.
    ///
    /// # Errors
    ///
    /// [`StorageError::Conflict`], [`Duplicate`](StorageError::Duplicate),
    /// [`MissingReference`](StorageError::MissingReference), [`Referenced`](StorageError::Referenced) or
    /// [`LeaseLost`](StorageError::LeaseLost) where a precondition fails, [`TooLarge`](StorageError::TooLarge)
    /// and [`Invalid`](StorageError::Invalid) as [`Batch::check`] says, [`Crossed`](StorageError::Crossed) and
    /// [`Unavailable`](StorageError::Unavailable) with nothing done, [`Unknown`](StorageError::Unknown) where
    /// it cannot be said.
    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError>;

    /// What a batch was answered when it was committed, or `None` where it never was. Known for at least a day,
    /// or for the last 10,000 batches.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError>;

    /// Hands out jobs that are due, or whose lease has lapsed, those first that have been so for longest, as
    /// [`JobState::ready`] says. No job is handed to two workers at once.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError>;

    /// The events after a place in the log, in order, at most `limit`.
    ///
    /// A commit that was answered before another was sent comes first, the events of one batch stand together
    /// in their order, and those of one record follow its versions. Once an event was answered, nothing will
    /// ever appear before it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError>;

    /// Waits until there are events after a place in the log. May return early; the caller then asks again.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    async fn wait(&self, after: Position) -> Result<(), StorageError>;

    /// Whether the store answers, and how its log is doing.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    async fn health(&self) -> Result<Health, StorageError>;
}
