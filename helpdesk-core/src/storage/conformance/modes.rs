//! Kinds that are only appended to, and kinds that are overwritten without asking.

use std::sync::Arc;

use super::fixture::{Org, at, refused};
use super::kinds::{ITEM, PRESENCE, READING};
use crate::storage::{Batch, Expect, Filter, Query, Storage, StorageError, Value, Write};

pub async fn what_is_appended_is_never_changed(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let reading = org.draft(&READING).set("amount", 1);
    org.insert(reading.clone()).await;
    for write in [reading.clone().set("amount", 2).update(1), reading.clone().set("amount", 2).overwrite()] {
        refused!(org.try_write([write]).await, StorageError::Invalid(_));
    }
    let result = org.try_write([reading.clone().insert()]).await;
    refused!(result, StorageError::Conflict { current: Some(1), .. });
    assert_eq!(org.value(&READING, reading.id(), "amount").await, Value::Int(1));
}

pub async fn what_is_appended_can_be_deleted(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let ids = [1, 2, 3].map(|amount| (amount, org.draft(&READING).set("amount", amount).set("taken", at(amount))));
    org.write(ids.clone().map(|(_, draft)| draft.insert())).await;
    refused!(
        org.try_write([org.delete(&READING, ids[0].1.id(), 2)]).await,
        StorageError::Conflict { current: Some(1), .. }
    );
    org.write([org.delete(&READING, ids[0].1.id(), 1)]).await;
    let query = Query::new(&READING, org.scope).filter(Filter::at_least("taken", at(0))).descending("taken");
    let left: Vec<_> = org.page(query).await.records.iter().map(|record| record.id).collect();
    assert_eq!(left, [ids[2].1.id(), ids[1].1.id()]);
}

pub async fn a_quiet_kind_is_written_whatever_was_there(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let presence = org.draft(&PRESENCE);
    let first = org.write([presence.clone().set("mood", "here").overwrite()]).await[0];
    assert_eq!(first.version, 1);
    let batch = org.writes([presence.clone().set("mood", "away").set("seat", "a").overwrite()]);
    let second = org.commit(Batch { at: at(5), ..batch }).await.written[0];
    assert_eq!((second.number, second.version), (first.number, 2));
    let record = org.get(&PRESENCE, presence.id()).await.expect("the record is there");
    assert_eq!((record.created_at, record.updated_at), (at(0), at(5)));
    assert_eq!(org.value(&PRESENCE, presence.id(), "mood").await, Value::text("away"));
    let found = org.page(Query::new(&PRESENCE, org.scope).filter(Filter::equals("mood", "here"))).await;
    assert!(found.records.is_empty());
}

pub async fn a_quiet_kind_can_be_written_with_a_version_too(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let presence = org.draft(&PRESENCE);
    org.insert(presence.clone()).await;
    refused!(
        org.try_write([presence.clone().insert()]).await,
        StorageError::Conflict { current: Some(1), .. }
    );
    org.write([presence.clone().update(1)]).await;
    refused!(
        org.try_write([presence.clone().update(1)]).await,
        StorageError::Conflict { current: Some(2), .. }
    );
    org.write([org.delete(&PRESENCE, presence.id(), 2)]).await;
}

pub async fn a_quiet_record_is_deleted_whatever_its_version(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let presence = org.draft(&PRESENCE);
    org.write([presence.clone().overwrite()]).await;
    org.write([presence.clone().overwrite()]).await;
    let (kind, scope, id) = (&PRESENCE, org.scope, presence.id());
    let delete = || Write::Delete { kind, scope, id, expect: Expect::Anything };
    org.write([delete()]).await;
    assert!(org.get(&PRESENCE, id).await.is_none());
    // A delete is answered with the number of what it deleted, so there must be something.
    refused!(org.try_write([delete()]).await, StorageError::Conflict { current: None, .. });
    org.write([presence.overwrite()]).await;
    assert_eq!(org.version(&PRESENCE, id).await, Some(1));
}

pub async fn a_quiet_kind_keeps_its_values_unique(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (org.draft(&PRESENCE), org.draft(&PRESENCE));
    org.write([a.clone().set("seat", "1").overwrite(), b.clone().set("seat", "2").overwrite()]).await;
    let taken = org.try_write([b.clone().set("seat", "1").overwrite()]).await;
    refused!(taken, StorageError::Duplicate { kind: "conformance_presence", field: "seat" });
    org.write([a.set("seat", "2").overwrite(), b.set("seat", "1").overwrite()]).await;
}

pub async fn other_kinds_name_what_they_expect(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item();
    refused!(org.try_write([item.clone().overwrite()]).await, StorageError::Invalid(_));
    org.insert(item.clone()).await;
    refused!(org.try_write([item.clone().overwrite()]).await, StorageError::Invalid(_));
    let (scope, id) = (org.scope, item.id());
    for kind in [&ITEM, &READING] {
        let delete = Write::Delete { kind, scope, id, expect: Expect::Anything };
        refused!(org.try_write([delete]).await, StorageError::Invalid(_));
    }
    assert_eq!(org.version(&ITEM, id).await, Some(1));
}
