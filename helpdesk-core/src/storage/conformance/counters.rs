//! Numbers drawn from series, and put in the place of their marks.

use std::sync::Arc;

use super::fixture::{Draft, Org, fresh, never, refused, same_body};
use super::kinds::{ITEM, SHELF};
use crate::events::EVENT;
use crate::storage::{Batch, Body, Counter, Filter, JobOp, Query, Storage, StorageError, Value};

pub async fn a_series_begins_at_one_and_rises_by_one(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for expected in 1..=3 {
        assert_eq!(org.commit(org.drawing(&["tickets"])).await.counters, [expected]);
    }
}

pub async fn each_series_counts_for_itself(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    assert_eq!(org.commit(org.drawing(&["a", "b", "a", "a"])).await.counters, [1, 1, 2, 3]);
    assert_eq!(org.commit(org.drawing(&["b", "A", "a", ""])).await.counters, [2, 1, 4, 1]);
}

pub async fn each_scope_counts_for_itself(store: &Arc<dyn Storage>) {
    let (org, other) = (Org::new(store), Org::new(store));
    org.commit(org.drawing(&["a", "a"])).await;
    assert_eq!(other.commit(other.drawing(&["a"])).await.counters, [1]);
    // A batch may draw for several scopes.
    let both = Batch { counters: vec![org.counter("a"), other.counter("a")], ..org.batch() };
    assert_eq!(org.commit(both).await.counters, [3, 2]);
}

pub async fn a_number_that_was_drawn_in_vain_is_drawn_again(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.commit(org.drawing(&["a"])).await;
    let failing = Batch { writes: vec![org.delete(&ITEM, fresh(), 1)], ..org.drawing(&["a", "b"]) };
    refused!(store.commit(failing).await, StorageError::Conflict { .. });
    assert_eq!(org.commit(org.drawing(&["a", "b"])).await.counters, [2, 1]);
}

