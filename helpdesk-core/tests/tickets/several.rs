//! Several acts on one ticket, and the same acts on several tickets.

use helpdesk_core::groups::ClosedReplies;
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{Act, Edit, MAX_BULK, Priority, Revision, Status, Ticket, TicketId};
use helpdesk_core::{Conflict, Error, Problem, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{problems, say, to};

fn urgent() -> Act {
    Act::Edit(Edit { priority: Some(Some(Priority::Urgent)), ..Edit::default() })
}

#[tokio::test]
async fn several_acts_are_one_step_and_an_event_each() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let group = world.group(&[&agent], ClosedReplies::default()).await;
    let id = world.ticket(&ada, "Printer").await.id;
    let route = Act::Route { assignee: Some(agent.user()), group: Some(Some(group)) };
    let acts = vec![route, urgent(), to(Status::Pending), urgent(), say("What burns?")];
    let done = world.desk.tickets().act_all(&agent, id, Some(1), acts).await?;
    assert_eq!((done.before, done.ticket.version), (Status::New, 2));
    assert_eq!((done.ticket.assignee, done.ticket.group), (agent.user(), Some(group)));
    assert_eq!((done.ticket.state.status(), done.ticket.priority), (Status::Pending, Some(Priority::Urgent)));
    // What changes nothing the second time is not told twice.
    assert_eq!(
        world.actions(id).await,
        ["ticket.created", "ticket.assigned", "ticket.edited", "ticket.status_changed", "ticket.replied"]
    );
    let log = world.log().await;
    let told: Vec<_> = log[log.len() - 4..]
        .iter()
        .map(|event| {
            let fields = event.detail.changes.iter().map(|change| change.field.to_string());
            (event.detail.version, fields.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let expected = [(2, "status assignee group"), (2, "priority"), (2, "status"), (2, "")];
    assert_eq!(told, expected.map(|(version, fields)| (version, fields.to_owned())));
    assert_eq!(world.mails().await.len(), 1, "one mail about where it stands");
    Ok(())
}

#[tokio::test]
async fn of_several_acts_all_are_done_or_none() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let events = world.log().await.len();
    let refused = tickets.act_all(&agent, id, None, vec![urgent(), to(Status::Rejected)]).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::Move { .. }))));
    let forbidden = tickets.act_all(&ada, id, None, vec![say("Please"), urgent()]).await;
    assert!(matches!(forbidden, Err(Error::Forbidden { .. })));
    let stale = tickets.act_all(&agent, id, Some(7), vec![urgent()]).await;
    assert!(matches!(stale, Err(Error::Conflict(Conflict::Stale { current: 1 }))));
    let before = tickets.view(&agent, id).await?;
    assert_eq!((before.ticket.version, before.messages.len(), world.log().await.len()), (1, 0, events));

    let nothing =
        tickets.act_all(&agent, id, None, vec![to(Status::New), Act::Edit(Edit::default())]).await?;
    assert_eq!((nothing.ticket.version, nothing.ticket.updated_at), (1, before.ticket.updated_at));
    assert_eq!(world.log().await.len(), events, "nothing changed, nothing is told");
    Ok(())
}

#[tokio::test]
async fn who_sends_back_what_they_read_needs_leave_only_for_what_they_changed() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&agent, id, urgent()).await;
    world.act(&agent, id, Act::Assign { to: agent.user() }).await;
    world.bring(id, Status::OnHold).await;
    let whole = |ticket: &Ticket, status| Revision {
        status: Some(status),
        assignee: Some(ticket.assignee),
        group: Some(ticket.group),
        edit: Edit {
            subject: Some("Printer on fire".to_owned()),
            priority: Some(ticket.priority),
            tags: Some(ticket.tags.clone()),
            ..Edit::default()
        },
        plain: false,
    };
    let before = tickets.get(&agent, id).await?;
    // To her it is open.
    let done = tickets.act_all(&ada, id, None, whole(&before, Status::Open)).await?;
    assert_eq!((&*done.ticket.subject, done.ticket.state.status()), ("Printer on fire", Status::OnHold));
    let refused = tickets.act_all(&ada, id, None, whole(&before, Status::Pending)).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));

    // A closed ticket takes tags, whatever else is sent back as it was.
    world.bring(id, Status::Closed).await;
    let closed = tickets.get(&agent, id).await?;
    let mut marked = whole(&closed, Status::Closed);
    marked.edit.tags = Some(["fire".to_owned()].into());
    assert!(tickets.act_all(&agent, id, None, marked.clone()).await?.ticket.tags.contains("fire"));
    marked.edit.subject = Some("Printer".to_owned());
    let refused = tickets.act_all(&agent, id, None, marked.clone()).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::Status { status: Status::Closed }))));
    world.act(&agent, id, Act::Delete).await;
    let refused = tickets.act_all(&agent, id, None, marked).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::Ended))));
    Ok(())
}

