//! A store that fails when it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, Figures, Health, KindSpec, Logged, Page, Position, Query, Record,
    Scope, Storage, StorageError, Tally,
};
use helpdesk_storage_memory::MemoryStorage;
use uuid::Uuid;

/// How the next commits fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The store cannot be reached, and nothing is done.
    Unavailable,
    /// The change is made, but the answer gets lost, and the store cannot be asked for it either.
    AnswerLost,
}

/// The embedded store behind a line that breaks.
#[derive(Debug)]
pub(crate) struct FlakyStorage {
    inner: MemoryStorage,
    failure: Mutex<Option<Failure>>,
    claims: AtomicUsize,
}

impl FlakyStorage {
    pub(crate) fn new() -> Self {
        let inner = MemoryStorage::new(helpdesk_core::Helpdesk::schema());
        Self { inner, failure: Mutex::default(), claims: AtomicUsize::new(0) }
    }

    /// How commits fail from now on, or that they do not.
    pub(crate) fn fail(&self, failure: Option<Failure>) {
        *self.failure.lock().expect("nobody panicked") = failure;
    }

    /// How often it was asked for jobs.
    pub(crate) fn claims(&self) -> usize {
        self.claims.load(Ordering::SeqCst)
    }

    fn failure(&self) -> Option<Failure> {
        *self.failure.lock().expect("nobody panicked")
    }
}

fn unavailable() -> StorageError {
    StorageError::Unavailable { source: "the line is broken".into() }
}

#[async_trait]
impl Storage for FlakyStorage {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        self.inner.get(kind, scope, ids).await
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        self.inner.find(query).await
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        self.inner.tally(tally).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        let id = batch.id;
        match self.failure() {
            None => self.inner.commit(batch).await,
            Some(Failure::Unavailable) => Err(unavailable()),
            Some(Failure::AnswerLost) => {
                self.inner.commit(batch).await?;
                Err(StorageError::Unknown { batch: id, source: "the line is broken".into() })
            }
        }
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        match self.failure() {
            None => self.inner.outcome(batch).await,
            Some(_) => Err(unavailable()),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.inner.claim(claim).await
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        self.inner.events(after, limit).await
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        self.inner.wait(after).await
    }

    async fn health(&self) -> Result<Health, StorageError> {
        self.inner.health().await
    }
}
