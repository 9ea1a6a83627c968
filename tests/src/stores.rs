//! The stores that every test runs on, and a watch over them.
//!
//! A store is added with a function that makes an empty one, and a test in [`test_on_each_store!`]; every test of the
//! package then runs on it. Tests run beside one another, so what the function makes must be shared with nobody: for a
//! database, a schema or a database of its own. If this machine may lack what a store needs, its test says so aloud
//! and ends.
//!
//! [`test_on_each_store!`]: crate::test_on_each_store

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use helpdesk::storage::{
    Batch, Claim, Claimed, Committed, Figures, Health, KindSpec, Logged, Page, Position, Query, Record,
    Scope, Storage, StorageError, Tally,
};
use helpdesk::{BlobError, Blobs, Helpdesk, MemoryBlobs, MemoryStorage, PostgresSettings, PostgresStorage};
use parking_lot::RwLock;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Makes an empty store.
pub type NewStore = fn() -> Pin<Box<dyn Future<Output = Arc<dyn Storage>> + Send>>;

/// The embedded store.
#[must_use]
pub fn memory() -> Pin<Box<dyn Future<Output = Arc<dyn Storage>> + Send>> {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new(Helpdesk::schema()));
    Box::pin(std::future::ready(storage))
}

/// PostgreSQL, with a database for each test on the server that `HELPDESK_TEST_DATABASE_URL` names.
#[must_use]
pub fn postgres() -> Pin<Box<dyn Future<Output = Arc<dyn Storage>> + Send>> {
    Box::pin(async {
        let url = database().await.expect("databases can be made on the test server");
        let settings = PostgresSettings::parse(&url).expect("an address").connections(8);
        let storage = PostgresStorage::open(&settings, Helpdesk::schema()).await.expect("the store opens");
        Arc::new(storage) as Arc<dyn Storage>
    })
}

/// The address of a new database with empty tables: a copy of one that is made once.
///
/// # Errors
///
/// Where none can be made on the test server.
pub async fn database() -> Result<String, sqlx::Error> {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let template = TEMPLATE.get_or_try_init(template).await?;
    let name = format!("{template}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    run(format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
    Ok(address(&name))
}

async fn template() -> Result<String, sqlx::Error> {
    let name = format!("end_to_end_{}", std::process::id());
    run(format!("CREATE DATABASE {name}")).await?;
    let settings = PostgresSettings::parse(&address(&name)).expect("an address");
    PostgresStorage::migrate(&settings, &Helpdesk::schema()).await.expect("the tables are made");
    Ok(name)
}

/// Runs a statement on the test server.
async fn run(sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&server()).await?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    connection.close().await
}

fn server() -> String {
    std::env::var("HELPDESK_TEST_DATABASE_URL").expect(
        "HELPDESK_TEST_DATABASE_URL names a PostgreSQL server where databases may be made; scripts/test starts one",
    )
}

/// The address of a database on the test server.
fn address(name: &str) -> String {
    let server = server();
    format!("{}/{name}", server.rsplit_once('/').map_or(&*server, |(host, _)| host))
}

/// One test for each store, named like it. Each calls the function that it is given with what makes a store.
#[macro_export]
macro_rules! test_on_each_store {
    ($test:path) => {
        #[tokio::test]
        async fn memory() {
            $test($crate::stores::memory).await;
        }

        #[tokio::test]
        async fn postgres() {
            $test($crate::stores::postgres).await;
        }
    };
}

/// What a store does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// What it should.
    Well,
    /// It cannot be reached.
    Down,
    /// It panics when records are read or written. Workers still find that there is nothing to do.
    Panics,
}

/// A store that is watched: how often something was written to it, and whether it is well.
#[derive(Debug)]
pub struct Watched {
    inner: Arc<dyn Storage>,
    commits: AtomicU64,
    under_way: AtomicU64,
    mood: RwLock<Mood>,
}

impl Watched {
    /// Watches a store.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            commits: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            mood: RwLock::new(Mood::Well),
        }
    }

    /// How many batches were committed. What changes nothing is never committed, so two equal counts mean that
    /// nothing was stored between them.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Whether a commit is under way. What it changes may be seen a moment before it is counted.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) > 0
    }

    /// Says what it does from now on.
    pub fn be(&self, mood: Mood) {
        *self.mood.write() = mood;
    }

    /// The store, for what a worker asks.
    fn there(&self) -> Result<&dyn Storage, StorageError> {
        if *self.mood.read() == Mood::Down {
            return Err(StorageError::Unavailable { source: "the test took it down".into() });
        }
        Ok(&*self.inner)
    }

    /// The store, for records.
    fn records(&self) -> Result<&dyn Storage, StorageError> {
        assert_ne!(*self.mood.read(), Mood::Panics, "as the test wants");
        self.there()
    }
}

/// Counts a commit for as long as it is waited for, which may end before the commit does.
struct UnderWay<'a>(&'a AtomicU64);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Storage for Watched {
    async fn get(
        &self,
        kind: &'static KindSpec,
        scope: Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<Record>>>, StorageError> {
        self.records()?.get(kind, scope, ids).await
    }

    async fn find(&self, query: &Query) -> Result<Page, StorageError> {
        self.records()?.find(query).await
    }

    async fn tally(&self, tally: &Tally) -> Result<Vec<Figures>, StorageError> {
        self.records()?.tally(tally).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, StorageError> {
        let store = self.records()?;
        let _under_way = UnderWay::new(&self.under_way);
        let committed = store.commit(batch).await?;
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(committed)
    }

    async fn outcome(&self, batch: Uuid) -> Result<Option<Committed>, StorageError> {
        self.records()?.outcome(batch).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StorageError> {
        self.there()?.claim(claim).await
    }

    async fn events(&self, after: Position, limit: usize) -> Result<Vec<Logged>, StorageError> {
        self.there()?.events(after, limit).await
    }

    async fn wait(&self, after: Position) -> Result<(), StorageError> {
        self.inner.wait(after).await
    }

    async fn health(&self) -> Result<Health, StorageError> {
        self.there()?.health().await
    }
}

/// Files in memory, counted.
#[derive(Debug, Default)]
pub struct WatchedBlobs {
    inner: MemoryBlobs,
    kept: AtomicU64,
}

impl WatchedBlobs {
    /// How many files are kept.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Blobs for WatchedBlobs {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        self.kept.fetch_add(1, Ordering::SeqCst);
        self.inner.put(key, content).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        self.inner.get(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        if self.inner.get(key).await?.is_some() {
            self.kept.fetch_sub(1, Ordering::SeqCst);
        }
        self.inner.delete(key).await
    }
}
