//! The organisation's own fields of tickets.

use super::Tickets;
use crate::actor::Actor;
use crate::error::Result;
use crate::events::{Audience, EventDraft};
use crate::identity::{Organisation, permissions};
use crate::tickets::fields::{TicketField, check_definitions};
use crate::tickets::reactions::organisation;

impl Tickets {
    /// The fields that the tickets of the actor's organisation have beside those of every ticket.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn fields(&self, actor: &Actor) -> Result<Vec<TicketField>> {
        Ok(organisation(&self.desk, actor).await?.settings.ticket_fields.clone())
    }

    /// Says which fields they have. What tickets hold under a key that is gone stays with them, unseen.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::Error::Forbidden) without `admin.manage_organization`; [`Invalid`](crate::Error::Invalid)
    /// for `fields`.
    pub async fn define_fields(&self, actor: &Actor, fields: Vec<TicketField>) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_ORGANIZATION)?;
        check_definitions(&fields).into_result()?;
        let fields = &fields;
        self.desk
            .decide(|| async move {
                let before = organisation(&self.desk, actor).await?;
                let mut after = before.value.clone();
                after.settings.ticket_fields.clone_from(fields);
                let mut changes = self.desk.changes();
                let slot = changes.update(&before, &after);
                let audience = Audience::holders(permissions::ADMIN_VIEW_ORGANIZATION);
                let version = changes.version_after(slot);
                let draft = EventDraft::new::<Organisation>(
                    "organisation.ticket_fields_changed",
                    before.id,
                    version,
                    audience,
                )
                .with("fields", fields.len());
                changes.event(actor, self.new_id(&changes), draft);
                Ok((changes, ()))
            })
            .await
            .map(drop)
    }
}
