//! Taking people into the desk, changing what is known of them, and letting them go.

use std::sync::Arc;

use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Rejection, Result};
use crate::groups::GroupId;
use crate::identity::invitations::invitation_mail;
use crate::identity::login::{Credential, CredentialId, Login, LoginId, normal};
use crate::identity::service::agents::{Agent, works_the_desk};
use crate::identity::service::{Identity, Person};
use crate::identity::{AccountState, Permissions, Role, User, UserId, password_problem, permissions};
use crate::storage::{Changes, EntityId as _, Scope, Stored};

/// Somebody who is to work at the desk.
#[derive(Clone, Debug, Default)]
pub struct NewAgent {
    /// Who they are.
    pub person: Person,
    /// The short name of their role, one that works the desk.
    pub role: String,
    /// A password; without one, none works until they choose one.
    pub password: Option<String>,
    /// The groups they belong to.
    pub groups: Vec<GroupId>,
}

/// Changes to somebody of the desk: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AgentEdit {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The address, which they also log in by.
    pub email: Option<String>,
    /// Where in the organisation they work.
    pub department: Option<Option<String>>,
    /// The short name of their role, one that works the desk.
    pub role: Option<String>,
    /// The groups they belong to: these and no others.
    pub groups: Option<Vec<GroupId>>,
}

impl Identity {
    /// Takes somebody into the desk. They get a mail with a link where they choose a password. Somebody of the desk whose
    /// account was deactivated comes back to it, by the same address; their password of before works no more.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`, or where the role, or that of before of whoever comes back, has
    /// a permission that the actor lacks; [`Error::Invalid`] with all that is wrong, also where the address is taken, or
    /// the role or a group unknown.
    pub async fn create_agent(&self, actor: &Actor, new: NewAgent) -> Result<Agent> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        let NewAgent { mut person, role, password, groups } = new;
        let mut problems = person.check();
        if let Some(problem) = password.as_deref().and_then(password_problem) {
            problems.add("password", problem);
        }
        let role = self.desk_role(actor, &role, &mut problems).await?;
        problems.into_result()?;
        let role = role.ok_or(Error::NotFound { what: "role" })?;
        check_grant(actor, &role.permissions)?;
        let hash = match password {
            Some(password) => Some(self.desk.passwords().hash(&password).await?),
            None => None,
        };
        let state = AccountState::Approved { at: self.desk.now(), by: actor.user() };
        let mut user = person.into_user(state, &role);
        // The invitation tells them.
        user.notified = true;
        let (user, groups, hash) = (&user, &groups, &hash);
        let (id, _) = self
            .desk
            .decide(|| async move {
                if let Some(before) = self.one_who_left(actor, user).await? {
                    let changes = self.take_back(actor, &before, user, hash.clone(), groups).await?;
                    return Ok((changes, before.id));
                }
                for name in [Some(&user.email), user.username.as_ref()].into_iter().flatten() {
                    if self.login_of(name).await?.is_some() {
                        return Err(self.taken(user).await?);
                    }
                }
                let mut changes = self.desk.changes();
                let at = changes.at();
                let (id, _) = self.add_user(&mut changes, actor, user, hash.clone(), "user.created");
                self.desk.groups().put_into(&mut changes, actor, id, groups).await?;
                let mail = invitation_mail(id, actor.via(), at);
                changes.enqueue(actor.scope(), self.desk.ids().id(at), mail);
                Ok((changes, id))
            })
            .await
            .map_err(name_taken)?;
        self.load_agent(actor, id).await
    }

    /// The account of somebody of the desk that was deactivated, and that has the address of one to be made.
    async fn one_who_left(&self, actor: &Actor, new: &User) -> Result<Option<Arc<Stored<User>>>> {
        let login = self.login_of(&new.email).await?;
        let Some(login) = login.filter(|login| login.organisation == actor.organisation()) else {
            return Ok(None);
        };
        let before = match self.agent_account(actor, login.user).await {
            Ok((before, may)) if matches!(before.state, AccountState::Deactivated { .. }) => {
                // As with another role: the account may be a way to more than that.
                check_grant(actor, &may)?;
                before
            }
            Ok(_) | Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Under another user name they are somebody else.
        let same = new.username.is_none() || new.username == before.username;
        Ok(Some(before).filter(|before| same && before.email == new.email))
    }

    /// Lets somebody in again who has left the desk, as they are known now.
    async fn take_back(
        &self,
        actor: &Actor,
        before: &Stored<User>,
        new: &User,
        hash: Option<String>,
        groups: &[GroupId],
    ) -> Result<Changes> {
        let id = before.id;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let mut user = before.value.clone();
        user.state = user.state.reactivate(at, actor.user())?;
        (user.first_name, user.last_name) = (new.first_name.clone(), new.last_name.clone());
        user.department = new.department.clone().or(user.department);
        user.roles.clone_from(&new.roles);
        user.notified = true;
        user.end_sessions(None);
        let slot = changes.update(before, &user);
        match self.credential(actor.scope(), id).await? {
            Some(credential) => drop(changes.update(&credential, &Credential { hash })),
            None => drop(changes.insert(actor.scope(), CredentialId::of(id), &Credential { hash })),
        }
        self.drop_tokens(&mut changes, id, None).await?;
        self.desk.groups().put_into(&mut changes, actor, id, groups).await?;
        changes.enqueue(actor.scope(), self.desk.ids().id(at), invitation_mail(id, actor.via(), at));
        self.record(&mut changes, actor, "user.reactivated", id, Some(slot));
        Ok(changes)
    }

    /// Changes what is known of somebody of the desk, what they may do, or where they belong.
    ///
    /// Who gets another address or role may so far do nothing that the actor may not: an address is a way to its
    /// owner's rights.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`, or where the person or the role has a permission that the
    /// actor lacks; [`Error::NotFound`] where there is no such person of the desk; [`Error::Invalid`] with all that
    /// is wrong, also where the address is taken, or the role or a group unknown; [`Error::Rejected`] where the last
    /// administrator would be none any more, or somebody whose account is off would join a group.
    pub async fn update_agent(&self, actor: &Actor, id: UserId, edit: AgentEdit) -> Result<Agent> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        let edit = &edit;
        self.desk
            .decide(|| async move {
                let (before, may) = self.agent_account(actor, id).await?;
                let mut user = before.value.clone();
                let mut problems = edit.apply(&mut user);
                let role = match &edit.role {
                    Some(role) => self.desk_role(actor, role, &mut problems).await?,
                    None => None,
                };
                problems.into_result()?;
                let mut changes = self.desk.changes();
                let mut changed = vec!["name"; usize::from(names(&user) != names(&before))];
                if user.department != before.department {
                    changed.push("department");
                }
                if user.email != before.email {
                    check_grant(actor, &may)?;
                    self.move_login(&mut changes, actor, &before, &user.email).await?;
                    changed.push("email");
                }
                if let Some(role) = role.filter(|role| user.roles != [role.id]) {
                    check_grant(actor, &may)?;
                    check_grant(actor, &role.permissions)?;
                    user.roles = vec![role.id];
                    if !role.permissions.contains(&permissions::ADMIN_MANAGE_ROLES) {
                        self.keep_an_administrator(&mut changes, actor.organisation(), id).await?;
                    }
                    changed.push("roles");
                }
                if let Some(groups) = &edit.groups {
                    if !user.state.is_active() && !groups.is_empty() {
                        return Err(Error::Rejected(Rejection::Account { state: user.state.name() }));
                    }
                    self.desk.groups().put_into(&mut changes, actor, id, groups).await?;
                }
                if changed.is_empty() {
                    // Nobody is put into a group who leaves the desk just then.
                    changes.require(&before);
                } else {
                    let slot = changes.update(&before, &user);
                    self.record_edit(&mut changes, actor, (id, slot), &changed);
                }
                Ok((changes, ()))
            })
            .await
            .map_err(name_taken)?;
        self.load_agent(actor, id).await
    }

    /// Has somebody leave the desk: their account is switched off at once, they leave their groups, and what they have
    /// and is not solved goes back. Whoever has left stays away until they are [taken in](Identity::create_agent) again.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`; [`Error::NotFound`] where there is no such person of the
    /// desk; [`Error::Rejected`] where the account waits for approval or was shut out, or where it is the last
    /// administrator's.
    pub async fn deactivate_agent(&self, actor: &Actor, id: UserId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        let (user, _) = self.agent_account(actor, id).await?;
        if matches!(user.state, AccountState::Deactivated { .. }) {
            return Ok(());
        }
        self.deactivate(actor, id).await.map(drop)
    }

    /// A role that works the desk.
    async fn desk_role(
        &self,
        actor: &Actor,
        key: &str,
        problems: &mut Problems,
    ) -> Result<Option<Arc<Stored<Role>>>> {
        let role = if key.contains('\0') { None } else { self.role(actor.scope(), key).await? };
        let role = role.filter(|role| works_the_desk(role));
        if role.is_none() {
            problems.add("role", Problem::Unknown("role"));
        }
        Ok(role)
    }

    /// Has an account log in by another address. Links that were mailed to the one before stop working.
    async fn move_login(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<User>,
        email: &str,
    ) -> Result<()> {
        if self.login_of(email).await?.is_some() {
            return Err(Error::invalid("email", Problem::Taken("e-mail address")));
        }
        for login in self.logins(before.id).await?.iter().filter(|login| login.name == before.email) {
            changes.delete(login);
        }
        let login = Login { name: email.to_owned(), organisation: actor.organisation(), user: before.id };
        changes.insert(Scope::GLOBAL, LoginId::from_uuid(self.desk.ids().id(changes.at())), &login);
        self.drop_tokens(changes, before.id, None).await
    }
}

