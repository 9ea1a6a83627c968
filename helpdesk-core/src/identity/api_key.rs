//! API keys: how programs come in.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{OrganisationId, Permissions, UserId};
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of an API key.
    pub ApiKeyId
}

/// A key for a program. Only its hash is stored; the key itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What it is for.
    pub name: String,
    /// The organisation it lets into.
    pub organisation: OrganisationId,
    /// What it may do.
    pub permissions: Arc<Permissions>,
    /// When it stops working.
    pub expires: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked: Option<DateTime<Utc>>,
    /// Who made it.
    pub made_by: Option<UserId>,
    pub(crate) hash: String,
}

impl ApiKey {
    /// Whether it works at an instant.
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

impl Entity for ApiKey {
    type Id = ApiKeyId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("api_key", &[FieldSpec::text("hash").unique(), FieldSpec::uuid("organisation_id")])
            .indexes(&[&["organisation_id"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("hash", &self.hash);
        row.set("organisation_id", self.organisation.uuid());
    }
}
