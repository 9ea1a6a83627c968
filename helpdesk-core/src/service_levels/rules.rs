//! What an organisation promises, as it is looked up for a ticket.

use std::sync::Arc;

use super::calendar::Calendar;
use super::follow::Targets;
use super::policy::{BusinessCalendar, Policy, PolicyId, Traits};
use crate::helpdesk::Helpdesk;
use crate::identity::Promises;
use crate::storage::{Scope, StorageError, Stored};

/// The policies of an organisation that hold, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<Arc<Stored<Policy>>>);

impl Rules {
    pub(super) async fn load(desk: &Helpdesk, scope: Scope) -> Result<Self, StorageError> {
        let mut policies = desk.store().select::<Policy>(scope).all().await?;
        policies.retain(|policy| policy.active);
        policies.sort_by_key(|policy| (policy.position, policy.number));
        Ok(Self(policies))
    }

    /// What is promised of a ticket: by the first policy that fits it (L1).
    pub(super) fn promise(&self, of: &Traits) -> (Option<PolicyId>, Targets) {
        let fits = self.0.iter().find(|policy| policy.conditions.fit(of));
        fits.map_or_else(Default::default, |policy| (Some(policy.id), policy.promises(of)))
    }
}

/// The business hours of an organisation.
pub(super) async fn business_hours(
    desk: &Helpdesk,
    scope: Scope,
    promises: &Promises,
) -> Result<Calendar, StorageError> {
    let Some(id) = promises.calendar else { return Ok(Calendar::always()) };
    let calendar = desk.store().get::<BusinessCalendar>(scope, id).await?;
    Ok(calendar.map_or_else(Calendar::always, |calendar| calendar.hours.clone()))
}
