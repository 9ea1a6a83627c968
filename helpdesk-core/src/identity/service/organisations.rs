//! Making organisations.

use std::sync::Arc;

use crate::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::identity::service::{AdminGuard, Identity};
use crate::identity::{BUILTIN_ROLES, Organisation, OrganisationId, OrganisationSettings, RoleId};
use crate::storage::{EntityId as _, Filter, Scope, StorageError, Stored};

impl Identity {
    /// Makes an organisation with the built-in roles and a policy of service levels. For the program itself: no actor's permission reaches beyond
    /// their own organisation.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `slug` where another organisation has it.
    pub async fn create_organisation(&self, name: &str, slug: &str) -> Result<OrganisationId> {
        let mut changes = self.desk.changes();
        let at = changes.at();
        let id = OrganisationId::from_uuid(self.desk.ids().id(at));
        let scope = Scope::organisation(id.uuid());
        let promises = crate::service_levels::begin(&self.desk, &mut changes, scope);
        let organisation = Organisation {
            name: name.to_owned(),
            slug: slug.to_owned(),
            settings: OrganisationSettings { promises, ..OrganisationSettings::default() },
            ext: serde_json::Map::new(),
        };
        changes.insert(Scope::GLOBAL, id, &organisation);
        for builtin in BUILTIN_ROLES {
            changes.insert(scope, RoleId::from_uuid(self.desk.ids().id(at)), &builtin.role());
        }
        AdminGuard::insert(&mut changes, id);
        match self.desk.commit(changes).await {
            Ok(_) => Ok(id),
            Err(StorageError::Duplicate { field: "slug", .. }) => {
                Err(Error::invalid("slug", Problem::Taken("name")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The organisation of a short name, for the program itself.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn organisation_by_slug(&self, slug: &str) -> Result<Option<OrganisationId>> {
        let organisations = self.desk.store().select::<Organisation>(Scope::GLOBAL);
        let found = organisations.filter(Filter::equals("slug", slug)).first().await?;
        Ok(found.map(|organisation| organisation.id))
    }

    /// The actor's organisation.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is gone.
    pub async fn organisation(&self, actor: &Actor) -> Result<Arc<Stored<Organisation>>> {
        self.organisation_of(actor.organisation()).await
    }

    pub(crate) async fn organisation_of(&self, id: OrganisationId) -> Result<Arc<Stored<Organisation>>> {
        let found = self.desk.store().get::<Organisation>(Scope::GLOBAL, id).await?;
        found.ok_or(Error::NotFound { what: "organisation" })
    }
}
