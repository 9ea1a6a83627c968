//! What is told to clients that stay connected: the same objects that requests are answered, to those who may see them.

use std::sync::Arc;

use futures_util::StreamExt as _;
use helpdesk::HttpSocket;
use helpdesk::http::dialects::supportdesk::SupportDeskFeed;
use helpdesk::ws::{Hub, Settings, codes};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::{PATIENCE, Server, Setup};
use helpdesk_tests::stores::NewStore;
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{call, data, get, id, patch, post, ticket};
use crate::support::World;

type Client = WebSocketStream<TcpStream>;

/// A server that tells.
fn setup(store: NewStore) -> Setup {
    let hub = Hub::new(Settings::default());
    let notifier = Arc::new(hub.clone());
    Setup::new(store).desk(|builder| builder.notifier(notifier)).http(move |builder| {
        let socket = hub.socket(builder.desk().clone(), Arc::new(SupportDeskFeed::new()));
        builder.socket("/supportdesk/ws", Arc::new(HttpSocket::new(socket)))
    })
}

/// The same, when what it began with is no news any more: events find their place in the log a moment after they were
/// committed, and are told in that order.
async fn started(store: NewStore) -> Server {
    let server = setup(store).start().await;
    let agent = server.token("agent").await;
    let mut desks = connect(&server, &agent, "").await;
    ticket(&server, &agent, "The first").await;
    while next(&mut desks, "ticket.created").await["data"]["subject"] != "The first" {}
    server
}

async fn connect(server: &Server, token: &str, more: &str) -> Client {
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let address = format!("ws://{}/supportdesk/ws?token={token}{more}", server.address);
    let (mut client, _) = tokio_tungstenite::client_async(address, stream).await.expect("a socket");
    assert_eq!(hear(&mut client).await["type"], "ready");
    client
}

async fn message(client: &mut Client) -> Message {
    let message = timeout(PATIENCE, client.next()).await.expect("a message in time");
    message.expect("a message").expect("no failure")
}

async fn hear(client: &mut Client) -> Value {
    serde_json::from_str(message(client).await.to_text().expect("a text")).expect("JSON")
}

/// The first that is told by a name.
async fn next(client: &mut Client, event: &str) -> Value {
    loop {
        let told = hear(client).await;
        if told["event"] == event {
            return told;
        }
    }
}

/// The code that a connection is closed with.
async fn end(client: &mut Client) -> u16 {
    loop {
        if let Message::Close(frame) = message(client).await {
            return frame.expect("a reason").code.into();
        }
    }
}

