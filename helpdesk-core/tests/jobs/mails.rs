//! The mails about tickets.

use std::sync::Arc;

use helpdesk_core::tickets::{Act, Comment, NewTicket, Status};
use helpdesk_core::{Mail, MailTemplate, Reference, Result, Via};
use serde_json::json;

use crate::support::World;
use crate::support::tickets::{approve, note, request, say, to};

fn told(mails: &[Mail]) -> Vec<(&str, &str)> {
    let status = |mail: &Mail| mail.context["status"].as_str().unwrap_or_default().to_owned();
    assert!(mails.iter().all(|mail| mail.template == MailTemplate::TicketStatus));
    mails
        .iter()
        .map(|mail| {
            (&*mail.to, Status::ALL.iter().find(|s| s.label() == status(mail)).map_or("", |s| s.label()))
        })
        .collect()
}

#[tokio::test]
async fn the_requester_is_told_when_others_move_the_ticket() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let (agent, coordinator) =
        (world.actor("agent", "agent").await, world.actor("coordinator", "coordinator").await);
    let id = world.ticket(&ada, "Printer").await.id;
    assert!(world.mails().await.is_empty(), "who makes a ticket knows of it");
    world.act(&coordinator, id, approve()).await;
    assert_eq!(told(&world.mails().await), [("ada@demo.test", "Open")]);
    world.act(&agent, id, Act::Claim).await;
    assert_eq!(told(&world.mails().await), [("ada@demo.test", "In Progress")]);
    for silent in [say("On it"), note("Ada again"), Act::Escalate { level: 1, reason: None }] {
        world.act(&agent, id, silent).await;
        assert!(world.mails().await.is_empty(), "the status is the same");
    }
    world.act(&agent, id, to(Status::Resolved)).await;
    assert_eq!(told(&world.mails().await), [("ada@demo.test", "Resolved")]);
    Ok(())
}

#[tokio::test]
async fn the_requester_is_not_told_what_they_did() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Pending).await;
    world.mails().await;
    world.act(&ada, id, say("Here you are")).await;
    world.act(&ada, id, Act::Withdraw { comment: None }).await;
    assert!(world.mails().await.is_empty());
    // Whoever the desk makes a ticket for is its requester; an agent's own is moved without mail.
    let own = world.ticket(&agent, "My chair").await.id;
    world.act(&agent, own, to(Status::OnHold)).await;
    assert!(world.mails().await.is_empty());
    let new = NewTicket { requester: ada.user(), ..request("For Ada") };
    let for_ada = world.desk.tickets().create(&agent, new).await?.0.id;
    world.act(&agent, for_ada, to(Status::OnHold)).await;
    assert_eq!(told(&world.mails().await), [("ada@demo.test", "On Hold")]);
    Ok(())
}

#[tokio::test]
async fn a_mail_tells_the_ticket_by_its_name_and_the_reason_of_a_rejection() -> Result<()> {
    let world = World::new().await;
    let door = Arc::new(Via { name: "shop".into(), tickets: Reference::new("TX", 4), ..Via::SYSTEM });
    let ada = world.actor("ada", "customer").await;
    let coordinator = world.actor("coordinator", "coordinator").await.through(door);
    let id = world.ticket(&ada, "Printer").await.id;
    let comment = Some(Comment::internal("Ada, as ever"));
    world.act(&coordinator, id, Act::Reject { reason: "A duplicate".into(), comment }).await;
    let mails = world.mails().await;
    assert_eq!((mails.len(), &*mails[0].to, &*mails[0].name), (1, "ada@demo.test", "ada Test"));
    assert_eq!(
        mails[0].context,
        json!({
            "reference": "TX0001",
            "subject": "Printer",
            "status": "Rejected",
            "reason": "A duplicate",
            "name": "ada Test",
            "first_name": "ada",
            "organisation": "Demo",
            "site": "https://desk.test",
        })
    );
    let other = world.ticket(&ada, "Other").await.id;
    world.act(&coordinator, other, to(Status::OnHold)).await;
    assert_eq!(world.mails().await[0].context["reason"], json!(null));
    world.act(&coordinator, other, to(Status::Spam)).await;
    assert!(world.mails().await.is_empty(), "who sends spam is told nothing");
    Ok(())
}

#[tokio::test]
async fn each_move_is_told_also_when_the_mails_are_late() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    for status in [Status::OnHold, Status::InProgress, Status::Resolved] {
        world.bring(id, status).await;
    }
    assert_eq!(
        told(&world.mails().await),
        [("ada@demo.test", "On Hold"), ("ada@demo.test", "In Progress"), ("ada@demo.test", "Resolved")]
    );
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_of_a_ticket_that_is_deleted() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::OnHold).await;
    world.act(&world.system(), id, Act::Delete).await;
    assert!(world.mails().await.is_empty());
    Ok(())
}
