//! Databases on the server that `scripts/test` started.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Where the test server is. Without one, tests fail: those that are left out look like those that pass.
pub(crate) fn server() -> String {
    std::env::var("HELPDESK_TEST_DATABASE_URL").expect(
        "HELPDESK_TEST_DATABASE_URL names a PostgreSQL server where databases may be made; scripts/test starts one",
    )
}

/// A new, empty database.
pub(crate) async fn database(purpose: &str) -> String {
    database_on(&server(), purpose).await
}

/// A new, empty database on a given server.
pub(crate) async fn database_on(server: &str, purpose: &str) -> String {
    let name = format!("test_{purpose}_{}", std::process::id());
    let mut connection = PgConnection::connect(server).await.expect("the test server answers");
    for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a database can be made");
    }
    let (scheme, rest) = server.split_once("://").expect("an address");
    let (host, options) = rest.split_once('?').unwrap_or((rest, ""));
    let host = host.split('/').next().unwrap_or(host);
    let options = if options.is_empty() { String::new() } else { format!("?{options}") };
    format!("{scheme}://{host}/{name}{options}")
}
