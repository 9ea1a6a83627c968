//! Looking into JSON, and comparing its shape.

use serde_json::{Map, Value};

/// The value at a JSON pointer, in which `*` collects over a list.
#[must_use]
pub fn at(value: &Value, pointer: &str) -> Option<Value> {
    let Some(rest) = pointer.strip_prefix('/') else {
        return pointer.is_empty().then(|| value.clone());
    };
    let (segment, below) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let segment = segment.replace("~1", "/").replace("~0", "~");
    match value {
        Value::Array(items) if segment == "*" => items.iter().map(|item| at(item, below)).collect(),
        Value::Array(items) => at(items.get(segment.parse::<usize>().ok()?)?, below),
        Value::Object(fields) => at(fields.get(&segment)?, below),
        _ => None,
    }
}

/// Sets the value at a JSON pointer whose parent exists.
pub fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.insert(last.to_owned(), new)),
        Some(Value::Array(items)) => {
            if let Some(item) = last.parse::<usize>().ok().and_then(|place| items.get_mut(place)) {
                *item = new;
            }
        }
        _ => {}
    }
}

/// The first value under a key, at any depth.
#[must_use]
pub fn search<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => {
            let below = || fields.values().find_map(|part| search(part, key));
            fields.get(key).filter(|found| !found.is_null()).or_else(below)
        }
        Value::Array(items) => items.iter().find_map(|part| search(part, key)),
        _ => None,
    }
}

/// A value as it stands in a path, a query or a form.
#[must_use]
pub fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The type of a value, in JSON's words.
#[must_use]
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Where an answer lacks a key of the example or has a value of another type. What is null in the example may be
/// anything; `nullable` are the pointers at which the answer may be null.
#[must_use]
pub fn differences(example: &Value, answer: &Value, nullable: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    compare(example, answer, nullable, "", &mut found);
    found
}

fn compare(example: &Value, answer: &Value, nullable: &[String], pointer: &str, found: &mut Vec<String>) {
    let may_be_null = || nullable.iter().any(|other| other == pointer);
    if example.is_null() || (answer.is_null() && may_be_null()) {
        return;
    }
    match (example, answer) {
        (Value::Object(fields), Value::Object(answers)) => {
            for (key, part) in fields {
                let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                match answers.get(key) {
                    Some(answer) => compare(part, answer, nullable, &below, found),
                    None => found.push(format!("{below} is missing")),
                }
            }
        }
        (Value::Array(examples), Value::Array(answers)) => {
            // Every element is of the one type that the example shows.
            if let Some(example) = examples.first() {
                for answer in answers {
                    compare(example, answer, nullable, &format!("{pointer}/0"), found);
                }
            }
        }
        _ if kind(example) == kind(answer) => {}
        _ => {
            let place = if pointer.is_empty() { "/" } else { pointer };
            found.push(format!("{place} is {}, not {}", kind(answer), kind(example)));
        }
    }
}

/// The shape of an error, in which the objects that name fields may hold anything.
#[must_use]
pub fn relaxed(shape: &Value) -> Value {
    let Value::Object(fields) = shape else { return shape.clone() };
    let relaxed = fields.iter().map(|(key, value)| {
        let free = value.is_object() && matches!(key.as_str(), "details" | "field_errors");
        (key.clone(), if free { Value::Null } else { relaxed(value) })
    });
    Value::Object(relaxed.collect::<Map<_, _>>())
}
