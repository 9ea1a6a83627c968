//! The workers of a server. Nothing here sleeps: tokio's clock stands still until everybody waits.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use helpdesk_core::events::{Event, Notifier};
use helpdesk_core::jobs::JobDraft;
use helpdesk_core::{Helpdesk, Result};
use helpdesk_storage_memory::MemoryStorage;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::scripted::{Run, Scripted};
use crate::support::World;

/// Tells the test of each event.
#[derive(Debug)]
struct Telling(mpsc::UnboundedSender<String>);

#[async_trait]
impl Notifier for Telling {
    async fn notify(&self, event: &Event) {
        // The test may have seen enough.
        let _ = self.0.send(event.action.clone());
    }
}

/// Lets every task go on until all of them wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn workers_do_what_is_enqueued_and_what_becomes_due() -> Result<()> {
    let (world, _, mut begun) = World::scripted([]).await;
    let early = world.enqueue(Scripted::draft(&world, "early")).await;
    let workers = world.desk.spawn_workers(2).await?;
    assert_eq!(begun.recv().await, Some(early));
    let now = world.enqueue(Scripted::draft(&world, "now")).await;
    assert_eq!(begun.recv().await, Some(now));
    let due = world.desk.now() + Duration::hours(1);
    let later = world.enqueue(JobDraft::new("scripted", "later".into(), due, &())).await;
    settle().await;
    assert!(begun.try_recv().is_err(), "it is not due");
    world.clock.advance(Duration::hours(1));
    assert_eq!(begun.recv().await, Some(later));
    workers.stop().await;
    assert_eq!(world.effects().await, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_do_each_job_once() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([]).await;
    let workers = world.desk.spawn_workers(4).await?;
    let mut enqueued = Vec::new();
    for number in 0..60 {
        enqueued.push((world.enqueue(Scripted::draft(&world, &number.to_string())).await, 1));
    }
    for _ in &enqueued {
        begun.recv().await;
    }
    workers.stop().await;
    let mut runs = handler.runs();
    runs.sort_unstable();
    enqueued.sort_unstable();
    assert_eq!(runs, enqueued);
    assert_eq!(world.effects().await, 60);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_what_runs_finish_and_starts_nothing_more() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([Run::Wait]).await;
    let workers = world.desk.spawn_workers(2).await?;
    world.enqueue(Scripted::draft(&world, "running")).await;
    begun.recv().await;
    let stopping = tokio::spawn(workers.stop());
    settle().await;
    assert!(!stopping.is_finished(), "a job runs");
    world.enqueue(Scripted::draft(&world, "too late")).await;
    settle().await;
    handler.release();
    stopping.await.expect("stopped");
    assert_eq!((world.effects().await, handler.runs().len()), (1, 1));
    settle().await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    // Nothing was lost: whoever comes next does it.
    assert_eq!(world.desk.run_due(world.desk.now()).await?.done, 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn workers_that_are_dropped_end_too() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([Run::Wait]).await;
    let workers = world.desk.spawn_workers(3).await?;
    world.enqueue(Scripted::draft(&world, "running")).await;
    begun.recv().await;
    drop(workers);
    settle().await;
    handler.release();
    settle().await;
    assert_eq!(world.effects().await, 1);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_does_not_take_its_worker_along() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([Run::Panic]).await;
    let workers = world.desk.spawn_workers(1).await?;
    let first = world.enqueue(Scripted::draft(&world, "first")).await;
    assert_eq!(begun.recv().await, Some(first));
    let second = world.enqueue(Scripted::draft(&world, "second")).await;
    assert_eq!(begun.recv().await, Some(second));
    world.clock.advance(Duration::seconds(10));
    assert_eq!(begun.recv().await, Some(first));
    workers.stop().await;
    assert_eq!((world.effects().await, handler.runs().len()), (2, 3));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn notifiers_are_told_of_everything_up_to_the_stop() -> Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (handler, mut begun) = Scripted::new([Run::Wait]);
    let own = Arc::clone(&handler);
    let world = World::with(|builder| builder.job_handler(own).notifier(Arc::new(Telling(tell)))).await;
    let ada = world.actor("ada", "customer").await;
    world.mails().await;
    let workers = world.desk.spawn_workers(1).await?;
    world.ticket(&ada, "Printer").await;
    assert_eq!(told.recv().await.as_deref(), Some("ticket.created"), "what was before is not told");
    world.enqueue(Scripted::draft(&world, "last")).await;
    begun.recv().await;
    let stopping = tokio::spawn(workers.stop());
    settle().await;
    handler.release();
    stopping.await.expect("stopped");
    assert_eq!(told.try_recv().ok().as_deref(), Some("test.done"), "also what the last job did");
    Ok(())
}

/// A server that restarts: what the first left undone, the second does.
#[tokio::test(start_paused = true)]
async fn two_servers_share_the_work_of_one_store() -> Result<()> {
    let storage = Arc::new(MemoryStorage::new(Helpdesk::schema()));
    let (first, handler, mut begun) = {
        let (handler, begun) = Scripted::new([Run::Wait]);
        let (own, storage) = (Arc::clone(&handler), storage.clone());
        (World::with(|builder| builder.job_handler(own).storage(storage)).await, handler, begun)
    };
    let (other, mut begun_there) = Scripted::new([]);
    let second =
        Helpdesk::builder().storage(storage).clock(first.clock.clone()).job_handler(other.clone()).build();
    let workers = first.desk.spawn_workers(1).await?;
    let job = first.enqueue(Scripted::draft(&first, "work")).await;
    assert_eq!(begun.recv().await, Some(job));
    let others = second.spawn_workers(1).await?;
    settle().await;
    assert!(begun_there.try_recv().is_err(), "the first has it");
    // The first hangs, and takes nothing more. Its lease lapses.
    let hanging = tokio::spawn(workers.stop());
    settle().await;
    first.clock.advance(Duration::minutes(2));
    assert_eq!(begun_there.recv().await, Some(job));
    settle().await;
    handler.release();
    hanging.await.expect("it ends");
    others.stop().await;
    assert_eq!(first.effects().await, 1);
    Ok(())
}
