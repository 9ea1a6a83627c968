//! What belongs to one organisation is out of another's reach.

use std::sync::Arc;

use super::fixture::{Draft, Org, actions, fresh, ids, never, refused};
use super::kinds::{BADGE, ITEM, SHELF};
use super::tally::rows;
use crate::events::EVENT;
use crate::storage::{
    Batch, Expect, Filter, Group, JOB, JobOp, Query, Storage, StorageError, Tally, Term, Total, TotalMode, Value,
    Write,
};

/// An organisation with one item, another without any, and the item.
async fn two(store: &Arc<dyn Storage>) -> (Org, Org, Draft) {
    let (owner, other) = (Org::new(store), Org::new(store));
    let item = owner.item().label("secret").set("code", "a").set("state", "new").says("secret words");
    owner.insert(item.clone()).await;
    (owner, other, item)
}

pub async fn another_scopes_record_is_not_got_or_found(store: &Arc<dyn Storage>) {
    let (owner, other, item) = two(store).await;
    let number = owner.get(&ITEM, item.id()).await.expect("the record is there").number;
    // One look while the other scope is empty, one while it has records of its own.
    for own in 0..2 {
        assert!(other.get(&ITEM, item.id()).await.is_none());
        for filter in [
            Filter::equals("id", item.id()),
            Filter::equals("code", "a"),
            Filter::equals("state", "new"),
            Filter::equals("label", "secret"),
            Filter::equals("number", number).and(Filter::equals("label", "secret")),
            Filter::words(Term::typed("secret")),
            Filter::null("due").and(Filter::equals("label", "own").not()),
            Filter::equals("label", "own").not(),
        ] {
            let page = other.page(other.query().filter(filter.clone()).total(TotalMode::Exact)).await;
            assert!(page.records.is_empty(), "{filter:?}");
            assert_eq!(page.total, Some(Total { count: 0, exact: true }), "{filter:?}");
        }
        assert_eq!(other.page(other.query().descending("state")).await.records.len(), own);
        other.insert(other.item().label("own")).await;
    }
}

pub async fn another_scopes_records_are_not_tallied(store: &Arc<dyn Storage>) {
    let (_, other, _) = two(store).await;
    other.insert(other.item().set("state", "own").says("words")).await;
    let tally = || Tally::new(&ITEM, other.scope);
    let own = vec![Value::text("own"), Value::Int(1)];
    assert_eq!(rows(&other, tally()).await, [[Value::Int(1)]]);
    assert_eq!(rows(&other, tally().by(Group::Field("state"))).await, vec![own.clone()]);
    let words = tally().filter(Filter::words(Term::typed("words"))).by(Group::Field("state"));
    assert_eq!(rows(&other, words).await, [own]);
}

pub async fn another_scopes_record_is_not_changed(store: &Arc<dyn Storage>) {
    let (owner, other, item) = two(store).await;
    let foreign = other.item().named(item.id()).label("stolen");
    refused!(other.try_write([foreign.update(1)]).await, StorageError::Conflict { current: None, .. });
    let result = other.try_write([other.delete(&ITEM, item.id(), 1)]).await;
    refused!(result, StorageError::Conflict { current: None, .. });
    assert_eq!(owner.matching(Filter::all()).await, ["secret"]);
    assert_eq!(owner.version(&ITEM, item.id()).await, Some(1));
}

pub async fn another_scopes_record_is_not_required(store: &Arc<dyn Storage>) {
    let (_, other, item) = two(store).await;
    let requires = |expect| Batch { requires: vec![other.require(&ITEM, item.id(), expect)], ..other.batch() };
    let result = store.commit(requires(Expect::Version(1))).await;
    refused!(result, StorageError::Conflict { current: None, .. });
    other.commit(requires(Expect::Absent)).await;
}

