//! Fields whose value no two records of a scope may share.

use std::sync::Arc;

use super::fixture::{Org, refused};
use super::kinds::{ITEM, SHELF};
use crate::storage::{Filter, Storage, StorageError, Value};

pub async fn a_second_record_of_a_unique_value_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item().set("code", "a")).await;
    let second = org.item().set("code", "a");
    let result = org.try_write([second.clone().insert()]).await;
    refused!(result, StorageError::Duplicate { kind: "conformance_item", field: "code" });
    assert!(org.get(&ITEM, second.id()).await.is_none());
}

pub async fn an_update_to_a_taken_value_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item().set("code", "a")).await;
    let second = org.item().set("code", "b");
    org.insert(second.clone()).await;
    let result = org.try_write([second.clone().set("code", "a").update(1)]).await;
    refused!(result, StorageError::Duplicate { kind: "conformance_item", field: "code" });
    assert_eq!(org.value(&ITEM, second.id(), "code").await, Value::text("b"));
}

pub async fn two_records_of_one_batch_cannot_share_a_value(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = || org.item().set("code", "a").insert();
    refused!(org.try_write([draft(), draft()]).await, StorageError::Duplicate { field: "code", .. });
    assert!(org.matching(Filter::all()).await.is_empty());
}

pub async fn numbers_can_be_unique_too(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.shelf().set("place", 1)).await;
    org.insert(org.shelf().set("place", 2)).await;
    let result = org.try_write([org.shelf().set("place", 1).insert()]).await;
    refused!(result, StorageError::Duplicate { kind: "conformance_shelf", field: "place" });
}

pub async fn null_may_repeat(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let coded = org.item().set("code", "a");
    org.write([org.item().insert(), org.item().insert(), coded.clone().insert()]).await;
    org.insert(org.item()).await;
    org.write([coded.set("code", Value::Null).update(1)]).await;
    assert_eq!(org.matching(Filter::null("code")).await.len(), 4);
}

pub async fn unique_values_are_compared_to_the_letter(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for code in ["a", "A", "a ", " a", "á", "a\u{301}", "", "ß", "ss"] {
        org.insert(org.item().label(code).set("code", code)).await;
        assert_eq!(org.matching(Filter::equals("code", code)).await, [code]);
    }
}

pub async fn an_update_may_keep_its_own_value(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().set("code", "a").label("before");
    org.insert(draft.clone()).await;
    org.write([draft.clone().label("after").update(1)]).await;
    assert_eq!(org.matching(Filter::equals("code", "a")).await, ["after"]);
    let result = org.try_write([org.item().set("code", "a").insert()]).await;
    refused!(result, StorageError::Duplicate { .. });
}

pub async fn a_value_is_free_after_its_record_is_deleted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let first = org.insert(org.item().set("code", "a")).await;
    org.write([org.delete(&ITEM, first, 1)]).await;
    let second = org.insert(org.item().set("code", "a").label("second")).await;
    assert_eq!(org.matching(Filter::equals("code", "a")).await, ["second"]);
    org.write([org.delete(&ITEM, second, 1)]).await;
    assert!(org.matching(Filter::equals("code", "a")).await.is_empty());
}

pub async fn a_value_is_free_after_its_record_gives_it_up(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let first = org.item().set("code", "a").label("first");
    org.insert(first.clone()).await;
    org.write([first.clone().set("code", "b").update(1)]).await;
    org.insert(org.item().set("code", "a").label("second")).await;
    org.write([first.clone().set("code", Value::Null).update(2)]).await;
    org.insert(org.item().set("code", "b").label("third")).await;
    assert_eq!(org.matching(Filter::equals("code", "a")).await, ["second"]);
    assert_eq!(org.matching(Filter::equals("code", "b")).await, ["third"]);
}

pub async fn a_value_can_be_freed_by_a_delete_and_taken_in_one_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // Whichever comes first: a batch has no before and after.
    for taken_first in [false, true] {
        let first = org.insert(org.item().set("code", "a")).await;
        let second = org.item().set("code", "a").label("second");
        let mut writes = vec![org.delete(&ITEM, first, 1), second.clone().insert()];
        if taken_first {
            writes.reverse();
        }
        org.write(writes).await;
        assert_eq!(org.matching(Filter::equals("code", "a")).await, ["second"]);
        let result = org.try_write([org.item().set("code", "a").insert()]).await;
        refused!(result, StorageError::Duplicate { .. });
        org.write([org.delete(&ITEM, second.id(), 1)]).await;
    }
}

pub async fn a_value_can_be_freed_by_an_update_and_taken_in_one_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for taken_first in [false, true] {
        let first = org.item().set("code", "a").label("first");
        org.insert(first.clone()).await;
        let second = org.item().set("code", "a").label("second");
        let mut writes = vec![first.clone().set("code", "b").update(1), second.clone().insert()];
        if taken_first {
            writes.reverse();
        }
        org.write(writes).await;
        assert_eq!(org.matching(Filter::equals("code", "a")).await, ["second"]);
        assert_eq!(org.matching(Filter::equals("code", "b")).await, ["first"]);
        org.write([org.delete(&ITEM, first.id(), 2), org.delete(&ITEM, second.id(), 1)]).await;
    }
}

pub async fn records_can_swap_their_values(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts: Vec<_> = ["a", "b", "c"].map(|code| org.item().set("code", code).label(code)).into();
    org.write(drafts.iter().cloned().map(super::fixture::Draft::insert)).await;
    let turned = drafts.iter().zip(["b", "c", "a"]);
    org.write(turned.map(|(draft, code)| draft.clone().set("code", code).update(1))).await;
    for (code, label) in [("a", "c"), ("b", "a"), ("c", "b")] {
        assert_eq!(org.matching(Filter::equals("code", code)).await, [label]);
        let result = org.try_write([org.item().set("code", code).insert()]).await;
        refused!(result, StorageError::Duplicate { .. });
    }
}

pub async fn a_failed_batch_neither_frees_nor_takes_a_value(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let first = org.item().set("code", "a");
    org.insert(first.clone()).await;
    let spoiled = org.delete(&SHELF, super::fixture::fresh(), 1);
    let moved = first.clone().set("code", "b").update(1);
    refused!(org.try_write([moved, spoiled]).await, StorageError::Conflict { .. });
    let result = org.try_write([org.item().set("code", "a").insert()]).await;
    refused!(result, StorageError::Duplicate { .. });
    org.insert(org.item().set("code", "b")).await;
}
