//! Policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{POLICY_CHANGED, ServiceLevels, audience, checks};
use crate::actor::Actor;
use crate::error::{Conflict, Error, Problem, Problems, Rejection, Result};
use crate::events::EventDraft;
use crate::groups::Group;
use crate::identity::permissions;
use crate::service_levels::{Conditions, Policy, PolicyId, Targets};
use crate::storage::{EntityId as _, Stored};
use crate::tickets::Priority;

/// The most policies of an organisation.
const MAX_POLICIES: usize = 100;

/// What a policy is to be: what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {
    /// What it is called; not empty, at most 100 characters.
    pub name: Option<String>,
    /// Which tickets it is for. Default: all.
    pub conditions: Option<Conditions>,
    /// What is promised: at least something, from a minute to a year.
    pub targets: Option<BTreeMap<Priority, Targets>>,
    /// Whether it holds. Default: yes.
    pub active: Option<bool>,
}

impl PolicyChange {
    fn check(&self) -> Problems {
        let mut problems = Problems::default();
        if let Some(name) = &self.name {
            checks::name(&mut problems, name);
        }
        if let Some(conditions) = &self.conditions {
            checks::conditions(&mut problems, conditions);
        }
        if let Some(targets) = &self.targets {
            checks::targets(&mut problems, targets);
        }
        problems
    }

    fn apply(&self, policy: &mut Policy) {
        let Self { name, conditions, targets, active } = self.clone();
        policy.name = name.unwrap_or_else(|| std::mem::take(&mut policy.name));
        policy.conditions = conditions.unwrap_or_else(|| std::mem::take(&mut policy.conditions));
        policy.targets = targets.unwrap_or_else(|| std::mem::take(&mut policy.targets));
        policy.active = active.unwrap_or(policy.active);
    }
}

impl ServiceLevels {
    /// The policies in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_sla`.
    pub async fn policies(&self, actor: &Actor) -> Result<Vec<Arc<Stored<Policy>>>> {
        actor.needs(&permissions::ADMIN_VIEW_SLA)?;
        self.in_order(actor).await
    }

    async fn in_order(&self, actor: &Actor) -> Result<Vec<Arc<Stored<Policy>>>> {
        // There are a hundred at most.
        let mut policies = self.desk.store().select::<Policy>(actor.scope()).all().await?;
        policies.sort_by_key(|policy| (policy.position, policy.number));
        Ok(policies)
    }

