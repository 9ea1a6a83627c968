//! Events come out once each, in the order of their commits, whatever transactions, relays and listeners do.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use helpdesk_core::storage::{Batch, Expect, Position, Storage as _, Write};
use helpdesk_storage_postgres::PostgresStorage;
use sqlx::PgConnection;
use tokio::task::JoinSet;

use crate::fixture::{
    CASE, Desk, LOCKS, PRESENCE, SHELF, ask, commit, follow, fresh, run, until, until_sql, within,
};

/// The session that holds the lock of the relay. Nothing in these tests takes any other of the kind.
fn holders() -> String {
    format!("SELECT pid FROM {LOCKS} WHERE locktype = 'advisory' AND granted")
}

fn actions(read: &[(Position, String)]) -> Vec<&str> {
    read.iter().map(|(_, action)| action.as_str()).collect()
}

/// Waits until a node is the relay, and answers its session.
async fn relay(session: &mut PgConnection) -> i32 {
    until_sql(session, "a relay", &format!("SELECT EXISTS ({})", holders())).await;
    ask(session, &holders()).await
}

/// All that was logged has its place.
async fn all_placed(store: &PostgresStorage, count: u64) {
    until("a place for every event", || async {
        let health = store.health().await.expect("the store answers");
        health.unplaced == 0 && health.newest == Position(count)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_commits_late_comes_late() {
    let desk = Desk::new("order_late").await;
    let (store, mut other) = (desk.open().await, desk.session().await);
    let shelf = fresh();
    commit(&store, desk.writes([desk.insert(&SHELF, shelf, &[])])).await;

    // Whoever refers to the shelf must wait, and does so last of all.
    run(&mut other, &format!("BEGIN; SELECT FROM helpdesk.shelf WHERE id = '{shelf}' FOR UPDATE")).await;
    let mut late = desk.logs(["late"]);
    late.writes.push(desk.insert(&CASE, fresh(), &[("shelf", shelf.into())]));
    let late_id = late.id;
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { commit(&store, late).await }
    });
    let mut watch = desk.session().await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    until_sql(&mut watch, "a commit that waits", waits).await;

    commit(&store, desk.logs(["first", "second"])).await;
    commit(&store, desk.logs(["third"])).await;
    let before = follow(&store, 3).await;
    assert_eq!(actions(&before), ["first", "second", "third"]);
    all_placed(&store, 3).await;

    run(&mut other, "COMMIT").await;
    waiting.await.expect("the late commit");
    let after = follow(&store, 4).await;
    assert_eq!(actions(&after), ["first", "second", "third", "late"]);
    assert_eq!(after[..3], before, "what was read stays where it was");
    all_placed(&store, 4).await;
    let began_first =
        format!("SELECT id = '{late_id}' FROM helpdesk.batch WHERE events > 0 ORDER BY seq LIMIT 1");
    assert!(ask::<bool>(&mut watch, &began_first).await, "the late one was the first to begin");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_overwrites_last_is_logged_last() {
    let desk = Desk::new("order_overwrite").await;
    let (store, mut other, mut watch) = (desk.open().await, desk.session().await, desk.session().await);
    let seat = fresh();
    // One that has set out, and is overtaken before it comes to the record.
    let slowly = "CREATE FUNCTION helpdesk.slowly() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
        CREATE TRIGGER slowly BEFORE INSERT ON helpdesk.presence
            FOR EACH ROW WHEN (NEW.mood = 'slow') EXECUTE FUNCTION helpdesk.slowly()";
    run(&mut other, slowly).await;
    run(&mut other, "SELECT pg_advisory_lock(1)").await;
    let overwrite = |mood: &str| {
        let mut put = desk.put(&PRESENCE, seat, &[("mood", mood.into())]);
        put.expect = Expect::Anything;
        Batch { writes: vec![Write::Put(put)], ..desk.logs([mood]) }
    };
    let first = commit(&store, overwrite("calm")).await;
    let slow = tokio::spawn({
        let (store, batch) = (Arc::clone(&store), overwrite("slow"));
        async move { commit(&store, batch).await }
    });
    let waits = format!("SELECT EXISTS (SELECT FROM {LOCKS} WHERE locktype = 'advisory' AND NOT granted)");
    until_sql(&mut watch, "one that waits", &waits).await;
    let fast = commit(&store, overwrite("fast")).await;
    run(&mut other, "SELECT pg_advisory_unlock(1)").await;
    let slow = slow.await.expect("the slow one");
    assert_eq!([first, fast, slow].map(|committed| committed.written[0].version), [1, 2, 3]);
    // The order in which places are given to what can be seen at a time.
    let order = "SELECT array_agg(e.action ORDER BY b.seq) FROM helpdesk.batch b JOIN helpdesk.event e ON e.id = b.event_ids[1]";
    assert_eq!(ask::<Vec<String>>(&mut watch, order).await, ["calm", "fast", "slow"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_transaction_that_stays_open_holds_nothing_up() {
    let desk = Desk::new("order_open").await;
    let (store, mut other) = (desk.open().await, desk.session().await);
    commit(&store, desk.logs(["before"])).await;
    run(&mut other, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    let _: i64 = ask(&mut other, "SELECT count(*) FROM helpdesk.event").await;
    let _: i64 = ask(&mut other, "SELECT txid_current()").await;
    for number in 0..50 {
        commit(&store, desk.logs([format!("{number}").as_str()])).await;
    }
    let read = follow(&store, 51).await;
    let expected: Vec<_> =
        std::iter::once("before".to_owned()).chain((0..50).map(|n| n.to_string())).collect();
    assert_eq!(actions(&read), expected);
    all_placed(&store, 51).await;
    // It was open all the while.
    assert_eq!(ask::<i64>(&mut other, "SELECT count(*) FROM helpdesk.event").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_events_wait_and_are_counted() {
    let desk = Desk::new("order_none").await;
    let (store, mut other, mut watch) = (desk.open().await, desk.session().await, desk.session().await);
    let first = relay(&mut watch).await;
    // Takes the lock as soon as the relay loses it. The stores only try.
    let key = format!(
        "SELECT classid::bigint << 32 | objid::bigint FROM {LOCKS} WHERE locktype = 'advisory' AND granted"
    );
    let key: i64 = ask(&mut watch, &key).await;
    let own: i32 = ask(&mut other, "SELECT pg_backend_pid()").await;
    let held = tokio::spawn(async move {
        run(&mut other, &format!("SELECT pg_advisory_lock({key})")).await;
        other
    });
    let waits = format!("SELECT EXISTS (SELECT FROM {LOCKS} WHERE pid = {own} AND NOT granted)");
    until_sql(&mut watch, "a session that waits for the lock", &waits).await;
    run(&mut watch, &format!("SELECT pg_terminate_backend({first})")).await;
    let mut other = held.await.expect("the lock");
    // The store has come back, and finds that it is not the relay.
    let stands_by = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> {first}
                        AND query = 'SELECT pg_try_advisory_lock($1)' AND state = 'idle')"
    );
    until_sql(&mut watch, "a store that stands by", &stands_by).await;

    commit(&store, desk.logs(["a", "b"])).await;
    commit(&store, desk.logs(["c"])).await;
    let health = store.health().await.expect("the store answers");
    assert_eq!((health.newest, health.unplaced), (Position(0), 3));
    assert!(store.events(Position(0), 10).await.expect("the store answers").is_empty());

    run(&mut other, &format!("SELECT pg_advisory_unlock({key})")).await;
    assert_eq!(actions(&follow(&store, 3).await), ["a", "b", "c"]);
    all_placed(&store, 3).await;
}

/// Several writers on several nodes, each of which commits one batch after the other.
struct Writers {
    tasks: JoinSet<()>,
    /// Set once enough has happened to them.
    enough: Arc<AtomicBool>,
}

const WRITERS: usize = 6;
/// The fewest batches of a writer.
const BATCHES: usize = 30;

impl Writers {
    fn start(desk: &Desk, nodes: &[Arc<PostgresStorage>]) -> Self {
        let (mut tasks, enough) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for writer in 0..WRITERS {
            let (desk, store) = (desk.clone(), Arc::clone(&nodes[writer % nodes.len()]));
            let enough = Arc::clone(&enough);
            tasks.spawn(async move {
                let mut batch = 0;
                while batch < BATCHES || !enough.load(Ordering::Relaxed) {
                    // One to three events each.
                    let events: Vec<_> =
                        (0..=batch % 3).map(|event| format!("{writer}.{batch:06}.{event}")).collect();
                    commit(&store, desk.logs(events.iter().map(String::as_str))).await;
                    batch += 1;
                }
            });
        }
        Self { tasks, enough }
    }

    async fn end(mut self) {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a writer");
        }
    }
}

/// Checks a log that writers wrote: everything once, the events of a batch together, and each writer's batches in
/// their order.
fn check(read: &[(Position, String)]) {
    let places: Vec<_> = read.iter().map(|(position, _)| position.0).collect();
    assert_eq!(places, (1..=read.len() as u64).collect::<Vec<_>>(), "places without gaps");
    let once: HashSet<_> = actions(read).into_iter().collect();
    assert_eq!(once.len(), read.len(), "every event once");
    for writer in 0..WRITERS {
        let own = format!("{writer}.");
        let own: Vec<_> = actions(read).into_iter().filter(|action| action.starts_with(&own)).collect();
        assert!(own.is_sorted(), "a writer's batches in their order: {own:?}");
        assert!(own.len() >= BATCHES * 2 - 3);
    }
    for (index, (_, action)) in read.iter().enumerate() {
        let (batch, event) = action.rsplit_once('.').expect("an event of a writer");
        let event: usize = event.parse().expect("a number");
        let first = &read[index - event].1;
        assert_eq!(first, &format!("{batch}.0"), "the events of a batch stand together");
    }
}

/// Follows the log on every node from now on, until the writers have ended.
fn readers(nodes: &[Arc<PostgresStorage>], ended: &Arc<AtomicBool>) -> JoinSet<Vec<(Position, String)>> {
    let mut readers = JoinSet::new();
    for node in nodes {
        let (node, ended) = (Arc::clone(node), Arc::clone(ended));
        readers.spawn(async move {
            let mut read: Vec<(Position, String)> = Vec::new();
            loop {
                let after = read.last().map(|(position, _)| *position).unwrap_or_default();
                let last = ended.load(Ordering::Relaxed);
                let page = node.events(after, 50).await.expect("the log can be read");
                if page.is_empty() && last {
                    return read;
                }
                if page.is_empty() {
                    tokio::task::yield_now().await;
                }
                read.extend(page.iter().map(|logged| (logged.position, crate::fixture::action(logged))));
            }
        });
    }
    readers
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_relay_is_killed_its_work_is_taken_over() {
    let desk = Desk::new("order_kill").await;
    let nodes = [desk.open().await, desk.open().await];
    let mut watch = desk.session().await;
    let ended = Arc::new(AtomicBool::new(false));
    let readers = readers(&nodes, &ended);
    let writers = Writers::start(&desk, &nodes);
    let mut killed = relay(&mut watch).await;
    for _ in 0..5 {
        let before = nodes[0].health().await.expect("the store answers").newest;
        run(&mut watch, &format!("SELECT pg_terminate_backend({killed})")).await;
        let other = format!("SELECT EXISTS ({} AND pid <> {killed})", holders());
        until_sql(&mut watch, "another relay", &other).await;
        killed = ask(&mut watch, &holders()).await;
        // It does its work before it is killed, too.
        until("further events", || async {
            nodes[1].health().await.expect("the store answers").newest > before
        })
        .await;
    }
    writers.end().await;
    let count: i64 = ask(&mut watch, "SELECT count(*) FROM helpdesk.event").await;
    all_placed(&nodes[0], count.unsigned_abs()).await;
    ended.store(true, Ordering::Relaxed);
    let log = follow(&nodes[0], usize::try_from(count).expect("a count")).await;
    check(&log);
    for read in within("the readers", readers.join_all()).await {
        assert_eq!(read, log, "a reader saw what the log says in the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_relays_server_ends_another_takes_over() {
    let desk = Desk::new("order_end").await;
    let mut watch = desk.session().await;
    let first = desk.open().await;
    let session = relay(&mut watch).await;
    let second = desk.open().await;
    let writers = Writers::start(&desk, &[Arc::clone(&second)]);
    let before = second.health().await.expect("the store answers").newest;
    drop(first);
    until_sql(&mut watch, "another relay", &format!("SELECT EXISTS ({} AND pid <> {session})", holders()))
        .await;
    until("further events", || async { second.health().await.expect("the store answers").newest > before })
        .await;
    writers.end().await;
    let count: i64 = ask(&mut watch, "SELECT count(*) FROM helpdesk.event").await;
    check(&follow(&second, usize::try_from(count).expect("a count")).await);
    all_placed(&second, count.unsigned_abs()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_whose_connection_is_lost_catches_up() {
    let desk = Desk::new("order_listener").await;
    let mut watch = desk.session().await;
    let first = desk.open().await;
    relay(&mut watch).await;
    let second = desk.open().await;
    let listeners = "SELECT COALESCE(array_agg(pid ORDER BY pid), '{}') FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    let both = format!("SELECT cardinality(({listeners})) = 2");
    until_sql(&mut watch, "two that listen", &both).await;
    commit(&first, desk.logs(["before"])).await;
    follow(&second, 1).await;

    let waits = tokio::spawn({
        let second = Arc::clone(&second);
        // Less than a wait may take that hears nothing.
        async move { tokio::time::timeout(std::time::Duration::from_secs(25), second.wait(Position(1))).await }
    });
    let killed: Vec<i32> = ask(&mut watch, listeners).await;
    for pid in &killed {
        run(&mut watch, &format!("SELECT pg_terminate_backend({pid})")).await;
    }
    commit(&first, desk.logs(["while nobody listens"])).await;
    waits.await.expect("the task").expect("the wait ends").expect("without an error");
    assert_eq!(actions(&follow(&second, 2).await), ["before", "while nobody listens"]);
    let again = format!(
        "SELECT cardinality(({listeners})) = 2 AND NOT ({listeners}) && ARRAY[{},{}]",
        killed[0], killed[1]
    );
    until_sql(&mut watch, "two that listen anew", &again).await;
}
