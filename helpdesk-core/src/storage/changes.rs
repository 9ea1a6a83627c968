//! Collecting typed changes into a batch.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::batch::{Batch, Committed, Counter, Expect, JobOp, Put, Require, Write};
use super::entity::Row;
use super::record::Body;
use super::{Entity, EntityId, Scope, StorageError, Store, Stored, Words};

/// The changes a service decided on, to be committed as one.
#[derive(Debug)]
pub struct Changes {
    batch: Batch,
    failed: Option<StorageError>,
}

/// The place of a written record among a batch's writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Changes {
    /// No changes yet. `at` becomes the time of all of them.
    #[must_use]
    pub const fn new(batch: Uuid, at: DateTime<Utc>) -> Self {
        Self { batch: Batch::new(batch, at), failed: None }
    }

    /// The id of the batch.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.batch.id
    }

    /// When the changes happen.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.batch.at
    }

    /// Inserts a value under an id that must be new.
    pub fn insert<T: Entity>(&mut self, scope: Scope, id: T::Id, value: &T) -> Slot {
        let json = serde_json::to_string(value);
        self.put(scope, id, Expect::Absent, value, json, Some(words(value)))
    }

    /// Replaces a value that was read before, and must still be as it was read.
    pub fn update<T: Entity>(&mut self, before: &Stored<T>, value: &T) -> Slot {
        let expect = Expect::Version(before.version);
        let words = (texts(&before.value) != texts(value)).then(|| words(value));
        self.put(before.scope, before.id, expect, value, before.rewrite(value), words)
    }

    /// Writes a value of a quiet kind, whatever was there.
    pub fn overwrite<T: Entity>(&mut self, scope: Scope, id: T::Id, value: &T) -> Slot {
        let json = serde_json::to_string(value);
        self.put(scope, id, Expect::Anything, value, json, Some(words(value)))
    }

    /// Deletes a value that was read before, and must still be as it was read.
    pub fn delete<T: Entity>(&mut self, before: &Stored<T>) {
        let expect = Expect::Version(before.version);
        let id = before.id.uuid();
        self.batch.writes.push(Write::Delete { kind: T::SPEC, scope: before.scope, id, expect });
    }

    /// Has the commit fail unless a value that was only read is still as it was.
    pub fn require<T: Entity>(&mut self, read: &Stored<T>) {
        let expect = Expect::Version(read.version);
        self.batch.requires.push(Require { kind: T::SPEC, scope: read.scope, id: read.id.uuid(), expect });
    }

    /// Has the commit fail unless there is still nothing of that id.
    pub fn require_absent<T: Entity>(&mut self, scope: Scope, id: T::Id) {
        self.batch.requires.push(Require { kind: T::SPEC, scope, id: id.uuid(), expect: Expect::Absent });
    }

    /// Draws the next number of a series. The answer stands for it in the texts of the same batch, with at least
    /// `width` digits, and is replaced by the number at the commit.
    #[must_use]
    pub fn draw(&mut self, scope: Scope, series: &str, width: usize) -> String {
        let place = self.batch.counters.len();
        self.batch.counters.push(Counter { scope, series: series.to_owned() });
        Counter::placeholder(self.batch.id, place, width)
    }

    /// Adds an event that was made into a record.
    pub(crate) fn push_event(&mut self, event: Put) {
        self.batch.events.push(event);
    }

    /// Adds a change to the jobs.
    pub(crate) fn push_job(&mut self, job: JobOp) {
        self.batch.jobs.push(job);
    }

    /// Leaves out what would take a job back. For one that runs and completes in this batch, being done is the same,
    /// and a job that was taken back cannot be completed.
    pub(crate) fn keep_job(&mut self, scope: Scope, key: &str) {
        self.batch.jobs.retain(|job| match job {
            JobOp::Cancel { scope: of, key: named } => *of != scope || named != key,
            _ => true,
        });
    }

    /// The version that a value will have after the commit, as events tell it.
    #[must_use]
    pub fn version_after(&self, slot: Slot) -> i64 {
        match self.batch.writes[slot.0].target().3 {
            Expect::Version(version) => version + 1,
            Expect::Absent | Expect::Anything => 1,
        }
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Whether there are changes to the jobs.
    pub(crate) fn has_jobs(&self) -> bool {
        !self.batch.jobs.is_empty()
    }

    /// The batch, for a store.
    ///
    /// # Errors
    ///
    /// [`StorageError::Invalid`] where a value could not be written as JSON.
    pub fn into_batch(self) -> Result<Batch, StorageError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.batch),
        }
    }

    fn put<T: Entity>(
        &mut self,
        scope: Scope,
        id: T::Id,
        expect: Expect,
        value: &T,
        json: Result<String, serde_json::Error>,
        words: Option<Words>,
    ) -> Slot {
        let json = json.unwrap_or_else(|error| {
            self.failed = Some(StorageError::Invalid(format!("{} is no JSON: {error}", T::SPEC.name)));
            String::new()
        });
        self.batch.writes.push(Write::Put(Put {
            kind: T::SPEC,
            scope,
            id: id.uuid(),
            expect,
            fields: Row::of(value),
            words,
            body: Body { version: T::SPEC.body_version, json: json.into_boxed_str() },
        }));
        Slot(self.batch.writes.len() - 1)
    }
}

fn texts<T: Entity>(value: &T) -> Vec<&str> {
    let mut texts = Vec::new();
    value.searched(&mut texts);
    texts
}

fn words<T: Entity>(value: &T) -> Words {
    if T::SPEC.searched { Words::cut(texts(value)) } else { Words::default() }
}

impl Committed {
    /// What a write was given.
    #[must_use]
    pub fn written(&self, slot: Slot) -> super::Written {
        self.written[slot.0]
    }
}

impl Store {
    /// Commits changes. Where the connection was lost, finds out whether they were made.
    ///
    /// # Errors
    ///
    /// As [`Storage::commit`](super::Storage::commit).
    pub async fn commit(&self, changes: Changes) -> Result<Committed, StorageError> {
        let batch = changes.into_batch()?;
        if batch.is_empty() && batch.requires.is_empty() {
            return Ok(Committed::default());
        }
        let id = batch.id;
        match self.storage().commit(batch).await {
            Err(StorageError::Unknown { source, .. }) => match self.storage().outcome(id).await {
                Ok(Some(committed)) => Ok(committed),
                // It was never made, so nothing was done and the caller may try again.
                Ok(None) => Err(StorageError::Unavailable { source }),
                Err(_) => Err(StorageError::Unknown { batch: id, source }),
            },
            outcome => outcome,
        }
    }
}
