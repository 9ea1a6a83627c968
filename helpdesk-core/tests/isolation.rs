//! One organisation is nothing to another, whoever asks.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use helpdesk_core::events::HistoryQuery;
use helpdesk_core::groups::ClosedReplies;
use helpdesk_core::identity::{BUILTIN_ROLES, NewApiKey, permissions};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{
    Act, Attachment, Cc, Comment, Edit, LinkKind, NewTicket, Priority, Status, Ticket, TicketQuery, Workflow,
};
use helpdesk_core::uploads::UploadId;
use helpdesk_core::{Actor, Error, Problem, Result};
use support::World;
use support::tickets::{file, note, problems, request, say, to};

/// A ticket of the one organisation, and those of the other who come as close to it as anybody can.
struct Border {
    world: World,
    ticket: Arc<Stored<Ticket>>,
    file: Stored<Attachment>,
    strangers: Vec<Actor>,
}

async fn border() -> Result<Border> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let new = NewTicket { files: vec![file("a.txt", b"secret")], ..request("Printer burns") };
    let (ticket, mut files) = world.desk.tickets().create(&ada, new).await?;
    world.bring(ticket.id, Status::Open).await;
    world.act(&ada, ticket.id, say("Still burns")).await;
    let ticket = world.desk.tickets().get(&ada, ticket.id).await?;

    let identity = world.desk.identity();
    let elsewhere = identity.create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    world.user_in(elsewhere, "mallory", "customer").await;
    let (eve, mallory) = (world.sign_in("eve").await.actor, world.sign_in("mallory").await.actor);
    let everything = BUILTIN_ROLES.iter().flat_map(|role| role.permissions()).collect();
    let key = NewApiKey { name: "everything".into(), permissions: everything, expires: None };
    let (_, key) = identity.create_api_key(&eve, key).await?;
    let program = identity.authenticate_key(&key, Arc::clone(eve.via())).await?.actor;
    let strangers = vec![eve, mallory, program, Actor::system(elsewhere)];
    world.mails().await;
    Ok(Border { world, ticket, file: files.remove(0), strangers })
}

/// Every act there is.
fn acts(assignee: &Actor) -> Vec<Act> {
    vec![
        Act::Approve { priority: Priority::Low, department: None, comment: None },
        Act::Reject { reason: "no".into(), comment: None },
        Act::Claim,
        Act::Assign { to: assignee.user() },
        Act::Assign { to: None },
        Act::Route { assignee: Some(assignee.user()), group: Some(None) },
        Act::Copy(vec![Cc::to("eve@demo.test")]),
        Act::EndCopy { address: "eve@demo.test".into() },
        to(Status::OnHold),
        Act::Withdraw { comment: None },
        Act::Close { comment: None },
        say("Hello"),
        note("Hello"),
        Act::Edit(Edit { category: Some(Some("x".into())), ..Edit::default() }),
        Act::Escalate { level: 1, reason: None },
        Act::HandOver,
        Act::Delete,
        Act::Restore,
    ]
}

