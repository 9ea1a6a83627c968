//! What the behaviours share: fresh organisations, drafts of records, and short ways to ask.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::kinds::{ITEM, SHELF};
use crate::events::EVENT;
use crate::storage::{
    Batch, Body, Committed, Counter, Expect, Filter, JOB, JobOp, JobState, KindSpec, Logged, NewJob, Page,
    Position, Put, Query, Record, Require, Scope, Storage, StorageError, Value, Words, Write, Written,
};

/// Fails unless a result is the error of a pattern.
macro_rules! refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub(super) use refused;

/// How long a store may take to show an event that was committed, or to let tasks that compete for a record
/// come through. Only ever waited for by a behaviour that fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// An id that nobody had before, in this process or, as far as chance goes, in another that uses the same
/// database.
pub(super) fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static HIGH: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static LOW: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(HIGH.hash_one(next), LOW.hash_one(next))
}

/// So many seconds after the hour at which everything in the suite happens: 15 January 2025, 09:00 UTC.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_736_931_600 + second, 0).expect("an instant of this century")
}

/// An instant written as in RFC 3339.
pub(super) fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
}

/// When jobs are due that no worker of the suite is to be handed: see [`claims`](super::jobs::claims).
pub(super) fn never() -> DateTime<Utc> {
    instant("2100-01-01T00:00:00Z")
}

/// A set of texts.
pub(super) fn texts(texts: &[&str]) -> Value {
    Value::many(texts.iter().map(|text| Value::text(text)))
}

/// A set of ids.
pub(super) fn ids(ids: &[Uuid]) -> Value {
    Value::many(ids.iter().map(|id| Value::Uuid(*id)))
}

/// Whether two bodies say the same. A store may write the JSON in its own way.
pub(super) fn same_body(a: &Body, b: &Body) -> bool {
    let read = |body: &Body| serde_json::from_str::<serde_json::Value>(&body.json).expect("a body of JSON");
    a.version == b.version && read(a) == read(b)
}

/// An organisation of its own for one behaviour, so that many can share a database.
#[derive(Clone, Debug)]
pub(super) struct Org {
    pub(super) store: Arc<dyn Storage>,
    pub(super) scope: Scope,
}

impl Org {
    pub(super) fn new(store: &Arc<dyn Storage>) -> Self {
        Self { store: Arc::clone(store), scope: Scope::organisation(fresh()) }
    }

    /// The area that belongs to no organisation.
    pub(super) fn global(store: &Arc<dyn Storage>) -> Self {
        Self { store: Arc::clone(store), scope: Scope::GLOBAL }
    }

    pub(super) fn draft(&self, kind: &'static KindSpec) -> Draft {
        Draft(Put {
            kind,
            scope: self.scope,
            id: fresh(),
            expect: Expect::Absent,
            fields: vec![Value::Null; kind.fields.len()].into_boxed_slice(),
            words: None,
            body: Body { version: kind.body_version, json: "{}".into() },
        })
    }

    pub(super) fn item(&self) -> Draft {
        self.draft(&ITEM)
    }

    pub(super) fn shelf(&self) -> Draft {
        self.draft(&SHELF)
    }

    pub(super) fn batch(&self) -> Batch {
        Batch::new(fresh(), at(0))
    }

    pub(super) fn writes(&self, writes: impl IntoIterator<Item = Write>) -> Batch {
        Batch { writes: writes.into_iter().collect(), ..self.batch() }
    }

    /// Commits a batch that must go through.
    pub(super) async fn commit(&self, batch: Batch) -> Committed {
        self.store.commit(batch).await.expect("the batch is committed")
    }

