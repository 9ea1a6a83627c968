//! The life of a job in a store: the same in every store, so it is decided here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::batch::{Claimed, Lease, NewJob};
use super::kind::{FieldSpec, KindSpec};
use super::record::Body;
use super::{Scope, StorageError, Value};

/// The kind that jobs are found under. Stores write it themselves, from [`JobState`].
pub static JOB: KindSpec = KindSpec::new(
    "job",
    &[
        FieldSpec::text("key").unique(),
        FieldSpec::text("name").uncounted(),
        FieldSpec::text("state"),
        FieldSpec::time("due"),
        FieldSpec::int("attempts"),
    ],
)
.indexes(&[&["state"]]);

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits until it is due.
    Waiting,
    /// Claimed by a worker.
    Leased,
    /// Given up.
    Failed,
}

impl Phase {
    /// The phase's name in the field `state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Leased => "leased",
            Self::Failed => "failed",
        }
    }
}

/// All that a store keeps of a job. A job that was done is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// Its name in the scope.
    pub key: String,
    /// What sort of work it is.
    pub name: String,
    /// What the worker needs to know, as JSON.
    pub payload: Box<str>,
    /// When it is, or was, due.
    pub due: DateTime<Utc>,
    /// Where it stands.
    pub phase: Phase,
    /// How often it was claimed.
    pub attempts: u32,
    /// Which claim holds it.
    pub token: Option<Uuid>,
    /// When the claim lapses.
    pub lease_until: Option<DateTime<Utc>>,
    /// When it is to run once more after the present run.
    pub rerun: Option<DateTime<Utc>>,
    /// Why the last attempt did not work.
    pub error: Option<String>,
}

impl JobState {
    /// A job that waits.
    #[must_use]
    pub fn new(job: NewJob) -> Self {
        Self {
            key: job.key,
            name: job.name,
            payload: job.payload,
            due: micros(job.due),
            phase: Phase::Waiting,
            attempts: 0,
            token: None,
            lease_until: None,
            rerun: None,
            error: None,
        }
    }

    /// When the next worker may have it; never, where it failed.
    #[must_use]
    pub const fn ready(&self) -> Option<DateTime<Utc>> {
        match self.phase {
            Phase::Waiting => Some(self.due),
            Phase::Leased => self.lease_until,
            Phase::Failed => None,
        }
    }

    /// The same work is enqueued once more: nothing new while it waits, another run if it runs, a new start if
    /// it failed.
    pub fn enqueue(&mut self, job: NewJob) {
        match self.phase {
            Phase::Waiting => {}
            Phase::Leased => {
                let due = micros(job.due);
                self.rerun = Some(self.rerun.map_or(due, |rerun| rerun.min(due)));
            }
            Phase::Failed => *self = Self::new(job),
        }
    }

    /// The work is to be done at another time.
    pub fn move_to(&mut self, due: DateTime<Utc>) {
        match self.phase {
            Phase::Waiting => self.due = micros(due),
            Phase::Leased => self.rerun = Some(micros(due)),
            Phase::Failed => {}
        }
    }

    /// A worker takes it.
    pub fn claim(&mut self, token: Uuid, until: DateTime<Utc>) {
        self.phase = Phase::Leased;
        self.token = Some(token);
        self.lease_until = Some(micros(until));
        self.attempts += 1;
    }

    /// What the worker is told.
    #[must_use]
    pub fn claimed(&self, scope: Scope, job: Uuid, token: Uuid) -> Claimed {
        Claimed {
            lease: Lease { scope, job, token },
            key: self.key.clone(),
            name: self.name.clone(),
            payload: self.payload.clone(),
            due: self.due,
            attempt: self.attempts,
        }
    }

    /// Whether the lease still holds. One that lapsed holds until somebody else claims the job.
    ///
    /// # Errors
    ///
    /// [`StorageError::LeaseLost`].
    pub fn held_by(&self, lease: &Lease) -> Result<(), StorageError> {
        if self.phase == Phase::Leased && self.token == Some(lease.token) {
            return Ok(());
        }
        Err(StorageError::LeaseLost { job: lease.job })
    }

