//! Service levels under many running clocks: what they cost while none is due, and how long it takes to notice those that
//! are, on the embedded store and, where an address is given, on PostgreSQL.
//!
//! `scripts/bench-service-levels` starts a server to measure on.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, Duration};
use helpdesk_core::identity::{NewUser, OrganisationId, PasswordCost, Person, UserId};
use helpdesk_core::service_levels::{Hours, Metric, PolicyChange, Target, TicketLevels};
use helpdesk_core::storage::{
    Batch, Claim, Claimed, Committed, EntityId as _, Figures, KindSpec, Logged, Page, Position, Query,
    Record, Scope, Storage, StorageError, Tally,
};
use helpdesk_core::tickets::{Act, NewTicket, Priority, TicketId};
use helpdesk_core::{Actor, Helpdesk, ManualClock};
use helpdesk_storage_memory::MemoryStorage;
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use uuid::Uuid;

/// How many clocks run.
const CLOCKS: usize = 100_000;
/// How many are due at once.
const DUE: usize = 1_000;
/// For how many seconds workers are watched while nothing is due.
const SECONDS: u64 = 10;
/// How many workers there are.
const WORKERS: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clocks =
        std::env::var("HELPDESK_BENCH_SIZES").ok().and_then(|size| size.parse().ok()).unwrap_or(CLOCKS);
    let memory = MemoryStorage::new(Helpdesk::schema());
    measure("embedded", Arc::new(memory), clocks).await?;
    if let Some(url) = std::env::args().nth(1) {
        let settings = PostgresSettings::parse(&url)?.connections(32);
        PostgresStorage::migrate(&settings, &Helpdesk::schema()).await?;
        let storage = PostgresStorage::open(&settings, Helpdesk::schema()).await?;
        measure("PostgreSQL", Arc::new(storage), clocks).await?;
    }
    Ok(())
}

