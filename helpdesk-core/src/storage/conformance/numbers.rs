//! The numbers that records are given.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fixture::{Draft, Org, fresh, refused};
use super::kinds::ITEM;
use super::races::{settled, together};
use crate::storage::{Filter, Storage, StorageError};

pub async fn numbers_rise_with_each_record(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut last = 0;
    for _ in 0..5 {
        let number = org.write([org.item().insert()]).await[0].number;
        assert!(number > last, "{number} after {last}");
        last = number;
        // What happens in between is allowed to use numbers up, not to set them back.
        let failing = [org.item().insert(), org.delete(&ITEM, fresh(), 1)];
        refused!(org.try_write(failing).await, StorageError::Conflict { .. });
        org.insert(org.shelf()).await;
        Org::new(store).insert(org.item()).await;
    }
}

pub async fn numbers_rise_within_a_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let kept = org.item();
    org.insert(kept.clone()).await;
    let mut writes: Vec<_> = (0..50).map(|_| org.item().insert()).collect();
    writes.insert(20, kept.update(1));
    writes.insert(30, org.shelf().insert());
    let mut numbers: Vec<_> = org.write(writes).await.iter().map(|written| written.number).collect();
    let (shelf, kept) = (numbers.remove(30), numbers.remove(20));
    assert!(shelf > 0 && kept < numbers[0]);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

pub async fn a_number_stays_with_its_record(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item();
    let number = org.write([item.clone().insert()]).await[0].number;
    for version in 1..5 {
        org.insert(org.item()).await;
        assert_eq!(org.write([item.clone().update(version)]).await[0].number, number);
    }
    assert_eq!(org.get(&ITEM, item.id()).await.map(|record| record.number), Some(number));
}

pub async fn the_number_of_a_deleted_record_is_not_given_again(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut given = BTreeSet::new();
    for _ in 0..5 {
        let draft = org.item();
        let number = org.write([draft.clone().insert()]).await[0].number;
        assert!(given.last().is_none_or(|last| number > *last), "{number} after {given:?}");
        given.insert(number);
        org.write([org.delete(&ITEM, draft.id(), 1)]).await;
    }
}

pub async fn a_record_is_found_by_its_number(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts = ["a", "b", "c"].map(|label| org.item().label(label));
    let written = org.write(drafts.map(Draft::insert)).await;
    for (written, label) in written.iter().zip(["a", "b", "c"]) {
        assert_eq!(org.matching(Filter::equals("number", written.number)).await, [label]);
    }
}

pub async fn numbers_follow_the_order_of_commits_that_overlap(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let clock = Arc::new(AtomicU64::new(0));
    let insert = |_| {
        let (org, clock) = (org.clone(), Arc::clone(&clock));
        async move {
            let mut commits = Vec::new();
            for _ in 0..20 {
                let batch = org.writes([org.item().insert(), org.item().insert()]);
                let sent = clock.fetch_add(1, Ordering::SeqCst);
                let committed = settled(|| org.store.commit(batch.clone())).await.expect("the batch is committed");
                let answered = clock.fetch_add(1, Ordering::SeqCst);
                commits.push((sent, answered, committed.written[0].number, committed.written[1].number));
            }
            commits
        }
    };
    let commits = together((0..8).map(insert)).await.concat();
    let numbers: BTreeSet<_> = commits.iter().flat_map(|(.., a, b)| [*a, *b]).collect();
    assert_eq!(numbers.len(), 320, "no number is given twice");
    for (_, answered, first, second) in &commits {
        assert!(first < second);
        for (sent, _, later, _) in &commits {
            assert!(answered > sent || second < later, "{later} was asked for after {second} was given");
        }
    }
    let stored = org.page(org.query().limit(1_000)).await.records;
    assert_eq!(stored.iter().map(|record| record.number).collect::<BTreeSet<_>>(), numbers);
}
