//! A store on which others do something just after somebody has read.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, Figures, Health, KindSpec, Logged, Page, Position, Query, Record,
    Scope, Storage, StorageError, Tally,
};
use helpdesk_storage_memory::MemoryStorage;
use uuid::Uuid;

type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The embedded store, with something that happens between a read and what is decided on it.
pub(crate) struct Between {
    inner: MemoryStorage,
    /// After a read of which kind, and what.
    deed: Mutex<Option<(&'static str, Deed)>>,
}

impl fmt::Debug for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Between").finish_non_exhaustive()
    }
}

impl Between {
    pub(crate) fn new() -> Self {
        let inner = MemoryStorage::new(helpdesk_core::Helpdesk::schema());
        Self { inner, deed: Mutex::default() }
    }

    /// Has something done once, right after records of a kind are read the next time.
    pub(crate) fn after_reading(&self, kind: &'static str, deed: impl Future<Output = ()> + Send + 'static) {
        *self.deed.lock().expect("nobody panicked") = Some((kind, Box::pin(deed)));
    }

    /// Whether it was done.
    pub(crate) fn happened(&self) -> bool {
        self.deed.lock().expect("nobody panicked").is_none()
    }

    async fn read(&self, kind: &str) {
        let deed = self.deed.lock().expect("nobody panicked").take_if(|(after, _)| *after == kind);
        if let Some((_, deed)) = deed {
            deed.await;
        }
    }
}

#[async_trait]
impl Storage for Between {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        let found = self.inner.get(kind, scope, ids).await;
        self.read(kind.name).await;
        found
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        let found = self.inner.find(query).await;
        self.read(query.kind().name).await;
        found
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        self.inner.tally(tally).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        self.inner.commit(batch).await
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        self.inner.outcome(batch).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
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
