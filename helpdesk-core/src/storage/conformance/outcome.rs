//! Finding out what became of a batch.

use std::sync::Arc;

use super::fixture::{Org, actions, fresh, never, refused};
use super::kinds::ITEM;
use super::races::{settled, together};
use crate::storage::{Batch, Filter, JOB, Query, Storage, StorageError};

pub async fn the_outcome_of_a_batch_is_what_it_was_answered(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (kept, gone) = (org.item(), org.item());
    org.write([kept.clone().insert(), gone.clone().insert()]).await;
    let batch = Batch {
        writes: vec![org.item().insert(), kept.update(1), org.delete(&ITEM, gone.id(), 1)],
        ..org.drawing(&["a", "b", "a"])
    };
    let id = batch.id;
    assert_eq!(store.outcome(id).await.expect("the store answers"), None);
    let committed = org.commit(batch).await;
    assert_eq!(store.outcome(id).await.expect("the store answers"), Some(committed));
}

pub async fn batches_of_every_sort_are_remembered(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let batches = [
        org.batch(),
        org.jobs([org.enqueue("a", never())]),
        org.drawing(&["a"]),
        Batch { events: vec![org.event("one", fresh())], ..org.batch() },
        Batch { requires: vec![org.require(&ITEM, fresh(), crate::storage::Expect::Absent)], ..org.batch() },
    ];
    for batch in batches {
        let id = batch.id;
        let committed = org.commit(batch).await;
        assert_eq!(store.outcome(id).await.expect("the store answers"), Some(committed));
    }
}

pub async fn a_batch_that_never_was_has_no_outcome(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    assert_eq!(store.outcome(fresh()).await.expect("the store answers"), None);
    let failing = org.writes([org.item().insert(), org.delete(&ITEM, fresh(), 1)]);
    let id = failing.id;
    refused!(store.commit(failing).await, StorageError::Conflict { .. });
    assert_eq!(store.outcome(id).await.expect("the store answers"), None);
}

pub async fn a_batch_committed_twice_happens_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let item = org.item().set("size", 1);
    org.insert(item.clone()).await;
    let batch = Batch {
        writes: vec![item.clone().set("size", 2).update(1), org.item().set("code", "a").insert()],
        events: vec![org.event("one", item.id())],
        jobs: vec![org.enqueue("key", never())],
        ..org.drawing(&["a"])
    };
    let first = org.commit(batch.clone()).await;
    assert_eq!(org.commit(batch.clone()).await, first, "the second time answers what the first did");
    // Also when the world has moved on, and the batch would fail by now.
    org.write([item.clone().set("size", 3).update(2)]).await;
    org.commit(org.jobs([crate::storage::JobOp::Cancel { scope: org.scope, key: "key".to_owned() }])).await;
    assert_eq!(org.commit(batch).await, first);
    assert_eq!(org.version(&ITEM, item.id()).await, Some(3));
    assert_eq!(org.matching(Filter::all()).await.len(), 2);
    assert!(org.page(Query::new(&JOB, org.scope)).await.records.is_empty());
    assert_eq!(org.commit(org.drawing(&["a"])).await.counters, [2]);
    org.commit(Batch { events: vec![org.event("two", item.id())], ..org.batch() }).await;
    assert_eq!(actions(&log.until("two").await), ["one", "two"]);
}

pub async fn a_batch_sent_many_times_at_once_happens_once(store: &Arc<dyn Storage>) {
    for _ in 0..5 {
        let org = Org::new(store);
        let mut log = org.log().await;
        let batch = Batch {
            writes: vec![org.item().insert()],
            events: vec![org.event("one", fresh())],
            ..org.drawing(&["a"])
        };
        let send = |_| {
            let (org, batch) = (org.clone(), batch.clone());
            async move { settled(|| org.store.commit(batch.clone())).await }
        };
        let answers = together((0..8).map(send)).await;
        let first = answers[0].as_ref().expect("the batch is committed");
        for answer in &answers {
            assert_eq!(answer.as_ref().expect("the batch is committed"), first);
        }
        assert_eq!(org.matching(Filter::all()).await.len(), 1);
        assert_eq!(org.commit(org.drawing(&["a"])).await.counters, [2]);
        org.commit(Batch { events: vec![org.event("two", fresh())], ..org.batch() }).await;
        assert_eq!(actions(&log.until("two").await), ["one", "two"]);
    }
}
