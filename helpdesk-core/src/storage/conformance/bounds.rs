//! How large a batch may be.

use std::sync::Arc;

use super::fixture::{Org, fresh, never, refused};
use super::kinds::ITEM;
use crate::storage::{
    Batch, Expect, Filter, JobOp, MAX_BYTES, MAX_WRITES, NewJob, Storage, StorageError, TotalMode, Write,
};

/// Parts of every sort, so many in all.
fn parts(org: &Org, count: usize) -> Batch {
    let (each, rest) = (count / 4, count % 4);
    Batch {
        writes: (0..each + rest).map(|_| org.item().insert()).collect(),
        events: (0..each).map(|_| org.event("one", fresh())).collect(),
        requires: (0..each).map(|_| org.require(&ITEM, fresh(), Expect::Absent)).collect(),
        ..org.jobs((0..each).map(|place| org.enqueue(&place.to_string(), never())))
    }
}

async fn count(org: &Org) -> u64 {
    let query = org.query().limit(0).total(TotalMode::Exact);
    org.page(query).await.total.map_or(0, |total| total.count)
}

pub async fn a_batch_has_at_most_a_thousand_parts(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let writes = |count: usize| -> Vec<Write> { (0..count).map(|_| org.item().insert()).collect() };
    let too_many = [
        org.writes(writes(MAX_WRITES + 1)),
        parts(&org, MAX_WRITES + 1),
        Batch { requires: vec![org.require(&ITEM, fresh(), Expect::Absent)], ..org.writes(writes(MAX_WRITES)) },
        org.jobs((0..=MAX_WRITES).map(|place| org.enqueue(&place.to_string(), never()))),
    ];
    for batch in too_many {
        let id = batch.id;
        refused!(store.commit(batch).await, StorageError::TooLarge { .. });
        assert_eq!(store.outcome(id).await.expect("the store answers"), None);
    }
    assert_eq!(count(&org).await, 0);
    assert!(org.job_state("0").await.is_none());
    org.commit(org.writes(writes(MAX_WRITES))).await;
    org.commit(parts(&org, MAX_WRITES)).await;
    assert_eq!(count(&org).await, 1_250);
}

pub async fn a_batch_has_at_most_eight_mebibytes(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let json = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8)).into_boxed_str();
    // Two bodies, an event's and a job's payload: together as much as may be, or one byte more.
    let batch = |bytes: usize| {
        let (item, other) = (org.item().label("item"), org.item().label("other"));
        let mut event = org.event("one", fresh());
        event.body.json = json(1_000_000);
        let job = NewJob { payload: json(1_000_000), ..org.job("key", never()) };
        Batch {
            writes: vec![item.body(json(bytes - 5_000_000)).insert(), other.body(json(3_000_000)).insert()],
            events: vec![event],
            ..org.jobs([JobOp::Enqueue(job)])
        }
    };
    refused!(store.commit(batch(MAX_BYTES + 1)).await, StorageError::TooLarge { .. });
    assert_eq!(count(&org).await, 0);
    assert!(org.job_state("key").await.is_none());
    org.commit(batch(MAX_BYTES)).await;
    let records = org.page(org.query().filter(Filter::equals("label", "item"))).await.records;
    let body: serde_json::Value = serde_json::from_str(&records[0].body.json).expect("a body of JSON");
    assert_eq!(body["x"].as_str().map(str::len), Some(MAX_BYTES - 5_000_000 - 8));
}
