//! PostgreSQL does what the storage port promises.

mod support;

use std::sync::Arc;

use helpdesk_core::storage::Storage;
use helpdesk_core::storage::conformance::schema;

async fn store() -> Arc<dyn Storage> {
    support::store("conformance", schema()).await
}

helpdesk_core::conformance_suite!(store);
