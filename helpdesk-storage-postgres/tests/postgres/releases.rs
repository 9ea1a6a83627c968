//! A newer release beside an older one, and stores that share a database without knowing of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use helpdesk_core::entity_id;
use helpdesk_core::storage::{
    Batch, Body, Entity, EntityId as _, Expect, FieldSpec, Filter, Group, KindSpec, Query, Row, Schema,
    Storage as _, StorageError, Store, Tally, Value, Write,
};
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixture::{CASE, Desk, LOCKS, SHELF, ask, commit, follow, fresh, run, schema, until};
use crate::support;

/// As the older release declares it.
static OLDER: KindSpec = derived(KindSpec::new("request", &[FieldSpec::text("state")]), older);

/// As the newer one does: with fields that were only in the body until now.
static NEWER: KindSpec = derived(
    KindSpec::new(
        "request",
        &[
            FieldSpec::text("state"),
            FieldSpec::text("colour"),
            FieldSpec::text("marks").many(),
            FieldSpec::int("weight").counted(),
            FieldSpec::refers("shelf", "shelf"),
        ],
    )
    .indexes(&[&["colour", "weight"]]),
    newer,
);

const fn derived(mut kind: KindSpec, derive: helpdesk_core::storage::Derive) -> KindSpec {
    kind.derive = Some(derive);
    kind
}

#[derive(Serialize, Deserialize)]
struct Content {
    state: String,
    colour: String,
    marks: Vec<String>,
    weight: i64,
}

fn content(body: &Body) -> Result<Content, StorageError> {
    serde_json::from_str(&body.json)
        .map_err(|error| StorageError::Corrupt { kind: "request", source: Box::new(error) })
}

fn older(body: &Body) -> Result<Box<[Value]>, StorageError> {
    Ok(Box::new([content(body)?.state.into()]))
}

fn newer(body: &Body) -> Result<Box<[Value]>, StorageError> {
    let Content { state, colour, marks, weight } = content(body)?;
    let marks = Value::many(marks.into_iter().map(Value::from));
    Ok(Box::new([state.into(), colour.into(), marks, weight.into(), Value::Null]))
}

/// A request as one of the releases writes it.
fn request(desk: &Desk, kind: &'static KindSpec, id: Uuid, expect: Expect, colour: &str) -> Batch {
    let content = Content {
        state: "open".into(),
        colour: colour.into(),
        marks: vec!["a,b".into(), "c".into()],
        weight: 7,
    };
    let mut put = desk.put(kind, id, &[]);
    put.expect = expect;
    put.body.json = serde_json::to_string(&content).expect("JSON").into();
    put.fields = kind.derive.expect("a derivation")(&put.body).expect("the fields");
    desk.writes([Write::Put(put)])
}

