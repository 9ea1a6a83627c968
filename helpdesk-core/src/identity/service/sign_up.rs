//! Signing up where the address is confirmed by mail, and confirming it.

use std::sync::Arc;

use crate::actor::{Actor, Via};
use crate::contacts::{Company, CompanyId, keep};
use crate::error::{Error, Problem, Result};
use crate::identity::cleanup::remove_unconfirmed;
use crate::identity::confirmation::{address_change_mail, confirmation_mail};
use crate::identity::login::{Login, LoginId};
use crate::identity::one_time::{OneTime, OneTimePurpose};
use crate::identity::service::Identity;
use crate::identity::service::settings::check_phone;
use crate::identity::{AccountState, Person, User, password_problem};
use crate::storage::{Changes, EntityId as _, Filter, Scope, StorageError, Stored};

/// Somebody who signs up at a door where nobody looks at accounts before they are used.
#[derive(Clone, Default)]
pub struct SignUp {
    /// Who they are.
    pub person: Person,
    /// The password they chose, of 8 characters at least.
    pub password: String,
    /// A telephone number.
    pub phone: Option<String>,
    /// The company they belong to.
    pub company: Option<CompanyId>,
    /// Where the mail's link leads: an address, or a path below the site, with `{token}` for the token.
    pub link: String,
}

impl std::fmt::Debug for SignUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignUp").field("company", &self.company).finish_non_exhaustive()
    }
}

/// What somebody shows beside the token of a link that confirms an address. The token alone says that the address is
/// theirs, and not that the account is: anybody may have signed up with it, or asked for it.
#[derive(Clone, Copy)]
pub enum Confirming<'a> {
    /// The password of the account.
    Password(&'a str),
    /// Another password that an account which signed up has from now on. Whoever typed the first is then shut out.
    NewPassword(&'a str),
}

impl std::fmt::Debug for Confirming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(..)",
            Self::NewPassword(_) => "NewPassword(..)",
        })
    }
}

