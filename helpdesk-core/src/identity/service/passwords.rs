//! Checking, changing and forgetting passwords.

use std::sync::Arc;

use crate::actor::{Actor, Authenticated, Via};
use crate::error::{Error, Problem, Result};
use crate::identity::login::{Credential, CredentialId, normal};
use crate::identity::mails::{ResetRequest, reset_mail};
use crate::identity::one_time::{self, OneTime, OneTimeId};
use crate::identity::service::Identity;
use crate::identity::{OrganisationId, SessionId, UserId, password_problem};
use crate::limits::Quota;
use crate::storage::{Changes, EntityId as _, Filter, Scope, StorageError, Stored};

/// How often a password may be guessed from within a session, or by who has a mailed link.
const GUESSES: Quota = Quota::new(20, 10 * 60);
/// How often a link may be asked for by one address.
const RESETS: Quota = Quota::new(5, 60 * 60);

/// What somebody proved to be let set a password. It is gone once the password is another one, and whoever proved it
/// before that comes too late.
#[derive(Debug)]
pub(super) enum Proof {
    /// The present password.
    Password(Arc<Stored<Credential>>),
    /// The token of a mailed link.
    Token(Arc<Stored<OneTime>>),
}

impl Identity {
    /// Checks the actor's own password.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `current_password` where it is another; [`Error::Limited`] after too many guesses.
    pub async fn check_password(&self, actor: &Actor, password: &str) -> Result<()> {
        self.checked(actor, password).await.map(drop)
    }

    pub(super) async fn checked(&self, actor: &Actor, password: &str) -> Result<Arc<Stored<Credential>>> {
        let credential = self.right_password(actor.scope(), actor.person()?, password).await?;
        credential.ok_or_else(|| Error::invalid("current_password", Problem::Wrong("current password")))
    }

    /// The credential of an account, where this is its password.
    pub(super) async fn right_password(
        &self,
        scope: Scope,
        id: UserId,
        password: &str,
    ) -> Result<Option<Arc<Stored<Credential>>>> {
        let limited = |retry_after| Error::Limited { retry_after };
        self.desk.limiter().attempt(&format!("password:{id}"), GUESSES).map_err(limited)?;
        let credential = self.credential(scope, id).await?;
        let hash = credential.as_ref().and_then(|credential| credential.hash.clone());
        let right = self.desk.passwords().verify(password, hash).await?;
        Ok(credential.filter(|_| right))
    }

    /// Changes the caller's own password. Their other sessions end, and links for a new password stop working.
    ///
    /// # Errors
    ///
    /// As [`Identity::check_password`]; [`Error::Invalid`] for `new_password` where it will not do;
    /// [`Error::Conflict`] where somebody else has set another one meanwhile.
    pub async fn change_password(&self, caller: &Authenticated, current: &str, new: &str) -> Result<()> {
        let actor = &caller.actor;
        let proof = Proof::Password(self.checked(actor, current).await?);
        if let Some(problem) = password_problem(new) {
            return Err(Error::invalid("new_password", problem));
        }
        let hash = self.desk.passwords().hash(new).await?;
        self.set_password(actor, actor.person()?, hash, proof, caller.session).await
    }

    /// Sends a link for a new password to an address, if there is an account of it in the actor's organisation. The
    /// answer, and the time it takes, is the same either way: whether there is one is looked up by the job that sends
    /// the mail.
    ///
    /// # Errors
    ///
    /// [`Error::Limited`] when asked too often for one address.
    pub async fn request_reset(&self, actor: &Actor, email: &str) -> Result<()> {
        self.request_reset_at(actor, Some(actor.organisation()), email).await
    }

    /// The same, at a door that belongs to no organisation: whichever the account is of.
    ///
    /// # Errors
    ///
    /// As [`Identity::request_reset`].
    pub async fn request_reset_anywhere(&self, actor: &Actor, email: &str) -> Result<()> {
        self.request_reset_at(actor, None, email).await
    }

    async fn request_reset_at(&self, actor: &Actor, door: Option<OrganisationId>, email: &str) -> Result<()> {
        let email = normal(email);
        let limited = |retry_after| Error::Limited { retry_after };
        self.desk.limiter().attempt(&format!("reset:{email}"), RESETS).map_err(limited)?;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let job = reset_mail(&ResetRequest { email, door, via: (**actor.via()).clone() }, at);
        changes.enqueue(actor.scope(), self.desk.ids().id(at), job);
        self.desk.commit(changes).await?;
        Ok(())
    }

