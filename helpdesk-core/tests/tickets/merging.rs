//! Merging, parting, splitting and linking tickets (T10).

use chrono::Duration;
use helpdesk_core::tickets::{Act, Cc, LinkKind, NewTicket, Status};
use helpdesk_core::{Actor, Error, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{file, note, request, say, to};

async fn people(world: &World) -> [Actor; 3] {
    [
        world.actor("ada", "customer").await,
        world.actor("gus", "customer").await,
        world.actor("agent", "agent").await,
    ]
}

fn is_refused<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Rejected(_)))
}

#[tokio::test]
async fn what_was_said_on_a_merged_ticket_stands_among_the_rest_by_time() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let tickets = world.desk.tickets();
    let new = NewTicket { files: vec![file("a.txt", b"text")], ..request("Smoke") };
    let source = tickets.create(&gus, new).await?.0.id;
    let target = world.ticket(&ada, "Fire").await.id;
    world.act(&ada, target, say("one")).await;
    world.act(&gus, source, say("two")).await;
    world.act(&agent, source, note("three")).await;
    world.act(&ada, target, say("four")).await;
    let merged = tickets.merge(&agent, source, target).await?;
    assert_eq!(merged.source.state.merged_into(), Some(target));
    assert!(merged.target.merged.contains(&source));
    let said = async |actor: &Actor| -> Result<String> {
        let view = tickets.view(actor, target).await?;
        let page = tickets.messages(actor, target, 100, helpdesk_core::storage::From::Start).await?;
        assert_eq!(page.items.len(), view.messages.len());
        assert_eq!(page.total.map(|total| total.count), Some(view.messages.len() as u64));
        Ok(view.messages.iter().map(|message| &*message.body).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(said(&agent).await?, "one two three four");
    assert_eq!(said(&ada).await?, "one two four");
    // Who asked for the one gets copies of the other, and sees its public side.
    assert_eq!(said(&gus).await?, "one two four");
    let files = tickets.view(&ada, target).await?.attachments;
    assert_eq!(tickets.view(&gus, target).await?.attachments.len(), 1);
    assert_eq!(&*tickets.file(&ada, files[0].id).await?.content, b"text", "what is shown can be read");
    let told = world.actions(source).await;
    assert_eq!(told.last().map(String::as_str), Some("ticket.merged"));
    assert_eq!(world.actions(target).await.last().map(String::as_str), Some("ticket.absorbed"));

    // A reply to the old number lands on the other one, and wakes it.
    world.act(&agent, target, to(Status::Pending)).await;
    let done = world.act(&gus, source, say("five")).await;
    assert_eq!((done.ticket.id, done.ticket.state.status()), (target, Status::Open));
    assert_eq!(done.ticket.first_replied_at, None, "somebody outside is no answer");
    assert_eq!(said(&agent).await?, "one two three four five");
    assert!(is_refused(tickets.act(&agent, source, None, to(Status::Open)).await));
    Ok(())
}

#[tokio::test]
async fn a_merge_is_undone_within_thirty_days() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let tickets = world.desk.tickets();
    let (source, target) = (world.ticket(&gus, "Smoke").await.id, world.ticket(&ada, "Fire").await.id);
    world.bring(source, Status::OnHold).await;
    world.act(&agent, target, Act::Copy(vec![Cc::to("eve@demo.test")])).await;
    let before = (tickets.get(&agent, source).await?, tickets.get(&agent, target).await?);
    tickets.merge(&agent, source, target).await?;
    assert!(tickets.get(&gus, target).await.is_ok());
    world.clock.advance(Duration::days(30));
    let parted = tickets.unmerge(&agent, source).await?;
    assert_eq!((parted.source.value, parted.target.value), (before.0.value.clone(), before.1.value.clone()));
    assert!(matches!(tickets.get(&gus, target).await, Err(Error::Forbidden { .. })));
    assert!(is_refused(tickets.unmerge(&agent, source).await));

    tickets.merge(&agent, source, target).await?;
    world.clock.advance(Duration::days(30) + Duration::seconds(1));
    assert!(is_refused(tickets.unmerge(&agent, source).await));
    Ok(())
}

