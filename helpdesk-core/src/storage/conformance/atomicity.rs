//! A batch that fails in any part leaves nothing behind.

use std::sync::Arc;

use super::fixture::{Draft, Org, actions, fresh, never, refused};
use super::kinds::{ITEM, PRESENCE, READING, SHELF, STRANGER};
use crate::storage::{Batch, Counter, Expect, Filter, JobOp, Lease, Storage, StorageError, Term, Value};

/// An organisation with some records, and a batch over all of them that would succeed.
struct Scene {
    org: Org,
    changed: Draft,
    deleted: Draft,
    inserted: Draft,
    shelf: Draft,
    mood: Draft,
}

impl Scene {
    async fn new(store: &Arc<dyn Storage>) -> Self {
        let org = Org::new(store);
        let shelf = org.shelf().set("place", 1);
        let scene = Self {
            changed: org.item().label("changed").set("code", "a").set("shelf", shelf.id()).says("alpha"),
            deleted: org.item().label("deleted").set("code", "b").says("beta"),
            inserted: org.item().label("inserted").set("code", "b").says("gamma"),
            mood: org.draft(&PRESENCE).set("mood", "calm"),
            shelf,
            org,
        };
        let drafts = [&scene.shelf, &scene.changed, &scene.deleted, &scene.mood];
        scene.org.write(drafts.map(|draft| draft.clone().insert())).await;
        let jobs = ["moved", "cancelled"].map(|key| scene.org.enqueue(key, never()));
        scene.org.commit(Batch { counters: vec![scene.org.counter("series")], ..scene.org.jobs(jobs) }).await;
        scene
    }

    fn batch(&self) -> Batch {
        let org = &self.org;
        let mut batch = org.drawing(&["series", "other"]);
        let number = Counter::placeholder(batch.id, 0, 1);
        batch.writes = vec![
            self.changed.clone().label("otherwise").set("code", "c").says("delta").update(1),
            org.delete(&ITEM, self.deleted.id(), 1),
            self.inserted.clone().body(format!(r#"{{"number":"{number}"}}"#)).insert(),
            org.draft(&READING).set("item", self.inserted.id()).insert(),
            self.mood.clone().set("mood", "wild").overwrite(),
        ];
        batch.requires = vec![org.require(&SHELF, self.shelf.id(), Expect::Version(1))];
        batch.events = vec![org.event("failed", self.changed.id())];
        let scope = org.scope;
        batch.jobs = vec![
            org.enqueue("enqueued", never()),
            JobOp::Move { scope, key: "moved".into(), due: never() + chrono::Duration::days(1) },
            JobOp::Cancel { scope, key: "cancelled".into() },
        ];
        batch
    }

    /// Fails the batch by one more part and looks whether anything of the others is left.
    async fn spoil(&self, add: impl FnOnce(&Org, &mut Batch)) -> StorageError {
        let org = &self.org;
        let mut log = org.log().await;
        let mut batch = self.batch();
        add(org, &mut batch);
        let id = batch.id;
        let error = org.store.commit(batch.clone()).await.expect_err("the batch fails");

        assert_eq!(org.matching(Filter::all()).await, ["changed", "deleted"]);
        assert_eq!(org.matching(Filter::equals("code", "a")).await, ["changed"]);
        assert_eq!(org.matching(Filter::equals("code", "b")).await, ["deleted"]);
        assert!(org.matching(Filter::equals("code", "c")).await.is_empty());
        for (word, label) in [("alpha", &["changed"][..]), ("beta", &["deleted"]), ("gamma", &[]), ("delta", &[])] {
            assert_eq!(org.matching(Filter::words(Term::typed(word))).await, label, "{word}");
        }
        assert_eq!(org.version(&ITEM, self.changed.id()).await, Some(1));
        assert_eq!(org.version(&ITEM, self.deleted.id()).await, Some(1));
        assert!(org.get(&ITEM, self.inserted.id()).await.is_none());
        assert_eq!(org.value(&PRESENCE, self.mood.id(), "mood").await, Value::text("calm"));
        assert!(org.page(crate::storage::Query::new(&READING, org.scope)).await.records.is_empty());
        assert!(org.job_state("enqueued").await.is_none());
        assert_eq!(org.job_state("moved").await.expect("the job is there").due, never());
        assert!(org.job_state("cancelled").await.is_some());
        assert_eq!(org.store.outcome(id).await.expect("the store answers"), None);
        // Whatever a failed batch had logged would stand before what comes now.
        let sentinel = Batch { events: vec![org.event("sentinel", fresh())], ..org.drawing(&["series", "other"]) };
        assert_eq!(org.commit(sentinel).await.counters, [2, 1], "no number is lost");
        assert_eq!(actions(&log.until("sentinel").await), ["sentinel"]);
        error
    }
}

pub async fn the_batch_of_these_behaviours_succeeds_by_itself(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let mut log = scene.org.log().await;
    let committed = scene.org.commit(scene.batch()).await;
    assert_eq!(committed.counters, [2, 1]);
    assert_eq!(scene.org.matching(Filter::all()).await, ["otherwise", "inserted"]);
    assert!(scene.org.job_state("enqueued").await.is_some());
    assert!(scene.org.job_state("cancelled").await.is_none());
    assert_eq!(actions(&log.until("failed").await), ["failed"]);
}

pub async fn a_wrong_version_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|_, batch| batch.writes.push(scene.shelf.clone().update(2))).await;
    assert!(matches!(error, StorageError::Conflict { current: Some(1), .. }), "{error:?}");
}

