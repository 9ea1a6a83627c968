//! Fields that refer to other records.

use std::sync::Arc;

use super::fixture::{Draft, Org, fresh, ids, refused};
use super::kinds::{BADGE, ITEM, READING, SHELF};
use crate::storage::{Filter, Storage, StorageError, Value};

pub async fn a_reference_to_nothing_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let result = org.try_write([org.item().set("shelf", fresh()).insert()]).await;
    refused!(result, StorageError::MissingReference { kind: "conformance_item", field: "shelf" });
    let item = org.item();
    org.insert(item.clone()).await;
    let result = org.try_write([item.clone().set("shelf", fresh()).update(1)]).await;
    refused!(result, StorageError::MissingReference { kind: "conformance_item", field: "shelf" });
    assert_eq!(org.version(&ITEM, item.id()).await, Some(1));
}

pub async fn a_reference_names_a_record_of_its_kind(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.insert(org.item()).await;
    let result = org.try_write([org.item().set("shelf", item).insert()]).await;
    refused!(result, StorageError::MissingReference { field: "shelf", .. });
}

pub async fn a_reference_may_point_into_its_own_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for target_first in [false, true] {
        let shelf = org.shelf();
        let item = org.item().set("shelf", shelf.id()).set("links", ids(&[shelf.id()]));
        let mut writes = vec![item.clone().insert(), shelf.clone().insert()];
        if target_first {
            writes.reverse();
        }
        org.write(writes).await;
        assert_eq!(org.value(&ITEM, item.id(), "shelf").await, Value::Uuid(shelf.id()));
    }
}

pub async fn a_reference_to_what_the_batch_deletes_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.insert(org.shelf()).await;
    let writes = [org.delete(&SHELF, shelf, 1), org.item().set("shelf", shelf).insert()];
    refused!(
        org.try_write(writes).await,
        StorageError::MissingReference { .. } | StorageError::Referenced { .. }
    );
    assert_eq!(org.version(&SHELF, shelf).await, Some(1));
}

pub async fn what_is_referred_to_cannot_be_deleted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.insert(org.shelf()).await;
    org.insert(org.item().set("shelf", shelf)).await;
    let result = org.try_write([org.delete(&SHELF, shelf, 1)]).await;
    refused!(result, StorageError::Referenced { kind: "conformance_shelf", id } if id == shelf);
    assert_eq!(org.version(&SHELF, shelf).await, Some(1));
}

pub async fn every_sort_of_reference_holds_what_it_refers_to(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // Unique, not counted, and in a set: each finds its way back in another manner.
    let (badged, read) = (org.insert(org.item()).await, org.insert(org.item()).await);
    org.insert(org.draft(&BADGE).set("item", badged)).await;
    org.insert(org.draft(&READING).set("item", read)).await;
    for held in [badged, read] {
        let result = org.try_write([org.delete(&ITEM, held, 1)]).await;
        refused!(result, StorageError::Referenced { kind: "conformance_item", id } if id == held);
    }
    for (kind, field) in [(&BADGE, "item"), (&READING, "item")] {
        let result = org.try_write([org.draft(kind).set(field, fresh()).insert()]).await;
        refused!(result, StorageError::MissingReference { field: "item", .. });
    }
}

pub async fn what_is_no_longer_referred_to_can_be_deleted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b, c) = (org.shelf(), org.shelf(), org.shelf());
    org.write([a.clone().insert(), b.clone().insert(), c.clone().insert()]).await;
    let item = org.item();
    org.insert(item.clone().set("shelf", a.id())).await;
    org.write([item.clone().set("shelf", b.id()).update(1)]).await;
    org.write([org.delete(&SHELF, a.id(), 1)]).await;
    org.write([item.clone().set("shelf", Value::Null).update(2)]).await;
    org.write([org.delete(&SHELF, b.id(), 1)]).await;
    org.write([item.clone().set("shelf", c.id()).update(3)]).await;
    org.write([org.delete(&ITEM, item.id(), 4)]).await;
    org.write([org.delete(&SHELF, c.id(), 1)]).await;
}