async fn measure(
    name: &str,
    storage: Arc<dyn Storage>,
    clocks: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let counted = Arc::new(Counted { storage, calls: AtomicU64::new(0), claims: AtomicU64::new(0) });
    let clock = Arc::new(ManualClock::at(DateTime::from_timestamp(1_736_931_600, 0).ok_or("an instant")?));
    let desk = Helpdesk::builder()
        .storage(Arc::clone(&counted) as Arc<dyn Storage>)
        .clock(clock.clone())
        .password_cost(PasswordCost::Least)
        .build();
    let bench = Bench { desk, clock, counted, organisation: OrganisationId::from_uuid(Uuid::nil()) };
    let bench = bench.begin().await?;
    let people = [bench.person("ada").await?, bench.person("gus").await?];
    let began = Instant::now();
    // Two thousand begin before the others, so that they are due while the others are not.
    let due = bench.fill(DUE, people[0], None).await?;
    bench.clock.advance(Duration::minutes(20));
    let soon = bench.fill(DUE, people[0], Some(people[1])).await?;
    bench.clock.advance(Duration::minutes(40));
    bench.fill(clocks.saturating_sub(2 * DUE), people[0], None).await?;
    println!("\n{name}: {clocks} clocks run, begun in {:.1} s", began.elapsed().as_secs_f64());

    bench.watch().await?;
    bench.clock.advance(Duration::hours(7));
    bench.tick(&due, "notice that they are late").await?;

    // The same once more with workers, as a server does it, and for tickets that somebody has and is told of.
    bench.clock.advance(Duration::minutes(20));
    let began = Instant::now();
    let workers = bench.desk.spawn_workers(WORKERS).await?;
    while bench.overdue(&soon).await? < DUE {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    println!(
        "  {DUE} more due, {WORKERS} workers: {:.2} s to notice it, beside the mails about it",
        began.elapsed().as_secs_f64()
    );
    workers.stop().await;
    Ok(())
}

struct Bench {
    desk: Helpdesk,
    clock: Arc<ManualClock>,
    counted: Arc<Counted>,
    organisation: OrganisationId,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

impl Bench {
    /// An organisation that promises a solution within eight hours.
    async fn begin(mut self) -> Outcome<Self> {
        let slug = format!("bench-{}", Uuid::from_u128(u128::from(std::process::id())).simple());
        self.organisation = self.desk.identity().create_organisation("Bench", &slug).await?;
        let (levels, system) = (self.desk.service_levels(), self.system());
        let standard = levels.policies(&system).await?[0].id;
        let target = Target { time: Duration::hours(8), hours: Hours::Calendar };
        let targets: BTreeMap<_, _> =
            Priority::ALL.map(|priority| (priority, [(Metric::TotalResolution, target)].into())).into();
        let change = PolicyChange { targets: Some(targets), ..PolicyChange::default() };
        levels.update_policy(&system, standard, None, change).await?;
        self.desk.run_due(self.desk.now()).await?;
        Ok(self)
    }

    fn system(&self) -> Actor {
        Actor::system(self.organisation)
    }

    async fn person(&self, name: &str) -> Outcome<UserId> {
        let person = Person {
            first_name: name.into(),
            last_name: "Bench".into(),
            email: format!("{name}@bench.test"),
            ..Person::default()
        };
        let new = NewUser { person, role: "agent".into(), password: None, approved: true };
        Ok(self.desk.identity().create_user(&self.system(), new).await?.id)
    }

    /// Makes tickets, several at a time, and has them looked at.
    async fn fill(
        &self,
        count: usize,
        requester: UserId,
        assignee: Option<UserId>,
    ) -> Outcome<Vec<TicketId>> {
        let mut tasks = tokio::task::JoinSet::new();
        for part in 0..8 {
            let (desk, system) = (self.desk.clone(), self.system());
            let count = count / 8 + usize::from(part < count % 8);
            tasks.spawn(async move {
                let mut made = Vec::with_capacity(count);
                for number in 0..count {
                    let new = NewTicket {
                        subject: format!("Ticket {number}"),
                        description: "It burns".into(),
                        requester: Some(requester),
                        ..NewTicket::default()
                    };
                    let id = desk.tickets().create(&system, new).await?.0.id;
                    if assignee.is_some() {
                        desk.tickets().act(&system, id, None, Act::Assign { to: assignee }).await?;
                    }
                    made.push(id);
                }
                Ok::<_, helpdesk_core::Error>(made)
            });
        }
        let mut made = Vec::with_capacity(count);
        while let Some(some) = tasks.join_next().await {
            made.extend(some??);
        }
        self.desk.run_due(self.desk.now()).await?;
        Ok(made)
    }

    /// What workers ask of the store while nothing is due.
    async fn watch(&self) -> Outcome<()> {
        for count in [1, WORKERS] {
            let workers = self.desk.spawn_workers(count).await?;
            // The first look finds what is left of the filling.
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            let before = self.counted.seen();
            tokio::time::sleep(std::time::Duration::from_secs(SECONDS)).await;
            let (calls, claims) = self.counted.seen();
            #[expect(clippy::cast_precision_loss, reason = "a few dozen calls")]
            let per_second = |count: u64| count as f64 / SECONDS as f64;
            println!(
                "  none due, {count} worker(s): {:.1} queries for jobs a second, {:.1} others (the relay of events)",
                per_second(claims - before.1),
                per_second(calls - before.0),
            );
            workers.stop().await;
        }
        Ok(())
    }

    /// Runs what is due, and checks that all of it was noticed.
    async fn tick(&self, due: &[TicketId], what: &str) -> Outcome<()> {
        let before = self.counted.seen();
        let began = Instant::now();
        let report = self.desk.run_due(self.desk.now()).await?;
        let took = began.elapsed();
        let (calls, claims) = self.counted.seen();
        let found = self.overdue(due).await?;
        assert_eq!((found, report.retried, report.failed), (due.len(), 0, 0), "all of them, and no others");
        println!(
            "  {} due, one at a time: {:.2} s to {what} ({} jobs, {} calls of the store)",
            due.len(),
            took.as_secs_f64(),
            report.done,
            calls + claims - before.0 - before.1,
        );
        Ok(())
    }

    async fn overdue(&self, of: &[TicketId]) -> Outcome<usize> {
        let levels =
            self.desk.store().get_map::<TicketLevels>(self.system().scope(), of.iter().copied()).await?;
        Ok(levels.values().filter(|levels| levels.overdue).count())
    }
}

/// A store that counts what is asked of it.
struct Counted {
    storage: Arc<dyn Storage>,
    calls: AtomicU64,
    claims: AtomicU64,
}

impl Counted {
    /// How many calls there were, and how many of them asked for jobs.
    fn seen(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.claims.load(Ordering::Relaxed))
    }

    fn call(&self) -> &dyn Storage {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &*self.storage
    }
}

impl Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counted").field(&self.storage).finish()
    }
}

#[async_trait]
impl Storage for Counted {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        self.call().get(kind, scope, ids).await
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        self.call().find(query).await
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        self.call().tally(tally).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        self.call().commit(batch).await
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        self.call().outcome(batch).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        self.storage.claim(claim).await
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        self.call().events(after, limit).await
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        self.call().wait(after).await
    }

    async fn health(&self) -> Result<helpdesk_core::storage::Health, StorageError> {
        self.call().health().await
    }
}
