//! What administrators see of jobs.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::helpdesk::Helpdesk;
use crate::identity::permissions;
use crate::storage::{Filter, JOB, JobOp, JobState, MAX_PAGE, NewJob, Phase, Query};

/// Jobs as administrators see them. From [`Helpdesk::jobs`].
#[derive(Clone, Debug)]
pub struct Jobs(pub(crate) Helpdesk);

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedJob {
    /// The job.
    pub id: Uuid,
    /// What sort of work it was.
    pub name: String,
    /// What it was called.
    pub key: String,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not work the last time.
    pub error: String,
}

impl Jobs {
    /// The jobs of the actor's organisation that were given up, newest first; at most 1,000.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_jobs`.
    pub async fn failed(&self, actor: &Actor) -> Result<Vec<FailedJob>> {
        actor.needs(&permissions::ADMIN_VIEW_JOBS)?;
        let query = Query::new(&JOB, actor.scope())
            .filter(Filter::equals("state", "failed"))
            .descending("number")
            .limit(MAX_PAGE);
        let page = self.0.store().storage().find(&query).await?;
        let failed = page.records.iter().map(|record| {
            let JobState { name, key, due, attempts, error, .. } = JobState::read(&record.body)?;
            Ok(FailedJob { id: record.id, name, key, due, attempts, error: error.unwrap_or_default() })
        });
        failed.collect()
    }

    /// Has a job that was given up tried again, now.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_jobs`; [`Error::NotFound`] where there is no such job, or none that
    /// was given up.
    pub async fn retry(&self, actor: &Actor, id: Uuid) -> Result<()> {
        actor.needs(&permissions::ADMIN_VIEW_JOBS)?;
        let found = self.0.store().storage().get(&JOB, actor.scope(), &[id]).await?;
        let record = found.into_iter().flatten().next().ok_or(Error::NotFound { what: "job" })?;
        let JobState { name, key, payload, phase, .. } = JobState::read(&record.body)?;
        // Work that waits is done anyway, and work that runs would be done twice.
        if phase != Phase::Failed {
            return Err(Error::NotFound { what: "job" });
        }
        let mut changes = self.0.changes();
        let due = changes.at();
        changes.push_job(JobOp::Enqueue(NewJob { id, scope: actor.scope(), key, name, payload, due }));
        self.0.commit(changes).await?;
        Ok(())
    }
}
