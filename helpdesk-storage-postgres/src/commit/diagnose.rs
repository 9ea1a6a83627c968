//! Why a batch was refused, found out by looking at what stood against it.

use std::collections::{HashMap, HashSet};

use helpdesk_core::storage::{
    Batch, Expect, JOB, JobOp, JobState, KindSpec, Scope, StorageError, Value, Write,
};
use sqlx::Row as _;
use uuid::Uuid;

use crate::args::{Args, organisation};
use crate::errors::{Constraint, EXPECTATION, constraint, failed, source};
use crate::find::get;
use crate::names::quoted;
use crate::pool::Pool;
use crate::tables::Tables;

/// The error that a batch is answered which the database refused with `error`.
pub(super) async fn diagnose(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
    error: sqlx::Error,
) -> StorageError {
    let expectation =
        error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == EXPECTATION);
    let found = match constraint(&error, tables.schema()) {
        Some(Constraint::Unique(kind, field)) => {
            return StorageError::Duplicate { kind: kind.name, field };
        }
        Some(Constraint::Reference(kind, field)) => reference(pool, tables, batch, kind, field).await,
        // The batch itself was there already, and would have been answered before it came here.
        Some(Constraint::Batch) => Ok(None),
        Some(Constraint::Present) => unexpected(pool, tables, batch).await,
        None if expectation => unexpected(pool, tables, batch).await,
        None => return failed(error),
    };
    match found {
        Ok(Some(found)) => found,
        // What stood against the batch has gone since.
        Ok(None) => StorageError::Crossed { source: source(&error) },
        Err(error) => error,
    }
}

/// The first record that is not as the batch expects it, or lease that was lost, or target of a set that is missing.
async fn unexpected(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
) -> Result<Option<StorageError>, StorageError> {
    let writes = batch.writes.iter().map(Write::target);
    let requires =
        batch.requires.iter().map(|require| (require.kind, require.scope, require.id, require.expect));
    let events = batch.events.iter().map(|event| (event.kind, event.scope, event.id, event.expect));
    let deleted = |write: &Write| matches!(write, Write::Delete { .. });
    let quiet_deletes: Vec<_> =
        batch.writes.iter().filter(|write| deleted(write)).map(Write::target).collect();
    let targets: Vec<_> = requires.chain(writes).chain(events).collect();
    let versions =
        versions(pool, tables, targets.iter().map(|(kind, scope, id, _)| (*kind, *scope, *id))).await?;
    for (kind, scope, id, expect) in targets {
        let current = versions.get(&(kind.name, scope, id)).copied();
        let holds = match expect {
            Expect::Absent => current.is_none(),
            Expect::Version(version) => current == Some(version),
            Expect::Anything => {
                current.is_some()
                    || !quiet_deletes
                        .iter()
                        .any(|(other, of, gone, _)| (other.name, *of, *gone) == (kind.name, scope, id))
            }
        };
        if !holds {
            return Ok(Some(StorageError::Conflict { kind: kind.name, id, current }));
        }
    }
    if let Some(twice) = logged_twice(batch) {
        return Ok(Some(twice));
    }
    if let Some(lost) = lost_lease(pool, tables, batch).await? {
        return Ok(Some(lost));
    }
    for (kind, field, scope, id) in in_sets(batch, tables) {
        let target = target(tables, kind, field)?;
        if !exists(pool, tables, batch, target, scope, id).await? {
            return Ok(Some(StorageError::MissingReference { kind: kind.name, field }));
        }
    }
    Ok(None)
}

/// An event that the batch itself logs twice.
fn logged_twice(batch: &Batch) -> Option<StorageError> {
    let mut seen = HashSet::new();
    let twice = batch.events.iter().find(|event| !seen.insert((event.scope, event.id)))?;
    Some(StorageError::Conflict { kind: twice.kind.name, id: twice.id, current: Some(1) })
}

