//! Connections on real sockets, with time that is moved by hand.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use helpdesk_core::identity::OrganisationId;
use helpdesk_core::storage::EntityId;
use helpdesk_core::{Helpdesk, Reference, Via};
use helpdesk_storage_memory::MemoryStorage;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{advance, timeout};

use super::pulse::Pulse;
use super::stream::Paced;
use super::{FAREWELL, IDLE, PING, STALL, serve};
use crate::api::{Builder, HttpApi};
use crate::dialects::{smartsupport::smartsupport, supportdesk::supportdesk};
use crate::kernel::{Call, Dialect, Failure, Head, Operation, Rates, Reply, Tenant};
use crate::sockets::{Opening, Socket};

/// After how long, truly, a test that waits for something gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than sockets, and what lies between them, hold for a reader who does not read.
const LARGE: usize = 32 << 20;
const GET: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
/// The beginning of a connection of HTTP/2, with settings that change nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// How a handler ends.
type Ending = Result<Reply, Failure>;

/// Keeps time from moving by itself while sockets are waited for. A test that waits in vain ends all the same: then
/// time moves again, and what it waits with is over.
struct Still(#[expect(dead_code, reason = "held")] mpsc::Sender<()>);

impl Still {
    fn new() -> Self {
        let (held, end) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || end.recv_timeout(PATIENCE));
        Self(held)
    }
}

fn desk() -> Helpdesk {
    Helpdesk::builder().storage(Arc::new(MemoryStorage::new(Helpdesk::schema()))).build()
}

fn organisation() -> OrganisationId {
    EntityId::from_uuid(uuid::Uuid::from_u128(1))
}

/// How many files are being kept, and how many may be let go.
#[derive(Debug)]
struct Gate {
    begun: Semaphore,
    open: Semaphore,
}

fn dialect(gate: &Arc<Gate>) -> Dialect {
    let gate = Arc::clone(gate);
    let keep = move |_: Call| {
        let gate = Arc::clone(&gate);
        async move {
            gate.begun.add_permits(1);
            gate.open.acquire().await.expect("gates are never taken away").forget();
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
    };
    let large = async |_: Call| Ok(Reply::content(StatusCode::OK, "text/plain", vec![b'a'; LARGE]));
    Dialect {
        name: "probe",
        title: "Probe",
        description: "Says much.",
        version: "1.0",
        via: Arc::new(Via { name: Cow::Borrowed("probe"), tickets: Reference::new("P", 1), ..Via::SYSTEM }),
        tenant: Tenant::Fixed(organisation()),
        operations: vec![
            Operation::get("large", "/large", large),
            Operation::get("endless", "/endless", async |_: Call| std::future::pending::<Ending>().await),
            Operation::post("keep", "/keep", keep).form(64 << 20, 64 << 20),
        ],
        aliases: &[],
        limits: Rates::Classes(&[]),
        refuse: |_: &Failure, _: &Head| Reply::empty(StatusCode::BAD_REQUEST),
        error_schema: || utoipa::openapi::schema::ObjectBuilder::new().into(),
    }
}

/// Lets the server do all that it can do without anybody's help.
async fn settled() {
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
}

struct Server {
    address: std::net::SocketAddr,
    gate: Arc<Gate>,
    _stop: oneshot::Sender<()>,
    _still: Still,
}

impl Server {
    async fn start(change: impl FnOnce(Builder) -> Builder) -> Self {
        let gate = Arc::new(Gate { begun: Semaphore::new(0), open: Semaphore::new(0) });
        let builder = HttpApi::builder(desk())
            .dialect("/probe", dialect(&gate))
            .dialect("/smartsupport", smartsupport(organisation()))
            .dialect("/supportdesk", supportdesk(organisation()));
        let api = change(builder).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, api, async { drop(stopped.await) }, Duration::ZERO));
        Self { address, gate, _stop: stop, _still: Still::new() }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A client of HTTP/2 that takes so much of each answer before it is read, and its connection.
    async fn http2(&self, window: u32) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
        let stream = TokioIo::new(self.connect().await);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window).initial_connection_window_size(1 << 20);
        let (sender, connection) = builder.handshake(stream).await.expect("HTTP/2");
        (sender, tokio::spawn(connection))
    }
}

/// Whether a request is answered on a connection.
async fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(GET.as_bytes()).await.is_err() {
        return false;
    }
    let mut said = Vec::new();
    let answered = async {
        while !said.ends_with(b"ok\n") {
            if stream.read_buf(&mut said).await.unwrap_or_default() == 0 {
                return false;
            }
        }
        true
    };
    timeout(PATIENCE, answered).await.expect("an answer or an end")
}

