//! The event log: in the order of the commits, with nothing skipped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::timeout;
use uuid::Uuid;

use super::fixture::{Org, PATIENCE, actions, at, fresh, refused, same_body};
use super::kinds::{ITEM, SHELF};
use super::races::{settled, together};
use crate::events::EVENT;
use crate::storage::{
    Batch, Body, Filter, Logged, Position, Query, Storage, StorageError, Value,
};

pub async fn an_event_is_logged_as_it_was_written(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (subject, actor) = (fresh(), fresh());
    let mut log = org.log().await;
    let before = log.position();
    let event = org
        .draft(&EVENT)
        .set("action", "item.opened")
        .set("subject_kind", "item")
        .set("subject", subject)
        .set("actor", actor)
        .body(r#"{"changes":[{"field":"state","to":"open"}]}"#);
    let put = event.clone().put(crate::storage::Expect::Absent);
    org.commit(Batch { at: at(7), events: vec![put.clone()], ..org.batch() }).await;
    let logged = log.until("item.opened").await;
    assert_eq!(logged.len(), 1);
    let record = &logged[0].record;
    assert!(logged[0].position > before);
    assert_eq!((record.id, record.scope, record.version), (event.id(), org.scope, 1));
    assert_eq!((record.created_at, record.updated_at), (at(7), at(7)));
    assert_eq!(record.fields, put.fields);
    assert!(same_body(&record.body, &put.body));
}

pub async fn events_are_found_as_records_at_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (fresh(), fresh());
    let events = |actions: &[&str], subject| Batch {
        events: actions.iter().map(|action| org.event(action, subject)).collect(),
        ..org.batch()
    };
    org.commit(events(&["one", "two"], a)).await;
    org.commit(events(&["three"], b)).await;
    org.commit(events(&["four"], a)).await;
    let history = async |filter: Filter| {
        let query = Query::new(&EVENT, org.scope).filter(filter);
        let place = EVENT.position("action").expect("a declared field");
        let records = org.page(query).await.records;
        records.iter().map(|record| record.fields[place].clone()).collect::<Vec<_>>()
    };
    assert_eq!(history(Filter::equals("subject", a)).await, ["one", "two", "four"].map(Value::text));
    assert_eq!(history(Filter::equals("action", "three")).await, [Value::text("three")]);
    assert_eq!(history(Filter::all()).await.len(), 4);
    let record = &org.page(Query::new(&EVENT, org.scope)).await.records[0];
    assert!(org.get(&EVENT, record.id).await.is_some());
}

pub async fn the_events_of_a_batch_stand_together_in_their_order(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let start = log.position();
    let names: Vec<String> = (0..40).map(|place| format!("{place:02}")).collect();
    for names in names.chunks(8) {
        let events = names.iter().map(|name| org.event(name, fresh())).collect();
        org.commit(Batch { events, ..org.batch() }).await;
    }
    assert_eq!(actions(&log.until("39").await), names);
    let whole = store.events(start, 10_000).await.expect("the log can be read");
    check_runs(&whole, &org, |logged| {
        let place = actions(std::slice::from_ref(logged))[0].parse::<usize>().expect("a number");
        (place / 8, place % 8)
    });
}

/// Checks that the events of each batch of an organisation stand side by side in a stretch of the whole log.
/// `batch` answers which batch an event is of, and which of its events.
fn check_runs<K: PartialEq + std::fmt::Debug>(whole: &[Logged], org: &Org, batch: impl Fn(&Logged) -> (K, usize)) {
    let mut last: Option<(K, usize)> = None;
    for logged in whole {
        if logged.record.scope != org.scope {
            assert!(last.as_ref().is_none_or(|(_, place)| *place == 7), "another event within {last:?}");
            last = None;
            continue;
        }
        let (key, place) = batch(logged);
        match &last {
            Some((run, before)) if *before < 7 => assert_eq!((&key, place), (run, before + 1)),
            _ => assert_eq!(place, 0, "a batch begins with its first event"),
        }
        last = Some((key, place));
    }
}

