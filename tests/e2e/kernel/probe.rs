//! A small dialect for what no real one does: it waits, fails and panics as the test wants.

use std::borrow::Cow;
use std::sync::Arc;

use helpdesk::http::input;
use helpdesk::http::input::{Field as _, Line};
use helpdesk::http::kernel::{
    Body, Call, Dialect, Failure, Head, Operation, RateClass, Rates, Reply as Answer, Tenant,
};
use helpdesk::identity::OrganisationId;
use helpdesk::{Error, Quota, Reference, Via};
use helpdesk_tests::server::{PATIENCE, Setup};
use helpdesk_tests::stores::NewStore;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

/// Where it is mounted.
pub(super) const MOUNT: &str = "/probe";

const FEW: RateClass = RateClass("few");
const LIMITS: &[(RateClass, Quota)] = &[(FEW, Quota::new(3, 60))];

input! {
    /// Something to be said again.
    struct Echo {
        /// The words.
        words: Line<100>,
    }
}

/// How far a slow request has come, and whether it may go on.
#[derive(Debug)]
pub(super) struct Gate {
    begun: Semaphore,
    open: Semaphore,
    done: Semaphore,
}

impl Gate {
    fn new() -> Arc<Self> {
        let closed = || Semaphore::new(0);
        Arc::new(Self { begun: closed(), open: closed(), done: closed() })
    }

    /// Waits until a slow request has begun.
    pub(super) async fn begun(&self) {
        pass(&self.begun).await;
    }

    /// Lets one slow request go on.
    pub(super) fn open(&self) {
        self.open.add_permits(1);
    }

    /// Waits until a slow request is done.
    pub(super) async fn done(&self) {
        pass(&self.done).await;
    }
}

/// Waits at a gate; somebody who never comes through has failed.
async fn pass(gate: &Semaphore) {
    let passed = tokio::time::timeout(PATIENCE, gate.acquire()).await.expect("somebody opens the gate");
    passed.expect("gates are never taken away").forget();
}

/// A server with the dialect beside the others, and its gate.
pub(super) fn setup(store: NewStore) -> (Setup, Arc<Gate>) {
    let gate = Gate::new();
    let inner = Arc::clone(&gate);
    (Setup::new(store).mount(MOUNT, move |organisation| dialect(organisation, &inner)), gate)
}

fn dialect(organisation: OrganisationId, gate: &Arc<Gate>) -> Dialect {
    let gate = Arc::clone(gate);
    let slow = move |_: Call| {
        let gate = Arc::clone(&gate);
        async move {
            gate.begun.add_permits(1);
            gate.open.acquire().await.expect("gates are never taken away").forget();
            gate.done.add_permits(1);
            Ok(text("slow"))
        }
    };
    Dialect {
        name: "probe",
        title: "Probe",
        description: "Waits, fails and panics.",
        version: "1.0",
        via: Arc::new(Via {
            name: Cow::Borrowed("probe"),
            tickets: Reference::new("P", 1),
            reset_path: Cow::Borrowed("/{token}"),
            ..Via::SYSTEM
        }),
        tenant: Tenant::Fixed(organisation),
        operations: vec![
            Operation::get("ok", "/ok/", async |_: Call| Ok(text("ok"))),
            Operation::get("where", "/where", whence),
            Operation::get("long", "/long", async |_: Call| Ok(text(&"a long story ".repeat(1_000)))),
            Operation::post("echo", "/echo", echo),
            Operation::post("slow", "/slow", slow),
            Operation::get("panics", "/panics", async |_: Call| panics()),
            Operation::get("panics.at_once", "/panics-at-once", |_: Call| {
                let answer = panics();
                async { answer }
            }),
            Operation::get("breaks", "/breaks", async |_: Call| breaks()),
            Operation::get("few", "/few", async |_: Call| Ok(text("few"))).rate(FEW),
        ],
        aliases: &[],
        limits: Rates::Classes(LIMITS),
        refuse,
        error_schema: String::schema_of_text,
    }
}

trait TextSchema {
    fn schema_of_text() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>;
}

impl TextSchema for String {
    fn schema_of_text() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Line::<100>::schema()
    }
}

fn text(text: &str) -> Answer {
    Answer::content(StatusCode::OK, "text/plain", text.to_owned())
}

async fn whence(call: Call) -> Result<Answer, Failure> {
    let head = &call.head;
    let told = json!({ "from": head.from, "base": head.base, "request": head.request_id, "path": head.path });
    Ok(Answer::json(StatusCode::OK, &told))
}

async fn echo(_: Call, Body(Echo { words }): Body<Echo>) -> Result<Answer, Failure> {
    Ok(text(&words))
}

fn panics() -> Result<Answer, Failure> {
    panic!("as the test wants")
}

fn breaks() -> Result<Answer, Failure> {
    Err(Error::internal("the table helpdesk.secrets is on fire").into())
}

/// Its own shape: one word for what went wrong.
fn refuse(failure: &Failure, _: &Head) -> Answer {
    let (status, word) = match failure {
        Failure::NoRoute => (404, "no route"),
        Failure::Method { .. } => (405, "method"),
        Failure::Malformed { .. } => (400, "malformed"),
        Failure::MediaType { .. } => (415, "media type"),
        Failure::TooLarge { .. } => (413, "too large"),
        Failure::Limited { .. } => (429, "limited"),
        Failure::TimedOut => (503, "timed out"),
        Failure::Panicked => (500, "panicked"),
        Failure::Core(Error::Unavailable { .. }) => (503, "unavailable"),
        Failure::Core(Error::Invalid(_)) => (422, "invalid"),
        Failure::Core(_) => (500, "core"),
    };
    let status = StatusCode::from_u16(status).expect("a status");
    let probe = HeaderValue::from_static("yes");
    Answer::json(status, &json!({ "probe": word })).header(http::HeaderName::from_static("x-probe"), probe)
}
