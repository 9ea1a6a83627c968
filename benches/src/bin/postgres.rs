//! The store on PostgreSQL under load, beside `pgbench` doing the same to the same tables in the same run.
//!
//! `scripts/bench-postgres` starts a server to measure on.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use helpdesk_benches::{World, sizes};
use helpdesk_core::Helpdesk;
use helpdesk_core::identity::{Role, User};
use helpdesk_core::storage::{Entity as _, EntityId as _, Filter, Query, Storage, Total, TotalMode, Write};
use helpdesk_core::tickets::Ticket;
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use uuid::Uuid;

/// How many clients load the server at once.
const CLIENTS: [usize; 2] = [8, 32];
/// Tickets written by one batch while the tables are filled.
const FILLED_AT_ONCE: usize = 250;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("postgres URL [SECONDS]")?;
    let seconds = std::env::args().nth(2).and_then(|seconds| seconds.parse().ok()).unwrap_or(8);
    let settings = PostgresSettings::parse(&url)?.connections(64);
    PostgresStorage::migrate(&settings, &Helpdesk::schema()).await?;
    let storage: Arc<dyn Storage> = Arc::new(PostgresStorage::open(&settings, Helpdesk::schema()).await?);
    let bench = Bench { url, seconds, storage, world: Arc::new(Mutex::new(World::new())) };
    bench.people().await?;
    println!("tickets have {} declared indexes, full text and two foreign keys", Ticket::SPEC.indexes.len());
    for size in sizes() {
        bench.fill(size).await?;
        println!("\n{size} tickets");
        bench.measure().await?;
    }
    Ok(())
}

struct Bench {
    url: String,
    seconds: u64,
    storage: Arc<dyn Storage>,
    world: Arc<Mutex<World>>,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

impl Bench {
    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().expect("nobody panicked")
    }

    /// Brings over the accounts that tickets refer to.
    async fn people(&self) -> Outcome {
        for kind in [Role::SPEC, User::SPEC] {
            let copies = self.world().copies(kind);
            for batch in copies {
                self.storage.commit(batch).await?;
            }
        }
        Ok(())
    }

    async fn fill(&self, size: usize) -> Outcome {
        loop {
            let batch = {
                let mut world = self.world();
                let missing = size.saturating_sub(world.tickets.len()).min(FILLED_AT_ONCE);
                let batches: Vec<_> = (0..missing).map(|_| world.ticket(false)).collect();
                batches.into_iter().reduce(|mut all, one| {
                    all.writes.extend(one.writes);
                    all
                })
            };
            match batch {
                Some(batch) => drop(self.storage.commit(batch).await?),
                None => break,
            }
        }
        self.psql("VACUUM ANALYZE")
    }

    async fn measure(&self) -> Outcome {
        let (scope, organisation, last) = {
            let world = self.world();
            (world.scope(), world.organisation, world.tickets.len())
        };
        let open = move || Filter::equals("deleted", false).and(Filter::equals("status", "open"));
        let query = move |total| {
            Query::new(Ticket::SPEC, scope).filter(open()).descending("number").limit(20).total(total)
        };
        let table = format!("helpdesk.ticket WHERE organisation = '{}'", organisation.uuid());
        let open_sql = "AND deleted = false AND status = 'open'";
        let page_sql = format!("SELECT * FROM {table} {open_sql} ORDER BY number DESC LIMIT 21;");
        let count_sql = format!("SELECT count(*) FROM {table} {open_sql};");
        let get_sql = format!("\\set n random(1, {last})\nSELECT * FROM {table} AND number = :n;");
        let create_sql = self.create_sql();
        for clients in CLIENTS {
            let storage = Arc::clone(&self.storage);
            let ids: Vec<Uuid> = {
                let mut world = self.world();
                (0..20_000).map(|_| world.any_ticket()).collect()
            };
            let get = move |turn: u64| {
                let (storage, id) = (Arc::clone(&storage), ids[turn as usize % ids.len()]);
                async move { drop(storage.get(Ticket::SPEC, scope, &[id]).await.expect("a ticket")) }
            };
            self.report("get one", clients, get, &get_sql).await?;
            for (name, total, sql) in [
                ("page of 20, no total", TotalMode::None, &page_sql),
                ("page of 20, total up to 1,000", TotalMode::UpTo(1_000), &page_sql),
                ("page of 20, exact total", TotalMode::Exact, &count_sql),
            ] {
                let storage = Arc::clone(&self.storage);
                let page = move |_| {
                    let (storage, query) = (Arc::clone(&storage), query(total));
                    async move {
                        let page = storage.find(&query).await.expect("a page");
                        assert!(page.total.is_none_or(|Total { count, .. }| count > 0));
                    }
                };
                self.report(name, clients, page, sql).await?;
            }
            let (storage, world) = (Arc::clone(&self.storage), Arc::clone(&self.world));
            let create = move |_| {
                let (storage, batch) =
                    (Arc::clone(&storage), world.lock().expect("nobody panicked").ticket(true));
                async move { drop(storage.commit(batch).await.expect("a ticket")) }
            };
            self.report("create ticket, event and job", clients, create, &create_sql).await?;
        }
        // What was measured must not be in the way of what is measured next.
        self.psql("DELETE FROM helpdesk.job")
    }

