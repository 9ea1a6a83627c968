//! The events of Support Desk, by a real client through the HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use helpdesk_core::identity::{Admission, NewUser, OrganisationId, PasswordCost, Person, SignedIn};
use helpdesk_core::tickets::{Act, Comment, NewTicket, Status};
use helpdesk_core::{Actor, Helpdesk, Via};
use helpdesk_http::dialects::supportdesk::{SupportDeskFeed, supportdesk};
use helpdesk_http::{HttpApi, serve};
use helpdesk_ws::Hub;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::{HttpSocket, MemoryStorage};

const PATIENCE: Duration = Duration::from_secs(30);

type Client = WebSocketStream<TcpStream>;

struct Server {
    desk: Helpdesk,
    hub: Hub,
    organisation: OrganisationId,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    _workers: helpdesk_core::jobs::Workers,
}

impl Server {
    async fn start() -> Self {
        let hub = Hub::new(helpdesk_ws::Settings::default());
        let desk = Helpdesk::builder()
            .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
            .password_cost(PasswordCost::Least)
            .notifier(Arc::new(hub.clone()))
            .build();
        let organisation = desk.identity().create_organisation("Demo", "demo").await.expect("one");
        let workers = desk.spawn_workers(1).await.expect("workers");
        let socket = HttpSocket::new(hub.socket(desk.clone(), Arc::new(SupportDeskFeed::new())));
        let api = HttpApi::builder(desk.clone())
            .dialect("/supportdesk", supportdesk(organisation))
            .socket("/supportdesk/ws", Arc::new(socket))
            .origins(["https://app.example".parse().expect("an origin")])
            .build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let serving = tokio::spawn(serve(listener, api, stopped, PATIENCE));
        Self { desk, hub, organisation, address, stop, serving, _workers: workers }
    }

    async fn sign_in(&self, name: &str, role: &str) -> SignedIn {
        let email = format!("{name}@demo.test");
        let person = Person {
            first_name: name.to_owned(),
            last_name: "Test".to_owned(),
            email: email.clone(),
            ..Person::default()
        };
        let password = Some("correct horse".to_owned());
        let new = NewUser { person, role: role.to_owned(), password, approved: true };
        let identity = self.desk.identity();
        identity.create_user(&Actor::system(self.organisation), new).await.expect("an account");
        let admit = |_: &_, _: &_| Ok(Admission::Approved);
        let via = Arc::new(Via::SYSTEM);
        identity.sign_in(None, &email, "correct horse", via, admit).await.expect("signed in")
    }

    /// As a browser asks.
    async fn ask(&self, path: &str) -> Result<Client, WsError> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let mut request = format!("ws://{}{path}", self.address).into_client_request().expect("a request");
        for (name, value) in [("accept-encoding", "gzip, br"), ("origin", "https://app.example")] {
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        tokio_tungstenite::client_async(request, stream).await.map(|(client, _)| client)
    }

    async fn connect(&self, who: &SignedIn) -> Client {
        let path = format!("/supportdesk/ws?token={}", who.access);
        let mut client = self.ask(&path).await.expect("a connection");
        assert_eq!(hear(&mut client).await["type"], "ready");
        client
    }
}

async fn message(client: &mut Client) -> Message {
    let message = timeout(PATIENCE, client.next()).await.expect("a message in time");
    message.expect("a message").expect("no failure")
}

async fn hear(client: &mut Client) -> Value {
    serde_json::from_str(message(client).await.to_text().expect("a text")).expect("JSON")
}

/// The first that is told of which something holds.
async fn until(client: &mut Client, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = hear(client).await;
        if holds(&told) {
            return told;
        }
    }
}

