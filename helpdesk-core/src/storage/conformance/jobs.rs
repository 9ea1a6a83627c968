//! Jobs: handed out when they are due, each to one worker, known by their keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::{Barrier, Mutex, MutexGuard};

use super::fixture::{Org, at, fresh, instant, never, same_body};
use super::races::{settled, together};
use crate::storage::{
    Batch, Body, Claim, Claimed, Filter, JOB, JobOp, NewJob, Phase, Query, Storage, TotalMode, Value,
};

/// The only claimer of the suite, for as long as it lives.
///
/// A claim takes jobs of every scope, so behaviours that share a database would take each other's. Those that
/// claim therefore take turns, and begin with nothing that is due; the others have their jobs due
/// [`never`](super::fixture::never).
#[derive(Debug)]
pub(super) struct Workers {
    org: Org,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for its turn to claim.
pub(super) async fn claims(org: &Org) -> Workers {
    let workers = Workers { org: org.clone(), _turn: TURN.lock().await };
    // What others left behind is leased to nobody, for centuries.
    let (now, lease) = (never() - Duration::days(1), Duration::days(146_097));
    loop {
        let left = Claim { now, lease, token: fresh(), limit: 1_000 };
        if org.store.claim(left).await.expect("the store answers").is_empty() {
            return workers;
        }
    }
}

impl Workers {
    /// Claims for a minute.
    pub(super) async fn claim(&self, second: i64, limit: usize) -> Vec<Claimed> {
        self.claim_at(at(second), limit).await
    }

    pub(super) async fn claim_at(&self, now: DateTime<Utc>, limit: usize) -> Vec<Claimed> {
        let claim = Claim { now, lease: Duration::seconds(60), token: fresh(), limit };
        let claimed = self.org.store.claim(claim).await.expect("the store answers");
        assert!(claimed.len() <= limit);
        assert!(claimed.iter().all(|job| job.lease.token == claim.token));
        claimed
    }

    /// The keys of what is handed out.
    pub(super) async fn keys(&self, second: i64, limit: usize) -> Vec<String> {
        self.claim(second, limit).await.into_iter().map(|job| job.key).collect()
    }

