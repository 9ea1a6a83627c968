//! A worker's right to a job, and how the work ends.

use std::sync::Arc;

use super::fixture::{Org, at, refused};
use super::jobs::claims;
use super::kinds::ITEM;
use super::races::{settled, together};
use crate::storage::{
    Batch, Filter, JOB, JobOp, JobState, Lease, NewJob, Phase, Query, Storage, StorageError,
};

fn retry(lease: Lease, due: i64) -> JobOp {
    JobOp::Retry { lease, due: at(due), error: "no answer".to_owned() }
}

fn fail(lease: Lease) -> JobOp {
    JobOp::Fail { lease, error: "no such address".to_owned() }
}

/// What is left of the jobs of an organisation.
async fn left(org: &Org) -> Vec<JobState> {
    let records = org.page(Query::new(&JOB, org.scope)).await.records;
    records.iter().map(|record| JobState::read(&record.body).expect("the body of a job")).collect()
}

pub async fn work_that_is_done_is_not_kept(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    org.commit(org.jobs([JobOp::Complete(claimed.lease)])).await;
    assert!(left(&org).await.is_empty());
    assert!(workers.claim(10_000, 10).await.is_empty());
    // Its key is free for the next of its sort.
    let next = org.job("a", at(2));
    org.commit(org.jobs([JobOp::Enqueue(next.clone())])).await;
    let claimed = workers.one(2).await;
    assert_eq!((claimed.lease.job, claimed.attempt), (next.id, 1));
}

pub async fn the_effect_of_work_commits_with_its_end(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    let done = |writes: Vec<_>| Batch { writes, ..org.jobs([JobOp::Complete(claimed.lease)]) };
    // An effect that fails leaves the work to be done.
    let failing = done(vec![org.delete(&ITEM, super::fixture::fresh(), 1)]);
    refused!(store.commit(failing).await, StorageError::Conflict { .. });
    assert_eq!(left(&org).await[0].phase, Phase::Leased);
    org.commit(done(vec![org.item().label("effect").insert()])).await;
    assert_eq!(org.matching(Filter::all()).await, ["effect"]);
    // The work was done, and its effect does not happen again.
    let again = done(vec![org.item().label("again").insert()]);
    refused!(store.commit(again).await, StorageError::LeaseLost { job } if job == claimed.lease.job);
    assert_eq!(org.matching(Filter::all()).await, ["effect"]);
}

pub async fn a_lease_that_lapsed_goes_to_the_next(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let first = workers.one(10).await;
    assert!(workers.claim_at(at(70) - chrono::Duration::microseconds(1), 10).await.is_empty());
    let second = workers.one(70).await;
    assert_eq!((second.lease.job, second.attempt, second.due), (first.lease.job, 2, at(1)));
    for op in [JobOp::Complete(first.lease), retry(first.lease, 100), fail(first.lease)] {
        let batch = Batch { writes: vec![org.item().insert()], ..org.jobs([op]) };
        refused!(store.commit(batch).await, StorageError::LeaseLost { job } if job == first.lease.job);
    }
    assert!(org.matching(Filter::all()).await.is_empty(), "a lost lease fails the whole batch");
    org.commit(org.jobs([JobOp::Complete(second.lease)])).await;
    assert!(left(&org).await.is_empty());
}

pub async fn a_lapsed_lease_holds_until_another_has_the_job(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    let late = Batch { at: at(1_000), ..org.jobs([JobOp::Complete(claimed.lease)]) };
    org.commit(late).await;
    assert!(left(&org).await.is_empty());
}

