//! What all dialects share: connections, the headers of every answer, failures, limits, documents, the end.

mod answers;
mod connections;
mod cors;
mod documents;
mod failures;
mod health;
mod limits;
mod mounts;
mod probe;
mod shutdown;

use helpdesk_tests::client::Reply;

/// What of the headers of every answer an answer lacks.
fn lacks(reply: &Reply) -> Vec<&'static str> {
    let wanted = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", ""),
        ("content-security-policy", "default-src 'none'"),
        ("x-request-id", ""),
    ];
    let lacking = wanted.iter().filter(|(name, value)| {
        let header = reply.header(name);
        header.is_empty() || !header.starts_with(value)
    });
    lacking.map(|(name, _)| *name).collect()
}
