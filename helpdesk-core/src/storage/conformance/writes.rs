//! Inserting, changing, deleting and requiring single records.

use std::sync::Arc;

use uuid::Uuid;

use super::fixture::{Org, at, fresh, ids, instant, refused, same_body, texts};
use super::kinds::{ITEM, SHELF};
use crate::storage::{Batch, Body, Expect, Filter, MAX_TEXT, Storage, StorageError, Value, Write};

pub async fn an_inserted_record_is_read_back_as_it_was_written(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.insert(org.shelf().set("name", "left")).await;
    let user = fresh();
    let body = Body { version: 7, json: r#"{"lines":["a","b"],"more":{"deep":null}}"#.into() };
    let draft = org
        .item()
        .set("state", "new")
        .set("title", "Paper jam")
        .set("code", "T-1")
        .set("size", -5)
        .set("grade", 3)
        .set("weight", 2.5)
        .set("open", true)
        .set("due", at(60))
        .set("user", user)
        .set("tags", texts(&["red", "blue"]))
        .set("sizes", Value::many([Value::Int(2), Value::Int(1)]))
        .set("shelf", shelf)
        .set("links", ids(&[shelf]));
    let mut put = draft.clone().put(Expect::Absent);
    put.body = body.clone();
    let fields = put.fields.clone();
    let written = org.write([Write::Put(put)]).await;

    let record = org.get(&ITEM, draft.id()).await.expect("the record is there");
    assert_eq!((record.id, record.scope), (draft.id(), org.scope));
    assert_eq!((record.number, record.version), (written[0].number, written[0].version));
    assert_eq!(record.version, 1);
    assert_eq!((record.created_at, record.updated_at), (at(0), at(0)));
    assert_eq!(record.fields, fields);
    assert!(same_body(&record.body, &body), "{}", record.body.json);
    let found = org.page(org.query()).await.records;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fields, fields);
    assert!(same_body(&found[0].body, &body), "{}", found[0].body.json);
}

pub async fn fields_without_a_value_are_null(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let id = org.insert(org.item()).await;
    let record = org.get(&ITEM, id).await.expect("the record is there");
    assert!(record.fields.iter().all(Value::is_null), "{:?}", record.fields);
}

