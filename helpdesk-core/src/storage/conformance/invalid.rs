//! Mistakes of the program, which a store refuses before it does anything.

use std::sync::Arc;

use super::fixture::{Draft, Org, at, fresh, refused, texts};
use super::kinds::{ITEM, SHELF, STRANGER};
use crate::events::EVENT;
use crate::storage::{
    Batch, Bound, Cursor, Expect, Filter, From, Group, JOB, JobOp, MAX_PAGE, MAX_TEXT, Measure, NewJob, Query, Storage,
    StorageError, Tally, Term, Unit, Value, Write,
};

async fn query_is_refused(store: &Arc<dyn Storage>, query: &Query) {
    match store.find(query).await {
        Err(StorageError::Invalid(_)) => {}
        other => panic!("{query:?} was answered {other:?}"),
    }
}

pub async fn filters_fit_their_kind(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item()).await;
    let filters = [
        Filter::equals("nothing", 1),
        Filter::null("nothing"),
        Filter::prefix("nothing", "a"),
        Filter::range("nothing", Bound::Open, Bound::Open),
        Filter::equals("version", 1),
        Filter::equals("state", 1),
        Filter::equals("size", "1"),
        Filter::equals("size", 1.0),
        Filter::equals("weight", 1),
        Filter::equals("open", "true"),
        Filter::equals("due", 1),
        Filter::equals("user", "a"),
        Filter::equals("id", 1),
        Filter::equals("number", "1"),
        Filter::equals("created_at", 1),
        Filter::equals("tags", 1),
        Filter::equals("tags", texts(&["a"])),
        Filter::at_least("size", "1"),
        Filter::range("size", Bound::Included(Value::Null), Bound::Open),
        Filter::prefix("size", "1"),
        Filter::prefix("id", "1"),
        Filter::equals("state", "a").and(Filter::equals("nothing", 1)),
        Filter::equals("state", "a").or(Filter::equals("nothing", 1)),
        Filter::all().and(Filter::equals("nothing", 1).not()),
    ];
    for filter in filters {
        query_is_refused(store, &org.query().filter(filter.clone())).await;
        let tally = Tally::new(&ITEM, org.scope).filter(filter);
        refused!(store.tally(&tally).await, StorageError::Invalid(_));
    }
    let searched = Query::new(&SHELF, org.scope).filter(Filter::words(Term::typed("words")));
    query_is_refused(store, &searched).await;
}

pub async fn orders_fit_their_kind(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for field in ["nothing", "version", "tags", "sizes", "links"] {
        query_is_refused(store, &org.query().ascending(field)).await;
        query_is_refused(store, &org.query().descending("state").descending(field)).await;
    }
}

pub async fn a_page_is_not_larger_than_a_page(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    query_is_refused(store, &org.query().limit(MAX_PAGE + 1)).await;
    query_is_refused(store, &org.query().limit(usize::MAX)).await;
}

pub async fn a_cursor_belongs_to_its_order(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item()).await;
    let foreign: [(Query, Vec<Value>); 6] = [
        (org.query(), vec![Value::text("a")]),
        (org.query().ascending("state"), vec![]),
        (org.query().ascending("state"), vec![Value::Int(1)]),
        (org.query().ascending("state"), vec![texts(&["a"])]),
        (org.query().ascending("state").ascending("size"), vec![Value::Int(1), Value::text("a")]),
        (org.query().ascending("state").ascending("size"), vec![Value::text("a")]),
    ];
    for (query, values) in foreign {
        let cursor = Cursor { values, number: 1 };
        query_is_refused(store, &query.clone().from(From::After(cursor.clone()))).await;
        query_is_refused(store, &query.from(From::Before(cursor))).await;
    }
}