on_every_store! {
    /// What is told is what the operations answer.
    async fn what_is_told_is_what_is_answered(store: NewStore) {
        let server = started(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let (mut theirs, mut desks) = (connect(&server, &customer, "").await, connect(&server, &agent, "").await);
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "Told").await);
        let shown = |list: Value| list["tickets"][0].clone();
        let listed = shown(data(&get(&server, &agent, "/api/tickets?sort=created_at&order=desc&limit=1").await));
        assert_eq!(listed["subject"], "Told");
        let told = next(&mut desks, "ticket.created").await;
        assert_eq!(told["data"], listed);
        assert_eq!(next(&mut theirs, "ticket.created").await["data"]["id"], listed["id"]);

        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        data(&patch(&server, &agent, &format!("{path}/assign"), json!({ "assignee_id": me })).await);
        let assigned = next(&mut theirs, "ticket.assigned").await;
        assert_eq!(assigned["data"]["assignee_id"], json!(me));
        // The note is for the desk alone: what the customer hears next is the comment.
        for (body, public) in [("A note", false), ("On my way", true)] {
            let comment = json!({ "body": body, "public": public, "attachments": [] });
            data(&post(&server, &agent, &format!("{path}/comments"), comment).await);
        }
        let comments = data(&get(&server, &customer, &format!("{path}/comments")).await);
        let comment = next(&mut theirs, "comment.added").await;
        assert_eq!(comment["data"], comments[0]);
        assert_eq!(next(&mut desks, "comment.added").await["data"]["body"], "A note");
        server.settle().await;
        let news = next(&mut theirs, "notification.new").await["data"].clone();
        let list = data(&get(&server, &customer, "/api/notifications?limit=100").await);
        assert!(list.as_array().expect("a list").contains(&news), "{news} is not in {list}");
    }

    /// Who hears of updates alone learns of a status that changed with the one who has the ticket.
    async fn what_is_given_and_moved_at_once_is_told_as_both(store: NewStore) {
        let server = started(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let path = format!("/api/tickets/{}", ticket(&server, &customer, "Both").await);
        data(&patch(&server, &agent, &format!("{path}/status"), json!({ "status": "open" })).await);
        data(&patch(&server, &agent, &format!("{path}/assign"), json!({ "assignee_id": null })).await);
        let mut desks = connect(&server, &agent, "").await;
        // What happened before may still be on its way; what comes after this is not.
        ticket(&server, &customer, "Marker").await;
        while next(&mut desks, "ticket.created").await["data"]["subject"] != "Marker" {}
        data(&patch(&server, &agent, &format!("{path}/status"), json!({ "status": "solved" })).await);
        // The clocks of service levels may be told of in between.
        let of = |told: &Value| told["id"].as_str().and_then(|id| id.split('-').next()).map(str::to_owned);
        let (mut updated, mut assigned) = (Value::Null, hear(&mut desks).await);
        while updated.is_null() || of(&updated) != of(&assigned) {
            (updated, assigned) = (assigned, hear(&mut desks).await);
        }
        assert_eq!((&updated["event"], &assigned["event"]), (&json!("ticket.updated"), &json!("ticket.assigned")));
        assert_eq!((&updated["data"], &updated["data"]["status"]), (&assigned["data"], &json!("solved")));
        assert_ne!(updated["id"], assigned["id"]);
        let me = id(&data(&get(&server, &agent, "/api/auth/me").await));
        assert_eq!(assigned["data"]["assignee_id"], json!(me));
    }

    /// Who comes back with the last id is told what they missed, and nothing twice.
    async fn nothing_is_missed(store: NewStore) {
        let server = started(store).await;
        let agent = server.token("agent").await;
        let mut client = connect(&server, &agent, "").await;
        let customer = server.token("customer").await;
        ticket(&server, &customer, "Before").await;
        let last = next(&mut client, "ticket.created").await["id"].clone();
        drop(client);
        for number in 0..5 {
            ticket(&server, &customer, &format!("Missed {number}")).await;
        }
        let last = last.as_str().expect("an id");
        let mut client = connect(&server, &agent, &format!("&last_event_id={last}")).await;
        let (mut subjects, mut resumed) = (Vec::new(), false);
        // What had no place in the log yet when the client came is told as news, after what was missed.
        while !resumed || subjects.len() < 5 {
            let told = hear(&mut client).await;
            resumed |= told["type"] == "resumed";
            if told["event"] == "ticket.created" {
                subjects.push(told["data"]["subject"].clone());
            }
        }
        assert_eq!(subjects, [0, 1, 2, 3, 4].map(|number| json!(format!("Missed {number}"))));
        ticket(&server, &customer, "After").await;
        assert_eq!(next(&mut client, "ticket.created").await["data"]["subject"], "After");
    }

    /// A connection ends with the session that it goes by, and with the account.
    async fn a_connection_is_as_good_as_its_session(store: NewStore) {
        let server = started(store).await;
        let agent = server.token("agent").await;
        let (mut one, admin) = (connect(&server, &agent, "").await, server.token("admin").await);
        data(&post(&server, &agent, "/api/auth/logout", json!({})).await);
        assert_eq!(end(&mut one).await, codes::UNAUTHENTICATED);

        let again = server.token("agent").await;
        let me = id(&data(&get(&server, &again, "/api/auth/me").await));
        let mut two = connect(&server, &again, "").await;
        data(&call(&server, &admin, Method::DELETE, &format!("/api/agents/{me}"), None).await);
        assert_eq!(end(&mut two).await, codes::UNAUTHENTICATED);
    }

    /// Who gets copies of a ticket hears of it, but for the desk's own business; also of what they missed.
    async fn who_gets_copies_is_told(store: NewStore) {
        let server = started(store).await;
        let (agent, copied) = (server.token("agent").await, server.token("customer2").await);
        let found = data(&get(&server, &copied, "/api/tickets?search=Move%20my%20desk").await);
        let ticket = format!("/api/tickets/{}", id(&found["tickets"][0]));
        let path = format!("{ticket}/comments");
        let mut client = connect(&server, &copied, "").await;
        let say = async |body: &str, public: bool| {
            data(&post(&server, &agent, &path, json!({ "body": body, "public": public, "attachments": [] })).await);
        };
        say("A note", false).await;
        say("One", true).await;
        let told = next(&mut client, "comment.added").await;
        assert_eq!(told["data"]["body"], "One");
        drop(client);
        say("Another note", false).await;
        say("Two", true).await;
        let last = told["id"].as_str().expect("an id").to_owned();
        let mut client = connect(&server, &copied, &format!("&last_event_id={last}")).await;
        let told = next(&mut client, "comment.added").await;
        assert_eq!(told["data"]["body"], "Two");
        drop(client);
        let mut desks = connect(&server, &agent, "").await;
        data(&call(&server, &agent, Method::DELETE, &ticket, None).await);
        while next(&mut desks, "ticket.updated").await["data"]["deleted_at"].is_null() {}
        let last = told["id"].as_str().expect("an id");
        let mut client = connect(&server, &copied, &format!("&last_event_id={last}")).await;
        let gone = next(&mut client, "ticket.updated").await;
        assert!(gone["data"]["deleted_at"].is_string(), "{gone}");
    }

    /// Nobody hears of another organisation.
    async fn organisations_hear_of_themselves_alone(store: NewStore) {
        let world = World::with(setup(store)).await;
        let server = &world.server;
        let foreigner = server.token("foreign-admin@demo.test").await;
        let mut client = connect(server, &foreigner, "").await;
        let customer = server.token("customer").await;
        for number in 0..3 {
            ticket(server, &customer, &format!("Here {number}")).await;
        }
        ticket(server, &foreigner, "There").await;
        loop {
            let told = hear(&mut client).await;
            let text = told.to_string();
            assert!(!text.contains("Here"), "{text}");
            if told["data"]["subject"] == "There" {
                break;
            }
        }
    }
}
