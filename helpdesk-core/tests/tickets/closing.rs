//! Resolved tickets close by themselves (T4).

use chrono::Duration;
use helpdesk_core::identity::Organisation;
use helpdesk_core::tickets::{Act, Status, TicketId, Workflow};
use helpdesk_core::{Actor, Result, Who};

use crate::support::World;
use crate::support::tickets::{say, to};

/// A ticket that was just resolved.
async fn resolved(world: &World) -> (Actor, TicketId) {
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Resolved).await;
    world.mails().await;
    (ada, id)
}

/// Lets time pass, runs what became due, and answers where the ticket stands then.
async fn after(world: &World, id: TicketId, time: Duration) -> Result<Status> {
    world.clock.advance(time);
    world.desk.run_due(world.desk.now()).await?;
    Ok(world.desk.tickets().get(&world.system(), id).await?.state.status())
}

#[tokio::test]
async fn a_resolved_ticket_closes_after_four_days() -> Result<()> {
    let world = World::new().await;
    let (_, id) = resolved(&world).await;
    let almost = Duration::days(4) - Duration::seconds(1);
    assert_eq!(after(&world, id, almost).await?, Status::Resolved);
    assert_eq!(after(&world, id, Duration::seconds(1)).await?, Status::Closed);
    let ticket = world.desk.tickets().get(&world.system(), id).await?;
    assert_eq!(ticket.state.closed_at(), Some(world.desk.now()));
    assert_eq!(ticket.resolution_seconds(), Some(4 * 86_400));
    let log = world.log().await;
    let last = log.iter().rfind(|event| event.subject_kind == "ticket").expect("an event");
    assert_eq!((last.action.as_str(), last.detail.actor), ("ticket.status_changed", Who::System));
    let mails = world.outbox.take();
    assert_eq!(mails.iter().map(|mail| &mail.context["status"]).collect::<Vec<_>>(), ["Closed"]);
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_was_reopened_does_not_close() -> Result<()> {
    for by_reply in [true, false] {
        let world = World::new().await;
        let (ada, id) = resolved(&world).await;
        if by_reply {
            world.act(&ada, id, say("Still burns")).await;
        } else {
            world.act(&world.system(), id, to(Status::InProgress)).await;
        }
        let stands = world.desk.tickets().get(&ada, id).await?.state.status();
        assert_eq!(after(&world, id, Duration::days(30)).await?, stands);
        // Resolved once more, it has its four days again.
        world.bring(id, Status::Resolved).await;
        assert_eq!(after(&world, id, Duration::days(4) - Duration::seconds(1)).await?, Status::Resolved);
        assert_eq!(after(&world, id, Duration::seconds(1)).await?, Status::Closed);
    }
    Ok(())
}

#[tokio::test]
async fn the_days_count_from_the_last_time_it_was_resolved() -> Result<()> {
    let world = World::new().await;
    let (ada, id) = resolved(&world).await;
    assert_eq!(after(&world, id, Duration::days(3)).await?, Status::Resolved);
    world.act(&ada, id, say("Still burns")).await;
    world.bring(id, Status::Resolved).await;
    assert_eq!(after(&world, id, Duration::days(3)).await?, Status::Resolved);
    assert_eq!(after(&world, id, Duration::days(1)).await?, Status::Closed);
    Ok(())
}

#[tokio::test]
async fn the_organisation_says_after_how_many_hours() -> Result<()> {
    for (hours, closes_after) in [(48, 48), (0, 1), (10_000, 28 * 24)] {
        let world = World::new().await;
        let organisation = world.desk.identity().organisation(&world.system()).await?;
        let mut value: Organisation = organisation.value.clone();
        value.settings.auto_close_hours = hours;
        let mut changes = world.desk.changes();
        changes.update(&organisation, &value);
        world.desk.commit(changes).await?;
        let (_, id) = resolved(&world).await;
        let almost = Duration::hours(closes_after) - Duration::seconds(1);
        assert_eq!(after(&world, id, almost).await?, Status::Resolved, "{hours}");
        assert_eq!(after(&world, id, Duration::seconds(1)).await?, Status::Closed, "{hours}");
    }
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_was_closed_by_hand_is_left_alone() -> Result<()> {
    let world = World::new().await;
    let (ada, id) = resolved(&world).await;
    world.act(&ada, id, Act::Close { comment: None }).await;
    let version = world.desk.tickets().get(&ada, id).await?.version;
    assert_eq!(after(&world, id, Duration::days(5)).await?, Status::Closed);
    assert_eq!(world.desk.tickets().get(&ada, id).await?.version, version);
    Ok(())
}

#[tokio::test]
async fn a_deleted_ticket_stays_as_it_was_and_closes_once_it_is_restored() -> Result<()> {
    let world = World::new().await;
    let (_, id) = resolved(&world).await;
    let system = world.system();
    world.act(&system, id, Act::Delete).await;
    world.clock.advance(Duration::days(5));
    world.desk.run_due(world.desk.now()).await?;
    assert_eq!(world.act(&system, id, Act::Restore).await.ticket.state.status(), Status::Resolved);
    assert_eq!(after(&world, id, Duration::zero()).await?, Status::Closed);

    // One that comes back in time keeps its days.
    let ada = world.sign_in("ada").await.actor;
    let early = world.ticket(&ada, "Early").await.id;
    world.bring(early, Status::Resolved).await;
    world.act(&system, early, Act::Delete).await;
    world.clock.advance(Duration::days(1));
    world.act(&system, early, Act::Restore).await;
    assert_eq!(after(&world, early, Duration::days(3) - Duration::seconds(1)).await?, Status::Resolved);
    assert_eq!(after(&world, early, Duration::seconds(1)).await?, Status::Closed);
    Ok(())
}

#[tokio::test]
async fn where_the_table_has_no_such_move_nothing_closes_by_itself() -> Result<()> {
    let table = Workflow::default().forbid(Status::Resolved, Status::Closed);
    let world = World::with(|builder| builder.workflow(table)).await;
    let (_, id) = resolved(&world).await;
    world.clock.advance(Duration::days(4));
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!((report.done, report.retried, report.failed), (1, 0, 0));
    assert_eq!(after(&world, id, Duration::days(40)).await?, Status::Resolved);
    Ok(())
}
