//! Real clients over real sockets.

#[expect(dead_code, reason = "each of those who share it uses a part of it")]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _, future};
use helpdesk_core::identity::SignedIn;
use helpdesk_ws::{Hub, Settings, codes, serve};
use serde_json::{Value, json};
use support::{Plain, World};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// After how long a test that waits for something gives up.
const PATIENCE: Duration = Duration::from_secs(30);

type Client = WebSocketStream<TcpStream>;

struct Server {
    world: World,
    hub: Hub,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(settings: Settings) -> Self {
        let hub = Hub::new(settings);
        let world = World::new(Arc::new(hub.clone())).await;
        let socket = hub.socket(world.desk.clone(), Arc::new(Plain)).at("https://desk.example/api/");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let serving = tokio::spawn(serve(listener, socket, stopped, PATIENCE));
        Self { world, hub, address, stop: Some(stop), serving }
    }

    async fn ask(&self, query: &str, header: Option<&str>) -> Result<Client, WsError> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let mut request = format!("ws://{}/{query}", self.address).into_client_request().expect("a request");
        if let Some(token) = header {
            let value = format!("Bearer {token}").parse().expect("a value");
            request.headers_mut().insert("authorization", value);
        }
        let config = WebSocketConfig::default().read_buffer_size(1 << 10);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        opened.map(|(client, _)| client)
    }

    async fn connect(&self, who: &SignedIn) -> Client {
        let mut client = self.ask(&format!("?token={}", who.access), None).await.expect("a connection");
        assert_eq!(hear(&mut client).await["type"], "ready");
        client
    }

    /// Waits until there are so many connections.
    async fn has(&self, connections: usize) {
        let has = async {
            while self.hub.connections() != connections {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, has).await.expect("so many connections");
    }
}

async fn message(client: &mut Client) -> Message {
    let message = timeout(PATIENCE, client.next()).await.expect("a message in time");
    message.expect("a message").expect("no failure")
}

async fn hear(client: &mut Client) -> Value {
    serde_json::from_str(message(client).await.to_text().expect("a text")).expect("JSON")
}

async fn end(client: &mut Client) -> u16 {
    match message(client).await {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("{other:?} is no end"),
    }
}

#[tokio::test]
async fn a_token_comes_in_the_header_in_the_address_or_in_the_first_message() {
    let server = Server::start(Settings::default()).await;
    let agent = server.world.sign_in("agent", "agent").await;
    let mut clients = vec![
        server.ask("any/path", Some(&agent.access)).await.expect("by header"),
        server.ask(&format!("?token={}", agent.access), None).await.expect("by address"),
        server.ask("", None).await.expect("by message"),
    ];
    let auth = json!({ "type": "auth", "token": agent.access });
    clients[2].send(Message::text(auth.to_string())).await.expect("sent");
    for client in &mut clients {
        assert_eq!(hear(client).await["type"], "ready");
    }
    server.world.ticket(&agent.caller.actor, "Printer").await;
    server.world.pump().await;
    for client in &mut clients {
        let told = hear(client).await;
        assert_eq!((&told["text"], &told["base"]), (&json!("Printer"), &json!("https://desk.example/api")));
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_anything_else() {
    let server = Server::start(Settings::default()).await;
    for refused in [server.ask("?token=wrong", None).await, server.ask("", Some("wrong")).await] {
        let Err(WsError::Http(response)) = refused else { panic!("let in") };
        assert_eq!(response.status(), 401);
        let body: Value = serde_json::from_slice(response.body().as_deref().expect("a body")).expect("JSON");
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!("unauthenticated"), &json!("the token is not valid"))
        );
    }
    server.has(0).await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_the_end() {
    let server = Server::start(Settings::default()).await;
    let agent = server.world.sign_in("agent", "agent").await;
    let mut client = server.connect(&agent).await;
    client.send(Message::text("x".repeat((16 << 10) + 1))).await.expect("sent");
    assert_eq!(end(&mut client).await, 1009);
    server.has(0).await;
}

#[tokio::test]
async fn who_hangs_up_is_forgotten() {
    let server = Server::start(Settings::default()).await;
    let agent = server.world.sign_in("agent", "agent").await;
    let (mut polite, rude) = (server.connect(&agent).await, server.connect(&agent).await);
    server.has(2).await;
    drop(rude);
    server.has(1).await;
    polite.close(None).await.expect("said");
    while polite.next().await.is_some() {}
    server.has(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_nobody_else_waits() {
    let settings = Settings { write: Duration::from_millis(200), ..Settings::default() };
    let server = Server::start(settings).await;
    let agent = server.world.sign_in("agent", "agent").await;
    // Little fits on the way to it.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    let stream = socket.connect(server.address).await.expect("a connection");
    let address = format!("ws://{}/?token={}", server.address, agent.access);
    let (_slow, _) = tokio_tungstenite::client_async(address, stream).await.expect("a connection");
    let mut quick = server.connect(&agent).await;
    server.has(2).await;

    let words = "much ".repeat(10_000);
    let id = server.world.ticket(&agent.caller.actor, "Printer").await;
    server.world.pump().await;
    assert_eq!(hear(&mut quick).await["text"], "Printer");
    let ends = async {
        while server.hub.connections() == 2 {
            server.world.say(&agent.caller.actor, id, &words).await;
            server.world.pump().await;
            assert_eq!(hear(&mut quick).await["event"], "ticket");
            assert_eq!(hear(&mut quick).await["event"], "comment");
        }
    };
    timeout(PATIENCE, ends).await.expect("it is closed");
}

#[tokio::test]
async fn a_revoked_token_is_cut_by_a_server_that_runs() {
    let server = Server::start(Settings::default()).await;
    let workers = server.world.desk.spawn_workers(1).await.expect("workers");
    let agent = server.world.sign_in("agent", "agent").await;
    let mut client = server.connect(&agent).await;
    server.world.desk.identity().sign_out(&agent.caller).await.expect("signed out");
    assert_eq!(end(&mut client).await, codes::UNAUTHENTICATED);
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_clients_are_told_and_sent_away() {
    let mut server = Server::start(Settings { per_account: 1_000, ..Settings::default() }).await;
    let agent = server.world.sign_in("agent", "agent").await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.extend(future::join_all((0..50).map(|_| server.connect(&agent))).await);
    }
    server.has(1_000).await;
    server.world.ticket(&agent.caller.actor, "Printer").await;
    server.world.pump().await;
    for told in future::join_all(clients.iter_mut().map(hear)).await {
        assert_eq!(told["text"], "Printer");
    }
    drop(server.stop.take());
    for code in future::join_all(clients.iter_mut().map(end)).await {
        assert_eq!(code, 1001);
    }
    drop(clients);
    timeout(PATIENCE, server.serving).await.expect("it ends").expect("no panic").expect("it ends well");
    assert_eq!(server.hub.connections(), 0);
    TcpStream::connect(server.address).await.expect_err("nobody listens");
}
