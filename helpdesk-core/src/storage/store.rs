//! Typed reads over any store.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use uuid::Uuid;

use super::query::{Page, Query};
use super::recent::Recent;
use super::{
    Cursor, Entity, EntityId, Figures, Filter, From, MAX_PAGE, Scope, Storage, StorageError, Stored, Tally,
    Total, TotalMode,
};

/// A store as services use it: values instead of records.
///
/// What was read lately is kept decoded, so that a record that many requests read is not read out of its JSON
/// each time. Every read still asks the store which version there is.
#[derive(Clone, Debug)]
pub struct Store {
    storage: Arc<dyn Storage>,
    recent: Arc<Recent>,
}

impl Store {
    /// The typed layer over a store.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, recent: Arc::new(Recent::new()) }
    }

    /// The store itself.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The value of an id, or `None`.
    ///
    /// # Errors
    ///
    /// As [`Storage::get`]; [`StorageError::Corrupt`].
    pub async fn get<T: Entity>(
        &self,
        scope: Scope,
        id: T::Id,
    ) -> Result<Option<Arc<Stored<T>>>, StorageError> {
        let found = self.storage.get(T::SPEC, scope, &[id.uuid()]).await?;
        found.into_iter().flatten().next().map(|record| self.recent.read(&record)).transpose()
    }

    /// The values of several ids, in one round trip; those that are not there are left out.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    pub async fn get_map<T: Entity>(
        &self,
        scope: Scope,
        ids: impl IntoIterator<Item = T::Id> + Send,
    ) -> Result<HashMap<Uuid, Arc<Stored<T>>>, StorageError> {
        let mut wanted: Vec<_> = ids.into_iter().map(EntityId::uuid).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.storage.get(T::SPEC, scope, &wanted).await?;
        found.iter().flatten().map(|record| Ok((record.id, self.recent.read(record)?))).collect()
    }

    /// A query for values of a kind: the first 100 by rising number, unless more is said.
    pub fn select<T: Entity>(&self, scope: Scope) -> Select<'_, T> {
        Select { store: self, query: Query::new(T::SPEC, scope), of: PhantomData }
    }

    /// Figures by group.
    ///
    /// # Errors
    ///
    /// As [`Storage::tally`].
    pub async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        self.storage.tally(tally).await
    }
}

/// A query for values of one kind. Its methods are those of [`Query`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Select<'a, T> {
    store: &'a Store,
    query: Query,
    of: PhantomData<fn() -> T>,
}

/// A page of values.
#[derive(Clone, Debug)]
pub struct Listing<T: Entity> {
    /// The values in the query's order.
    pub items: Vec<Arc<Stored<T>>>,
    /// How many match in all, where it was asked.
    pub total: Option<Total>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Where the previous page ends.
    pub previous: Option<Cursor>,
}

impl<T: Entity> Select<'_, T> {
    /// Narrows the query down.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.query = self.query.filter(filter);
        self
    }

    /// Orders by a field, smallest first.
    pub fn ascending(mut self, field: &'static str) -> Self {
        self.query = self.query.ascending(field);
        self
    }

    /// Orders by a field, largest first.
    pub fn descending(mut self, field: &'static str) -> Self {
        self.query = self.query.descending(field);
        self
    }

    /// Orders by the number, newest first.
    pub fn newest(self) -> Self {
        self.descending("number")
    }

    /// Asks for at most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query = self.query.limit(limit);
        self
    }

    /// Says where the page begins.
    pub fn from(mut self, from: From) -> Self {
        self.query = self.query.from(from);
        self
    }

    /// Asks for the number of all that match.
    pub fn total(mut self, total: TotalMode) -> Self {
        self.query = self.query.total(total);
        self
    }

    /// The page.
    ///
    /// # Errors
    ///
    /// As [`Storage::find`]; [`StorageError::Corrupt`].
    pub async fn page(self) -> Result<Listing<T>, StorageError> {
        let Page { records, total, next, previous } = self.store.storage.find(&self.query).await?;
        let items = records.iter().map(|record| self.store.recent.read(record)).collect::<Result<_, _>>()?;
        Ok(Listing { items, total, next, previous })
    }

    /// The first value, or `None`.
    ///
    /// # Errors
    ///
    /// As [`Select::page`].
    pub async fn first(self) -> Result<Option<Arc<Stored<T>>>, StorageError> {
        Ok(self.limit(1).page().await?.items.into_iter().next())
    }

    /// The id of the first that matches, or `None`, without reading it.
    ///
    /// # Errors
    ///
    /// As [`Storage::find`].
    pub async fn first_id(self) -> Result<Option<T::Id>, StorageError> {
        let page = self.store.storage.find(&self.query.limit(1)).await?;
        Ok(page.records.first().map(|record| T::Id::from_uuid(record.id)))
    }

    /// How many match.
    ///
    /// # Errors
    ///
    /// As [`Storage::find`].
    pub async fn count(self) -> Result<u64, StorageError> {
        let query = self.query.limit(0).total(TotalMode::Exact);
        Ok(self.store.storage.find(&query).await?.total.map_or(0, |total| total.count))
    }

    /// All that match, page after page, for lists that have no pages of their own. Each page sees the state at
    /// its own time.
    ///
    /// # Errors
    ///
    /// As [`Select::page`].
    pub async fn all(self) -> Result<Vec<Arc<Stored<T>>>, StorageError> {
        let mut items = Vec::new();
        let mut from = From::Start;
        loop {
            let page = self.clone().limit(MAX_PAGE).from(from).page().await?;
            items.extend(page.items);
            match page.next {
                Some(cursor) => from = From::After(cursor),
                None => return Ok(items),
            }
        }
    }
}
