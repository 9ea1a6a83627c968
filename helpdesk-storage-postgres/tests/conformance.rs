//! PostgreSQL does what the storage port promises.

mod support;

use std::sync::Arc;

use helpdesk_core::storage::Storage;
use helpdesk_core::storage::conformance::schema;
use helpdesk_storage_postgres::{PostgresSettings, PostgresStorage};
use tokio::sync::OnceCell;

/// A store for the calling test, on a database that all tests of this file share.
async fn store() -> Arc<dyn Storage> {
    static URL: OnceCell<String> = OnceCell::const_new();
    let url = URL
        .get_or_init(|| async {
            let url = support::database("conformance").await;
            let settings = PostgresSettings::parse(&url).expect("an address");
            PostgresStorage::migrate(&settings, &schema()).await.expect("the tables are made");
            url
        })
        .await;
    let settings = PostgresSettings::parse(url).expect("an address").connections(8);
    Arc::new(PostgresStorage::open(&settings, schema()).await.expect("the store opens"))
}

helpdesk_core::conformance_suite!(store);