/// Not there; or, for who may not do such a thing at all, forbidden, which says as little.
fn is_nothing<T: std::fmt::Debug>(result: Result<T>, stranger: &Actor) {
    match result {
        Err(Error::NotFound { .. }) => {}
        Err(Error::Forbidden { permission }) => assert!(!stranger.has(&permission), "{permission}"),
        other => panic!("{other:?} for {:?}", stranger.who()),
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_not_there_and_stays_as_it_is() -> Result<()> {
    let Border { world, ticket, file, strangers } = border().await?;
    let tickets = world.desk.tickets();
    let message = tickets.view(&world.system(), ticket.id).await?.messages[0].id;
    let before = world.desk.store().storage().health().await?.newest;
    for stranger in &strangers {
        is_nothing(tickets.get(stranger, ticket.id).await, stranger);
        is_nothing(tickets.view(stranger, ticket.id).await, stranger);
        is_nothing(tickets.history(stranger, ticket.id, None).await, stranger);
        is_nothing(tickets.file(stranger, file.id).await, stranger);
        is_nothing(tickets.by_number(stranger, ticket.number).await, stranger);
        is_nothing(tickets.attachment_by_number(stranger, file.number).await, stranger);
        assert!(tickets.attachments_of(stranger, std::slice::from_ref(&ticket)).await?.is_empty());
        assert!(tickets.all(stranger, TicketQuery::default()).await?.is_empty());
        let start = || helpdesk_core::storage::From::Start;
        is_nothing(tickets.messages(stranger, ticket.id, 10, start()).await, stranger);
        is_nothing(tickets.timeline(stranger, ticket.id, 10, start()).await, stranger);
        is_nothing(tickets.links(stranger, ticket.id).await, stranger);
        is_nothing(tickets.merge(stranger, ticket.id, ticket.id).await, stranger);
        is_nothing(tickets.unmerge(stranger, ticket.id).await, stranger);
        is_nothing(tickets.split(stranger, ticket.id, message, None).await, stranger);
        is_nothing(tickets.remove_file(stranger, file.id).await, stranger);
        assert!(tickets.files_of(stranger, &[message]).await?.is_empty());
        let as_upload = UploadId::from_uuid(file.id.uuid());
        is_nothing(world.desk.uploads().read(stranger, as_upload).await, stranger);
        is_nothing(world.desk.uploads().delete(stranger, as_upload).await, stranger);
        for act in acts(stranger) {
            for expected in [None, Some(ticket.version), Some(99)] {
                is_nothing(tickets.act(stranger, ticket.id, expected, act.clone()).await, stranger);
            }
            let workflow = Workflow::default();
            is_nothing(tickets.act_by(stranger, ticket.id, None, act, Some(&workflow)).await, stranger);
        }
    }
    // Nothing was changed, written down, enqueued or mailed.
    let stands = tickets.view(&world.system(), ticket.id).await?;
    assert_eq!((stands.ticket.version, &stands.ticket.value), (ticket.version, &ticket.value));
    assert_eq!((stands.messages.len(), stands.attachments.len()), (1, 1));
    assert_eq!(world.desk.store().storage().health().await?.newest, before);
    assert!(world.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn lists_and_searches_end_at_the_border() -> Result<()> {
    let Border { world, ticket, strangers, .. } = border().await?;
    let tickets = world.desk.tickets();
    let eve = &strangers[0];
    let own = world.ticket(eve, "Printer burns too").await;
    assert_eq!(own.number, ticket.number, "each organisation counts for itself");
    assert_eq!(tickets.by_number(eve, ticket.number).await?, own.id);
    assert_eq!(tickets.by_number(&world.system(), ticket.number).await?, ticket.id);
    for (actor, id) in [(eve, own.id), (&world.system(), ticket.id)] {
        for query in [
            TicketQuery::default(),
            TicketQuery::default().search("printer", []),
            TicketQuery::default().search("", [1]),
            TicketQuery::default().status(Status::ALL),
        ] {
            let page = tickets.list(actor, query.page(10, helpdesk_core::storage::From::Start)).await?;
            assert_eq!(page.items.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [id]);
            assert_eq!(page.total.map(|total| total.count), Some(1));
        }
    }
    let by_others = TicketQuery::default().requester(ticket.requester);
    assert!(tickets.all(eve, by_others).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn people_of_others_are_nobody() -> Result<()> {
    let Border { world, ticket, strangers, .. } = border().await?;
    let tickets = world.desk.tickets();
    let eve = &strangers[0];
    let own = world.ticket(eve, "Mine").await;
    let given = tickets.act(eve, own.id, None, Act::Assign { to: Some(ticket.requester) }).await;
    let unknown = vec![Problem::Unknown("account")];
    assert_eq!(problems(&given.expect_err("nobody")), [("assignee".to_owned(), unknown.clone())]);
    let new = NewTicket { requester: Some(ticket.requester), ..request("For Ada") };
    let made = tickets.create(eve, new).await.expect_err("nobody");
    assert_eq!(problems(&made), [("requester".to_owned(), unknown.clone())]);
    let follows = tickets.act(eve, own.id, None, Act::Follow { who: ticket.requester }).await;
    assert_eq!(problems(&follows.expect_err("nobody")), [("follower".to_owned(), unknown)]);
    let people = world.desk.identity().people(eve, vec![ticket.requester]).await?;
    assert!(people.is_empty());
    Ok(())
}

#[tokio::test]
async fn nothing_of_others_can_be_referred_to() -> Result<()> {
    let Border { world, ticket, strangers, .. } = border().await?;
    let tickets = world.desk.tickets();
    let eve = &strangers[0];
    let own = world.ticket(eve, "Mine").await.id;
    let group = world.group(&[], ClosedReplies::default()).await;
    let routed = tickets.act(eve, own, None, Act::Route { assignee: None, group: Some(Some(group)) }).await;
    let unknown = vec![("group".to_owned(), vec![Problem::Unknown("group")])];
    assert_eq!(problems(&routed.expect_err("nowhere")), unknown);
    let new = NewTicket { group: Some(group), ..request("For them") };
    assert_eq!(problems(&tickets.create(eve, new).await.expect_err("nowhere")), unknown);

    let ada = world.sign_in("ada").await.actor;
    let upload = world.desk.uploads().upload(&ada, "a.txt", "text".into()).await?.id;
    let said = Act::Say(Comment::public("See").with([upload]));
    assert!(matches!(tickets.act(eve, own, None, said).await, Err(Error::Invalid(_))));
    is_nothing(world.desk.uploads().read(eve, upload).await, eve);
    for (one, other) in [(own, ticket.id), (ticket.id, own)] {
        is_nothing(tickets.merge(eve, one, other).await, eve);
        is_nothing(tickets.link(eve, one, LinkKind::Related, other).await, eve);
    }
    let items = tickets.bulk(eve, &[ticket.id, own], vec![to(Status::Open)]).await?;
    assert!(matches!(items[0].outcome, Err(Error::NotFound { .. })) && items[1].outcome.is_ok());
    // An address is copied; whose it is elsewhere makes no difference.
    world.act(eve, own, Act::Copy(vec![Cc::to("ada@demo.test")])).await;
    assert!(tickets.all(&ada, TicketQuery::default()).await?.iter().all(|seen| seen.id != own));
    Ok(())
}

#[tokio::test]
async fn the_log_of_others_is_empty() -> Result<()> {
    let Border { world, ticket, strangers, .. } = border().await?;
    let eve = &strangers[0];
    let log = HistoryQuery::new(eve.scope()).limit(1_000).page(&world.desk).await?;
    assert!(log.events.iter().all(|event| event.organisation == Some(eve.organisation())));
    let of_ticket = HistoryQuery::new(eve.scope()).of::<Ticket>(ticket.id).page(&world.desk).await?;
    assert!(of_ticket.events.is_empty());
    // Strangers hold the permission that the events ask for, but not here.
    for event in world.log().await.iter().filter(|event| event.subject == ticket.id.uuid()) {
        assert!(eve.has(&permissions::TICKET_VIEW_ALL) && event.is_visible_to(&world.system()));
        assert!(strangers.iter().all(|stranger| !event.is_visible_to(stranger)));
    }
    Ok(())
}
