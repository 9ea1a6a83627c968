//! Connections and servers that go away under commits: what was answered as made is there, once, and what was not is
//! told truthfully.

use std::sync::Arc;
use std::time::Duration;

use chrono::Duration as Span;
use helpdesk_core::storage::{Claim, Position, Query, Storage as _, StorageError, Tally};
use helpdesk_storage_postgres::PostgresStorage;

use crate::cluster::Cluster;
use crate::fixture::{CASE, Desk, LOCKS, SHELF, at, commit, follow, fresh, run, schema, until, until_sql};
use crate::ledger::Ledger;
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn commits_whose_connections_are_killed_are_made_once_or_not_at_all() {
    let desk = Desk::new("lost_killed").await;
    let nodes = [desk.open().await, desk.open().await];
    let ledger = Ledger::new(&desk);
    let writers = ledger.write(&nodes, 12);
    let mut killer = desk.session().await;
    // Among them now and then those of relay and listeners.
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'helpdesk' ORDER BY random() LIMIT 3) AS picked";
    for _ in 0..120 {
        ledger.more(5).await;
        run(&mut killer, kill).await;
    }
    ledger.end(writers).await;
    let (made, _) = ledger.check(&nodes[0]).await;
    assert!(made >= 600);
}

async fn impatient(desk: &Desk) -> Arc<PostgresStorage> {
    let settings = desk.settings().acquire_timeout(Duration::from_secs(2));
    Arc::new(PostgresStorage::open(&settings, schema()).await.expect("the store opens"))
}

