//! Who sees which tickets, messages and files.

use helpdesk_core::groups::ClosedReplies;
use helpdesk_core::identity::{NewApiKey, permissions};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{
    Act, Attachment, AttachmentId, Cc, NewTicket, Ticket, TicketId, TicketQuery, Visibility,
};
use helpdesk_core::{Actor, Error, Result};

use crate::support::World;
use crate::support::tickets::{file, note, request, say};

fn is_forbidden<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Forbidden { permission }) if permission == permissions::TICKET_VIEW_ALL)
}

fn is_not_found<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

#[tokio::test]
async fn people_see_what_is_theirs_and_the_desk_sees_all() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let (agent, technician) = (world.actor("agent", "agent").await, world.actor("tech", "technician").await);
    let of_ada = world.ticket(&ada, "Of Ada").await;
    let of_gus = world.ticket(&gus, "Of Gus").await;
    let assign = Act::Assign { to: technician.user() };
    world.act(&world.system(), of_gus.id, assign).await;

    assert!(tickets.get(&ada, of_ada.id).await.is_ok() && is_forbidden(tickets.get(&ada, of_gus.id).await));
    assert!(tickets.get(&technician, of_gus.id).await.is_ok());
    assert!(is_forbidden(tickets.get(&technician, of_ada.id).await));
    assert!(is_forbidden(tickets.view(&world.anonymous(), of_ada.id).await));
    let nowhere = TicketId::from_uuid(uuid::Uuid::from_u128(1));
    assert!(is_not_found(tickets.get(&agent, nowhere).await));
    assert!(is_not_found(tickets.by_number(&agent, 99).await));
    assert_eq!(tickets.by_number(&agent, of_gus.number).await?, of_gus.id);
    Ok(())
}

/// What a list shows is what can be opened: the two are decided in different places.
#[tokio::test]
async fn lists_show_exactly_what_can_be_opened() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let mut actors = vec![world.system(), world.anonymous()];
    for (name, role) in [
        ("ada", "customer"),
        ("gus", "customer"),
        ("tech", "technician"),
        ("agent", "agent"),
        ("security", "security"),
    ] {
        actors.push(world.actor(name, role).await);
    }
    let [technician, agent] = [&actors[4], &actors[5]];
    let group = world.group(&[technician], ClosedReplies::default()).await;
    let theirs = || Act::Route { assignee: None, group: Some(Some(group)) };
    let mut all = Vec::new();
    for name in ["ada", "gus", "tech"] {
        let requester = world.sign_in(name).await.actor;
        for act in [
            Act::Assign { to: technician.user() },
            Act::Assign { to: agent.user() },
            theirs(),
            Act::Copy(vec![Cc::to("GUS@demo.test"), Cc::to("somebody@elsewhere.test")]),
            Act::Follow { who: technician.person()? },
        ] {
            let ticket = world.ticket(&requester, name).await;
            world.act(&world.system(), ticket.id, act).await;
            all.push(ticket.id);
        }
    }
    let of_tech = tickets.all(technician, TicketQuery::default()).await?.len();
    assert_eq!(of_tech, 11, "theirs, given to them, of their group, followed");
    let copied = tickets.all(&actors[3], TicketQuery::default()).await?.len();
    assert_eq!(copied, 7, "theirs, and copied to them");
    world.act(&world.system(), all[0], Act::Delete).await;
    for actor in &actors {
        let mut openable = Vec::new();
        for id in &all {
            if tickets.get(actor, *id).await.is_ok() {
                openable.push(*id);
            }
        }
        let listed = tickets.all(actor, TicketQuery::default()).await?;
        let mut listed: Vec<_> = listed.iter().map(|ticket| ticket.id).collect();
        listed.reverse();
        assert_eq!(listed, openable, "{:?}", actor.who());
    }
    Ok(())
}

