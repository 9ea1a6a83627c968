//! What a batch comes down to: groups of rows of one kind that are changed in one way, what must be locked first,
//! and whether one statement will do.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use helpdesk_core::storage::{Batch, Expect, JobOp, Put, Scope, StorageError, Value, Write};
use uuid::Uuid;

use crate::args::organisation;
use crate::names::fnv64;
use crate::tables::Tables;

/// The most values of unique fields that are locked before they are written. Beyond, commits that take the same
/// values in another order may have to be told apart by the database.
const MAX_LOCKED_VALUES: usize = 64;

/// The way in which rows are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    Insert,
    Update,
    /// Inserts or replaces, whatever is there.
    Upsert,
    Delete,
    /// Deletes, whatever the version.
    DeleteAny,
}

/// How strongly rows are locked before anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Strength {
    /// Against being deleted.
    Key,
    /// Against being changed.
    Share,
    /// For being changed.
    Change,
}

/// A row of a table.
pub(crate) type RowKey = (Uuid, Uuid);

/// The changes to jobs that one statement can make, because no two of them are about the same job.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimpleJobs {
    /// Places among the batch's changes to jobs.
    pub(crate) enqueued: Vec<usize>,
    pub(crate) moved: Vec<usize>,
    pub(crate) cancelled: Vec<usize>,
    pub(crate) completed: Vec<usize>,
}

/// How a batch is to be committed.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Places among the batch's writes, by table and change. Events are appended as inserts of their own.
    pub(crate) groups: BTreeMap<(usize, Change), Vec<usize>>,
    /// The table of events, where there are any.
    pub(crate) events: Option<usize>,
    /// Rows that are locked first, in order, with the versions they must have, where they must.
    pub(crate) locks: BTreeMap<(usize, Strength), BTreeMap<RowKey, Option<i64>>>,
    /// Keys of locks on values of unique fields.
    pub(crate) values: BTreeSet<i64>,
    /// Records that must not be there: place of the table, row.
    pub(crate) absent: BTreeSet<(usize, RowKey)>,
    /// Deleted rows that sets may refer to.
    pub(crate) freed: BTreeMap<usize, Vec<RowKey>>,
    /// The changes to jobs, unless they must be made one after the other.
    pub(crate) jobs: Option<SimpleJobs>,
    /// Numbers of new records of dense kinds: how many, by organisation and table.
    pub(crate) dense: BTreeMap<(Uuid, usize), usize>,
}

impl Plan {
    pub(crate) fn new(batch: &Batch, tables: &Tables) -> Result<Self, StorageError> {
        let mut plan = Self { jobs: simple(&batch.jobs), ..Self::default() };
        let mut inserted: HashSet<(usize, RowKey)> = HashSet::new();
        for (index, write) in batch.writes.iter().enumerate() {
            let (kind, scope, id, expect) = write.target();
            let (place, key) = (tables.place(kind)?, (organisation(scope), id));
            let change = match (write, expect) {
                (Write::Put(_), Expect::Absent) => Change::Insert,
                (Write::Put(_), Expect::Version(_)) => Change::Update,
                (Write::Put(_), Expect::Anything) => Change::Upsert,
                (Write::Delete { .. }, Expect::Version(_)) => Change::Delete,
                (Write::Delete { .. }, _) => Change::DeleteAny,
            };
            plan.groups.entry((place, change)).or_default().push(index);
            match write {
                Write::Put(put) => {
                    inserted.insert((place, key));
                    plan.values(put);
                }
                Write::Delete { .. } if !tables.at(place).in_sets.is_empty() => {
                    plan.freed.entry(place).or_default().push(key);
                }
                Write::Delete { .. } => {}
            }
            if change == Change::Insert && kind.dense {
                *plan.dense.entry((key.0, place)).or_default() += 1;
            }
        }
        if plan.values.len() > MAX_LOCKED_VALUES {
            plan.values.clear();
        }
        if let Some(event) = batch.events.first() {
            plan.events = Some(tables.place(event.kind)?);
        }
        plan.locks(batch, tables, &inserted)?;
        Ok(plan)
    }

    /// Whether one statement makes all the changes.
    pub(crate) fn is_single(&self, batch: &Batch) -> bool {
        batch.counters.is_empty() && self.absent.is_empty() && self.freed.is_empty() && self.jobs.is_some()
    }

    fn values(&mut self, put: &Put) {
        for (field, value) in put.kind.fields.iter().zip(&put.fields) {
            if field.unique && !value.is_null() {
                self.values.insert(value_key(put, field.name, value));
            }
        }
    }

