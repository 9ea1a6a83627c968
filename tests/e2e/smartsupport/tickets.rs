//! The life of tickets, and what is told of it.

use helpdesk::MailTemplate;
use helpdesk_tests::on_every_store;
use serde_json::{Value, json};

use super::{Desk, approval};

/// What is said on a ticket, and whether for the desk alone.
fn comments(ticket: &Value) -> Vec<(String, bool)> {
    let comments = ticket["comments"].as_array().expect("comments").iter();
    let text = |comment: &Value| comment["comment"].as_str().unwrap_or_default().to_owned();
    comments.map(|comment| (text(comment), comment["is_internal"] == true)).collect()
}

on_every_store! {
    /// What the desk says among itself is not shown to employees; what is said to them is.
    async fn internal_comments_are_the_desks(store: NewStore) {
        let desk = Desk::new(store).await;
        let ticket = desk.ticket("Comments").await;
        let notes = json!({ "priority": "Low", "department": "IT Department", "approval_notes": "He is in a hurry" });
        assert_eq!(desk.act(&desk.coordinator, ticket, "approve", notes).await, 200);
        let open = json!({ "status": "In Progress", "comment": "We are at it" });
        assert_eq!(desk.act(&desk.coordinator, ticket, "update-status", open).await, 200);
        assert_eq!(desk.act(&desk.coordinator, ticket, "update-status", json!({ "status": "Resolved" })).await, 200);
        assert_eq!(desk.act(&desk.customer, ticket, "close", json!({ "comment": "Thank you" })).await, 200);
        let staff = comments(&desk.shown(&desk.coordinator, ticket).await);
        let owner = comments(&desk.shown(&desk.customer, ticket).await);
        assert!(staff[0].0.contains("He is in a hurry") && staff[0].1);
        assert_eq!(staff.len(), 4, "{staff:?}");
        // Oldest first, and the same without what is the desk's own.
        assert_eq!(owner, staff[1..]);
        assert_eq!((owner[0].0.as_str(), owner[2].0.as_str()), ("We are at it", "Thank you"));
        let changed = &owner[1].0;
        assert!(changed.contains("In Progress") && changed.contains("Resolved"), "{changed}");
    }

    /// The requester is told by mail of every change of status, of a refusal with its reason, and of nothing that is
    /// the desk's own.
    async fn the_requester_is_told_of_changes(store: NewStore) {
        let desk = Desk::new(store).await;
        let ticket = desk.ticket("Mails").await;
        let refused = desk.ticket("Refused").await;
        let told = async |token: &str, ticket: i64, act: &str, body: Value| {
            let mark = desk.server.mails.mark();
            assert_eq!(desk.act(token, ticket, act, body).await, 200, "{act}");
            let mails = desk.server.mails.since(mark);
            mails
                .iter()
                .map(|mail| {
                    assert_eq!((mail.to.as_str(), mail.template), ("customer@demo.test", MailTemplate::TicketStatus));
                    assert!(mail.context["reference"].as_str().is_some_and(|it| it.starts_with("TX")));
                    let words = serde_json::to_string(&mail.context).expect("JSON");
                    assert!(!words.contains("among ourselves"), "{words}");
                    mail.context["status"].as_str().unwrap_or_default().to_owned()
                })
                .collect::<Vec<_>>()
        };
        let notes = json!({ "priority": "Low", "department": "IT Department", "approval_notes": "among ourselves" });
        assert_eq!(told(&desk.coordinator, ticket, "approve", notes).await, ["Open"]);
        assert_eq!(told(&desk.coordinator, ticket, "claim", json!({})).await.len(), 1);
        let resolved = json!({ "status": "Resolved", "comment": "Done" });
        assert_eq!(told(&desk.coordinator, ticket, "update-status", resolved).await, ["Resolved"]);
        // What they do themselves they know.
        assert_eq!(told(&desk.customer, ticket, "close", json!({})).await, Vec::<String>::new());
        let mark = desk.server.mails.mark();
        let reason = json!({ "rejection_reason": "Not ours to mend" });
        assert_eq!(desk.act(&desk.coordinator, refused, "reject", reason).await, 200);
        let mails = desk.server.mails.since(mark);
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].context["reason"], "Not ours to mend");
    }

    /// Every move that the document does not have is refused, and leaves the ticket as it was.
    async fn moves_are_those_of_the_document(store: NewStore) {
        let desk = Desk::new(store).await;
        let acts = ["approve", "reject", "claim", "withdraw", "close", "finalize"];
        // Status, and which of the acts it allows.
        for (status, allowed) in [
            ("New", &["approve", "reject", "withdraw"][..]),
            ("Open", &["claim", "withdraw", "finalize"]),
            ("In Progress", &["withdraw", "finalize"]),
            ("On Hold", &["withdraw", "finalize"]),
            ("Resolved", &["close", "finalize"]),
            ("Closed", &[]),
            ("Rejected", &[]),
            ("Withdrawn", &[]),
        ] {
            for act in acts {
                let ticket = in_status(&desk, status).await;
                let before = desk.shown(&desk.admin, ticket).await;
                assert_eq!(before["status"], status);
                let owner = matches!(act, "withdraw" | "close");
                let token = if owner { &desk.customer } else { &desk.coordinator };
                let body = match act {
                    "approve" => approval(),
                    "reject" => json!({ "rejection_reason": "No" }),
                    _ => json!({}),
                };
                let expected = if allowed.contains(&act) { 200 } else { 400 };
                assert_eq!(desk.act(token, ticket, act, body).await, expected, "{act} from {status}");
                if expected == 400 {
                    let mut after = desk.shown(&desk.admin, ticket).await;
                    let mut before = before;
                    for shown in [&mut before, &mut after] {
                        without_tokens(shown);
                    }
                    assert_eq!(before, after, "{act} from {status}");
                }
            }
            for to in ["Open", "In Progress", "Resolved", "Closed", "On Hold"] {
                let ticket = in_status(&desk, status).await;
                let set = json!({ "status": to });
                let expected = match status {
                    "New" | "Closed" | "Rejected" | "Withdrawn" => 400,
                    // To where it stands is no move, and none that hurts.
                    _ if status == to => continue,
                    _ => 200,
                };
                let answered = desk.act(&desk.coordinator, ticket, "update-status", set).await;
                assert_eq!(answered, expected, "from {status} to {to}");
            }
        }
    }

    /// A hand-over without a workflow system is written down, and changes nothing about the ticket.
    async fn a_hand_over_leaves_the_ticket_as_it_is(store: NewStore) {
        let desk = Desk::new(store).await;
        let ticket = in_status(&desk, "Open").await;
        assert_eq!(desk.act(&desk.coordinator, ticket, "finalize", json!({})).await, 200);
        assert_eq!(desk.act(&desk.coordinator, ticket, "finalize", json!({})).await, 200);
        assert_eq!(desk.shown(&desk.customer, ticket).await["status"], "Open");
    }
}

/// Addresses carry a token, which is new each time.
fn without_tokens(value: &mut Value) {
    match value {
        Value::String(text) => text.truncate(text.find("?token=").unwrap_or(text.len())),
        Value::Array(items) => items.iter_mut().for_each(without_tokens),
        Value::Object(fields) => fields.values_mut().for_each(without_tokens),
        _ => {}
    }
}

/// A ticket of `customer` in a status.
async fn in_status(desk: &Desk, status: &str) -> i64 {
    let ticket = desk.ticket(status).await;
    match status {
        "New" => {}
        "Rejected" => {
            let reason = json!({ "rejection_reason": "No" });
            assert_eq!(desk.act(&desk.coordinator, ticket, "reject", reason).await, 200);
        }
        "Withdrawn" => assert_eq!(desk.act(&desk.customer, ticket, "withdraw", json!({})).await, 200),
        other => {
            assert_eq!(desk.act(&desk.coordinator, ticket, "approve", approval()).await, 200);
            if other != "Open" {
                let set = json!({ "status": other });
                assert_eq!(desk.act(&desk.coordinator, ticket, "update-status", set).await, 200, "{other}");
            }
        }
    }
    ticket
}