pub async fn only_the_holder_ends_the_work(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    let waiting = org.job("waiting", at(100));
    org.commit(org.jobs([org.enqueue("a", at(1)), JobOp::Enqueue(waiting.clone())])).await;
    let lease = workers.one(1).await.lease;
    let token = super::fixture::fresh();
    let wrong = [
        Lease { token, ..lease },
        Lease { job: super::fixture::fresh(), ..lease },
        Lease { scope: Org::new(store).scope, ..lease },
        Lease { job: waiting.id, ..lease },
    ];
    for lease in wrong {
        for op in [JobOp::Complete(lease), retry(lease, 5), fail(lease)] {
            refused!(store.commit(org.jobs([op])).await, StorageError::LeaseLost { job } if job == lease.job);
        }
    }
    org.commit(org.jobs([JobOp::Complete(lease)])).await;
}

pub async fn work_is_tried_again_when_it_is_told_to(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    for attempt in 1..4 {
        let claimed = workers.one(i64::from(attempt) * 1_000).await;
        assert_eq!(claimed.attempt, attempt);
        let next = (i64::from(attempt) + 1) * 1_000;
        org.commit(org.jobs([retry(claimed.lease, next)])).await;
        let state = org.job_state("a").await.expect("the job is there");
        assert_eq!((state.phase, state.attempts, state.due), (Phase::Waiting, attempt, at(next)));
        assert_eq!((state.error.as_deref(), state.token), (Some("no answer"), None));
        assert!(workers.claim(next - 1, 10).await.is_empty());
        let result = store.commit(org.jobs([JobOp::Complete(claimed.lease)])).await;
        refused!(result, StorageError::LeaseLost { .. });
    }
}

pub async fn work_that_was_given_up_stays_visible(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    org.commit(org.jobs([fail(claimed.lease)])).await;
    assert!(workers.claim(1_000_000, 10).await.is_empty());
    let failed = Query::new(&JOB, org.scope).filter(Filter::equals("state", "failed"));
    let records = org.page(failed).await.records;
    let state = JobState::read(&records[0].body).expect("the body of a job");
    assert_eq!((state.phase, state.error.as_deref()), (Phase::Failed, Some("no such address")));
    assert_eq!((records[0].id, state.attempts), (claimed.lease.job, 1));
    let moved = JobOp::Move { scope: org.scope, key: "a".to_owned(), due: at(5) };
    org.commit(org.jobs([moved])).await;
    assert!(workers.claim(1_000_000, 10).await.is_empty(), "it is not taken up by being moved");
}

