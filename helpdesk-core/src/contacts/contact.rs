//! The contact.

use email_address::EmailAddress;
use serde::{Deserialize, Serialize};

use super::CompanyId;
use crate::entity_id;
use crate::error::{Problem, Problems};
use crate::events::FieldChange;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};
use crate::texts::Texts;

/// The longest texts that are taken, in characters.
const MAX_NAME: usize = 255;
const MAX_EMAIL: usize = 254;
const MAX_PHONE: usize = 50;
const MAX_COMPANY: usize = 255;
const MAX_ROLE: usize = 100;

entity_id! {
    /// The id of a contact.
    pub ContactId
}

/// Somebody outside whom the desk deals with. Whether they have an account makes no difference; the address says
/// which one it would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// What they are called.
    pub name: String,
    /// The address, in lower case; no other contact has it.
    pub email: String,
    /// A telephone number, as somebody wrote it.
    pub phone: Option<String>,
    /// Where they work, in somebody's words.
    pub company: Option<String>,
    /// What they do there.
    pub role: Option<String>,
    /// The company they belong to. One that was deleted is none.
    pub company_id: Option<CompanyId>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// Somebody who becomes a contact.
#[derive(Clone, Debug, Default)]
pub struct NewContact {
    /// What they are called; not empty, at most 255 characters.
    pub name: String,
    /// The address; no other contact may have it.
    pub email: String,
    /// A telephone number; at most 50 characters.
    pub phone: Option<String>,
    /// Where they work; at most 255 characters.
    pub company: Option<String>,
    /// What they do there; at most 100 characters.
    pub role: Option<String>,
    /// The company they belong to.
    pub company_id: Option<CompanyId>,
}

/// What is to be different about a contact; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ContactEdit {
    /// What they are called.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// A telephone number, or none.
    pub phone: Option<Option<String>>,
    /// Where they work, or nothing of it.
    pub company: Option<Option<String>>,
    /// What they do there, or nothing of it.
    pub role: Option<Option<String>>,
    /// The company they belong to, or none.
    pub company_id: Option<Option<CompanyId>>,
}

impl NewContact {
    pub(super) fn into_contact(self) -> Contact {
        let Self { name, email, phone, company, role, company_id } = self;
        Contact { name, email, phone, company, role, company_id, ext: serde_json::Map::new() }
    }
}

impl ContactEdit {
    /// The contact as it becomes.
    pub(super) fn apply(&self, before: &Contact) -> Contact {
        let Self { name, email, phone, company, role, company_id } = self.clone();
        Contact {
            name: name.unwrap_or_else(|| before.name.clone()),
            email: email.unwrap_or_else(|| before.email.clone()),
            phone: phone.unwrap_or_else(|| before.phone.clone()),
            company: company.unwrap_or_else(|| before.company.clone()),
            role: role.unwrap_or_else(|| before.role.clone()),
            company_id: company_id.unwrap_or(before.company_id),
            ext: before.ext.clone(),
        }
    }
}

impl Contact {
    /// Brings the texts into the form that is kept, and says what is wrong with them.
    pub(super) fn tidy(&mut self) -> Problems {
        let mut texts = Texts::default();
        texts.line("name", &mut self.name, MAX_NAME);
        texts.line("email", &mut self.email, MAX_EMAIL);
        self.email = self.email.to_lowercase();
        if !self.email.is_empty() && !EmailAddress::is_valid(&self.email) {
            texts.add("email", Problem::Format("e-mail address"));
        }
        texts.optional("phone", &mut self.phone, MAX_PHONE);
        texts.optional("company", &mut self.company, MAX_COMPANY);
        texts.optional("role", &mut self.role, MAX_ROLE);
        texts.into_problems()
    }

    /// The fields in which it differs from what it was. What is personal is named and not told.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<FieldChange> {
        let hidden = |field: &'static str| FieldChange {
            field: field.into(),
            from: serde_json::Value::Null,
            to: serde_json::Value::Null,
        };
        let mut changes: Vec<_> = [
            ("name", self.name != before.name),
            ("email", self.email != before.email),
            ("phone", self.phone != before.phone),
            ("company", self.company != before.company),
            ("role", self.role != before.role),
        ]
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| hidden(field))
        .collect();
        if self.company_id != before.company_id {
            let id = |id: Option<CompanyId>| serde_json::to_value(id).unwrap_or_default();
            let (from, to) = (id(before.company_id), id(self.company_id));
            changes.push(FieldChange { field: "company_id".into(), from, to });
        }
        changes
    }
}

impl Entity for Contact {
    type Id = ContactId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "contact",
        &[FieldSpec::text("email").unique(), FieldSpec::refers("company", "company")],
    )
    .searched()
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("email", &self.email);
        row.set("company", self.company_id.map(|company| company.uuid()));
    }

    fn searched<'a>(&'a self, texts: &mut Vec<&'a str>) {
        texts.extend([self.name.as_str(), &self.email]);
        texts.extend(self.company.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carla() -> Contact {
        let new = NewContact {
            name: " Carla Contact ".into(),
            email: "Carla@Example.COM".into(),
            phone: Some(" ".into()),
            ..NewContact::default()
        };
        let mut contact = new.into_contact();
        assert!(contact.tidy().is_empty());
        contact
    }

    #[test]
    fn addresses_are_kept_in_lower_case_and_empty_texts_not_at_all() {
        let carla = carla();
        assert_eq!((carla.name.as_str(), carla.email.as_str()), ("Carla Contact", "carla@example.com"));
        assert_eq!(carla.phone, None);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["carla", "@example.com", "carla@", "a b@example.com", "x\0@example.com"] {
            let mut contact = Contact { email: wrong.into(), ..carla() };
            assert!(!contact.tidy().is_empty(), "{wrong:?}");
        }
    }

    #[test]
    fn an_edit_changes_what_it_names_and_tells_nothing_personal() {
        let before = Contact { phone: Some("1".into()), role: Some("Clerk".into()), ..carla() };
        let edit = ContactEdit { phone: Some(None), name: Some("Carl".into()), ..ContactEdit::default() };
        let after = edit.apply(&before);
        assert_eq!(after, Contact { phone: None, name: "Carl".into(), ..before.clone() });
        let changes = after.changed_since(&before);
        let fields: Vec<_> = changes.iter().map(|change| &*change.field).collect();
        assert_eq!(fields, ["name", "phone"]);
        assert!(changes.iter().all(|change| change.from.is_null() && change.to.is_null()));
        assert!(before.changed_since(&before).is_empty());
    }
}
