//! The oracle is held to the suite as any other store is: it must be right where others are compared with it.

use std::sync::Arc;

use helpdesk_core::storage::Storage;
use helpdesk_core::storage::conformance::{Oracle, schema};

async fn oracle() -> Arc<dyn Storage> {
    Arc::new(Oracle::new(schema()))
}

helpdesk_core::conformance_suite!(oracle);
