//! Commits and reads that overlap. Asserted is what comes of all of them together.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Barrier;
use uuid::Uuid;

use super::fixture::{Draft, Org, PATIENCE, fresh, refused};
use super::kinds::{ITEM, SHELF};
use super::tally::rows;
use crate::storage::{
    Batch, Committed, Expect, Filter, Measure, Storage, StorageError, Tally, TotalMode, Value,
};

/// Runs futures as tasks of their own, and answers what each answered, in their order.
pub(super) async fn together<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        let answer = tokio::time::timeout(PATIENCE, task).await.expect("the tasks come to an end");
        answers.push(answer.expect("a task does not panic"));
    }
    answers
}

/// Commits again for as long as the store says that commits crossed, which says nothing of the batch itself.
pub(super) async fn settled<F>(commit: impl Fn() -> F) -> Result<Committed, StorageError>
where
    F: Future<Output = Result<Committed, StorageError>>,
{
    for _ in 0..1_000 {
        match commit().await {
            Err(StorageError::Crossed { .. }) => tokio::task::yield_now().await,
            settled => return settled,
        }
    }
    panic!("commits cross without end")
}

/// Commits a batch as soon as `barrier` lets it, so that several are under way at once.
async fn race(org: Org, barrier: Arc<Barrier>, batch: Batch) -> Result<Committed, StorageError> {
    barrier.wait().await;
    settled(|| org.store.commit(batch.clone())).await
}

/// Commits all batches at once, and answers which went through and what the others were told.
async fn race_all(org: &Org, batches: Vec<Batch>) -> Vec<Result<Committed, StorageError>> {
    let barrier = Arc::new(Barrier::new(batches.len()));
    together(batches.into_iter().map(|batch| race(org.clone(), Arc::clone(&barrier), batch))).await
}

