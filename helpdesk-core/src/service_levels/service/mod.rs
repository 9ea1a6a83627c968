//! What transports call of service levels.

mod calendars;
mod checks;
mod policies;
mod reading;

use std::sync::Arc;

pub use self::calendars::CalendarChange;
pub use self::policies::PolicyChange;
use super::policy::CalendarId;
use super::reconsider::have_reconsidered;
use crate::actor::Actor;
use crate::error::Result;
use crate::events::Audience;
use crate::helpdesk::Helpdesk;
use crate::identity::{Organisation, permissions};
use crate::storage::{Changes, Stored};

/// What was done to a policy or to business hours, in the event log.
const POLICY_CHANGED: &str = "sla.policy_changed";
const HOURS_CHANGED: &str = "sla.hours_changed";

/// What the desk has promised, and whether it was kept. From [`Helpdesk::service_levels`].
#[derive(Clone, Debug)]
pub struct ServiceLevels {
    desk: Helpdesk,
}

impl ServiceLevels {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }

    /// Writes down in the actor's organisation that its rules have changed, and has its open tickets looked at. All
    /// changes of rules write this record, so that two of them do not cross.
    fn rules_change(
        &self,
        changes: &mut Changes,
        organisation: &Arc<Stored<Organisation>>,
        actor: &Actor,
        any: bool,
        calendar: Option<CalendarId>,
    ) {
        let mut value = organisation.value.clone();
        let promises = &mut value.settings.promises;
        promises.any = any;
        promises.calendar = calendar;
        promises.revision += 1;
        promises.changed = Some(changes.at());
        let revision = promises.revision;
        changes.update(organisation, &value);
        have_reconsidered(&self.desk, changes, actor.scope(), revision);
    }

    async fn organisation(&self, actor: &Actor) -> Result<Arc<Stored<Organisation>>> {
        self.desk.identity().organisation_of(actor.organisation()).await
    }
}

/// Who may see what was done to the rules.
const fn audience() -> Audience {
    Audience::holders(permissions::ADMIN_VIEW_SLA)
}