pub async fn numbers_take_the_place_of_their_marks(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.commit(org.drawing(&["tickets", "tickets", "tickets"])).await;
    let mut batch = org.drawing(&["tickets", "others"]);
    let (four, one) = (Counter::placeholder(batch.id, 0, 3), Counter::placeholder(batch.id, 1, 0));
    let item = org
        .item()
        .label("marked")
        .set("code", format!("T-250115-{four}"))
        .set("note", format!("{one}{four}{one}"))
        .set("tags", Value::many([format!("tag-{one}").into(), "plain".into()]))
        .body(format!(r#"{{"reference":"T-{four}","both":["{four}/{one}"]}}"#));
    batch.writes = vec![item.clone().insert()];
    let mut event = org.event("marked", item.id());
    event.body.json = format!(r#"{{"reference":"{four}"}}"#).into();
    batch.events = vec![event];
    let job = org.job(&format!("remind-{four}"), never());
    batch.jobs = vec![JobOp::Enqueue(crate::storage::NewJob {
        payload: format!(r#"{{"reference":"{four}"}}"#).into(),
        ..job
    })];
    let mut log = org.log().await;
    assert_eq!(org.commit(batch).await.counters, [4, 1]);

    let value = |field| org.value(&ITEM, item.id(), field);
    assert_eq!(value("code").await, Value::text("T-250115-004"));
    assert_eq!(value("note").await, Value::text("10041"));
    assert_eq!(value("tags").await, super::fixture::texts(&["plain", "tag-1"]));
    let body = Body { version: 1, json: r#"{"reference":"T-004","both":["004/1"]}"#.into() };
    let record = org.get(&ITEM, item.id()).await.expect("the record is there");
    assert!(same_body(&record.body, &body), "{}", record.body.json);
    let filters = [Filter::equals("code", "T-250115-004"), Filter::equals("tags", "tag-1")];
    for filter in filters {
        assert_eq!(org.matching(filter.clone()).await, ["marked"], "{filter:?}");
    }
    let job = org.job_state("remind-004").await.expect("the job is there");
    let reference = |json: &str| Body { version: 1, json: json.into() };
    assert!(same_body(&reference(&job.payload), &reference(r#"{"reference":"004"}"#)), "{}", job.payload);
    let logged = log.until("marked").await;
    assert!(same_body(&logged[0].record.body, &reference(r#"{"reference":"004"}"#)));
    let found = org.page(Query::new(&EVENT, org.scope)).await.records;
    assert!(same_body(&found[0].body, &logged[0].record.body));
}

pub async fn only_marks_of_the_batch_itself_are_replaced(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let mut batch = org.drawing(&["a"]);
    let foreign = Counter::placeholder(fresh(), 0, 1);
    let beyond = Counter::placeholder(batch.id, 1, 1);
    let (foreign_item, beyond_item) = (org.item().set("note", foreign.as_str()), org.item().set("note", &beyond));
    batch.writes = vec![foreign_item.clone().insert(), beyond_item.clone().insert()];
    org.commit(batch).await;
    assert_eq!(org.value(&ITEM, foreign_item.id(), "note").await, Value::text(&foreign));
    assert_eq!(org.value(&ITEM, beyond_item.id(), "note").await, Value::text(&beyond));
}

pub async fn a_value_made_of_a_number_is_unique_as_any_other(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item().set("code", "T-1")).await;
    let drawn = |series: &str| {
        let batch = org.drawing(&[series]);
        let code = format!("T-{}", Counter::placeholder(batch.id, 0, 1));
        Batch { writes: vec![org.item().set("code", code).insert()], ..batch }
    };
    refused!(store.commit(drawn("a")).await, StorageError::Duplicate { field: "code", .. });
    // The number that failed comes again, until the series is told otherwise.
    refused!(store.commit(drawn("a")).await, StorageError::Duplicate { field: "code", .. });
    org.commit(org.drawing(&["a"])).await;
    org.commit(drawn("a")).await;
    assert_eq!(org.matching(Filter::equals("code", "T-2")).await.len(), 1);
}

pub async fn an_update_holds_numbers_as_an_insert_does(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.shelf();
    org.insert(shelf.clone()).await;
    let batch = org.drawing(&["a"]);
    let name = format!("shelf {}", Counter::placeholder(batch.id, 0, 2));
    org.commit(Batch { writes: vec![shelf.clone().set("name", name).update(1)], ..batch }).await;
    assert_eq!(org.value(&SHELF, shelf.id(), "name").await, Value::text("shelf 01"));
}

pub async fn no_number_is_drawn_twice_or_left_out(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draw = |place: usize| {
        let org = org.clone();
        async move {
            let mut drawn = Vec::new();
            for round in 0..10 {
                let batch = org.drawing(&["a", "a"]);
                let code = Counter::placeholder(batch.id, 0, 1);
                let mut writes = vec![org.item().set("code", code).insert()];
                // Every third batch fails, and must give back what it drew.
                if (place + round).is_multiple_of(3) {
                    writes.push(org.delete(&ITEM, fresh(), 1));
                }
                match super::races::settled(|| org.store.commit(Batch { writes: writes.clone(), ..batch.clone() })).await {
                    Ok(committed) => drawn.extend(committed.counters),
                    Err(error) => assert!(matches!(error, StorageError::Conflict { .. }), "{error:?}"),
                }
            }
            drawn
        }
    };
    let mut drawn = super::races::together((0..8).map(draw)).await.concat();
    assert!(drawn.chunks(2).all(|pair| pair[1] == pair[0] + 1), "two draws of one batch follow each other");
    drawn.sort_unstable();
    let count = i64::try_from(drawn.len()).expect("a small number");
    assert_eq!(drawn, (1..=count).collect::<Vec<_>>());
    let written = org.page(org.query().limit(1_000)).await.records;
    assert_eq!(written.len() * 2, drawn.len());
}

pub async fn numbers_of_many_digits_are_written_out(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draws: Vec<&str> = vec!["a"; 120];
    let batch = org.drawing(&draws);
    let items: Vec<Draft> = [0, 8, 9, 98, 99, 119]
        .iter()
        .map(|place| org.item().set("code", Counter::placeholder(batch.id, *place, 2)))
        .collect();
    org.commit(Batch { writes: items.iter().cloned().map(Draft::insert).collect(), ..batch }).await;
    for (item, code) in items.iter().zip(["01", "09", "10", "99", "100", "120"]) {
        assert_eq!(org.value(&ITEM, item.id(), "code").await, Value::text(code));
    }
}
