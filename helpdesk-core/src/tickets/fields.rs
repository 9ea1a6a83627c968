//! The organisation's own fields of tickets: what they are called, and what they may hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::{Problem, Problems};

/// The most fields of an organisation.
pub const MAX_FIELDS: usize = 50;
/// The most choices of a field.
const MAX_CHOICES: usize = 100;
/// The longest key, title and choice, in characters.
const MAX_NAME: usize = 100;
/// The longest text in a field, in characters.
const MAX_TEXT: usize = 2_000;

/// A field that an organisation has given its tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketField {
    /// Its name for programs: lower-case letters, digits and underscores. It stays when the title changes.
    pub key: String,
    /// What people read.
    pub title: String,
    /// What it may hold.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether a ticket can be resolved only when it has a value.
    #[serde(default)]
    pub required_to_solve: bool,
}

/// What a field may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A text of at most 2,000 characters.
    Text,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A day.
    Date,
    /// One of these.
    Choice(Vec<String>),
}

impl FieldKind {
    /// What is wrong with a value.
    fn check(&self, value: &Json) -> Option<Problem> {
        match (self, value) {
            (Self::Text, Json::String(text)) if text.contains('\0') => Some(Problem::NulCharacter),
            (Self::Text, Json::String(text)) if text.chars().count() > MAX_TEXT => {
                Some(Problem::TooLong(MAX_TEXT))
            }
            (Self::Text, Json::String(_)) | (Self::Number, Json::Number(_)) | (Self::Flag, Json::Bool(_)) => {
                None
            }
            // chrono also takes years of other lengths, which no client means.
            (Self::Date, Json::String(text)) if text.len() == 10 && text.parse::<NaiveDate>().is_ok() => None,
            (Self::Choice(choices), Json::String(given)) if choices.contains(given) => None,
            (Self::Text, _) => Some(Problem::Type("a text")),
            (Self::Number, _) => Some(Problem::Type("a number")),
            (Self::Flag, _) => Some(Problem::Type("a truth value")),
            (Self::Date, _) => Some(Problem::Format("date; use YYYY-MM-DD")),
            (Self::Choice(choices), given) => Some(Problem::Choice {
                given: given.as_str().unwrap_or_default().chars().take(50).collect(),
                choices: choices.clone(),
            }),
        }
    }
}

/// What is wrong with fields that are to be had, by their place in the list.
pub(super) fn check_definitions(fields: &[TicketField]) -> Problems {
    let mut problems = Problems::default();
    if fields.len() > MAX_FIELDS {
        problems.add("fields", Problem::TooMany(MAX_FIELDS));
    }
    let mut keys = BTreeSet::new();
    for (place, field) in fields.iter().enumerate() {
        let mut wrong =
            |part: &str, problem: Problem| problems.add(format!("fields.{place}.{part}"), problem);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if field.key.is_empty() || field.key.len() > MAX_NAME || !field.key.chars().all(plain) {
            wrong("key", Problem::Format("key; use lower-case letters, digits and underscores"));
        } else if !keys.insert(&field.key) {
            wrong("key", Problem::Taken("key"));
        }
        if let Some(problem) = named(&field.title) {
            wrong("title", problem);
        }
        if let FieldKind::Choice(choices) = &field.kind {
            if choices.is_empty() {
                wrong("choices", Problem::Required);
            }
            if choices.len() > MAX_CHOICES {
                wrong("choices", Problem::TooMany(MAX_CHOICES));
            }
            if let Some(problem) = choices.iter().find_map(|choice| named(choice)) {
                wrong("choices", problem);
            }
        }
    }
    problems
}

fn named(text: &str) -> Option<Problem> {
    if text.trim().is_empty() {
        Some(Problem::Blank)
    } else if text.chars().count() > MAX_NAME {
        Some(Problem::TooLong(MAX_NAME))
    } else if text.contains('\0') {
        Some(Problem::NulCharacter)
    } else {
        None
    }
}