#[tokio::test]
async fn who_came_with_two_tickets_stays_while_one_of_them_is_part() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let (eve, tickets) = (world.actor("eve", "customer").await, world.desk.tickets());
    let (a, b) = (world.ticket(&gus, "Smoke").await.id, world.ticket(&gus, "Ash").await.id);
    let (c, target) = (world.ticket(&ada, "Heat").await.id, world.ticket(&ada, "Fire").await.id);
    world.act(&agent, a, Act::Copy(vec![Cc::to("eve@demo.test"), Cc::to("max@demo.test")])).await;
    world.act(&agent, c, Act::Copy(vec![Cc::to("eve@demo.test"), Cc::to("zoe@demo.test")])).await;
    for source in [a, b, c] {
        tickets.merge(&agent, source, target).await?;
    }
    // Somebody is let off.
    world.act(&agent, target, Act::EndCopy { address: "zoe@demo.test".to_owned() }).await;
    let copies = async || -> Result<Vec<(String, bool)>> {
        let ticket = tickets.get(&agent, target).await?;
        Ok(ticket.cc.iter().map(|cc| (cc.address.clone(), cc.with.is_some())).collect())
    };
    let stay =
        |names: &[&str]| -> Vec<_> { names.iter().map(|name| (format!("{name}@demo.test"), true)).collect() };
    assert_eq!(copies().await?, stay(&["eve", "max", "gus"]));
    tickets.unmerge(&agent, a).await?;
    assert_eq!(copies().await?, stay(&["eve", "gus"]));
    assert!(tickets.get(&gus, target).await.is_ok() && tickets.get(&eve, target).await.is_ok());
    tickets.unmerge(&agent, b).await?;
    assert_eq!(copies().await?, stay(&["eve"]));
    assert!(matches!(tickets.get(&gus, target).await, Err(Error::Forbidden { .. })));
    tickets.unmerge(&agent, c).await?;
    assert!(copies().await?.is_empty());
    assert!(matches!(tickets.get(&eve, target).await, Err(Error::Forbidden { .. })));
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_is_split_off_belongs_to_no_group_that_is_gone() -> Result<()> {
    let world = World::new().await;
    let [ada, _, agent] = people(&world).await;
    let (tickets, system) = (world.desk.tickets(), world.system());
    let group = world.group(&[&agent], helpdesk_core::groups::ClosedReplies::FollowUp).await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&system, id, Act::Route { assignee: None, group: Some(Some(group)) }).await;
    let said = world.act(&ada, id, say("And the phone is dead")).await.message.expect("a message");
    assert_eq!(tickets.split(&agent, id, said, None).await?.group, Some(group));
    world.bring(id, Status::Closed).await;
    assert_eq!(world.act(&ada, id, say("It burns")).await.ticket.group, Some(group));
    // The tickets of the group are still to be looked through.
    world.desk.groups().delete(&system, group).await?;
    assert_eq!(tickets.split(&agent, id, said, None).await?.group, None);
    world.clock.advance(Duration::days(15));
    let follow_up = world.act(&ada, id, say("It burns again")).await.ticket;
    assert_eq!((follow_up.follow_up_of, follow_up.group), (Some(id), None));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_merged_stays_as_it_is() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let tickets = world.desk.tickets();
    let fresh = async |status: Status| {
        let id = world.ticket(&ada, "Printer").await.id;
        world.bring(id, status).await;
        id
    };
    let (a, b, c) = (fresh(Status::Open).await, fresh(Status::Open).await, fresh(Status::Open).await);
    for status in [Status::Resolved, Status::Closed, Status::Rejected, Status::Spam] {
        let done = fresh(status).await;
        assert!(is_refused(tickets.merge(&agent, a, done).await), "into {status}");
    }
    assert!(is_refused(tickets.merge(&agent, a, a).await));
    tickets.merge(&agent, a, b).await?;
    assert!(is_refused(tickets.merge(&agent, b, c).await), "a chain");
    assert!(is_refused(tickets.merge(&agent, b, a).await), "a cycle");
    assert!(is_refused(tickets.merge(&agent, c, a).await), "into what is merged");
    assert!(is_refused(tickets.merge(&agent, a, c).await), "a second time");
    let forbidden = tickets.merge(&ada, c, b).await;
    assert!(matches!(forbidden, Err(Error::Forbidden { .. })));
    world.act(&agent, c, Act::Delete).await;
    assert!(matches!(tickets.merge(&agent, c, b).await, Err(Error::Rejected(Rejection::Ended))));
    assert!(tickets.get(&gus, b).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_message_becomes_a_ticket_that_is_linked() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let tickets = world.desk.tickets();
    let id = world.ticket(&ada, "Printer").await.id;
    let other = world.ticket(&gus, "Other").await.id;
    let said = world.act(&ada, id, say("And the phone is dead")).await.message.expect("a message");
    let elsewhere = world.act(&gus, other, say("Hello")).await.message.expect("a message");
    let split = tickets.split(&agent, id, said, Some("Phone".into())).await?;
    assert_eq!((&*split.subject, &*split.description), ("Phone", "And the phone is dead"));
    assert_eq!((Some(split.requester), split.state.status()), (ada.user(), Status::New));
    assert_eq!(tickets.view(&agent, id).await?.messages.len(), 1, "it stays where it was said");
    let links = tickets.links(&agent, id).await?;
    assert_eq!((links[0].ticket.id, links[0].link.kind), (split.id, LinkKind::Split));
    // A note of the desk becomes a ticket of who wrote it, and not of who must not read it.
    let noted = world.act(&agent, id, note("Order toner")).await.message.expect("a message");
    assert_eq!(Some(tickets.split(&agent, id, noted, None).await?.requester), agent.user());
    assert!(matches!(tickets.split(&agent, id, elsewhere, None).await, Err(Error::Invalid(_))));
    assert!(matches!(tickets.split(&agent, id, said, Some(" ".into())).await, Err(Error::Invalid(_))));
    assert!(matches!(tickets.split(&ada, id, said, None).await, Err(Error::Forbidden { .. })));
    Ok(())
}

