//! Changing passwords and second factors together, and asking for the second at the door.

use std::fmt;

use crate::actor::{Actor, Authenticated};
use crate::error::{AuthFailure, Error, Problem, Result};
use crate::identity::service::Identity;
use crate::identity::service::passwords::{Proof, crossed};
use crate::identity::two_factor::{Enrolment, SecondFactor, TwoFactor, TwoFactorId};
use crate::identity::{UserId, password_problem, permissions};
use crate::limits::Quota;
use crate::storage::Changes;

/// How often a code may be tried. Six figures and three steps: at this pace a guess takes years.
const CODES: Quota = Quota::new(10, 15 * 60);

/// What somebody changes about how they come in.
#[derive(Clone, Copy)]
pub struct SecurityChange<'a> {
    /// The present password, without which nothing is changed.
    pub current_password: &'a str,
    /// Another password.
    pub new_password: Option<&'a str>,
    /// What becomes of the second factor.
    pub second_factor: Option<SecondFactorChange<'a>>,
}

impl fmt::Debug for SecurityChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityChange").field("second_factor", &self.second_factor).finish_non_exhaustive()
    }
}

/// What becomes of a second factor.
#[derive(Clone, Copy)]
pub enum SecondFactorChange<'a> {
    /// It is set up. Codes are asked for once the first was shown; until then it can be begun anew.
    Begin,
    /// The first code is shown.
    Confirm(&'a str),
    /// It ends.
    End,
}

impl fmt::Debug for SecondFactorChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "Begin",
            Self::Confirm(_) => "Confirm(..)",
            Self::End => "End",
        })
    }
}

impl Identity {
    /// Changes the caller's own password, second factor, or both: all of it or nothing. With the password, their other
    /// sessions end, and links for a new one stop working. Answers what an enrolment that begins needs; where the
    /// second factor is there already, beginning it changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for `current_password` where it is another, for `new_password` where it will not do, for
    /// `code` where it is wrong or no enrolment waits for one; [`Error::Limited`] after too many guesses;
    /// [`Error::Conflict`] where something was changed meanwhile.
    pub async fn change_security(
        &self,
        caller: &Authenticated,
        change: SecurityChange<'_>,
    ) -> Result<Option<Enrolment>> {
        let SecurityChange { current_password, new_password, second_factor } = change;
        let actor = &caller.actor;
        let id = actor.person()?;
        let credential = self.checked(actor, current_password).await?;
        if let Some(problem) = new_password.and_then(password_problem) {
            return Err(Error::invalid("new_password", problem));
        }
        self.count_code(id, matches!(second_factor, Some(SecondFactorChange::Confirm(_))))?;
        let mut changes = self.desk.changes();
        let enrolment = match second_factor {
            Some(change) => self.put_second_factor(&mut changes, actor, id, change).await?,
            None => None,
        };
        match new_password {
            Some(new) => {
                let hash = self.desk.passwords().hash(new).await?;
                let proof = Proof::Password(credential);
                self.put_password(&mut changes, actor, id, hash, proof, caller.session).await?;
            }
            None => changes.require(&credential),
        }
        self.desk.commit(changes).await.map_err(crossed)?;
        Ok(enrolment)
    }

    /// Takes the second factor of somebody away who has lost it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_users`; [`Error::NotFound`].
    pub async fn end_second_factor(&self, actor: &Actor, id: UserId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_USERS)?;
        self.load(actor.scope(), id).await?;
        self.desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                self.put_second_factor(&mut changes, actor, id, SecondFactorChange::End).await?;
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// Whether the actor's own account asks for a second factor.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has no account.
    pub async fn has_second_factor(&self, actor: &Actor) -> Result<bool> {
        let id = TwoFactorId::of(actor.person()?);
        let found = self.desk.store().get::<TwoFactor>(actor.scope(), id).await?;
        Ok(found.is_some_and(|found| found.active.is_some()))
    }

    async fn put_second_factor(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        user: UserId,
        change: SecondFactorChange<'_>,
    ) -> Result<Option<Enrolment>> {
        let (scope, id) = (actor.scope(), TwoFactorId::of(user));
        let before = self.desk.store().get::<TwoFactor>(scope, id).await?;
        match (change, before) {
            (SecondFactorChange::Begin, Some(before)) if before.active.is_some() => Ok(None),
            (SecondFactorChange::Begin, before) => {
                let account = self.load(scope, user).await?;
                let organisation = self.organisation(actor).await?;
                let names = (organisation.name.as_str(), account.email.as_str());
                let random = || self.desk.ids().secret();
                let (factor, enrolment) = TwoFactor::begin(self.desk.tokens(), user, names, random)?;
                match before {
                    Some(before) => drop(changes.update(&before, &factor)),
                    None => drop(changes.insert(scope, id, &factor)),
                }
                Ok(Some(enrolment))
            }
            (SecondFactorChange::Confirm(code), Some(before)) if before.active.is_none() => {
                let mut factor = before.value.clone();
                let (code, now) = (SecondFactor::Code(code), changes.at());
                if !factor.accept(self.desk.tokens(), user, code, now)? {
                    return Err(Error::invalid("code", Problem::Wrong("code")));
                }
                factor.active = Some(now);
                changes.update(&before, &factor);
                self.record(changes, actor, "user.second_factor_set", user, None);
                Ok(None)
            }
            (SecondFactorChange::Confirm(_), _) => {
                Err(Error::invalid("code", Problem::Unknown("second factor that waits for a code")))
            }
            (SecondFactorChange::End, Some(before)) => {
                changes.delete(&before);
                if before.active.is_some() {
                    self.record(changes, actor, "user.second_factor_ended", user, None);
                }
                Ok(None)
            }
            (SecondFactorChange::End, None) => Ok(None),
        }
    }

    /// Counts a code that is tried.
    pub(super) fn count_code(&self, user: UserId, tried: bool) -> Result<()> {
        if tried {
            let limited = |retry_after| Error::Limited { retry_after };
            self.desk.limiter().attempt(&format!("code:{user}"), CODES).map_err(limited)?;
        }
        Ok(())
    }

    /// Lets somebody pass who has no second factor or shows it. What was shown is used up in the same batch.
    pub(super) async fn pass_second_factor(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        user: UserId,
        shown: Option<SecondFactor<'_>>,
    ) -> Result<()> {
        let id = TwoFactorId::of(user);
        let Some(before) = self.desk.store().get::<TwoFactor>(actor.scope(), id).await? else {
            return Ok(());
        };
        let Some(shown) = shown else {
            let refused = Error::Unauthenticated(AuthFailure::SecondFactor);
            return if before.active.is_some() { Err(refused) } else { Ok(()) };
        };
        let mut factor = before.value.clone();
        if !factor.accept(self.desk.tokens(), user, shown, changes.at())? {
            return Err(Error::Unauthenticated(AuthFailure::Code));
        }
        if factor.active.is_none() {
            factor.active = Some(changes.at());
            self.record(changes, actor, "user.second_factor_set", user, None);
        }
        changes.update(&before, &factor);
        Ok(())
    }
}