impl Identity {
    /// Signs somebody up: the account has the role of customers and can be used once its address is confirmed. They
    /// get a mail with a link for that.
    ///
    /// Nobody is taken for somebody of a company by an address that anybody may have typed: without a company, that of
    /// the address is theirs when it is confirmed.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong, also where the address is taken or there is no such `company`.
    pub async fn sign_up(&self, actor: &Actor, new: SignUp) -> Result<Stored<User>> {
        let SignUp { mut person, password, phone, company, link } = new;
        let mut problems = person.check();
        if let Some(problem) = password_problem(&password) {
            problems.add("password", problem);
        }
        check_phone(&mut problems, phone.as_deref());
        let mut known = None;
        if let Some(company) = company {
            let found = self.desk.store().get::<Company>(actor.scope(), company).await?;
            known = found.filter(|company| company.deleted.is_none());
            if known.is_none() {
                problems.add("company", Problem::Unknown("organization"));
            }
        }
        problems.into_result()?;
        let role = self.role(actor.scope(), "customer").await?.ok_or(Error::NotFound { what: "role" })?;
        let hash = self.desk.passwords().hash(&password).await?;
        let mut user = person.into_user(AccountState::Unconfirmed, &role);
        user.phone = phone;
        user.company = company;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let (id, slot) = self.add_user(&mut changes, actor, &user, Some(hash), "user.registered");
        if let Some(company) = &known {
            changes.require(company);
        }
        changes.enqueue(actor.scope(), self.desk.ids().id(at), confirmation_mail(id, &link, at));
        remove_unconfirmed(&self.desk, &mut changes, actor.scope());
        match self.desk.commit(changes).await {
            Ok(committed) => Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), user)),
            Err(StorageError::Duplicate { kind: "login", .. }) => Err(self.taken(&user).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes an address for confirmed, by the token of a mailed link: that of an account that signed up, which can be
    /// used from then on, or another one for an account that wants it, which has it from then on.
    ///
    /// # Errors
    ///
    /// [`Error::BadToken`] where the token is none of ours, was used, has expired, or the account was shut out;
    /// [`Error::Invalid`] for `password` where it is another, for `new_password` where it will not do, for `email` where
    /// somebody else has the new address by now; [`Error::Limited`] after too many guesses. The token then stays good.
    pub async fn confirm_address(&self, via: &Arc<Via>, token: &str, shown: Confirming<'_>) -> Result<()> {
        let found = self.one_time(token).await?;
        let actor = &Actor::anonymous(found.organisation, Arc::clone(via));
        let password = match (found.purpose, shown) {
            (OneTimePurpose::ConfirmAddress, Confirming::NewPassword(new)) => {
                let user = self.load(actor.scope(), found.user).await.map_err(|_| Error::BadToken)?;
                let waits = matches!(user.state, AccountState::Unconfirmed | AccountState::Approved { .. });
                return if waits { self.reset_by(actor, found, new).await } else { Err(Error::BadToken) };
            }
            // Whoever has the new address does not have the account for that.
            (OneTimePurpose::ChangeAddress, Confirming::NewPassword(_)) => {
                return Err(Error::invalid("password", Problem::Required));
            }
            (OneTimePurpose::ConfirmAddress | OneTimePurpose::ChangeAddress, Confirming::Password(shown)) => {
                shown
            }
            _ => return Err(Error::BadToken),
        };
        if password.is_empty() {
            return Err(Error::invalid("password", Problem::Required));
        }
        let credential = self.right_password(actor.scope(), found.user, password).await?;
        let credential = &credential.ok_or_else(|| Error::invalid("password", Problem::Wrong("password")))?;
        let confirmed = self
            .desk
            .decide(|| async move {
                let token = self.one_time(token).await?;
                let mut changes = self.desk.changes();
                // Another password ends the link as well.
                changes.require(credential);
                let before = self.load(actor.scope(), token.user).await.map_err(|_| Error::BadToken)?;
                match (token.purpose, &token.email) {
                    (OneTimePurpose::ConfirmAddress, _) => {
                        self.let_in(&mut changes, actor, &before).await?;
                        changes.delete(&token);
                    }
                    (OneTimePurpose::ChangeAddress, Some(email)) => {
                        self.move_address(&mut changes, actor, &before, &token, email).await?;
                    }
                    _ => return Err(Error::BadToken),
                }
                Ok((changes, ()))
            })
            .await;
        confirmed.map(drop).map_err(|error| match error {
            // The log-in name is unique.
            Error::Invalid(_) => Error::invalid("email", Problem::Taken("e-mail address")),
            other => other,
        })
    }

    async fn let_in(&self, changes: &mut Changes, actor: &Actor, before: &Stored<User>) -> Result<()> {
        let mut user = before.value.clone();
        match &user.state {
            AccountState::Unconfirmed => {
                self.let_in_if_unconfirmed(changes, &mut user, before).await?;
                let slot = changes.update(before, &user);
                self.record(changes, actor, "user.confirmed", before.id, Some(slot));
                Ok(())
            }
            // An administrator was quicker.
            AccountState::Approved { .. } => Ok(()),
            _ => Err(Error::BadToken),
        }
    }

    /// Lets an account in whose address is now known to be theirs. It then belongs to the company of that address,
    /// unless they named another.
    pub(super) async fn let_in_if_unconfirmed(
        &self,
        changes: &mut Changes,
        user: &mut User,
        before: &Stored<User>,
    ) -> Result<()> {
        if !matches!(user.state, AccountState::Unconfirmed) {
            return Ok(());
        }
        user.state = user.state.clone().confirm(changes.at())?;
        if let (None, Some((_, domain))) = (user.company, user.email.rsplit_once('@')) {
            let companies = self.desk.store().select::<Company>(before.scope);
            user.company = companies.filter(Filter::equals("domain", domain)).first_id().await?;
        }
        keep(&self.desk, changes, before.scope, before.id);
        Ok(())
    }

    /// Gives an account another address, and with it another name to log in by. Links that were mailed to the one
    /// before stop working.
    async fn move_address(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<User>,
        token: &Stored<OneTime>,
        email: &str,
    ) -> Result<()> {
        if !before.state.is_active() {
            return Err(Error::BadToken);
        }
        let user = User { email: email.to_owned(), ..before.value.clone() };
        let slot = changes.update(before, &user);
        for login in self.logins(before.id).await?.iter().filter(|login| login.name == before.email) {
            changes.delete(login);
        }
        let login = Login { name: email.to_owned(), organisation: actor.organisation(), user: before.id };
        changes.insert(Scope::GLOBAL, LoginId::from_uuid(self.desk.ids().id(changes.at())), &login);
        changes.delete(token);
        self.drop_tokens(changes, before.id, Some(token.id)).await?;
        keep(&self.desk, changes, actor.scope(), before.id);
        let mail = address_change_mail(before.id, &before.email, true, changes.at());
        changes.enqueue(actor.scope(), self.desk.ids().id(changes.at()), mail);
        self.record(changes, actor, "user.address_changed", before.id, Some(slot));
        Ok(())
    }

    /// The company of an account, unless it was deleted.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn company_of(&self, actor: &Actor, user: &User) -> Result<Option<Arc<Stored<Company>>>> {
        let Some(id) = user.company else { return Ok(None) };
        let found = self.desk.store().get::<Company>(actor.scope(), id).await?;
        Ok(found.filter(|company| company.deleted.is_none()))
    }
}
