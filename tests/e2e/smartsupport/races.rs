//! Several at once: each rule holds as if one had come after the other.

use std::collections::BTreeSet;

use helpdesk_tests::client::Request;
use helpdesk_tests::on_every_store;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Desk, approval};

impl Desk {
    /// Sends all requests at once. Answers status and body of each.
    async fn at_once(&self, requests: Vec<Request>) -> Vec<(u16, Value)> {
        let mut running = JoinSet::new();
        for request in requests {
            let client = self.server.client.clone();
            running.spawn(async move { client.send(request).await });
        }
        let replies = running.join_all().await;
        self.server.settle().await;
        replies.iter().map(|reply| (reply.status, reply.json())).collect()
    }
}

fn count(replies: &[(u16, Value)], status: u16) -> usize {
    replies.iter().filter(|(other, _)| *other == status).count()
}

on_every_store! {
    /// A ticket is claimed by one.
    async fn one_has_the_ticket(store: NewStore) {
        let desk = Desk::new(store).await;
        for _ in 0..5 {
            let ticket = desk.ticket("Everybody wants it").await;
            assert_eq!(desk.act(&desk.coordinator, ticket, "approve", approval()).await, 200);
            let claim = |token: &str| Request::post(format!("/smartsupport/api/tickets/{ticket}/claim/")).bearer(token);
            let tokens = [&desk.coordinator, &desk.admin, &desk.coordinator, &desk.admin];
            let replies = desk.at_once(tokens.map(|token| claim(token)).into()).await;
            let won: Vec<_> = replies.iter().filter(|(status, _)| *status == 200).collect();
            // Whoever has it may say so again.
            let winners: BTreeSet<_> = won.iter().map(|(_, body)| body["assigned_to"].to_string()).collect();
            assert_eq!(winners.len(), 1, "{replies:?}");
            assert_eq!(won.len() + count(&replies, 400), replies.len(), "{replies:?}");
        }
    }

    /// Of several ends that a ticket might come to, it comes to one.
    async fn a_ticket_comes_to_one_end(store: NewStore) {
        let desk = Desk::new(store).await;
        for _ in 0..5 {
            let ticket = desk.ticket("The end").await;
            let act = |token: &str, act: &str, body: Value| {
                Request::post(format!("/smartsupport/api/tickets/{ticket}/{act}/")).bearer(token).json(&body)
            };
            let replies = desk
                .at_once(vec![
                    act(&desk.coordinator, "reject", json!({ "rejection_reason": "No" })),
                    act(&desk.customer, "withdraw", json!({})),
                    act(&desk.admin, "reject", json!({ "rejection_reason": "Never" })),
                ])
                .await;
            assert_eq!((count(&replies, 200), count(&replies, 400)), (1, 2), "{replies:?}");
        }
    }

    /// An address is taken by one, and the others are told whose mistake it was.
    async fn one_has_the_address(store: NewStore) {
        let desk = Desk::new(store).await;
        let body = json!({
            "first_name": "Ada", "last_name": "Byron", "email": "ada@example.test", "department": "IT Department",
            "password": "long enough", "confirm_password": "long enough",
        });
        let request = Request::post("/smartsupport/api/create_employee/").json(&body);
        let replies = desk.at_once(vec![request; 8]).await;
        assert_eq!((count(&replies, 201), count(&replies, 400)), (1, 7), "{replies:?}");
        let told = |(status, body): &(u16, Value)| *status == 201 || body["field_errors"]["email"].is_array();
        assert!(replies.iter().all(told), "{replies:?}");
    }

    /// Each ticket has a number of its own, and there is none that is lost.
    async fn each_ticket_has_its_number(store: NewStore) {
        let desk = Desk::new(store).await;
        let body = json!({ "subject": "One of many", "category": "Software", "sub_category": "Other", "description": "Words." });
        let request = Request::post("/smartsupport/api/tickets/").bearer(&desk.customer).json(&body);
        let replies = desk.at_once(vec![request; 40]).await;
        assert_eq!(count(&replies, 201), 40);
        let numbers: BTreeSet<_> = replies.iter().map(|(_, body)| body["ticket_number"].to_string()).collect();
        assert_eq!(numbers.len(), 40);
        let list = desk.get(&desk.customer, "/api/tickets/?search=many&page_size=100").await.json();
        assert_eq!(list["count"], 40);
    }

    /// A mailed link is used once, though it be used twice at the same time.
    async fn one_uses_the_link(store: NewStore) {
        let desk = Desk::new(store).await;
        let mark = desk.server.mails.mark();
        desk.post("", "/api/employee/forgot-password/", json!({ "email": "customer@demo.test" })).await;
        let link = desk.server.mails.link("customer@demo.test", mark).expect("a link");
        let of = |name| helpdesk_tests::walk::from_link(&link, name);
        let reset = |number: usize| {
            let password = format!("new password {number}");
            let body = json!({ "uidb64": of("uidb64"), "token": of("token"), "new_password": password });
            Request::post("/smartsupport/api/employee/reset-password/").json(&body)
        };
        let replies = desk.at_once((0..6).map(reset).collect()).await;
        assert_eq!((count(&replies, 200), count(&replies, 400)), (1, 5), "{replies:?}");
    }
}
