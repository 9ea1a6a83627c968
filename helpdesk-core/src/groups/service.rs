//! What transports call of groups.

use std::sync::Arc;

use uuid::Uuid;

use super::{ClosedReplies, Group, GroupId, Groups, MAX_MEMBERS};
use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Result};
use crate::events::{Audience, EventDraft, FieldChange};
use crate::identity::{Permissions, User, UserId, permissions, permissions_by};
use crate::storage::{Changes, EntityId as _, Filter, From, Listing, Slot, Stored, TotalMode};
use crate::tickets::{hand_back, ungroup};

/// The longest name and the longest description that are taken, in characters.
const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 2_000;

/// A group to be made.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who belongs to it: people of the desk.
    pub members: Vec<UserId>,
    /// What becomes of a reply on a closed ticket of it.
    pub closed_replies: ClosedReplies,
}

/// Changes to a group: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct GroupEdit {
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What becomes of a reply on a closed ticket of it.
    pub closed_replies: Option<ClosedReplies>,
}

/// Somebody who belongs to a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Their account.
    pub user: Arc<Stored<User>>,
    /// What they may do.
    pub permissions: Arc<Permissions>,
}

impl Groups {
    /// A page of the groups, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_teams`.
    pub async fn list(&self, actor: &Actor, limit: usize, from: From) -> Result<Listing<Group>> {
        actor.needs(&permissions::ADMIN_VIEW_TEAMS)?;
        let groups = self.desk.store().select::<Group>(actor.scope());
        let groups = groups.filter(Filter::equals("deleted", false)).ascending("name");
        Ok(groups.limit(limit).from(from).total(TotalMode::Exact).page().await?)
    }

    /// A group.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_teams`; [`Error::NotFound`], also for a deleted one.
    pub async fn get(&self, actor: &Actor, id: GroupId) -> Result<Arc<Stored<Group>>> {
        actor.needs(&permissions::ADMIN_VIEW_TEAMS)?;
        self.load(actor, id).await
    }

