//! What transports call of tags.

use super::Tags;
use super::tag::{Tag, TagId};
use crate::actor::{Actor, Who};
use crate::error::{AuthFailure, Error, Problem, Result};
use crate::events::{Audience, EventDraft};
use crate::identity::permissions;
use crate::storage::{EntityId as _, From, Listing, Stored, TotalMode};

impl Tags {
    /// A page of tags by name, with the number of all, for everybody who is known.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] for who is not.
    pub async fn list(&self, actor: &Actor, limit: usize, from: From) -> Result<Listing<Tag>> {
        if actor.who() == Who::Anonymous {
            return Err(Error::Unauthenticated(AuthFailure::Missing));
        }
        let tags = self.desk.store().select::<Tag>(actor.scope()).ascending("name");
        Ok(tags.limit(limit).from(from).total(TotalMode::Exact).page().await?)
    }

    /// Makes a tag.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tag.manage`; [`Error::Invalid`] with all that is wrong, also where there is a tag of
    /// that name.
    pub async fn create(&self, actor: &Actor, mut tag: Tag) -> Result<Stored<Tag>> {
        actor.needs(&permissions::TAG_MANAGE)?;
        tag.tidy().into_result()?;
        let value = &tag;
        let made = self.desk.decide(|| async move {
            let mut changes = self.desk.changes();
            let at = changes.at();
            let id = TagId::from_uuid(self.desk.ids().id(at));
            let slot = changes.insert(actor.scope(), id, value);
            let audience = Audience::holders(permissions::TAG_MANAGE);
            let draft = EventDraft::new::<Tag>("tag.created", id, 1, audience);
            changes.event(actor, self.desk.ids().id(at), draft);
            Ok((changes, (id, at, slot)))
        });
        let ((id, at, slot), committed) = made.await.map_err(taken)?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), tag))
    }

    /// Deletes a tag. The records that were marked with the word keep it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tag.manage`; [`Error::NotFound`].
    pub async fn delete(&self, actor: &Actor, id: TagId) -> Result<()> {
        actor.needs(&permissions::TAG_MANAGE)?;
        self.desk
            .decide(|| async move {
                let found = self.desk.store().get::<Tag>(actor.scope(), id).await?;
                let before = found.ok_or(Error::NotFound { what: "tag" })?;
                let mut changes = self.desk.changes();
                changes.delete(&before);
                let audience = Audience::holders(permissions::TAG_MANAGE);
                let draft = EventDraft::new::<Tag>("tag.deleted", id, 0, audience);
                changes.event(actor, self.desk.ids().id(changes.at()), draft);
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }
}

/// Says what is taken.
fn taken(error: Error) -> Error {
    match error {
        Error::Invalid(problems)
            if problems.iter().any(|(_, list)| list.contains(&Problem::Taken("name"))) =>
        {
            Error::invalid("name", Problem::Taken("tag"))
        }
        other => other,
    }
}