async fn coloured(store: &PostgresStorage, desk: &Desk, colour: &str) -> Vec<Uuid> {
    let query = Query::new(&NEWER, desk.scope).filter(Filter::equals("colour", colour)).limit(1_000);
    store.find(&query).await.expect("the store answers").records.iter().map(|record| record.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_field_is_added_while_the_older_server_goes_on() {
    let desk = Desk::new("release_field").await;
    let older_schema = schema().with([&OLDER]);
    let newer_schema = schema().with([&NEWER]);
    PostgresStorage::migrate(&desk.settings(), &older_schema).await.expect("the tables are made");
    let old = Arc::new(PostgresStorage::open(&desk.settings(), older_schema).await.expect("the store opens"));
    let first = fresh();
    commit(&old, request(&desk, &OLDER, first, Expect::Absent, "red")).await;

    // It goes on all the time, and none of its commits fails; several newer ones start meanwhile.
    let (enough, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(1)));
    let writer = tokio::spawn({
        let (desk, old) = (desk.clone(), Arc::clone(&old));
        let (enough, written) = (Arc::clone(&enough), Arc::clone(&written));
        async move {
            while !enough.load(Ordering::Relaxed) {
                commit(&old, request(&desk, &OLDER, fresh(), Expect::Absent, "red")).await;
                written.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    until("requests", || async { written.load(Ordering::Relaxed) > 20 }).await;
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let (settings, schema) = (desk.settings(), newer_schema.clone());
        starting.spawn(async move { PostgresStorage::migrate(&settings, &schema).await });
    }
    for migrated in starting.join_all().await {
        migrated.expect("the tables are changed");
    }
    let lacks = PostgresStorage::differences(&desk.settings(), &newer_schema).await.expect("an answer");
    assert!(lacks.is_empty(), "{lacks:?}");
    let before = written.load(Ordering::Relaxed);
    until("further requests", || async { written.load(Ordering::Relaxed) > before + 5 }).await;
    enough.store(true, Ordering::Relaxed);
    writer.await.expect("the older server goes on");
    let written = written.load(Ordering::Relaxed);

    // What the older one wrote is read with the fields of the newer one, and found by them once they are filled in.
    let new = PostgresStorage::open(&desk.settings(), newer_schema).await.expect("the store opens");
    let read = |id| {
        let new = &new;
        async move {
            new.get(&NEWER, desk.scope, &[id])
                .await
                .expect("the store answers")
                .remove(0)
                .expect("it is there")
        }
    };
    let record = read(first).await;
    assert_eq!(record.fields, newer(&record.body).expect("the fields"));
    assert_eq!(new.backfill().await.expect("the columns are filled"), written as u64);
    assert_eq!(coloured(&new, &desk, "red").await.len(), written);
    assert_eq!(read(first).await.version, 1);

    // It goes on after that, too: with a new one, one that it changes, and one of the newer server's.
    let (added, newers) = (fresh(), fresh());
    commit(&new, request(&desk, &NEWER, newers, Expect::Absent, "green")).await;
    assert_eq!(coloured(&new, &desk, "green").await, [newers]);
    commit(&old, request(&desk, &OLDER, added, Expect::Absent, "blue")).await;
    commit(&old, request(&desk, &OLDER, first, Expect::Version(1), "blue")).await;
    commit(&old, request(&desk, &OLDER, newers, Expect::Version(1), "blue")).await;
    for id in [first, added, newers] {
        assert_eq!(read(id).await.fields[1], Value::from("blue"));
    }
    assert_eq!(new.backfill().await.expect("the columns are filled"), 3);
    let mut blue = coloured(&new, &desk, "blue").await;
    blue.sort_unstable();
    let mut expected = vec![first, added, newers];
    expected.sort_unstable();
    assert_eq!(blue, expected);
    let marked = Query::new(&NEWER, desk.scope).filter(Filter::equals("marks", "a,b")).limit(1_000);
    assert_eq!(new.find(&marked).await.expect("the store answers").records.len(), written + 2);
    assert_eq!(new.backfill().await.expect("the columns are filled"), 0);
    // And the older one reads what the newer one wrote.
    commit(&new, request(&desk, &NEWER, newers, Expect::Version(2), "grey")).await;
    let seen = old.get(&OLDER, desk.scope, &[newers]).await.expect("the store answers").remove(0);
    assert_eq!(seen.expect("it is there").fields[..], [Value::from("open")]);
}

entity_id! {
    /// The id of a parcel.
    pub(crate) ParcelId
}

/// In its second form: of the first, the weight was in grams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    kilograms: f64,
}

impl Entity for Parcel {
    type Id = ParcelId;
    const SPEC: &'static KindSpec =
        &KindSpec::new("parcel", &[FieldSpec::real("kilograms")]).body_version(2).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("kilograms", self.kilograms);
    }

    fn upgrade(body: serde_json::Value, version: u16) -> Result<serde_json::Value, serde_json::Error> {
        assert_eq!(version, 1);
        let grams = body["grams"].as_f64().unwrap_or_default();
        Ok(serde_json::json!({ "kilograms": grams / 1_000.0 }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_an_older_form_load() {
    static FIRST: KindSpec = KindSpec::new("parcel", &[]);
    let desk = Desk::new("release_body").await;
    let (older, newer) = (Schema::new([&FIRST]), Schema::new([Parcel::SPEC]));
    PostgresStorage::migrate(&desk.settings(), &older).await.expect("the tables are made");
    let old = PostgresStorage::open(&desk.settings(), older).await.expect("the store opens");
    let id = fresh();
    let mut put = desk.put(&FIRST, id, &[]);
    put.body.json = r#"{"grams": 1500, "wrapping": "paper"}"#.into();
    commit(&old, desk.writes([Write::Put(put)])).await;

    PostgresStorage::migrate(&desk.settings(), &newer).await.expect("the tables are changed");
    let new = Arc::new(PostgresStorage::open(&desk.settings(), newer).await.expect("the store opens"));
    let store = Store::new(new.clone());
    let read = store.get::<Parcel>(desk.scope, ParcelId::from_uuid(id)).await.expect("the store answers");
    let read = read.expect("it is there");
    assert_eq!(read.value, Parcel { kilograms: 1.5 });
    assert_eq!(new.backfill().await.expect("the columns are filled"), 1);
    let heavy = store.select::<Parcel>(desk.scope).filter(Filter::at_least("kilograms", 1.4));
    assert_eq!(heavy.count().await.expect("the store answers"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_may_be_words_of_sql() {
    static ORDER: KindSpec = KindSpec::new(
        "order",
        &[
            FieldSpec::text("user").unique(),
            FieldSpec::text("select"),
            FieldSpec::text("group").many(),
            FieldSpec::int("limit").counted(),
            FieldSpec::refers("table", "order"),
        ],
    )
    .indexes(&[&["select", "limit"]])
    .dense()
    .searched();
    let desk = Desk::at(support::database("release_words").await).await;
    let schema = Schema::new([&ORDER]);
    PostgresStorage::migrate(&desk.settings(), &schema).await.expect("the tables are made");
    let store = PostgresStorage::open(&desk.settings(), schema).await.expect("the store opens");
    let (first, second) = (fresh(), fresh());
    let group = Value::many(["from".into(), "where".into()]);
    let fields: &[(&str, Value)] =
        &[("user", "u".into()), ("select", "s".into()), ("group", group), ("limit", 3.into())];
    commit(&store, desk.writes([desk.insert(&ORDER, first, fields)])).await;
    commit(&store, desk.writes([desk.insert(&ORDER, second, &[("table", first.into())])])).await;
    let again = store.commit(desk.writes([desk.insert(&ORDER, fresh(), fields)])).await;
    assert!(matches!(again, Err(StorageError::Duplicate { kind: "order", field: "user" })), "{again:?}");
    let missing =
        store.commit(desk.writes([desk.insert(&ORDER, fresh(), &[("table", fresh().into())])])).await;
    assert!(matches!(missing, Err(StorageError::MissingReference { field: "table", .. })), "{missing:?}");
    let query = Query::new(&ORDER, desk.scope)
        .filter(
            Filter::equals("select", "s")
                .and(Filter::equals("group", "from"))
                .and(Filter::at_least("limit", 3)),
        )
        .descending("limit")
        .ascending("user");
    let found = store.find(&query).await.expect("the store answers").records;
    assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), [first]);
    let tally = Tally::new(&ORDER, desk.scope).by(Group::Field("group")).by(Group::Field("limit"));
    assert_eq!(store.tally(&tally).await.expect("the store answers").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_in_two_schemas_know_nothing_of_each_other() {
    let desk = Desk::new("release_schemas").await;
    let other =
        PostgresSettings::parse(&desk.url).expect("an address").connections(6).schema("Other \"desk\"");
    PostgresStorage::migrate(&other, &schema()).await.expect("the tables are made");
    let differences = PostgresStorage::differences(&other, &schema()).await.expect("an answer");
    assert!(differences.is_empty(), "{differences:?}");
    let (one, two) =
        (desk.open().await, PostgresStorage::open(&other, schema()).await.expect("the store opens"));
    let id = fresh();
    for (store, action) in [(&*one, "in one"), (&two, "in two")] {
        // The same id and the same unique value in both.
        let mut batch = desk.logs([action]);
        batch.writes.push(desk.insert(&CASE, id, &[("code", "the same".into())]));
        batch.jobs.push(desk.enqueue("the same"));
        assert_eq!(commit(store, batch).await.written[0].number, 1);
    }
    commit(&one, desk.writes([desk.insert(&SHELF, fresh(), &[])])).await;
    assert!(two.find(&Query::new(&SHELF, desk.scope)).await.expect("an answer").records.is_empty());
    for (store, action) in [(&*one, "in one"), (&two, "in two")] {
        let log = follow(store, 1).await;
        assert_eq!(log.iter().map(|(_, action)| action.as_str()).collect::<Vec<_>>(), [action]);
        assert_eq!(store.health().await.expect("an answer").newest.0, 1);
    }
    // Each has a relay of its own.
    let mut session = desk.session().await;
    let relays = format!("SELECT count(*) FROM {LOCKS} WHERE locktype = 'advisory' AND granted");
    assert_eq!(ask::<i64>(&mut session, &relays).await, 2);
    run(&mut session, "DROP SCHEMA \"Other \"\"desk\"\"\" CASCADE").await;
    assert_eq!(one.find(&Query::new(&CASE, desk.scope)).await.expect("an answer").records.len(), 1);
}