    /// Measures an operation of the port, then pgbench, and prints both.
    async fn report<F>(
        &self,
        name: &str,
        clients: usize,
        operation: impl Fn(u64) -> F + Send + Sync + 'static,
        sql: &str,
    ) -> Outcome
    where
        F: Future<Output = ()> + Send,
    {
        let operation = Arc::new(operation);
        // Connections, plans and caches are there before it counts.
        run(clients, Duration::from_secs(1), Arc::clone(&operation)).await;
        let own = run(clients, Duration::from_secs(self.seconds), operation).await;
        let theirs = self.pgbench(clients, sql)?;
        let share = 100.0 * own / theirs;
        println!("{name:<30} {clients:>3} clients {own:>9.0}/s   pgbench {theirs:>9.0}/s {share:>5.0} %");
        Ok(())
    }

    fn pgbench(&self, clients: usize, sql: &str) -> Result<f64, Box<dyn std::error::Error>> {
        let script = std::env::temp_dir().join(format!("helpdesk-bench-{}.sql", std::process::id()));
        std::fs::write(&script, sql)?;
        let clients = clients.to_string();
        let output = Command::new("pgbench")
            .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &self.seconds.to_string(), "-f"])
            .arg(&script)
            .arg(&self.url)
            .output()?;
        std::fs::remove_file(&script)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.ok_or_else(|| format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    fn psql(&self, sql: &str) -> Outcome {
        let done = Command::new("psql").args(["-q", "-d", &self.url, "-c", sql]).status()?;
        if done.success() { Ok(()) } else { Err("psql failed".into()) }
    }

    /// The same three rows, in one transaction, as a client would write them by hand.
    fn create_sql(&self) -> String {
        let mut world = self.world();
        let organisation = world.organisation.uuid();
        let people: Vec<_> = world.people.iter().take(50).map(|user| format!("'{}'", user.uuid())).collect();
        let batch = world.ticket(true);
        world.tickets.pop();
        let Some(Write::Put(ticket)) = batch.writes.first() else { return String::new() };
        let body = ticket.body.json.replace('\'', "''").replace(':', ": ");
        let words: Vec<_> =
            ticket.words.iter().flat_map(|words| words.iter()).map(|word| format!("'{word}'")).collect();
        let event = batch.events[0].body.json.replace('\'', "''").replace(':', ": ");
        format!(
            "\\set a random(1, 50)\n\\set b random(1, 50)\n\\set s random(1, 5)\n\\set n random(1, 1000000000000000)\nBEGIN;
             INSERT INTO helpdesk.ticket (organisation, id, number, version, created_at, updated_at, fields, body_version, body, words,
                 status, priority, requester, assignee, category, department, deleted, subject)
             VALUES ('{organisation}', gen_random_uuid(), :n::bigint + 1000000000, 1, now(), now(), 0, 1, '{body}', array_to_tsvector(ARRAY[{words}]),
                 (ARRAY['new','open','pending','resolved','closed'])[:s], 2, (ARRAY[{people}]::uuid[])[:a], (ARRAY[{people}]::uuid[])[:b],
                 'Software', 'IT Department', false, 'printer network screen');
             INSERT INTO helpdesk.event (organisation, id, version, created_at, updated_at, fields, body_version, body, subject_kind, subject, actor, action)
             VALUES ('{organisation}', gen_random_uuid(), 1, now(), now(), 0, 1, '{event}', 'ticket', gen_random_uuid(), NULL, 'ticket.created');
             INSERT INTO helpdesk.job (organisation, id, version, created_at, updated_at, fields, payload, ready, \"key\", \"name\", \"state\", \"due\", \"attempts\")
             VALUES ('{organisation}', gen_random_uuid(), 1, now(), now(), 0, '\"{organisation}\"', now() + interval '1 day', gen_random_uuid()::text, 'mail', 'waiting', now() + interval '1 day', 0);
             COMMIT;",
            words = words.join(","),
            people = people.join(","),
        )
        .replace("\n             ", " ")
        .replace("\n                 ", " ")
        .replace("; INSERT", ";\nINSERT")
        .replace("BEGIN; ", "BEGIN;\n")
        .replace("; COMMIT", ";\nCOMMIT")
    }
}

/// Runs an operation by several clients for a while. Answers how often it was done a second.
async fn run<O, F>(clients: usize, time: Duration, operation: Arc<O>) -> f64
where
    O: Fn(u64) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let turns = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (turns, operation) = (Arc::clone(&turns), Arc::clone(&operation));
            tokio::spawn(async move {
                while start.elapsed() < time {
                    operation(turns.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a client does not panic");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let done = turns.load(Ordering::Relaxed) as f64;
    done / start.elapsed().as_secs_f64()
}
