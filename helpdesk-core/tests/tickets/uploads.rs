//! Files that are uploaded first and taken over by what they come with.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Duration;
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{Act, Comment, NewTicket};
use helpdesk_core::uploads::{KeptFile, UploadId};
use helpdesk_core::{Actor, Error, Problem, Rejection, Result};

use crate::support::World;
use crate::support::tickets::{PNG, WatchedBlobs, problems, request};

async fn upload(world: &World, actor: &Actor) -> UploadId {
    let content = Bytes::from_static(PNG);
    world.desk.uploads().upload(actor, "shot.png", content).await.expect("an upload").id
}

fn is_gone<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::NotFound { what: "file" }))
}

async fn watched() -> (World, Arc<WatchedBlobs>) {
    let blobs = Arc::new(WatchedBlobs::default());
    let world = World::with(|builder| builder.blobs(blobs.clone())).await;
    (world, blobs)
}

#[tokio::test]
async fn an_upload_is_its_bringers_until_something_takes_it_over() -> Result<()> {
    let world = World::new().await;
    let (tickets, uploads) = (world.desk.tickets(), world.desk.uploads());
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let gus = world.actor("gus", "customer").await;
    let id = upload(&world, &ada).await;
    assert_eq!(uploads.read(&ada, id).await?.media_type, "image/png");
    for other in [&gus, &agent, &world.anonymous(), &world.system()] {
        assert!(is_gone(uploads.read(other, id).await) && is_gone(uploads.delete(other, id).await));
    }
    let ticket = world.ticket(&ada, "Printer").await.id;
    let of_agent = upload(&world, &agent).await;
    for wrong in [of_agent, UploadId::from_uuid(uuid::Uuid::from_u128(1))] {
        let said = Comment::public("See").with([id, wrong]);
        let refused = tickets.act(&ada, ticket, None, Act::Say(said)).await.expect_err("not theirs");
        assert_eq!(problems(&refused), [("attachments".to_owned(), vec![Problem::Unknown("upload")])]);
    }
    let done = world.act(&ada, ticket, Act::Say(Comment::public("See").with([id, id]))).await;
    assert_eq!(done.ticket.attachments, 1);
    let message = done.message.expect("a message");
    let files = tickets.files_of(&ada, &[message]).await?;
    assert_eq!(files[&message.uuid()][0].id.uuid(), id.uuid(), "its address stays");
    assert_eq!(&*uploads.read(&agent, id).await?.content, PNG);
    assert!(is_gone(uploads.read(&gus, id).await));
    let again = tickets.act(&ada, ticket, None, Act::Say(Comment::public("See").with([id]))).await;
    assert!(matches!(again, Err(Error::Invalid(_))), "only once");
    // Nor twice by acts of one call.
    let second = upload(&world, &ada).await;
    let said = || Act::Say(Comment::public("See").with([second]));
    assert!(matches!(
        tickets.act_all(&ada, ticket, None, vec![said(), said()]).await,
        Err(Error::Invalid(_))
    ));
    let new = NewTicket { uploads: vec![second], ..request("With a file") };
    let (made, _) = tickets.create(&ada, new).await?;
    assert_eq!((made.attachments, tickets.view(&ada, made.id).await?.attachments.len()), (1, 1));
    let many = Act::Say(Comment::public("See").with(vec![second; 21]));
    assert!(matches!(tickets.act(&ada, ticket, None, many).await, Err(Error::Invalid(_))));
    Ok(())
}

