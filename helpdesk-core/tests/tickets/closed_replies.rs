//! Replies on closed tickets (T5).

use chrono::Duration;
use helpdesk_core::groups::ClosedReplies;
use helpdesk_core::tickets::{Act, Cc, LinkKind, Status, Ticket, TicketId};
use helpdesk_core::{Actor, Error, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{note, say};

/// A closed ticket of a group with a policy; without one, of no group.
async fn closed(world: &World, of: &Actor, policy: Option<ClosedReplies>) -> TicketId {
    let id = world.ticket(of, "Printer").await.id;
    if let Some(policy) = policy {
        let group = world.group(&[], policy).await;
        let route = Act::Route { assignee: None, group: Some(Some(group)) };
        world.act(&world.system(), id, route).await;
    }
    world.bring(id, Status::Closed).await;
    id
}

#[tokio::test]
async fn the_group_says_what_becomes_of_a_reply_on_a_closed_ticket() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let within = |days| Some(ClosedReplies::ReopenWithin { days });
    let (days, second) = (Duration::days, Duration::seconds(1));
    for (policy, after, reopens) in [
        (Some(ClosedReplies::Reopen), days(400), true),
        (Some(ClosedReplies::FollowUp), Duration::zero(), false),
        (within(3), days(3), true),
        (within(3), days(3) + second, false),
        (None, days(14), true),
        (None, days(14) + second, false),
    ] {
        let id = closed(&world, &ada, policy).await;
        world.clock.advance(after);
        let done = world.act(&ada, id, say("It burns again")).await;
        assert_eq!(done.before, Status::Closed);
        let old = world.desk.tickets().view(&ada, id).await?;
        if reopens {
            assert_eq!(
                (done.ticket.id, done.ticket.state.status()),
                (id, Status::Open),
                "{policy:?} {after}"
            );
            assert_eq!(done.ticket.solved_at, None);
            assert_eq!(old.messages.len(), 1);
        } else {
            assert_eq!((done.ticket.state.status(), done.message), (Status::New, None), "{policy:?} {after}");
            assert_eq!((done.ticket.follow_up_of, &*done.ticket.description), (Some(id), "It burns again"));
            assert_eq!((old.ticket.state.status(), old.messages.len()), (Status::Closed, 0));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_follow_up_has_the_fields_of_the_closed_one_and_is_linked() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let tickets = world.desk.tickets();
    let id = closed(&world, &ada, Some(ClosedReplies::FollowUp)).await;
    let mut changes = world.desk.changes();
    let before = tickets.get(&agent, id).await?;
    let known = Ticket {
        tags: ["fire".to_owned()].into(),
        category: Some("Hardware".into()),
        cc: vec![Cc::to("bob@demo.test")],
        assignee: agent.user(),
        ..before.value.clone()
    };
    changes.update(&before, &known);
    world.desk.commit(changes).await?;
    let upload = world.desk.uploads().upload(&ada, "a.txt", "text".into()).await?;
    let reply = helpdesk_core::tickets::Comment::public("Again").with([upload.id]);
    let ticket = world.act(&ada, id, Act::Say(reply)).await.ticket;
    assert_eq!((ticket.requester, ticket.assignee, ticket.group), (known.requester, None, known.group));
    assert_eq!((&ticket.tags, &ticket.category, &ticket.cc), (&known.tags, &known.category, &known.cc));
    assert_eq!((&ticket.subject, ticket.attachments), (&known.subject, 1));
    assert_eq!(tickets.view(&ada, ticket.id).await?.attachments.len(), 1);
    let links = tickets.links(&agent, id).await?;
    assert_eq!((links.len(), links[0].ticket.id, links[0].link.kind), (1, ticket.id, LinkKind::FollowUp));
    assert!(!links[0].is_outgoing());
    assert!(tickets.links(&agent, ticket.id).await?[0].is_outgoing());
    assert_eq!(world.actions(ticket.id).await, ["ticket.created"]);
    Ok(())
}

#[tokio::test]
async fn who_asked_gets_copies_of_what_somebody_in_copy_follows_up() -> Result<()> {
    let world = World::new().await;
    let (ada, bob) = (world.actor("ada", "customer").await, world.actor("bob", "customer").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let copies = ["bob@demo.test", "eve@x.test"].map(Cc::to).to_vec();
    world.act(&ada, id, Act::Copy(copies)).await;
    world.bring(id, Status::Closed).await;
    world.clock.advance(Duration::days(20));
    let ticket = world.act(&bob, id, say("Again")).await.ticket;
    assert_eq!(Some(ticket.requester), bob.user());
    let copies: Vec<_> = ticket.cc.iter().map(|cc| &*cc.address).collect();
    assert_eq!(copies, ["eve@x.test", "ada@demo.test"]);
    assert!(world.desk.tickets().view(&ada, ticket.id).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn only_replies_from_outside_open_what_is_closed() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let gus = world.actor("gus", "customer").await;
    for policy in [ClosedReplies::Reopen, ClosedReplies::FollowUp] {
        let id = closed(&world, &ada, Some(policy)).await;
        let refused = tickets.act(&agent, id, None, say("Hello?")).await;
        assert!(matches!(refused, Err(Error::Rejected(Rejection::Status { status: Status::Closed }))));
        assert!(matches!(tickets.act(&gus, id, None, say("Hello?")).await, Err(Error::Forbidden { .. })));
        assert_eq!(world.act(&agent, id, note("Odd")).await.ticket.state.status(), Status::Closed);
    }
    let id = closed(&world, &ada, Some(ClosedReplies::FollowUp)).await;
    world.act(&world.system(), id, Act::Delete).await;
    let gone = tickets.act(&ada, id, None, say("Hello?")).await;
    assert!(matches!(gone, Err(Error::Rejected(Rejection::Ended))));
    Ok(())
}
