//! Answers that are lost on the way: what the server did is found out, and never done twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::Duration as Span;
use helpdesk_core::storage::{Batch, Claim, Counter, Storage as _, StorageError};
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};

use crate::fixture::{CASE, Desk, ask, at, commit, follow, fresh, schema, within};
use crate::proxy::Proxy;

/// A store at the end of a wire.
async fn store(proxy: &Proxy) -> Arc<PostgresStorage> {
    let settings = PostgresSettings::parse(&proxy.url).expect("an address");
    let settings = settings.connections(8).acquire_timeout(Duration::from_secs(2));
    Arc::new(PostgresStorage::open(&settings, schema()).await.expect("the store opens"))
}

/// A batch with a word that the wire can be cut at.
fn batch(desk: &Desk, word: &str) -> Batch {
    let mut batch = desk.writes([desk.insert(&CASE, fresh(), &[("state", word.into())])]);
    batch.events.push(desk.event(word));
    batch.jobs.push(desk.enqueue(word));
    batch
}

/// How many cases, events and jobs there are.
async fn counts(desk: &Desk) -> [i64; 3] {
    let mut session = desk.session().await;
    let mut counts = [0; 3];
    for (place, kind) in ["case", "event", "job"].into_iter().enumerate() {
        counts[place] = ask(&mut session, &format!("SELECT count(*) FROM helpdesk.\"{kind}\"")).await;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_answered_all_the_same() {
    let desk = Desk::new("answers_commit").await;
    let proxy = Proxy::to(&desk.url).await;
    let store = store(&proxy).await;
    for (word, times) in [("unheard once", 1), ("unheard again and again", 9)] {
        proxy.cut(word, times);
        let batch = batch(&desk, word);
        let committed = commit(&store, batch.clone()).await;
        assert!(proxy.leave() < times, "an answer was lost");
        assert_eq!(committed.written[0].version, 1);
        assert_eq!(store.outcome(batch.id).await.expect("the store answers"), Some(committed.clone()));
        assert_eq!(commit(&store, batch).await, committed);
    }
    assert_eq!(counts(&desk).await, [2, 2, 2]);
    assert_eq!(follow(&store, 2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_end_is_not_heard_is_not_made_twice() {
    let desk = Desk::new("answers_end").await;
    let proxy = Proxy::to(&desk.url).await;
    let store = store(&proxy).await;
    let counter = Counter { scope: desk.scope, series: "drawn".to_owned() };
    for (number, word) in ["COMMIT", "drawn 1"].into_iter().enumerate() {
        // Once the end itself, and once what comes before it, which is then undone.
        proxy.cut(word, 1);
        let batch = Batch { counters: vec![counter.clone()], ..batch(&desk, &format!("drawn {number}")) };
        let committed = commit(&store, batch).await;
        assert_eq!(proxy.leave(), 0, "an answer was lost");
        assert_eq!(committed.counters, [i64::try_from(number).expect("a number") + 1]);
    }
    assert_eq!(counts(&desk).await, [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_asked_the_outcome_is_unknown() {
    let desk = Desk::new("answers_unknown").await;
    let proxy = Proxy::to(&desk.url).await;
    let store = store(&proxy).await;
    proxy.cut_for_good("unheard");
    let batch = batch(&desk, "unheard");
    let unknown = within("an answer", store.commit(batch.clone())).await;
    assert!(
        matches!(&unknown, Err(StorageError::Unknown { batch: of, .. }) if *of == batch.id),
        "{unknown:?}"
    );
    let outcome = store.outcome(batch.id).await;
    assert!(matches!(outcome, Err(StorageError::Unavailable { .. })), "{outcome:?}");
    proxy.mend();
    let outcome = store.outcome(batch.id).await.expect("the store answers").expect("it was made");
    assert_eq!(outcome, commit(&store, batch).await);
    assert_eq!(counts(&desk).await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_believed_where_an_earlier_attempt_may_be_why() {
    let desk = Desk::new("answers_refusal").await;
    let proxy = Proxy::to(&desk.url).await;
    let store = store(&proxy).await;
    // The commit once, and whatever asks what became of it.
    proxy.cut("unheard", 1);
    proxy.cut("SELECT numbers, versions, counters FROM", 100);
    let batch = batch(&desk, "unheard");
    let unknown = within("an answer", store.commit(batch.clone())).await;
    assert!(
        matches!(&unknown, Err(StorageError::Unknown { batch: of, .. }) if *of == batch.id),
        "{unknown:?}"
    );
    proxy.leave();
    let outcome = store.outcome(batch.id).await.expect("the store answers");
    assert_eq!(outcome, Some(commit(&store, batch).await));
    assert_eq!(counts(&desk).await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_whose_claim_is_not_heard_come_again_once_the_lease_has_lapsed() {
    let desk = Desk::new("answers_claim").await;
    let proxy = Proxy::to(&desk.url).await;
    let store = store(&proxy).await;
    commit(&store, batch(&desk, "a job")).await;
    let claim = |second| Claim { now: at(second), lease: Span::seconds(60), token: fresh(), limit: 5 };
    let unheard = claim(0);
    proxy.cut(unheard.token.as_bytes(), 1);
    let answer = within("an answer", store.claim(unheard)).await;
    assert!(matches!(answer, Err(StorageError::Unavailable { .. })), "{answer:?}");
    assert_eq!(proxy.leave(), 0, "an answer was lost");
    assert!(store.claim(claim(59)).await.expect("the store answers").is_empty());
    let claimed = store.claim(claim(60)).await.expect("the store answers");
    assert_eq!(claimed.iter().map(|job| job.attempt).collect::<Vec<_>>(), [2]);
}
