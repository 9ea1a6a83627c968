//! Measures events over WebSockets: how many are delivered a second, how soon they arrive, and what an idle connection
//! costs in memory, each beside a bare tokio-tungstenite broadcast server in the same run.
//!
//! Servers are processes of their own, so that their memory is theirs; load and server share the machine.
//!
//! `ws [SECONDS]`

mod bare;
mod clients;
mod desk;
mod server;

use std::process::ExitCode;
use std::time::Instant;

use self::clients::Clients;
use self::server::{Kind, Server};

/// How many deliveries a burst has.
const DELIVERIES: usize = 200_000;
/// How often each is measured; the best counts, since others may use the machine too.
const ROUNDS: usize = 3;
/// How many messages a second there are when it is measured how soon they arrive.
const RATE: usize = 20;

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("own") => desk::serve().await,
        Some("bare") => bare::serve().await,
        seconds => measure(seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(5)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(seconds: usize) -> Result<(), Failed> {
    println!(
        "                 deliveries/s         p50 / p99 in µs, and µs of a processor each, at {RATE} messages a second"
    );
    println!("clients        own       bare         own                         bare");
    for clients in [100, 500, 1_000] {
        let own = fan_out(Kind::Own, clients, seconds).await?;
        let bare = fan_out(Kind::Bare, clients, seconds).await?;
        println!(
            "{clients:>7}  {:>9.0}  {:>9.0}  {:>4.0} %  {:>7} / {:<7} {:>5.1}  {:>9} / {:<7} {:>5.1}",
            own.rate,
            bare.rate,
            100.0 * own.rate / bare.rate,
            own.middle,
            own.late,
            own.busy,
            bare.middle,
            bare.late,
            bare.busy,
        );
    }
    println!("\nidle connections   KiB each: own   bare   above it");
    let (own, bare) = (idle(Kind::Own).await?, idle(Kind::Bare).await?);
    for ((clients, own), (_, bare)) in own.into_iter().zip(bare) {
        println!("{clients:>16}  {own:>14.1}  {bare:>5.1}  {:>9.1}", own - bare);
    }
    Ok(())
}

struct Figures {
    rate: f64,
    middle: u64,
    late: u64,
    busy: f64,
}

async fn fan_out(kind: Kind, count: usize, seconds: usize) -> Result<Figures, Failed> {
    let mut server = Server::start(kind)?;
    let mut clients = Clients::new(&server);
    clients.grow_to(count).await?;
    let messages = DELIVERIES / count;
    let mut rate: f64 = 0.0;
    for _ in 0..=ROUNDS {
        server.ask(&format!("prepare {messages}"))?;
        clients.expect(messages * count);
        let began = Instant::now();
        server.ask("go")?;
        clients.all_came().await?;
        rate = rate.max((messages * count) as f64 / began.elapsed().as_secs_f64());
    }
    clients.forget();
    let mut best = Figures { rate, middle: u64::MAX, late: u64::MAX, busy: 0.0 };
    let busy = server.busy()?;
    for _ in 0..ROUNDS {
        clients.expect(RATE * seconds * count);
        server.ask(&format!("steady {RATE} {seconds}"))?;
        clients.all_came().await?;
        let mut took = clients.forget();
        took.sort_unstable();
        let at = |part: usize| took.get((took.len() * part / 100).min(took.len() - 1)).copied();
        if let (Some(middle), Some(late)) = (at(50), at(99))
            && late < best.late
        {
            best = Figures { rate, middle, late, ..best };
        }
    }
    best.busy = (server.busy()? - busy) / (ROUNDS * RATE * seconds * count) as f64;
    Ok(best)
}

/// What connections cost that do nothing, at two numbers of them.
async fn idle(kind: Kind) -> Result<Vec<(usize, f64)>, Failed> {
    let server = Server::start(kind)?;
    let mut clients = Clients::new(&server);
    clients.grow_to(10).await?;
    let before = server.memory()?;
    let mut found = Vec::new();
    for count in [1_000, 5_000] {
        clients.grow_to(count).await?;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        found.push((count, (server.memory()? - before) / (count - 10) as f64));
    }
    Ok(found)
}
