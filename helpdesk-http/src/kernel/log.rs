//! One line in the log for each request, without anything that is nobody's business.

use std::time::Duration;

use helpdesk_core::Chain;
use http::StatusCode;

use super::call::Head;
use super::failure::Failure;

/// Logs a request that was answered. Path parameters, queries, headers and bodies are left out: they may hold
/// tokens and names.
pub(crate) fn answered(head: &Head, dialect: &str, operation: &str, status: StatusCode, took: Duration) {
    tracing::info!(
        request = head.request_id,
        dialect,
        operation,
        method = head.method.as_str(),
        status = status.as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
}

/// Logs why a request failed, where that is not the client's doing.
pub(crate) fn failed(head: &Head, operation: &str, failure: &Failure) {
    if matches!(failure, Failure::Panicked) {
        // What it said stands where the process's panics go.
        tracing::error!(request = head.request_id, operation, "an operation panicked");
    } else if let Some(error) = failure.source() {
        tracing::error!(request = head.request_id, operation, error = %Chain(error), "an operation failed");
    }
}