pub async fn another_scopes_record_is_not_referred_to(store: &Arc<dyn Storage>) {
    let (owner, other) = (Org::new(store), Org::new(store));
    let shelf = owner.insert(owner.shelf()).await;
    let item = owner.insert(owner.item()).await;
    for draft in [
        other.item().set("shelf", shelf),
        other.item().set("links", ids(&[shelf])),
        other.shelf().set("above", shelf),
        other.draft(&BADGE).set("item", item),
    ] {
        let result = other.try_write([draft.insert()]).await;
        refused!(result, StorageError::MissingReference { .. });
    }
    // Nor by a batch that writes in both.
    let writes = [owner.shelf().insert(), other.item().set("shelf", shelf).insert()];
    refused!(other.try_write(writes).await, StorageError::MissingReference { .. });
}

pub async fn a_unique_value_is_unique_to_its_scope(store: &Arc<dyn Storage>) {
    let (owner, other, _) = two(store).await;
    other.insert(other.item().label("own").set("code", "a")).await;
    assert_eq!(other.matching(Filter::equals("code", "a")).await, ["own"]);
    assert_eq!(owner.matching(Filter::equals("code", "a")).await, ["secret"]);
    let result = other.try_write([other.item().set("code", "a").insert()]).await;
    refused!(result, StorageError::Duplicate { .. });
}

pub async fn an_id_may_be_used_in_every_scope(store: &Arc<dyn Storage>) {
    // Records of which each organisation has one may well have a fixed id.
    let (owner, other, item) = two(store).await;
    let own = other.item().named(item.id()).label("own").set("code", "a").says("words");
    other.insert(own.clone()).await;
    other.write([own.clone().label("changed").update(1)]).await;
    assert_eq!(owner.matching(Filter::equals("id", item.id())).await, ["secret"]);
    assert_eq!(other.matching(Filter::words(Term::typed("words"))).await, ["changed"]);
    other.write([other.delete(&ITEM, item.id(), 2)]).await;
    assert_eq!(owner.version(&ITEM, item.id()).await, Some(1));
    assert_eq!(owner.matching(Filter::words(Term::typed("words"))).await, ["secret"]);
}

pub async fn a_reference_holds_only_in_its_scope(store: &Arc<dyn Storage>) {
    let (owner, other) = (Org::new(store), Org::new(store));
    let shelf = owner.insert(owner.shelf()).await;
    other.insert(other.shelf().named(shelf)).await;
    other.insert(other.item().set("shelf", shelf)).await;
    owner.write([owner.delete(&SHELF, shelf, 1)]).await;
    let result = other.try_write([other.delete(&SHELF, shelf, 1)]).await;
    refused!(result, StorageError::Referenced { .. });
}

pub async fn one_batch_may_write_in_several_scopes(store: &Arc<dyn Storage>) {
    let (owner, other) = (Org::new(store), Org::new(store));
    owner.write([owner.item().label("one").insert(), other.item().label("two").insert()]).await;
    assert_eq!(owner.matching(Filter::all()).await, ["one"]);
    assert_eq!(other.matching(Filter::all()).await, ["two"]);
}

pub async fn another_scopes_jobs_are_not_touched(store: &Arc<dyn Storage>) {
    let (owner, other) = (Org::new(store), Org::new(store));
    owner.commit(owner.jobs([owner.enqueue("key", never())])).await;
    let before = owner.job_state("key").await;
    let (scope, key) = (other.scope, "key".to_owned());
    let moved = JobOp::Move { scope, key: key.clone(), due: never() + chrono::Duration::days(1) };
    other.commit(other.jobs([moved, JobOp::Cancel { scope, key }])).await;
    assert_eq!(owner.job_state("key").await, before);
    assert!(other.job_state("key").await.is_none());
    assert!(other.page(Query::new(&JOB, other.scope)).await.records.is_empty());
    // A key is a name in its scope.
    other.commit(other.jobs([other.enqueue("key", never())])).await;
    other.commit(other.jobs([JobOp::Cancel { scope, key: "key".to_owned() }])).await;
    assert_eq!(owner.job_state("key").await, before);
}