pub async fn positions_rise_and_stay(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let start = log.position();
    for place in 0..10 {
        org.commit(Batch { events: vec![org.event(&place.to_string(), fresh())], ..org.batch() }).await;
    }
    let events = log.until("9").await;
    assert!(events.is_sorted_by(|a, b| a.position < b.position));
    assert!(store.health().await.expect("the store answers").newest >= log.position());
    let mut again = Vec::new();
    let mut after = start;
    // However it is cut into pieces, the log is the same.
    for limit in (1..4).cycle() {
        let piece = store.events(after, limit).await.expect("the log can be read");
        assert!(piece.len() <= limit);
        let Some(last) = piece.last() else { break };
        after = last.position;
        again.extend(piece.into_iter().filter(|logged| logged.record.scope == org.scope));
        if again.len() == events.len() {
            break;
        }
    }
    let read = |events: &[Logged]| events.iter().map(|l| (l.position, l.record.id)).collect::<Vec<_>>();
    assert_eq!(read(&again), read(&events));
    for logged in &events {
        let rest = store.events(logged.position, 1_000).await.expect("the log can be read");
        assert!(rest.iter().all(|other| other.position > logged.position));
    }
}

pub async fn a_piece_of_no_events_is_empty(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let start = log.position();
    org.commit(Batch { events: vec![org.event("one", fresh())], ..org.batch() }).await;
    log.until("one").await;
    assert!(store.events(start, 0).await.expect("the log can be read").is_empty());
    let end = Position(i64::MAX as u64);
    assert!(store.events(end, 10).await.expect("the log can be read").is_empty());
}

pub async fn a_waiting_reader_is_woken(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let (waiting, after) = (Arc::clone(store), log.position());
    let waiter = tokio::spawn(async move {
        // A wait may end early, and then begins anew.
        while waiting.events(after, 1).await.expect("the log can be read").is_empty() {
            waiting.wait(after).await.expect("the log can be waited for");
        }
    });
    tokio::task::yield_now().await;
    org.commit(Batch { events: vec![org.event("one", fresh())], ..org.batch() }).await;
    timeout(PATIENCE, waiter).await.expect("the reader is woken").expect("the reader does not panic");
    log.until("one").await;
    // Where there is something already, nobody waits.
    timeout(PATIENCE, store.wait(after)).await.expect("no wait").expect("the log can be waited for");
}

pub async fn an_event_is_logged_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let event = org.event("one", fresh());
    let batch = |events| Batch { events, ..org.batch() };
    org.commit(batch(vec![event.clone()])).await;
    let result = store.commit(batch(vec![org.event("two", fresh()), event.clone()])).await;
    refused!(result, StorageError::Conflict { kind: "event", id, current: Some(1) } if id == event.id);
    let twice = org.event("three", fresh());
    refused!(store.commit(batch(vec![twice.clone(), twice])).await, StorageError::Conflict { .. });
    org.commit(batch(vec![org.event("four", fresh())])).await;
    assert_eq!(actions(&log.until("four").await), ["one", "four"]);
    assert_eq!(org.page(Query::new(&EVENT, org.scope)).await.records.len(), 2);
}

