//! Acting on tickets.

use std::collections::BTreeSet;
use std::sync::Arc;

use helpdesk_core::identity::{NewApiKey, NewUser, Person, UserId, permissions};
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{
    Act, Comment, Edit, Priority, State, Status, TicketQuery, Visibility, Workflow,
};
use helpdesk_core::{Conflict, Error, Problem, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{approve, file, note, problems, request, say, to};

#[tokio::test]
async fn a_ticket_goes_its_way_from_approval_to_the_end() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let coordinator = world.actor("coordinator", "coordinator").await;
    let id = world.ticket(&ada, "Printer").await.id;
    let told = Comment::public("It is {to}, was {from}").automatic();
    let approval =
        Act::Approve { priority: Priority::High, department: Some("IT".into()), comment: Some(told) };
    let approved = world.act(&coordinator, id, approval).await;
    assert_eq!((approved.before, approved.ticket.state.status()), (Status::New, Status::Open));
    assert_eq!((approved.ticket.version, approved.ticket.priority), (2, Some(Priority::High)));
    let claimed = world.act(&agent, id, Act::Claim).await.ticket;
    assert_eq!((claimed.state.status(), claimed.assignee), (Status::InProgress, agent.user()));
    let solved = Act::Move { to: Status::Resolved, from: None, comment: Some(Comment::public("Put out")) };
    let solved = world.act(&agent, id, solved).await;
    assert_eq!(solved.ticket.first_replied_at, Some(world.desk.now()));
    let reopened = world.act(&ada, id, say("It burns again")).await.ticket;
    assert_eq!(reopened.state, State::Open);
    world.act(&agent, id, to(Status::Resolved)).await;
    let closed = world.act(&ada, id, Act::Close { comment: None }).await.ticket;
    assert_eq!(closed.state.closed_at(), Some(world.desk.now()));

    let view = world.desk.tickets().view(&ada, id).await?;
    let said: Vec<_> =
        view.messages.iter().map(|message| (&*message.body, message.author, message.automatic)).collect();
    assert_eq!(
        said,
        [
            ("It is Open, was New", coordinator.who(), true),
            ("Put out", agent.who(), false),
            ("It burns again", ada.who(), false)
        ]
    );
    assert_eq!(view.messages[1].id, solved.message.expect("a message"));
    assert_eq!(view.ticket.value, closed.value);
    assert_eq!((view.ticket.version, view.ticket.updated_at), (closed.version, closed.updated_at));
    Ok(())
}

#[tokio::test]
async fn who_has_seen_an_older_version_is_told_the_present_one() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ticket = world.ticket(&ada, "Printer").await;
    world.act(&agent, ticket.id, note("Seen")).await;
    world.act(&agent, ticket.id, note("Twice")).await;
    let before = world.log().await.len();
    for stale in [0, 1, 2, 4, -1] {
        let refused = tickets.act(&agent, ticket.id, Some(stale), to(Status::OnHold)).await;
        assert!(matches!(refused, Err(Error::Conflict(Conflict::Stale { current: 3 }))), "{refused:?}");
    }
    assert_eq!(world.log().await.len(), before);
    let done = tickets.act(&agent, ticket.id, Some(3), to(Status::OnHold)).await?;
    assert_eq!(done.ticket.version, 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_ten_who_claim_at_once_one_has_it() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let ticket = world.ticket(&ada, "Printer").await;
    world.bring(ticket.id, Status::Open).await;
    let start = Arc::new(tokio::sync::Barrier::new(10));
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..10 {
        let agent = world.actor(&format!("agent{number}"), "agent").await;
        let (tickets, start) = (world.desk.tickets(), Arc::clone(&start));
        claims.spawn(async move {
            start.wait().await;
            (agent.user(), tickets.act(&agent, ticket.id, None, Act::Claim).await)
        });
    }
    let mut winners = Vec::new();
    for (agent, claim) in claims.join_all().await {
        match claim {
            Ok(done) => winners.push((agent, done.ticket.version)),
            Err(error) => assert!(matches!(error, Error::Conflict(Conflict::Claimed)), "{error:?}"),
        }
    }
    let stands = world.desk.tickets().get(&world.system(), ticket.id).await?;
    assert_eq!(winners, [(stands.assignee, 3)]);
    assert_eq!(world.actions(ticket.id).await.iter().filter(|action| *action == "ticket.claimed").count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_at_once_is_all_kept() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ticket = world.ticket(&ada, "Printer").await;
    let mut said = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (tickets, actor) =
            (world.desk.tickets(), if number % 2 == 0 { ada.clone() } else { agent.clone() });
        said.spawn(async move { tickets.act(&actor, ticket.id, None, say(&number.to_string())).await });
    }
    // Who crossed with others ten times over is told so; nobody is told what is not true.
    let done = said.join_all().await.into_iter().filter(Result::is_ok).count();
    let view = world.desk.tickets().view(&ada, ticket.id).await?;
    assert_eq!((view.messages.len(), view.ticket.version), (done, 1 + done as i64));
    assert!(done > 0);
    Ok(())
}

