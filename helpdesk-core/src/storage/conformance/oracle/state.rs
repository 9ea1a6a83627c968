//! What the oracle holds, and what a batch makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::known;
use crate::storage::{
    Batch, Committed, Expect, JOB, JobOp, JobState, KindSpec, Lease, Logged, NewJob, Position, Put, Record,
    Schema, Scope, StorageError, Value, Words, Write, Written,
};

/// All there is. A copy shares the lists that do not change.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    kept: BTreeMap<(&'static str, Scope), Arc<Vec<Kept>>>,
    pub(super) log: Vec<Logged>,
    counters: BTreeMap<(Scope, String), i64>,
    last: i64,
}

/// A record, with its words.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) kind: &'static KindSpec,
    pub(super) record: Arc<Record>,
    pub(super) words: Arc<Words>,
}

impl State {
    pub(super) fn newest(&self) -> Position {
        self.log.last().map(|logged| logged.position).unwrap_or_default()
    }

    /// The records of a kind in a scope.
    pub(super) fn of(&self, kind: &KindSpec, scope: Scope) -> impl Iterator<Item = &Kept> {
        self.kept.get(&(kind.name, scope)).into_iter().flat_map(|kept| kept.iter())
    }

    pub(super) fn record(&self, kind: &KindSpec, scope: Scope, id: Uuid) -> Option<&Arc<Record>> {
        self.of(kind, scope).find(|kept| kept.record.id == id).map(|kept| &kept.record)
    }

    /// Jobs that a worker may have, the longest ready first.
    pub(super) fn ready(&self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Arc<Record>, JobState)> {
        let jobs =
            self.kept.iter().filter(|((kind, _), _)| *kind == JOB.name).flat_map(|(_, jobs)| jobs.iter());
        let mut ready: Vec<_> = jobs
            .filter_map(|kept| {
                let job = read(&kept.record);
                let since = job.ready().filter(|since| *since <= now)?;
                Some((since, Arc::clone(&kept.record), job))
            })
            .collect();
        ready.sort_by_key(|(since, record, _)| (*since, record.id));
        ready
    }

    /// Makes a batch's changes, whether or not its preconditions hold, and answers those that do not. With any,
    /// the state is worth nothing.
    pub(super) fn apply(&mut self, schema: &Schema, mut batch: Batch) -> (Committed, Vec<StorageError>) {
        let at = micros(batch.at);
        let kinds = batch.writes.iter().map(|write| write.target().0);
        let kinds = kinds.chain(batch.requires.iter().map(|require| require.kind));
        let strange = kinds.chain(batch.events.iter().map(|event| event.kind));
        let mut objections: Vec<_> = strange.filter_map(|kind| known(schema, kind).err()).collect();
        if !objections.is_empty() {
            return (Committed::default(), objections);
        }
        let targets = batch.writes.iter().map(Write::target);
        let requires = batch.requires.iter().map(|read| (read.kind, read.scope, read.id, read.expect));
        for (kind, scope, id, expect) in targets.chain(requires) {
            objections.extend(self.expect(kind, scope, id, expect));
        }
        let counters: Vec<_> =
            batch.counters.iter().map(|counter| self.draw(counter.scope, &counter.series)).collect();
        batch.place(&counters);
        let targets: Vec<_> = batch.writes.iter().map(Write::target).collect();
        let mut written = Vec::new();
        for write in batch.writes {
            match write {
                Write::Put(put) => written.push(self.put(put, at)),
                Write::Delete { kind, scope, id, .. } => match self.take(kind, scope, id) {
                    Some(Kept { record, .. }) => {
                        written.push(Written { number: record.number, version: record.version });
                    }
                    None => objections.push(StorageError::Conflict { kind: kind.name, id, current: None }),
                },
            }
        }
        for (kind, scope, id, _) in targets {
            match self.record(kind, scope, id).cloned() {
                Some(record) => {
                    objections.extend(self.shared(kind, &record));
                    objections.extend(self.dangling(schema, kind, &record));
                }
                None => objections.extend(self.referred(kind, scope, id)),
            }
        }
        for job in batch.jobs {
            objections.extend(self.job(job, at).err());
        }
        for event in batch.events {
            let (kind, scope, id) = (event.kind, event.scope, event.id);
            objections.extend(self.expect(kind, scope, id, Expect::Absent));
            self.put(event, at);
            let record = self.record(kind, scope, id).cloned();
            // Positions leave gaps, and so do numbers: nobody may count on there being none.
            let position = Position(self.newest().0 + 3);
            self.log.extend(record.map(|record| Logged { position, record }));
        }
        (Committed { written, counters }, objections)
    }

    /// Writes what is kept of a job.
    pub(super) fn keep_job(&mut self, scope: Scope, id: Uuid, job: &JobState, at: DateTime<Utc>) {
        let (fields, body) = (job.fields(), job.body());
        self.put(
            Put { kind: &JOB, scope, id, expect: Expect::Anything, fields, words: None, body },
            micros(at),
        );
    }

    fn expect(&self, kind: &KindSpec, scope: Scope, id: Uuid, expect: Expect) -> Option<StorageError> {
        let current = self.record(kind, scope, id).map(|record| record.version);
        let holds = match expect {
            Expect::Absent => current.is_none(),
            Expect::Version(version) => current == Some(version),
            Expect::Anything => true,
        };
        (!holds).then_some(StorageError::Conflict { kind: kind.name, id, current })
    }