pub async fn events_follow_the_versions_of_their_record(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let item = org.item();
    org.insert(item.clone()).await;
    let change = |_| {
        let (org, item) = (org.clone(), item.clone());
        async move {
            for _ in 0..10 {
                loop {
                    let version = org.version(&ITEM, item.id()).await.expect("the record is there");
                    let mut event = org.event("changed", item.id());
                    event.body.json = format!(r#"{{"at":{}}}"#, version + 1).into();
                    let batch = Batch { events: vec![event], ..org.writes([item.clone().update(version)]) };
                    match org.store.commit(batch).await {
                        Ok(_) => break,
                        Err(error) => assert!(error.is_retryable(), "{error:?}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    together((0..6).map(change)).await;
    org.commit(Batch { events: vec![org.event("end", fresh())], ..org.batch() }).await;
    let mut events = log.until("end").await;
    events.pop();
    let versions: Vec<_> = events.iter().map(noted).collect();
    assert_eq!(versions, (2..=61).collect::<Vec<_>>());
}

/// The number that an event's body holds.
fn noted(logged: &Logged) -> usize {
    let body: serde_json::Value = serde_json::from_str(&logged.record.body.json).expect("a body of JSON");
    usize::try_from(body["at"].as_u64().expect("a number")).expect("a small one")
}

/// What a committer noted of one of its batches.
struct Sent {
    batch: Uuid,
    sent: u64,
    answered: u64,
}

pub async fn a_reader_alongside_the_committers_misses_nothing(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let clock = Arc::new(AtomicU64::new(0));
    let start = store.health().await.expect("the store answers").newest;
    let reader = tokio::spawn(read_alongside(org.clone(), start));
    let commit = |_| {
        let (org, clock) = (org.clone(), Arc::clone(&clock));
        async move {
            let mut commits = Vec::new();
            for _ in 0..15 {
                let shelf = org.shelf();
                let batch = org.writes([shelf.clone().insert()]);
                let mut events: Vec<_> = (0..8).map(|_| org.event("committed", shelf.id())).collect();
                for (place, event) in events.iter_mut().enumerate() {
                    event.body.json = format!(r#"{{"at":{place}}}"#).into();
                }
                let batch = Batch { events, ..batch };
                let sent = clock.fetch_add(1, Ordering::SeqCst);
                settled(|| org.store.commit(batch.clone())).await.expect("the batch is committed");
                let answered = clock.fetch_add(1, Ordering::SeqCst);
                commits.push(Sent { batch: shelf.id(), sent, answered });
            }
            commits
        }
    };
    let commits: Vec<Sent> = together((0..6).map(commit)).await.into_iter().flatten().collect();
    org.commit(Batch { events: vec![org.event("end", fresh())], ..org.batch() }).await;
    let seen = timeout(PATIENCE, reader).await.expect("the reader comes to the end").expect("no panic");

    let whole = store.events(start, 100_000).await.expect("the log can be read");
    let own = |events: &[Logged]| -> Vec<(Position, Uuid)> {
        let own = events.iter().filter(|logged| logged.record.scope == org.scope);
        own.map(|logged| (logged.position, logged.record.id)).collect()
    };
    assert_eq!(own(&seen), own(&whole), "nothing appeared before what was read already");
    let events: Vec<Logged> = whole.iter().filter(|l| l.record.scope == org.scope).cloned().collect();
    assert_eq!(events.len(), commits.len() * 8 + 1);
    let end = events.len() - 1;
    let subject = |logged: &Logged| logged.record.fields[1].as_uuid().expect("a subject");
    let inside: Vec<Logged> = whole.into_iter().filter(|l| l.record.id != events[end].record.id).collect();
    check_runs(&inside, &org, |logged| (subject(logged), noted(logged)));
    let places: BTreeMap<Uuid, Position> = events.iter().rev().map(|l| (subject(l), l.position)).collect();
    for earlier in &commits {
        for later in &commits {
            assert!(
                earlier.answered > later.sent || places[&earlier.batch] < places[&later.batch],
                "a commit that was answered before another was sent comes first"
            );
        }
    }
}

/// Reads the log as it grows, up to the event `end`, and looks whether what it tells of is there.
async fn read_alongside(org: Org, start: Position) -> Vec<Logged> {
    let (mut seen, mut after): (Vec<Logged>, _) = (Vec::new(), start);
    loop {
        let piece = org.store.events(after, 7).await.expect("the log can be read");
        if piece.is_empty() {
            org.store.wait(after).await.expect("the log can be waited for");
        }
        for logged in piece {
            after = logged.position;
            let own = logged.record.scope == org.scope;
            let action = actions(std::slice::from_ref(&logged))[0].to_owned();
            let subject = logged.record.fields[1].as_uuid();
            seen.push(logged);
            match &*action {
                "end" if own => return seen,
                "committed" if own => {
                    let shelf = subject.expect("a subject");
                    assert!(org.get(&SHELF, shelf).await.is_some(), "no event is told before its commit");
                }
                _ => {}
            }
        }
    }
}

pub async fn bodies_of_events_are_kept(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut log = org.log().await;
    let text = serde_json::json!({ "text": "\" \\ 東京 👩‍👩‍👧‍👦 '; --", "list": [1, null, { "a": 0.5 }] }).to_string();
    let mut event = org.event("one", fresh());
    event.body = Body { version: 3, json: text.into() };
    org.commit(Batch { events: vec![event.clone()], ..org.batch() }).await;
    assert!(same_body(&log.until("one").await[0].record.body, &event.body));
}