    pub(super) async fn try_write(
        &self,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<Committed, StorageError> {
        self.store.commit(self.writes(writes)).await
    }

    /// Commits writes that must go through.
    pub(super) async fn write(&self, writes: impl IntoIterator<Item = Write>) -> Vec<Written> {
        self.try_write(writes).await.expect("the writes are committed").written
    }

    /// Inserts a record and answers its id.
    pub(super) async fn insert(&self, draft: Draft) -> Uuid {
        let id = draft.id();
        self.write([draft.insert()]).await;
        id
    }

    pub(super) fn delete(&self, kind: &'static KindSpec, id: Uuid, version: i64) -> Write {
        Write::Delete { kind, scope: self.scope, id, expect: Expect::Version(version) }
    }

    pub(super) fn require(&self, kind: &'static KindSpec, id: Uuid, expect: Expect) -> Require {
        Require { kind, scope: self.scope, id, expect }
    }

    pub(super) fn counter(&self, series: &str) -> Counter {
        Counter { scope: self.scope, series: series.to_owned() }
    }

    /// A batch that draws one number of each series.
    pub(super) fn drawing(&self, series: &[&str]) -> Batch {
        Batch { counters: series.iter().map(|series| self.counter(series)).collect(), ..self.batch() }
    }

    pub(super) fn event_draft(&self) -> Draft {
        self.draft(&EVENT).set("action", "done").set("subject_kind", ITEM.name)
    }

    pub(super) fn event(&self, action: &str, subject: Uuid) -> Put {
        self.event_draft().set("action", action).set("subject", subject).put(Expect::Absent)
    }

    pub(super) fn job(&self, key: &str, due: DateTime<Utc>) -> NewJob {
        NewJob {
            id: fresh(),
            scope: self.scope,
            key: key.to_owned(),
            name: "conformance.job".to_owned(),
            payload: r#"{"work":1}"#.into(),
            due,
        }
    }

    pub(super) fn enqueue(&self, key: &str, due: DateTime<Utc>) -> JobOp {
        JobOp::Enqueue(self.job(key, due))
    }

    pub(super) fn jobs(&self, jobs: impl IntoIterator<Item = JobOp>) -> Batch {
        Batch { jobs: jobs.into_iter().collect(), ..self.batch() }
    }

    /// What the store keeps of the job of a key.
    pub(super) async fn job_state(&self, key: &str) -> Option<JobState> {
        let found = self.page(Query::new(&JOB, self.scope).filter(Filter::equals("key", key))).await.records;
        found.first().map(|record| JobState::read(&record.body).expect("the body of a job"))
    }

    pub(super) async fn get(&self, kind: &'static KindSpec, id: Uuid) -> Option<Arc<Record>> {
        let found = self.store.get(kind, self.scope, &[id]).await.expect("the store answers");
        assert_eq!(found.len(), 1, "one answer to one id");
        found.into_iter().next().flatten()
    }

    /// The version of a record, or `None` where it is not there.
    pub(super) async fn version(&self, kind: &'static KindSpec, id: Uuid) -> Option<i64> {
        self.get(kind, id).await.map(|record| record.version)
    }

    /// The value of a field of a record that is there.
    pub(super) async fn value(&self, kind: &'static KindSpec, id: Uuid, field: &str) -> Value {
        let record = self.get(kind, id).await.expect("the record is there");
        record.fields[kind.position(field).expect("a declared field")].clone()
    }

    pub(super) fn query(&self) -> Query {
        Query::new(&ITEM, self.scope)
    }

    pub(super) async fn page(&self, query: Query) -> Page {
        self.store.find(&query).await.expect("the store answers")
    }

    /// The labels of the items that a query finds, in its order.
    pub(super) async fn labels(&self, query: Query) -> Vec<String> {
        labels(&self.page(query).await)
    }

    /// The labels of the items that satisfy a filter, by rising number.
    pub(super) async fn matching(&self, filter: Filter) -> Vec<String> {
        self.labels(self.query().filter(filter)).await
    }

    /// The event log from here on, of this organisation.
    pub(super) async fn log(&self) -> Log {
        let position = self.store.health().await.expect("the store answers").newest;
        Log { store: Arc::clone(&self.store), scope: self.scope, position }
    }
}

/// The labels of items, in the order of a page.
pub(super) fn labels(page: &Page) -> Vec<String> {
    let place = ITEM.position("label").expect("a declared field");
    let label = |record: &Arc<Record>| record.fields[place].as_text().unwrap_or_default().to_owned();
    page.records.iter().map(label).collect()
}

/// A record to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft(Put);

impl Draft {
    pub(super) const fn id(&self) -> Uuid {
        self.0.id
    }

    /// Gives the record an id of the caller's choice.
    pub(super) const fn named(mut self, id: Uuid) -> Self {
        self.0.id = id;
        self
    }

    pub(super) fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        let place = self.0.kind.position(field).unwrap_or_else(|| panic!("no field {field}"));
        self.0.fields[place] = value.into();
        self
    }

    /// Sets the label by which behaviours tell items.
    pub(super) fn label(self, label: &str) -> Self {
        self.set("label", label)
    }

    /// Has full-text search see the words of a text.
    pub(super) fn says(mut self, text: &str) -> Self {
        self.0.words = Some(Words::cut([text]));
        self
    }

    pub(super) fn body(mut self, json: impl Into<Box<str>>) -> Self {
        self.0.body.json = json.into();
        self
    }

    pub(super) fn put(mut self, expect: Expect) -> Put {
        self.0.expect = expect;
        self.0
    }

    pub(super) fn insert(self) -> Write {
        Write::Put(self.put(Expect::Absent))
    }

    pub(super) fn update(self, version: i64) -> Write {
        Write::Put(self.put(Expect::Version(version)))
    }

    pub(super) fn overwrite(self) -> Write {
        Write::Put(self.put(Expect::Anything))
    }
}

/// A reader of the event log that keeps to one organisation.
///
/// A store may show an event a little after its commit, so reading means waiting until it is there.
#[derive(Debug)]
pub(super) struct Log {
    store: Arc<dyn Storage>,
    scope: Scope,
    position: Position,
}

impl Log {
    pub(super) const fn position(&self) -> Position {
        self.position
    }

    /// The next events of the organisation, up to and with the first that an action names.
    pub(super) async fn until(&mut self, action: &str) -> Vec<Logged> {
        let place = EVENT.position("action").expect("a declared field");
        let mut found = Vec::new();
        let reading = async {
            loop {
                for logged in self.store.events(self.position, 500).await.expect("the log can be read") {
                    self.position = logged.position;
                    if logged.record.scope != self.scope {
                        continue;
                    }
                    let last = logged.record.fields[place].as_text() == Some(action);
                    found.push(logged);
                    if last {
                        return;
                    }
                }
                self.store.wait(self.position).await.expect("the log can be waited for");
            }
        };
        let patience = tokio::time::timeout(PATIENCE, reading).await;
        patience.unwrap_or_else(|_| panic!("the event {action} is never logged"));
        found
    }
}

/// The actions of events, in their order.
pub(super) fn actions(events: &[Logged]) -> Vec<&str> {
    let place = EVENT.position("action").expect("a declared field");
    events.iter().map(|logged| logged.record.fields[place].as_text().unwrap_or_default()).collect()
}