#[tokio::test]
async fn a_file_of_a_note_is_for_the_desk() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ticket = world.ticket(&ada, "Printer").await.id;
    let id = upload(&world, &agent).await;
    world.act(&agent, ticket, Act::Say(Comment::internal("Look").with([id]))).await;
    assert!(world.desk.uploads().read(&agent, id).await.is_ok());
    assert!(is_gone(world.desk.uploads().read(&ada, id).await));
    assert!(world.desk.tickets().view(&ada, ticket).await?.attachments.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_upload_that_nothing_takes_over_is_forgotten_after_a_day() -> Result<()> {
    let (world, blobs) = watched().await;
    let ada = world.actor("ada", "customer").await;
    let (forgotten, taken) = (upload(&world, &ada).await, upload(&world, &ada).await);
    let ticket = world.ticket(&ada, "Printer").await.id;
    world.act(&ada, ticket, Act::Say(Comment::public("See").with([taken]))).await;
    world.clock.advance(Duration::hours(24) - Duration::seconds(1));
    world.mails().await;
    assert_eq!(blobs.keys().len(), 2);
    world.clock.advance(Duration::seconds(1));
    world.mails().await;
    world.mails().await;
    assert!(is_gone(world.desk.uploads().read(&ada, forgotten).await));
    assert!(world.desk.uploads().read(&ada, taken).await.is_ok());
    assert_eq!(blobs.keys().len(), 1, "its content is gone as well");
    Ok(())
}

#[tokio::test]
async fn a_deleted_file_takes_its_content_with_it() -> Result<()> {
    let (world, blobs) = watched().await;
    let (uploads, tickets) = (world.desk.uploads(), world.desk.tickets());
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let gus = world.actor("gus", "customer").await;
    let waiting = upload(&world, &ada).await;
    uploads.delete(&ada, waiting).await?;
    let ticket = world.ticket(&ada, "Printer").await.id;
    let (first, second) = (upload(&world, &ada).await, upload(&world, &ada).await);
    let of_agent = upload(&world, &agent).await;
    world.act(&ada, ticket, Act::Say(Comment::public("See").with([first, second]))).await;
    world.act(&agent, ticket, Act::Say(Comment::public("Look").with([of_agent]))).await;
    assert!(is_gone(uploads.delete(&gus, first).await));
    let forbidden = uploads.delete(&ada, of_agent).await;
    assert!(
        matches!(forbidden, Err(Error::Forbidden { permission }) if permission == permissions::TICKET_DELETE)
    );
    uploads.delete(&ada, first).await?;
    uploads.delete(&agent, second).await?;
    world.mails().await;
    for id in [waiting, first, second] {
        assert!(is_gone(uploads.read(&ada, id).await) && is_gone(uploads.delete(&ada, id).await));
    }
    let view = tickets.view(&ada, ticket).await?;
    assert_eq!((view.ticket.attachments, view.attachments.len(), blobs.keys().len()), (1, 1, 1));
    Ok(())
}

#[tokio::test]
async fn what_is_no_file_that_is_taken_leaves_nothing_behind() -> Result<()> {
    let (world, blobs) = watched().await;
    let uploads = world.desk.uploads();
    let ada = world.actor("ada", "customer").await;
    for (name, content) in [("a.exe", &b"MZ"[..]), ("a.png", b"text"), ("a.svg", b"<svg/>"), ("a.txt", b"")] {
        let refused = uploads.upload(&ada, name, Bytes::copy_from_slice(content)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{name}");
    }
    let large = uploads.upload(&ada, "a.txt", vec![b'a'; 10 * 1024 * 1024 + 1].into()).await;
    assert!(matches!(large, Err(Error::Invalid(_))));
    let stranger = uploads.upload(&world.anonymous(), "a.txt", "text".into()).await;
    assert!(matches!(stranger, Err(Error::NotYours { .. })));
    *blobs.takes.lock().expect("nobody panicked") = Some(0);
    let full = uploads.upload(&ada, "a.txt", "text".into()).await;
    assert!(matches!(full, Err(Error::Unavailable { .. })));
    assert!(blobs.keys().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_file_that_the_desk_made_is_kept_for_who_it_was_made_for() -> Result<()> {
    let world = World::new().await;
    let uploads = world.desk.uploads();
    let (lead, admin) = (world.actor("lead", "manager").await, world.actor("admin", "admin").await);
    let file = KeptFile {
        name: "../report.csv".into(),
        media_type: "text/csv".into(),
        content: Bytes::from_static(b"a;b"),
        expires: world.desk.now() + Duration::hours(1),
    };
    let kept = uploads.keep(&lead, file).await?;
    assert_eq!((&*uploads.read(&lead, kept.id).await?.name, kept.size), ("report.csv", 3));
    assert!(is_gone(uploads.read(&admin, kept.id).await));
    world.clock.advance(Duration::hours(1));
    world.mails().await;
    assert!(is_gone(uploads.read(&lead, kept.id).await));
    Ok(())
}

#[tokio::test]
async fn files_that_the_desk_made_take_no_room_from_what_somebody_brings() -> Result<()> {
    let world = World::new().await;
    let uploads = world.desk.uploads();
    let ada = world.actor("ada", "admin").await;
    let report = || KeptFile {
        name: "report.csv".into(),
        media_type: "text/csv".into(),
        content: Bytes::from_static(b"a,b"),
        expires: world.desk.now() + Duration::days(1),
    };
    let full = |result: Result<()>, most| {
        assert!(matches!(result, Err(Error::Rejected(Rejection::Limit { limit, .. })) if limit == most));
    };
    for _ in 0..100 {
        uploads.keep(&ada, report()).await?;
    }
    full(uploads.keep(&ada, report()).await.map(drop), 100);
    for _ in 0..200 {
        upload(&world, &ada).await;
    }
    full(uploads.upload(&ada, "shot.png", Bytes::from_static(PNG)).await.map(drop), 200);
    uploads.keep(&world.actor("eve", "admin").await, report()).await?;
    world.clock.advance(Duration::days(1));
    world.mails().await;
    uploads.keep(&ada, report()).await?;
    upload(&world, &ada).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_take_an_upload_at_once_one_gets_it() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    for _ in 0..20 {
        let id = upload(&world, &ada).await;
        let ticket = world.ticket(&ada, "Printer").await.id;
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let (tickets, ada) = (world.desk.tickets(), ada.clone());
                let said = Act::Say(Comment::public("See").with([id]));
                tokio::spawn(async move { tickets.act(&ada, ticket, None, said).await })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            match taker.await.expect("nobody panicked") {
                Ok(_) => taken += 1,
                Err(error) => assert!(matches!(error, Error::Invalid(_)), "{error:?}"),
            }
        }
        let view = world.desk.tickets().view(&ada, ticket).await?;
        assert_eq!(
            (taken, view.messages.len(), view.attachments.len(), view.ticket.attachments),
            (1, 1, 1, 1)
        );
    }
    Ok(())
}
