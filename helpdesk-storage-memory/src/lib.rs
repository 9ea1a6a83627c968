//! The embedded store of helpdesk: everything in memory, for tests, demos and teams that need no database.
//!
//! Readers take a snapshot of the whole state and keep it for as long as they like; they never wait, neither for
//! the writer nor for each other. One writer at a time makes the next state out of the present one, sharing all
//! that does not change, and swaps it in. It is also the executable specification of the storage port: what it
//! answers is what every other store must answer.
//!
//! ```
//! use helpdesk_core::storage::{FieldSpec, KindSpec, Schema};
//! use helpdesk_storage_memory::MemoryStorage;
//!
//! static NOTE: KindSpec = KindSpec::new("note", &[FieldSpec::text("topic")]);
//! let storage = MemoryStorage::new(Schema::new([&NOTE]));
//! ```

mod by_row;
mod cube;
mod figures;
mod find;
mod hits;
mod key;
mod matching;
mod node;
mod partition;
mod places;
mod plan;
mod rollup;
mod root;
mod rows;
mod text;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, Figures, Health, KindSpec, Logged, Page, Position, Query, Record,
    Schema, Scope, Storage, StorageError, Tally,
};
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use crate::root::Root;

/// How many batches' outcomes are remembered.
const OUTCOMES: usize = 10_000;

/// A store in memory. What it holds is gone when it is dropped.
#[derive(Debug)]
pub struct MemoryStorage {
    root: ArcSwap<Root>,
    writer: Mutex<Outcomes>,
    newest: watch::Sender<Position>,
}

/// What the last batches were answered. Only the writer needs it, so it is no part of the snapshots.
#[derive(Debug, Default)]
struct Outcomes {
    by_batch: HashMap<Uuid, Committed>,
    order: VecDeque<Uuid>,
}

impl Outcomes {
    fn remember(&mut self, batch: Uuid, committed: Committed) {
        self.by_batch.insert(batch, committed);
        self.order.push_back(batch);
        if self.order.len() > OUTCOMES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_batch.remove(&oldest);
        }
    }
}

impl MemoryStorage {
    /// An empty store for the given kinds.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self {
            root: ArcSwap::from_pointee(Root::new(schema)),
            writer: Mutex::default(),
            newest: watch::Sender::new(Position::default()),
        }
    }

    fn commit_now(&self, batch: Batch) -> Result<Committed, StorageError> {
        batch.check()?;
        let id = batch.id;
        let mut outcomes = self.writer.lock();
        if let Some(committed) = outcomes.by_batch.get(&id) {
            return Ok(committed.clone());
        }
        // The next state is made beside the present one: where anything fails it is dropped, and nothing happened.
        let mut root = Root::clone(&self.root.load());
        let committed = root.commit(batch)?;
        outcomes.remember(id, committed.clone());
        let newest = root.newest();
        self.root.store(Arc::new(root));
        self.newest.send_if_modified(|last| std::mem::replace(last, newest) != newest);
        Ok(committed)
    }

    fn claim_now(&self, claim: &Claim) -> Result<Vec<Claimed>, StorageError> {
        let _writer = self.writer.lock();
        let mut root = Root::clone(&self.root.load());
        let claimed = root.claim(claim)?;
        if !claimed.is_empty() {
            self.root.store(Arc::new(root));
        }
        Ok(claimed)
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        let root = self.root.load();
        let partition = root.partition(kind, scope)?;
        Ok(ids.iter().map(|id| partition?.get(*id).cloned()).collect())
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        query.check()?;
        let root = self.root.load();
        Ok(match root.partition(query.kind(), query.scope())? {
            Some(partition) => find::find(partition, query),
            None => find::nothing(query),
        })
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        tally.check()?;
        let root = self.root.load();
        Ok(figures::tally(root.partition(tally.kind(), tally.scope())?, tally))
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        self.commit_now(batch)
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        Ok(self.writer.lock().by_batch.get(&batch).cloned())
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        self.claim_now(&claim)
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        Ok(self.root.load().events(after, limit))
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        // The sender lives as long as the store, so waiting cannot fail.
        let _ = self.newest.subscribe().wait_for(|newest| *newest > after).await;
        Ok(())
    }

    async fn health(&self) -> Result<Health, StorageError> {
        Ok(Health { newest: self.root.load().newest(), unplaced: 0 })
    }
}
