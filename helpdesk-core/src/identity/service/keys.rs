//! API keys.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::actor::{Actor, Authenticated, Via, Who};
use crate::error::{AuthFailure, Error, Result};
use crate::identity::one_time::{hash, text};
use crate::identity::service::Identity;
use crate::identity::{ApiKey, ApiKeyId, OrganisationId, Permissions, permissions};
use crate::storage::{EntityId as _, Filter, Scope, Stored};

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
    /// When it stops working.
    pub expires: Option<DateTime<Utc>>,
}

impl Identity {
    /// Makes a key. Answers it and, for this once, its text.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_api_keys`, or where the key could do what the actor may not.
    pub async fn create_api_key(&self, actor: &Actor, new: NewApiKey) -> Result<(Stored<ApiKey>, String)> {
        let key = format!("hdk_{}", text(self.desk.ids().secret()));
        Ok((self.insert_key(actor, new, &key).await?, key))
    }

    /// Makes a key of a text that was chosen elsewhere, such as a server's configuration. It should be long and
    /// random.
    ///
    /// # Errors
    ///
    /// As [`Identity::create_api_key`]; [`Error::Invalid`] where the key is there already.
    pub async fn import_api_key(&self, actor: &Actor, new: NewApiKey, key: &str) -> Result<Stored<ApiKey>> {
        self.insert_key(actor, new, key).await
    }

    async fn insert_key(&self, actor: &Actor, new: NewApiKey, key: &str) -> Result<Stored<ApiKey>> {
        actor.needs(&permissions::ADMIN_MANAGE_API_KEYS)?;
        new.permissions.iter().try_for_each(|permission| actor.needs(permission))?;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let id = ApiKeyId::from_uuid(self.desk.ids().id(at));
        let value = ApiKey {
            name: new.name,
            organisation: actor.organisation(),
            permissions: Arc::new(new.permissions),
            expires: new.expires,
            revoked: None,
            made_by: actor.user(),
            hash: hash(key),
        };
        let slot = changes.insert(Scope::GLOBAL, id, &value);
        let committed = self.desk.commit(changes).await?;
        Ok(Stored::inserted(Scope::GLOBAL, id, at, committed.written(slot), value))
    }

    /// Takes a key back, at once.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_api_keys`; [`Error::NotFound`], also for another organisation's.
    pub async fn revoke_api_key(&self, actor: &Actor, id: ApiKeyId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_API_KEYS)?;
        self.desk
            .decide(|| async move {
                let key = self.desk.store().get::<ApiKey>(Scope::GLOBAL, id).await?;
                let key = key.filter(|key| key.organisation == actor.organisation());
                let key = key.ok_or(Error::NotFound { what: "API key" })?;
                let mut changes = self.desk.changes();
                let revoked = key.revoked.or(Some(changes.at()));
                changes.update(&key, &ApiKey { revoked, ..key.value.clone() });
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// Which program comes with a key.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] where the key is none of ours, was taken back, or has expired.
    pub async fn authenticate_key(&self, key: &str, via: Arc<Via>) -> Result<Authenticated> {
        let keys = self.desk.store().select::<ApiKey>(Scope::GLOBAL);
        let found = keys.filter(Filter::equals("hash", hash(key))).first().await?;
        let key = found.ok_or(Error::Unauthenticated(AuthFailure::Token))?;
        if !key.is_valid(self.desk.now()) {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        let organisation = OrganisationId::from_uuid(key.organisation.uuid());
        let actor = Actor::new(Who::ApiKey(key.id), organisation, Arc::clone(&key.permissions), via);
        Ok(Authenticated { actor, session: None })
    }
}