/// What is wrong with values that a ticket is to be given. `null` takes a value away.
pub(super) fn check_values(fields: &[TicketField], values: &BTreeMap<String, Json>, problems: &mut Problems) {
    for (key, value) in values {
        let problem = match fields.iter().find(|field| field.key == *key) {
            None => Some(Problem::Unknown("field")),
            Some(_) if value.is_null() => None,
            Some(field) => field.kind.check(value),
        };
        if let Some(problem) = problem {
            let field = key.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
            problems.add("fields", Problem::Within { field, problem: Box::new(problem) });
        }
    }
}

/// Says which fields a ticket must have before it is resolved, and has not.
pub(super) fn check_complete(fields: &[TicketField], values: &BTreeMap<String, Json>) -> Problems {
    let mut problems = Problems::default();
    for field in fields.iter().filter(|field| field.required_to_solve && !values.contains_key(&field.key)) {
        let problem = Box::new(Problem::Required);
        problems.add("fields", Problem::Within { field: field.key.clone(), problem });
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(key: &str, kind: FieldKind) -> TicketField {
        TicketField { key: key.into(), title: "Title".into(), kind, required_to_solve: false }
    }

    #[test]
    fn a_value_is_what_its_field_may_hold() {
        let choice = || FieldKind::Choice(vec!["red".into(), "blue".into()]);
        let long = "x".repeat(2_001);
        let cases: &[(FieldKind, &[Json], &[Json])] = &[
            (FieldKind::Text, &[json!(""), json!("ok")], &[json!(1), json!("a\0"), json!(long), json!([])]),
            (FieldKind::Number, &[json!(1), json!(-2.5)], &[json!("1"), json!(true)]),
            (FieldKind::Flag, &[json!(true)], &[json!("true"), json!(0)]),
            (FieldKind::Date, &[json!("2026-02-28")], &[json!("2026-02-30"), json!("tomorrow"), json!(5)]),
            (choice(), &[json!("red")], &[json!("green"), json!(["red"]), json!({})]),
        ];
        for (kind, good, bad) in cases {
            assert!(good.iter().all(|value| kind.check(value).is_none()), "{kind:?}");
            for value in *bad {
                assert!(kind.check(value).is_some(), "{kind:?} {value}");
            }
        }
    }

    #[test]
    fn only_what_is_defined_is_taken() {
        let fields = [field("colour", FieldKind::Text)];
        let check = |values: Json| {
            let mut problems = Problems::default();
            let values = serde_json::from_value(values).expect("a map");
            check_values(&fields, &values, &mut problems);
            problems
        };
        assert!(check(json!({"colour": "red"})).is_empty());
        assert!(check(json!({"colour": null})).is_empty());
        assert!(!check(json!({"size": 1})).is_empty());
        assert!(!check(json!({"size": null})).is_empty());
    }

    #[test]
    fn what_must_be_known_is_asked_for() {
        let fields = [
            TicketField { required_to_solve: true, ..field("cause", FieldKind::Text) },
            field("x", FieldKind::Flag),
        ];
        assert!(!check_complete(&fields, &BTreeMap::new()).is_empty());
        assert!(check_complete(&fields, &BTreeMap::from([("cause".into(), json!("dust"))])).is_empty());
    }

    #[test]
    fn definitions_are_bounded_and_unlike_one_another() {
        let good = [field("a_1", FieldKind::Text), field("b", FieldKind::Choice(vec!["x".into()]))];
        assert!(check_definitions(&good).is_empty());
        for bad in [
            vec![field("", FieldKind::Text)],
            vec![field("Big", FieldKind::Text)],
            vec![field("a", FieldKind::Text), field("a", FieldKind::Flag)],
            vec![field("a", FieldKind::Choice(Vec::new()))],
            vec![field("a", FieldKind::Choice(vec![" ".into()]))],
            vec![TicketField { title: " ".into(), ..field("a", FieldKind::Text) }],
            (0..=MAX_FIELDS).map(|number| field(&format!("f{number}"), FieldKind::Flag)).collect(),
        ] {
            assert!(!check_definitions(&bad).is_empty(), "{bad:?}");
        }
    }
}
