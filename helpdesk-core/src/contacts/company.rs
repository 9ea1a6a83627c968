//! The company: an organisation that contacts and customers belong to, within the desk's own organisation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::storage::{Entity, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a company.
    pub CompanyId
}

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
