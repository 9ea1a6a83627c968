//! SmartSupport where its contract has only words: what is shown to whom, which mails are sent, how lists are cut.

mod accounts;
mod lists;
mod races;
mod tickets;

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::server::Server;
use helpdesk_tests::stores::NewStore;
use serde_json::{Value, json};

/// A server, and somebody of each sort who is signed in.
struct Desk {
    server: Server,
    admin: String,
    coordinator: String,
    customer: String,
    customer2: String,
}

impl Desk {
    async fn new(store: NewStore) -> Self {
        let server = Server::start(store).await;
        let (admin, coordinator) = (server.token("admin").await, server.token("coordinator").await);
        let (customer, customer2) = (server.token("customer").await, server.token("customer2").await);
        server.settle().await;
        Self { server, admin, coordinator, customer, customer2 }
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        self.server.client.send(Request::get(format!("/smartsupport{path}")).bearer(token)).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        let request = Request::post(format!("/smartsupport{path}")).json(&body);
        let request = if token.is_empty() { request } else { request.bearer(token) };
        let reply = self.server.client.send(request).await;
        self.server.settle().await;
        reply
    }

    /// Makes a ticket of `customer`. Answers its id.
    async fn ticket(&self, subject: &str) -> i64 {
        let body = json!({ "subject": subject, "category": "Software", "sub_category": "Other", "description": "Words." });
        let made = self.post(&self.customer, "/api/tickets/", body).await;
        assert_eq!(made.status, 201, "{}", made.excerpt());
        made.json()["id"].as_i64().expect("an id")
    }

    /// Does something to a ticket, and answers the status.
    async fn act(&self, token: &str, ticket: i64, act: &str, body: Value) -> u16 {
        self.post(token, &format!("/api/tickets/{ticket}/{act}/"), body).await.status
    }

    async fn shown(&self, token: &str, ticket: i64) -> Value {
        self.get(token, &format!("/api/tickets/{ticket}/")).await.json()
    }
}

/// What lets a ticket in.
fn approval() -> Value {
    json!({ "priority": "High", "department": "IT Department" })
}
