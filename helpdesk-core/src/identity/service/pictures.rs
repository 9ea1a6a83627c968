//! Profile pictures.

use bytes::Bytes;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::identity::service::Identity;
use crate::identity::{OrganisationId, Picture, User};
use crate::storage::Stored;

/// The content type of every picture that is kept.
const PICTURE_TYPE: &str = "image/jpeg";

impl Identity {
    /// Sets the actor's own profile picture. The one before is forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `image` where it is no PNG or JPEG, over 2 MB, or damaged.
    pub async fn set_picture(&self, actor: &Actor, content: Bytes) -> Result<Stored<User>> {
        let id = actor.person()?;
        let kept = self.desk.pictures().fit(content).await?;
        let picture = self.keep_picture(actor.organisation(), kept).await?;
        let before = self.load(actor.scope(), id).await?.picture.clone();
        let new = &picture;
        let user = self
            .change_user(actor, id, "user.picture_changed", |user, _| {
                user.picture = Some(new.clone());
                Ok(())
            })
            .await?;
        if let Some(before) = before {
            // A picture that stays behind costs a little space and shows nobody anything.
            if let Err(error) = self.desk.blobs().delete(&key(actor.organisation(), &before.file)).await {
                tracing::warn!(%error, "an old picture could not be deleted");
            }
        }
        Ok(user)
    }

    /// The content and type of a picture, by its file name. Everybody with an account in the organisation may see
    /// the pictures of the others; programs need `ticket.view_files`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none of that name.
    pub async fn picture(&self, actor: &Actor, file: &str) -> Result<(Bytes, &'static str)> {
        if actor.user().is_none() {
            actor.needs(&crate::identity::permissions::TICKET_VIEW_FILES)?;
        }
        let none = || Error::NotFound { what: "picture" };
        // File names are made here; anything else cannot name one, and must not become part of a key.
        let known = file.strip_suffix(".jpg").is_some_and(|name| name.parse::<uuid::Uuid>().is_ok());
        let key = Some(key(actor.organisation(), file)).filter(|_| known).ok_or_else(none)?;
        let content = self.desk.blobs().get(&key).await?.ok_or_else(none)?;
        Ok((content, PICTURE_TYPE))
    }

    pub(super) async fn keep_picture(&self, organisation: OrganisationId, content: Bytes) -> Result<Picture> {
        let file = format!("{}.jpg", self.desk.ids().id(self.desk.now()));
        self.desk.blobs().put(&key(organisation, &file), content).await?;
        Ok(Picture { file })
    }
}

fn key(organisation: OrganisationId, file: &str) -> String {
    format!("{organisation}/pictures/{file}")
}
