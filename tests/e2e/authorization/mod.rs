//! Who may do what, read from the dialects' own tables: an operation that is added later is tested as it stands, and
//! one that nobody has thought of here fails.

mod permissions;
mod records;
mod sessions;
mod unknown;

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::dialects::Spoken;

use crate::support::{World, refusal_problems};

/// Sends what must be refused with one of the statuses, in the dialect's shape, without anything being stored.
/// Answers what is wrong.
async fn refused(
    world: &World,
    spoken: &Spoken,
    what: &str,
    request: Request,
    statuses: &[u16],
) -> Vec<String> {
    let before = world.server.stored().await;
    let reply = world.server.client.send(request).await;
    let mut problems = refusal_problems(spoken, &reply);
    if !statuses.contains(&reply.status) {
        problems.push(format!("status {}, not {statuses:?}: {}", reply.status, reply.excerpt()));
    }
    if world.server.stored().await != before {
        problems.push("something was stored".into());
    }
    problems.into_iter().map(|problem| format!("{what}: {problem}")).collect()
}

/// What is wrong with an answer that should be anything but a refusal of the caller.
fn let_in(what: &str, reply: &Reply) -> Option<String> {
    let kept_out = matches!(reply.status, 401 | 403) || reply.status >= 500;
    kept_out.then(|| format!("{what}: status {}: {}", reply.status, reply.excerpt()))
}
