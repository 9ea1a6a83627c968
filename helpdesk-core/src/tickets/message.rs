//! What is said on a ticket, and the files that hang on it.

use serde::{Deserialize, Serialize};

use super::TicketId;
use crate::actor::Who;
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a message.
    pub MessageId
}

entity_id! {
    /// The id of an attachment.
    pub AttachmentId
}

/// Something that was said on a ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The ticket.
    pub ticket: TicketId,
    /// Who said it.
    pub author: Who,
    /// The words.
    pub body: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// Whether nobody wrote it: the desk tells of a change.
    pub automatic: bool,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// Who may read a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody who may see the ticket.
    Public,
    /// The desk alone.
    Internal,
}

/// A file that hangs on a ticket or on one of its messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// The ticket.
    pub ticket: TicketId,
    /// The message, where it came with one.
    pub message: Option<MessageId>,
    /// The file's name, without any path.
    pub name: String,
    /// The type of its content.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Who brought it.
    pub uploaded_by: Who,
    /// Whether only the desk may read it, as the message it hangs on.
    pub internal: bool,
    /// Where its content is kept.
    pub blob: String,
}

impl Entity for Message {
    type Id = MessageId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "message",
        &[FieldSpec::refers("ticket", "ticket"), FieldSpec::flag("internal").uncounted()],
    )
    .indexes(&[&["ticket"]])
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("ticket", self.ticket.uuid());
        row.set("internal", self.visibility == Visibility::Internal);
    }
}

impl Entity for Attachment {
    type Id = AttachmentId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "attachment",
        &[FieldSpec::refers("ticket", "ticket"), FieldSpec::refers("message", "message")],
    )
    .indexes(&[&["ticket"], &["message"]])
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("ticket", self.ticket.uuid());
        row.set("message", self.message.map(|message| message.uuid()));
    }
}