#[tokio::test]
async fn a_browser_is_told_in_the_words_of_the_document() {
    let server = Server::start().await;
    let (ada, agent) = (server.sign_in("ada", "customer").await, server.sign_in("agent", "agent").await);
    let (mut hers, mut desks) = (server.connect(&ada).await, server.connect(&agent).await);
    let tickets = server.desk.tickets();
    let new = NewTicket { subject: "Printer".into(), description: "It burns".into(), ..NewTicket::default() };
    let ticket = tickets.create(&ada.caller.actor, new).await.expect("a ticket").0;
    let told = hear(&mut hers).await;
    assert_eq!(told["event"], "ticket.created");
    let data = &told["data"];
    assert_eq!(
        *data,
        json!({
            "id": ticket.id.to_string(), "subject": "Printer", "description": "It burns", "status": "new",
            "priority": "normal", "type": "question", "channel": "web",
            "requester_id": ada.user.id.to_string(), "assignee_id": null, "group_id": null, "tags": [],
            "created_at": data["created_at"], "updated_at": data["updated_at"],
        })
    );
    assert_eq!(hear(&mut desks).await, told);

    let agents = &agent.caller.actor;
    let act = |act| tickets.act(agents, ticket.id, None, act);
    act(Act::Move { to: Status::Open, from: None, comment: None }).await.expect("opened");
    until(&mut desks, |told| told["data"]["status"] == "open").await;
    act(Act::Assign { to: Some(agent.user.id) }).await.expect("assigned");
    let assigned = until(&mut desks, |told| told["event"] == "ticket.assigned").await;
    assert_eq!(assigned["data"]["assignee_id"], agent.user.id.to_string());
    act(Act::Say(Comment::internal("She broke it"))).await.expect("noted");
    let note = until(&mut desks, |told| told["event"] == "comment.added").await;
    assert_eq!((&note["data"]["body"], &note["data"]["public"]), (&json!("She broke it"), &json!(false)));
    act(Act::Say(Comment::public("We look into it"))).await.expect("said");
    until(&mut desks, |told| told["data"]["body"] == "We look into it").await;
    act(Act::Move { to: Status::OnHold, from: None, comment: None }).await.expect("held");
    let held = until(&mut desks, |told| told["data"]["status"] == "hold").await;

    assert_eq!(until(&mut hers, |told| told["event"] == "ticket.assigned").await, assigned);
    // The first that she reads is no note.
    let comment = until(&mut hers, |told| told["event"] == "comment.added").await["data"].clone();
    assert_eq!(
        comment,
        json!({
            "id": comment["id"], "ticket_id": ticket.id.to_string(), "author_id": agent.user.id.to_string(),
            "author": { "name": "agent Test", "email": "agent@demo.test" }, "body": "We look into it",
            "public": true, "attachments": [], "created_at": comment["created_at"],
        })
    );
    // That it waits for others is the desk's business.
    let held = until(&mut hers, |told| told["id"] == held["id"]).await;
    assert_eq!((&held["event"], &held["data"]["status"]), (&json!("ticket.updated"), &json!("open")));

    tickets.act(&Actor::system(server.organisation), ticket.id, None, Act::Delete).await.expect("deleted");
    let gone = hear(&mut desks).await;
    assert_eq!(gone["event"], "ticket.updated");
    assert!(gone["data"]["deleted_at"].is_string());
}

#[tokio::test]
async fn who_may_not_connect_is_told_so_in_the_dialects_shape() {
    let server = Server::start().await;
    let Err(WsError::Http(refused)) = server.ask("/supportdesk/ws?token=wrong").await else {
        panic!("let in")
    };
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    let Err(WsError::Http(elsewhere)) = server.ask("/ws").await else { panic!("let in") };
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn connections_end_with_the_server() {
    let server = Server::start().await;
    let agent = server.sign_in("agent", "agent").await;
    let mut client = server.connect(&agent).await;
    drop(server.stop);
    match message(&mut client).await {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("{other:?} is no end"),
    }
    drop(client);
    timeout(PATIENCE, server.serving).await.expect("in time").expect("no panic").expect("well");
    assert_eq!(server.hub.connections(), 0);
}
