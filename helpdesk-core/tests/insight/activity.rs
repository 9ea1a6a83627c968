//! What happened lately.

use chrono_tz::Tz;
use helpdesk_core::Result;
use helpdesk_core::tickets::{Act, Status};

use crate::fixture::Past;
use crate::support::tickets::{note, say};

#[tokio::test]
async fn the_latest_comes_first_with_names_and_subjects() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    let printer = past.ask("Printer").await;
    past.world.act(&past.agent, printer, say("On my way")).await;
    past.world.act(&past.agent, printer, note("Again")).await;
    let gone = past.ask("Gone").await;
    past.world.act(&past.world.system(), gone, Act::Delete).await;
    past.world.bring(printer, Status::Pending).await;

    let activity = past.world.desk.insight().activity(&past.agent, 10).await?;
    let told: Vec<_> = activity
        .iter()
        .map(|one| (one.event.action.as_str(), one.who.as_deref(), one.ticket.subject.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("ticket.status_changed", None, "Printer"),
            ("ticket.noted", Some("grace Test"), "Printer"),
            ("ticket.replied", Some("grace Test"), "Printer"),
            ("ticket.created", Some("ada Test"), "Printer"),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn no_more_is_told_than_was_asked_for_and_other_events_are_passed_over() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    for number in 0..7 {
        past.ask(&format!("Ticket {number}")).await;
        // What is done to accounts stands in the same log.
        past.world.user(&format!("somebody{number}"), "customer").await;
        past.world.user(&format!("somebody else{number}").replace(' ', "-"), "customer").await;
        past.world.user(&format!("another{number}"), "customer").await;
    }
    let insight = past.world.desk.insight();
    let activity = insight.activity(&past.agent, 5).await?;
    let subjects: Vec<_> = activity.iter().map(|one| one.ticket.subject.as_str()).collect();
    assert_eq!(subjects, ["Ticket 6", "Ticket 5", "Ticket 4", "Ticket 3", "Ticket 2"]);
    assert_eq!(insight.activity(&past.agent, 1_000).await?.len(), 7);
    assert!(insight.activity(&past.agent, 0).await?.is_empty());
    // However much happens elsewhere, what happened to tickets is still to be read.
    for number in 0..40 {
        past.world.user(&format!("more{number}"), "customer").await;
    }
    assert_eq!(insight.activity(&past.agent, 1).await?.len(), 1);
    Ok(())
}