    /// Claims the only job that is due.
    pub(super) async fn one(&self, second: i64) -> Claimed {
        let mut claimed = self.claim(second, 10).await;
        assert_eq!(claimed.len(), 1, "one job is due: {claimed:?}");
        claimed.remove(0)
    }
}

pub async fn a_job_is_handed_out_when_it_is_due(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let job = NewJob { payload: r#"{"to":"東京"}"#.into(), ..org.job("mail-1", at(10)) };
    org.commit(org.jobs([JobOp::Enqueue(job.clone())])).await;
    assert!(workers.claim(9, 10).await.is_empty());
    let just_before = at(10) - Duration::microseconds(1);
    assert!(workers.claim_at(just_before, 10).await.is_empty());
    assert!(workers.claim(10, 0).await.is_empty());
    let claimed = workers.one(10).await;
    assert_eq!((claimed.lease.scope, claimed.lease.job), (org.scope, job.id));
    assert_eq!((claimed.key, claimed.name), (job.key, job.name));
    assert_eq!((claimed.due, claimed.attempt), (at(10), 1));
    let body = |json: &str| Body { version: 1, json: json.into() };
    assert!(same_body(&body(&claimed.payload), &body(&job.payload)), "{}", claimed.payload);
    assert!(workers.claim(10, 10).await.is_empty(), "nobody else has it");
}

pub async fn the_longest_due_comes_first(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let other = Org::new(store);
    let jobs = [("c", 30), ("a", 10), ("e", 50), ("d", 40)].map(|(key, due)| org.enqueue(key, at(due)));
    org.commit(org.jobs(jobs)).await;
    org.commit(org.jobs([other.enqueue("b", at(20))])).await;
    assert_eq!(workers.keys(45, 3).await, ["a", "b", "c"]);
    assert_eq!(workers.keys(45, 3).await, ["d"]);
    assert_eq!(workers.keys(50, 3).await, ["e"]);
}

pub async fn due_times_are_kept_to_the_microsecond(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let due = instant("2025-01-15T10:00:00.123456789Z");
    org.commit(org.jobs([org.enqueue("a", due)])).await;
    let cut = instant("2025-01-15T10:00:00.123456Z");
    assert!(workers.claim_at(cut - Duration::microseconds(1), 10).await.is_empty());
    let claimed = workers.claim_at(cut, 10).await;
    assert_eq!(claimed.iter().map(|job| job.due).collect::<Vec<_>>(), [cut]);
}

pub async fn no_job_is_handed_to_two_workers(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = Arc::new(claims(&org).await);
    let keys: BTreeSet<String> = (0..400).map(|place| format!("job-{place}")).collect();
    org.commit(org.jobs(keys.iter().map(|key| org.enqueue(key, at(0))))).await;
    let barrier = Arc::new(Barrier::new(8));
    let work = |place| {
        let (workers, barrier) = (Arc::clone(&workers), Arc::clone(&barrier));
        async move {
            let mut had = Vec::new();
            barrier.wait().await;
            loop {
                let keys = workers.keys(place, 7).await;
                if keys.is_empty() {
                    return had;
                }
                had.extend(keys);
                tokio::task::yield_now().await;
            }
        }
    };
    let mut had = together((1..=8).map(work)).await.concat();
    // A claim may pass over jobs that another has just taken hold of, so some may be left.
    had.extend(workers.keys(9, 400).await);
    assert_eq!(had.len(), 400);
    assert_eq!(had.into_iter().collect::<BTreeSet<_>>(), keys);
}

pub async fn claims_and_commits_do_not_undo_each_other(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = Arc::new(claims(&org).await);
    let barrier = Arc::new(Barrier::new(8));
    // Half of the tasks enqueue, the other half claim what there is and complete it.
    let work = |place: usize| {
        let (org, workers, barrier) = (org.clone(), Arc::clone(&workers), Arc::clone(&barrier));
        async move {
            barrier.wait().await;
            let mut done = 0;
            for round in 0..20 {
                if place.is_multiple_of(2) {
                    let jobs = (0..5).map(|job| org.enqueue(&format!("{place}-{round}-{job}"), at(0)));
                    let batch = org.jobs(jobs);
                    settled(|| org.store.commit(batch.clone())).await.expect("the jobs are enqueued");
                } else {
                    let leases: Vec<_> = workers.claim(1, 6).await.into_iter().map(|job| job.lease).collect();
                    done += leases.len();
                    let batch = org.jobs(leases.into_iter().map(JobOp::Complete));
                    settled(|| org.store.commit(batch.clone())).await.expect("the jobs are done");
                }
                tokio::task::yield_now().await;
            }
            done
        }
    };
    let done: usize = together((0..8).map(work)).await.into_iter().sum();
    let left = workers.claim(2, 1_000).await.len();
    assert_eq!(done + left, 400);
    let records = org.page(Query::new(&JOB, org.scope).limit(0).total(TotalMode::Exact)).await;
    assert_eq!(records.total.map(|total| total.count), Some(left as u64));
}

pub async fn work_enqueued_twice_is_done_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let first = org.job("key", at(10));
    org.commit(org.jobs([JobOp::Enqueue(first.clone())])).await;
    let second = NewJob { name: "other".into(), payload: "{}".into(), ..org.job("key", at(5)) };
    org.commit(org.jobs([JobOp::Enqueue(second)])).await;
    org.commit(org.jobs([org.enqueue("key", at(20)), org.enqueue("key", at(1))])).await;
    assert!(workers.claim(9, 10).await.is_empty(), "the first time counts");
    let claimed = workers.one(30).await;
    assert_eq!((claimed.lease.job, claimed.name, claimed.due), (first.id, first.name, at(10)));
}

pub async fn keys_that_differ_are_different_jobs(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let other = Org::new(store);
    org.commit(org.jobs(["a", "A", "a ", "á"].map(|key| org.enqueue(key, at(1))))).await;
    other.commit(other.jobs([other.enqueue("a", at(1))])).await;
    assert_eq!(workers.claim(1, 10).await.len(), 5);
}

pub async fn a_waiting_job_can_be_moved(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let moved = |key: &str, due| JobOp::Move { scope: org.scope, key: key.to_owned(), due: at(due) };
    org.commit(org.jobs([org.enqueue("later", at(10)), org.enqueue("sooner", at(100))])).await;
    org.commit(org.jobs([moved("later", 50), moved("sooner", 5), moved("nobody", 1)])).await;
    assert_eq!(workers.keys(10, 10).await, ["sooner"]);
    assert!(workers.claim(49, 10).await.is_empty());
    let claimed = workers.one(50).await;
    assert_eq!((claimed.key.as_str(), claimed.due), ("later", at(50)));
}

pub async fn a_waiting_job_can_be_cancelled(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let cancel = |key: &str| JobOp::Cancel { scope: org.scope, key: key.to_owned() };
    org.commit(org.jobs([org.enqueue("a", at(1)), org.enqueue("b", at(2))])).await;
    org.commit(org.jobs([cancel("a"), cancel("nobody")])).await;
    assert!(org.job_state("a").await.is_none());
    assert_eq!(workers.keys(10, 1).await, ["b"], "what is cancelled does not stand in the way of others");
    // Its key is free again.
    org.commit(org.jobs([org.enqueue("a", at(3))])).await;
    assert_eq!(workers.keys(10, 10).await, ["a"]);
}

pub async fn changes_to_jobs_are_made_one_after_the_other(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let (scope, key) = (org.scope, || "key".to_owned());
    let old = org.job("key", at(1));
    org.commit(org.jobs([JobOp::Enqueue(old)])).await;
    let new = org.job("key", at(20));
    org.commit(org.jobs([
        JobOp::Cancel { scope, key: key() },
        JobOp::Enqueue(new.clone()),
        JobOp::Move { scope, key: key(), due: at(30) },
        org.enqueue("gone", at(1)),
        JobOp::Cancel { scope, key: "gone".to_owned() },
    ]))
    .await;
    assert!(workers.claim(29, 10).await.is_empty());
    assert_eq!(workers.one(30).await.lease.job, new.id);
}

pub async fn jobs_are_found_as_records(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let jobs = [("b", 20), ("a", 10), ("c", 30)];
    let jobs = jobs.map(|(key, due)| org.enqueue(key, never() + Duration::seconds(due)));
    org.commit(Batch { at: at(4), ..org.jobs(jobs) }).await;
    let query = || Query::new(&JOB, org.scope);
    let keys = async |query: Query| {
        let records = org.page(query).await.records;
        records.iter().map(|record| record.fields[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys(query()).await, ["b", "a", "c"].map(Value::text));
    assert_eq!(keys(query().ascending("due")).await, ["a", "b", "c"].map(Value::text));
    assert_eq!(keys(query().descending("key").limit(2)).await, ["c", "b"].map(Value::text));
    let waiting = query().filter(Filter::equals("state", "waiting")).total(TotalMode::Exact);
    assert_eq!(org.page(waiting).await.total.map(|total| total.count), Some(3));
    assert!(keys(query().filter(Filter::equals("state", "failed"))).await.is_empty());
    assert_eq!(keys(query().filter(Filter::equals("name", "conformance.job"))).await.len(), 3);
    let record = &org.page(query().filter(Filter::equals("key", "a"))).await.records[0];
    let due = Value::from(never() + Duration::seconds(10));
    let expected = [Value::text("a"), Value::text("conformance.job"), Value::text("waiting"), due, Value::Int(0)];
    assert_eq!(*record.fields, expected);
    assert_eq!((record.created_at, record.scope), (at(4), org.scope));
    assert!(org.get(&JOB, record.id).await.is_some());
}

pub async fn a_claimed_job_is_seen_to_be_leased(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(5).await;
    let state = org.job_state("a").await.expect("the job is there");
    assert_eq!((state.phase, state.attempts, state.due), (Phase::Leased, 1, at(1)));
    assert_eq!((state.token, state.lease_until), (Some(claimed.lease.token), Some(at(65))));
    let query = Query::new(&JOB, org.scope);
    let leased = org.page(query.filter(Filter::equals("state", "leased"))).await.records;
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].fields[4], Value::Int(1));
}

pub async fn the_jobs_of_one_batch_are_as_many_as_it_may_have(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs((0..1_000).map(|place| org.enqueue(&place.to_string(), at(place))))).await;
    let first = workers.keys(2_000, 600).await;
    assert_eq!(first, (0..600).map(|place| place.to_string()).collect::<Vec<_>>());
    assert_eq!(workers.claim(2_000, 600).await.len(), 400);
    assert!(workers.claim(2_000, 600).await.is_empty());
}
