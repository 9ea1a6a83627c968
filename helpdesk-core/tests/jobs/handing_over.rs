//! Handing tickets over to the external workflow.

use std::sync::{Arc, Mutex};

use chrono::Duration;
use helpdesk_core::jobs::JobError;
use helpdesk_core::tickets::{Act, NewTicket, Priority, Status};
use helpdesk_core::{HandOver, MockWorkflowGateway, Reference, Result, Via};
use serde_json::json;

use crate::support::World;
use crate::support::tickets::{file, request};

/// A gateway that refuses the first few, and what it was handed.
fn gateway(refusals: usize) -> (Arc<MockWorkflowGateway>, Arc<Mutex<Vec<HandOver>>>) {
    let handed = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&handed);
    let mut gateway = MockWorkflowGateway::new();
    gateway.expect_hand_over().returning(move |ticket| {
        let mut kept = kept.lock().expect("nobody panicked");
        kept.push(ticket.clone());
        if kept.len() <= refusals { Err(JobError::retry("not now")) } else { Ok(()) }
    });
    (Arc::new(gateway), handed)
}

#[tokio::test]
async fn a_ticket_is_handed_over_until_it_is_taken_always_under_the_same_id() -> Result<()> {
    let (gateway, handed) = gateway(2);
    let world = World::with(|builder| builder.workflow_gateway(gateway)).await;
    let ada = world.actor("ada", "customer").await;
    let agent = world.user("agent", "agent").await;
    let door = Arc::new(Via { tickets: Reference::new("TX", 4), ..Via::SYSTEM });
    let coordinator = world.actor("coordinator", "coordinator").await.through(door);
    let new = NewTicket {
        category: Some("Hardware".into()),
        files: vec![file("a.txt", b"four")],
        ..request("Printer")
    };
    let id = world.desk.tickets().create(&ada, new).await?.0.id;
    let approve = Act::Approve { priority: Priority::High, department: Some("IT".into()), comment: None };
    world.act(&coordinator, id, approve).await;
    world.act(&coordinator, id, Act::Assign { to: Some(agent.id) }).await;
    let done = world.act(&coordinator, id, Act::HandOver).await;
    assert_eq!((done.before, done.ticket.state.status()), (Status::Open, Status::Open));
    // Asked for twice before it left, it is handed over once.
    world.act(&coordinator, id, Act::HandOver).await;
    for pause in [0, 10, 40] {
        world.clock.advance(Duration::seconds(pause));
        world.mails().await;
    }
    let handed = handed.lock().expect("nobody panicked").clone();
    assert_eq!(handed.len(), 3);
    assert!(handed.iter().all(|ticket| ticket.id == handed[0].id));
    let document = handed[2].document().0;
    assert_eq!(document["ticket_id"], json!("TX0001"));
    assert_eq!((&document["priority"], &document["department"]), (&json!("High"), &json!("IT")));
    assert_eq!(document["customer"]["email"], json!("ada@demo.test"));
    assert_eq!(document["assigned_to"], json!("agent Test"));
    let files = &document["attachments"];
    assert_eq!((&files[0]["file_name"], &files[0]["file_size"]), (&json!("a.txt"), &json!(4)));
    assert!(!document.to_string().contains("hash"));
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_was_taken_can_be_handed_over_once_more() -> Result<()> {
    let (gateway, handed) = gateway(0);
    let world = World::with(|builder| builder.workflow_gateway(gateway)).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Open).await;
    for _ in 0..2 {
        world.act(&world.system(), id, Act::HandOver).await;
        world.mails().await;
    }
    let handed = handed.lock().expect("nobody panicked");
    assert_eq!(handed.len(), 2);
    assert_ne!(handed[0].id, handed[1].id);
    Ok(())
}

#[tokio::test]
async fn without_a_workflow_a_hand_over_is_only_written_down() -> Result<()> {
    let world = World::new().await;
    let (ada, admin) = (world.actor("ada", "customer").await, world.actor("admin", "admin").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Open).await;
    world.mails().await;
    world.act(&admin, id, Act::HandOver).await;
    let report = world.desk.run_due(world.desk.now()).await?;
    assert_eq!((report.done, report.failed), (1, 0));
    assert_eq!(world.actions(id).await.last().map(String::as_str), Some("ticket.handed_over"));
    assert!(world.desk.jobs().failed(&admin).await?.is_empty());
    Ok(())
}
