//! More to be written down than one batch takes, and looks that cross.

use std::sync::Arc;

use helpdesk_core::Result;
use helpdesk_core::service_levels::Metric;
use helpdesk_core::tickets::{Act, Edit, Priority, Status, TicketId};

use crate::support::World;
use crate::support::between::Between;
use crate::support::tickets::{say, to};

/// A help desk that promises nothing yet.
async fn without_promises() -> World {
    let world = World::promising(|builder| builder).await;
    world.settings(|settings| settings.satisfaction_minutes = None).await;
    let (system, service) = (world.system(), world.desk.service_levels());
    let standard = service.policies(&system).await.expect("policies")[0].id;
    service.delete_policy(&system, standard).await.expect("gone");
    world
}

/// Has a ticket wait and go on so many times.
async fn back_and_forth(world: &World, id: TicketId, times: usize) {
    for _ in 0..times {
        for status in [Status::Pending, Status::Open] {
            world.clock.advance(chrono::Duration::seconds(1));
            world.act(&world.system(), id, to(status)).await;
        }
    }
}

async fn is_as_the_log_says(world: &World, id: TicketId) -> Result<()> {
    let record = world.levels(id).await;
    let rebuilt = world.desk.service_levels().rebuilt(&world.system(), id).await?;
    assert_eq!(record.standings, rebuilt.standings);
    assert_eq!(record.followed.told, rebuilt.followed.told);
    assert_eq!(record.followed.facts, rebuilt.followed.facts);
    Ok(())
}

#[tokio::test]
async fn what_is_promised_for_the_first_time_reaches_every_ticket_however_much_there_is_to_tell() -> Result<()>
{
    let world = without_promises().await;
    let ada = world.actor("ada", "customer").await;
    let mut ids = Vec::new();
    for _ in 0..130 {
        let id = world.ticket(&ada, "Printer").await.id;
        world.act(&world.system(), id, to(Status::Open)).await;
        back_and_forth(&world, id, 6).await;
        ids.push(id);
    }
    let promise = crate::promising(&[(Metric::RequesterWait, 5_000)]);
    world.desk.service_levels().create_policy(&world.system(), promise).await?;
    world.run().await;
    for id in ids {
        assert!(world.levels(id).await.due().is_some());
        let told = world.told(id).await;
        assert_eq!(told.iter().filter(|(turn, ..)| turn == "paused").count(), 6);
    }
    Ok(())
}

#[tokio::test]
async fn a_long_history_is_written_down_in_several_steps() -> Result<()> {
    let world = without_promises().await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&world.system(), id, to(Status::Open)).await;
    back_and_forth(&world, id, 600).await;
    let promise = crate::promising(&[(Metric::RequesterWait, 1)]);
    world.desk.service_levels().create_policy(&world.system(), promise).await?;
    world.run().await;
    let told = world.told(id).await;
    for (turn, times) in [("retargeted", 1), ("paused", 600), ("resumed", 600), ("breached", 1)] {
        assert_eq!(told.iter().filter(|(told, ..)| told == turn).count(), times, "{turn}");
    }
    is_as_the_log_says(&world, id).await
}

#[tokio::test]
async fn what_is_promised_anew_again_and_again_is_promised_as_it_is_in_the_end() -> Result<()> {
    let world = without_promises().await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    for number in 0..1_101 {
        let priority = if number % 2 == 0 { Priority::High } else { Priority::Low };
        let edit = Edit { priority: Some(Some(priority)), ..Edit::default() };
        world.act(&world.system(), id, Act::Edit(edit)).await;
    }
    let (mut high, low) = (
        crate::promising(&[(Metric::TotalResolution, 500)]),
        crate::promising(&[(Metric::TotalResolution, 900)]),
    );
    let (Some(high), Some(low)) = (&mut high.targets, low.targets) else { return Ok(()) };
    high.insert(Priority::Low, low[&Priority::Low].clone());
    let promise = helpdesk_core::service_levels::PolicyChange {
        name: Some("By priority".to_owned()),
        targets: Some(high.clone()),
        ..Default::default()
    };
    world.desk.service_levels().create_policy(&world.system(), promise).await?;
    world.run().await;
    let target = world.standing(id, Metric::TotalResolution).await.target;
    assert_eq!(target.map(|target| target.time.num_minutes()), Some(500));
    is_as_the_log_says(&world, id).await
}

#[tokio::test]
async fn of_two_looks_that_cross_the_older_one_changes_nothing() -> Result<()> {
    let storage = Arc::new(Between::new());
    let own = Arc::clone(&storage);
    let world = World::promising(|builder| builder.storage(own)).await;
    world.settings(|settings| settings.satisfaction_minutes = None).await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "admin").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.run().await;
    // A minute before there is a warning.
    world.pass(8 * 60 - 16).await;
    let tags = Some(std::collections::BTreeSet::from(["vip".to_owned()]));
    world.act(&world.system(), id, Act::Edit(Edit { tags, ..Edit::default() })).await;
    // While one look is at it, the ticket changes, and time runs out: another look sees both.
    let (desk, clock) = (world.desk.clone(), Arc::clone(&world.clock));
    storage.after_reading("ticket", async move {
        desk.tickets().act(&gus, id, None, say("Is it on?")).await.expect("said");
        clock.advance(chrono::Duration::minutes(1));
        let ran = desk.run_due(desk.now()).await.expect("looked at");
        assert!(ran.done > 0);
    });
    world.run().await;
    assert!(storage.happened());
    let (ticket, levels) = (world.desk.tickets().get(&world.system(), id).await?, world.levels(id).await);
    assert_eq!(levels.followed.version, ticket.version);
    world.pass(1).await;
    is_as_the_log_says(&world, id).await
}
