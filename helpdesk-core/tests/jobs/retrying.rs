//! What does not work is tried again, ever more slowly, and given up in sight of the administrators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::Duration;
use helpdesk_core::identity::permissions;
use helpdesk_core::jobs::{JobDraft, JobError, RunReport};
use helpdesk_core::tickets::Status;
use helpdesk_core::{Error, MockMailer, Result};

use crate::scripted::{Run, Scripted};
use crate::support::World;
use crate::support::flaky::{Failure, FlakyStorage};
use crate::support::tickets::to;

/// The pauses after the first nine attempts, in seconds. After the tenth a job is given up.
const PAUSES: [i64; 9] = [10, 40, 160, 640, 2_560, 10_240, 21_600, 21_600, 21_600];

async fn run(world: &World) -> Result<RunReport> {
    world.desk.run_due(world.desk.now()).await
}

const NOTHING: RunReport = RunReport { done: 0, retried: 0, failed: 0 };

#[tokio::test]
async fn a_mail_that_does_not_leave_is_tried_again_with_growing_pauses() -> Result<()> {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let mut mailer = MockMailer::new();
    let ids = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&ids);
    mailer.expect_send().times(4).returning(move |mail| {
        kept.lock().expect("nobody panicked").push(mail.id);
        match counted.fetch_add(1, Ordering::SeqCst) {
            0..3 => Err(JobError::retry("the mail server is away")),
            _ => Ok(()),
        }
    });
    let world = World::with(|builder| builder.mailer(Arc::new(mailer))).await;
    let ada = world.actor("ada", "customer").await;
    let admin = world.actor("admin", "admin").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::OnHold).await;
    // What she is told within the desk does not wait for the mail.
    assert_eq!(run(&world).await?, RunReport { done: 1, retried: 1, ..NOTHING });
    for (pause, report) in [
        (10, RunReport { retried: 1, ..NOTHING }),
        (40, RunReport { retried: 1, ..NOTHING }),
        (160, RunReport { done: 1, ..NOTHING }),
    ] {
        world.clock.advance(Duration::seconds(pause - 1));
        assert_eq!(run(&world).await?, NOTHING, "not before {pause} s are over");
        world.clock.advance(Duration::seconds(1));
        assert_eq!(run(&world).await?, report);
        assert!(world.desk.jobs().failed(&admin).await?.is_empty());
    }
    let mut ids = ids.lock().expect("nobody panicked").clone();
    ids.dedup();
    assert_eq!(ids.len(), 1, "every attempt is the same mail");
    world.clock.advance(Duration::days(2));
    assert_eq!(run(&world).await?, NOTHING);
    Ok(())
}

#[tokio::test]
async fn after_ten_attempts_a_job_is_given_up_and_can_be_revived() -> Result<()> {
    let (world, handler, _) = World::scripted([Run::Retry; 10]).await;
    let (admin, agent) = (world.actor("admin", "admin").await, world.actor("agent", "agent").await);
    let jobs = world.desk.jobs();
    let due = world.desk.now();
    let id = world.enqueue(Scripted::draft(&world, "work")).await;
    for pause in PAUSES {
        assert_eq!(run(&world).await?, RunReport { retried: 1, ..NOTHING });
        assert!(jobs.failed(&admin).await?.is_empty());
        world.clock.advance(Duration::seconds(pause));
    }
    assert_eq!(run(&world).await?, RunReport { failed: 1, ..NOTHING });
    world.clock.advance(Duration::days(30));
    let removal = RunReport { done: 1, ..NOTHING };
    assert_eq!(run(&world).await?, removal, "that of the sessions, which have expired");

    let failed = jobs.failed(&admin).await?;
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].id, &*failed[0].name, &*failed[0].key), (id, "scripted", "work"));
    assert_eq!((failed[0].attempts, &*failed[0].error), (10, "not now"));
    assert_eq!(failed[0].due, due + Duration::seconds(PAUSES.iter().sum()));
    let lacks = |error: Error| matches!(error, Error::Forbidden { permission } if permission == permissions::ADMIN_VIEW_JOBS);
    assert!(jobs.failed(&agent).await.is_err_and(lacks) && jobs.retry(&agent, id).await.is_err_and(lacks));

    jobs.retry(&admin, id).await?;
    assert!(jobs.failed(&admin).await?.is_empty());
    assert_eq!(run(&world).await?, RunReport { done: 1, ..NOTHING });
    // It is the same job to whoever is told its id, and begins to count anew.
    assert_eq!(handler.runs().last(), Some(&(id, 1)));
    assert_eq!(world.effects().await, 1);
    assert!(matches!(jobs.retry(&admin, id).await, Err(Error::NotFound { what: "job" })));
    Ok(())
}