pub async fn a_cursor_of_anywhere_is_only_a_place(store: &Arc<dyn Storage>) {
    // A client may send back what it likes, as long as it looks like a cursor.
    let org = Org::new(store);
    org.write([org.item().label("a").insert(), org.item().label("b").set("size", 5).insert()]).await;
    for number in [i64::MIN, -1, 0, i64::MAX] {
        let small = Cursor { values: vec![Value::Int(i64::MIN)], number };
        let query = org.query().ascending("size");
        assert_eq!(org.labels(query.clone().from(From::After(small.clone()))).await, ["b"]);
        assert_eq!(org.labels(query.from(From::Before(small))).await, ["a"]);
    }
    for (number, after, before) in [(i64::MIN, 2, 0), (-1, 2, 0), (0, 2, 0), (i64::MAX, 0, 2)] {
        let cursor = Cursor { values: Vec::new(), number };
        let count = async |query: Query| org.labels(query).await.len();
        assert_eq!(count(org.query().from(From::After(cursor.clone()))).await, after, "{number}");
        assert_eq!(count(org.query().from(From::Before(cursor.clone()))).await, before, "{number}");
        let falling = org.query().descending("number");
        assert_eq!(count(falling.clone().from(From::After(cursor.clone()))).await, before, "{number}");
        assert_eq!(count(falling.from(From::Before(cursor))).await, after, "{number}");
    }
}

pub async fn tallies_fit_their_kind(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let tally = || Tally::new(&ITEM, org.scope);
    let wrong = [
        tally().by(Group::Field("nothing")),
        tally().by(Group::Period("nothing", Unit::Day, chrono_tz::UTC)),
        tally().by(Group::Period("state", Unit::Day, chrono_tz::UTC)),
        tally().by(Group::Period("size", Unit::Hour, chrono_tz::UTC)),
        tally().measure(Measure::Sum("nothing")),
        tally().measure(Measure::Sum("state")),
        tally().measure(Measure::Average("due")),
        tally().measure(Measure::Sum("sizes")),
        tally().measure(Measure::Least("tags")),
        tally().measure(Measure::Greatest("links")),
    ];
    for tally in wrong {
        match store.tally(&tally).await {
            Err(StorageError::Invalid(_)) => {}
            other => panic!("{tally:?} was answered {other:?}"),
        }
    }
}

pub async fn a_store_knows_only_the_kinds_it_was_made_for(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    refused!(store.get(&STRANGER, org.scope, &[fresh()]).await, StorageError::Invalid(_));
    query_is_refused(store, &Query::new(&STRANGER, org.scope)).await;
    refused!(store.tally(&Tally::new(&STRANGER, org.scope)).await, StorageError::Invalid(_));
    let draft = org.draft(&STRANGER);
    refused!(org.try_write([draft.clone().insert()]).await, StorageError::Invalid(_));
    let requires = vec![org.require(&STRANGER, draft.id(), Expect::Absent)];
    refused!(store.commit(Batch { requires, ..org.batch() }).await, StorageError::Invalid(_));
}

async fn write_is_refused(org: &Org, write: Write) {
    match org.try_write([org.item().insert(), write.clone()]).await {
        Err(StorageError::Invalid(_)) => {}
        other => panic!("{write:?} was answered {other:?}"),
    }
    assert!(org.matching(Filter::all()).await.is_empty());
}

pub async fn values_fit_their_fields(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let wrong: [(&str, Value); 14] = [
        ("state", Value::Int(1)),
        ("state", texts(&["a"])),
        ("size", Value::text("1")),
        ("size", Value::from(1.0)),
        ("weight", Value::Int(1)),
        ("weight", Value::Real(f64::NAN)),
        ("open", Value::Int(1)),
        ("due", Value::Int(1)),
        ("user", Value::text("a")),
        ("tags", Value::text("a")),
        ("tags", Value::many([Value::Int(1)])),
        ("tags", Value::many(["a".into(), Value::Int(1)])),
        ("shelf", ids_of_one()),
        ("links", Value::Uuid(fresh())),
    ];
    for (field, value) in wrong {
        write_is_refused(&org, org.item().set(field, value).insert()).await;
    }
    let mut short = org.item().put(Expect::Absent);
    short.fields = Box::new([Value::Null]);
    write_is_refused(&org, Write::Put(short)).await;
}