pub async fn an_update_replaces_the_record_and_raises_its_version(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("before").set("state", "new").body(r#"{"before":1}"#);
    let first = org.write([draft.clone().insert()]).await[0];
    let changed = org.item().named(draft.id()).label("after").body(r#"{"after":2}"#);
    let batch = Batch { at: at(5), ..org.writes([changed.update(1)]) };
    let second = org.commit(batch).await.written[0];
    assert_eq!((second.number, second.version), (first.number, 2));

    let record = org.get(&ITEM, draft.id()).await.expect("the record is there");
    assert_eq!((record.number, record.version), (first.number, 2));
    assert_eq!((record.created_at, record.updated_at), (at(0), at(5)));
    assert_eq!(org.value(&ITEM, draft.id(), "label").await, Value::text("after"));
    assert!(org.value(&ITEM, draft.id(), "state").await.is_null());
    assert!(same_body(&record.body, &Body { version: 1, json: r#"{"after":2}"#.into() }));
    assert_eq!(org.matching(Filter::all()).await, ["after"]);
}

pub async fn a_deleted_record_is_gone(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("going").set("code", "T-1").says("printer");
    let first = org.write([draft.clone().insert()]).await[0];
    let gone = org.write([org.delete(&ITEM, draft.id(), 1)]).await[0];
    assert_eq!(gone, first, "a deleted record's number and version are answered as they were");
    assert!(org.get(&ITEM, draft.id()).await.is_none());
    assert!(org.page(org.query()).await.records.is_empty());
    assert!(org.matching(Filter::equals("code", "T-1")).await.is_empty());
    assert!(org.matching(Filter::equals("id", draft.id())).await.is_empty());
}

pub async fn an_update_of_a_wrong_version_is_refused_and_told_the_present_one(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("first");
    org.insert(draft.clone()).await;
    org.write([draft.clone().label("second").update(1)]).await;
    for wrong in [0, 1, 3, i64::MAX] {
        let result = org.try_write([draft.clone().label("third").update(wrong)]).await;
        refused!(result, StorageError::Conflict { kind: "conformance_item", id, current: Some(2) } if id == draft.id());
    }
    assert_eq!(org.matching(Filter::all()).await, ["second"]);
}

pub async fn an_update_of_what_is_not_there_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item();
    let result = org.try_write([draft.clone().update(1)]).await;
    refused!(result, StorageError::Conflict { id, current: None, .. } if id == draft.id());
    assert!(org.get(&ITEM, draft.id()).await.is_none());
}

pub async fn an_insert_of_what_is_there_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("first");
    org.insert(draft.clone()).await;
    let result = org.try_write([draft.clone().label("second").insert()]).await;
    refused!(result, StorageError::Conflict { id, current: Some(1), .. } if id == draft.id());
    assert_eq!(org.matching(Filter::all()).await, ["first"]);
}

pub async fn a_delete_of_a_wrong_version_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let id = org.insert(org.item()).await;
    let result = org.try_write([org.delete(&ITEM, id, 2)]).await;
    refused!(result, StorageError::Conflict { id: of, current: Some(1), .. } if of == id);
    assert_eq!(org.version(&ITEM, id).await, Some(1));
}

pub async fn a_delete_of_what_is_not_there_is_refused(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let id = org.insert(org.item()).await;
    org.write([org.delete(&ITEM, id, 1)]).await;
    for absent in [id, fresh()] {
        let result = org.try_write([org.delete(&ITEM, absent, 1)]).await;
        refused!(result, StorageError::Conflict { id, current: None, .. } if id == absent);
    }
}

pub async fn the_id_of_a_deleted_record_can_be_used_again(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("first").set("code", "T-1");
    let first = org.write([draft.clone().insert()]).await[0];
    org.write([org.delete(&ITEM, draft.id(), 1)]).await;
    let second = org.write([draft.clone().label("second").insert()]).await[0];
    assert_eq!(second.version, 1);
    assert!(second.number > first.number, "numbers are never used again");
    assert_eq!(org.matching(Filter::all()).await, ["second"]);
}

pub async fn records_of_two_kinds_may_have_one_id(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let id = fresh();
    org.write([org.item().named(id).insert(), org.shelf().named(id).insert()]).await;
    org.write([org.delete(&SHELF, id, 1)]).await;
    assert_eq!(org.version(&ITEM, id).await, Some(1));
    assert_eq!(org.version(&SHELF, id).await, None);
}

pub async fn one_batch_writes_many_records_and_answers_in_their_order(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (kept, gone) = (org.item().label("kept"), org.item());
    let before = org.write([kept.clone().insert(), gone.clone().insert()]).await;
    let (item, shelf) = (org.item(), org.shelf());
    let written = org
        .write([
            org.delete(&ITEM, gone.id(), 1),
            item.clone().insert(),
            kept.clone().label("changed").update(1),
            shelf.clone().insert(),
        ])
        .await;
    assert_eq!(written.len(), 4);
    assert_eq!(written[0], before[1]);
    assert_eq!((written[2].number, written[2].version), (before[0].number, 2));
    for (place, kind, id) in [(1, &ITEM, item.id()), (3, &SHELF, shelf.id())] {
        let record = org.get(kind, id).await.expect("the record is there");
        assert_eq!((written[place].number, written[place].version), (record.number, record.version));
    }
}

pub async fn get_answers_each_id_in_its_place(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (a, b) = (org.insert(org.item()).await, org.insert(org.item()).await);
    let found = store.get(&ITEM, org.scope, &[b, fresh(), a, b]).await.expect("the store answers");
    let found: Vec<Option<Uuid>> = found.into_iter().map(|found| found.map(|record| record.id)).collect();
    assert_eq!(found, [Some(b), None, Some(a), Some(b)]);
    assert!(store.get(&ITEM, org.scope, &[]).await.expect("the store answers").is_empty());
}

pub async fn get_answers_many_ids_at_once(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let drafts: Vec<_> = (0..1_000).map(|_| org.item()).collect();
    org.write(drafts.iter().cloned().map(super::fixture::Draft::insert)).await;
    let ids: Vec<_> = drafts.iter().flat_map(|draft| [draft.id(), fresh()]).collect();
    let found = store.get(&ITEM, org.scope, &ids).await.expect("the store answers");
    assert_eq!(found.len(), 2_000);
    for (place, (id, found)) in ids.iter().zip(found).enumerate() {
        assert_eq!(found.map(|record| record.id), (place % 2 == 0).then_some(*id));
    }
}

pub async fn a_requirement_that_holds_changes_nothing(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let guard = org.insert(org.shelf()).await;
    let requires =
        vec![org.require(&SHELF, guard, Expect::Version(1)), org.require(&SHELF, fresh(), Expect::Absent)];
    let item = org.item();
    org.commit(Batch { requires, ..org.writes([item.clone().insert()]) }).await;
    assert_eq!(org.version(&ITEM, item.id()).await, Some(1));
    assert_eq!(org.version(&SHELF, guard).await, Some(1));
}

pub async fn a_requirement_that_does_not_hold_fails_the_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (shelf, absent) = (org.shelf(), fresh());
    org.insert(shelf.clone()).await;
    org.write([shelf.clone().update(1)]).await;
    let cases = [
        (shelf.id(), Expect::Version(1), Some(2)),
        (shelf.id(), Expect::Version(3), Some(2)),
        (shelf.id(), Expect::Absent, Some(2)),
        (absent, Expect::Version(1), None),
    ];
    for (id, expect, present) in cases {
        let item = org.item();
        let requires = vec![org.require(&SHELF, id, expect)];
        // With and without a write: a batch may consist of requirements alone.
        for batch in [
            Batch { requires: requires.clone(), ..org.writes([item.clone().insert()]) },
            Batch { requires: requires.clone(), ..org.batch() },
        ] {
            let result = store.commit(batch).await;
            refused!(result, StorageError::Conflict { kind: "conformance_shelf", id: of, current }
                if of == id && current == present);
        }
        assert!(org.get(&ITEM, item.id()).await.is_none());
    }
}

pub async fn a_requirement_sees_the_state_before_the_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let shelf = org.shelf();
    org.insert(shelf.clone()).await;
    let requires = vec![org.require(&SHELF, shelf.id(), Expect::Version(1))];
    org.commit(Batch { requires, ..org.writes([shelf.clone().update(1)]) }).await;
    assert_eq!(org.version(&SHELF, shelf.id()).await, Some(2));
}

