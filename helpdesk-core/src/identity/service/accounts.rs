//! The life of accounts: sign-up, making, approving, rejecting, switching off.

use email_address::EmailAddress;

use crate::actor::Actor;
use crate::contacts::{is_outside, keep};
use crate::error::{Error, Problem, Problems, Result};
use crate::identity::login::{Credential, CredentialId, Login, LoginId, normal, release};
use crate::identity::mails::account_mail;
use crate::identity::service::Identity;
use crate::identity::service::employing::check_grant;
use crate::identity::{AccountState, Availability, Role, User, UserId, password_problem, permissions};
use crate::mail::MailTemplate;
use crate::notifications::Preferences;
use crate::storage::{Changes, EntityId as _, Scope, Slot, StorageError, Stored};
use crate::tickets::hand_back;

/// The longest name or address that is taken, in characters.
const MAX_NAME: usize = 100;
const MAX_EMAIL: usize = 254;

/// Who somebody is.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Given name; not empty.
    pub first_name: String,
    /// Family name; not empty, but of somebody who gave [one name](Person::named).
    pub last_name: String,
    /// Second given name.
    pub middle_name: Option<String>,
    /// What follows the name.
    pub suffix: Option<String>,
    /// The address; no other account may have it.
    pub email: String,
    /// A second name to log in with; no other account may have it.
    pub username: Option<String>,
    /// Where in the organisation they work.
    pub department: Option<String>,
    /// Whether they gave one name, of which nobody knows what is the family's: there may then be no family name.
    pub one_name: bool,
}

/// Somebody who signs up.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// Who they are.
    pub person: Person,
    /// The password they chose, of 8 characters at least.
    pub password: String,
    /// A profile picture: PNG or JPEG, 2 MB at most.
    pub picture: Option<bytes::Bytes>,
}

/// An account that an administrator makes.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// Who they are.
    pub person: Person,
    /// The short name of their role.
    pub role: String,
    /// A password; without one, none works until it is set by mail.
    pub password: Option<String>,
    /// Whether the account may log in at once, rather than wait for approval.
    pub approved: bool,
}

impl Person {
    /// Somebody of a name in one piece: the last word is the family name, with what goes before it in small letters
    /// (`van`, `de la`), and the rest the given names. A single word is a given name.
    #[must_use]
    pub fn named(full_name: &str) -> Self {
        let (first_name, last_name) = split_name(full_name);
        Self { first_name, last_name, one_name: true, ..Self::default() }
    }

    pub(super) fn check(&mut self) -> Problems {
        let mut problems = Problems::default();
        let mut text = |field: &str, text: &mut String, required: bool, most: usize| {
            *text = text.trim().to_owned();
            if text.is_empty() && required {
                problems.add(field, Problem::Blank);
            } else if text.chars().count() > most {
                problems.add(field, Problem::TooLong(most));
            } else if text.contains('\0') {
                problems.add(field, Problem::NulCharacter);
            }
        };
        text("first_name", &mut self.first_name, true, MAX_NAME);
        text("last_name", &mut self.last_name, !self.one_name, MAX_NAME);
        text("email", &mut self.email, true, MAX_EMAIL);
        for (field, value) in [
            ("middle_name", &mut self.middle_name),
            ("suffix", &mut self.suffix),
            ("department", &mut self.department),
            ("username", &mut self.username),
        ] {
            value.iter_mut().for_each(|value| text(field, value, false, MAX_NAME));
            value.take_if(|value| value.is_empty());
        }
        self.email = normal(&self.email);
        self.username = self.username.as_deref().map(normal);
        if !self.email.is_empty() && !EmailAddress::is_valid(&self.email) {
            problems.add("email", Problem::Format("e-mail address"));
        }
        // A user name with an @ could be somebody else's address.
        if self.username.as_ref().is_some_and(|name| name.contains('@') || name.contains(char::is_whitespace))
        {
            problems.add("username", Problem::Format("user name"));
        }
        problems
    }
}

impl Identity {
    /// Signs somebody up: the account has the role of customers and waits for approval. They get a mail.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong, also where the address is taken.
    pub async fn register(&self, actor: &Actor, registration: Registration) -> Result<Stored<User>> {
        let Registration { mut person, password, picture } = registration;
        let mut problems = person.check();
        if let Some(problem) = password_problem(&password) {
            problems.add("password", problem);
        }
        problems.into_result()?;
        let picture = match picture {
            Some(content) => Some(self.desk.pictures().fit(content).await?),
            None => None,
        };
        let role = self.role(actor.scope(), "customer").await?.ok_or(Error::NotFound { what: "role" })?;
        let hash = self.desk.passwords().hash(&password).await?;
        let mut user = person.into_user(AccountState::Pending, &role);
        if let Some(content) = picture {
            user.picture = Some(self.keep_picture(actor.organisation(), content).await?);
        }
        let mail = Some(MailTemplate::AccountReceived);
        self.insert_user(actor, (user, &role), Some(hash), "user.registered", mail).await
    }

