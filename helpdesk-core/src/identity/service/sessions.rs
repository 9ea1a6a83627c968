//! Coming in and going out.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::actor::{Actor, Authenticated, Via, Who};
use crate::error::{AuthFailure, Error, Result};
use crate::identity::cleanup::remove_after;
use crate::identity::login::{Login, normal};
use crate::identity::service::Identity;
use crate::identity::session::{Admission, EndReason, Ended, Refresh};
use crate::identity::tokens::{Claims, Purpose};
use crate::identity::two_factor::SecondFactor;
use crate::identity::{AccountState, OrganisationId, Session, SessionId, User, UserId};
use crate::limits::Quota;
use crate::storage::{EntityId as _, Filter, Scope, Stored};

/// How often somebody may try to log in under one name.
const ATTEMPTS: Quota = Quota::new(30, 10 * 60);

/// What a login gives.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token to call services with.
    pub access: String,
    /// The token to get another access token with.
    pub refresh: String,
    /// Who came in, and the session it began.
    pub caller: Authenticated,
    /// Their account.
    pub user: Arc<Stored<User>>,
    /// How long the access token is valid.
    pub expires_in: Duration,
}

/// What somebody logs in with.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The address or user name.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// What accounts with a second factor ask for as well.
    pub second: Option<SecondFactor<'a>>,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is replaced by another; its reuse ends the session.
    Rotate,
    /// It stays good, for clients that were never given another.
    Keep,
}

impl Identity {
    /// Begins a session, for the right name and password of an account that may log in.
    ///
    /// `organisation` is the one at whose door this is, where the door belongs to one. `admit` may refuse an
    /// account that gave the right password, for doors that are not for everybody; it lets in nobody whom
    /// [`Via::admission`] does not.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] where name or password is wrong, the account may not log in, or it asks for a second
    /// factor (which is told only for the right password); [`Error::Limited`] after too many attempts; what `admit`
    /// answers.
    pub async fn sign_in(
        &self,
        organisation: Option<OrganisationId>,
        name: &str,
        password: &str,
        via: Arc<Via>,
        admit: impl FnOnce(&Actor, &Stored<User>) -> Result<Admission> + Send,
    ) -> Result<SignedIn> {
        let credentials = Credentials { name, password, second: None };
        self.sign_in_with(organisation, credentials, via, admit).await
    }

