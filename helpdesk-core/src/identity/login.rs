//! What is needed to log in: the names people log in by, and their password hashes.
//!
//! Names are global, because a login does not say which organisation it is for. Hashes are records of their own,
//! so that nothing that lists or shows accounts ever holds one.

use serde::{Deserialize, Serialize};

use super::{OrganisationId, UserId};
use crate::entity_id;
use crate::storage::{Entity, FieldSpec, KindSpec, Row, Stored};

entity_id! {
    /// The id of a log-in name.
    pub LoginId
}

entity_id! {
    /// The id of a password: that of its account.
    pub CredentialId
}

/// A name that somebody logs in by: an address or a user name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// In lower case.
    pub name: String,
    pub organisation: OrganisationId,
    pub user: UserId,
}

impl Entity for Login {
    type Id = LoginId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("login", &[FieldSpec::text("name").unique(), FieldSpec::uuid("user_id")])
            .indexes(&[&["user_id"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        use crate::storage::EntityId as _;
        row.set("name", &self.name);
        row.set("user_id", self.user.uuid());
    }
}

/// A password, as its hash.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// A PHC string, or `None` where no password works until one is set by mail.
    pub hash: Option<String>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("set", &self.hash.is_some()).finish()
    }
}

impl Entity for Credential {
    type Id = CredentialId;

    const SPEC: &'static KindSpec = &KindSpec::new("credential", &[]).of::<Self>();

    fn index(&self, _: &mut Row) {}
}

impl CredentialId {
    pub(crate) fn of(user: UserId) -> Self {
        use crate::storage::EntityId as _;
        Self::from_uuid(user.uuid())
    }
}

/// A log-in name as it is compared.
pub(crate) fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Writes the names of an account out of the store, so that others may take them.
pub(crate) fn release(changes: &mut crate::storage::Changes, logins: &[std::sync::Arc<Stored<Login>>]) {
    logins.iter().for_each(|login| changes.delete(login));
}