    fn draw(&mut self, scope: Scope, series: &str) -> i64 {
        let last = self.counters.entry((scope, series.to_owned())).or_default();
        *last += 1;
        *last
    }

    fn put(&mut self, put: Put, at: DateTime<Utc>) -> Written {
        let old = self.take(put.kind, put.scope, put.id);
        let (number, version, created_at) = match &old {
            Some(old) => (old.record.number, old.record.version + 1, old.record.created_at),
            None => {
                self.last += 3;
                (self.last, 1, at)
            }
        };
        let words = match (put.words, old) {
            (Some(words), _) => Arc::new(words),
            (None, Some(old)) => old.words,
            (None, None) => Arc::default(),
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
        let list = self.kept.entry((put.kind.name, put.scope)).or_default();
        Arc::make_mut(list).push(Kept { kind: put.kind, record, words });
        Written { number, version }
    }

    fn take(&mut self, kind: &KindSpec, scope: Scope, id: Uuid) -> Option<Kept> {
        let list = self.kept.get_mut(&(kind.name, scope))?;
        let place = list.iter().position(|kept| kept.record.id == id)?;
        Some(Arc::make_mut(list).swap_remove(place))
    }

    /// The unique fields of a record whose value another has too.
    fn shared(&self, kind: &'static KindSpec, record: &Record) -> Vec<StorageError> {
        let mut shared = Vec::new();
        for (place, field) in kind.fields.iter().enumerate().filter(|(_, field)| field.unique) {
            let values = record.fields[place].elements();
            let has = |other: &Kept| {
                other.record.id != record.id
                    && other.record.fields[place].elements().iter().any(|value| values.contains(value))
            };
            if !values.is_empty() && self.of(kind, record.scope).any(has) {
                shared.push(StorageError::Duplicate { kind: kind.name, field: field.name });
            }
        }
        shared
    }

    /// The references of a record to what is not there.
    fn dangling(&self, schema: &Schema, kind: &'static KindSpec, record: &Record) -> Vec<StorageError> {
        let mut missing = Vec::new();
        for (field, value) in kind.fields.iter().zip(&record.fields) {
            let Some(target) = field.refers.and_then(|name| schema.kind(name)) else { continue };
            for id in value.elements().iter().filter_map(Value::as_uuid) {
                if self.record(target, record.scope, id).is_none() {
                    missing.push(StorageError::MissingReference { kind: kind.name, field: field.name });
                }
            }
        }
        missing
    }

    /// Whether anything refers to a record that went.
    fn referred(&self, kind: &'static KindSpec, scope: Scope, id: Uuid) -> Option<StorageError> {
        let in_scope = self.kept.iter().filter(|((_, whose), _)| *whose == scope);
        let referred = in_scope.flat_map(|(_, kept)| kept.iter()).any(|kept| {
            kept.kind.fields.iter().zip(&kept.record.fields).any(|(field, value)| {
                field.refers == Some(kind.name) && value.elements().contains(&Value::Uuid(id))
            })
        });
        referred.then_some(StorageError::Referenced { kind: kind.name, id })
    }

    fn job(&mut self, op: JobOp, at: DateTime<Utc>) -> Result<(), StorageError> {
        match op {
            JobOp::Enqueue(job) => self.enqueue(job, at)?,
            JobOp::Move { scope, key, due } => {
                if let Some((id, mut job)) = self.job_by_key(scope, &key) {
                    job.move_to(due);
                    self.keep_job(scope, id, &job, at);
                }
            }
            JobOp::Cancel { scope, key } => {
                if let Some((id, _)) = self.job_by_key(scope, &key) {
                    self.take(&JOB, scope, id);
                }
            }
            JobOp::Complete(lease) => {
                let mut job = self.held(&lease)?;
                if job.complete() {
                    self.keep_job(lease.scope, lease.job, &job, at);
                } else {
                    self.take(&JOB, lease.scope, lease.job);
                }
            }
            JobOp::Retry { lease, due, error } => {
                let mut job = self.held(&lease)?;
                job.retry(due, error);
                self.keep_job(lease.scope, lease.job, &job, at);
            }
            JobOp::Fail { lease, error } => {
                let mut job = self.held(&lease)?;
                job.fail(error);
                self.keep_job(lease.scope, lease.job, &job, at);
            }
        }
        Ok(())
    }

    fn enqueue(&mut self, new: NewJob, at: DateTime<Utc>) -> Result<(), StorageError> {
        let (scope, id) = (new.scope, new.id);
        if let Some((id, mut job)) = self.job_by_key(scope, &new.key) {
            job.enqueue(new);
            self.keep_job(scope, id, &job, at);
            return Ok(());
        }
        if let Some(conflict) = self.expect(&JOB, scope, id, Expect::Absent) {
            return Err(conflict);
        }
        self.keep_job(scope, id, &JobState::new(new), at);
        Ok(())
    }

    fn held(&self, lease: &Lease) -> Result<JobState, StorageError> {
        let record = self.record(&JOB, lease.scope, lease.job);
        let job = record.map(|record| read(record)).ok_or(StorageError::LeaseLost { job: lease.job })?;
        job.held_by(lease)?;
        Ok(job)
    }

    fn job_by_key(&self, scope: Scope, key: &str) -> Option<(Uuid, JobState)> {
        self.of(&JOB, scope).map(|kept| (kept.record.id, read(&kept.record))).find(|(_, job)| job.key == key)
    }
}

fn read(record: &Record) -> JobState {
    JobState::read(&record.body).expect("the oracle wrote the job")
}

fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
