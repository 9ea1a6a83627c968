//! The embedded store does what every store must do.

use std::sync::Arc;

use helpdesk_core::storage::Storage;
use helpdesk_core::storage::conformance::schema;
use helpdesk_storage_memory::MemoryStorage;

async fn memory() -> Arc<dyn Storage> {
    Arc::new(MemoryStorage::new(schema()))
}

helpdesk_core::conformance_suite!(memory);
