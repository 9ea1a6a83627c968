//! A server that is killed: what was answered is there, and what was begun is done once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use helpdesk::events::EVENT;
use helpdesk::identity::OrganisationId;
use helpdesk::storage::{
    Entity as _, EntityId as _, Filter, JOB, Logged, Position, Query, Scope, Storage, TotalMode, Value,
};
use helpdesk::tickets::Ticket;
use helpdesk::{Helpdesk, PostgresSettings, PostgresStorage};
use helpdesk_examples::demo;
use helpdesk_tests::client::{Client, Request};
use helpdesk_tests::server::PATIENCE;
use helpdesk_tests::stores;
use serde_json::json;
use tokio::task::JoinSet;

/// How many answers the clients get before the server is killed.
const ANSWERS: usize = 200;

/// A server in a process of its own, which is killed at the latest when this is dropped.
struct Process {
    child: Child,
    client: Client,
}

impl Process {
    fn start(database: &str, mails: &Path, hours: u32) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_desk"));
        command.arg(database).arg(mails).arg(hours.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        let address: SocketAddr = line.trim().parse().expect("its address");
        Self { child, client: Client::new(address) }
    }

    /// Ends it as a loss of power would: with SIGKILL.
    fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it has ended");
    }

    async fn token(&self, path: &str, name: &str) -> String {
        let body = json!({ "email": format!("{name}@demo.test"), "password": demo::PASSWORD });
        let reply = self.client.send(Request::post(format!("/smartsupport/api/{path}/")).json(&body)).await;
        reply.json()["access"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// What the clients of a server were told.
#[derive(Default)]
struct Told {
    /// Tickets that were made.
    made: BTreeSet<i64>,
    /// Tickets that were let in.
    approved: BTreeSet<i64>,
}

/// Makes tickets and lets them in until the server is gone.
async fn work(client: Client, customer: String, admin: String, answers: Arc<AtomicUsize>) -> Told {
    let mut told = Told::default();
    let ticket = json!({ "subject": "Power", "category": "Software", "sub_category": "Other", "description": "Words." });
    loop {
        let request = Request::post("/smartsupport/api/tickets/").bearer(&customer).json(&ticket);
        let Ok(reply) = client.try_send(request).await else { return told };
        assert_eq!(reply.status, 201, "{}", reply.excerpt());
        let id = reply.json()["id"].as_i64().expect("an id");
        told.made.insert(id);
        answers.fetch_add(1, Ordering::Relaxed);
        let approval = json!({ "priority": "High", "department": "IT Department" });
        let request =
            Request::post(format!("/smartsupport/api/tickets/{id}/approve/")).bearer(&admin).json(&approval);
        let Ok(reply) = client.try_send(request).await else { return told };
        assert_eq!(reply.status, 200, "{}", reply.excerpt());
        told.approved.insert(id);
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: in vain"));
}

async fn log(storage: &dyn Storage) -> Vec<Logged> {
    until("every event to be in the log", || async {
        storage.health().await.expect("the store").unplaced == 0
    })
    .await;
    let mut log: Vec<Logged> = Vec::new();
    loop {
        let after = log.last().map_or(Position(0), |last| last.position);
        let more = storage.events(after, 1_000).await.expect("the log");
        if more.is_empty() {
            return log;
        }
        log.extend(more);
    }
}

/// The `Message-ID` of each mail in a folder that tells of an approval.
fn mails(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("the mails").map(|file| file.expect("a mail").path());
    let texts = files.map(|file| std::fs::read_to_string(file).expect("a mail"));
    let told = texts
        .filter(|text| text.lines().any(|line| line.starts_with("Subject:") && line.ends_with(": Power")));
    told.filter_map(|text| text.lines().find_map(|line| line.strip_prefix("Message-ID: ").map(str::to_owned)))
        .collect()
}

#[tokio::test]
async fn a_server_that_is_killed_loses_and_doubles_nothing() {
    let database = stores::database().await.expect("databases can be made on the test server");
    let folder = tempfile::tempdir().expect("a folder");
    let mut process = Process::start(&database, folder.path(), 0);
    let customer = process.token("token/employee", "customer").await;
    let admin = process.token("token/admin", "admin").await;
    let answers = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..6 {
        clients.spawn(work(process.client.clone(), customer.clone(), admin.clone(), Arc::clone(&answers)));
    }
    until("the clients to be answered", || async { answers.load(Ordering::Relaxed) >= ANSWERS }).await;
    process.kill();
    let told = clients.join_all().await.into_iter().fold(Told::default(), |mut all, one| {
        all.made.extend(one.made);
        all.approved.extend(one.approved);
        all
    });

    let settings = PostgresSettings::parse(&database).expect("an address");
    let storage =
        Arc::new(PostgresStorage::open(&settings, Helpdesk::schema()).await.expect("the store opens"));
    let desk = Helpdesk::builder().storage(storage.clone()).build();
    let organisation: OrganisationId =
        desk.identity().organisation_by_slug(demo::SLUG).await.expect("the store").expect("the demo");
    let scope = Scope::organisation(organisation.uuid());

    // Every ticket that was answered is there, and each has just the events of what was done to it.
    let mut history: BTreeMap<(uuid::Uuid, String), usize> = BTreeMap::new();
    let (subject, action) = (EVENT.position("subject"), EVENT.position("action"));
    let logged = log(&*storage).await;
    let ids: BTreeSet<_> = logged.iter().map(|logged| logged.record.id).collect();
    assert_eq!(ids.len(), logged.len(), "no event stands in the log twice");
    for entry in &logged {
        let field = |place: Option<usize>| entry.record.fields[place.expect("a declared field")].clone();
        if let (Some(subject), Value::Text(action)) = (field(subject).as_uuid(), field(action)) {
            *history.entry((subject, action.to_string())).or_default() += 1;
        }
    }
    let times = |id: uuid::Uuid, action: &str| history.get(&(id, action.to_owned())).copied().unwrap_or(0);
    let query = Query::new(Ticket::SPEC, scope).filter(Filter::equals("subject", "Power")).limit(1_000);
    let tickets = storage.find(&query).await.expect("the tickets").records;
    let numbers: BTreeSet<_> = tickets.iter().map(|ticket| ticket.number).collect();
    assert_eq!(numbers.len(), tickets.len());
    assert!(told.made.is_subset(&numbers), "{:?} are lost", told.made.difference(&numbers));
    let status = Ticket::SPEC.position("status").expect("a declared field");
    let mut let_in = 0;
    for ticket in &tickets {
        let is_new = ticket.fields[status] == Value::text("new");
        assert!(
            !is_new || !told.approved.contains(&ticket.number),
            "an approval of {} is lost",
            ticket.number
        );
        assert_eq!(times(ticket.id, "ticket.created"), 1);
        assert_eq!(times(ticket.id, "ticket.approved"), usize::from(!is_new));
        let_in += usize::from(!is_new);
    }

    // Another server takes up what the first has left, once its leases have lapsed: every mail is sent, and one that
    // may have been sent before is the same.
    let _next = Process::start(&database, folder.path(), 1);
    let left = Query::new(&JOB, scope).filter(Filter::equals("name", "ticket_status_mail"));
    until("every mail to be sent", || async {
        let waiting = storage.find(&left.clone().limit(0).total(TotalMode::Exact)).await.expect("the jobs");
        waiting.total.is_some_and(|total| total.count == 0)
    })
    .await;
    assert_eq!(mails(folder.path()).len(), let_in, "a mail for each approval, and none of them twice");
}
