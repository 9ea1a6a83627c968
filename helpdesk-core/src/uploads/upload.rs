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

/// What a file is kept for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody brought it, and something may take it over.
    #[default]
    Waiting,
    /// The help desk made it for somebody: a report.
    Made,
    /// Somebody is shown by it. Everybody of the organisation may see it, and it stays.
    Picture,
}

impl Purpose {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Made => "made",
            Self::Picture => "picture",
        }
    }
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
    /// Who brought it. Nobody else sees it, unless it is a picture.
    pub uploaded_by: Who,
    /// What it is kept for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Where its content is kept.
    pub blob: String,
    /// When it is forgotten, unless it is a picture.
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

    /// By what the files of somebody are found.
    pub(super) fn owner(who: Who) -> Option<Uuid> {
        match who {
            Who::User(id) => Some(id.uuid()),
            Who::ApiKey(id) => Some(id.uuid()),
            Who::Anonymous | Who::System => None,
        }
    }
}

impl Entity for Upload {
    type Id = UploadId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("upload", &[FieldSpec::uuid("owner"), FieldSpec::text("purpose")])
            .indexes(&[&["owner"]])
            .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("purpose", self.purpose.name());
        row.set("owner", Self::owner(self.uploaded_by));
    }
}
