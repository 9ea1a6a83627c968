//! The storage port of helpdesk on PostgreSQL 15 or later: durable, concurrent, for one server or several.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use helpdesk_core::storage::Schema;
//! use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
//!
//! # async fn open(schema: Schema) -> Result<(), helpdesk_storage_postgres::SetupError> {
//! let settings = PostgresSettings::parse("postgres://desk@localhost/desk")?;
//! PostgresStorage::migrate(&settings, &schema).await?;
//! let storage = Arc::new(PostgresStorage::open(&settings, schema).await?);
//! # Ok(())
//! # }
//! ```
//!
//! All tables live in a schema of their own, by default `helpdesk`, one for each kind, under the kind's name, and are
//! written by this crate alone. Other programs read the views of the schema `helpdesk_read`, of the same names, whose
//! columns stay what they are when tables change.

mod args;
mod claim;
mod commit;
mod errors;
mod filter;
mod find;
mod log;
mod maintain;
mod names;
#[cfg(test)]
mod plans;
mod pool;
mod rollups;
mod rows;
mod schema;
mod settings;
mod tables;
mod tally;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, Figures, Health, JOB, KindSpec, Logged, Page, Position, Query, Record,
    Schema, Scope, Storage, StorageError, Tally,
};
use uuid::Uuid;

pub use self::errors::SetupError;
pub use self::settings::PostgresSettings;
use crate::commit::Numbers;
use crate::errors::Driver;
use crate::log::Log;
use crate::maintain::Maintenance;
use crate::names::Names;
use crate::pool::{Losses, Pool};
use crate::rollups::Counted;
use crate::tables::Tables;

/// How often a read is sent whose connection is lost.
const ATTEMPTS: u32 = 3;

/// A store on PostgreSQL.
///
/// Opening it starts tasks that relay and hear of events; dropping it ends them. It must be opened within a Tokio
/// runtime, and several servers may have one each on the same database.
#[derive(Debug)]
pub struct PostgresStorage {
    reads: Pool,
    writes: Pool,
    tables: Arc<Tables>,
    numbers: Arc<Numbers>,
    log: Log,
    counted: Counted,
    _maintenance: Maintenance,
}

impl PostgresStorage {
    /// Makes the tables of the kinds, or adds what an older release lacks; takes nothing away. Safe while servers
    /// run, and where several start at once.
    ///
    /// # Errors
    ///
    /// [`SetupError`]: nothing is half done that another run would not finish.
    pub async fn migrate(settings: &PostgresSettings, schema: &Schema) -> Result<(), SetupError> {
        let mut connection = schema::connect(&settings.connect_options()).await?;
        let names = Names::new(&settings.schema);
        schema::migrate(&mut connection, &names, &complete(schema.clone())).await
    }

    /// What the database lacks for the kinds, or has otherwise, in words; nothing after [`migrate`](Self::migrate).
    ///
    /// # Errors
    ///
    /// [`SetupError::Database`].
    pub async fn differences(
        settings: &PostgresSettings,
        schema: &Schema,
    ) -> Result<Vec<String>, SetupError> {
        let mut connection = schema::connect(&settings.connect_options()).await?;
        let names = Names::new(&settings.schema);
        Ok(schema::differences(&mut connection, &names, &complete(schema.clone())).await?)
    }

    /// Opens a database that was migrated.
    ///
    /// # Errors
    ///
    /// [`SetupError::Database`] where it cannot be reached.
    pub async fn open(settings: &PostgresSettings, schema: Schema) -> Result<Self, SetupError> {
        let tables = Arc::new(Tables::new(complete(schema), Names::new(&settings.schema)));
        let losses = Losses::default();
        let (reads, writes) = (settings.reads(&losses)?, settings.writes(&losses)?);
        // Told now rather than with the first request, if the database cannot be reached.
        drop((reads.acquire().await?, writes.acquire().await?));
        rollups::look(&reads, &tables).await?;
        let log =
            Log::start(settings.connect_options(), settings.log_pool(), reads.clone(), Arc::clone(&tables));
        let numbers = Arc::new(Numbers::new(writes.clone(), tables.names()));
        let counted = Counted::new();
        let maintenance = Maintenance::start(writes.clone(), Arc::clone(&tables), counted.clone());
        Ok(Self { reads, writes, tables, numbers, log, counted, _maintenance: maintenance })
    }

    /// Fills the columns of fields that were declared after records were written. Also done in the background once a
    /// store is open. Answers how many records there were.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; [`StorageError::Corrupt`] where a body cannot be read.
    pub async fn backfill(&self) -> Result<u64, StorageError> {
        let filled = schema::backfill(&self.writes, &self.tables).await?;
        self.counted.note(usize::try_from(filled).unwrap_or(usize::MAX));
        Ok(filled)
    }

    /// Sums up what commits have added to the rollups, so that they are quick to read. Also done in the background, as
    /// much as is needed. Answers how many additions there were.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    pub async fn fold(&self) -> Result<u64, StorageError> {
        rollups::fold(&self.writes, &self.tables, 1).await.map_err(errors::failed)
    }
}

/// The schema with the kind that every store has.
fn complete(schema: Schema) -> Schema {
    if schema.kind(JOB.name).is_some() { schema } else { schema.with([&JOB]) }
}

/// Reads, and reads again where the connection was lost: after a restart of the database, all that were open are.
async fn again<T, F>(read: impl Fn() -> F) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    for _ in 1..ATTEMPTS {
        match read().await {
            Err(StorageError::Unavailable { source }) if Driver::is_lost(&source) => {}
            answer => return answer,
        }
    }
    read().await
}

#[async_trait]
impl Storage for PostgresStorage {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        let table = self.tables.of(kind)?;
        again(|| find::get(&self.reads, table, scope, ids)).await
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        again(|| find::find(&self.reads, &self.tables, query)).await
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        again(|| tally::tally(&self.reads, &self.tables, tally)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        let (logs, counts) = (!batch.events.is_empty(), rollups::counts(&batch));
        let (writes, tables, numbers) =
            (self.writes.clone(), Arc::clone(&self.tables), Arc::clone(&self.numbers));
        // In a task of its own, which goes on if nobody waits for it any more: a transaction that is broken off keeps
        // its locks until its connection is used again.
        let committing = tokio::spawn(async move { commit::commit(&writes, &tables, &numbers, batch).await });
        let committed = match committing.await {
            Ok(outcome) => outcome?,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => return Err(StorageError::Unavailable { source: Box::new(error) }),
        };
        if counts {
            self.counted.note(1);
        }
        if logs {
            self.log.committed();
        }
        Ok(committed)
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        again(|| commit::outcome(&self.reads, &self.tables, batch)).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        claim::claim(&self.writes, &self.tables, &claim).await
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        again(|| log::events(&self.reads, &self.tables, after, limit)).await
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        self.log.wait(after).await;
        Ok(())
    }

    async fn health(&self) -> Result<Health, StorageError> {
        again(|| log::health(&self.reads, &self.tables)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever embeds a store opens it in tasks of their own.
    #[test]
    fn stores_are_opened_from_any_task() {
        fn sent<T: Send>(_: impl Fn(PostgresSettings, Schema) -> T) {}
        sent(|settings, schema| async move { PostgresStorage::migrate(&settings, &schema).await });
        sent(|settings, schema| async move { PostgresStorage::differences(&settings, &schema).await });
        sent(|settings, schema| async move { PostgresStorage::open(&settings, schema).await });
    }
}
