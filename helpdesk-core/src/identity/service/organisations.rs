//! Making organisations.

use std::sync::Arc;

use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::service::settings::check_stored;
use crate::identity::service::{AdminGuard, Identity};
use crate::identity::{
    BUILTIN_ROLES, Organisation, OrganisationId, OrganisationSettings, RoleId, permissions,
};
use crate::storage::{EntityId as _, Filter, Scope, StorageError, Stored};

/// The longest name and domain, in characters.
const MAX_NAME: usize = 200;
const MAX_DOMAIN: usize = 253;
/// How many settings there may be that this crate does not know, and how many bytes they may have in all.
const MAX_SETTINGS: usize = 100;
const MAX_SETTINGS_BYTES: usize = 16 * 1024;
/// Where they are kept among the organisation's `ext`.
const SETTINGS: &str = "settings";

/// What is to change about an organisation: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct OrganisationChange {
    /// What it is called.
    pub name: Option<String>,
    /// The domain of its addresses.
    pub domain: Option<Option<String>>,
    /// Settings by name; `null` takes one back to its default. `time_zone` and `auto_close_hours` take effect, others
    /// are kept as they are.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl Identity {
    /// Makes an organisation with the built-in roles and a policy of service levels. For the program itself: no
    /// actor's permission reaches beyond their own organisation.
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
            domain: None,
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

    /// Changes the actor's organisation.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_organization`; [`Error::Invalid`] with all that is wrong.
    pub async fn change_organisation(
        &self,
        actor: &Actor,
        change: OrganisationChange,
    ) -> Result<Stored<Organisation>> {
        actor.needs(&permissions::ADMIN_MANAGE_ORGANIZATION)?;
        let change = &change;
        let ((before, value, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.organisation(actor).await?;
                let mut value = before.value.clone();
                value.apply(change)?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let slot = changes.update(&before, &value);
                let audience = Audience::holders(permissions::ADMIN_VIEW_ORGANIZATION);
                let version = changes.version_after(slot);
                let draft =
                    EventDraft::new::<Organisation>("organisation.changed", before.id, version, audience)
                        .changes(changed(&before.value, &value));
                changes.event(actor, self.desk.ids().id(at), draft);
                Ok((changes, (before, value, slot, at)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), value))
    }

    pub(crate) async fn organisation_of(&self, id: OrganisationId) -> Result<Arc<Stored<Organisation>>> {
        let found = self.desk.store().get::<Organisation>(Scope::GLOBAL, id).await?;
        found.ok_or(Error::NotFound { what: "organisation" })
    }
}

impl Organisation {
    /// All settings by name: those that take effect, and those that are only kept.
    #[must_use]
    pub fn all_settings(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut all = self.kept_settings();
        all.insert("time_zone".into(), self.settings.time_zone.name().into());
        all.insert("auto_close_hours".into(), self.settings.auto_close_hours.into());
        all
    }

    fn kept_settings(&self) -> serde_json::Map<String, serde_json::Value> {
        self.ext.get(SETTINGS).and_then(serde_json::Value::as_object).cloned().unwrap_or_default()
    }

