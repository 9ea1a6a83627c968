//! Two servers that work off the jobs of one database: the effect of each in the store happens once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::Duration as Span;
use helpdesk_core::storage::{
    Claim, Claimed, Committed, JOB, JobOp, Query, Storage as _, StorageError, TotalMode,
};
use helpdesk_storage_postgres::PostgresStorage;
use tokio::task::JoinSet;

use crate::fixture::{CASE, Desk, ask, at, commit, fresh, within};

const JOBS: usize = 300;
const LEASE: i64 = 60;

/// What all workers share.
#[derive(Debug, Default)]
struct Floor {
    /// The present, in seconds.
    clock: AtomicI64,
    /// Which claims there were, of which job and the how manieth.
    claims: Mutex<HashSet<(String, u32)>>,
    /// How often each job was answered as done.
    done: Mutex<HashMap<String, usize>>,
    lost: AtomicUsize,
    left: AtomicUsize,
}

impl Floor {
    async fn claim(&self, store: &PostgresStorage, limit: usize) -> Vec<Claimed> {
        let now = at(self.clock.load(Ordering::Relaxed));
        let claim = Claim { now, lease: Span::seconds(LEASE), token: fresh(), limit };
        let claimed = within("a claim", store.claim(claim)).await.expect("the store answers");
        let mut claims = self.claims.lock().expect("no worker panicked");
        for job in &claimed {
            assert!(claims.insert((job.key.clone(), job.attempt)), "{} was handed out twice", job.key);
        }
        claimed
    }

    /// The work was done, or somebody else has the job by now.
    fn note(&self, job: &Claimed, answer: Result<Committed, StorageError>) {
        match answer {
            Ok(_) => {
                *self.done.lock().expect("no worker panicked").entry(job.key.clone()).or_default() += 1;
            }
            Err(StorageError::LeaseLost { job: lost }) => {
                assert_eq!(lost, job.lease.job);
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(other) => panic!("{}: {other:?}", job.key),
        }
    }
}

/// Does the work of a job: its effect is a case that names it.
async fn work(store: &PostgresStorage, desk: &Desk, job: &Claimed) -> Result<Committed, StorageError> {
    let mut batch = desk.writes([desk.insert(&CASE, fresh(), &[("state", job.key.as_str().into())])]);
    batch.events.push(desk.event(&job.key));
    batch.jobs.push(JobOp::Complete(job.lease));
    store.commit(batch).await
}

/// Works until nothing is left. Some jobs it leaves, some it gives up half-way, some it does only once its lease has
/// lapsed.
async fn worker(store: Arc<PostgresStorage>, desk: Desk, floor: Arc<Floor>) {
    let (mut late, mut count) = (Vec::new(), 0_usize);
    loop {
        let claimed = floor.claim(&store, 4).await;
        if claimed.is_empty() {
            let left = Query::new(&JOB, desk.scope).limit(0).total(TotalMode::Exact);
            let left = store.find(&left).await.expect("the store answers").total.expect("a total").count;
            if left == 0 && late.is_empty() {
                return;
            }
            // Those that were left are leased to nobody, for a while.
            floor.clock.fetch_add(LEASE / 4, Ordering::Relaxed);
            for job in std::mem::take(&mut late) {
                floor.note(&job, within("the work", work(&store, &desk, &job)).await);
            }
        }
        for job in claimed {
            count += 1;
            match count % 7 {
                3 => {
                    floor.left.fetch_add(1, Ordering::Relaxed);
                }
                4 => late.push(job),
                // As a server that ends: nobody hears the answer, if there is one.
                5 => {
                    let working = tokio::spawn({
                        let (store, desk) = (Arc::clone(&store), desk.clone());
                        async move { work(&store, &desk, &job).await.map(drop) }
                    });
                    for _ in 0..count % 40 {
                        tokio::task::yield_now().await;
                    }
                    working.abort();
                }
                _ => floor.note(&job, within("the work", work(&store, &desk, &job)).await),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_jobs_effect_happens_once_with_two_servers() {
    let desk = Desk::new("jobs_once").await;
    let nodes = [desk.open().await, desk.open().await];
    for hundred in 0..JOBS / 100 {
        let mut batch = desk.batch();
        batch.jobs = (0..100).map(|job| desk.enqueue(&format!("{hundred}.{job}"))).collect();
        commit(&nodes[0], batch).await;
    }
    let floor = Arc::new(Floor::default());
    let mut workers = JoinSet::new();
    for place in 0..8 {
        workers.spawn(worker(Arc::clone(&nodes[place % 2]), desk.clone(), Arc::clone(&floor)));
    }
    within("the work", workers.join_all()).await;

    let mut session = desk.session().await;
    let effects = "SELECT count(*) = count(DISTINCT state) AND count(*) FROM helpdesk.\"case\"";
    let effects = effects.replace("AND count(*)", &format!("AND count(*) = {JOBS}"));
    assert!(ask::<bool>(&mut session, &effects).await, "each effect once");
    assert_eq!(ask::<i64>(&mut session, "SELECT count(*) FROM helpdesk.event").await, JOBS as i64);
    assert_eq!(ask::<i64>(&mut session, "SELECT count(*) FROM helpdesk.job").await, 0);
    assert!(floor.done.lock().expect("no worker panicked").values().all(|times| *times == 1));
    assert!(floor.left.load(Ordering::Relaxed) > 0 && floor.lost.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_server_that_ends_is_done_by_another() {
    let desk = Desk::new("jobs_ended").await;
    let (first, second) = (desk.open().await, desk.open().await);
    commit(&first, desk.writes([])).await;
    let mut batch = desk.batch();
    batch.jobs = (0..20).map(|job| desk.enqueue(&job.to_string())).collect();
    commit(&first, batch).await;
    let floor = Floor::default();
    let theirs = floor.claim(&first, 20).await;
    assert_eq!(theirs.len(), 20);
    floor.note(&theirs[0], work(&first, &desk, &theirs[0]).await);
    drop(first);
    // Not before the lease has lapsed, and then all that were not done.
    assert!(floor.claim(&second, 20).await.is_empty());
    floor.clock.store(LEASE, Ordering::Relaxed);
    let ours = floor.claim(&second, 20).await;
    assert_eq!(ours.len(), 19);
    assert!(ours.iter().all(|job| job.attempt == 2));
    // The server was only cut off, and comes back.
    let back = desk.open().await;
    floor.note(&theirs[1], work(&back, &desk, &theirs[1]).await);
    assert_eq!(floor.lost.load(Ordering::Relaxed), 1);
    for job in &ours {
        floor.note(job, work(&second, &desk, job).await);
    }
    let mut session = desk.session().await;
    assert_eq!(ask::<i64>(&mut session, "SELECT count(*) FROM helpdesk.\"case\"").await, 20);
    assert_eq!(ask::<i64>(&mut session, "SELECT count(*) FROM helpdesk.job").await, 0);
}