    /// Makes an account. Nobody gives a role that may do what they may not.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`, or where the role has a permission that the actor lacks;
    /// [`Error::Invalid`] with all that is wrong, also where the address is taken or the role unknown.
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        let NewUser { mut person, role, password, approved } = new;
        let mut problems = person.check();
        if let Some(problem) = password.as_deref().and_then(password_problem) {
            problems.add("password", problem);
        }
        let role = self.role(actor.scope(), &role).await?;
        if role.is_none() {
            problems.add("role", Problem::Unknown("role"));
        }
        problems.into_result()?;
        let role = role.ok_or(Error::NotFound { what: "role" })?;
        check_grant(actor, &role.permissions)?;
        let state = if approved {
            AccountState::Approved { at: self.desk.now(), by: actor.user() }
        } else {
            AccountState::Pending
        };
        let hash = match password {
            Some(password) => Some(self.desk.passwords().hash(&password).await?),
            None => None,
        };
        let user = person.into_user(state, &role);
        self.insert_user(actor, (user, &role), hash, "user.created", None).await
    }

    /// Approves an account that waits. The person gets a mail.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.approve_users`; [`Error::NotFound`]; [`Error::Rejected`] unless the
    /// account waits.
    pub async fn approve(&self, actor: &Actor, id: UserId) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_APPROVE_USERS)?;
        self.change_user(actor, id, "user.approved", |user, changes| {
            user.state = user.state.clone().approve(changes.at(), actor.user())?;
            user.notified = true;
            let mail = account_mail(MailTemplate::AccountApproved, id, changes.at());
            changes.enqueue(actor.scope(), self.desk.ids().id(changes.at()), mail);
            keep(&self.desk, changes, actor.scope(), id);
            Ok(())
        })
        .await
    }

    /// Refuses an account that waits. It is kept for the audit with the reason, cannot log in, and its address is
    /// free for another account. The person gets a mail.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.approve_users`; [`Error::NotFound`]; [`Error::Rejected`] unless the
    /// account waits.
    pub async fn reject(&self, actor: &Actor, id: UserId, reason: Option<String>) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_APPROVE_USERS)?;
        let logins = self.logins(id).await?;
        let (reason, logins) = (&reason, &logins);
        self.change_user(actor, id, "user.rejected", |user, changes| {
            user.state = user.state.clone().reject(changes.at(), actor.user(), reason.clone())?;
            release(changes, logins);
            let mail = account_mail(MailTemplate::AccountRejected, id, changes.at());
            changes.enqueue(actor.scope(), self.desk.ids().id(changes.at()), mail);
            Ok(())
        })
        .await
    }

    /// Switches an account off, at once. They leave their groups, and what they have and is not solved goes back.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`; [`Error::NotFound`]; [`Error::Rejected`] unless it was
    /// on, or where it is the last administrator's.
    pub async fn deactivate(&self, actor: &Actor, id: UserId) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        self.remove_user(actor, id, "user.deactivated", |state, at| state.deactivate(at, actor.user())).await
    }

    /// Shuts an account out, at once.
    ///
    /// # Errors
    ///
    /// As [`Identity::deactivate`].
    pub async fn block(&self, actor: &Actor, id: UserId, reason: Option<String>) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        let block = |state: AccountState, at| state.block(at, actor.user(), reason.clone());
        self.remove_user(actor, id, "user.blocked", block).await
    }

    /// Switches an account on again.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`; [`Error::NotFound`]; [`Error::Rejected`] unless it was
    /// deactivated or blocked.
    pub async fn reactivate(&self, actor: &Actor, id: UserId) -> Result<Stored<User>> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        self.change_user(actor, id, "user.reactivated", |user, changes| {
            user.state = user.state.clone().reactivate(changes.at(), actor.user())?;
            keep(&self.desk, changes, actor.scope(), id);
            Ok(())
        })
        .await
    }

    async fn remove_user(
        &self,
        actor: &Actor,
        id: UserId,
        action: &'static str,
        leave: impl Fn(AccountState, chrono::DateTime<chrono::Utc>) -> Result<AccountState> + Send + Sync,
    ) -> Result<Stored<User>> {
        let leave = &leave;
        let ((before, value, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor.scope(), id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut user = before.value.clone();
                user.state = leave(user.state, at)?;
                user.availability = Availability::Offline;
                // Whoever is let in again signs in again: it may be a token that they were shut out for.
                user.end_sessions(None);
                self.keep_an_administrator(&mut changes, actor.organisation(), id).await?;
                self.drop_tokens(&mut changes, id, None).await?;
                self.desk.groups().leave_all(&mut changes, actor, id).await?;
                changes.enqueue(actor.scope(), self.desk.ids().id(at), hand_back(id, None, at));
                let slot = changes.update(&before, &user);
                self.record(&mut changes, actor, action, id, Some(slot));
                Ok((changes, (before, user, slot, at)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), value))
    }

    /// Changes an account, and writes down that it was done.
    pub(super) async fn change_user(
        &self,
        actor: &Actor,
        id: UserId,
        action: &'static str,
        change: impl Fn(&mut User, &mut Changes) -> Result<()> + Send + Sync,
    ) -> Result<Stored<User>> {
        let change = &change;
        let ((before, value, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor.scope(), id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut user = before.value.clone();
                change(&mut user, &mut changes)?;
                let slot = changes.update(&before, &user);
                self.record(&mut changes, actor, action, id, Some(slot));
                Ok((changes, (before, user, slot, at)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), value))
    }

    async fn insert_user(
        &self,
        actor: &Actor,
        (user, role): (User, &Role),
        hash: Option<String>,
        action: &'static str,
        mail: Option<MailTemplate>,
    ) -> Result<Stored<User>> {
        let mut changes = self.desk.changes();
        let at = changes.at();
        let (id, slot) = self.add_user(&mut changes, actor, &user, hash, action);
        if let Some(template) = mail {
            changes.enqueue(actor.scope(), self.desk.ids().id(at), account_mail(template, id, at));
        }
        if user.state.is_active() && is_outside(&role.permissions) {
            keep(&self.desk, &mut changes, actor.scope(), id);
        }
        match self.desk.commit(changes).await {
            Ok(committed) => Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), user)),
            Err(StorageError::Duplicate { kind: "login", .. }) => Err(self.taken(&user).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a new account to a batch, with its password and the names it logs in by.
    pub(super) fn add_user(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        user: &User,
        hash: Option<String>,
        action: &'static str,
    ) -> (UserId, Slot) {
        let at = changes.at();
        let id = UserId::from_uuid(self.desk.ids().id(at));
        let slot = changes.insert(actor.scope(), id, user);
        changes.insert(actor.scope(), CredentialId::of(id), &Credential { hash });
        for name in [Some(&user.email), user.username.as_ref()].into_iter().flatten() {
            let login = Login { name: name.clone(), organisation: actor.organisation(), user: id };
            changes.insert(Scope::GLOBAL, LoginId::from_uuid(self.desk.ids().id(at)), &login);
        }
        self.record(changes, actor, action, id, Some(slot));
        (id, slot)
    }

    /// Has a commit remove an account that was never used, with its password and the names it logs in by. What is in the
    /// event log of it stays.
    pub(in crate::identity) async fn remove_account(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        account: &Stored<User>,
    ) -> Result<()> {
        release(changes, &self.logins(account.id).await?);
        self.drop_tokens(changes, account.id, None).await?;
        if let Some(credential) = self.credential(account.scope, account.id).await? {
            changes.delete(&credential);
        }
        changes.delete(account);
        self.record(changes, actor, "user.removed", account.id, None);
        Ok(())
    }

    /// Which of an account's names another has.
    pub(super) async fn taken(&self, user: &User) -> Result<Error> {
        let mut problems = Problems::default();
        if self.login_of(&user.email).await?.is_some() {
            problems.add("email", Problem::Taken("e-mail address"));
        }
        if let Some(name) = &user.username
            && self.login_of(name).await?.is_some()
        {
            problems.add("username", Problem::Taken("user name"));
        }
        Ok(Error::Invalid(problems))
    }
}

impl Person {
    pub(super) fn into_user(self, state: AccountState, role: &Stored<Role>) -> User {
        User {
            email: self.email,
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            middle_name: self.middle_name,
            suffix: self.suffix,
            department: self.department,
            phone: None,
            avatar: None,
            company: None,
            availability: Availability::default(),
            preferences: Preferences::default(),
            state,
            roles: vec![role.id],
            picture: None,
            notified: false,
            session_epoch: 0,
            kept_session: None,
            ext: serde_json::Map::new(),
        }
    }
}

/// The given names and the family name of somebody whose name is in one piece.
pub(super) fn split_name(full_name: &str) -> (String, String) {
    let words: Vec<_> = full_name.split_whitespace().collect();
    let mut family = words.len().saturating_sub(1).max(1);
    while family > 1 && words[family - 1].chars().all(char::is_lowercase) {
        family -= 1;
    }
    let (first, last) = words.split_at(family.min(words.len()));
    (first.join(" "), last.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_one_piece_is_taken_apart_so_that_it_reads_the_same() {
        for (name, first, last) in [
            ("Nina New", "Nina", "New"),
            ("  Anna  Maria Lopez ", "Anna Maria", "Lopez"),
            ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
            ("Juan de la Cruz", "Juan", "de la Cruz"),
            ("Plato", "Plato", ""),
            ("van gogh", "van", "gogh"),
            ("李 小龍", "李", "小龍"),
            (" ", "", ""),
        ] {
            assert_eq!(split_name(name), (first.to_owned(), last.to_owned()), "{name:?}");
        }
        let mut plato = Person { email: "plato@example.com".into(), ..Person::named("Plato") };
        assert!(plato.check().is_empty());
        plato.one_name = false;
        assert!(!plato.check().is_empty(), "elsewhere both names are asked for");
    }
}
