//! What transports call of identity.

mod accounts;
mod administrators;
mod agents;
mod availability;
mod bearers;
mod directory;
mod employing;
mod keys;
mod organisations;
mod passwords;
mod pictures;
mod sessions;
mod settings;
mod sign_up;
mod two_factor;

pub use self::accounts::{NewUser, Person, Registration};
pub(super) use self::administrators::AdminGuard;
pub(crate) use self::agents::of_the_desk;
pub use self::agents::{Agent, AgentPage, AgentQuery};
pub use self::directory::UserQuery;
pub(crate) use self::directory::permissions_by;
pub use self::employing::{AgentEdit, NewAgent};
pub use self::keys::NewApiKey;
pub use self::organisations::OrganisationChange;
pub use self::sessions::{Credentials, Rotation, SignedIn};
pub use self::settings::{PreferencesChange, ProfileChange, Settings};
pub use self::sign_up::{Confirming, SignUp};
pub use self::two_factor::{SecondFactorChange, SecurityChange};
use std::sync::Arc;

use super::login::{Credential, CredentialId, Login};
use super::{Role, User, UserId};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::helpdesk::Helpdesk;
use crate::identity::permissions::ADMIN_VIEW_AUDIT;
use crate::storage::{Changes, EntityId as _, Filter, Scope, Slot, Stored};

/// People, their accounts and their rights. From [`Helpdesk::identity`].
#[derive(Clone, Debug)]
pub struct Identity {
    desk: Helpdesk,
}

impl Identity {
    pub(crate) const fn new(desk: Helpdesk) -> Self {
        Self { desk }
    }

    /// The role of a short name.
    async fn role(&self, scope: Scope, key: &str) -> Result<Option<Arc<Stored<Role>>>> {
        Ok(self.desk.store().select::<Role>(scope).filter(Filter::equals("key", key)).first().await?)
    }

    async fn load(&self, scope: Scope, id: UserId) -> Result<Arc<Stored<User>>> {
        self.desk.store().get::<User>(scope, id).await?.ok_or(Error::NotFound { what: "account" })
    }

    /// The names an account logs in by.
    async fn logins(&self, user: UserId) -> Result<Vec<Arc<Stored<Login>>>> {
        let logins = self.desk.store().select::<Login>(Scope::GLOBAL);
        Ok(logins.filter(Filter::equals("user_id", user.uuid())).all().await?)
    }

    async fn credential(&self, scope: Scope, user: UserId) -> Result<Option<Arc<Stored<Credential>>>> {
        Ok(self.desk.store().get::<Credential>(scope, CredentialId::of(user)).await?)
    }

    /// Writes down what was done to an account. Seen by those who audit, and by the person.
    fn record(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        action: &'static str,
        user: UserId,
        slot: Option<Slot>,
    ) {
        let version = slot.map_or(0, |slot| changes.version_after(slot));
        let audience = Audience::holders(ADMIN_VIEW_AUDIT).and([user]);
        let draft = EventDraft::new::<User>(action, user, version, audience);
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }

    /// Writes down which fields of an account were changed. What they hold is in the record alone.
    fn record_edit(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        (user, slot): (UserId, Slot),
        fields: &[&'static str],
    ) {
        let audience = Audience::holders(ADMIN_VIEW_AUDIT).and([user]);
        let version = changes.version_after(slot);
        let hidden = || serde_json::Value::Null;
        let changed =
            fields.iter().map(|field| FieldChange { field: (*field).into(), from: hidden(), to: hidden() });
        let draft =
            EventDraft::new::<User>("user.edited", user, version, audience).changes(changed.collect());
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }
}