impl AgentEdit {
    /// Applies what needs no look at other records. Answers what is wrong with it.
    fn apply(&self, user: &mut User) -> Problems {
        let mut person = Person {
            first_name: self.first_name.clone().unwrap_or_else(|| user.first_name.clone()),
            last_name: self.last_name.clone().unwrap_or_else(|| user.last_name.clone()),
            email: self.email.as_deref().map_or_else(|| user.email.clone(), normal),
            department: self.department.clone().unwrap_or_else(|| user.department.clone()),
            // Whoever was made with one name keeps it.
            one_name: true,
            ..Person::default()
        };
        let problems = person.check();
        user.first_name = person.first_name;
        user.last_name = person.last_name;
        user.email = person.email;
        user.department = person.department;
        problems
    }
}

/// Nobody grants what they lack.
///
/// # Errors
///
/// [`Error::Forbidden`] with what the actor lacks.
pub(super) fn check_grant(actor: &Actor, permissions: &Permissions) -> Result<()> {
    let missing = permissions.iter().find(|permission| !actor.has(permission));
    missing.map_or(Ok(()), |missing| Err(Error::Forbidden { permission: missing.clone() }))
}

fn names(user: &User) -> (&str, &str) {
    (&user.first_name, &user.last_name)
}

/// Somebody else took the address between the look and the commit, which knows of log-in names only.
fn name_taken(error: Error) -> Error {
    match error {
        Error::Invalid(problems) if problems.iter().any(|(field, _)| field == "name") => {
            Error::invalid("email", Problem::Taken("e-mail address"))
        }
        error => error,
    }
}
