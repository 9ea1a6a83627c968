//! The naive store that others are compared with: plain lists, searched from end to end.

mod state;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use self::state::State;
use crate::storage::{
    Batch, Claim, Claimed, Committed, Figures, Filter, From, Group, Health, KindSpec, Logged, Page, Position,
    Query, Record, Schema, Scope, Storage, StorageError, Sums, Tally, Total, TotalMode, Value,
};

/// A store that is as simple as a store can be, and slow.
///
/// It has no indexes and takes no short cuts, so that what it answers is what the port says. Its numbers and
/// positions leave gaps, as any store's may.
#[derive(Debug)]
pub struct Oracle {
    schema: Schema,
    state: Mutex<State>,
    outcomes: Mutex<HashMap<Uuid, Committed>>,
    newest: watch::Sender<Position>,
}

impl Oracle {
    /// An empty store for the given kinds.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let (state, outcomes) = (Mutex::default(), Mutex::default());
        Self { schema, state, outcomes, newest: watch::Sender::new(Position::default()) }
    }

    /// All preconditions of a batch that do not hold, in no order. A store may answer any of them.
    pub(super) fn objections(&self, batch: &Batch) -> Vec<StorageError> {
        self.state().clone().apply(&self.schema, batch.clone()).1
    }

    /// The version that a record is at.
    pub(super) fn version(&self, kind: &KindSpec, scope: Scope, id: Uuid) -> Option<i64> {
        self.state().record(kind, scope, id).map(|record| record.version)
    }

    /// The ids of the records of a kind.
    pub(super) fn ids(&self, kind: &KindSpec, scope: Scope) -> HashSet<Uuid> {
        self.state().of(kind, scope).map(|kept| kept.record.id).collect()
    }

    /// The jobs that a worker may have, and since when.
    pub(super) fn ready(&self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Uuid)> {
        self.state().ready(now).into_iter().map(|(ready, record, _)| (ready, record.id)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics while it holds the lock has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcomes(&self) -> MutexGuard<'_, HashMap<Uuid, Committed>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome_of(&self, batch: Uuid) -> Option<Committed> {
        self.outcomes().get(&batch).cloned()
    }

    fn known(&self, kind: &KindSpec) -> Result<(), StorageError> {
        known(&self.schema, kind)
    }

    fn matching(&self, kind: &KindSpec, scope: Scope, filter: &Filter) -> Vec<Arc<Record>> {
        let state = self.state();
        let matching = state.of(kind, scope).filter(|kept| {
            filter.holds(kind, &kept.record, &|terms| {
                terms.iter().all(|term| kept.words.iter().any(|word| term.meets(word)))
            })
        });
        matching.map(|kept| Arc::clone(&kept.record)).collect()
    }
}

fn known(schema: &Schema, kind: &KindSpec) -> Result<(), StorageError> {
    match schema.kind(kind.name) {
        Some(_) => Ok(()),
        None => Err(StorageError::Invalid(format!("no kind {}", kind.name))),
    }
}

#[async_trait]
impl Storage for Oracle {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        self.known(kind)?;
        let state = self.state();
        Ok(ids.iter().map(|id| state.record(kind, scope, *id).cloned()).collect())
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        query.check()?;
        self.known(query.kind())?;
        let mut records = self.matching(query.kind(), query.scope(), query.condition());
        let count = records.len() as u64;
        let total = match query.wants_total() {
            TotalMode::None => None,
            TotalMode::Exact => Some(Total { count, exact: true }),
            TotalMode::UpTo(most) if count > most => Some(Total { count: most, exact: false }),
            TotalMode::UpTo(_) => Some(Total { count, exact: true }),
        };
        let (order, limit) = (query.ordering(), query.page_size());
        records.sort_by(|a, b| order.compare(a, b));
        match query.start() {
            From::Start => {}
            From::Offset(count) => {
                let skip = usize::try_from(*count).unwrap_or(usize::MAX).min(records.len());
                records.drain(..skip);
            }
            From::After(cursor) => records.retain(|record| order.compare_to(record, cursor).is_gt()),
            From::Before(cursor) => {
                records.retain(|record| order.compare_to(record, cursor).is_lt());
                let skip = records.len().saturating_sub(limit + 1);
                records.drain(..skip);
            }
        }
        records.truncate(limit + 1);
        Ok(order.page(records, limit, query.start(), total))
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        tally.check()?;
        self.known(tally.kind())?;
        let mut groups: BTreeMap<Vec<Value>, Sums> = BTreeMap::new();
        if tally.groups().is_empty() {
            groups.insert(Vec::new(), Sums::new(tally));
        }
        for record in self.matching(tally.kind(), tally.scope(), tally.condition()) {
            let mut keys = vec![Vec::new()];
            for group in tally.groups() {
                let values = group_keys(tally.kind(), &record, group);
                keys = keys
                    .iter()
                    .flat_map(|key| {
                        values.iter().map(move |value| [&key[..], std::slice::from_ref(value)].concat())
                    })
                    .collect();
            }
            for key in keys {
                groups.entry(key).or_insert_with(|| Sums::new(tally)).add(&record);
            }
        }
        Ok(groups
            .into_iter()
            .map(|(keys, sums)| Figures { keys, values: sums.values(tally.kind()) })
            .collect())
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        batch.check()?;
        let mut state = self.state();
        let id = batch.id;
        if let Some(committed) = self.outcome_of(id) {
            return Ok(committed);
        }
        let mut next = state.clone();
        let (committed, mut objections) = next.apply(&self.schema, batch);
        if !objections.is_empty() {
            return Err(objections.remove(0));
        }
        self.outcomes().insert(id, committed.clone());
        self.newest.send_replace(next.newest());
        *state = next;
        Ok(committed)
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        Ok(self.outcome_of(batch))
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        let mut state = self.state();
        let mut claimed = Vec::new();
        for (_, record, mut job) in state.ready(claim.now).into_iter().take(claim.limit) {
            job.claim(claim.token, claim.now + claim.lease);
            claimed.push(job.claimed(record.scope, record.id, claim.token));
            state.keep_job(record.scope, record.id, &job, claim.now);
        }
        Ok(claimed)
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        let state = self.state();
        Ok(state.log.iter().filter(|logged| logged.position > after).take(limit).cloned().collect())
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        // The sender lives as long as the store, so waiting cannot fail.
        let _ = self.newest.subscribe().wait_for(|newest| *newest > after).await;
        Ok(())
    }

    async fn health(&self) -> Result<Health, StorageError> {
        Ok(Health { newest: self.state().newest(), unplaced: 0 })
    }
}

/// The values under which a record counts.
fn group_keys(kind: &KindSpec, record: &Record, group: &Group) -> Vec<Value> {
    let (Group::Field(name) | Group::Period(name, ..)) = group;
    let Some(field) = kind.field(name) else { return Vec::new() };
    let value = record.value(field);
    if value.is_null() {
        return vec![Value::Null];
    }
    match group {
        Group::Field(_) => value.elements().to_vec(),
        Group::Period(_, unit, zone) => {
            value.as_time().map(|at| Value::from(unit.label(at, *zone))).into_iter().collect()
        }
    }
}
