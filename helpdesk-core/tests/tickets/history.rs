//! What is written down of tickets, and who reads it.

use chrono::Duration;
use helpdesk_core::events::{FieldChange, HistoryQuery};
use helpdesk_core::storage::{EntityId as _, Position};
use helpdesk_core::tickets::{Act, Comment, Edit, NewTicket, Priority, Status, Ticket};
use helpdesk_core::{Error, Result, Who};

use crate::support::World;
use crate::support::tickets::{file, note, request, say, to};

#[tokio::test]
async fn a_history_says_who_did_what_when_and_field_by_field() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let manager = world.actor("manager", "manager").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.clock.advance(Duration::minutes(5));
    let approve = Act::Approve { priority: Priority::High, department: Some("IT".into()), comment: None };
    world.act(&manager, id, approve).await;
    world.act(&agent, id, Act::Claim).await;
    let said = world.act(&agent, id, say("On it")).await;
    world.act(&agent, id, Act::Escalate { level: 1, reason: Some("It spreads".into()) }).await;

    let history = world.desk.tickets().history(&manager, id, None).await?;
    let told: Vec<_> = history
        .events
        .iter()
        .map(|event| (event.action.as_str(), event.detail.actor, event.detail.version))
        .collect();
    assert_eq!(
        told,
        [
            ("ticket.escalated", agent.who(), 5),
            ("ticket.replied", agent.who(), 4),
            ("ticket.claimed", agent.who(), 3),
            ("ticket.approved", manager.who(), 2),
            ("ticket.created", ada.who(), 1),
        ]
    );
    let [escalated, replied, claimed, approved, created] = history.events.as_slice() else {
        panic!("five events");
    };
    assert_eq!((created.at + Duration::minutes(5), approved.at), (approved.at, world.desk.now()));
    assert!(history.events.iter().all(|event| event.subject == id.uuid() && event.detail.via == "system"));
    let change = |field: &'static str, from: serde_json::Value, to: serde_json::Value| FieldChange {
        field: field.into(),
        from,
        to,
    };
    use serde_json::json;
    assert_eq!(
        approved.detail.changes,
        [
            change("status", json!("new"), json!("open")),
            change("priority", json!(null), json!("high")),
            change("department", json!(null), json!("IT")),
        ]
    );
    assert_eq!(
        claimed.detail.changes,
        [
            change("status", json!("open"), json!("in_progress")),
            change("assignee", json!(null), json!(agent.person()?)),
        ]
    );
    assert_eq!(replied.detail.data["message"], json!(said.message.expect("a message").to_string()));
    assert_eq!((escalated.detail.reason.as_deref(), &replied.detail.reason), (Some("It spreads"), &None));
    Ok(())
}

#[tokio::test]
async fn a_history_shows_each_reader_what_is_meant_for_them() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let technician = world.actor("tech", "technician").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&world.system(), id, Act::Assign { to: technician.user() }).await;
    world.act(&agent, id, note("Ada again")).await;
    world.act(&agent, id, say("We come")).await;

    let seen = async |actor| -> Result<Vec<String>> {
        let history = tickets.history(actor, id, None).await?;
        Ok(history.events.into_iter().map(|event| event.action).collect())
    };
    assert_eq!(seen(&agent).await?, ["ticket.replied", "ticket.noted", "ticket.assigned", "ticket.created"]);
    // Whoever may see the ticket may see all that happened to it, also before it was theirs.
    assert_eq!(
        seen(&technician).await?,
        ["ticket.replied", "ticket.noted", "ticket.assigned", "ticket.created"]
    );
    // Who asked sees what is no business of the desk alone.
    assert_eq!(seen(&ada).await?, ["ticket.replied", "ticket.assigned", "ticket.created"]);
    let gus = world.actor("gus", "customer").await;
    assert!(matches!(tickets.history(&gus, id, None).await, Err(Error::Forbidden { .. })));
    let other = world.ticket(&ada, "Other").await.id;
    assert!(matches!(tickets.history(&technician, other, None).await, Err(Error::Forbidden { .. })));
    Ok(())
}

