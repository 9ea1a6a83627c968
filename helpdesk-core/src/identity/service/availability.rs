//! Whether people of the desk are there to work.

use crate::actor::Actor;
use crate::error::{Error, Rejection, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::service::Identity;
use crate::identity::{Availability, User, UserId, permissions};

impl Identity {
    /// Says whether somebody of the desk is there to work: oneself, or somebody else in their place.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `staff.change_work_mode`, or for somebody else without
    /// `staff.override_work_modes`; [`Error::NotFound`] where there is no such person of the desk;
    /// [`Error::Rejected`] where their account is off.
    pub async fn set_availability(
        &self,
        actor: &Actor,
        id: UserId,
        availability: Availability,
    ) -> Result<Availability> {
        if actor.user() == Some(id) {
            actor.needs(&permissions::STAFF_CHANGE_WORK_MODE)?;
        } else {
            actor.needs(&permissions::STAFF_OVERRIDE_WORK_MODES)?;
        }
        self.desk
            .decide(|| async move {
                let (before, _) = self.agent_account(actor, id).await?;
                if !before.state.is_active() {
                    return Err(Error::Rejected(Rejection::Account { state: before.state.name() }));
                }
                let mut changes = self.desk.changes();
                if before.availability != availability {
                    let slot = changes.update(&before, &User { availability, ..before.value.clone() });
                    let audience = Audience::holders(permissions::STAFF_VIEW_ALL_WORK_MODES).and([id]);
                    let version = changes.version_after(slot);
                    let draft = EventDraft::new::<User>("user.availability_changed", id, version, audience)
                        .changes(vec![FieldChange {
                            field: "availability".into(),
                            from: before.availability.name().into(),
                            to: availability.name().into(),
                        }]);
                    changes.event(actor, self.desk.ids().id(changes.at()), draft);
                }
                Ok((changes, ()))
            })
            .await?;
        Ok(availability)
    }
}