    /// The same for doors where a second factor can be given. A code that fits an enrolment which waits for one
    /// completes it.
    ///
    /// # Errors
    ///
    /// As [`Identity::sign_in`]; [`Error::Unauthenticated`] also where the second factor is wrong or was used before.
    pub async fn sign_in_with(
        &self,
        organisation: Option<OrganisationId>,
        credentials: Credentials<'_>,
        via: Arc<Via>,
        admit: impl FnOnce(&Actor, &Stored<User>) -> Result<Admission> + Send,
    ) -> Result<SignedIn> {
        let Credentials { name, password, second } = credentials;
        let user = self.check_login(organisation, name, password).await?;
        let permissions = self.permissions_of(&user).await?;
        let organisation = OrganisationId::from_uuid(user.scope.id().unwrap_or_default());
        let actor = Actor::new(Who::User(user.id), organisation, permissions, via);
        let admission = admit(&actor, &user)?;
        if !user.state.lets_in(admission) || !user.state.lets_in(actor.via().admission) {
            let unconfirmed = matches!(user.state, AccountState::Unconfirmed);
            let why = if unconfirmed { AuthFailure::Unconfirmed } else { AuthFailure::Inactive };
            return Err(Error::Unauthenticated(why));
        }
        self.count_code(user.id, second.is_some())?;
        let (actor_of, account) = (&actor, &user);
        let ((id, session), _) = self
            .desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                let now = changes.at();
                self.pass_second_factor(&mut changes, actor_of, account.id, second).await?;
                let id = SessionId::from_uuid(self.desk.ids().id(now));
                let session = Session {
                    user: account.id,
                    organisation,
                    epoch: account.session_epoch,
                    admission,
                    began: now,
                    expires: now + self.desk.tokens().lifetimes.session,
                    generation: 1,
                    rotated: now,
                    ended: None,
                };
                changes.insert(Scope::GLOBAL, id, &session);
                remove_after(&self.desk, &mut changes, session.expires);
                self.record(&mut changes, actor_of, "user.signed_in", account.id, None);
                Ok((changes, (id, session)))
            })
            .await?;
        Ok(SignedIn {
            access: self.access_token(id, &session, actor.via(), session.began),
            refresh: self.refresh_token(id, &session),
            expires_in: self.access_lasts(actor.via()),
            caller: Authenticated { actor, session: Some(id) },
            user,
        })
    }

    /// Who comes with an access token.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] where the token is none of ours or has expired, the session is over, or the
    /// account may not log in any more, or not by this door.
    pub async fn authenticate(&self, token: &str, via: Arc<Via>) -> Result<Authenticated> {
        let now = self.desk.now();
        let claims = self.desk.tokens().read(token, now).map_err(Error::Unauthenticated)?;
        match claims.purpose {
            Purpose::Access => self.authenticated(&claims, via, now).await,
            _ => Err(Error::Unauthenticated(AuthFailure::Token)),
        }
    }

    /// Who comes with a token that stands in a file's address, or with an access token in its place.
    ///
    /// # Errors
    ///
    /// As [`Identity::authenticate`].
    pub async fn authenticate_file(&self, token: &str, via: Arc<Via>) -> Result<Authenticated> {
        let now = self.desk.now();
        let claims = self.desk.tokens().read(token, now).map_err(Error::Unauthenticated)?;
        match claims.purpose {
            Purpose::Access | Purpose::File => self.authenticated(&claims, via, now).await,
            Purpose::Refresh => Err(Error::Unauthenticated(AuthFailure::Token)),
        }
    }

    /// A token for the addresses of files, good for as long as the session, an hour at most, and for reading files
    /// only. What its bearer may read is asked when they read it.
    #[must_use]
    pub fn file_token(&self, bearer: &Authenticated) -> Option<String> {
        let (user, session) = (bearer.actor.user()?, bearer.session?);
        let now = self.desk.now();
        let exp = now + self.desk.tokens().lifetimes.file;
        Some(self.desk.tokens().sign(&Claims {
            purpose: Purpose::File,
            generation: None,
            sub: user,
            org: bearer.actor.organisation(),
            sid: session,
            iat: now.timestamp(),
            exp: exp.timestamp(),
        }))
    }

    /// Another access token for a refresh token, and with [`Rotation::Rotate`] another refresh token. The one
    /// before stays good for ten seconds, and gets the same successor; any older one ends the session.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] where the token is none of ours, was replaced, the session is over, or the door lets
    /// nobody in of the account's state.
    pub async fn refresh(&self, token: &str, rotation: Rotation, via: Arc<Via>) -> Result<SignedIn> {
        let now = self.desk.now();
        let claims = self.desk.tokens().read(token, now).map_err(Error::Unauthenticated)?;
        let (Purpose::Refresh, Some(generation)) = (claims.purpose, claims.generation) else {
            return Err(Error::Unauthenticated(AuthFailure::Token));
        };
        let (id, via) = (claims.sid, &via);
        let (outcome, _) = self
            .desk
            .decide(|| async move {
                let session = self.desk.store().get::<Session>(Scope::GLOBAL, id).await?;
                let session = session.ok_or(Error::Unauthenticated(AuthFailure::Token))?;
                let (actor, user) = self.actor_of(&session, id, Arc::clone(via), now).await?;
                let mut changes = self.desk.changes();
                let mut value = session.value.clone();
                match session.refresh(generation, now) {
                    Refresh::Over => return Err(Error::Unauthenticated(AuthFailure::Expired)),
                    Refresh::Current if rotation == Rotation::Rotate => {
                        value.generation += 1;
                        value.rotated = now;
                        changes.update(&session, &value);
                    }
                    Refresh::Current | Refresh::Grace => {}
                    Refresh::Reused => {
                        value.ended = Some(Ended { at: now, why: EndReason::Reused });
                        changes.update(&session, &value);
                        self.record(&mut changes, &actor, "user.token_reused", user.id, None);
                        return Ok((changes, None));
                    }
                }
                Ok((changes, Some((value, actor, user))))
            })
            .await?;
        let (session, actor, user) = outcome.ok_or(Error::Unauthenticated(AuthFailure::Token))?;
        Ok(SignedIn {
            access: self.access_token(id, &session, via, now),
            refresh: self.refresh_token(id, &session),
            caller: Authenticated { actor, session: Some(id) },
            user,
            expires_in: self.access_lasts(via),
        })
    }

    /// Ends the caller's session, at once. Callers with a key have none.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn sign_out(&self, caller: &Authenticated) -> Result<()> {
        let (Some(id), Some(user)) = (caller.session, caller.actor.user()) else { return Ok(()) };
        self.desk
            .decide(|| async move {
                let mut changes = self.desk.changes();
                let session = self.desk.store().get::<Session>(Scope::GLOBAL, id).await?;
                if let Some(session) = session.filter(|session| session.ended.is_none()) {
                    let ended = Some(Ended { at: changes.at(), why: EndReason::LoggedOut });
                    changes.update(&session, &Session { ended, ..session.value.clone() });
                    self.record(&mut changes, &caller.actor, "user.signed_out", user, None);
                }
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// The account of a name and its password. Takes as long, and answers the same, whether or not it exists.
    async fn check_login(
        &self,
        organisation: Option<OrganisationId>,
        name: &str,
        password: &str,
    ) -> Result<Arc<Stored<User>>> {
        let name = normal(name);
        let limited = |retry_after| Error::Limited { retry_after };
        self.desk.limiter().attempt(&format!("login:{name}"), ATTEMPTS).map_err(limited)?;
        let login = self.login_of(&name).await?;
        let login = login.filter(|login| organisation.is_none_or(|door| door == login.organisation));
        // Where nobody has the name, the same reads go to an account that does not exist.
        let nobody = (OrganisationId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
        let (home, id) = login.as_ref().map_or(nobody, |login| (login.organisation, login.user));
        let scope = Scope::organisation(home.uuid());
        // In this order: if the password is changed between the two, the account is as it was before, and so is the
        // session, which ends like all others. The other way round the old password would begin one that stays.
        let user = self.desk.store().get::<User>(scope, id).await?;
        let credential = self.credential(scope, id).await?;
        let hash = credential.and_then(|credential| credential.hash.clone());
        let right = self.desk.passwords().verify(password, hash).await?;
        user.filter(|_| right).ok_or(Error::Unauthenticated(AuthFailure::Credentials))
    }

    /// Who has a log-in name.
    pub(super) async fn login_of(&self, name: &str) -> Result<Option<Arc<Stored<Login>>>> {
        let logins = self.desk.store().select::<Login>(Scope::GLOBAL);
        Ok(logins.filter(Filter::equals("name", name)).first().await?)
    }

    async fn authenticated(
        &self,
        claims: &Claims,
        via: Arc<Via>,
        now: DateTime<Utc>,
    ) -> Result<Authenticated> {
        let id = claims.sid;
        let session = self.desk.store().get::<Session>(Scope::GLOBAL, id).await?;
        let session = session.ok_or(Error::Unauthenticated(AuthFailure::Token))?;
        if session.user != claims.sub || session.organisation != claims.org {
            return Err(Error::Unauthenticated(AuthFailure::Token));
        }
        let scope = Scope::organisation(session.organisation.uuid());
        let user = self.desk.store().get::<User>(scope, session.user).await?;
        let user = user.ok_or(Error::Unauthenticated(AuthFailure::Token))?;
        if !session.is_open(now) || !user.keeps_session(id, &session) {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        check_door(&user, &via)?;
        let permissions = self.permissions_of(&user).await?;
        let actor = Actor::new(Who::User(user.id), session.organisation, permissions, via);
        Ok(Authenticated { actor, session: Some(id) })
    }

    async fn actor_of(
        &self,
        session: &Session,
        id: SessionId,
        via: Arc<Via>,
        now: DateTime<Utc>,
    ) -> Result<(Actor, Arc<Stored<User>>)> {
        let scope = Scope::organisation(session.organisation.uuid());
        let user = self.desk.store().get::<User>(scope, session.user).await?;
        let user = user.filter(|user| session.is_open(now) && user.keeps_session(id, session));
        let user = user.ok_or(Error::Unauthenticated(AuthFailure::Expired))?;
        check_door(&user, &via)?;
        let permissions = self.permissions_of(&user).await?;
        Ok((Actor::new(Who::User(user.id), session.organisation, permissions, via), user))
    }

    /// How long access tokens last that are given at a door.
    fn access_lasts(&self, via: &Via) -> Duration {
        let own = via.access_minutes.map(|minutes| Duration::minutes(i64::from(minutes)));
        own.unwrap_or(self.desk.tokens().lifetimes.access)
    }

    fn access_token(&self, id: SessionId, session: &Session, via: &Via, now: DateTime<Utc>) -> String {
        let exp = (now + self.access_lasts(via)).min(session.expires);
        self.token(Purpose::Access, None, id, session, now, exp)
    }

    /// The refresh token of the session's present generation: the same each time it is asked for.
    fn refresh_token(&self, id: SessionId, session: &Session) -> String {
        self.token(Purpose::Refresh, Some(session.generation), id, session, session.rotated, session.expires)
    }

    fn token(
        &self,
        purpose: Purpose,
        generation: Option<u32>,
        id: SessionId,
        session: &Session,
        iat: DateTime<Utc>,
        exp: DateTime<Utc>,
    ) -> String {
        self.desk.tokens().sign(&Claims {
            purpose,
            generation,
            sub: session.user,
            org: session.organisation,
            sid: id,
            iat: iat.timestamp(),
            exp: exp.timestamp(),
        })
    }
}

/// Whether a door lets an account in. The one that a token was given at may let in more than this one does.
fn check_door(user: &User, via: &Via) -> Result<()> {
    if user.state.lets_in(via.admission) {
        Ok(())
    } else {
        Err(Error::Unauthenticated(AuthFailure::Inactive))
    }
}