#[tokio::test]
async fn what_will_never_work_is_given_up_at_once() -> Result<()> {
    let (world, _, _) = World::scripted([Run::GiveUp]).await;
    let admin = world.actor("admin", "admin").await;
    world.enqueue(Scripted::draft(&world, "hopeless")).await;
    let nobody = JobDraft::new("no_such_work", "nobody".into(), world.desk.now(), &());
    world.enqueue(nobody).await;
    let unreadable = JobDraft::new("ticket_status_mail", "unreadable".into(), world.desk.now(), &"nonsense");
    world.enqueue(unreadable).await;
    assert_eq!(run(&world).await?, RunReport { failed: 3, ..NOTHING });
    let mut failed: Vec<_> = world.desk.jobs().failed(&admin).await?;
    failed.sort_by(|a, b| a.key.cmp(&b.key));
    let told: Vec<_> = failed.iter().map(|job| (&*job.key, job.error.split(':').next())).collect();
    assert_eq!(
        told,
        [
            ("hopeless", Some("never")),
            ("nobody", Some("nobody knows how to do no_such_work")),
            ("unreadable", Some("unreadable"))
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_handler_that_panics_is_tried_again() -> Result<()> {
    let (world, handler, _) = World::scripted([Run::Panic, Run::Panic]).await;
    let admin = world.actor("admin", "admin").await;
    world.enqueue(Scripted::draft(&world, "work")).await;
    world
        .enqueue(JobDraft::new("scripted", "later".into(), world.desk.now() + Duration::seconds(11), &()))
        .await;
    assert_eq!(run(&world).await?, RunReport { retried: 1, ..NOTHING });
    world.clock.advance(Duration::seconds(10));
    assert_eq!(run(&world).await?, RunReport { retried: 1, ..NOTHING });
    assert_eq!(world.effects().await, 0);
    // What waits behind it is not held up.
    world.clock.advance(Duration::seconds(1));
    assert_eq!(run(&world).await?, RunReport { done: 1, ..NOTHING });
    world.clock.advance(Duration::seconds(39));
    assert_eq!(run(&world).await?, RunReport { done: 1, ..NOTHING });
    assert_eq!((world.effects().await, handler.runs().len()), (2, 4));
    assert!(world.desk.jobs().failed(&admin).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn only_what_was_given_up_is_revived() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([Run::Wait]).await;
    let admin = world.actor("admin", "admin").await;
    let id = world.enqueue(Scripted::draft(&world, "work")).await;
    let refused = world.desk.jobs().retry(&admin, id).await;
    assert!(matches!(refused, Err(Error::NotFound { what: "job" })), "it waits");
    let (desk, now) = (world.desk.clone(), world.desk.now());
    let running = tokio::spawn(async move { desk.run_due(now).await });
    begun.recv().await.expect("it runs");
    let refused = world.desk.jobs().retry(&admin, id).await;
    assert!(matches!(refused, Err(Error::NotFound { what: "job" })), "it runs");
    handler.release();
    assert_eq!(running.await.expect("it ran")?, RunReport { done: 1, ..NOTHING });
    assert_eq!(world.effects().await, 1);
    Ok(())
}

#[tokio::test]
async fn a_failed_job_is_the_business_of_its_own_organisation() -> Result<()> {
    let (world, _, _) = World::scripted([Run::GiveUp]).await;
    let elsewhere = world.desk.identity().create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    let id = world.enqueue(Scripted::draft(&world, "work")).await;
    run(&world).await?;
    assert_eq!(world.desk.jobs().failed(&world.system()).await?.len(), 1);
    assert!(world.desk.jobs().failed(&eve).await?.is_empty());
    assert!(matches!(world.desk.jobs().retry(&eve, id).await, Err(Error::NotFound { what: "job" })));
    assert_eq!(run(&world).await?, NOTHING);
    Ok(())
}

#[tokio::test]
async fn the_same_work_enqueued_twice_is_done_once() -> Result<()> {
    let (world, handler, _) = World::scripted([]).await;
    let first = world.enqueue(Scripted::draft(&world, "work")).await;
    world.enqueue(Scripted::draft(&world, "work")).await;
    world.enqueue(Scripted::draft(&world, "other work")).await;
    assert_eq!(run(&world).await?, RunReport { done: 2, ..NOTHING });
    assert_eq!(handler.runs()[0], (first, 1));
    // Once it is done, it can be asked for again.
    world.enqueue(Scripted::draft(&world, "work")).await;
    assert_eq!(run(&world).await?, RunReport { done: 1, ..NOTHING });
    Ok(())
}

#[tokio::test]
async fn who_took_too_long_does_not_have_the_effect_as_well() -> Result<()> {
    let (world, handler, mut begun) = World::scripted([Run::Wait]).await;
    let id = world.enqueue(Scripted::draft(&world, "work")).await;
    let (desk, now) = (world.desk.clone(), world.desk.now());
    let slow = tokio::spawn(async move { desk.run_due(now).await });
    begun.recv().await.expect("it runs");
    world.clock.advance(Duration::minutes(2) - Duration::seconds(1));
    assert_eq!(run(&world).await?, NOTHING, "the lease holds");
    world.clock.advance(Duration::seconds(1));
    assert_eq!(run(&world).await?, RunReport { done: 1, ..NOTHING });
    handler.release();
    assert_eq!(slow.await.expect("it ran")?, NOTHING);
    assert_eq!((world.effects().await, handler.runs()), (1, vec![(id, 1), (id, 2)]));
    Ok(())
}

#[tokio::test]
async fn nothing_is_done_for_a_change_that_was_not_made() -> Result<()> {
    let storage = Arc::new(FlakyStorage::new());
    let world = World::with(|builder| builder.storage(storage.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    storage.fail(Some(Failure::Unavailable));
    let failed = world.desk.tickets().act(&world.system(), id, None, to(Status::OnHold)).await;
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    storage.fail(None);
    assert!(world.mails().await.is_empty());
    world.bring(id, Status::OnHold).await;
    assert_eq!(world.mails().await.len(), 1);
    Ok(())
}
