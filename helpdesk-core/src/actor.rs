//! Who acts, with what rights, and by which door they came in.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::identity::{Admission, ApiKeyId, OrganisationId, Permission, Permissions, SessionId, UserId};
use crate::storage::{EntityId as _, Scope};

/// Somebody or something that calls a service.
///
/// Actors come from [`Identity::authenticate`](crate::identity::Identity::authenticate) and its siblings; only
/// the program itself makes a [`system`](Actor::system) one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Actor {
    who: Who,
    organisation: OrganisationId,
    permissions: Arc<Permissions>,
    via: Arc<Via>,
}

/// Who an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Who {
    /// A person with an account.
    User(UserId),
    /// A program with a key.
    ApiKey(ApiKeyId),
    /// Somebody unknown, at a public door.
    Anonymous,
    /// The help desk itself: a timer, a rule, a worker.
    System,
}

/// The door that a change came through, and how the people behind it are used to seeing things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The door's name: `smartsupport`, `email`, `system`.
    pub name: Cow<'static, str>,
    /// How tickets are called there.
    pub tickets: Reference,
    /// Where a mail sends people who forgot their password, or choose their first: an address, or a path below the site's
    /// address, with `{token}` for the token and `{uid}` for the account's number in URL-safe base64.
    pub reset_path: Cow<'static, str>,
    /// How many minutes access tokens last that are given here, where not as long as elsewhere: for doors whose
    /// clients keep one token. A session that ends, ends at once all the same.
    #[serde(default)]
    pub access_minutes: Option<u32>,
    /// Whether people are told by mail of what is done and said here, as they like it. Of what comes through other
    /// doors a mail tells where a ticket stands, and nothing more.
    #[serde(default)]
    pub mails_news: bool,
    /// Which accounts are let in, wherever their token was given. Default: those that were approved.
    #[serde(default)]
    pub admission: Admission,
}

impl Via {
    /// The help desk itself.
    pub const SYSTEM: Self = Self {
        name: Cow::Borrowed("system"),
        tickets: Reference::new("#", 1),
        reset_path: Cow::Borrowed("/reset-password?uid={uid}&token={token}"),
        access_minutes: None,
        mails_news: false,
        admission: Admission::Approved,
    };

    /// Where somebody sets a password with the token of a mail.
    pub(crate) fn reset_link(&self, site: &str, number: i64, token: &str) -> String {
        let uid = URL_SAFE_NO_PAD.encode(number.to_string());
        let site = if self.reset_path.starts_with('/') { site } else { "" };
        format!("{site}{}", self.reset_path.replace("{uid}", &uid).replace("{token}", token))
    }
}

/// How a record is called by people: a prefix and its number, `TX0001`.
///
/// ```
/// use helpdesk_core::Reference;
///
/// let tickets = Reference::new("TX", 4);
/// assert_eq!(tickets.format(1), "TX0001");
/// assert_eq!(tickets.format(12345), "TX12345");
/// assert_eq!(tickets.parse("TX0001"), Some(1));
/// assert_eq!(tickets.parse("TX00001"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    prefix: Cow<'static, str>,
    digits: usize,
}

impl Reference {
    /// References with a prefix and at least so many digits; beyond them they grow.
    #[must_use]
    pub const fn new(prefix: &'static str, digits: usize) -> Self {
        Self { prefix: Cow::Borrowed(prefix), digits }
    }

    /// The reference of a number.
    #[must_use]
    pub fn format(&self, number: i64) -> String {
        format!("{}{number:0width$}", self.prefix, width = self.digits)
    }

    /// The number of a reference, or `None` where the text is not exactly what [`Reference::format`] gives.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<i64> {
        let number = text.strip_prefix(&*self.prefix)?.parse().ok()?;
        (number > 0 && self.format(number) == text).then_some(number)
    }
}

impl Actor {
    pub(crate) const fn new(
        who: Who,
        organisation: OrganisationId,
        permissions: Arc<Permissions>,
        via: Arc<Via>,
    ) -> Self {
        Self { who, organisation, permissions, via }
    }

    /// The help desk itself, in an organisation. It may do everything.
    #[must_use]
    pub fn system(organisation: OrganisationId) -> Self {
        Self::new(Who::System, organisation, Arc::default(), Arc::new(Via::SYSTEM))
    }

    /// Somebody unknown at a public door of an organisation. They may do nothing that needs a permission.
    #[must_use]
    pub fn anonymous(organisation: OrganisationId, via: Arc<Via>) -> Self {
        Self::new(Who::Anonymous, organisation, Arc::default(), via)
    }

    /// The same actor, come in by another door.
    #[must_use]
    pub fn through(mut self, via: Arc<Via>) -> Self {
        self.via = via;
        self
    }

    /// Who it is.
    #[must_use]
    pub const fn who(&self) -> Who {
        self.who
    }

    /// The organisation in which the actor acts.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// The scope of everything the actor may touch.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::organisation(self.organisation.uuid())
    }

    /// The door the actor came in by.
    #[must_use]
    pub const fn via(&self) -> &Arc<Via> {
        &self.via
    }

    /// The actor's account, where it is a person with one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        if let Who::User(id) = self.who { Some(id) } else { None }
    }

    /// The actor's account.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has none, for acts that only a person can do.
    pub fn person(&self) -> Result<UserId> {
        self.user().ok_or(Error::NotYours { who: "a person with an account" })
    }

    /// Whether the actor has a permission.
    #[must_use]
    pub fn has(&self, permission: &Permission) -> bool {
        self.who == Who::System || self.permissions.contains(permission)
    }

    /// Checks that the actor has a permission.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] with the permission.
    pub fn needs(&self, permission: &Permission) -> Result<()> {
        if self.has(permission) { Ok(()) } else { Err(Error::Forbidden { permission: permission.clone() }) }
    }

    /// The actor's permissions. Those of the system are not listed: it has all.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }
}

/// An actor that came with a token: the session that the token belongs to.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who came.
    pub actor: Actor,
    /// Their session, where they came with a token and not with a key.
    pub session: Option<SessionId>,
}
