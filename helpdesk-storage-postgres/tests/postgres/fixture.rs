//! What the tests share: databases of their own, drafts of records, and ways to wait.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use helpdesk_core::events::EVENT;
use helpdesk_core::storage::{
    Batch, Body, Committed, Expect, FieldSpec, JOB, JobOp, KindSpec, Logged, Mode, NewJob, Position, Put,
    Schema, Scope, Storage, Value, Write,
};
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use crate::support;

/// How long anything is waited for. Only ever by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The locks of this database, and of no other on the server.
pub(crate) const LOCKS: &str = "(SELECT * FROM pg_locks
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks";

/// Something to refer to.
pub(crate) static SHELF: KindSpec = KindSpec::new("shelf", &[FieldSpec::text("name")]);

/// Numbered without gaps, and under a name that SQL keeps for itself.
pub(crate) static CASE: KindSpec = KindSpec::new(
    "case",
    &[FieldSpec::text("state"), FieldSpec::text("code").unique(), FieldSpec::refers("shelf", "shelf")],
)
.dense();

/// Overwritten without asking.
pub(crate) static PRESENCE: KindSpec =
    KindSpec::new("presence", &[FieldSpec::text("mood")]).mode(Mode::Quiet);

pub(crate) fn schema() -> Schema {
    Schema::new([&SHELF, &CASE, &PRESENCE, &EVENT, &JOB])
}

/// An id that nobody had before.
pub(crate) fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static HASHES: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(HASHES[0].hash_one(next), HASHES[1].hash_one(next))
}

/// So many seconds after the moment at which everything happens.
pub(crate) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_736_931_600 + second, 0).expect("an instant of this century")
}

/// Waits for something that happens unless the test fails.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("{what}: in vain"))
}

/// Looks until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    within(what, async {
        while !look().await {
            // A pace, and not a guess at how long it takes.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The same, where one session looks.
pub(crate) async fn until_sql(session: &mut PgConnection, what: &str, sql: &str) {
    within(what, async {
        while !ask::<bool>(session, sql).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The one value that a statement answers.
pub(crate) async fn ask<T>(session: &mut PgConnection, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let answer = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(session).await;
    answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Runs statements in a session.
pub(crate) async fn run(session: &mut PgConnection, sql: &str) {
    let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await;
    ran.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A database with one organisation in it.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) url: String,
    pub(crate) scope: Scope,
}

impl Desk {
    /// A new database with the tables of [`schema`].
    pub(crate) async fn new(purpose: &str) -> Self {
        Self::at(support::database(purpose).await).await
    }

    /// The same in a database that is there.
    pub(crate) async fn at(url: String) -> Self {
        let desk = Self { url, scope: Scope::organisation(fresh()) };
        PostgresStorage::migrate(&desk.settings(), &schema()).await.expect("the tables are made");
        desk
    }

    pub(crate) fn settings(&self) -> PostgresSettings {
        PostgresSettings::parse(&self.url).expect("an address").connections(12)
    }

    /// One more node on the database.
    pub(crate) async fn open(&self) -> Arc<PostgresStorage> {
        Arc::new(PostgresStorage::open(&self.settings(), schema()).await.expect("the store opens"))
    }

    /// A session that has nothing to do with any store.
    pub(crate) async fn session(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("the database answers")
    }

    pub(crate) fn put(&self, kind: &'static KindSpec, id: Uuid, fields: &[(&str, Value)]) -> Put {
        let mut values = vec![Value::Null; kind.fields.len()].into_boxed_slice();
        for (name, value) in fields {
            values[kind.position(name).expect("a declared field")] = value.clone();
        }
        let body = Body { version: kind.body_version, json: "{}".into() };
        Put { kind, scope: self.scope, id, expect: Expect::Absent, fields: values, words: None, body }
    }

    pub(crate) fn insert(&self, kind: &'static KindSpec, id: Uuid, fields: &[(&str, Value)]) -> Write {
        Write::Put(self.put(kind, id, fields))
    }

    pub(crate) fn event(&self, action: &str) -> Put {
        self.put(&EVENT, fresh(), &[("action", action.into()), ("subject_kind", "case".into())])
    }

    pub(crate) fn enqueue(&self, key: &str) -> JobOp {
        JobOp::Enqueue(NewJob {
            id: fresh(),
            scope: self.scope,
            key: key.to_owned(),
            name: "work".to_owned(),
            payload: "{}".into(),
            due: at(0),
        })
    }

    pub(crate) fn batch(&self) -> Batch {
        Batch::new(fresh(), at(0))
    }

    pub(crate) fn writes(&self, writes: impl IntoIterator<Item = Write>) -> Batch {
        Batch { writes: writes.into_iter().collect(), ..self.batch() }
    }

    /// A batch that only logs.
    pub(crate) fn logs<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> Batch {
        Batch { events: actions.into_iter().map(|action| self.event(action)).collect(), ..self.batch() }
    }
}

/// Commits a batch that must go through.
pub(crate) async fn commit(store: &PostgresStorage, batch: Batch) -> Committed {
    within("a commit", store.commit(batch)).await.expect("the batch is committed")
}

pub(crate) fn action(logged: &Logged) -> String {
    let place = EVENT.position("action").expect("a declared field");
    logged.record.fields[place].as_text().unwrap_or_default().to_owned()
}

/// Follows the log from its beginning until it has so many events.
pub(crate) async fn follow(store: &PostgresStorage, count: usize) -> Vec<(Position, String)> {
    let mut read: Vec<(Position, String)> = Vec::new();
    within("events", async {
        while read.len() < count {
            let after = read.last().map(|(position, _)| *position).unwrap_or_default();
            // The connection may be lost, as with any read; nothing is skipped by asking again.
            for logged in store.events(after, 7).await.unwrap_or_default() {
                read.push((logged.position, action(&logged)));
            }
            if read.len() < count {
                store
                    .wait(read.last().map(|(position, _)| *position).unwrap_or_default())
                    .await
                    .expect("a wait");
            }
        }
    })
    .await;
    read
}
