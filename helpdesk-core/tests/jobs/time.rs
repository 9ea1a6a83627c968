//! Work that takes too long, or that nobody lives to finish. Nothing here sleeps: tokio's clock goes on by itself where
//! everybody waits.

use std::time::Duration;

use async_trait::async_trait;
use helpdesk_core::jobs::{Job, JobDraft, JobError, JobHandler, RunReport};
use helpdesk_core::storage::{Changes, Claim};
use helpdesk_core::{Helpdesk, Result};
use tokio::time::Instant;

use crate::scripted::{Run, Scripted};
use crate::support::World;

/// How long the lease of a job is.
const LEASE: Duration = Duration::from_secs(120);

#[tokio::test(start_paused = true)]
async fn what_does_not_come_to_an_end_is_broken_off_while_the_lease_holds_and_given_up_at_last() -> Result<()>
{
    let (world, handler, _) = World::scripted([Run::Wait; 10]).await;
    let admin = world.actor("admin", "admin").await;
    world.enqueue(Scripted::draft(&world, "hangs")).await;
    for attempt in 1..=10 {
        let begun = Instant::now();
        let report = world.desk.run_due(world.desk.now()).await?;
        assert!(begun.elapsed() < LEASE);
        let last = attempt == 10;
        let expected = RunReport { done: 0, retried: usize::from(!last), failed: usize::from(last) };
        assert_eq!(report, expected);
        world.clock.advance(chrono::Duration::hours(6));
    }
    let failed = world.desk.jobs().failed(&admin).await?;
    assert_eq!((failed[0].attempts, &*failed[0].error), (10, "it took too long"));
    assert_eq!((handler.runs().len(), world.effects().await), (10, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_hangs_takes_no_worker_for_ever() -> Result<()> {
    // As many as a worker has hands.
    let (world, _, mut begun) = World::scripted([Run::Wait; 16]).await;
    for number in 0..16 {
        world.enqueue(Scripted::draft(&world, &number.to_string())).await;
    }
    let workers = world.desk.spawn_workers(1).await?;
    for _ in 0..16 {
        begun.recv().await;
    }
    let behind = world.enqueue(Scripted::draft(&world, "behind")).await;
    let waits = Instant::now();
    assert_eq!(begun.recv().await, Some(behind));
    assert!(waits.elapsed() < LEASE);
    workers.stop().await;
    assert_eq!(world.effects().await, 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_something_that_hangs_is_given_back_and_done() -> Result<()> {
    let (world, handler, _) = World::scripted([Run::Wait, Run::Wait, Run::Wait]).await;
    for number in 0..16 {
        world.enqueue(Scripted::draft(&world, &number.to_string())).await;
    }
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!(report, RunReport { done: 13, retried: 3, failed: 0 });
    assert!(handler.runs().iter().all(|(_, attempt)| *attempt < 5), "{:?}", handler.runs());
    Ok(())
}

#[tokio::test]
async fn a_job_that_nobody_lives_to_finish_is_given_up() -> Result<()> {
    let (world, handler, _) = World::scripted([]).await;
    let admin = world.actor("admin", "admin").await;
    let id = world.enqueue(Scripted::draft(&world, "deadly")).await;
    // Servers take it and die.
    for _ in 0..10 {
        let now = world.desk.now();
        let claim =
            Claim { now, lease: chrono::Duration::minutes(2), token: world.desk.ids().id(now), limit: 1 };
        let claimed = world.desk.store().storage().claim(claim).await?;
        assert_eq!(claimed[0].lease.job, id);
        world.clock.advance(chrono::Duration::minutes(2));
    }
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!(report, RunReport { done: 0, retried: 0, failed: 1 });
    assert!(handler.runs().is_empty());
    assert_eq!(world.desk.jobs().failed(&admin).await?[0].attempts, 11);
    // Whoever knows better can have it tried again.
    world.desk.jobs().retry(&admin, id).await?;
    assert_eq!(world.desk.run_due(world.desk.now()).await?.done, 1);
    assert_eq!(handler.runs(), [(id, 1)]);
    Ok(())
}

/// Does many at once, but for one that hangs.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl JobHandler for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        if job.payload::<String>()? == "3" {
            std::future::pending::<()>().await;
        }
        Ok(desk.changes())
    }

    fn together(&self) -> usize {
        40
    }

    async fn run_together(&self, desk: &Helpdesk, jobs: &[Job]) -> Result<Changes, JobError> {
        for job in jobs {
            self.run(desk, job).await?;
        }
        Ok(desk.changes())
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_among_those_that_are_done_at_once_keeps_none_from_being_done() -> Result<()> {
    let world = World::with(|builder| builder.job_handler(std::sync::Arc::new(Hanging))).await;
    for number in 0..10 {
        let key = number.to_string();
        world.enqueue(JobDraft::new("hanging", key.clone(), world.desk.now(), &key)).await;
    }
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!(report, RunReport { done: 9, retried: 1, failed: 0 });
    Ok(())
}
