//! A database for each test file, on the server that `scripts/test` started.

use std::sync::Arc;

use helpdesk_core::storage::{Schema, Storage};
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// Where the test server is.
pub(crate) fn server() -> String {
    std::env::var("HELPDESK_TEST_DATABASE_URL").expect(
        "HELPDESK_TEST_DATABASE_URL names a PostgreSQL server where databases may be made; scripts/test starts one",
    )
}

/// A new, empty database.
pub(crate) async fn database(purpose: &str) -> String {
    let server = server();
    let name = format!("test_{purpose}_{}", std::process::id());
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a database can be made");
    }
    let (scheme, rest) = server.split_once("://").expect("an address");
    let host = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{host}/{name}")
}

/// A store for the calling test, on a database that all tests of the file share.
pub(crate) async fn store(purpose: &'static str, schema: Schema) -> Arc<dyn Storage> {
    static URL: OnceCell<String> = OnceCell::const_new();
    let url = URL
        .get_or_init(|| async {
            let url = database(purpose).await;
            let settings = PostgresSettings::parse(&url).expect("an address");
            PostgresStorage::migrate(&settings, &schema).await.expect("the tables are made");
            url
        })
        .await;
    let settings = PostgresSettings::parse(url).expect("an address").connections(8);
    Arc::new(PostgresStorage::open(&settings, schema).await.expect("the store opens"))
}