pub async fn both_ends_of_a_reference_can_be_deleted_in_one_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for target_first in [false, true] {
        let shelf = org.insert(org.shelf()).await;
        let item = org.insert(org.item().set("shelf", shelf).set("links", ids(&[shelf]))).await;
        let mut writes = vec![org.delete(&ITEM, item, 1), org.delete(&SHELF, shelf, 1)];
        if target_first {
            writes.reverse();
        }
        org.write(writes).await;
        assert!(org.get(&ITEM, item).await.is_none() && org.get(&SHELF, shelf).await.is_none());
    }
}

pub async fn a_reference_can_move_away_as_its_target_is_deleted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for target_first in [false, true] {
        let (from, to) = (org.insert(org.shelf()).await, org.insert(org.shelf()).await);
        let item = org.item().set("shelf", from);
        org.insert(item.clone()).await;
        let mut writes = vec![item.clone().set("shelf", to).update(1), org.delete(&SHELF, from, 1)];
        if target_first {
            writes.reverse();
        }
        org.write(writes).await;
        assert_eq!(org.value(&ITEM, item.id(), "shelf").await, Value::Uuid(to));
    }
}

pub async fn each_reference_of_a_set_must_lead_somewhere(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (org.insert(org.shelf()).await, org.insert(org.shelf()).await);
    let result = org.try_write([org.item().set("links", ids(&[a, fresh()])).insert()]).await;
    refused!(result, StorageError::MissingReference { kind: "conformance_item", field: "links" });
    let item = org.item();
    org.insert(item.clone().set("links", ids(&[a, b]))).await;
    for shelf in [a, b] {
        let result = org.try_write([org.delete(&SHELF, shelf, 1)]).await;
        refused!(result, StorageError::Referenced { id, .. } if id == shelf);
    }
    org.write([item.clone().set("links", ids(&[b])).update(1)]).await;
    org.write([org.delete(&SHELF, a, 1)]).await;
    refused!(org.try_write([org.delete(&SHELF, b, 1)]).await, StorageError::Referenced { .. });
    org.write([item.clone().set("links", Value::Null).update(2)]).await;
    org.write([org.delete(&SHELF, b, 1)]).await;
}

pub async fn one_of_several_references_is_enough_to_hold_a_record(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.insert(org.shelf()).await;
    let (a, b) = (org.item().set("shelf", shelf), org.item().set("shelf", shelf));
    org.write([a.clone().insert(), b.clone().insert()]).await;
    let writes = [org.delete(&ITEM, a.id(), 1), org.delete(&SHELF, shelf, 1)];
    refused!(org.try_write(writes).await, StorageError::Referenced { .. });
    org.write([a.set("shelf", Value::Null).update(1)]).await;
    refused!(org.try_write([org.delete(&SHELF, shelf, 1)]).await, StorageError::Referenced { .. });
    assert_eq!(org.matching(Filter::equals("shelf", shelf)).await.len(), 1);
}

pub async fn a_record_may_refer_to_itself(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.shelf();
    org.insert(shelf.clone().set("above", shelf.id())).await;
    org.write([shelf.clone().set("above", shelf.id()).set("name", "changed").update(1)]).await;
    org.write([org.delete(&SHELF, shelf.id(), 2)]).await;
    assert!(org.get(&SHELF, shelf.id()).await.is_none());
}

pub async fn references_may_form_a_ring(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let ring: Vec<Draft> = (0..3).map(|_| org.shelf()).collect();
    let next = |place: usize| ring[(place + 1) % ring.len()].id();
    org.write(ring.iter().enumerate().map(|(place, shelf)| shelf.clone().set("above", next(place)).insert()))
        .await;
    let single = org.try_write([org.delete(&SHELF, ring[0].id(), 1)]).await;
    refused!(single, StorageError::Referenced { .. });
    org.write(ring.iter().map(|shelf| org.delete(&SHELF, shelf.id(), 1))).await;
}

pub async fn a_unique_reference_is_both(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (org.insert(org.item()).await, org.insert(org.item()).await);
    let badge = org.draft(&BADGE).set("item", a);
    org.insert(badge.clone()).await;
    let result = org.try_write([org.draft(&BADGE).set("item", a).insert()]).await;
    refused!(result, StorageError::Duplicate { kind: "conformance_badge", field: "item" });
    org.write([badge.clone().set("item", b).update(1), org.delete(&ITEM, a, 1)]).await;
    refused!(org.try_write([org.delete(&ITEM, b, 1)]).await, StorageError::Referenced { .. });
}
