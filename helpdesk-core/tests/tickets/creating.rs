//! Making tickets.

use std::collections::BTreeSet;
use std::sync::Arc;

use helpdesk_core::identity::{NewApiKey, permissions};
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{NewTicket, Priority, Status, TicketKind, TicketQuery};
use helpdesk_core::{Actor, Error, Problem, Result, Via};

use crate::support::World;
use crate::support::flaky::{Failure, FlakyStorage};
use crate::support::tickets::{PNG, WatchedBlobs, file, problems, request};

#[tokio::test]
async fn a_ticket_begins_new_and_nobodys() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let new = NewTicket {
        priority: Some(Priority::High),
        kind: Some(TicketKind::Incident),
        category: Some("Hardware".into()),
        subcategory: Some("Printers".into()),
        department: Some("IT".into()),
        scheduled_for: Some("2024-12-31".parse().expect("a day")),
        tags: BTreeSet::from(["fire".to_owned()]),
        ..request("Printer burns")
    };
    let (ticket, files) = world.desk.tickets().create(&ada, new.clone()).await?;
    assert_eq!((ticket.number, ticket.version, ticket.created_at), (1, 1, world.desk.now()));
    assert_eq!((ticket.requester, ticket.assignee), (ada.person()?, None));
    assert_eq!((ticket.state.status(), ticket.via.as_str()), (Status::New, "system"));
    assert_eq!((&ticket.subject, &ticket.tags), (&new.subject, &new.tags));
    assert!(files.is_empty() && ticket.attachments == 0);
    assert_eq!(world.desk.tickets().get(&ada, ticket.id).await?.value, ticket.value);
    assert_eq!(world.ticket(&ada, "Another").await.number, 2);
    assert_eq!(world.actions(ticket.id).await, ["ticket.created"]);
    assert!(world.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_request_is_said_at_once() -> Result<()> {
    let blobs = Arc::new(WatchedBlobs::default());
    let world = World::with(|builder| builder.blobs(blobs.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let before = world.log().await.len();
    let large = vec![b'x'; 10 * 1024 * 1024 + 1];
    let wrong = NewTicket {
        subject: "x".repeat(501),
        description: " \n\t".into(),
        category: Some("x".repeat(501)),
        subcategory: Some("x".repeat(501)),
        department: Some("x".repeat(501)),
        tags: (0..101).map(|tag| tag.to_string()).chain([" ".into(), "y".repeat(101)]).collect(),
        files: vec![
            file("fine.txt", b"fine"),
            file("empty.txt", b""),
            file("../setup.exe", b"MZ"),
            file("shot.png", b"no picture"),
            file("large.txt", &large),
        ],
        ..NewTicket::default()
    };
    let error = world.desk.tickets().create(&ada, wrong).await.expect_err("it is wrong");
    let text = |text: &str| Problem::File(text.to_owned());
    let expected = [
        ("category", vec![Problem::TooLong(500)]),
        ("department", vec![Problem::TooLong(500)]),
        ("description", vec![Problem::Blank]),
        (
            "files",
            vec![
                text("The file empty.txt is empty."),
                text("Files of the type of setup.exe are not accepted."),
                text("The content of shot.png is not what its name says."),
                Problem::FileSize(10 * 1024 * 1024),
            ],
        ),
        ("subcategory", vec![Problem::TooLong(500)]),
        ("subject", vec![Problem::TooLong(500)]),
        ("tags", vec![Problem::Blank, Problem::TooLong(100), Problem::TooMany(100)]),
    ];
    assert_eq!(problems(&error), expected.map(|(field, list)| (field.to_owned(), list)));

    let many = NewTicket { files: vec![file("a.txt", b"a"); 21], ..request("Files") };
    let error = world.desk.tickets().create(&ada, many).await.expect_err("too many files");
    assert_eq!(problems(&error), [("files".to_owned(), vec![Problem::TooMany(20)])]);
    assert!(blobs.keys().is_empty() && world.log().await.len() == before);
    assert!(world.desk.tickets().all(&ada, TicketQuery::default()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn characters_that_no_store_keeps_are_refused() {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let nul = || "a\0b".to_owned();
    let wrong = NewTicket {
        subject: nul(),
        description: nul(),
        category: Some(nul()),
        tags: BTreeSet::from([nul()]),
        ..NewTicket::default()
    };
    let error = world.desk.tickets().create(&ada, wrong).await.expect_err("refused");
    let fields = ["category", "description", "subject", "tags"];
    assert_eq!(problems(&error), fields.map(|field| (field.to_owned(), vec![Problem::NulCharacter])));
}

#[tokio::test]
async fn files_are_kept_under_clean_names_with_the_type_of_their_content() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let files = vec![file("../../shot.PNG", PNG), file("C:\\notes.txt", "Grüße".as_bytes())];
    let new = NewTicket { files, ..request("With files") };
    let (ticket, kept) = world.desk.tickets().create(&ada, new).await?;
    assert_eq!(ticket.attachments, 2);
    let seen: Vec<_> = kept.iter().map(|file| (&*file.name, &*file.media_type, file.size)).collect();
    assert_eq!(seen, [("shot.PNG", "image/png", PNG.len() as u64), ("notes.txt", "text/plain", 7)]);
    assert!(
        kept.iter().all(|file| file.uploaded_by == ada.who() && !file.internal && file.ticket == ticket.id)
    );
    let read = world.desk.tickets().file(&ada, kept[1].id).await?;
    assert_eq!((&*read.content, read.attachment.number), ("Grüße".as_bytes(), 2));
    let view = world.desk.tickets().view(&ada, ticket.id).await?;
    assert_eq!(view.attachments.iter().map(|file| file.id).collect::<Vec<_>>(), [kept[0].id, kept[1].id]);
    Ok(())
}

#[tokio::test]
async fn a_ticket_for_somebody_else_needs_a_permission_of_its_own() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let agent = world.actor("agent", "agent").await;
    let of = |requester: &Actor| NewTicket { requester: requester.user(), ..request("Printer") };
    assert_eq!(tickets.create(&ada, of(&ada)).await?.0.requester, ada.person()?);
    let refused = tickets.create(&ada, of(&gus)).await;
    assert!(
        matches!(refused, Err(Error::Forbidden { permission }) if permission == permissions::TICKET_CREATE_FOR_USERS)
    );
    let made = tickets.create(&agent, of(&gus)).await?.0;
    assert_eq!((made.requester, made.assignee), (gus.person()?, None));
    assert!(tickets.get(&gus, made.id).await.is_ok());

    // Nobody, and somebody of another organisation, are the same: unknown. And it is said with the rest.
    let elsewhere = world.desk.identity().create_organisation("Other", "other").await?;
    let eve = world.user_in(elsewhere, "eve", "customer").await;
    let nobody = helpdesk_core::identity::UserId::from_uuid(uuid::Uuid::from_u128(1));
    for requester in [eve.id, nobody] {
        let new = NewTicket { requester: Some(requester), ..request(" ") };
        let error = tickets.create(&agent, new).await.expect_err("unknown");
        assert_eq!(
            problems(&error),
            [
                ("requester".to_owned(), vec![Problem::Unknown("account")]),
                ("subject".to_owned(), vec![Problem::Blank])
            ]
        );
    }
    Ok(())
}

#[tokio::test]
async fn programs_make_tickets_for_people_and_strangers_make_none() -> Result<()> {
    let world = World::new().await;
    let (tickets, identity) = (world.desk.tickets(), world.desk.identity());
    let admin = world.actor("admin", "admin").await;
    let ada = world.user("ada", "customer").await;
    let new = NewApiKey {
        name: "monitoring".into(),
        permissions: [permissions::TICKET_CREATE, permissions::TICKET_CREATE_FOR_USERS].into(),
        expires: None,
    };
    let (_, key) = identity.create_api_key(&admin, new).await?;
    let door = Arc::new(Via { name: "monitoring".into(), ..Via::SYSTEM });
    let program = identity.authenticate_key(&key, door).await?.actor;
    assert!(matches!(tickets.create(&program, request("Whose?")).await, Err(Error::NotYours { .. })));
    let for_ada = NewTicket { requester: Some(ada.id), ..request("Disk full") };
    let (ticket, _) = tickets.create(&program, for_ada.clone()).await?;
    assert_eq!((ticket.requester, ticket.via.as_str()), (ada.id, "monitoring"));
    let stranger = tickets.create(&world.anonymous(), for_ada).await;
    assert!(
        matches!(stranger, Err(Error::Forbidden { permission }) if permission == permissions::TICKET_CREATE)
    );
    Ok(())
}

#[tokio::test]
async fn a_ticket_whose_files_cannot_be_kept_is_not_made() -> Result<()> {
    let blobs = Arc::new(WatchedBlobs::default());
    let world = World::with(|builder| builder.blobs(blobs.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let before = world.log().await.len();
    let files = ["a.txt", "b.txt", "c.txt"].map(|name| file(name, b"text")).to_vec();
    *blobs.takes.lock().expect("nobody panicked") = Some(2);
    let new = NewTicket { files, ..request("With files") };
    let failed = world.desk.tickets().create(&ada, new.clone()).await;
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    assert!(blobs.keys().is_empty(), "the files that were kept are forgotten again");
    assert_eq!(world.log().await.len(), before);
    assert!(world.desk.tickets().all(&ada, TicketQuery::default()).await?.is_empty());
    *blobs.takes.lock().expect("nobody panicked") = None;
    world.desk.tickets().create(&ada, new).await?;
    assert_eq!(blobs.keys().len(), 3);
    Ok(())
}

#[tokio::test]
async fn files_go_with_a_ticket_that_was_not_made_and_stay_with_one_that_may_have_been() -> Result<()> {
    let (blobs, storage) = (Arc::new(WatchedBlobs::default()), Arc::new(FlakyStorage::new()));
    let world = World::with(|builder| builder.blobs(blobs.clone()).storage(storage.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let new = || NewTicket { files: vec![file("a.txt", b"text")], ..request("With a file") };
    storage.fail(Some(Failure::Unavailable));
    let failed = world.desk.tickets().create(&ada, new()).await;
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    assert!(blobs.keys().is_empty());

    // Nobody knows whether the ticket is there. It is, and its file must be too.
    storage.fail(Some(Failure::AnswerLost));
    let failed = world.desk.tickets().create(&ada, new()).await;
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    storage.fail(None);
    let made = world.desk.tickets().all(&ada, TicketQuery::default()).await?;
    let view = world.desk.tickets().view(&ada, made[0].id).await?;
    assert_eq!(&*world.desk.tickets().file(&ada, view.attachments[0].id).await?.content, b"text");
    Ok(())
}