fn ids_of_one() -> Value {
    Value::many([Value::Uuid(fresh())])
}

pub async fn texts_of_fields_are_not_too_long(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let long = "x".repeat(MAX_TEXT + 1);
    for field in ["state", "title", "note", "code"] {
        write_is_refused(&org, org.item().set(field, long.as_str()).insert()).await;
        // A longer one can be asked for, and is not there.
        for filter in [Filter::equals(field, long.as_str()), Filter::prefix(field, long.as_str())] {
            assert!(org.page(org.query().filter(filter)).await.records.is_empty());
        }
    }
}

pub async fn texts_hold_no_zero_character(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for field in ["state", "title", "note", "code"] {
        write_is_refused(&org, org.item().set(field, "a\0b").insert()).await;
        for filter in [
            Filter::equals(field, "a\0b"),
            Filter::prefix(field, "\0"),
            Filter::range(field, Bound::Open, Bound::Excluded("\0".into())),
        ] {
            query_is_refused(store, &org.query().filter(filter)).await;
        }
        let cursor = Cursor { values: vec![Value::text("\0")], number: 1 };
        query_is_refused(store, &org.query().ascending(field).from(From::After(cursor))).await;
    }
    write_is_refused(&org, org.item().set("tags", texts(&["a", "\0"])).insert()).await;
    let job = org.job("key", at(0));
    for job in [NewJob { key: "a\0".to_owned(), ..job.clone() }, NewJob { name: "\0b".to_owned(), ..job }] {
        refused!(store.commit(org.jobs([JobOp::Enqueue(job)])).await, StorageError::Invalid(_));
    }
    let (scope, key) = (org.scope, || "\0".to_owned());
    for op in [JobOp::Cancel { scope, key: key() }, JobOp::Move { scope, key: key(), due: at(0) }] {
        refused!(store.commit(org.jobs([op])).await, StorageError::Invalid(_));
    }
    refused!(store.commit(org.drawing(&["\0"])).await, StorageError::Invalid(_));
}

pub async fn a_record_is_written_once_in_a_batch(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item();
    org.insert(item.clone()).await;
    let twice = [
        [item.clone().update(1), item.clone().update(2)],
        [item.clone().update(1), org.delete(&ITEM, item.id(), 2)],
        [org.delete(&ITEM, item.id(), 1), item.clone().insert()],
    ];
    for writes in twice {
        refused!(org.try_write(writes).await, StorageError::Invalid(_));
    }
    assert_eq!(org.version(&ITEM, item.id()).await, Some(1));
}

pub async fn what_is_deleted_is_expected_to_be_there(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let (scope, id) = (org.scope, fresh());
    write_is_refused(&org, Write::Delete { kind: &ITEM, scope, id, expect: Expect::Absent }).await;
}

pub async fn what_is_required_is_said(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let requires = vec![org.require(&ITEM, fresh(), Expect::Anything)];
    refused!(store.commit(Batch { requires, ..org.batch() }).await, StorageError::Invalid(_));
}

pub async fn jobs_and_events_are_not_written_as_records(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    write_is_refused(&org, org.draft(&JOB).set("key", "key").insert()).await;
    write_is_refused(&org, org.event_draft().insert()).await;
    let (scope, id) = (org.scope, fresh());
    write_is_refused(&org, Write::Delete { kind: &JOB, scope, id, expect: Expect::Version(1) }).await;
    write_is_refused(&org, Write::Delete { kind: &EVENT, scope, id, expect: Expect::Version(1) }).await;
}

pub async fn only_inserts_of_events_are_logged(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let logged = |draft: Draft, expect| Batch { events: vec![draft.put(expect)], ..org.batch() };
    refused!(store.commit(logged(org.item(), Expect::Absent)).await, StorageError::Invalid(_));
    for expect in [Expect::Anything, Expect::Version(1)] {
        refused!(store.commit(logged(org.event_draft(), expect)).await, StorageError::Invalid(_));
    }
}
