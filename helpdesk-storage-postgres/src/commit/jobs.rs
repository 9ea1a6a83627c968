//! Changes to jobs: as parts of the statement where no two are about the same job, else worked out one after the
//! other with the rules of core.

use std::collections::HashMap;

use helpdesk_core::storage::{JOB, JobOp, JobState, Lease, Record, Scope, StorageError};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::plan::SimpleJobs;
use super::source::Source;
use super::statement::{Statement, micros};
use super::{Refusal, refused};
use crate::args::{Args, organisation, scope};
use crate::errors::failed;
use crate::rows::read;
use crate::tables::Tables;

/// Adds the parts of changes of which no two are about the same job.
pub(super) fn simple(statement: &mut Statement<'_>, ops: &[JobOp], jobs: &SimpleJobs) {
    let Ok(table) = statement.tables.of(&JOB) else { return };
    let (name, hash, at, gated) = (&table.name, table.hash, statement.at, statement.gated());
    if !jobs.enqueued.is_empty() {
        let new: Vec<_> = jobs
            .enqueued
            .iter()
            .filter_map(|place| if let JobOp::Enqueue(job) = &ops[*place] { Some(job) } else { None })
            .collect();
        let mut source = Source::new(&mut statement.args, new.len());
        let organisation = source.column("uuid", new.iter().map(|job| organisation(job.scope)));
        let id = source.column("uuid", new.iter().map(|job| job.id));
        let key = source.column("text", new.iter().map(|job| job.key.as_str()));
        let job_name = source.column("text", new.iter().map(|job| job.name.as_str()));
        let payload = source.column("text", new.iter().map(|job| &*job.payload));
        let due = source.column("timestamptz", new.iter().map(|job| micros(job.due)));
        // As `JobState::enqueue` has it: one that waits stays, one that runs will run again, one that failed starts anew.
        let sql = format!(
            "INSERT INTO {name} AS t (organisation, id, version, created_at, updated_at, fields, payload, ready,
                                      \"key\", \"name\", \"state\", \"due\", \"attempts\")
             SELECT {organisation}, {id}, 1, ${at}, ${at}, {hash}, {payload}, {due},
                    {key}, {job_name}, 'waiting', {due}, 0 FROM {source} WHERE {gated}
             ON CONFLICT (organisation, \"key\") DO UPDATE SET
                 version = t.version + 1, updated_at = excluded.updated_at, fields = excluded.fields,
                 rerun = CASE WHEN t.\"state\" = 'leased' THEN LEAST(t.rerun, excluded.\"due\") END,
                 payload = CASE WHEN t.\"state\" = 'failed' THEN excluded.payload ELSE t.payload END,
                 \"name\" = CASE WHEN t.\"state\" = 'failed' THEN excluded.\"name\" ELSE t.\"name\" END,
                 \"due\" = CASE WHEN t.\"state\" = 'failed' THEN excluded.\"due\" ELSE t.\"due\" END,
                 ready = CASE WHEN t.\"state\" = 'failed' THEN excluded.\"due\" ELSE t.ready END,
                 \"attempts\" = CASE WHEN t.\"state\" = 'failed' THEN 0 ELSE t.\"attempts\" END,
                 error = CASE WHEN t.\"state\" = 'failed' THEN NULL ELSE t.error END,
                 \"state\" = CASE WHEN t.\"state\" = 'failed' THEN 'waiting' ELSE t.\"state\" END
             WHERE t.\"state\" = 'failed' OR (t.\"state\" = 'leased' AND (t.rerun IS NULL OR t.rerun > excluded.\"due\"))",
            source = source.table(),
        );
        statement.part("je", &sql);
    }
    if !jobs.moved.is_empty() {
        let moved: Vec<_> = jobs
            .moved
            .iter()
            .filter_map(|place| match &ops[*place] {
                JobOp::Move { scope, key, due } => Some((organisation(*scope), key.as_str(), micros(*due))),
                _ => None,
            })
            .collect();
        let mut source = Source::new(&mut statement.args, moved.len());
        let organisation = source.column("uuid", moved.iter().map(|(organisation, ..)| *organisation));
        let key = source.column("text", moved.iter().map(|(_, key, _)| *key));
        let due = source.column("timestamptz", moved.iter().map(|(.., due)| *due));
        // As `JobState::move_to` has it.
        let sql = format!(
            "UPDATE {name} AS t SET version = t.version + 1, updated_at = ${at},
                 \"due\" = CASE WHEN t.\"state\" = 'waiting' THEN {due} ELSE t.\"due\" END,
                 ready = CASE WHEN t.\"state\" = 'waiting' THEN {due} ELSE t.ready END,
                 rerun = CASE WHEN t.\"state\" = 'leased' THEN {due} ELSE t.rerun END
             FROM {source} WHERE t.organisation = {organisation} AND t.\"key\" = {key} AND {gated}
               AND ((t.\"state\" = 'waiting' AND t.\"due\" <> {due})
                 OR (t.\"state\" = 'leased' AND t.rerun IS DISTINCT FROM {due}))",
            source = source.table(),
        );
        statement.part("jm", &sql);
    }
    if !jobs.cancelled.is_empty() {
        let cancelled: Vec<_> = jobs
            .cancelled
            .iter()
            .filter_map(|place| match &ops[*place] {
                JobOp::Cancel { scope, key } => Some((organisation(*scope), key.as_str())),
                _ => None,
            })
            .collect();
        let mut source = Source::new(&mut statement.args, cancelled.len());
        let organisation = source.column("uuid", cancelled.iter().map(|(organisation, _)| *organisation));
        let key = source.column("text", cancelled.iter().map(|(_, key)| *key));
        let sql = format!(
            "DELETE FROM {name} AS t USING {} WHERE t.organisation = {organisation} AND t.\"key\" = {key} AND {gated}",
            source.table(),
        );
        statement.part("jc", &sql);
    }
    if !jobs.completed.is_empty() {
        complete(statement, ops, &jobs.completed);
    }
}

/// Ends work that was done: the job goes, or waits for the run that was asked for meanwhile.
fn complete(statement: &mut Statement<'_>, ops: &[JobOp], places: &[usize]) {
    let Ok(table) = statement.tables.of(&JOB) else { return };
    let (name, at, gated) = (&table.name, statement.at, statement.gated());
    let leases: Vec<Lease> = places
        .iter()
        .filter_map(|place| if let JobOp::Complete(lease) = &ops[*place] { Some(*lease) } else { None })
        .collect();
    let mut source = Source::new(&mut statement.args, leases.len());
    let organisation = source.column("uuid", leases.iter().map(|lease| organisation(lease.scope)));
    let id = source.column("uuid", leases.iter().map(|lease| lease.job));
    let token = source.column("uuid", leases.iter().map(|lease| lease.token));
    let source = source.table();
    let held = format!(
        "t.organisation = {organisation} AND t.id = {id} AND t.token = {token} AND t.\"state\" = 'leased' AND {gated}"
    );
    let done = format!("DELETE FROM {name} AS t USING {source} WHERE {held} AND t.rerun IS NULL RETURNING 1");
    let again = format!(
        "UPDATE {name} AS t SET version = t.version + 1, updated_at = ${at}, \"state\" = 'waiting', \"due\" = t.rerun,
             ready = t.rerun, rerun = NULL, token = NULL, lease_until = NULL, \"attempts\" = 0, error = NULL
         FROM {source} WHERE {held} AND t.rerun IS NOT NULL RETURNING 1"
    );
    statement.part("jd", &done);
    statement.part("ja", &again);
    statement.expect("(SELECT count(*) FROM jd) + (SELECT count(*) FROM ja)", leases.len());
}

/// A job whose state after the batch was worked out.
#[derive(Debug)]
pub(super) struct Settled {
    organisation: Uuid,
    id: Uuid,
    /// The version that it was at; none where it is new.
    version: Option<i64>,
    /// What it is to be; none where it goes.
    state: Option<JobState>,
}

/// Locks the jobs that a batch names, and works out what becomes of them, one change after the other.
pub(super) async fn work_out(
    connection: &mut PgConnection,
    tables: &Tables,
    ops: &[JobOp],
) -> Result<Vec<Settled>, Refusal> {
    let table = tables.of(&JOB)?;
    let mut keys: Vec<(Uuid, &str)> = Vec::new();
    let mut ids: Vec<(Uuid, Uuid)> = Vec::new();
    for op in ops {
        match op {
            JobOp::Enqueue(job) => keys.push((organisation(job.scope), &job.key)),
            JobOp::Move { scope, key, .. } | JobOp::Cancel { scope, key } => {
                keys.push((organisation(*scope), key))
            }
            JobOp::Complete(lease) | JobOp::Retry { lease, .. } | JobOp::Fail { lease, .. } => {
                ids.push((organisation(lease.scope), lease.job));
            }
        }
    }
    let mut args = Args::default();
    let (key_organisations, key_texts) = (
        args.bind(keys.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>()),
        args.bind(keys.iter().map(|(_, key)| *key).collect::<Vec<_>>()),
    );
    let (id_organisations, id_values) = (
        args.bind(ids.iter().map(|(organisation, _)| *organisation).collect::<Vec<_>>()),
        args.bind(ids.iter().map(|(_, id)| *id).collect::<Vec<_>>()),
    );
    // Each by its own index: where one condition or the other is asked for, all jobs there are would be gone through.
    let sql = format!(
        "SELECT {selected}, t.organisation FROM {name} t
         WHERE (t.organisation, t.id) IN (
             SELECT k.organisation, k.id
             FROM unnest(${key_organisations}::uuid[], ${key_texts}::text[]) AS wanted(organisation, \"key\")
             JOIN {name} k ON k.organisation = wanted.organisation AND k.\"key\" = wanted.\"key\"
             UNION SELECT * FROM unnest(${id_organisations}::uuid[], ${id_values}::uuid[]))
         ORDER BY t.organisation, t.id FOR UPDATE OF t",
        selected = table.selected,
        name = table.name,
    );
    let rows =
        sqlx::query_with(AssertSqlSafe(sql), args.finish()?).fetch_all(connection).await.map_err(refused)?;
    let last = 11 + JOB.fields.len();
    let mut jobs = Jobs::default();
    for row in &rows {
        let owner: Uuid = row.try_get(last).map_err(failed)?;
        let record = read(table, scope(owner), row, 0)?;
        jobs.there(owner, &record)?;
    }
    for op in ops {
        jobs.change(op)?;
    }
    let Jobs { mut settled, before } = jobs;
    settled.retain(|job| job.state.as_ref() != before.get(&(job.organisation, job.id)));
    Ok(settled)
}

/// The jobs that a batch is about, as they become.
#[derive(Default)]
struct Jobs {
    settled: Vec<Settled>,
    before: HashMap<(Uuid, Uuid), JobState>,
}

impl Jobs {
    fn there(&mut self, owner: Uuid, record: &Record) -> Result<(), StorageError> {
        let state = JobState::read(&record.body)?;
        self.before.insert((owner, record.id), state.clone());
        self.settled.push(Settled {
            organisation: owner,
            id: record.id,
            version: Some(record.version),
            state: Some(state),
        });
        Ok(())
    }

    fn by_key(&mut self, of: Scope, key: &str) -> Option<&mut Settled> {
        let owner = organisation(of);
        self.settled
            .iter_mut()
            .find(|job| job.organisation == owner && job.state.as_ref().is_some_and(|state| state.key == key))
    }

    fn held(&mut self, lease: &Lease) -> Result<&mut Settled, StorageError> {
        let owner = organisation(lease.scope);
        let lost = StorageError::LeaseLost { job: lease.job };
        let held = self.settled.iter_mut().find(|job| {
            (job.organisation, job.id) == (owner, lease.job)
                && job.state.as_ref().is_some_and(|state| state.held_by(lease).is_ok())
        });
        held.ok_or(lost)
    }

    fn change(&mut self, op: &JobOp) -> Result<(), StorageError> {
        match op {
            JobOp::Enqueue(job) => match self.by_key(job.scope, &job.key) {
                Some(Settled { state: Some(state), .. }) => state.enqueue(job.clone()),
                _ => {
                    let (owner, id) = (organisation(job.scope), job.id);
                    let state = JobState::new(job.clone());
                    // One of that id that went before in the same batch comes back.
                    match self.settled.iter_mut().find(|job| (job.organisation, job.id) == (owner, id)) {
                        Some(gone) if gone.state.is_none() => gone.state = Some(state),
                        Some(_) => {
                            return Err(StorageError::Conflict { kind: JOB.name, id, current: Some(1) });
                        }
                        None => self.settled.push(Settled {
                            organisation: owner,
                            id,
                            version: None,
                            state: Some(state),
                        }),
                    }
                }
            },
            JobOp::Move { scope, key, due } => {
                if let Some(Settled { state: Some(state), .. }) = self.by_key(*scope, key) {
                    state.move_to(*due);
                }
            }
            JobOp::Cancel { scope, key } => {
                if let Some(job) = self.by_key(*scope, key) {
                    job.state = None;
                }
            }
            JobOp::Complete(lease) => {
                let job = self.held(lease)?;
                if !job.state.as_mut().is_some_and(JobState::complete) {
                    job.state = None;
                }
            }
            JobOp::Retry { lease, due, error } => {
                if let Some(state) = &mut self.held(lease)?.state {
                    state.retry(*due, error.clone());
                }
            }
            JobOp::Fail { lease, error } => {
                if let Some(state) = &mut self.held(lease)?.state {
                    state.fail(error.clone());
                }
            }
        }
        Ok(())
    }
}

/// Adds the parts that write jobs as they were worked out.
pub(super) fn settled(statement: &mut Statement<'_>, jobs: &[Settled]) {
    let Ok(table) = statement.tables.of(&JOB) else { return };
    let (name, hash, at, gated) = (&table.name, table.hash, statement.at, statement.gated());
    let gone: Vec<_> = jobs.iter().filter(|job| job.state.is_none() && job.version.is_some()).collect();
    if !gone.is_empty() {
        let mut source = Source::new(&mut statement.args, gone.len());
        let organisation = source.column("uuid", gone.iter().map(|job| job.organisation));
        let id = source.column("uuid", gone.iter().map(|job| job.id));
        let sql = format!(
            "DELETE FROM {name} AS t USING {} WHERE t.organisation = {organisation} AND t.id = {id} AND {gated} RETURNING 1",
            source.table(),
        );
        statement.part("jd", &sql);
        statement.expect("(SELECT count(*) FROM jd)", gone.len());
    }
    for (part, new) in [("ji", true), ("ju", false)] {
        let kept: Vec<(&Settled, &JobState)> = jobs
            .iter()
            .filter(|job| job.version.is_none() == new)
            .filter_map(|job| Some((job, job.state.as_ref()?)))
            .collect();
        if kept.is_empty() {
            continue;
        }
        let mut source = Source::new(&mut statement.args, kept.len());
        let organisation = source.column("uuid", kept.iter().map(|(job, _)| job.organisation));
        let id = source.column("uuid", kept.iter().map(|(job, _)| job.id));
        let states = || kept.iter().map(|(_, state)| *state);
        let columns = [
            ("payload", source.column("text", states().map(|state| &*state.payload))),
            ("ready", source.sparse("timestamptz", states().map(JobState::ready))),
            ("token", source.sparse("uuid", states().map(|state| state.token))),
            ("lease_until", source.sparse("timestamptz", states().map(|state| state.lease_until))),
            ("rerun", source.sparse("timestamptz", states().map(|state| state.rerun))),
            ("error", source.sparse("text", states().map(|state| state.error.as_deref()))),
            ("\"key\"", source.column("text", states().map(|state| state.key.as_str()))),
            ("\"name\"", source.column("text", states().map(|state| state.name.as_str()))),
            ("\"state\"", source.column("text", states().map(|state| state.phase.name()))),
            ("\"due\"", source.column("timestamptz", states().map(|state| state.due))),
            ("\"attempts\"", source.column("bigint", states().map(|state| i64::from(state.attempts)))),
        ];
        // A key may pass from a job that goes to a new one.
        let after = if gone.is_empty() { "" } else { " AND (SELECT count(*) FROM jd) >= 0" };
        let sql = if new {
            let names: String = columns.iter().map(|(column, _)| format!(", {column}")).collect();
            let values: String = columns.iter().map(|(_, value)| format!(", {value}")).collect();
            format!(
                "INSERT INTO {name} AS t (organisation, id, version, created_at, updated_at, fields{names})
                 SELECT {organisation}, {id}, 1, ${at}, ${at}, {hash}{values} FROM {} WHERE {gated}{after}
                 ON CONFLICT (organisation, \"key\") DO NOTHING RETURNING 1",
                source.table(),
            )
        } else {
            let set: String = columns.iter().map(|(column, value)| format!(", {column} = {value}")).collect();
            format!(
                "UPDATE {name} AS t SET version = t.version + 1, updated_at = ${at}, fields = {hash}{set} FROM {}
                 WHERE t.organisation = {organisation} AND t.id = {id} AND {gated} RETURNING 1",
                source.table(),
            )
        };
        statement.part(part, &sql);
        statement.expect(&format!("(SELECT count(*) FROM {part})"), kept.len());
    }
}