pub async fn work_that_was_given_up_is_taken_up_anew(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    org.commit(org.jobs([fail(workers.one(1).await.lease)])).await;
    let again = NewJob { payload: r#"{"again":true}"#.into(), ..org.job("a", at(50)) };
    org.commit(org.jobs([JobOp::Enqueue(again)])).await;
    assert!(workers.claim(49, 10).await.is_empty());
    let claimed = workers.one(50).await;
    assert_eq!((claimed.attempt, claimed.due), (1, at(50)));
    assert!(claimed.payload.contains("again"), "{}", claimed.payload);
    let state = org.job_state("a").await.expect("the job is there");
    assert_eq!((state.phase, state.error), (Phase::Leased, None));
}

pub async fn work_enqueued_while_it_runs_is_done_once_more(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    org.commit(org.jobs([org.enqueue("a", at(40))])).await;
    org.commit(org.jobs([org.enqueue("a", at(30)), org.enqueue("a", at(50))])).await;
    assert!(workers.claim(45, 10).await.is_empty(), "it runs already");
    org.commit(org.jobs([JobOp::Complete(claimed.lease)])).await;
    assert!(workers.claim(29, 10).await.is_empty());
    let again = workers.one(30).await;
    assert_eq!((again.lease.job, again.attempt, again.due), (claimed.lease.job, 1, at(30)));
    org.commit(org.jobs([JobOp::Complete(again.lease)])).await;
    assert!(left(&org).await.is_empty(), "once more, and not for ever");
}

pub async fn work_moved_while_it_runs_is_done_once_more(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    let moved = |due| JobOp::Move { scope: org.scope, key: "a".to_owned(), due: at(due) };
    org.commit(org.jobs([moved(30)])).await;
    org.commit(org.jobs([moved(40)])).await;
    org.commit(org.jobs([JobOp::Complete(claimed.lease)])).await;
    assert!(workers.claim(39, 10).await.is_empty(), "the last move counts");
    workers.one(40).await;
}

pub async fn work_asked_for_anew_is_not_given_up(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    org.commit(org.jobs([org.enqueue("a", at(30)), fail(claimed.lease)])).await;
    let state = org.job_state("a").await.expect("the job is there");
    assert_eq!((state.phase, state.due, state.attempts), (Phase::Waiting, at(30), 0));
}

pub async fn work_that_was_cancelled_cannot_be_completed(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let claimed = workers.one(1).await;
    org.commit(org.jobs([JobOp::Cancel { scope: org.scope, key: "a".to_owned() }])).await;
    let done = Batch { writes: vec![org.item().insert()], ..org.jobs([JobOp::Complete(claimed.lease)]) };
    refused!(store.commit(done).await, StorageError::LeaseLost { .. });
    assert!(org.matching(Filter::all()).await.is_empty());
    // Nor does the old lease hold for another job of the same key.
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let result = store.commit(org.jobs([JobOp::Complete(claimed.lease)])).await;
    refused!(result, StorageError::LeaseLost { .. });
    assert!(workers.claim(2, 10).await.len() == 1);
}

pub async fn work_can_enqueue_its_own_successor(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    let first = workers.one(1).await;
    let next = org.job("a", at(20));
    org.commit(org.jobs([JobOp::Complete(first.lease), JobOp::Enqueue(next.clone())])).await;
    let second = workers.one(20).await;
    assert_eq!(second.lease.job, next.id);
    // In the other order the job runs once more itself.
    org.commit(org.jobs([org.enqueue("a", at(40)), JobOp::Complete(second.lease)])).await;
    let third = workers.one(40).await;
    assert_eq!((third.lease.job, third.attempt), (next.id, 1));
}

pub async fn a_reason_may_be_any_text(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = claims(&org).await;
    org.commit(org.jobs([org.enqueue("a", at(1))])).await;
    for (second, reason) in (1..).zip(["", "\"quoted\" \\ 東京", "ends in \0", "\u{1}\n"]) {
        let claimed = workers.one(second * 100).await;
        let retry = JobOp::Retry { lease: claimed.lease, due: at(second * 100 + 1), error: reason.to_owned() };
        org.commit(org.jobs([retry])).await;
        let state = org.job_state("a").await.expect("the job is there");
        assert_eq!(state.error, Some(reason.replace('\0', "\u{fffd}")));
    }
}

pub async fn an_effect_happens_once_whoever_runs_it(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let workers = Arc::new(claims(&org).await);
    org.commit(org.jobs((0..20).map(|place| org.enqueue(&place.to_string(), at(place))))).await;
    // Each worker claims an hour after the last, so that leases lapse while their holders still work.
    let work = |place: i64| {
        let (org, workers) = (org.clone(), Arc::clone(&workers));
        async move {
            let mut done = 0;
            for claimed in workers.claim(3_600 * place, 20).await {
                tokio::task::yield_now().await;
                let effect = org.item().label(&claimed.key).insert();
                let batch = Batch { writes: vec![effect], ..org.jobs([JobOp::Complete(claimed.lease)]) };
                match settled(|| org.store.commit(batch.clone())).await {
                    Ok(_) => done += 1,
                    Err(StorageError::LeaseLost { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            done
        }
    };
    let done: usize = together((1..=6).map(work)).await.into_iter().sum();
    let rest = work(7).await;
    assert_eq!(done + rest, 20);
    let mut effects = org.matching(Filter::all()).await;
    effects.sort_by_key(|label| label.parse::<usize>().expect("a number"));
    assert_eq!(effects, (0..20).map(|place| place.to_string()).collect::<Vec<_>>());
    assert!(left(&org).await.is_empty());
}
