//! What a dashboard asks, of both stores with the same tickets: counts by status, by priority, of what is urgent or was
//! resolved lately, and of all.
//!
//! `cargo run --release -p helpdesk-benches --bin dashboard [postgres URL]`; without an address, of the embedded store
//! alone. `scripts/bench-postgres` starts a server to measure on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use helpdesk_benches::{World, now, sizes};
use helpdesk_core::Helpdesk;
use helpdesk_core::identity::{Role, User};
use helpdesk_core::storage::{Batch, Entity as _, Filter, Group, Query, Scope, Storage, Tally, TotalMode};
use helpdesk_core::tickets::Ticket;
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};

/// Tickets written by one batch while the stores are filled.
const FILLED_AT_ONCE: usize = 250;
/// How often each question is asked.
const TURNS: usize = 200;

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut world = World::new();
    let postgres = match std::env::args().nth(1) {
        None => None,
        Some(url) => {
            let settings = PostgresSettings::parse(&url)?;
            PostgresStorage::migrate(&settings, &Helpdesk::schema()).await?;
            let storage = PostgresStorage::open(&settings, Helpdesk::schema()).await?;
            for kind in [Role::SPEC, User::SPEC] {
                for batch in world.copies(kind) {
                    storage.commit(batch).await?;
                }
            }
            Some(Arc::new(storage))
        }
    };
    for size in sizes() {
        println!("\n{size} tickets");
        fill(&mut world, size, postgres.as_deref()).await?;
        measure("embedded", &*world.storage, &world).await?;
        if let Some(storage) = &postgres {
            measure("PostgreSQL", &**storage, &world).await?;
        }
    }
    Ok(())
}

/// Adds the same tickets to both stores until there are so many.
async fn fill(world: &mut World, size: usize, postgres: Option<&PostgresStorage>) -> Outcome {
    let start = Instant::now();
    while world.tickets.len() < size {
        let missing = (size - world.tickets.len()).min(FILLED_AT_ONCE);
        let batches = (0..missing).map(|_| world.ticket(false));
        let all = batches.reduce(|mut all, one| {
            all.writes.extend(one.writes);
            all
        });
        let batch: Batch = all.ok_or("a batch")?;
        if let Some(storage) = postgres {
            storage.commit(batch.clone()).await?;
        }
        now(world.storage.commit(batch))?;
    }
    println!("filled in {} s", start.elapsed().as_secs());
    Ok(())
}

fn tally(scope: Scope) -> Tally {
    Tally::new(Ticket::SPEC, scope).filter(Filter::equals("deleted", false))
}

/// Asks each question many times, one after the other, and prints how long the answers took.
async fn measure(store: &str, storage: &dyn Storage, world: &World) -> Outcome {
    let scope = world.scope();
    // Tickets come by the second here, so that a day of most desks is over within the hour.
    let since = |time| Filter::at_least("solved_at", world.now() - time);
    let (hour, day) = (since(chrono::Duration::hours(1)), since(chrono::Duration::days(1)));
    let urgent = Filter::equals("priority", 4_i64)
        .and(Filter::one_of("status", ["new", "open", "in_progress", "pending"].map(Into::into)));
    let tallies = [
        ("by status", tally(scope).by(Group::Field("status"))),
        ("by status and priority", tally(scope).by(Group::Field("status")).by(Group::Field("priority"))),
        ("urgent ones under way", tally(scope).filter(urgent)),
        ("resolved in an hour", tally(scope).filter(hour)),
        ("resolved in a day", tally(scope).filter(day)),
        ("all", tally(scope)),
    ];
    for (name, tally) in tallies {
        let mut times = Vec::with_capacity(TURNS);
        let mut answer = Vec::new();
        for _ in 0..TURNS {
            let start = Instant::now();
            answer = storage.tally(&tally).await?;
            times.push(start.elapsed());
        }
        let counted: i64 = answer.iter().filter_map(|row| row.values[0].as_int()).sum();
        report(store, &format!("{name} ({counted})"), times);
    }
    let open = Filter::equals("deleted", false).and(Filter::equals("status", "open"));
    let query = Query::new(Ticket::SPEC, scope).filter(open).descending("number").limit(20);
    let query = query.total(TotalMode::Exact);
    let mut times = Vec::with_capacity(TURNS);
    for _ in 0..TURNS {
        let start = Instant::now();
        storage.find(&query).await?;
        times.push(start.elapsed());
    }
    report(store, "page of open ones with total", times);
    Ok(())
}

fn report(store: &str, name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1_000.0;
    println!("{store:<11} {name:<40} median {:>9.3} ms   99th {:>9.3} ms", at(50), at(99));
}
