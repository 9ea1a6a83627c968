//! The company: an organisation that contacts and customers belong to, within the desk's own organisation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entity_id;
use crate::error::{Problem, Problems};
use crate::storage::{Entity, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a company.
    pub CompanyId
}

/// The most bytes of a company's settings, as JSON.
pub const MAX_SETTINGS: usize = 16 * 1024;
/// How deep objects and lists may stand in one another there.
const MAX_DEPTH: usize = 16;
/// The longest name that is taken, in characters.
const MAX_NAME: usize = 200;

/// An organisation of customers. Not a tenant: it belongs to the organisation that runs the desk, as every record does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// What it is called.
    pub name: String,
    /// The domain of its addresses, in lower case; no other company that is still there has it.
    pub domain: Option<String>,
    /// What the desk keeps of it, in any form.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// When it was deleted. Who belonged to it belongs to none from then on.
    pub deleted: Option<DateTime<Utc>>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Company {
    /// What is wrong with its name, domain and settings.
    pub(super) fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        if self.name.is_empty() {
            problems.add("name", Problem::Blank);
        } else if self.name.chars().count() > MAX_NAME {
            problems.add("name", Problem::TooLong(MAX_NAME));
        } else if self.name.contains('\0') {
            problems.add("name", Problem::NulCharacter);
        }
        if self.domain.as_deref().is_some_and(|domain| !is_domain(domain)) {
            problems.add("domain", Problem::Format("domain name"));
        }
        if !self.settings.values().all(|value| is_shallow(value, MAX_DEPTH - 1)) {
            problems.add("settings", Problem::Format("object: it is too deep"));
        } else if self.settings.iter().any(|(key, value)| key.contains('\0') || has_nul(value)) {
            problems.add("settings", Problem::NulCharacter);
        } else if serde_json::to_vec(&self.settings).is_ok_and(|json| json.len() > MAX_SETTINGS) {
            problems.add("settings", Problem::TooLong(MAX_SETTINGS));
        }
        problems
    }
}

/// Whether a text is the name of a domain, in lower case: names of letters, digits and hyphens, at least two, and the
/// last one no number.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !last.chars().all(|c| c.is_ascii_digit())
}

/// Whether lists and objects stand in one another no deeper than so many times.
fn is_shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| is_shallow(item, depth - 1)),
        Value::Object(fields) => depth > 0 && fields.values().all(|field| is_shallow(field, depth - 1)),
        _ => true,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, field)| key.contains('\0') || has_nul(field)),
        _ => false,
    }
}

impl Entity for Company {
    type Id = CompanyId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "company",
        &[
            FieldSpec::text("name").uncounted(),
            FieldSpec::text("domain").unique(),
            FieldSpec::flag("deleted"),
        ],
    )
    .indexes(&[&["name"]])
    .searched()
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("name", self.name.to_lowercase());
        row.set("domain", self.domain.as_deref().filter(|_| self.deleted.is_none()));
        row.set("deleted", self.deleted.is_some());
    }

    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        texts.push(&self.name);
        texts.extend(self.domain.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_domain_is_the_name_of_a_host_in_lower_case() {
        for right in ["acme.example", "a.b", "mail.acme-2.co.uk", "xn--mller-kva.de", "1.example"] {
            assert!(is_domain(right), "{right}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for wrong in
            ["", "acme", "Acme.example", "acme.example.", ".acme", "a..b", "-a.b", "a-.b", "a b.c", "1.2.3.4"]
                .into_iter()
                .chain([long.as_str(), "a_b.c", "müller.de", "a.b/c", "a@b.c"])
        {
            assert!(!is_domain(wrong), "{wrong}");
        }
    }

    #[test]
    fn settings_are_bounded_in_depth_and_size() {
        let company = |settings: Value| Company {
            name: "Acme".into(),
            domain: None,
            settings: settings.as_object().cloned().unwrap_or_default(),
            deleted: None,
            ext: serde_json::Map::new(),
        };
        let nested = |depth| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(company(nested(16)).problems().is_empty());
        assert!(!company(nested(17)).problems().is_empty());
        assert!(company(json!({ "a": "x".repeat(16_000) })).problems().is_empty());
        assert!(!company(json!({ "a": "x".repeat(16_400) })).problems().is_empty());
        assert!(!company(json!({ "a": [{ "b\0": 1 }] })).problems().is_empty());
        assert!(!company(json!({ "a": ["b\0"] })).problems().is_empty());
    }
}
