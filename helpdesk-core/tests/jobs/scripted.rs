//! Work that goes as a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use helpdesk_core::events::{Audience, EventDraft};
use helpdesk_core::jobs::{Job, JobDraft, JobError, JobHandler};
use helpdesk_core::storage::{Changes, EntityId as _};
use helpdesk_core::tickets::{Ticket, TicketId};
use helpdesk_core::{Actor, Helpdesk};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::support::World;

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// It is done.
    Done,
    /// It may work later.
    Retry,
    /// It will never work.
    GiveUp,
    /// The handler has a mistake.
    Panic,
    /// It is done once the test lets it.
    Wait,
}

/// Does one sort of work as it is told, run by run; once nothing more is told, it is done. Its effect in the store
/// is an event.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Mutex<VecDeque<Run>>,
    runs: Mutex<Vec<(Uuid, u32)>>,
    begun: mpsc::UnboundedSender<Uuid>,
    release: Notify,
}

/// Is told of each run as it begins.
pub(crate) type Begun = mpsc::UnboundedReceiver<Uuid>;

impl Scripted {
    pub(crate) fn new(script: impl IntoIterator<Item = Run>) -> (Arc<Self>, Begun) {
        let (begun, told) = mpsc::unbounded_channel();
        let script = Mutex::new(script.into_iter().collect());
        (Arc::new(Self { script, runs: Mutex::default(), begun, release: Notify::new() }), told)
    }

    /// The job and the attempt of each run.
    pub(crate) fn runs(&self) -> Vec<(Uuid, u32)> {
        self.runs.lock().expect("nobody panicked").clone()
    }

    /// Lets one run go on that waits.
    pub(crate) fn release(&self) {
        self.release.notify_one();
    }

    /// A piece of such work.
    pub(crate) fn draft(world: &World, key: &str) -> JobDraft {
        JobDraft::new("scripted", key.to_owned(), world.desk.now(), &key)
    }
}

#[async_trait]
impl JobHandler for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let next = self.script.lock().expect("nobody panicked").pop_front();
        self.runs.lock().expect("nobody panicked").push((job.id(), job.attempt()));
        // Nobody listens in tests that only look at what came of it.
        let _ = self.begun.send(job.id());
        match next.unwrap_or(Run::Done) {
            Run::Done => {}
            Run::Retry => return Err(JobError::retry("not now")),
            Run::GiveUp => return Err(JobError::give_up("never")),
            Run::Panic => panic!("a mistake in a handler"),
            Run::Wait => self.release.notified().await,
        }
        let mut changes = desk.changes();
        let organisation =
            helpdesk_core::identity::OrganisationId::from_uuid(job.scope().id().unwrap_or_default());
        let (subject, id) = (TicketId::from_uuid(job.id()), desk.ids().id(changes.at()));
        let draft = EventDraft::new::<Ticket>("test.done", subject, 1, Audience::default());
        changes.event(&Actor::system(organisation), id, draft);
        Ok(changes)
    }
}

impl World {
    /// A help desk that does the scripted work.
    pub(crate) async fn scripted(script: impl IntoIterator<Item = Run>) -> (Self, Arc<Scripted>, Begun) {
        let (handler, begun) = Scripted::new(script);
        let own = Arc::clone(&handler);
        (Self::with(|builder| builder.job_handler(own)).await, handler, begun)
    }

    /// Enqueues work, and answers the id it has if it is new.
    pub(crate) async fn enqueue(&self, job: JobDraft) -> Uuid {
        let mut changes = self.desk.changes();
        let id = self.desk.ids().id(changes.at());
        changes.enqueue(self.system().scope(), id, job);
        self.desk.commit(changes).await.expect("enqueued");
        id
    }

    /// How often the scripted work has had its effect.
    pub(crate) async fn effects(&self) -> usize {
        self.log().await.iter().filter(|event| event.action == "test.done").count()
    }
}