type Versions = HashMap<(&'static str, Scope, Uuid), i64>;

async fn versions(
    pool: &Pool,
    tables: &Tables,
    targets: impl Iterator<Item = (&'static KindSpec, Scope, Uuid)>,
) -> Result<Versions, StorageError> {
    let mut wanted: HashMap<(&'static str, Scope), (&'static KindSpec, Vec<Uuid>)> = HashMap::new();
    for (kind, scope, id) in targets {
        wanted.entry((kind.name, scope)).or_insert_with(|| (kind, Vec::new())).1.push(id);
    }
    let mut versions = Versions::new();
    for ((name, scope), (kind, ids)) in wanted {
        let records = get(pool, tables.of(kind)?, scope, &ids).await?;
        versions
            .extend(records.into_iter().flatten().map(|record| ((name, scope, record.id), record.version)));
    }
    Ok(versions)
}

async fn lost_lease(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
) -> Result<Option<StorageError>, StorageError> {
    for op in &batch.jobs {
        let (JobOp::Complete(lease) | JobOp::Retry { lease, .. } | JobOp::Fail { lease, .. }) = op else {
            continue;
        };
        let found = get(pool, tables.of(&JOB)?, lease.scope, &[lease.job]).await?;
        let held = match found.into_iter().flatten().next() {
            Some(record) => JobState::read(&record.body)?.held_by(lease).is_ok(),
            None => false,
        };
        if !held {
            return Ok(Some(StorageError::LeaseLost { job: lease.job }));
        }
    }
    // An enqueued job may have the id of one of another key.
    for op in &batch.jobs {
        let JobOp::Enqueue(job) = op else { continue };
        let found = get(pool, tables.of(&JOB)?, job.scope, &[job.id]).await?;
        if let Some(record) = found.into_iter().flatten().next()
            && record.fields[0].as_text() != Some(&job.key)
        {
            let current = Some(record.version);
            return Ok(Some(StorageError::Conflict { kind: JOB.name, id: job.id, current }));
        }
    }
    Ok(None)
}

/// What the batch's sets refer to.
fn in_sets<'a>(
    batch: &'a Batch,
    tables: &'a Tables,
) -> impl Iterator<Item = (&'static KindSpec, &'static str, Scope, Uuid)> + 'a {
    let puts =
        batch.writes.iter().filter_map(|write| if let Write::Put(put) = write { Some(put) } else { None });
    puts.flat_map(move |put| {
        let fields =
            put.kind.fields.iter().zip(&put.fields).filter(|(field, _)| field.many && field.refers.is_some());
        let _ = tables;
        fields.flat_map(move |(field, value)| {
            let ids = value.elements().iter().filter_map(Value::as_uuid);
            ids.map(move |id| (put.kind, field.name, put.scope, id))
        })
    })
}

fn target(tables: &Tables, kind: &'static KindSpec, field: &str) -> Result<&'static KindSpec, StorageError> {
    let refers = kind.position(field).and_then(|place| kind.fields[place].refers);
    let target = refers.and_then(|target| tables.schema().kind(target));
    target.ok_or_else(|| StorageError::Invalid(format!("{}.{field} refers to nothing", kind.name)))
}

/// Whether a record is there after the batch.
async fn exists(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
    kind: &'static KindSpec,
    scope: Scope,
    id: Uuid,
) -> Result<bool, StorageError> {
    let own = batch.writes.iter().find(|write| {
        let (other, of, written, _) = write.target();
        (other.name, of, written) == (kind.name, scope, id)
    });
    match own {
        Some(write) => Ok(matches!(write, Write::Put(_))),
        None => Ok(get(pool, tables.of(kind)?, scope, &[id]).await?.iter().any(Option::is_some)),
    }
}

/// A reference of `kind.field` that leads nowhere: one that the batch writes, or one to what it deletes.
async fn reference(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
    kind: &'static KindSpec,
    field: &'static str,
) -> Result<Option<StorageError>, StorageError> {
    let target = target(tables, kind, field)?;
    for write in &batch.writes {
        let Write::Put(put) = write else { continue };
        let Some(place) = put.kind.position(field).filter(|_| put.kind.name == kind.name) else { continue };
        let Some(id) = put.fields[place].as_uuid() else { continue };
        if !exists(pool, tables, batch, target, put.scope, id).await? {
            return Ok(Some(StorageError::MissingReference { kind: kind.name, field }));
        }
    }
    for write in &batch.writes {
        let Write::Delete { kind: deleted, scope, id, .. } = write else { continue };
        if deleted.name == target.name && is_referred(pool, tables, batch, (kind, field), *scope, *id).await?
        {
            return Ok(Some(StorageError::Referenced { kind: deleted.name, id: *id }));
        }
    }
    Ok(None)
}

/// Whether a record that the batch does not write refers to another.
async fn is_referred(
    pool: &Pool,
    tables: &Tables,
    batch: &Batch,
    (kind, field): (&'static KindSpec, &'static str),
    scope: Scope,
    id: Uuid,
) -> Result<bool, StorageError> {
    let own = batch
        .writes
        .iter()
        .map(Write::target)
        .filter(|(other, of, ..)| other.name == kind.name && *of == scope);
    let own: Vec<Uuid> = own.map(|(_, _, id, _)| id).collect();
    let mut args = Args::default();
    let (organisation, id, own) = (args.bind(organisation(scope)), args.bind(id), args.bind(own));
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} t WHERE t.organisation = ${organisation} AND t.{} = ${id} AND t.id <> ALL(${own}))",
        tables.of(kind)?.name,
        quoted(field),
    );
    pool.one(sql, args).await.and_then(|row| row.try_get(0)).map_err(failed)
}
