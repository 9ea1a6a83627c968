//! Work that is still to be done: mails to send, tickets to close at a time, hand-overs to other systems.
//!
//! A job is committed with the change that asks for it, so nothing is done for a change that was rolled back. Its
//! effect in the store is committed together with its completion and so happens once; what leaves the house
//! happens at least once and carries the job's id.

mod admin;
mod runner;

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use self::admin::{FailedJob, Jobs};
pub(crate) use self::runner::is_over;
pub use self::runner::{RunReport, Workers};
use crate::helpdesk::Helpdesk;
use crate::storage::{Changes, Claimed, JobOp, NewJob, Scope};

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct JobDraft {
    /// What sort of work: the name of a [`JobHandler`].
    pub name: &'static str,
    /// Names this piece of work in its organisation: while it waits, enqueuing it again changes nothing.
    pub key: String,
    /// When it is to be done.
    pub due: DateTime<Utc>,
    payload: String,
}

impl JobDraft {
    /// Work of a sort, with what the handler needs to know.
    #[must_use]
    pub fn new(name: &'static str, key: String, due: DateTime<Utc>, payload: &impl Serialize) -> Self {
        // Payloads are plain structs of this crate; they all have a JSON form.
        Self { name, key, due, payload: serde_json::to_string(payload).unwrap_or_default() }
    }
}

impl Changes {
    /// Has the commit enqueue a job. `id` becomes the job's id if it is a new one.
    pub fn enqueue(&mut self, scope: Scope, id: Uuid, job: JobDraft) {
        self.push_job(JobOp::Enqueue(NewJob {
            id,
            scope,
            key: job.key,
            name: job.name.to_owned(),
            payload: job.payload.into_boxed_str(),
            due: job.due,
        }));
    }

    /// Has the commit take a job back, where there is one of that key.
    pub fn cancel_job(&mut self, scope: Scope, key: String) {
        self.push_job(JobOp::Cancel { scope, key });
    }

    /// Has the commit move a waiting job to another time.
    pub fn move_job(&mut self, scope: Scope, key: String, due: DateTime<Utc>) {
        self.push_job(JobOp::Move { scope, key, due });
    }
}

/// A job in a worker's hands.
#[derive(Debug)]
pub struct Job(Claimed);

impl Job {
    /// The job's id: the same for every attempt, so that a receiver can tell a repetition.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.0.lease.job
    }

    /// The organisation it belongs to.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.0.lease.scope
    }

    /// When it was due.
    #[must_use]
    pub const fn due(&self) -> DateTime<Utc> {
        self.0.due
    }

    /// How often it was tried, this time included.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// What the handler needs to know.
    ///
    /// # Errors
    ///
    /// [`JobError`], final, where it is not what the handler expects.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_str(&self.0.payload)
            .map_err(|error| JobError::give_up(format!("unreadable: {error}")))
    }
}

/// Why a job was not done. The text is shown to administrators: no secrets and no personal data. What caused it is for
/// the log.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct JobError {
    message: String,
    again: bool,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl JobError {
    /// It may work later.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { message: message.into(), again: true, cause: None }
    }

    /// It will never work.
    pub fn give_up(message: impl Into<String>) -> Self {
        Self { message: message.into(), again: false, cause: None }
    }
}

impl From<crate::Error> for JobError {
    /// Another attempt is worth it where others were in the way, or something could not be reached.
    fn from(error: crate::Error) -> Self {
        use crate::Error;
        let again = matches!(
            error,
            Error::Conflict(_) | Error::Limited { .. } | Error::Unavailable { .. } | Error::Internal { .. }
        );
        Self { message: error.to_string(), again, cause: Some(Box::new(error)) }
    }
}

impl From<crate::storage::StorageError> for JobError {
    fn from(error: crate::storage::StorageError) -> Self {
        crate::Error::from(error).into()
    }
}

/// Does one sort of work. An embedding team registers its own with the builder.
#[async_trait]
pub trait JobHandler: Debug + Send + Sync + 'static {
    /// The name under which its jobs are enqueued.
    fn name(&self) -> &'static str;

    /// Does the work and answers what it changes in the store. That is committed together with the job's
    /// completion: if somebody else has the job by then, neither happens.
    ///
    /// What has not come to an end after 100 seconds is dropped at its next await and tried again later, so it must neither
    /// block its thread nor need more time. A job that was begun ten times is given up, whatever came of it.
    ///
    /// # Errors
    ///
    /// [`JobError`] says whether it is worth another attempt.
    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError>;

    /// How many jobs of one organisation may be done at once, by [`run_together`](Self::run_together). Default: one, so
    /// that each is done by itself.
    fn together(&self) -> usize {
        1
    }

    /// Does several jobs of one organisation and answers what they change in the store. That is committed together with
    /// the completion of all of them. Where that does not work, each is done by itself: so it must have no effect
    /// outside the changes it answers.
    ///
    /// # Errors
    ///
    /// [`JobError`], of which nobody hears: each job is then done by itself.
    async fn run_together(&self, desk: &Helpdesk, jobs: &[Job]) -> Result<Changes, JobError> {
        let _ = (desk, jobs);
        Err(JobError::retry("such jobs are done one by one"))
    }
}
