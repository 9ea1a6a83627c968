//! The last administrator stays.

use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::error::{Error, Rejection, Result};
use crate::identity::service::Identity;
use crate::identity::{OrganisationId, Role, User, UserId, permissions};
use crate::storage::{Changes, Entity, EntityId, Filter, KindSpec, Row, Scope, Value};

entity_id! {
    /// The id of an organisation's guard: that of the organisation.
    pub(crate) AdminGuardId
}

/// A record that everybody writes who takes an administrator away, so that two who each leave one another's
/// cannot both succeed. It is written for nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AdminGuard {}

impl Entity for AdminGuard {
    type Id = AdminGuardId;

    const SPEC: &'static KindSpec = &KindSpec::new("admin_guard", &[]).of::<Self>();

    fn index(&self, _: &mut Row) {}
}

impl AdminGuard {
    pub(super) fn insert(changes: &mut Changes, organisation: OrganisationId) {
        let scope = Scope::organisation(organisation.uuid());
        changes.insert(scope, AdminGuardId::from_uuid(organisation.uuid()), &Self {});
    }
}

impl Identity {
    /// Has the commit fail or be decided again where, without `leaving`, nobody could manage roles any more.
    pub(super) async fn keep_an_administrator(
        &self,
        changes: &mut Changes,
        organisation: OrganisationId,
        leaving: UserId,
    ) -> Result<()> {
        let store = self.desk.store();
        let scope = Scope::organisation(organisation.uuid());
        let guard = store.get::<AdminGuard>(scope, AdminGuardId::from_uuid(organisation.uuid())).await?;
        let roles = store.select::<Role>(scope).all().await?;
        let managing =
            roles.iter().filter(|role| role.permissions.contains(&permissions::ADMIN_MANAGE_ROLES));
        let managing: Vec<_> = managing.map(|role| Value::Uuid(role.id.uuid())).collect();
        let administrators = Filter::equals("state", "approved").and(Filter::one_of("roles", managing));
        let others = administrators.clone().and(Filter::equals("id", leaving.uuid()).not());
        let was_one = administrators.and(Filter::equals("id", leaving.uuid()));
        if store.select::<User>(scope).filter(was_one).count().await? == 0 {
            return Ok(());
        }
        if store.select::<User>(scope).filter(others).count().await? == 0 {
            return Err(Error::Rejected(Rejection::LastAdministrator));
        }
        match guard {
            Some(guard) => drop(changes.update(&guard, &AdminGuard {})),
            None => AdminGuard::insert(changes, organisation),
        }
        Ok(())
    }
}