#[tokio::test]
async fn what_is_given_with_an_act_is_checked_all_at_once() {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, admin) = (world.actor("ada", "customer").await, world.actor("admin", "admin").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let before = world.log().await.len();
    let blank = || Some(Comment::public(" \n"));
    let long = || "x".repeat(501);
    let edit = Edit {
        subject: Some("".into()),
        description: Some("x".repeat(100_001)),
        category: Some(Some(long())),
        subcategory: Some(Some(long())),
        department: Some(Some(long())),
        tags: Some(BTreeSet::from([" ".to_owned(), "y".repeat(101)])),
        ..Edit::default()
    };
    type Expected = Vec<(&'static str, Vec<Problem>)>;
    let cases: [(Act, Expected); 7] = [
        (say(" "), vec![("comment", vec![Problem::Blank])]),
        (note(&"x".repeat(100_001)), vec![("comment", vec![Problem::TooLong(100_000)])]),
        (say("a\0b"), vec![("comment", vec![Problem::NulCharacter])]),
        (
            Act::Reject { reason: "".into(), comment: blank() },
            vec![("comment", vec![Problem::Blank]), ("reason", vec![Problem::Blank])],
        ),
        (
            Act::Approve { priority: Priority::Low, department: Some(long()), comment: blank() },
            vec![("comment", vec![Problem::Blank]), ("department", vec![Problem::TooLong(500)])],
        ),
        (
            Act::Edit(edit),
            vec![
                ("category", vec![Problem::TooLong(500)]),
                ("department", vec![Problem::TooLong(500)]),
                ("description", vec![Problem::TooLong(100_000)]),
                ("subcategory", vec![Problem::TooLong(500)]),
                ("subject", vec![Problem::Blank]),
                ("tags", vec![Problem::Blank, Problem::TooLong(100)]),
            ],
        ),
        (
            Act::Escalate { level: 0, reason: Some("x".repeat(100_001)) },
            vec![("level", vec![Problem::TooSmall(1)]), ("reason", vec![Problem::TooLong(100_000)])],
        ),
    ];
    for (act, expected) in cases {
        let error = tickets.act(&admin, id, None, act).await.expect_err("it is wrong");
        let expected: Vec<_> = expected.into_iter().map(|(field, list)| (field.to_owned(), list)).collect();
        assert_eq!(problems(&error), expected);
    }
    assert_eq!(world.log().await.len(), before);
}

#[tokio::test]
async fn a_ticket_is_given_only_to_somebody_who_is_there() -> Result<()> {
    let world = World::new().await;
    let (tickets, identity) = (world.desk.tickets(), world.desk.identity());
    let (ada, admin) = (world.actor("ada", "customer").await, world.actor("admin", "admin").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let gone = world.user("gone", "agent").await.id;
    identity.deactivate(&admin, gone).await?;
    let waiting = NewUser {
        person: Person {
            first_name: "W".into(),
            last_name: "W".into(),
            email: "w@demo.test".into(),
            ..Person::default()
        },
        role: "agent".into(),
        ..NewUser::default()
    };
    let waiting = identity.create_user(&admin, waiting).await?.id;
    let elsewhere = identity.create_organisation("Other", "other").await?;
    let foreign = world.user_in(elsewhere, "eve", "agent").await.id;
    let nobody = UserId::from_uuid(uuid::Uuid::from_u128(1));
    for to in [gone, waiting, foreign, nobody] {
        let refused =
            tickets.act(&admin, id, None, Act::Assign { to: Some(to) }).await.expect_err("not there");
        assert_eq!(problems(&refused), [("assignee".to_owned(), vec![Problem::Unknown("account")])]);
    }
    let agent = world.actor("agent", "agent").await;
    let given = world.act(&admin, id, Act::Assign { to: agent.user() }).await.ticket;
    assert_eq!((given.assignee, given.state.status()), (agent.user(), Status::Open));
    let taken = world.act(&admin, id, Act::Assign { to: None }).await.ticket;
    assert_eq!((taken.assignee, taken.state.status()), (None, Status::Open));
    Ok(())
}

#[tokio::test]
async fn only_people_claim() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Open).await;
    let admin = world.actor("admin", "admin").await;
    let permissions = [permissions::TICKET_CLAIM, permissions::TICKET_VIEW_ALL].into();
    let key = NewApiKey { name: "program".into(), permissions, expires: None };
    let (_, key) = world.desk.identity().create_api_key(&admin, key).await?;
    let via = Arc::clone(admin.via());
    let program = world.desk.identity().authenticate_key(&key, via).await?.actor;
    for actor in [program, world.system()] {
        let refused = world.desk.tickets().act(&actor, id, None, Act::Claim).await;
        assert!(matches!(refused, Err(Error::NotYours { .. })), "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_door_may_have_a_table_of_its_own() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let strict = Workflow::empty().allow(Status::New, Status::OnHold).allow(Status::Rejected, Status::Open);
    let refused = tickets.act_by(&agent, id, None, to(Status::Open), Some(&strict)).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::Move { from: Status::New, to: Status::Open }))));
    tickets.act_by(&agent, id, None, to(Status::OnHold), Some(&strict)).await?;
    tickets.act_by(&agent, id, None, to(Status::Pending), None).await?;
    let other = world.ticket(&ada, "Other").await.id;
    world.bring(other, Status::Rejected).await;
    let ended = tickets.act(&agent, other, None, to(Status::Open)).await;
    assert!(matches!(ended, Err(Error::Rejected(Rejection::Ended))));
    assert!(tickets.act_by(&agent, other, None, to(Status::Open), Some(&strict)).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn the_requester_closes_and_withdraws_what_is_theirs() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let withdraw = || Act::Withdraw { comment: Some(Comment::public("Found it")) };
    assert!(matches!(tickets.act(&gus, id, None, withdraw()).await, Err(Error::Forbidden { .. })));
    let system = tickets.act(&world.system(), id, None, withdraw()).await;
    assert!(matches!(system, Err(Error::NotYours { .. })));
    world.act(&ada, id, withdraw()).await;
    let view = tickets.view(&ada, id).await?;
    assert_eq!((view.ticket.state.status(), view.messages.len()), (Status::Withdrawn, 1));
    assert_eq!(view.messages[0].visibility, Visibility::Public);
    for act in [say("Hello?"), withdraw(), Act::Close { comment: None }] {
        let ended = tickets.act(&ada, id, None, act).await;
        assert!(matches!(ended, Err(Error::Rejected(Rejection::Ended))));
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_ticket_is_nowhere_until_it_is_restored() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, manager) = (world.actor("ada", "customer").await, world.actor("manager", "manager").await);
    let new = helpdesk_core::tickets::NewTicket { files: vec![file("a.txt", b"a")], ..request("Printer") };
    let (ticket, files) = tickets.create(&ada, new).await?;
    let id = ticket.id;
    world.bring(id, Status::OnHold).await;
    let before = tickets.get(&ada, id).await?.value.clone();
    let deleted = world.act(&manager, id, Act::Delete).await.ticket;
    assert_eq!(deleted.deleted.as_ref().and_then(|deletion| deletion.by), manager.user());
    let gone = |result: Result<()>| matches!(result, Err(Error::NotFound { .. }));
    for actor in [&ada, &manager, &world.system()] {
        assert!(
            gone(tickets.get(actor, id).await.map(drop)) && gone(tickets.view(actor, id).await.map(drop))
        );
        assert!(gone(tickets.file(actor, files[0].id).await.map(drop)));
        assert!(tickets.all(actor, TicketQuery::default()).await?.is_empty());
    }
    assert!(gone(tickets.history(&manager, id, None).await.map(drop)));
    for act in [say("Hello?"), approve(), Act::Delete, Act::Edit(Edit::default())] {
        let ended = tickets.act(&world.system(), id, None, act).await;
        assert!(matches!(ended, Err(Error::Rejected(Rejection::Ended))));
    }
    let refused = tickets.act(&ada, id, None, Act::Restore).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    let restored = world.act(&manager, id, Act::Restore).await.ticket;
    assert_eq!(restored.value, before);
    assert_eq!(tickets.view(&ada, id).await?.attachments.len(), 1);
    let twice = tickets.act(&manager, id, None, Act::Restore).await;
    assert!(matches!(twice, Err(Error::Rejected(Rejection::Status { status: Status::OnHold }))));
    Ok(())
}

#[tokio::test]
async fn raising_and_editing_are_written_into_the_ticket() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let raise = Act::Escalate { level: 2, reason: Some("The boss".into()) };
    let escalation = world.act(&agent, id, raise).await.ticket.value.escalation.expect("raised");
    assert_eq!((escalation.level, escalation.by, escalation.at), (2, agent.user(), world.desk.now()));
    let edit = Edit { priority: Some(Some(Priority::Urgent)), category: Some(None), ..Edit::default() };
    let edited = world.act(&agent, id, Act::Edit(edit)).await.ticket;
    assert_eq!(
        (edited.priority, &edited.category, &*edited.subject),
        (Some(Priority::Urgent), &None, "Printer")
    );
    // What the requester said is theirs to change; how urgent it is, is not.
    let reworded = Edit { subject: Some("The printer".into()), ..Edit::default() };
    assert_eq!(&*world.act(&ada, id, Act::Edit(reworded)).await.ticket.subject, "The printer");
    let urgent = Edit { priority: Some(Some(Priority::Urgent)), ..Edit::default() };
    let refused = world.desk.tickets().act(&ada, id, None, Act::Edit(urgent)).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    Ok(())
}