    /// Makes a policy, which comes after those there are.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::Invalid`] with all that is wrong; [`Error::Rejected`]
    /// where there are a hundred already.
    pub async fn create_policy(&self, actor: &Actor, new: PolicyChange) -> Result<Stored<Policy>> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        let mut problems = new.check();
        for (field, missing) in [("name", new.name.is_none()), ("targets", new.targets.is_none())] {
            if missing {
                problems.add(field, Problem::Required);
            }
        }
        self.check_groups(actor, &new, problems).await?;
        let new = &new;
        let ((id, slot, at, policy), committed) = self
            .desk
            .decide(|| async move {
                let organisation = self.organisation(actor).await?;
                let others = self.in_order(actor).await?;
                if others.len() >= MAX_POLICIES {
                    let limit = MAX_POLICIES as u64;
                    return Err(Error::Rejected(Rejection::Limit { limit, what: "policies" }));
                }
                let mut policy = Policy {
                    name: String::new(),
                    position: others.last().map_or(0, |last| last.position + 1),
                    conditions: Conditions::default(),
                    targets: BTreeMap::new(),
                    active: true,
                    ext: serde_json::Map::new(),
                };
                new.apply(&mut policy);
                let mut changes = self.desk.changes();
                let at = changes.at();
                let id = PolicyId::from_uuid(self.desk.ids().id(at));
                let slot = changes.insert(actor.scope(), id, &policy);
                self.tell(&mut changes, actor, id, 1, "created");
                let any = policy.active || others.iter().any(|policy| policy.active);
                let calendar = organisation.settings.promises.calendar;
                self.rules_change(&mut changes, &organisation, actor, any, calendar);
                Ok((changes, (id, slot, at, policy)))
            })
            .await?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), policy))
    }

    /// Changes a policy. `expected` is the version that the caller has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::NotFound`]; [`Error::Invalid`] with all that is wrong;
    /// [`Error::Conflict`] where the version is another.
    pub async fn update_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        expected: Option<i64>,
        change: PolicyChange,
    ) -> Result<Stored<Policy>> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        self.check_groups(actor, &change, change.check()).await?;
        let change = &change;
        let ((before, slot, at, policy), committed) = self
            .desk
            .decide(|| async move {
                let organisation = self.organisation(actor).await?;
                let all = self.in_order(actor).await?;
                let before = find(&all, id)?;
                if expected.is_some_and(|expected| expected != before.version) {
                    return Err(Error::Conflict(Conflict::Stale { current: before.version }));
                }
                let mut policy = before.value.clone();
                change.apply(&mut policy);
                let mut changes = self.desk.changes();
                let at = changes.at();
                let slot = changes.update(&before, &policy);
                self.tell(&mut changes, actor, id, before.version + 1, "updated");
                let others = || all.iter().filter(|other| other.id != id);
                let any = policy.active || others().any(|other| other.active);
                let calendar = organisation.settings.promises.calendar;
                self.rules_change(&mut changes, &organisation, actor, any, calendar);
                Ok((changes, (before, slot, at, policy)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), policy))
    }

    /// Deletes a policy.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::NotFound`].
    pub async fn delete_policy(&self, actor: &Actor, id: PolicyId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        self.desk
            .decide(|| async move {
                let organisation = self.organisation(actor).await?;
                let all = self.in_order(actor).await?;
                let before = find(&all, id)?;
                let mut changes = self.desk.changes();
                changes.delete(&before);
                self.tell(&mut changes, actor, id, before.version, "deleted");
                let any = all.iter().any(|other| other.id != id && other.active);
                let calendar = organisation.settings.promises.calendar;
                self.rules_change(&mut changes, &organisation, actor, any, calendar);
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// Puts the policies in another order. Those that are not named come after those that are, as they were.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::Invalid`] for `order` where it names what is not there.
    pub async fn reorder_policies(&self, actor: &Actor, order: &[PolicyId]) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        self.desk
            .decide(|| async move {
                let organisation = self.organisation(actor).await?;
                let mut all = self.in_order(actor).await?;
                if order.iter().any(|id| !all.iter().any(|policy| policy.id == *id)) {
                    return Err(Error::invalid("order", Problem::Unknown("policy")));
                }
                let place = |id: PolicyId| order.iter().position(|named| *named == id);
                all.sort_by_key(|policy| place(policy.id).unwrap_or(usize::MAX));
                let mut changes = self.desk.changes();
                for (policy, position) in all.iter().zip(0..) {
                    if policy.position != position {
                        changes.update(policy, &Policy { position, ..policy.value.clone() });
                        self.tell(&mut changes, actor, policy.id, policy.version + 1, "moved");
                    }
                }
                if !changes.is_empty() {
                    let promises = &organisation.settings.promises;
                    self.rules_change(&mut changes, &organisation, actor, promises.any, promises.calendar);
                }
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    fn tell(
        &self,
        changes: &mut crate::storage::Changes,
        actor: &Actor,
        id: PolicyId,
        version: i64,
        change: &str,
    ) {
        let draft = EventDraft::new::<Policy>(POLICY_CHANGED, id, version, audience()).with("change", change);
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }

    async fn check_groups(&self, actor: &Actor, change: &PolicyChange, mut problems: Problems) -> Result<()> {
        let named = change.conditions.iter().flat_map(|conditions| conditions.groups.iter().copied());
        let named: Vec<_> = named.take(1_000).collect();
        let known = self.desk.store().get_map::<Group>(actor.scope(), named.iter().copied()).await?;
        if named.iter().any(|group| !known.contains_key(&group.uuid())) {
            problems.add("groups", Problem::Unknown("group"));
        }
        problems.into_result()
    }
}

fn find(all: &[Arc<Stored<Policy>>], id: PolicyId) -> Result<Arc<Stored<Policy>>> {
    all.iter().find(|policy| policy.id == id).cloned().ok_or(Error::NotFound { what: "policy" })
}