fn claim() -> Claim {
    Claim { now: at(10), lease: Span::seconds(60), token: fresh(), limit: 10 }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_down_everything_says_so_and_works_again_afterwards() {
    let cluster = Cluster::new();
    let desk = Desk::at(support::database_on(&cluster.url, "lost_down").await).await;
    let store = impatient(&desk).await;
    let (shelf, case, waiting) = (fresh(), fresh(), fresh());
    let mut first = desk.writes([desk.insert(&SHELF, shelf, &[]), desk.insert(&CASE, case, &[])]);
    first.events.push(desk.event("before"));
    commit(&store, first.clone()).await;
    follow(&store, 1).await;

    // A commit under way, which waits for a session that is not ours.
    let mut other = desk.session().await;
    run(&mut other, &format!("BEGIN; SELECT FROM helpdesk.shelf WHERE id = '{shelf}' FOR UPDATE")).await;
    let under_way = desk.writes([desk.insert(&CASE, waiting, &[("shelf", shelf.into())])]);
    let under_way_id = under_way.id;
    let under_way = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(under_way).await }
    });
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')";
    until_sql(&mut desk.session().await, "a commit that waits", waits).await;
    cluster.stop("fast");

    // Whose session is ended first is a matter of chance: either the other's, and the commit goes through at the last
    // moment, or the commit's own, and nobody knows.
    let made = match under_way.await.expect("the commit ends") {
        Ok(_) => true,
        Err(StorageError::Unknown { batch, .. }) if batch == under_way_id => false,
        other => panic!("{other:?}"),
    };
    macro_rules! unavailable {
        ($($asked:expr),* $(,)?) => {
            // All at a time, since each waits for a while.
            tokio::join!($(async {
                let answer = $asked.await;
                assert!(matches!(answer, Err(StorageError::Unavailable { .. })), "{answer:?}");
            }),*)
        };
    }
    for _ in 0..2 {
        let fresh_one = desk.writes([desk.insert(&CASE, fresh(), &[])]);
        unavailable!(
            store.get(&CASE, desk.scope, &[case]),
            store.find(&Query::new(&CASE, desk.scope)),
            store.tally(&Tally::new(&CASE, desk.scope)),
            store.commit(fresh_one),
            store.commit(desk.logs(["lost"])),
            store.outcome(first.id),
            store.claim(claim()),
            store.events(Position(0), 10),
            store.health(),
        );
    }

    cluster.start();
    until("the store to work again", || async { store.health().await.is_ok() }).await;
    // From now on without any failure.
    for number in 0..20 {
        let mut batch = desk.logs([format!("after {number}").as_str()]);
        batch.writes.push(desk.insert(&CASE, fresh(), &[]));
        batch.jobs.push(desk.enqueue(&number.to_string()));
        commit(&store, batch).await;
        assert!(store.get(&CASE, desk.scope, &[case]).await.expect("the store answers")[0].is_some());
    }
    assert_eq!(store.claim(claim()).await.expect("the store answers").len(), 10);
    assert!(store.outcome(first.id).await.expect("the store answers").is_some());
    assert_eq!(store.outcome(under_way_id).await.expect("the store answers").is_some(), made);
    assert_eq!(store.get(&CASE, desk.scope, &[waiting]).await.expect("the store answers")[0].is_some(), made);
    // The relay and those who listen to it are back, too.
    let log = follow(&store, 21).await;
    assert_eq!((log[0].1.as_str(), log[20].1.as_str()), ("before", "after 19"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_the_server_is_killed() {
    let cluster = Cluster::new();
    let desk = Desk::at(support::database_on(&cluster.url, "lost_server").await).await;
    let nodes = [desk.open().await, impatient(&desk).await];
    let ledger = Ledger::new(&desk);
    let writers = ledger.write(&nodes, 12);
    for how in ["kill", "immediate", "kill", "fast"] {
        ledger.more(200).await;
        cluster.stop(how);
        cluster.start();
    }
    ledger.more(200).await;
    ledger.end(writers).await;
    let (made, _) = ledger.check(&nodes[0]).await;
    assert!(made >= 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_a_crash_has_undrawn_are_not_used() {
    let desk = Desk::new("lost_numbers").await;
    let (store, mut other) = (desk.open().await, desk.session().await);
    commit(&store, desk.writes([desk.insert(&CASE, fresh(), &[])])).await;
    // As a crash does right after the draw, which is not written through to the disk.
    let crash = "CREATE FUNCTION helpdesk.undraw() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN UPDATE helpdesk.number SET last = OLD.last; RETURN NULL; END $$;
        CREATE TRIGGER undraw AFTER UPDATE ON helpdesk.number
            FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION helpdesk.undraw()";
    run(&mut other, crash).await;
    let refused = store.commit(desk.writes([desk.insert(&CASE, fresh(), &[])])).await;
    assert!(matches!(refused, Err(StorageError::Crossed { .. })), "{refused:?}");
    run(&mut other, "DROP TRIGGER undraw ON helpdesk.number").await;
    let committed = commit(&store, desk.writes([desk.insert(&CASE, fresh(), &[])])).await;
    assert_eq!(committed.written[0].number, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_that_fails_fails_those_who_wait_for_it_as_unavailable() {
    let desk = Desk::new("lost_draw").await;
    let (store, mut other, mut watch) = (desk.open().await, desk.session().await, desk.session().await);
    commit(&store, desk.writes([desk.insert(&CASE, fresh(), &[])])).await;
    run(&mut other, "BEGIN; LOCK TABLE helpdesk.number IN ACCESS EXCLUSIVE MODE").await;
    let mut commits = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, batch) = (Arc::clone(&store), desk.writes([desk.insert(&CASE, fresh(), &[])]));
        commits.spawn(async move { store.commit(batch).await });
    }
    let drawing =
        format!("SELECT pid FROM {LOCKS} WHERE relation = 'helpdesk.number'::regclass AND NOT granted");
    until_sql(&mut watch, "a draw", &format!("SELECT EXISTS ({drawing})")).await;
    run(&mut watch, &format!("SELECT pg_terminate_backend(pid) FROM ({drawing}) AS waiting")).await;
    run(&mut other, "COMMIT").await;
    let (mut numbers, mut failed) = (Vec::new(), 0);
    for answer in commits.join_all().await {
        match answer {
            Ok(committed) => numbers.push(committed.written[0].number),
            Err(StorageError::Unavailable { .. }) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(failed >= 1 && numbers.len() + failed == 8);
    numbers.sort_unstable();
    assert_eq!(numbers, (2..).take(numbers.len()).collect::<Vec<_>>());
}

// On one thread, so that those who draw come in the order in which they are spawned.
#[tokio::test]
async fn a_commit_that_nobody_waits_for_any_more_is_made() {
    let desk = Desk::new("lost_drawer").await;
    let (store, mut other, mut watch) = (desk.open().await, desk.session().await, desk.session().await);
    commit(&store, desk.writes([desk.insert(&CASE, fresh(), &[])])).await;
    run(&mut other, "BEGIN; LOCK TABLE helpdesk.number IN ACCESS EXCLUSIVE MODE").await;
    let spawn = || {
        let (store, batch) = (Arc::clone(&store), desk.writes([desk.insert(&CASE, fresh(), &[])]));
        tokio::spawn(async move { store.commit(batch).await })
    };
    let draws = |count: i32| {
        format!(
            "SELECT count(*) = {count} FROM {LOCKS} WHERE relation = 'helpdesk.number'::regclass AND NOT granted"
        )
    };
    let first = spawn();
    until_sql(&mut watch, "a draw", &draws(1)).await;
    let others = [spawn(), spawn()];
    first.abort();
    run(&mut other, "COMMIT").await;
    for other in others {
        other.await.expect("the task").expect("the batch is committed");
    }
    // What was begun is finished, though nobody hears of it.
    let cases = "SELECT count(*) = 4 FROM helpdesk.\"case\"";
    until_sql(&mut watch, "every case", cases).await;
}
