//! What several tests need: a world with two organisations, well-formed calls of every operation, and the shape of
//! refusals.

mod rights;
mod samples;
mod world;

use helpdesk_tests::client::Reply;
use helpdesk_tests::contract::Contract;
use helpdesk_tests::dialects::Spoken;
use helpdesk_tests::json::{differences, relaxed};
use serde_json::Value;

pub(crate) use self::rights::Rights;
pub(crate) use self::samples::{Payload, Sample, Thing, Whose, sample};
pub(crate) use self::world::{ELSEWHERE, PASSWORD, World};

/// What is wrong with an answer that should be a refusal in a dialect's own shape.
pub(crate) fn refusal_problems(spoken: &Spoken, reply: &Reply) -> Vec<String> {
    if !(400..500).contains(&reply.status) {
        return vec![format!("status {}: {}", reply.status, reply.excerpt())];
    }
    shape_problems(spoken, reply)
}

/// What is wrong with the shape of an answer that is no success, whoever is to blame.
pub(crate) fn shape_problems(spoken: &Spoken, reply: &Reply) -> Vec<String> {
    let mut problems = Vec::new();
    if reply.media_type() != "application/json" {
        problems.push(format!("content type {:?}", reply.media_type()));
    }
    let shape = relaxed(&Contract::read(spoken.contract).errors_shape);
    problems.extend(differences(&shape, &reply.json(), &[]));
    if let Some(fields) = reply.json().pointer(spoken.problems_at) {
        let mut lists = fields.as_object().into_iter().flat_map(serde_json::Map::values);
        let texts = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        if !fields.is_object() || !lists.all(texts) {
            problems.push(format!("{} does not name texts by field", spoken.problems_at));
        }
    }
    if reply.status == 401 && reply.header("www-authenticate") != "Bearer" {
        problems.push("no WWW-Authenticate".into());
    }
    if reply.header("x-content-type-options") != "nosniff" || reply.header("x-request-id").is_empty() {
        problems.push("headers that every answer has are missing".into());
    }
    problems
}

/// Ends the test where there are problems, and tells all of them.
pub(crate) fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
