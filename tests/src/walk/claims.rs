//! What must hold of an answer.

use serde_json::Value;

use crate::client::Reply;
use crate::contract::Claim;
use crate::json::{as_text, at};

/// Why a claim does not hold of an answer, or `None`. The values that it is tested against are filled in already.
pub(super) fn broken(claim: &Claim, reply: &Reply) -> Option<String> {
    let (place, value) = match (&claim.pointer, &claim.header) {
        (Some(pointer), _) => (pointer, at(&reply.json(), pointer)),
        (None, Some(header)) => {
            let value = reply.headers.get(header).and_then(|value| value.to_str().ok());
            (header, value.map(|value| Value::String(value.to_owned())))
        }
        (None, None) => return Some("it names neither a pointer nor a header".into()),
    };
    let absent_is_right = claim.optional || claim.tests.get("present") == Some(&Value::Bool(false));
    let Some(value) = value else {
        return (!absent_is_right).then(|| format!("{place} is missing"));
    };
    claim.tests.iter().find_map(|(test, wanted)| {
        let holds = holds(test, wanted, &value);
        let problem =
            || format!("{place} is {:.80}, against {test} {:.80}", as_text(&value), as_text(wanted));
        match holds {
            Some(true) => None,
            Some(false) => Some(problem()),
            None => Some(format!("nobody knows the test {test}")),
        }
    })
}

/// Whether a test holds, or `None` where there is no such test.
fn holds(test: &str, wanted: &Value, value: &Value) -> Option<bool> {
    let length = match value {
        Value::Array(items) => Some(items.len()),
        Value::String(text) => Some(text.chars().count()),
        _ => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "these are counts of a test's records")]
    let size = length.map(|length| length as f64).or_else(|| value.as_f64());
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let contains = || match value {
        Value::Array(items) => items.contains(wanted),
        Value::String(text) => wanted.as_str().is_some_and(|part| text.contains(part)),
        Value::Object(fields) => wanted.as_str().is_some_and(|key| fields.contains_key(key)),
        _ => false,
    };
    Some(match test {
        "equals" => value == wanted,
        "not_equals" => value != wanted,
        "one_of" => wanted.as_array().is_some_and(|choices| choices.contains(value)),
        "present" => wanted == &Value::Bool(true),
        "contains" => contains(),
        "not_contains" => !contains(),
        "every" => value.is_array() && list.iter().all(|item| item == wanted),
        "length" => length.is_some_and(|length| wanted.as_u64() == Some(length as u64)),
        "at_least" => size.zip(wanted.as_f64()).is_some_and(|(size, least)| size >= least),
        "at_most" => size.zip(wanted.as_f64()).is_some_and(|(size, most)| size <= most),
        "sorted" => in_order(list, wanted == "desc"),
        "distinct" => {
            let mut texts: Vec<_> = list.iter().map(Value::to_string).collect();
            texts.sort_unstable();
            texts.dedup();
            (texts.len() == list.len()) == (wanted == &Value::Bool(true))
        }
        _ => return None,
    })
}

fn in_order(list: &[Value], descending: bool) -> bool {
    list.is_sorted_by(|a, b| {
        let (a, b) = if descending { (b, a) } else { (a, b) };
        match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.as_f64() <= b.as_f64(),
            (a, b) => as_text(a) <= as_text(b),
        }
    })
}