#[tokio::test]
async fn links_are_seen_from_both_ends_by_who_sees_the_tickets() -> Result<()> {
    let world = World::new().await;
    let [ada, gus, agent] = people(&world).await;
    let tickets = world.desk.tickets();
    let (a, b) = (world.ticket(&ada, "A").await.id, world.ticket(&gus, "B").await.id);
    let related = tickets.link(&agent, b, LinkKind::Related, a).await?;
    tickets.link(&agent, a, LinkKind::Blocks, b).await?;
    for (from, to) in [(a, b), (b, a)] {
        let twice = tickets.link(&agent, from, LinkKind::Related, to).await;
        assert!(matches!(twice, Err(Error::Invalid(_))), "it is there already");
    }
    assert!(tickets.link(&agent, b, LinkKind::Blocks, a).await.is_ok(), "the other way round is another");
    assert!(matches!(tickets.link(&agent, a, LinkKind::Related, a).await, Err(Error::Invalid(_))));
    let seen = async |actor: &Actor, id| -> Result<usize> { Ok(tickets.links(actor, id).await?.len()) };
    assert_eq!((seen(&agent, a).await?, seen(&agent, b).await?), (3, 3));
    assert_eq!((seen(&ada, a).await?, seen(&gus, b).await?), (0, 0));
    let forbidden = tickets.unlink(&ada, related.id).await;
    assert!(matches!(forbidden, Err(Error::Forbidden { .. })));
    tickets.unlink(&agent, related.id).await?;
    assert!(matches!(tickets.unlink(&agent, related.id).await, Err(Error::NotFound { .. })));
    assert_eq!(seen(&agent, a).await?, 2);
    assert_eq!(
        world.actions(a).await[1..],
        ["ticket.linked", "ticket.linked", "ticket.linked", "ticket.unlinked"]
    );
    world.act(&agent, b, Act::Delete).await;
    assert_eq!(seen(&agent, a).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_cycle_comes_about_however_many_merge_at_once() -> Result<()> {
    let world = World::new().await;
    let [ada, _, agent] = people(&world).await;
    for _ in 0..20 {
        let ids = [
            world.ticket(&ada, "A").await.id,
            world.ticket(&ada, "B").await.id,
            world.ticket(&ada, "C").await.id,
        ];
        let merges: Vec<_> = (0..3)
            .map(|n| {
                let (tickets, agent) = (world.desk.tickets(), agent.clone());
                let (from, into) = (ids[n], ids[(n + 1) % 3]);
                tokio::spawn(async move { tickets.merge(&agent, from, into).await.is_ok() })
            })
            .collect();
        let mut done = 0;
        for merge in merges {
            done += u32::from(merge.await.expect("nobody panicked"));
        }
        assert_eq!(done, 1, "each of them touches what the other two would need");
        let mut merged = 0;
        for id in ids {
            let ticket = world.desk.tickets().get(&agent, id).await?;
            if let Some(into) = ticket.state.merged_into() {
                merged += 1;
                assert!(world.desk.tickets().get(&agent, into).await?.merged.contains(&id));
            }
        }
        assert_eq!(merged, 1);
    }
    Ok(())
}
