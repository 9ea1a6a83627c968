//! The upload.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Who;
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of an upload.
    pub UploadId
}

/// A file that belongs to nothing yet but to who brought it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The file's name, without any path.
    pub name: String,
    /// The type of its content.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Who brought it. Nobody else sees it.
    pub uploaded_by: Who,
    /// Where its content is kept.
    pub blob: String,
    /// When it is forgotten.
    pub expires: DateTime<Utc>,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Upload {
    /// Where the content of an upload is kept.
    pub(super) fn key(organisation: crate::identity::OrganisationId, id: Uuid) -> String {
        format!("{organisation}/uploads/{id}")
    }
}

impl Entity for Upload {
    type Id = UploadId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("upload", &[FieldSpec::uuid("owner")]).indexes(&[&["owner"]]).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set(
            "owner",
            match self.uploaded_by {
                Who::User(id) => Some(id.uuid()),
                Who::ApiKey(id) => Some(id.uuid()),
                Who::Anonymous | Who::System => None,
            },
        );
    }
}