    fn apply(&mut self, change: &OrganisationChange) -> Result<()> {
        let mut problems = Problems::default();
        if let Some(name) = &change.name {
            name.trim().clone_into(&mut self.name);
            if self.name.is_empty() {
                problems.add("name", Problem::Blank);
            } else if self.name.chars().count() > MAX_NAME {
                problems.add("name", Problem::TooLong(MAX_NAME));
            }
            check_stored(&mut problems, "name", &self.name);
        }
        if let Some(domain) = &change.domain {
            self.domain = domain.as_deref().map(|domain| domain.trim().to_lowercase());
            if self.domain.as_deref().is_some_and(|domain| !is_domain(domain)) {
                problems.add("domain", Problem::Format("domain"));
            }
        }
        let mut kept = self.kept_settings();
        for (name, value) in &change.settings {
            let problem = match (name.as_str(), value.is_null()) {
                ("time_zone", true) => {
                    self.settings.time_zone = OrganisationSettings::default().time_zone;
                    None
                }
                ("time_zone", false) => match value.as_str().and_then(|zone| zone.parse().ok()) {
                    Some(zone) => {
                        self.settings.time_zone = zone;
                        None
                    }
                    None => Some(Problem::Format("time zone; use a name such as Europe/Berlin")),
                },
                ("auto_close_hours", true) => {
                    self.settings.auto_close_hours = OrganisationSettings::default().auto_close_hours;
                    None
                }
                ("auto_close_hours", false) => match value.as_u64().and_then(|hours| hours.try_into().ok()) {
                    Some(hours @ 1..=672) => {
                        self.settings.auto_close_hours = hours;
                        None
                    }
                    Some(0) => Some(Problem::TooSmall(1)),
                    Some(_) => Some(Problem::TooLarge(672)),
                    None => Some(Problem::Type("a whole number")),
                },
                (_, true) => {
                    kept.remove(name);
                    None
                }
                (_, false) => {
                    kept.insert(name.clone(), value.clone());
                    None
                }
            };
            if let Some(problem) = problem {
                problems.add("settings", Problem::Within { field: name.clone(), problem: Box::new(problem) });
            }
        }
        let kept = serde_json::Value::Object(kept);
        let text = kept.to_string();
        if kept.as_object().is_some_and(|kept| kept.len() > MAX_SETTINGS) {
            problems.add("settings", Problem::TooMany(MAX_SETTINGS));
        } else if text.len() > MAX_SETTINGS_BYTES {
            problems.add("settings", Problem::TooLong(MAX_SETTINGS_BYTES));
        } else if text.contains("\\u0000") {
            problems.add("settings", Problem::NulCharacter);
        }
        self.ext.insert(SETTINGS.to_owned(), kept);
        problems.into_result()
    }
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|sign| sign == '-' || sign.is_alphanumeric())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.chars().count() <= MAX_DOMAIN && domain.split('.').count() > 1 && domain.split('.').all(label)
}

/// What changed, without the words.
fn changed(before: &Organisation, after: &Organisation) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut field = |name: &'static str, differs: bool, from: serde_json::Value, to: serde_json::Value| {
        if differs {
            changes.push(FieldChange { field: name.into(), from, to });
        }
    };
    let nothing = serde_json::Value::Null;
    field("name", before.name != after.name, nothing.clone(), nothing.clone());
    field("domain", before.domain != after.domain, nothing.clone(), nothing.clone());
    field("settings", before.kept_settings() != after.kept_settings(), nothing.clone(), nothing);
    let (old, new) = (&before.settings, &after.settings);
    let zones = (old.time_zone.name().into(), new.time_zone.name().into());
    field("time_zone", old.time_zone != new.time_zone, zones.0, zones.1);
    let hours = (old.auto_close_hours.into(), new.auto_close_hours.into());
    field("auto_close_hours", old.auto_close_hours != new.auto_close_hours, hours.0, hours.1);
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed_by(settings: serde_json::Value) -> Result<Organisation> {
        let mut organisation = Organisation {
            name: "Demo".into(),
            slug: "demo".into(),
            domain: None,
            settings: OrganisationSettings::default(),
            ext: serde_json::Map::new(),
        };
        let settings = settings.as_object().cloned().unwrap_or_default();
        organisation.apply(&OrganisationChange { settings, ..OrganisationChange::default() })?;
        Ok(organisation)
    }

    #[test]
    fn settings_that_are_known_take_effect_and_others_are_kept() {
        let all = json!({"time_zone": "Europe/Berlin", "auto_close_hours": 24, "colour": {"of": "sky"}});
        let organisation = changed_by(all.clone()).expect("changed");
        assert_eq!(organisation.settings.time_zone, chrono_tz::Europe::Berlin);
        assert_eq!(organisation.settings.auto_close_hours, 24);
        assert_eq!(serde_json::Value::Object(organisation.all_settings()), all);
    }

    #[test]
    fn what_cannot_take_effect_is_refused() {
        for wrong in [
            json!({"time_zone": "Middle/Earth"}),
            json!({"time_zone": 1}),
            json!({"auto_close_hours": 0}),
            json!({"auto_close_hours": 673}),
            json!({"auto_close_hours": "a day"}),
            json!({"note": "a\0b"}),
            json!({"note": "x".repeat(MAX_SETTINGS_BYTES)}),
            (0..=MAX_SETTINGS).map(|n| (n.to_string(), json!(n))).collect(),
        ] {
            assert!(matches!(changed_by(wrong), Err(Error::Invalid(_))));
        }
    }

    #[test]
    fn a_domain_has_a_name_in_a_place() {
        assert!(is_domain("acme.example") && is_domain("bücher.example"));
        for wrong in ["", "acme", "-a.example", "a..b", "a b.example", "https://a.example", "a.example/x"] {
            assert!(!is_domain(wrong), "{wrong}");
        }
    }
}
