//! Jobs of a sort that can be done at once, and workers that have nothing to do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use helpdesk_core::jobs::{Job, JobDraft, JobError, JobHandler, RunReport};
use helpdesk_core::storage::Changes;
use helpdesk_core::{Helpdesk, Result};

use crate::support::World;
use crate::support::flaky::FlakyStorage;

/// Notes how many jobs it did at a time.
#[derive(Debug, Default)]
struct Bulky {
    done: Mutex<Vec<usize>>,
    /// A key of which no others can be done beside.
    awkward: Option<&'static str>,
}

impl Bulky {
    fn note(&self, count: usize) {
        self.done.lock().expect("nobody panicked").push(count);
    }
}

#[async_trait]
impl JobHandler for Bulky {
    fn name(&self) -> &'static str {
        "bulky"
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        let key: String = job.payload()?;
        if self.awkward == Some(&*key) {
            return Err(JobError::give_up("awkward"));
        }
        self.note(1);
        Ok(desk.changes())
    }

    fn together(&self) -> usize {
        40
    }

    async fn run_together(&self, desk: &Helpdesk, jobs: &[Job]) -> Result<Changes, JobError> {
        assert!(jobs.iter().all(|job| job.scope() == jobs[0].scope()), "of one organisation");
        for job in jobs {
            if self.awkward == Some(&*job.payload::<String>()?) {
                return Err(JobError::retry("awkward"));
            }
        }
        self.note(jobs.len());
        Ok(desk.changes())
    }
}

async fn play(handler: &Arc<Bulky>, count: usize) -> (World, RunReport) {
    let own = Arc::clone(handler);
    let world = World::with(|builder| builder.job_handler(own)).await;
    let organisation = world.desk.identity().create_organisation("Other", "other").await.expect("another");
    let other = helpdesk_core::Actor::system(organisation).scope();
    let mut changes = world.desk.changes();
    for number in 0..count {
        let scope = if number % 8 == 7 { other } else { world.system().scope() };
        let key = number.to_string();
        let draft = JobDraft::new("bulky", key.clone(), changes.at(), &key);
        let id = world.desk.ids().id(changes.at());
        changes.enqueue(scope, id, draft);
    }
    world.desk.commit(changes).await.expect("enqueued");
    let report = world.desk.run_due(world.desk.now()).await.expect("jobs ran");
    (world, report)
}

#[tokio::test]
async fn jobs_that_can_be_done_at_once_are_each_organisations_by_themselves() {
    let handler = Arc::new(Bulky::default());
    let (_, report) = play(&handler, 200).await;
    assert_eq!(report, RunReport { done: 200, retried: 0, failed: 0 });
    let done = handler.done.lock().expect("nobody panicked").clone();
    assert_eq!(done.iter().sum::<usize>(), 200);
    // First a handful, then as many as can be done at once.
    assert!(done[0] <= 16, "{done:?}");
    assert_eq!(done.iter().max(), Some(&40));
    assert!(done.len() < 12, "{done:?}");
}

#[tokio::test]
async fn where_one_is_in_the_way_each_is_done_by_itself() {
    let handler = Arc::new(Bulky { awkward: Some("3"), ..Bulky::default() });
    let (_, report) = play(&handler, 10).await;
    assert_eq!(report, RunReport { done: 9, retried: 0, failed: 1 });
    assert_eq!(handler.done.lock().expect("nobody panicked").iter().filter(|count| **count == 1).count(), 9);
}

#[tokio::test(start_paused = true)]
async fn workers_that_have_nothing_to_do_ask_once_a_second_between_them() -> Result<()> {
    let storage = Arc::new(FlakyStorage::new());
    let own = Arc::clone(&storage);
    let world = World::with(|builder| builder.storage(own)).await;
    let workers = world.desk.spawn_workers(8).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = storage.claims();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = storage.claims() - before;
    assert!((59..=61).contains(&asked), "{asked}");
    workers.stop().await;
    Ok(())
}
