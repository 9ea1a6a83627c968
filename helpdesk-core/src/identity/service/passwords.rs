//! Checking, changing and forgetting passwords.

use std::sync::Arc;

use crate::actor::{Actor, Authenticated};
use crate::error::{Error, Problem, Result};
use crate::identity::login::{Credential, CredentialId, normal};
use crate::identity::mails::{ResetRequest, reset_mail};
use crate::identity::one_time::{self, OneTime, OneTimePurpose};
use crate::identity::service::Identity;
use crate::identity::{SessionId, UserId, password_problem};
use crate::limits::Quota;
use crate::storage::{Changes, EntityId as _, Filter, Scope, StorageError, Stored};

/// How often a password may be guessed from within a session.
const GUESSES: Quota = Quota::new(20, 10 * 60);
/// How often a link may be asked for by one address.
const RESETS: Quota = Quota::new(5, 60 * 60);

impl Identity {
    /// Checks the actor's own password.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `current_password` where it is another; [`Error::Limited`] after too many guesses.
    pub async fn check_password(&self, actor: &Actor, password: &str) -> Result<()> {
        let id = actor.person()?;
        let limited = |retry_after| Error::Limited { retry_after };
        self.desk.limiter().attempt(&format!("password:{id}"), GUESSES).map_err(limited)?;
        let credential = self.credential(actor.scope(), id).await?;
        let hash = credential.and_then(|credential| credential.hash.clone());
        if self.desk.passwords().verify(password, hash).await? {
            return Ok(());
        }
        Err(Error::invalid("current_password", Problem::Wrong("current password")))
    }

    /// Changes the caller's own password. Their other sessions end, and links for a new password stop working.
    ///
    /// # Errors
    ///
    /// As [`Identity::check_password`]; [`Error::Invalid`] for `new_password` where it will not do.
    pub async fn change_password(&self, caller: &Authenticated, current: &str, new: &str) -> Result<()> {
        let actor = &caller.actor;
        self.check_password(actor, current).await?;
        if let Some(problem) = password_problem(new) {
            return Err(Error::invalid("new_password", problem));
        }
        let hash = self.desk.passwords().hash(new).await?;
        self.set_password(actor, actor.person()?, hash, caller.session, "user.password_changed").await
    }

    /// Sends a link for a new password to an address, if there is an account of it. The answer, and the time it
    /// takes, is the same either way: whether there is one is looked up by the job that sends the mail.
    ///
    /// # Errors
    ///
    /// [`Error::Limited`] when asked too often for one address.
    pub async fn request_reset(&self, actor: &Actor, email: &str) -> Result<()> {
        let email = normal(email);
        let limited = |retry_after| Error::Limited { retry_after };
        self.desk.limiter().attempt(&format!("reset:{email}"), RESETS).map_err(limited)?;
        let mut changes = self.desk.changes();
        let at = changes.at();
        let job = reset_mail(&ResetRequest { email, via: (**actor.via()).clone() }, at);
        changes.enqueue(actor.scope(), self.desk.ids().id(at), job);
        self.desk.commit(changes).await?;
        Ok(())
    }

    /// Sets a new password with the token of a mailed link. All sessions end, and so do other links.
    ///
    /// `number` is the account's number as the link gives it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `token` where the token is none of ours, was used, has expired, or belongs to
    /// another account; for `new_password` where it will not do. The token then stays good.
    pub async fn reset_password(&self, actor: &Actor, number: i64, token: &str, new: &str) -> Result<()> {
        let bad = || Error::invalid("token", Problem::Format("token"));
        let tokens = self.desk.store().select::<OneTime>(Scope::GLOBAL);
        let found = tokens.filter(Filter::equals("hash", one_time::hash(token))).first().await?;
        let now = self.desk.now();
        let good = |token: &Arc<Stored<OneTime>>| {
            token.purpose == OneTimePurpose::ResetPassword
                && now < token.expires
                && token.organisation == actor.organisation()
        };
        let id = found.filter(good).ok_or_else(bad)?.user;
        if self.load(actor.scope(), id).await.map_err(|_| bad())?.number != number {
            return Err(bad());
        }
        if let Some(problem) = password_problem(new) {
            return Err(Error::invalid("new_password", problem));
        }
        let hash = self.desk.passwords().hash(new).await?;
        // The token goes with the others of the account: two who use it at once conflict over it.
        self.set_password(actor, id, hash, None, "user.password_reset").await.map_err(|error| match error {
            Error::Conflict(_) => bad(),
            other => other,
        })
    }

    async fn set_password(
        &self,
        actor: &Actor,
        id: UserId,
        hash: String,
        kept: Option<SessionId>,
        action: &'static str,
    ) -> Result<()> {
        let mut changes = self.desk.changes();
        let before = self.load(actor.scope(), id).await?;
        let mut user = before.value.clone();
        user.end_sessions(kept);
        let slot = changes.update(&before, &user);
        let credential = Credential { hash: Some(hash) };
        match self.credential(actor.scope(), id).await? {
            Some(before) => drop(changes.update(&before, &credential)),
            None => drop(changes.insert(actor.scope(), CredentialId::of(id), &credential)),
        }
        self.drop_tokens(&mut changes, id).await?;
        self.record(&mut changes, actor, action, id, Some(slot));
        // Not decided again on a conflict: what crossed may be another change of the same password.
        self.desk.commit(changes).await.map(drop).map_err(|error| match error {
            StorageError::Conflict { .. } => Error::Conflict(crate::error::Conflict::Busy),
            other => other.into(),
        })
    }

    /// Takes back all one-time tokens of an account.
    async fn drop_tokens(&self, changes: &mut Changes, user: UserId) -> Result<()> {
        let tokens = self.desk.store().select::<OneTime>(Scope::GLOBAL);
        for token in tokens.filter(Filter::equals("user_id", user.uuid())).limit(200).page().await?.items {
            changes.delete(&token);
        }
        Ok(())
    }
}