pub async fn an_update_of_nothing_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|org, batch| batch.writes.push(org.shelf().update(1))).await;
    assert!(matches!(error, StorageError::Conflict { current: None, .. }), "{error:?}");
}

pub async fn an_insert_over_another_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|_, batch| batch.writes.push(scene.shelf.clone().insert())).await;
    assert!(matches!(error, StorageError::Conflict { current: Some(1), .. }), "{error:?}");
}

pub async fn a_failed_delete_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|org, batch| batch.writes.push(org.delete(&SHELF, fresh(), 1))).await;
    assert!(matches!(error, StorageError::Conflict { current: None, .. }), "{error:?}");
}

pub async fn a_failed_requirement_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let id = scene.shelf.id();
    let error = scene.spoil(|org, batch| batch.requires.push(org.require(&SHELF, id, Expect::Absent))).await;
    assert!(matches!(error, StorageError::Conflict { current: Some(1), .. }), "{error:?}");
}

pub async fn a_taken_value_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|org, batch| batch.writes.push(org.shelf().set("place", 1).insert())).await;
    assert!(matches!(error, StorageError::Duplicate { field: "place", .. }), "{error:?}");
}

pub async fn a_missing_reference_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|org, batch| batch.writes.push(org.shelf().set("above", fresh()).insert())).await;
    assert!(matches!(error, StorageError::MissingReference { field: "above", .. }), "{error:?}");
}

pub async fn a_delete_of_what_is_referred_to_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let id = scene.shelf.id();
    let error = scene
        .spoil(|org, batch| {
            batch.requires.clear();
            batch.writes.push(org.delete(&SHELF, id, 1));
        })
        .await;
    // What the batch changes refers to it as well.
    let refused = matches!(error, StorageError::Referenced { .. } | StorageError::MissingReference { .. });
    assert!(refused, "{error:?}");
}

pub async fn a_lost_lease_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let lease = Lease { scope: scene.org.scope, job: fresh(), token: fresh() };
    let error = scene.spoil(|_, batch| batch.jobs.push(JobOp::Complete(lease))).await;
    assert!(matches!(error, StorageError::LeaseLost { job } if job == lease.job), "{error:?}");
}

pub async fn an_event_that_is_there_already_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let event = scene.org.event("first", fresh());
    let mut log = scene.org.log().await;
    scene.org.commit(Batch { events: vec![event.clone()], ..scene.org.batch() }).await;
    log.until("first").await;
    let error = scene.spoil(|_, batch| batch.events.push(event)).await;
    assert!(matches!(error, StorageError::Conflict { kind: "event", current: Some(1), .. }), "{error:?}");
}

pub async fn an_invalid_part_leaves_nothing(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let error = scene.spoil(|org, batch| batch.writes.push(org.draft(&STRANGER).insert())).await;
    assert!(matches!(error, StorageError::Invalid(_)), "{error:?}");
}

pub async fn a_failed_batch_can_be_mended_and_committed(store: &Arc<dyn Storage>) {
    let scene = Scene::new(store).await;
    let spoiled = Batch { writes: vec![scene.shelf.clone().update(2)], ..scene.batch() };
    refused!(store.commit(spoiled.clone()).await, StorageError::Conflict { .. });
    let mended = Batch { id: spoiled.id, ..scene.batch() };
    scene.org.commit(mended).await;
    assert_eq!(scene.org.matching(Filter::all()).await, ["otherwise", "inserted"]);
}