/// Reads to the end of a connection, and says how much there was.
async fn ends(stream: &mut TcpStream) -> usize {
    let mut rest = Vec::new();
    // It may also be broken off, with what was not read on the other side.
    drop(timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("an end"));
    rest.len()
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://desk.test{path}")).body(Empty::new()).expect("a request")
}

#[tokio::test(start_paused = true)]
async fn silent_clients_do_not_keep_their_places() {
    let server = Server::start(|builder| builder.connections(4)).await;
    let mut silent = Vec::new();
    for said in [&b""[..], b"PRI ", b"GET /healthz HTTP/1.1\r\nHost:", PREFACE] {
        let mut stream = server.connect().await;
        stream.write_all(said).await.expect("sent");
        silent.push(stream);
    }
    // All places are taken: a further client waits, for no longer than they may be silent.
    let mut waiting = server.connect().await;
    waiting.write_all(GET.as_bytes()).await.expect("sent");
    settled().await;
    advance(IDLE).await;
    settled().await;
    advance(FAREWELL).await;
    for stream in &mut silent {
        ends(stream).await;
    }
    let mut answer = [0; 12];
    timeout(PATIENCE, waiting.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_for_a_while() {
    let server = Server::start(|builder| builder).await;
    let mut stream = server.connect().await;
    let (mut http2, connection) = server.http2(1 << 16).await;
    for _ in 0..3 {
        assert!(is_answered(&mut stream).await);
        let answer = http2.send_request(get("/healthz")).await.expect("an answer");
        answer.into_body().collect().await.expect("a body");
        settled().await;
        advance(IDLE - Duration::from_secs(1)).await;
        settled().await;
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(ends(&mut stream).await, 0);
    // It is told so, which is no failure.
    timeout(PATIENCE, connection).await.expect("an end").expect("no panic").expect("no failure");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_without_a_word_is_found() {
    let server = Server::start(|builder| builder.time_limit(PING * 100)).await;
    let mut gone = server.connect().await;
    // A request for what takes for ever, by one who answers no ping.
    let request = b"\0\0\x15\x01\x05\0\0\0\x01\x82\x86\x04\x0e/probe/endless\x01\x01x";
    gone.write_all(&[PREFACE, request].concat()).await.expect("sent");
    for passes in [PING, STALL] {
        settled().await;
        advance(passes).await;
    }
    ends(&mut gone).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_given_up() {
    let server = Server::start(|builder| builder).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /probe/large HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut some = [0; 1];
    stream.read_exact(&mut some).await.expect("it begins");
    settled().await;
    advance(STALL - Duration::from_secs(1)).await;
    settled().await;
    advance(Duration::from_secs(1)).await;
    settled().await;
    assert!(ends(&mut stream).await < LARGE);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_a_long_answer() {
    let server = Server::start(|builder| builder).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /probe/large HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut read = 0;
    let mut some = vec![0; LARGE / 8];
    while read < LARGE {
        let count = timeout(PATIENCE, stream.read_exact(&mut some)).await.expect("in time").expect("more");
        read += count;
        settled().await;
        advance(STALL / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_answer_that_nobody_takes_leaves_the_others_alone() {
    let server = Server::start(|builder| builder).await;
    let (mut http2, _connection) = server.http2(1 << 10).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let answer = http2.send_request(get("/probe/large")).await.expect("an answer");
        stalled.push(answer.into_body());
    }
    for _ in 0..4 {
        settled().await;
        advance(STALL / 4).await;
        let answer = http2.send_request(get("/healthz")).await.expect("an answer");
        assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "ok\n");
    }
    for mut body in stalled {
        let reset = async {
            while let Some(frame) = body.frame().await {
                if let Err(error) = frame {
                    return error;
                }
            }
            panic!("it ended as if it were whole")
        };
        let error = timeout(PATIENCE, reset).await.expect("an end");
        assert!(error.to_string().contains("error reading a body"), "{error}");
    }
    let answer = http2.send_request(get("/healthz")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "ok\n");
}

#[tokio::test(start_paused = true)]
async fn one_address_does_not_take_all_places() {
    let server = Server::start(|builder| builder.connections(10).connections_per_address(2)).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    assert!(is_answered(&mut first).await && is_answered(&mut second).await);
    for _ in 0..20 {
        assert_eq!(ends(&mut server.connect().await).await, 0);
    }
    assert!(is_answered(&mut first).await);
    drop(second);
    settled().await;
    assert!(is_answered(&mut server.connect().await).await);
}

#[tokio::test(start_paused = true)]
async fn a_trusted_proxy_has_any_number_of_connections() {
    let proxy = "127.0.0.1".parse().expect("an address");
    let trusting = |builder: Builder| builder.connections_per_address(2).trusted_proxies([proxy]);
    let server = Server::start(trusting).await;
    let mut kept = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        assert!(is_answered(&mut stream).await);
        kept.push(stream);
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_break_off_at_once_end_nothing() {
    let server = Server::start(|builder| builder).await;
    for _ in 0..50 {
        let stream = server.connect().await;
        stream.set_zero_linger().expect("it is reset when it is dropped");
    }
    assert!(is_answered(&mut server.connect().await).await);
}

/// A request with a body of some size, of which so much is sent.
async fn post(server: &Server, path: &str, announced: usize, sent: usize) -> TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let body = [b"{}", &*vec![b' '; sent - 2]].concat();
    stream.write_all(&body).await.expect("sent");
    stream
}

/// Waits until so many handlers have begun.
async fn begun(server: &Server, count: u32) {
    let permits = timeout(PATIENCE, server.gate.begun.acquire_many(count)).await.expect("in time");
    drop(permits.expect("nobody closes it"));
}

/// What is answered, without the beginning of its first line.
async fn answer(stream: &mut TcpStream) -> String {
    let mut said = vec![0; 64 * 1024];
    let count = timeout(PATIENCE, stream.read(&mut said)).await.expect("in time").expect("an answer");
    said.truncate(count);
    String::from_utf8(said).expect("text").split_off("HTTP/1.1 ".len())
}

/// Takes connections over, and says back what it hears.
#[derive(Debug)]
struct Echo;

#[async_trait]
impl Socket for Echo {
    async fn open(&self, opening: Opening) -> Result<Reply, Failure> {
        let connection = opening.connection.ok_or(Failure::NoRoute)?;
        tokio::spawn(async move {
            let stream = TokioIo::new(connection.await.expect("it is taken over"));
            let (mut hears, mut says) = tokio::io::split(stream);
            tokio::io::copy(&mut hears, &mut says).await
        });
        let reply = Reply::empty(StatusCode::SWITCHING_PROTOCOLS);
        let upgrade = HeaderValue::from_static("upgrade");
        Ok(reply.header(CONNECTION, upgrade).header(UPGRADE, HeaderValue::from_static("echo")))
    }

    async fn drain(&self) {}
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_taken_over_is_left_alone() {
    let server = Server::start(|builder| builder.connections(1).socket("/echo", Arc::new(Echo))).await;
    let mut stream = server.connect().await;
    let request = b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    assert!(answer(&mut stream).await.starts_with("101 "));
    for passes in [IDLE, FAREWELL, STALL] {
        settled().await;
        advance(passes).await;
    }
    settled().await;
    stream.write_all(b"still there").await.expect("sent");
    let mut heard = [0; 11];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.expect("in time").expect("more");
    assert_eq!(&heard, b"still there");
    // Its place here is another's.
    assert!(is_answered(&mut server.connect().await).await);
}

const MUCH: usize = 100 * 1024;

#[tokio::test(start_paused = true)]
async fn bodies_share_what_memory_there_is_for_them() {
    let server = Server::start(|builder| builder.body_memory(2 * MUCH as u64)).await;
    let gate = &server.gate;
    // Two have all of it, and the third waits.
    let mut kept = Vec::new();
    for _ in 0..2 {
        kept.push(post(&server, "/probe/keep", MUCH, MUCH).await);
    }
    begun(&server, 2).await;
    let mut third = post(&server, "/probe/keep", MUCH, MUCH).await;
    settled().await;
    assert_eq!(gate.begun.available_permits(), 2);
    // What is small needs none of it.
    let mut small = post(&server, "/smartsupport/api/token/admin/", 1_000, 1_000).await;
    assert!(answer(&mut small).await.starts_with("400 "));
    gate.open.add_permits(1);
    begun(&server, 3).await;
    gate.open.add_permits(2);
    assert!(answer(&mut third).await.starts_with("204 "));
    for stream in &mut kept {
        assert!(answer(stream).await.starts_with("204 "));
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_memory_in_time_is_told_when_to_come_back() {
    let time = Duration::from_secs(30);
    let server = Server::start(|builder| builder.body_memory(MUCH as u64)).await;
    let mut kept = post(&server, "/probe/keep", MUCH, MUCH).await;
    begun(&server, 1).await;
    let mut waiting = Vec::new();
    for (path, said) in [
        ("/smartsupport/api/token/admin/", r#"{"error":"The service is unavailable for the moment.","#),
        ("/supportdesk/api/auth/login", r#"{"success":false,"error":{"code":"SERVICE_UNAVAILABLE","#),
    ] {
        waiting.push((post(&server, path, MUCH, MUCH).await, said));
    }
    settled().await;
    advance(time).await;
    for (stream, said) in &mut waiting {
        let told = answer(stream).await;
        assert!(told.starts_with("503 ") && told.contains(*said), "{told}");
        assert!(told.contains("retry-after: 5\r\n"), "{told}");
    }
    // What was begun has taken too long by now, and is worked on all the same: it keeps its room till then.
    assert!(answer(&mut kept).await.starts_with("400 "));
    let mut next = post(&server, "/probe/keep", MUCH, MUCH).await;
    settled().await;
    assert_eq!(server.gate.begun.available_permits(), 1);
    server.gate.open.add_permits(2);
    assert!(answer(&mut next).await.starts_with("204 "));
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_while_sending_much_reads_why() {
    let time = Duration::from_secs(30);
    let server = Server::start(|builder| builder.body_memory(MUCH as u64)).await;
    let _kept = post(&server, "/probe/keep", MUCH, MUCH).await;
    begun(&server, 1).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    let head = format!(
        "POST /probe/keep HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: {LARGE}\r\n\r\n"
    );
    let sending = tokio::spawn(async move {
        writing.write_all(head.as_bytes()).await?;
        writing.write_all(&vec![b'a'; LARGE]).await?;
        Ok::<_, std::io::Error>(writing)
    });
    settled().await;
    advance(time).await;
    timeout(PATIENCE, sending).await.expect("in time").expect("no panic").expect("all of it is taken");
    let mut said = [0; 4 * 1024];
    let count = timeout(PATIENCE, reading.read(&mut said)).await.expect("in time").expect("an answer");
    let said = String::from_utf8_lossy(&said[..count]);
    assert!(said.contains("retry-after: 5\r\n"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn who_stalls_keeps_no_memory() {
    let server = Server::start(|builder| builder.body_memory(MUCH as u64)).await;
    // One says nothing of what it has announced, and one stops before the end.
    let silent = post(&server, "/probe/keep", MUCH, 10).await;
    let stalled = post(&server, "/probe/keep", MUCH, MUCH - 1).await;
    settled().await;
    advance(Duration::from_secs(10)).await;
    let mut waiting = post(&server, "/probe/keep", MUCH, MUCH).await;
    settled().await;
    advance(Duration::from_secs(19)).await;
    settled().await;
    assert_eq!(server.gate.begun.available_permits(), 0);
    advance(Duration::from_secs(1)).await;
    server.gate.open.add_permits(1);
    assert!(answer(&mut waiting).await.starts_with("204 "));
    drop((silent, stalled));
}

/// A stream that is paced, and its other end.
fn paced(pulse: &Arc<Pulse>) -> (Paced<DuplexStream>, DuplexStream) {
    let (here, there) = tokio::io::duplex(8);
    (Paced::new(here, STALL, Arc::clone(pulse)), there)
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_as_long_as_it_gets_on() {
    let pulse = Pulse::new();
    let (mut here, mut there) = paced(&pulse);
    let reader = tokio::spawn(async move {
        let mut read = 0;
        while read < 64 {
            tokio::time::sleep(STALL - Duration::from_secs(1)).await;
            read += there.read(&mut [0; 4]).await.expect("more");
        }
        there
    });
    here.write_all(&[0; 64]).await.expect("all of it is taken");
    let _there = reader.await.expect("it ends");
    let error = here.write_all(&[0; 64]).await.expect_err("nobody reads");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_a_connection_over_has_limits_of_their_own() {
    let pulse = Pulse::new();
    let (mut here, mut there) = paced(&pulse);
    pulse.release();
    let writing = tokio::spawn(async move { here.write_all(&[0; 64]).await });
    tokio::time::sleep(STALL * 10).await;
    assert!(!writing.is_finished());
    there.read_exact(&mut [0; 64]).await.expect("all of it");
    writing.await.expect("it ends").expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_connection_stops_when_nothing_is_left_to_do() {
    let pulse = Pulse::new();
    let began = tokio::time::Instant::now();
    pulse.stops(IDLE).await;
    assert_eq!(began.elapsed(), IDLE);
    // A request, and an answer that is taken slowly: only then it counts.
    let running = pulse.request();
    assert!(timeout(IDLE * 3, pulse.stops(IDLE)).await.is_err());
    pulse.writing(true);
    drop(running);
    assert!(timeout(IDLE * 3, pulse.stops(IDLE)).await.is_err());
    pulse.writing(false);
    let taken = tokio::time::Instant::now();
    pulse.stops(IDLE).await;
    assert_eq!(taken.elapsed(), IDLE);
}