    /// The work was done. Answers whether the job is to be kept for another run.
    #[must_use]
    pub fn complete(&mut self) -> bool {
        let Some(due) = self.rerun.take() else { return false };
        self.wait(due);
        self.attempts = 0;
        self.error = None;
        true
    }

    /// The work is to be tried again.
    pub fn retry(&mut self, due: DateTime<Utc>, error: String) {
        self.wait(micros(due));
        self.rerun = None;
        self.error = Some(printable(error));
    }

    /// The work is given up, unless it was asked for anew while it ran.
    pub fn fail(&mut self, error: String) {
        if !self.complete() {
            self.phase = Phase::Failed;
            self.token = None;
            self.lease_until = None;
            self.error = Some(printable(error));
        }
    }

    fn wait(&mut self, due: DateTime<Utc>) {
        self.phase = Phase::Waiting;
        self.due = due;
        self.token = None;
        self.lease_until = None;
    }

    /// The declared fields of [`JOB`].
    #[must_use]
    pub fn fields(&self) -> Box<[Value]> {
        Box::new([
            Value::text(&self.key),
            Value::text(&self.name),
            Value::text(self.phase.name()),
            Value::time(self.due),
            Value::Int(i64::from(self.attempts)),
        ])
    }

    /// Reads a body of [`JOB`].
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`].
    pub fn read(body: &Body) -> Result<Self, StorageError> {
        serde_json::from_str(&body.json)
            .map_err(|error| StorageError::Corrupt { kind: JOB.name, source: Box::new(error) })
    }

    /// The body of [`JOB`].
    #[must_use]
    pub fn body(&self) -> Body {
        let json = serde_json::to_string(self).unwrap_or_default();
        Body { version: JOB.body_version, json: json.into_boxed_str() }
    }
}

/// What went wrong is told by others, and must not keep a store from writing it down.
fn printable(error: String) -> String {
    if error.contains('\0') { error.replace('\0', "\u{fffd}") } else { error }
}

fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    fn job(due: i64) -> NewJob {
        NewJob {
            id: Uuid::from_u128(1),
            scope: Scope::GLOBAL,
            key: "look".into(),
            name: "look".into(),
            payload: "{}".into(),
            due: at(due),
        }
    }

    fn running() -> JobState {
        let mut state = JobState::new(job(1));
        state.claim(Uuid::from_u128(9), at(60));
        state
    }

    #[test]
    fn work_enqueued_while_it_waits_is_done_once_at_the_first_time() {
        let mut state = JobState::new(job(1));
        state.enqueue(job(5));
        assert_eq!(state.ready(), Some(at(1)));
    }

    #[test]
    fn work_enqueued_while_it_runs_is_done_once_more() {
        let mut state = running();
        state.enqueue(job(70));
        state.enqueue(job(65));
        assert!(state.complete());
        assert_eq!((state.phase, state.ready(), state.attempts), (Phase::Waiting, Some(at(65)), 0));
        assert!(!running().complete());
    }

    #[test]
    fn failed_work_is_never_ready_until_it_is_enqueued_again() {
        let mut state = running();
        state.fail("no answer".into());
        assert_eq!((state.phase, state.ready()), (Phase::Failed, None));
        state.enqueue(job(90));
        assert_eq!((state.ready(), state.attempts), (Some(at(90)), 0));
    }

    #[test]
    fn a_lease_is_lost_to_the_next_claim_and_not_before() {
        let mut state = running();
        let lease = Lease { scope: Scope::GLOBAL, job: Uuid::from_u128(1), token: Uuid::from_u128(9) };
        assert!(state.held_by(&lease).is_ok());
        state.claim(Uuid::from_u128(10), at(120));
        assert!(matches!(state.held_by(&lease), Err(StorageError::LeaseLost { .. })));
        assert_eq!(state.attempts, 2);
    }
}