#[tokio::test]
async fn who_assigns_within_the_team_gives_tickets_to_those_who_share_a_group() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let ada = world.actor("ada", "customer").await;
    let (agent, near) = (world.actor("agent", "agent").await, world.actor("near", "agent").await);
    let (far, lead) = (world.actor("far", "agent").await, world.actor("lead", "team_lead").await);
    let ours = world.group(&[&agent, &near], ClosedReplies::default()).await;
    let theirs = world.group(&[&far], ClosedReplies::default()).await;
    let fresh = async || world.ticket(&ada, "Printer").await.id;
    let give = |to: &helpdesk_core::Actor| Act::Assign { to: to.user() };

    assert!(tickets.act(&agent, fresh().await, None, give(&agent)).await.is_ok());
    let given = fresh().await;
    assert!(tickets.act(&agent, given, None, give(&near)).await.is_ok());
    assert!(tickets.act(&agent, given, None, Act::Assign { to: None }).await.is_ok(), "from a colleague");
    let refused = tickets.act(&agent, fresh().await, None, give(&far)).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    // Whoever belongs to the ticket's group, also where that is given along with it.
    let id = fresh().await;
    let both = Act::Route { assignee: Some(far.user()), group: Some(Some(theirs)) };
    assert!(tickets.act(&agent, id, None, both).await.is_ok());
    let taken = tickets.act(&near, id, None, Act::Route { assignee: None, group: Some(Some(ours)) }).await?;
    assert_eq!((taken.ticket.assignee, taken.ticket.group), (far.user(), Some(ours)));
    let off = tickets.act(&near, id, None, Act::Assign { to: None }).await;
    assert!(matches!(off, Err(Error::Forbidden { .. })), "far shares no group with near");
    assert!(tickets.act(&lead, id, None, Act::Assign { to: None }).await.is_ok());
    for to in [&ada, &world.system()] {
        let mine = Act::Route { assignee: Some(agent.user()), group: None };
        assert_eq!(tickets.act(to, fresh().await, None, mine).await.is_ok(), to.user().is_none());
    }
    Ok(())
}

#[tokio::test]
async fn only_those_of_the_desk_are_given_tickets() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, lead) = (world.actor("ada", "customer").await, world.actor("lead", "team_lead").await);
    let agent = world.actor("agent", "agent").await;
    let id = world.ticket(&ada, "Printer").await.id;
    let refused = tickets.act(&lead, id, None, Act::Assign { to: ada.user() }).await.expect_err("a customer");
    assert_eq!(problems(&refused), [("assignee".to_owned(), vec![Problem::Unknown("agent")])]);
    let nowhere = helpdesk_core::groups::GroupId::from_uuid(uuid::Uuid::from_u128(1));
    for actor in [&lead, &agent] {
        let act = Act::Route { assignee: Some(ada.user()), group: Some(Some(nowhere)) };
        let refused = tickets.act(actor, id, None, act).await.expect_err("nowhere");
        let fields: Vec<_> = problems(&refused).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["assignee", "group"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_change_of_many_says_what_became_of_each() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ids = [world.ticket(&ada, "A").await.id, world.ticket(&ada, "B").await.id];
    let closed = world.ticket(&ada, "C").await.id;
    world.bring(closed, Status::Closed).await;
    let nowhere = TicketId::from_uuid(uuid::Uuid::from_u128(1));
    let named = [ids[0], closed, ids[1], ids[0], nowhere];
    let items = tickets.bulk(&agent, &named, vec![urgent(), to(Status::OnHold)]).await?;
    let told: Vec<_> = items.iter().map(|item| (item.id, item.outcome.is_ok())).collect();
    assert_eq!(told, [(ids[0], true), (closed, false), (ids[1], true), (nowhere, false)]);
    assert!(matches!(items[1].outcome, Err(Error::Rejected(Rejection::Status { status: Status::Closed }))));
    assert!(matches!(items[3].outcome, Err(Error::NotFound { .. })));
    for id in ids {
        let ticket = tickets.get(&agent, id).await?;
        assert_eq!(
            (ticket.state.status(), ticket.priority, ticket.version),
            (Status::OnHold, Some(Priority::Urgent), 2)
        );
    }
    let items = tickets.bulk(&agent, &[ids[0], ids[0]], vec![Act::Delete]).await?;
    assert!(items.len() == 1 && items[0].outcome.is_ok());
    assert!(matches!(tickets.get(&agent, ids[0]).await, Err(Error::NotFound { .. })));
    let items = tickets.bulk(&ada, &[ids[1]], vec![Act::Delete]).await?;
    assert!(matches!(items[0].outcome, Err(Error::Forbidden { .. })));

    let many = vec![ids[1]; MAX_BULK + 1];
    assert!(matches!(tickets.bulk(&agent, &many, vec![urgent()]).await, Err(Error::Invalid(_))));
    let blank = tickets.bulk(&agent, &[ids[1]], vec![say(" ")]).await;
    assert!(matches!(blank, Err(Error::Invalid(_))));
    Ok(())
}
