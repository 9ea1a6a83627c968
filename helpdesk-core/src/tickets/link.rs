//! What tickets have to do with one another.

use serde::{Deserialize, Serialize};

use super::TicketId;
use crate::actor::Who;
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a link between tickets.
    pub TicketLinkId
}

/// That two tickets have to do with one another. Kept once and seen from both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketLink {
    /// The ticket that it is said of.
    pub from: TicketId,
    /// The other one.
    pub to: TicketId,
    /// What `from` is to `to`.
    pub kind: LinkKind,
    /// Who said so.
    pub by: Who,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// What one ticket is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// It has to do with it.
    Related,
    /// It asks for the same.
    Duplicate,
    /// The other cannot be done before it.
    Blocks,
    /// It goes on with the other, which is closed (T5).
    FollowUp,
    /// It was a message of the other (T10).
    Split,
}

impl LinkKind {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Related => "related",
            Self::Duplicate => "duplicate",
            Self::Blocks => "blocks",
            Self::FollowUp => "follow_up",
            Self::Split => "split",
        }
    }

    /// Whether it says the same of both.
    #[must_use]
    pub const fn is_mutual(self) -> bool {
        matches!(self, Self::Related)
    }
}

impl TicketLink {
    /// A link. One that says the same of both is kept in one order, so that it is there once.
    #[must_use]
    pub fn new(from: TicketId, kind: LinkKind, to: TicketId, by: Who) -> Self {
        let (from, to) = if kind.is_mutual() && to < from { (to, from) } else { (from, to) };
        Self { from, to, kind, by, ext: serde_json::Map::new() }
    }
}

impl Entity for TicketLink {
    type Id = TicketLinkId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "ticket_link",
        &[
            FieldSpec::refers("from_ticket", "ticket"),
            FieldSpec::refers("to_ticket", "ticket"),
            FieldSpec::text("pair").unique(),
        ],
    )
    .indexes(&[&["from_ticket"], &["to_ticket"]])
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("from_ticket", self.from.uuid());
        row.set("to_ticket", self.to.uuid());
        row.set("pair", format!("{}:{}:{}", self.kind.name(), self.from, self.to));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_said_of_both_is_kept_in_one_order() {
        let [a, b] = [1, 2].map(|number| TicketId::from_uuid(Uuid::from_u128(number)));
        let link = |from, kind, to| TicketLink::new(from, kind, to, Who::System);
        assert_eq!(link(a, LinkKind::Related, b), link(b, LinkKind::Related, a));
        assert_ne!(link(a, LinkKind::Blocks, b), link(b, LinkKind::Blocks, a));
    }
}