    /// Works out which rows are locked before any is changed, so that batches that have rows in common wait for
    /// one another in the same order.
    fn locks(
        &mut self,
        batch: &Batch,
        tables: &Tables,
        inserted: &HashSet<(usize, RowKey)>,
    ) -> Result<(), StorageError> {
        let mut shared: BTreeMap<usize, BTreeMap<RowKey, Option<i64>>> = BTreeMap::new();
        for require in &batch.requires {
            let (place, key) = (tables.place(require.kind)?, (organisation(require.scope), require.id));
            match require.expect {
                Expect::Version(version) => {
                    shared.entry(place).or_default().insert(key, Some(version));
                }
                _ => {
                    self.absent.insert((place, key));
                }
            }
        }
        let mut changed: BTreeMap<usize, BTreeMap<RowKey, Option<i64>>> = BTreeMap::new();
        for write in &batch.writes {
            let (kind, scope, id, expect) = write.target();
            let place = tables.place(kind)?;
            let key = (organisation(scope), id);
            match expect {
                Expect::Version(version) => {
                    changed.entry(place).or_default().insert(key, Some(version));
                }
                Expect::Anything => {
                    changed.entry(place).or_default().insert(key, None);
                }
                Expect::Absent => {}
            }
            if let Write::Put(put) = write {
                self.referred(put, tables, inserted)?;
            }
        }
        // A single row needs no order.
        let rows: usize = changed.values().chain(shared.values()).map(BTreeMap::len).sum();
        if rows > 1 {
            for (place, mut rows) in changed {
                // Rows of one table that are changed and required are locked in one go, else the order is lost.
                for (key, version) in shared.remove(&place).unwrap_or_default() {
                    let locked = rows.entry(key).or_insert(version);
                    if locked.is_some() && *locked != version {
                        // Both cannot hold. The requirement fails, as no record has this version.
                        *locked = Some(-1);
                    }
                    *locked = (*locked).or(version);
                }
                self.locks.insert((place, Strength::Change), rows);
            }
        }
        for (place, rows) in shared {
            self.locks.insert((place, Strength::Share), rows);
        }
        Ok(())
    }

    /// Keeps what a set refers to from being deleted; of single references the database itself takes care.
    fn referred(
        &mut self,
        put: &Put,
        tables: &Tables,
        inserted: &HashSet<(usize, RowKey)>,
    ) -> Result<(), StorageError> {
        for (field, value) in put.kind.fields.iter().zip(&put.fields) {
            let (true, Some(target)) =
                (field.many, field.refers.and_then(|target| tables.schema().place(target)))
            else {
                continue;
            };
            for id in value.elements().iter().filter_map(Value::as_uuid) {
                let key = (organisation(put.scope), id);
                if !inserted.contains(&(target, key)) {
                    self.locks.entry((target, Strength::Key)).or_default().insert(key, None);
                }
            }
        }
        Ok(())
    }
}

/// The key of the lock on a value of a unique field. Values that share a key only wait for one another.
fn value_key(put: &Put, field: &str, value: &Value) -> i64 {
    let mut bytes = format!("{}.{field}.{}.", put.kind.name, organisation(put.scope)).into_bytes();
    match value {
        Value::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        Value::Uuid(id) => bytes.extend_from_slice(id.as_bytes()),
        Value::Int(number) | Value::Time(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        Value::Real(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        Value::Flag(flag) => bytes.push(u8::from(*flag)),
        Value::Null | Value::Many(_) => {}
    }
    fnv64(&bytes).cast_signed()
}

/// Sorts the changes to jobs, if no two of them can be about the same job.
fn simple(ops: &[JobOp]) -> Option<SimpleJobs> {
    let mut jobs = SimpleJobs::default();
    let mut keys: HashSet<(Scope, &str)> = HashSet::new();
    let mut ids = HashSet::new();
    for (index, op) in ops.iter().enumerate() {
        let alone = match op {
            JobOp::Enqueue(job) => {
                jobs.enqueued.push(index);
                keys.insert((job.scope, &job.key))
            }
            JobOp::Move { scope, key, .. } => {
                jobs.moved.push(index);
                keys.insert((*scope, key))
            }
            JobOp::Cancel { scope, key } => {
                jobs.cancelled.push(index);
                keys.insert((*scope, key))
            }
            JobOp::Complete(lease) => {
                jobs.completed.push(index);
                ids.insert((lease.scope, lease.job))
            }
            JobOp::Retry { .. } | JobOp::Fail { .. } => false,
        };
        if !alone {
            return None;
        }
    }
    // A lease names a job by its id, so whether it is one of the keys is not known before it is read.
    (keys.is_empty() || ids.is_empty()).then_some(jobs)
}