pub async fn another_scopes_events_are_not_found(store: &Arc<dyn Storage>) {
    let (owner, other) = (Org::new(store), Org::new(store));
    let subject = fresh();
    let mut log = owner.log().await;
    owner.commit(Batch { events: vec![owner.event("done", subject)], ..owner.batch() }).await;
    let found = async |org: &Org| {
        let query = Query::new(&EVENT, org.scope).filter(Filter::equals("subject", subject));
        org.page(query).await.records.len()
    };
    assert_eq!(found(&owner).await, 1);
    assert_eq!(found(&other).await, 0);
    assert_eq!(actions(&log.until("done").await), ["done"]);
}

pub async fn the_area_of_no_organisation_is_a_scope_as_any_other(store: &Arc<dyn Storage>) {
    let (global, org) = (Org::global(store), Org::new(store));
    let name = fresh().simple().to_string();
    let shelf = global.shelf();
    let item = global.item().label("global").set("code", name.as_str()).set("shelf", shelf.id()).says(&name);
    global.write([item.clone().insert(), shelf.clone().insert()]).await;

    // As in any scope, values are unique and references hold.
    let second = global.item().set("code", name.as_str());
    refused!(global.try_write([second.insert()]).await, StorageError::Duplicate { field: "code", .. });
    let result = global.try_write([global.delete(&SHELF, shelf.id(), 1)]).await;
    refused!(result, StorageError::Referenced { .. });
    let result = global.try_write([item.clone().insert()]).await;
    refused!(result, StorageError::Conflict { current: Some(1), .. });
    assert_eq!(global.matching(Filter::words(Term::typed(&name))).await, ["global"]);
    assert_eq!(global.matching(Filter::equals("code", name.as_str())).await, ["global"]);
    assert_eq!(global.commit(global.drawing(&[&name])).await.counters, [1]);
    assert_eq!(global.commit(global.drawing(&[&name])).await.counters, [2]);
    assert_eq!(org.commit(org.drawing(&[&name])).await.counters, [1]);

    // No organisation sees it, nor does it see theirs.
    assert!(org.get(&ITEM, item.id()).await.is_none());
    assert!(org.matching(Filter::equals("code", name.as_str())).await.is_empty());
    refused!(
        org.try_write([org.item().set("shelf", shelf.id()).insert()]).await,
        StorageError::MissingReference { .. }
    );
    let own = org.insert(org.item().label("own").set("code", name.as_str())).await;
    assert!(global.get(&ITEM, own).await.is_none());
    assert_eq!(global.matching(Filter::equals("code", name.as_str())).await, ["global"]);

    let update: Vec<Write> = vec![item.clone().label("changed").update(1)];
    global.write(update).await;
    assert_eq!(global.value(&ITEM, item.id(), "label").await, Value::text("changed"));
    global.write([global.delete(&ITEM, item.id(), 2), global.delete(&SHELF, shelf.id(), 1)]).await;
    assert!(global.get(&ITEM, item.id()).await.is_none());
    assert!(org.get(&ITEM, own).await.is_some());
}

pub async fn jobs_and_events_may_belong_to_no_organisation(store: &Arc<dyn Storage>) {
    let global = Org::global(store);
    let key = fresh().simple().to_string();
    let mut log = global.log().await;
    let event = global.event(&key, fresh());
    global.commit(Batch { events: vec![event], ..global.jobs([global.enqueue(&key, never())]) }).await;
    global.commit(global.jobs([global.enqueue(&key, never())])).await;
    assert!(global.job_state(&key).await.is_some());
    assert_eq!(actions(&log.until(&key).await).last(), Some(&key.as_str()));
    global.commit(global.jobs([JobOp::Cancel { scope: global.scope, key: key.clone() }])).await;
    assert!(global.job_state(&key).await.is_none());
}
