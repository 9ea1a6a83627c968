//! Uploads that people are shown by.

use super::Uploads;
use super::jobs::{cancel_expiry, forget_blob};
use super::upload::{Purpose, Upload, UploadId};
use crate::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::storage::{Changes, EntityId as _, Filter};

impl Uploads {
    /// Has a commit keep an upload of the actor's own as their picture, and forget the one before. Without one, or where
    /// it is none of theirs, they are not shown by an upload any more.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `avatar` where it is no picture.
    pub(crate) async fn put_picture(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        named: Option<UploadId>,
    ) -> Result<()> {
        let owner = Filter::equals("owner", actor.person()?.uuid());
        let shown = owner.and(Filter::equals("purpose", Purpose::Picture.name()));
        for before in self.desk.store().select::<Upload>(actor.scope()).filter(shown).all().await? {
            if Some(before.id) != named {
                changes.delete(&before);
                forget_blob(&self.desk, changes, actor.scope(), &before.blob);
            }
        }
        let Some(id) = named else { return Ok(()) };
        let upload = self.waiting(actor, id).await?;
        let Some(upload) = upload.filter(|upload| upload.purpose != Purpose::Picture) else { return Ok(()) };
        if !upload.media_type.starts_with("image/") {
            let problem = Problem::File("Only a picture can be shown with a profile.".to_owned());
            return Err(Error::invalid("avatar", problem));
        }
        changes.update(&upload, &Upload { purpose: Purpose::Picture, ..upload.value.clone() });
        cancel_expiry(changes, actor.scope(), id);
        Ok(())
    }
}
