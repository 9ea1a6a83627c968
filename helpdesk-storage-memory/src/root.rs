//! One state of the whole store, and the changes that lead to the next.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, Expect, JOB, JobOp, JobState, KindSpec, Lease, Logged, NewJob,
    Position, Put, Record, Schema, Scope, StorageError, Value, Write, Written,
};
use imbl::{OrdMap, OrdSet, Vector};
use uuid::Uuid;

use crate::partition::Partition;

/// When a job is ready, and which it is.
type Due = (DateTime<Utc>, Scope, Uuid);

/// A state of the store. A clone shares everything until one of them changes.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    schema: Schema,
    partitions: OrdMap<(usize, Scope), Arc<Partition>>,
    log: Vector<Arc<Record>>,
    due: OrdSet<Due>,
    counters: OrdMap<(Scope, String), i64>,
}

impl Root {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            schema: if schema.kind(JOB.name).is_some() { schema } else { schema.with([&JOB]) },
            partitions: OrdMap::new(),
            log: Vector::new(),
            due: OrdSet::new(),
            counters: OrdMap::new(),
        }
    }

    /// The partition of a kind in a scope, where there is anything in it.
    pub(crate) fn partition(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
    ) -> Result<Option<&Partition>, StorageError> {
        Ok(self.partitions.get(&(self.place(kind)?, scope)).map(|partition| &**partition))
    }

    pub(crate) fn newest(&self) -> Position {
        Position(self.log.len() as u64)
    }

    pub(crate) fn events(&self, after: Position, limit: usize) -> Vec<Logged> {
        let start = usize::try_from(after.0).unwrap_or(usize::MAX).min(self.log.len());
        let end = start.saturating_add(limit).min(self.log.len());
        (start..end)
            .map(|index| Logged {
                position: Position(index as u64 + 1),
                record: Arc::clone(&self.log[index]),
            })
            .collect()
    }

    /// Makes a batch's changes, or fails with this state half changed: the caller then drops it.
    pub(crate) fn commit(&mut self, mut batch: Batch) -> Result<Committed, StorageError> {
        let at = micros(batch.at);
        let counters = self.draw(&batch);
        batch.place(&counters);
        for require in &batch.requires {
            self.expect(require.kind, require.scope, require.id, require.expect)?;
        }
        let mut olds = Vec::with_capacity(batch.writes.len());
        for write in &batch.writes {
            let (kind, scope, id, expect) = write.target();
            olds.push(self.expect(kind, scope, id, expect)?);
        }
        for (write, old) in batch.writes.iter().zip(&olds) {
            if let Some(old) = old {
                let (kind, scope, ..) = write.target();
                let new = if let Write::Put(put) = write { Some(&*put.fields) } else { None };
                self.change(kind, scope)?.release(old, new);
            }
        }
        let mut changed = Vec::with_capacity(batch.writes.len());
        for (write, old) in batch.writes.into_iter().zip(olds) {
            let (kind, scope, id, _) = write.target();
            let record = match write {
                Write::Put(put) => self.put(put, old.as_deref(), at)?,
                Write::Delete { .. } => {
                    let old = old.ok_or(StorageError::Conflict { kind: kind.name, id, current: None })?;
                    self.change(kind, scope)?.delete(&old);
                    old
                }
            };
            changed.push((kind, scope, record));
        }
        for (kind, scope, record) in &changed {
            self.check_references(kind, *scope, record)?;
        }
        for job in batch.jobs {
            self.job(job, at)?;
        }
        for event in batch.events {
            self.expect(event.kind, event.scope, event.id, event.expect)?;
            let record = self.put(event, None, at)?;
            self.log.push_back(record);
        }
        let written = changed
            .iter()
            .map(|(_, _, record)| Written { number: record.number, version: record.version })
            .collect();
        Ok(Committed { written, counters })
    }

    /// Hands out jobs that are ready.
    pub(crate) fn claim(&mut self, claim: &Claim) -> Result<Vec<Claimed>, StorageError> {
        let ready: Vec<Due> =
            self.due.iter().take_while(|(at, ..)| *at <= claim.now).take(claim.limit).copied().collect();
        let mut claimed = Vec::with_capacity(ready.len());
        for (_, scope, id) in ready {
            let Some((record, mut state)) = self.job_by_id(scope, id)? else { continue };
            self.unschedule(scope, &record, &state);
            state.claim(claim.token, claim.now + claim.lease);
            self.store_job(scope, id, Some(&record), &state, micros(claim.now))?;
            claimed.push(state.claimed(scope, id, claim.token));
        }
        Ok(claimed)
    }

    fn place(&self, kind: &'static KindSpec) -> Result<usize, StorageError> {
        self.schema.place(kind.name).ok_or_else(|| {
            StorageError::Invalid(format!("the store was not made for the kind {}", kind.name))
        })
    }

    fn change(&mut self, kind: &'static KindSpec, scope: Scope) -> Result<&mut Partition, StorageError> {
        let place = (self.place(kind)?, scope);
        let partition = self.partitions.entry(place).or_insert_with(|| Arc::new(Partition::new(kind)));
        Ok(Arc::make_mut(partition))
    }

    fn draw(&mut self, batch: &Batch) -> Vec<i64> {
        batch
            .counters
            .iter()
            .map(|counter| {
                let last = self.counters.entry((counter.scope, counter.series.clone())).or_insert(0);
                *last += 1;
                *last
            })
            .collect()
    }

    /// The record of an id, if it is as expected.
    fn expect(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        id: Uuid,
        expect: Expect,
    ) -> Result<Option<Arc<Record>>, StorageError> {
        let found = self.partition(kind, scope)?.and_then(|partition| partition.get(id));
        let current = found.map(|record| record.version);
        let holds = match expect {
            Expect::Absent => current.is_none(),
            Expect::Version(version) => current == Some(version),
            Expect::Anything => true,
        };
        if holds { Ok(found.cloned()) } else { Err(StorageError::Conflict { kind: kind.name, id, current }) }
    }

    fn put(
        &mut self,
        mut put: Put,
        old: Option<&Record>,
        at: DateTime<Utc>,
    ) -> Result<Arc<Record>, StorageError> {
        let partition = self.change(put.kind, put.scope)?;
        partition.share_texts(&mut put.fields);
        let (number, version, created_at) = match old {
            Some(old) => (old.number, old.version + 1, old.created_at),
            None => (i64::from(partition.draw()?), 1, at),
        };
        let record = Arc::new(Record {
            id: put.id,
            scope: put.scope,
            number,
            version,
            created_at,
            updated_at: at,
            fields: put.fields,
            body: put.body,
        });
        let words = put.words.filter(|_| put.kind.searched);
        partition.write(old, Arc::clone(&record), words)?;
        Ok(record)
    }

    /// Checks that what a written record refers to is there, and that nothing refers to a deleted one.
    fn check_references(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        record: &Record,
    ) -> Result<(), StorageError> {
        if self.partition(kind, scope)?.is_some_and(|partition| partition.get(record.id).is_some()) {
            for (field, value) in kind.fields.iter().zip(&record.fields) {
                let Some(target) = field.refers.and_then(|name| self.schema.kind(name)) else { continue };
                let targets = self.partition(target, scope)?;
                let there = |id: &Value| {
                    id.as_uuid().is_some_and(|id| targets.is_some_and(|targets| targets.get(id).is_some()))
                };
                if !value.elements().iter().all(there) {
                    return Err(StorageError::MissingReference { kind: kind.name, field: field.name });
                }
            }
            return Ok(());
        }
        let id = Value::Uuid(record.id);
        for other in self.schema.kinds() {
            let Some(partition) = self.partition(other, scope)? else { continue };
            for (place, field) in other.fields.iter().enumerate() {
                if field.refers == Some(kind.name) && partition.has_value(place, &id) {
                    return Err(StorageError::Referenced { kind: kind.name, id: record.id });
                }
            }
        }
        Ok(())
    }

    fn job(&mut self, op: JobOp, at: DateTime<Utc>) -> Result<(), StorageError> {
        match op {
            JobOp::Enqueue(job) => self.enqueue(job, at),
            JobOp::Move { scope, key, due } => match self.job_by_key(scope, &key)? {
                Some((record, state)) => {
                    self.update_job(scope, &record, state, at, |state| state.move_to(due))
                }
                None => Ok(()),
            },
            JobOp::Cancel { scope, key } => match self.job_by_key(scope, &key)? {
                Some((record, state)) => self.remove_job(scope, &record, &state),
                None => Ok(()),
            },
            JobOp::Complete(lease) => {
                let (record, mut state) = self.held(&lease)?;
                let before = state.clone();
                if state.complete() {
                    self.update_job(lease.scope, &record, before, at, |kept| *kept = state)
                } else {
                    self.remove_job(lease.scope, &record, &before)
                }
            }
            JobOp::Retry { lease, due, error } => {
                let (record, state) = self.held(&lease)?;
                self.update_job(lease.scope, &record, state, at, |state| state.retry(due, error))
            }
            JobOp::Fail { lease, error } => {
                let (record, state) = self.held(&lease)?;
                self.update_job(lease.scope, &record, state, at, |state| state.fail(error))
            }
        }
    }

    fn enqueue(&mut self, job: NewJob, at: DateTime<Utc>) -> Result<(), StorageError> {
        let scope = job.scope;
        if let Some((record, state)) = self.job_by_key(scope, &job.key)? {
            return self.update_job(scope, &record, state, at, |state| state.enqueue(job));
        }
        let id = job.id;
        self.expect(&JOB, scope, id, Expect::Absent)?;
        self.store_job(scope, id, None, &JobState::new(job), at)
    }

    fn update_job(
        &mut self,
        scope: Scope,
        record: &Record,
        mut state: JobState,
        at: DateTime<Utc>,
        change: impl FnOnce(&mut JobState),
    ) -> Result<(), StorageError> {
        let before = state.clone();
        change(&mut state);
        if state == before {
            return Ok(());
        }
        self.unschedule(scope, record, &before);
        self.store_job(scope, record.id, Some(record), &state, at)
    }

    fn store_job(
        &mut self,
        scope: Scope,
        id: Uuid,
        old: Option<&Record>,
        state: &JobState,
        at: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let (fields, body) = (state.fields(), state.body());
        if let Some(old) = old {
            self.change(&JOB, scope)?.release(old, Some(&fields));
        }
        let put = Put { kind: &JOB, scope, id, expect: Expect::Anything, fields, words: None, body };
        self.put(put, old, at)?;
        if let Some(ready) = state.ready() {
            self.due.insert((ready, scope, id));
        }
        Ok(())
    }

    fn remove_job(&mut self, scope: Scope, record: &Record, state: &JobState) -> Result<(), StorageError> {
        self.unschedule(scope, record, state);
        let partition = self.change(&JOB, scope)?;
        partition.release(record, None);
        partition.delete(record);
        Ok(())
    }

    /// Takes a job out of the due ones.
    fn unschedule(&mut self, scope: Scope, record: &Record, state: &JobState) {
        if let Some(ready) = state.ready() {
            self.due.remove(&(ready, scope, record.id));
        }
    }

    fn held(&self, lease: &Lease) -> Result<(Arc<Record>, JobState), StorageError> {
        let found = self.job_by_id(lease.scope, lease.job)?;
        let (record, state) = found.ok_or(StorageError::LeaseLost { job: lease.job })?;
        state.held_by(lease)?;
        Ok((record, state))
    }

    fn job_by_id(&self, scope: Scope, id: Uuid) -> Result<Option<(Arc<Record>, JobState)>, StorageError> {
        self.partition(&JOB, scope)?.and_then(|jobs| jobs.get(id)).map(read_job).transpose()
    }

    fn job_by_key(&self, scope: Scope, key: &str) -> Result<Option<(Arc<Record>, JobState)>, StorageError> {
        self.partition(&JOB, scope)?
            .and_then(|jobs| jobs.by_unique(0, &Value::text(key)))
            .map(read_job)
            .transpose()
    }
}

fn read_job(record: &Arc<Record>) -> Result<(Arc<Record>, JobState), StorageError> {
    let state = JobState::read(&record.body)?;
    Ok((Arc::clone(record), state))
}

fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