pub async fn a_batch_without_anything_is_committed(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let committed = org.commit(org.batch()).await;
    assert!(committed.written.is_empty() && committed.counters.is_empty());
}

pub async fn times_are_kept_to_the_microsecond(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().set("due", instant("2025-03-01T12:00:00.123456789Z"));
    let at = instant("2025-02-01T12:00:00.987654321Z");
    org.commit(Batch { at, ..org.writes([item.clone().insert()]) }).await;
    let record = org.get(&ITEM, item.id()).await.expect("the record is there");
    let cut = instant("2025-02-01T12:00:00.987654Z");
    assert_eq!((record.created_at, record.updated_at), (cut, cut));
    let due = org.value(&ITEM, item.id(), "due").await;
    assert_eq!(due, Value::from(instant("2025-03-01T12:00:00.123456Z")));
    let found = org.page(org.query().filter(Filter::equals("created_at", at))).await.records;
    assert_eq!(found.len(), 1, "a value is cut as the record's time is");
}

pub async fn values_of_every_size_are_kept(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let values = [
        ("size", Value::Int(i64::MIN)),
        ("size", Value::Int(i64::MAX)),
        ("grade", Value::Int(0)),
        ("weight", Value::from(f64::MAX)),
        ("weight", Value::from(f64::MIN_POSITIVE)),
        ("weight", Value::from(0.1 + 0.2)),
        ("weight", Value::from(-1e-300)),
        ("due", Value::from(instant("0001-01-01T00:00:00Z"))),
        ("due", Value::from(instant("1969-12-31T23:59:59.999999Z"))),
        ("due", Value::from(instant("9999-12-31T23:59:59.999999Z"))),
        ("user", Value::Uuid(Uuid::nil())),
        ("user", Value::Uuid(Uuid::max())),
        ("open", Value::Flag(false)),
        ("note", Value::text("")),
        ("note", Value::text(&"long ".repeat(MAX_TEXT / 5))),
        ("tags", texts(&["", " ", "a,b", "{x}", "\"", "\\", "NULL", "null"])),
    ];
    for (field, value) in values {
        let id = org.insert(org.item().set(field, value.clone())).await;
        assert_eq!(org.value(&ITEM, id, field).await, value, "{field}");
        let found = org.page(org.query().filter(Filter::one_of(field, value.elements().to_vec()))).await;
        assert!(found.records.iter().any(|record| record.id == id), "{field} is found by {value:?}");
    }
}

pub async fn texts_are_kept_whatever_they_hold(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let nasty = [
        "'; DROP TABLE conformance_item; --",
        "\" \\ ' ` $1 $$ % _ {} [] :: ?",
        "tab\tline\r\nfeed\u{b}\u{1b}\u{7f}\u{1}",
        "e\u{301} is not \u{e9}",
        "שלום עולם مرحبا",
        "👩‍👩‍👧‍👦 🏳️‍🌈",
        "\u{feff}bom \u{200b}zero \u{2028}line \u{fffd}\u{ffff}\u{10ffff}",
        "\u{f8f0}a mark of nobody\u{f8f0}",
        " spaces at both ends ",
    ];
    for text in nasty {
        let body = serde_json::json!({ "text": text, text: [text, { "deep": text }] }).to_string();
        let draft = org.item().label(text).set("state", text).set("title", text).set("code", text).set("tags", texts(&[text]));
        let id = org.insert(draft.body(body.as_str()).says(text)).await;
        for field in ["state", "title", "code"] {
            assert_eq!(org.value(&ITEM, id, field).await, Value::text(text));
            assert_eq!(org.matching(Filter::equals(field, text)).await, [text], "{field}");
        }
        assert_eq!(org.value(&ITEM, id, "tags").await, texts(&[text]));
        let record = org.get(&ITEM, id).await.expect("the record is there");
        assert!(same_body(&record.body, &Body { version: 1, json: body.into() }), "{text}");
    }
}

pub async fn what_was_read_does_not_change(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let draft = org.item().label("before");
    org.insert(draft.clone()).await;
    let read = org.get(&ITEM, draft.id()).await.expect("the record is there");
    let page = org.page(org.query()).await;
    org.write([draft.clone().label("after").update(1)]).await;
    org.write([org.delete(&ITEM, draft.id(), 2)]).await;
    assert_eq!(read.version, 1);
    assert_eq!(super::fixture::labels(&page), ["before"]);
}
