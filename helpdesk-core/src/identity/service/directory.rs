//! Looking accounts up.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::identity::login::Login;
use crate::identity::service::Identity;
use crate::identity::{Permissions, Role, User, UserId, permissions};
use crate::storage::{EntityId as _, Filter, From, Listing, MAX_PAGE, Scope, Stored, Term, TotalMode, Value};

/// Which accounts to list, and how. By default all but the rejected ones, by rising number.
#[derive(Clone, Debug)]
pub struct UserQuery {
    filter: Filter,
    newest: bool,
    limit: usize,
    from: From,
    total: TotalMode,
}

impl Default for UserQuery {
    fn default() -> Self {
        Self {
            filter: Filter::equals("state", "rejected").not(),
            newest: false,
            limit: 100,
            from: From::Start,
            total: TotalMode::None,
        }
    }
}

impl UserQuery {
    /// The rejected accounts, newest first.
    #[must_use]
    pub fn rejected() -> Self {
        Self { filter: Filter::equals("state", "rejected"), newest: true, ..Self::default() }
    }

    /// Only those in one state: `unconfirmed`, `pending`, `approved`, `deactivated`, `blocked`.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        self.filter = self.filter.and(Filter::equals("state", state));
        self
    }

    /// Only those whose names or addresses have the words.
    #[must_use]
    pub fn search(mut self, typed: &str) -> Self {
        self.filter = self.filter.and(Filter::words(Term::typing(typed)));
        self
    }

    /// A page: at most so many, from a place on, with the number of all.
    #[must_use]
    pub fn page(mut self, limit: usize, from: From) -> Self {
        self.limit = limit;
        self.from = from;
        self.total = TotalMode::Exact;
        self
    }
}

impl Identity {
    /// A page of accounts.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_users`.
    pub async fn users(&self, actor: &Actor, query: UserQuery) -> Result<Listing<User>> {
        actor.needs(&permissions::ADMIN_VIEW_USERS)?;
        let select = self.desk.store().select::<User>(actor.scope()).filter(query.filter);
        let select = if query.newest { select.newest() } else { select };
        Ok(select.limit(query.limit).from(query.from).total(query.total).page().await?)
    }

    /// All accounts of a query, for lists without pages.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_users`.
    pub async fn all_users(&self, actor: &Actor, query: UserQuery) -> Result<Vec<Arc<Stored<User>>>> {
        actor.needs(&permissions::ADMIN_VIEW_USERS)?;
        let select = self.desk.store().select::<User>(actor.scope()).filter(query.filter);
        let select = if query.newest { select.newest() } else { select };
        Ok(select.all().await?)
    }

    /// How many accounts were rejected.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `staff.access_analytics`.
    pub async fn count_rejected(&self, actor: &Actor) -> Result<u64> {
        actor.needs(&permissions::STAFF_ACCESS_ANALYTICS)?;
        let rejected = Filter::equals("state", "rejected");
        Ok(self.desk.store().select::<User>(actor.scope()).filter(rejected).count().await?)
    }

    /// The actor's own account.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has none.
    pub async fn profile(&self, actor: &Actor) -> Result<Arc<Stored<User>>> {
        self.load(actor.scope(), actor.person()?).await
    }

    /// The account of a number.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_users`; [`Error::NotFound`].
    pub async fn user_by_number(&self, actor: &Actor, number: i64) -> Result<Arc<Stored<User>>> {
        actor.needs(&permissions::ADMIN_VIEW_USERS)?;
        let users = self.desk.store().select::<User>(actor.scope());
        let found = users.filter(Filter::equals("number", number)).first().await?;
        found.ok_or(Error::NotFound { what: "account" })
    }

    /// The names behind ids that a record shows: whoever may see the record may see them.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn people(&self, actor: &Actor, ids: Vec<UserId>) -> Result<HashMap<Uuid, Arc<Stored<User>>>> {
        Ok(self.desk.store().get_map::<User>(actor.scope(), ids).await?)
    }

    /// The accounts that have one of the addresses, for services that know the addresses already. Rejected ones are
    /// left out: their addresses are free for others.
    pub(crate) async fn accounts_by_email(
        &self,
        actor: &Actor,
        emails: impl IntoIterator<Item = &str> + Send,
    ) -> Result<Vec<Arc<Stored<User>>>> {
        let emails: Vec<_> = emails.into_iter().map(Value::text).collect();
        let mut accounts = Vec::new();
        for some in emails.chunks(MAX_PAGE) {
            let with = Filter::one_of("email", some.iter().cloned());
            let with = with.and(Filter::equals("state", "rejected").not());
            let select = self.desk.store().select::<User>(actor.scope()).filter(with);
            // No two of them have the same address, so there are no more than that.
            accounts.extend(select.limit(MAX_PAGE).page().await?.items);
        }
        Ok(accounts)
    }

    /// The roles of accounts, in one round trip.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn roles_of(
        &self,
        actor: &Actor,
        users: impl IntoIterator<Item = &User> + Send,
    ) -> Result<HashMap<Uuid, Arc<Stored<Role>>>> {
        let ids: Vec<_> = users.into_iter().flat_map(|user| user.roles.iter().copied()).collect();
        Ok(self.desk.store().get_map::<Role>(actor.scope(), ids).await?)
    }

    /// What an account may do, by its roles.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn permissions_of(&self, user: &Stored<User>) -> Result<Arc<Permissions>> {
        let roles = self.desk.store().get_map::<Role>(user.scope, user.roles.iter().copied()).await?;
        Ok(permissions_by(user, &roles))
    }

    /// The accounts in use that somebody calls by these names: user names, given and family name with a dot between, or
    /// what stands before the `@` of their address. The names are in lower case.
    pub(crate) async fn called(&self, actor: &Actor, names: &[String]) -> Result<Vec<Arc<Stored<User>>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let store = self.desk.store();
        let by_name = Filter::one_of("name", names.iter().map(Value::from));
        let logins = store.select::<Login>(Scope::GLOBAL).filter(by_name).limit(MAX_CALLED).page().await?;
        let own = logins.items.iter().filter(|login| login.organisation == actor.organisation());
        let mut called = Filter::one_of("id", own.clone().map(|login| Value::Uuid(login.user.uuid())));
        for name in names.iter().filter(|name| !own.clone().any(|login| login.name == **name)) {
            called = called.or(Filter::prefix("email", format!("{name}@")));
            if let Some((first, last)) = name.split_once('.') {
                called = called.or(Filter::equals("name", format!("{} {first}", last.replace('.', " "))));
            }
        }
        let users = store.select::<User>(actor.scope()).filter(Filter::equals("state", "approved"));
        Ok(users.filter(called).limit(MAX_CALLED).page().await?.items)
    }
}

/// How many accounts may be meant by names in one text.
const MAX_CALLED: usize = 50;

/// What an account may do, by its roles, which were read.
pub(crate) fn permissions_by(user: &User, roles: &HashMap<Uuid, Arc<Stored<Role>>>) -> Arc<Permissions> {
    let mut roles = user.roles.iter().filter_map(|role| roles.get(&role.uuid()));
    let Some(first) = roles.next() else { return Arc::default() };
    let mut permissions = Arc::clone(&first.permissions);
    for role in roles {
        Arc::make_mut(&mut permissions).extend(role.permissions.iter().cloned());
    }
    permissions
}