#[tokio::test]
async fn the_log_holds_no_texts() -> Result<()> {
    let world = World::new().await;
    let (ada, admin) = (world.actor("ada", "customer").await, world.actor("admin", "admin").await);
    let new = NewTicket {
        description: "zq description".into(),
        files: vec![file("zq-file.txt", b"zq content")],
        ..request("zq subject")
    };
    let id = world.desk.tickets().create(&ada, new).await?.0.id;
    let edit = Edit {
        subject: Some("zq another".into()),
        description: Some("zq another".into()),
        ..Edit::default()
    };
    world.act(&admin, id, Act::Edit(edit)).await;
    world.act(&ada, id, say("zq words")).await;
    world.act(&admin, id, note("zq note")).await;
    let comment = Some(Comment::public("zq comment"));
    world.act(&admin, id, Act::Reject { reason: "zq reason".into(), comment }).await;
    let second = world.ticket(&ada, "zq second").await.id;
    world.act(&ada, second, Act::Withdraw { comment: Some(Comment::public("zq gone")) }).await;

    let logged = world.desk.store().storage().events(Position::default(), 1_000).await?;
    assert!(logged.len() >= 7);
    for entry in logged {
        let body = entry.record.body.json.to_lowercase();
        for personal in ["zq", "demo.test", "correct horse", "\"ada\""] {
            assert!(!body.contains(personal), "{body}");
        }
    }
    let log = world.log().await;
    let edited = log.iter().find(|event| event.action == "ticket.edited").expect("an event");
    let fields: Vec<_> = edited.detail.changes.iter().map(|change| &*change.field).collect();
    assert_eq!(fields, ["subject", "description"]);
    assert!(edited.detail.changes.iter().all(|change| change.from.is_null() && change.to.is_null()));
    Ok(())
}

#[tokio::test]
async fn an_act_that_fails_leaves_no_trace() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ticket = world.ticket(&ada, "Printer").await;
    let before = world.log().await.len();
    for act in [Act::Claim, to(Status::Rejected), to(Status::Merged), Act::HandOver, note(" ")] {
        assert!(world.desk.tickets().act(&agent, ticket.id, None, act).await.is_err());
    }
    assert_eq!(world.log().await.len(), before);
    assert_eq!(world.desk.tickets().get(&agent, ticket.id).await?.version, 1);
    Ok(())
}

#[tokio::test]
async fn the_log_is_asked_by_record_person_and_act_page_by_page() -> Result<()> {
    let world = World::new().await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let ids = [world.ticket(&ada, "A").await.id, world.ticket(&ada, "B").await.id];
    for number in 0..3 {
        world.act(&agent, ids[0], note(&number.to_string())).await;
    }
    world.act(&world.system(), ids[1], to(Status::OnHold)).await;
    let query = || HistoryQuery::new(world.system().scope());
    let versions = async |query: HistoryQuery| -> Result<Vec<i64>> {
        Ok(query.page(&world.desk).await?.events.iter().map(|event| event.detail.version).collect())
    };
    assert_eq!(versions(query().of::<Ticket>(ids[0])).await?, [4, 3, 2, 1]);
    assert_eq!(versions(query().of::<Ticket>(ids[0]).oldest_first()).await?, [1, 2, 3, 4]);
    assert_eq!(versions(query().by(agent.person()?).of::<Ticket>(ids[0])).await?, [4, 3, 2]);
    assert_eq!(versions(query().action("ticket.status_changed")).await?, [2]);
    let first = query().of::<Ticket>(ids[0]).limit(3).page(&world.desk).await?;
    let rest =
        query().of::<Ticket>(ids[0]).limit(3).after(first.next.expect("more")).page(&world.desk).await?;
    assert_eq!((rest.events[0].detail.version, rest.next), (1, None));
    let by_the_desk = query().action("ticket.status_changed").page(&world.desk).await?;
    assert_eq!(by_the_desk.events[0].detail.actor, Who::System);
    Ok(())
}