fn winners(results: &[Result<Committed, StorageError>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

pub async fn of_several_changes_to_one_version_one_is_made(store: &Arc<dyn Storage>) {
    for _ in 0..10 {
        let org = Org::new(store);
        let item = org.item();
        org.insert(item.clone()).await;
        let batches = (0..8).map(|place| org.writes([item.clone().set("size", place).update(1)])).collect();
        let results = race_all(&org, batches).await;
        assert_eq!(winners(&results), 1);
        let winner = results.iter().position(Result::is_ok).expect("one went through");
        let size = i64::try_from(winner).expect("a small number");
        assert_eq!(org.value(&ITEM, item.id(), "size").await, Value::Int(size));
        assert_eq!(org.version(&ITEM, item.id()).await, Some(2));
        for result in results.into_iter().filter(Result::is_err) {
            refused!(result, StorageError::Conflict { current: Some(2), .. });
        }
    }
}

pub async fn no_change_is_lost_where_each_decides_again(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().set("size", 0);
    org.insert(item.clone()).await;
    let count = |_| {
        let (org, item) = (org.clone(), item.clone());
        async move {
            for _ in 0..10 {
                loop {
                    let record = org.get(&ITEM, item.id()).await.expect("the record is there");
                    let place = ITEM.position("size").expect("a declared field");
                    let size = record.fields[place].as_int().expect("a size");
                    match org.try_write([item.clone().set("size", size + 1).update(record.version)]).await {
                        Ok(_) => break,
                        Err(error) => assert!(error.is_retryable(), "{error:?}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    together((0..8).map(count)).await;
    assert_eq!(org.value(&ITEM, item.id(), "size").await, Value::Int(80));
    assert_eq!(org.version(&ITEM, item.id()).await, Some(81));
}

pub async fn of_two_that_require_what_the_other_changes_one_is_made(store: &Arc<dyn Storage>) {
    for _ in 0..20 {
        let org = Org::new(store);
        // Two are on call, and each goes home if the other stays.
        let on_call = [org.item().label("a").set("open", true), org.item().label("b").set("open", true)];
        org.write(on_call.clone().map(Draft::insert)).await;
        let home = |own: usize, other: usize| Batch {
            requires: vec![org.require(&ITEM, on_call[other].id(), Expect::Version(1))],
            ..org.writes([on_call[own].clone().set("open", false).update(1)])
        };
        let results = race_all(&org, vec![home(0, 1), home(1, 0)]).await;
        assert_eq!(winners(&results), 1);
        assert_eq!(org.matching(Filter::equals("open", true)).await.len(), 1, "somebody is left");
    }
}

pub async fn of_two_that_require_the_others_absence_one_is_made(store: &Arc<dyn Storage>) {
    for _ in 0..20 {
        let org = Org::new(store);
        let (a, b) = (org.item(), org.item());
        let alone = |own: &Draft, other: Uuid| Batch {
            requires: vec![org.require(&ITEM, other, Expect::Absent)],
            ..org.writes([own.clone().insert()])
        };
        let results = race_all(&org, vec![alone(&a, b.id()), alone(&b, a.id())]).await;
        assert_eq!(winners(&results), 1);
        assert_eq!(org.matching(Filter::all()).await.len(), 1);
    }
}

pub async fn a_guard_keeps_a_rule_over_many_records(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // At most five items may be open: each that opens one writes the guard that all have to write.
    let guard = org.shelf().set("load", 0);
    org.insert(guard.clone()).await;
    let open = |_| {
        let (org, guard) = (org.clone(), guard.clone());
        async move {
            loop {
                let version = org.version(&SHELF, guard.id()).await.expect("the guard is there");
                let opened = org.matching(Filter::equals("open", true)).await.len();
                if opened == 5 {
                    return false;
                }
                let load = i64::try_from(opened).expect("a small number") + 1;
                let writes = [
                    org.item().set("open", true).insert(),
                    guard.clone().set("load", load).update(version),
                ];
                match org.try_write(writes).await {
                    Ok(_) => return true,
                    Err(error) => assert!(error.is_retryable(), "{error:?}"),
                }
                tokio::task::yield_now().await;
            }
        }
    };
    let opened = together((0..12).map(open)).await;
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 5);
    assert_eq!(org.matching(Filter::equals("open", true)).await.len(), 5);
    assert_eq!(org.value(&SHELF, guard.id(), "load").await, Value::Int(5));
}

pub async fn of_several_that_take_one_value_one_has_it(store: &Arc<dyn Storage>) {
    for _ in 0..10 {
        let org = Org::new(store);
        let batches = (0..8).map(|_| org.writes([org.item().set("code", "a").insert()])).collect();
        let results = race_all(&org, batches).await;
        assert_eq!(winners(&results), 1);
        assert_eq!(org.matching(Filter::equals("code", "a")).await.len(), 1);
        for result in results.into_iter().filter(Result::is_err) {
            refused!(result, StorageError::Duplicate { field: "code", .. });
        }
    }
}

pub async fn of_several_inserts_of_one_id_one_is_made(store: &Arc<dyn Storage>) {
    for _ in 0..10 {
        let org = Org::new(store);
        let id = fresh();
        let batches = (0..8).map(|size| org.writes([org.item().named(id).set("size", size).insert()])).collect();
        let results = race_all(&org, batches).await;
        assert_eq!(winners(&results), 1);
        assert_eq!(org.version(&ITEM, id).await, Some(1));
        for result in results.into_iter().filter(Result::is_err) {
            refused!(result, StorageError::Conflict { current: Some(1), .. });
        }
    }
}

pub async fn nothing_is_left_referring_to_what_was_deleted(store: &Arc<dyn Storage>) {
    for _ in 0..20 {
        let org = Org::new(store);
        let shelf = org.insert(org.shelf()).await;
        let mut batches = vec![org.writes([org.delete(&SHELF, shelf, 1)])];
        batches.extend((0..3).map(|_| org.writes([org.item().set("shelf", shelf).insert()])));
        let results = race_all(&org, batches).await;
        let items = org.matching(Filter::equals("shelf", shelf)).await.len();
        assert_eq!(winners(&results[1..]), items);
        match &results[0] {
            Ok(_) => assert_eq!((items, org.version(&SHELF, shelf).await), (0, None)),
            Err(StorageError::Referenced { .. }) => assert_eq!(org.version(&SHELF, shelf).await, Some(1)),
            Err(other) => panic!("{other:?}"),
        }
        assert!(items > 0 || results[0].is_ok(), "one side or the other goes through");
    }
}

pub async fn commits_that_cross_come_through(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts: Vec<_> = (0..4).map(|_| org.item().set("size", 0)).collect();
    org.write(drafts.iter().cloned().map(Draft::insert)).await;
    // Each writes the same records in another order, so that some wait for one another both ways.
    let turn = |place: usize| {
        let (org, mut drafts) = (org.clone(), drafts.clone());
        drafts.rotate_left(place % 4);
        async move {
            for _ in 0..5 {
                loop {
                    let mut writes = Vec::new();
                    for draft in &drafts {
                        let version = org.version(&ITEM, draft.id()).await.expect("the record is there");
                        writes.push(draft.clone().set("size", version).update(version));
                    }
                    match org.try_write(writes).await {
                        Ok(_) => break,
                        Err(error) => assert!(error.is_retryable(), "{error:?}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    together((0..6).map(turn)).await;
    for draft in &drafts {
        assert_eq!(org.version(&ITEM, draft.id()).await, Some(31));
    }
}

/// Runs `write` over and over in a task of its own for as long as `read` runs.
async fn meanwhile<W, F>(write: W, read: impl Future<Output = ()>)
where
    W: Fn(i64) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let writer = tokio::spawn(async move {
        let mut round = 1;
        while !seen.load(Ordering::Relaxed) {
            write(round).await;
            round += 1;
            tokio::task::yield_now().await;
        }
    });
    read.await;
    over.store(true, Ordering::Relaxed);
    writer.await.expect("the writer does not panic");
}

pub async fn a_batch_is_seen_whole_or_not_at_all(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // Two items share a hundred between them, whatever is moved from one to the other.
    let (a, b) = (org.item().set("size", 50), org.item().set("size", 50));
    org.write([a.clone().insert(), b.clone().insert()]).await;
    let (ids, shared) = ([a.id(), b.id()], org.clone());
    let write = move |round: i64| {
        let (org, part) = (shared.clone(), round % 100);
        let (a, b) = (a.clone().set("size", part), b.clone().set("size", 100 - part));
        async move { drop(org.write([a.update(round), b.update(round)]).await) }
    };
    let read = async {
        for _ in 0..100 {
            let sum = Tally::new(&ITEM, org.scope).measure(Measure::Sum("size"));
            assert_eq!(rows(&org, sum).await, [[Value::Int(100)]]);
            let found = org.store.get(&ITEM, org.scope, &ids).await.expect("the store answers");
            let versions: Vec<_> = found.iter().flatten().map(|record| record.version).collect();
            assert!(versions.len() == 2 && versions[0] == versions[1], "{versions:?}");
            let records = org.page(org.query()).await.records;
            assert_eq!(records[0].version, records[1].version);
        }
    };
    meanwhile(write, read).await;
}

pub async fn a_page_and_its_total_are_of_one_state(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.write((0..10).map(|_| org.item().set("state", "kept").insert())).await;
    let shared = org.clone();
    let write = move |_| {
        let org = shared.clone();
        async move {
            let drafts = [org.item().set("state", "kept"), org.item().set("state", "kept")];
            let ids = drafts.each_ref().map(Draft::id);
            org.write(drafts.map(Draft::insert)).await;
            org.write(ids.map(|id| org.delete(&ITEM, id, 1))).await;
        }
    };
    let read = async {
        for round in 0..100 {
            let filter = if round % 2 == 0 { Filter::all() } else { Filter::equals("state", "kept") };
            let query = org.query().filter(filter).descending("state").total(TotalMode::Exact);
            let page = org.page(query).await;
            let count = page.records.len();
            assert_eq!(page.total.map(|total| total.count), Some(count as u64));
            assert!(count == 10 || count == 12, "half a batch: {count}");
        }
    };
    meanwhile(write, read).await;
}

pub async fn a_commit_that_was_answered_is_seen_by_all_reads_after_it(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let write = |place: i64| {
        let org = org.clone();
        async move {
            for round in 0..10 {
                let code = format!("{place}-{round}");
                let draft = org.item().set("code", code.as_str()).says(&format!("word{place}x{round}"));
                settled(|| org.try_write([draft.clone().insert()])).await.expect("the write is committed");
                assert!(org.get(&ITEM, draft.id()).await.is_some());
                assert_eq!(org.matching(Filter::equals("code", code)).await.len(), 1);
                let words = crate::storage::Term::typed(&format!("word{place}x{round}"));
                assert_eq!(org.matching(Filter::words(words)).await.len(), 1);
                let count = rows(&org, Tally::new(&ITEM, org.scope)).await;
                assert!(count[0][0] >= Value::Int(round + 1));
            }
        }
    };
    together((0..6).map(write)).await;
    assert_eq!(rows(&org, Tally::new(&ITEM, org.scope)).await, [[Value::Int(60)]]);
}