    /// Who belongs to a group that the actor has been shown, in the order they joined.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn members(&self, actor: &Actor, group: &Group) -> Result<Vec<Member>> {
        let identity = self.desk.identity();
        let users = identity.people(actor, group.members.clone()).await?;
        let roles = identity.roles_of(actor, users.values().map(|user| &user.value)).await?;
        let member = |id: &UserId| {
            let user = Arc::clone(users.get(&id.uuid())?);
            let permissions = permissions_by(&user, &roles);
            Some(Member { user, permissions })
        };
        Ok(group.members.iter().filter_map(member).collect())
    }

    /// Makes a group.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_teams`; [`Error::Invalid`] with all that is wrong, also where the
    /// name is taken or a member is nobody of the desk.
    pub async fn create(&self, actor: &Actor, new: NewGroup) -> Result<Stored<Group>> {
        actor.needs(&permissions::ADMIN_MANAGE_TEAMS)?;
        let mut problems = Problems::default();
        let name = checked(&mut problems, "name", &new.name, true, MAX_NAME);
        let description = checked(&mut problems, "description", &new.description, false, MAX_DESCRIPTION);
        let mut members: Vec<UserId> = Vec::with_capacity(new.members.len().min(MAX_MEMBERS));
        if new.members.len() > MAX_MEMBERS {
            problems.add("members", Problem::TooMany(MAX_MEMBERS));
        } else {
            for member in new.members {
                if !members.contains(&member) {
                    members.push(member);
                }
            }
        }
        problems.into_result()?;
        let group = Group {
            name,
            description,
            members,
            closed_replies: new.closed_replies,
            deleted: None,
            ext: serde_json::Map::new(),
        };
        let group = &group;
        let ((id, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let people = self.desk.identity().agents_among(actor, &group.members).await?;
                if people.len() < group.members.len() {
                    return Err(Error::invalid("members", Problem::Unknown("agent")));
                }
                let mut changes = self.desk.changes();
                // Nobody is taken in who leaves the desk just then.
                people.iter().for_each(|person| changes.require(person));
                let at = changes.at();
                let id = GroupId::from_uuid(self.new_id(&changes));
                let slot = changes.insert(actor.scope(), id, group);
                self.record(&mut changes, actor, "group.created", (id, slot), Vec::new());
                Ok((changes, (id, slot, at)))
            })
            .await?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), group.clone()))
    }

    /// Changes a group.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_teams`; [`Error::NotFound`]; [`Error::Invalid`] with all that is
    /// wrong, also where the name is taken.
    pub async fn update(&self, actor: &Actor, id: GroupId, edit: GroupEdit) -> Result<Stored<Group>> {
        actor.needs(&permissions::ADMIN_MANAGE_TEAMS)?;
        let mut problems = Problems::default();
        let name = edit.name.map(|name| checked(&mut problems, "name", &name, true, MAX_NAME));
        let description =
            edit.description.map(|text| checked(&mut problems, "description", &text, false, MAX_DESCRIPTION));
        problems.into_result()?;
        let (name, description) = (&name, &description);
        self.change(actor, id, "group.updated", |group, _| {
            let before = group.clone();
            group.name = name.clone().unwrap_or_else(|| before.name.clone());
            group.description = description.clone().unwrap_or_else(|| before.description.clone());
            group.closed_replies = edit.closed_replies.unwrap_or(before.closed_replies);
            changed_fields(&before, group)
        })
        .await
    }

    /// Deletes a group. It stays as a mark for what refers to it; its tickets keep who has them, and belong to no
    /// group from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_teams`; [`Error::NotFound`].
    pub async fn delete(&self, actor: &Actor, id: GroupId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_TEAMS)?;
        self.change(actor, id, "group.deleted", |group, changes| {
            group.deleted = Some(changes.at());
            changes.enqueue(actor.scope(), self.new_id(changes), ungroup(id, changes.at()));
            Vec::new()
        })
        .await
        .map(drop)
    }

    /// Takes somebody of the desk into a group. Who is in it already stays in it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_teams`; [`Error::NotFound`] where there is no such group;
    /// [`Error::Invalid`] for `member` where it is nobody of the desk; [`Error::Rejected`] where the group is full.
    pub async fn add_member(&self, actor: &Actor, id: GroupId, member: UserId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_TEAMS)?;
        self.desk
            .decide(|| async move {
                let group = self.load(actor, id).await?;
                let people = self.desk.identity().agents_among(actor, &[member]).await?;
                let person = people.first();
                let person = person.ok_or_else(|| Error::invalid("member", Problem::Unknown("agent")))?;
                let mut changes = self.desk.changes();
                if self.join(&mut changes, actor, &group, member)? {
                    changes.require(person);
                }
                Ok((changes, ()))
            })
            .await
            .map(drop)
    }

    /// Has somebody leave a group. They lose its tickets (T9).
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_teams`; [`Error::NotFound`] where there is no such group, or they
    /// are not in it.
    pub async fn remove_member(&self, actor: &Actor, id: GroupId, member: UserId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_TEAMS)?;
        self.desk
            .decide(|| async move {
                let group = self.load(actor, id).await?;
                let mut changes = self.desk.changes();
                if !self.leave(&mut changes, actor, &group, member) {
                    return Err(Error::NotFound { what: "member" });
                }
                let job = hand_back(member, Some(id), changes.at());
                changes.enqueue(actor.scope(), self.new_id(&changes), job);
                Ok((changes, ()))
            })
            .await
            .map(drop)
    }

    async fn load(&self, actor: &Actor, id: GroupId) -> Result<Arc<Stored<Group>>> {
        let found = self.desk.store().get::<Group>(actor.scope(), id).await?;
        found.filter(|group| group.deleted.is_none()).ok_or(Error::NotFound { what: "group" })
    }

    /// Changes a group, and writes down that it was done.
    async fn change(
        &self,
        actor: &Actor,
        id: GroupId,
        action: &'static str,
        change: impl Fn(&mut Group, &mut Changes) -> Vec<FieldChange> + Send + Sync,
    ) -> Result<Stored<Group>> {
        let change = &change;
        let ((before, group, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor, id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut group = before.value.clone();
                let changed = change(&mut group, &mut changes);
                let slot = changes.update(&before, &group);
                self.record(&mut changes, actor, action, (id, slot), changed);
                Ok((changes, (before, group, slot, at)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), group))
    }

    /// Writes down what was done to a group.
    fn record(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        action: &'static str,
        (id, slot): (GroupId, Slot),
        changed: Vec<FieldChange>,
    ) {
        let audience = Audience::holders(permissions::ADMIN_VIEW_TEAMS);
        let draft = EventDraft::new::<Group>(action, id, changes.version_after(slot), audience);
        changes.event(actor, self.new_id(changes), draft.changes(changed));
    }

    fn new_id(&self, changes: &Changes) -> Uuid {
        self.desk.ids().id(changes.at())
    }
}

/// A text without spaces around it, and what is wrong with it.
fn checked(problems: &mut Problems, field: &str, text: &str, required: bool, most: usize) -> String {
    let text = text.trim();
    if required && text.is_empty() {
        problems.add(field, Problem::Blank);
    } else if text.chars().count() > most {
        problems.add(field, Problem::TooLong(most));
    } else if text.contains('\0') {
        problems.add(field, Problem::NulCharacter);
    }
    text.to_owned()
}

/// The fields in which two states of a group differ. Texts are named without their words.
fn changed_fields(before: &Group, after: &Group) -> Vec<FieldChange> {
    let policy = |group: &Group| serde_json::to_value(group.closed_replies).unwrap_or_default();
    let hidden = serde_json::Value::Null;
    [
        ("name", before.name != after.name, hidden.clone(), hidden.clone()),
        ("description", before.description != after.description, hidden.clone(), hidden),
        ("closed_replies", before.closed_replies != after.closed_replies, policy(before), policy(after)),
    ]
    .into_iter()
    .filter(|(_, differs, ..)| *differs)
    .map(|(field, _, from, to)| FieldChange { field: field.into(), from, to })
    .collect()
}