    /// Sets a new password with the token of a mailed link, those of an invitation and of a confirmation among them. All
    /// sessions end, and so do other links. Where the address was still to be confirmed, it is: the link was mailed there.
    ///
    /// `number` is the account's number as the link gives it.
    ///
    /// # Errors
    ///
    /// [`Error::BadToken`] where the token is none of ours, was used, has expired, or belongs to another account;
    /// [`Error::Invalid`] for `new_password` where it will not do. The token then stays good.
    pub async fn reset_password(&self, actor: &Actor, number: i64, token: &str, new: &str) -> Result<()> {
        let found = self.one_time(token).await?;
        let good = found.purpose.sets_password()
            && found.organisation == actor.organisation()
            && self.load(actor.scope(), found.user).await.is_ok_and(|user| user.number == number);
        if good { self.reset_by(actor, found, new).await } else { Err(Error::BadToken) }
    }

    /// The same, at a door that belongs to no organisation and whose links name no account.
    ///
    /// # Errors
    ///
    /// As [`Identity::reset_password`].
    pub async fn reset_password_anywhere(&self, via: &Arc<Via>, token: &str, new: &str) -> Result<()> {
        let found = self.one_time(token).await?;
        if !found.purpose.sets_password() {
            return Err(Error::BadToken);
        }
        let actor = Actor::anonymous(found.organisation, Arc::clone(via));
        self.reset_by(&actor, found, new).await
    }

    /// The one-time token of a text, where it is still good for something.
    pub(super) async fn one_time(&self, token: &str) -> Result<Arc<Stored<OneTime>>> {
        let tokens = self.desk.store().select::<OneTime>(Scope::GLOBAL);
        let found = tokens.filter(Filter::equals("hash", one_time::hash(token))).first().await?;
        let now = self.desk.now();
        found.filter(|token| now < token.expires).ok_or(Error::BadToken)
    }

    pub(super) async fn reset_by(&self, actor: &Actor, token: Arc<Stored<OneTime>>, new: &str) -> Result<()> {
        if let Some(problem) = password_problem(new) {
            return Err(Error::invalid("new_password", problem));
        }
        let (id, hash) = (token.user, self.desk.passwords().hash(new).await?);
        self.set_password(actor, id, hash, Proof::Token(token), None).await.map_err(|error| match error {
            Error::Conflict(_) => Error::BadToken,
            other => other,
        })
    }

    async fn set_password(
        &self,
        actor: &Actor,
        id: UserId,
        hash: String,
        proof: Proof,
        kept: Option<SessionId>,
    ) -> Result<()> {
        let mut changes = self.desk.changes();
        self.put_password(&mut changes, actor, id, hash, proof, kept).await?;
        // Not decided again on a conflict: what crossed may be another change of the same password.
        self.desk.commit(changes).await.map(drop).map_err(crossed)
    }

    /// Adds another password, and what ends with the one before.
    pub(super) async fn put_password(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        id: UserId,
        hash: String,
        proof: Proof,
        kept: Option<SessionId>,
    ) -> Result<()> {
        let before = self.load(actor.scope(), id).await?;
        let mut user = before.value.clone();
        user.end_sessions(kept);
        if matches!(proof, Proof::Token(_)) {
            self.let_in_if_unconfirmed(changes, &mut user, &before).await?;
        }
        let slot = changes.update(&before, &user);
        // The proof is used up as it was read: of two who have it at once, one comes too late, however long the other
        // took to make the hash.
        let (before, used, action) = match proof {
            Proof::Password(credential) => (Some(credential), None, "user.password_changed"),
            Proof::Token(token) => {
                changes.delete(&token);
                (self.credential(actor.scope(), id).await?, Some(token.id), "user.password_reset")
            }
        };
        let credential = Credential { hash: Some(hash) };
        match before {
            Some(before) => drop(changes.update(&before, &credential)),
            None => drop(changes.insert(actor.scope(), CredentialId::of(id), &credential)),
        }
        self.drop_tokens(changes, id, used).await?;
        self.record(changes, actor, action, id, Some(slot));
        Ok(())
    }

    /// The one-time tokens of an account that are still good, the oldest first. There are few of each purpose.
    pub(in crate::identity) async fn pending_tokens(
        &self,
        user: UserId,
    ) -> Result<Vec<Arc<Stored<OneTime>>>> {
        let good = Filter::equals("user_id", user.uuid()).and(Filter::at_least("expires", self.desk.now()));
        Ok(self.desk.store().select::<OneTime>(Scope::GLOBAL).filter(good).all().await?)
    }

    /// Takes back the one-time tokens of an account, but for the one that goes already.
    pub(super) async fn drop_tokens(
        &self,
        changes: &mut Changes,
        user: UserId,
        used: Option<OneTimeId>,
    ) -> Result<()> {
        let tokens = self.pending_tokens(user).await?;
        tokens.iter().filter(|token| Some(token.id) != used).for_each(|token| changes.delete(token));
        Ok(())
    }
}

/// What somebody is told whose proof was used up by somebody else.
pub(super) fn crossed(error: StorageError) -> Error {
    match error {
        StorageError::Conflict { .. } => Error::Conflict(crate::error::Conflict::Busy),
        other => other.into(),
    }
}