#[tokio::test]
async fn notes_of_the_desk_are_for_those_who_may_read_them() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let ada = world.actor("ada", "customer").await;
    let (agent, technician) = (world.actor("agent", "agent").await, world.actor("tech", "technician").await);
    let ticket = world.ticket(&ada, "Printer").await;
    world.act(&world.system(), ticket.id, Act::Assign { to: technician.user() }).await;
    world.act(&agent, ticket.id, note("Ada again")).await;
    world.act(&agent, ticket.id, say("We are on it")).await;
    world.act(&technician, ticket.id, note("Toner")).await;
    let bodies = async |actor: &Actor| -> Result<Vec<String>> {
        let view = tickets.view(actor, ticket.id).await?;
        Ok(view.messages.iter().map(|message| message.body.clone()).collect())
    };
    assert_eq!(bodies(&ada).await?, ["We are on it"]);
    assert_eq!(bodies(&agent).await?, ["Ada again", "We are on it", "Toner"]);
    assert_eq!(bodies(&technician).await?, ["Ada again", "We are on it", "Toner"]);
    let refused = tickets.act(&ada, ticket.id, None, note("Psst")).await;
    assert!(
        matches!(refused, Err(Error::Forbidden { permission }) if permission == permissions::HELPDESK_ADD_INTERNAL_NOTES)
    );
    let messages = tickets.view(&agent, ticket.id).await?.messages;
    assert_eq!((messages[0].author, messages[0].visibility), (agent.who(), Visibility::Internal));
    Ok(())
}

/// A ticket of Ada with a public file and one of the desk.
async fn with_files(world: &World, ada: &Actor) -> Result<(Stored<Ticket>, AttachmentId, AttachmentId)> {
    let files = vec![file("public.txt", b"public"), file("secret.txt", b"secret")];
    let new = NewTicket { files, ..request("With files") };
    let (ticket, kept) = world.desk.tickets().create(ada, new).await?;
    let mut changes = world.desk.changes();
    changes.update(&kept[1], &Attachment { internal: true, ..kept[1].value.clone() });
    world.desk.commit(changes).await?;
    Ok((ticket, kept[0].id, kept[1].id))
}

#[tokio::test]
async fn a_file_is_read_by_who_may_read_what_it_hangs_on() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let (agent, admin) = (world.actor("agent", "agent").await, world.actor("admin", "admin").await);
    let (ticket, public, secret) = with_files(&world, &ada).await?;

    assert_eq!(tickets.view(&ada, ticket.id).await?.attachments.len(), 1);
    assert_eq!(tickets.view(&agent, ticket.id).await?.attachments.len(), 2);
    let shown = [tickets.get(&ada, ticket.id).await?];
    assert_eq!(tickets.attachments_of(&ada, &shown).await?[&ticket.id.uuid()].len(), 1);
    assert_eq!(tickets.attachments_of(&agent, &shown).await?[&ticket.id.uuid()].len(), 2);

    assert_eq!(&*tickets.file(&ada, public).await?.content, b"public");
    let refused = tickets.file(&ada, secret).await;
    assert!(
        matches!(refused, Err(Error::Forbidden { permission }) if permission == permissions::TICKET_ACCESS_INTERNAL)
    );
    assert_eq!(&*tickets.file(&agent, secret).await?.content, b"secret");
    for file in [public, secret] {
        assert!(is_forbidden(tickets.file(&gus, file).await));
        assert!(is_forbidden(tickets.file(&world.anonymous(), file).await));
    }
    let key = NewApiKey {
        name: "workflow".into(),
        permissions: [permissions::TICKET_VIEW_FILES].into(),
        expires: None,
    };
    let (_, key) = world.desk.identity().create_api_key(&admin, key).await?;
    let via = world.system().via().clone();
    let program = world.desk.identity().authenticate_key(&key, via).await?.actor;
    assert_eq!(&*tickets.file(&program, secret).await?.content, b"secret");
    assert!(is_forbidden(tickets.get(&program, ticket.id).await));

    assert_eq!(tickets.attachment_by_number(&ada, 2).await?, secret);
    assert!(is_not_found(tickets.attachment_by_number(&ada, 3).await));
    world.act(&admin, ticket.id, Act::Delete).await;
    for actor in [&ada, &agent, &admin, &program] {
        assert!(is_not_found(tickets.file(actor, public).await));
    }
    Ok(())
}

#[tokio::test]
async fn a_file_whose_content_is_gone_is_not_there() -> Result<()> {
    let blobs = std::sync::Arc::new(helpdesk_core::MemoryBlobs::default());
    let world = World::with(|builder| builder.blobs(blobs.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let (ticket, public, _) = with_files(&world, &ada).await?;
    let blob = world.desk.tickets().view(&ada, ticket.id).await?.attachments[0].blob.clone();
    helpdesk_core::Blobs::delete(&*blobs, &blob).await?;
    assert!(is_not_found(world.desk.tickets().file(&ada, public).await));
    Ok(())
}
