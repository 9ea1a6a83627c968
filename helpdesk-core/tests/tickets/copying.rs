//! Who gets copies of tickets, and who follows them (T11).

use helpdesk_core::storage::{EntityId as _, Position};
use helpdesk_core::tickets::{Act, Cc, MAX_CC, Status, TicketQuery};
use helpdesk_core::{Error, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{note, say, to};

#[tokio::test]
async fn who_is_copied_sees_the_public_side_and_may_answer() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let gus = world.actor("gus", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    assert!(matches!(tickets.get(&gus, id).await, Err(Error::Forbidden { .. })));
    let copied =
        world.act(&ada, id, Act::Copy(vec![Cc::to(" GUS@Demo.Test "), Cc::to("gus@demo.test")])).await;
    assert_eq!(copied.ticket.cc, [Cc::to("gus@demo.test")]);
    world.act(&agent, id, note("Ada again")).await;
    world.act(&agent, id, say("We are on it")).await;
    let view = tickets.view(&gus, id).await?;
    assert_eq!(view.messages.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["We are on it"]);
    assert_eq!(tickets.all(&gus, TicketQuery::default()).await?.len(), 1);
    world.act(&agent, id, to(Status::Pending)).await;
    assert_eq!(world.act(&gus, id, say("Mine too")).await.ticket.state.status(), Status::Open);
    for act in [note("Psst"), to(Status::OnHold), Act::Copy(vec![Cc::to("eve@demo.test")]), Act::Claim] {
        assert!(matches!(tickets.act(&gus, id, None, act).await, Err(Error::Forbidden { .. })));
    }
    let refused = tickets.history(&gus, id, None).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    world.act(&ada, id, Act::EndCopy { address: "Gus@demo.test".into() }).await;
    assert!(matches!(tickets.get(&gus, id).await, Err(Error::Forbidden { .. })));
    assert!(tickets.all(&gus, TicketQuery::default()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn copies_are_bounded_and_addresses_well_formed() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    let people = |from: usize, to: usize| (from..to).map(|n| Cc::to(format!("p{n}@x.test"))).collect();
    world.act(&ada, id, Act::Copy(people(0, MAX_CC))).await;
    world.act(&ada, id, Act::Copy(people(3, 9))).await;
    let full = tickets.act(&ada, id, None, Act::Copy(people(MAX_CC, MAX_CC + 1))).await;
    assert!(matches!(full, Err(Error::Rejected(Rejection::Limit { limit: 48, .. }))));
    for wrong in [vec![Cc::to("nobody")], vec![Cc::to("")], vec![Cc::to("a\0@x.test")], people(0, MAX_CC + 1)]
    {
        let refused = tickets.act(&ada, id, None, Act::Copy(wrong)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let log = world.desk.store().storage().events(Position::default(), 1_000).await?;
    assert!(log.iter().all(|entry| !entry.record.body.json.contains("x.test")), "the log holds no addresses");
    Ok(())
}

#[tokio::test]
async fn followers_are_of_the_desk_and_nobody_else_sees_them() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let technician = world.actor("tech", "technician").await;
    let id = world.ticket(&ada, "Printer").await.id;
    let follow = Act::Follow { who: technician.person()? };
    assert!(matches!(tickets.act(&ada, id, None, follow.clone()).await, Err(Error::Forbidden { .. })));
    let customer = tickets.act(&agent, id, None, Act::Follow { who: ada.person()? }).await;
    assert!(matches!(customer, Err(Error::Invalid(_))));
    assert!(matches!(tickets.get(&technician, id).await, Err(Error::Forbidden { .. })));
    world.act(&agent, id, follow).await;
    world.act(&agent, id, note("Look at this")).await;
    assert_eq!(tickets.view(&technician, id).await?.messages.len(), 1);
    let followed = TicketQuery::default().follower(technician.person()?);
    assert_eq!(tickets.all(&technician, followed).await?.len(), 1);
    let seen = tickets.history(&ada, id, None).await?.events;
    assert_eq!(seen.iter().map(|event| &*event.action).collect::<Vec<_>>(), ["ticket.created"]);
    let log = world.log().await;
    let noted = log.iter().find(|event| event.action == "ticket.noted").expect("an event");
    assert!(noted.subject == id.uuid() && noted.is_visible_to(&technician) && !noted.is_visible_to(&ada));
    world.act(&technician, id, Act::Unfollow { who: technician.person()? }).await;
    assert!(matches!(tickets.get(&technician, id).await, Err(Error::Forbidden { .. })));
    Ok(())
}
