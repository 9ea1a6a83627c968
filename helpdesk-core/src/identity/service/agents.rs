//! The people of the desk: whoever has a role that works in its queue.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::groups::GroupId;
use crate::identity::service::{Identity, permissions_by};
use crate::identity::{Availability, Permissions, Role, User, UserId, permissions};
use crate::storage::{EntityId as _, Filter, From, MAX_PAGE, Scope, Stored, Term, TotalMode, Value};

/// Somebody of the desk.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Their account.
    pub user: Arc<Stored<User>>,
    /// What they may do.
    pub permissions: Arc<Permissions>,
    /// The groups they belong to.
    pub groups: Vec<GroupId>,
}

/// A page of the people of the desk.
#[derive(Clone, Debug)]
pub struct AgentPage {
    /// Those on it.
    pub agents: Vec<Agent>,
    /// How many there are in all.
    pub total: u64,
}

/// Which people of the desk to list. By default all but those who were rejected, by name.
#[derive(Clone, Debug)]
pub struct AgentQuery {
    filter: Filter,
    limit: usize,
    from: From,
}

impl Default for AgentQuery {
    fn default() -> Self {
        Self { filter: Filter::equals("state", "rejected").not(), limit: 100, from: From::Start }
    }
}

impl AgentQuery {
    /// Only those who may work and say so of themselves.
    #[must_use]
    pub fn available(self, availability: Availability) -> Self {
        self.narrow(
            Filter::equals("state", "approved").and(Filter::equals("availability", availability.name())),
        )
    }

    /// Only those whose accounts are off.
    #[must_use]
    pub fn inactive(self) -> Self {
        self.narrow(Filter::equals("state", "approved").not())
    }

    /// Only those of a department.
    #[must_use]
    pub fn department(self, department: &str) -> Self {
        self.narrow(Filter::equals("department", department))
    }

    /// Only those whose names or addresses have the words.
    #[must_use]
    pub fn search(self, typed: &str) -> Self {
        let terms = Term::typing(typed);
        // A text without any word finds nobody, rather than everybody.
        self.narrow(if terms.is_empty() { Filter::none() } else { Filter::words(terms) })
    }

    /// A page: at most so many, from a place on.
    #[must_use]
    pub fn page(mut self, limit: usize, from: From) -> Self {
        self.limit = limit;
        self.from = from;
        self
    }

    fn narrow(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }
}

/// The roles of an organisation, by id. There are few of them.
type Roles = HashMap<Uuid, Arc<Stored<Role>>>;

/// Whether a role makes whoever has it one of the desk.
pub(super) fn works_the_desk(role: &Role) -> bool {
    role.permissions.contains(&permissions::QUEUE_ACCESS_HELPDESK)
}

/// The accounts of those who have one of the roles that make somebody of the desk.
pub(crate) fn of_the_desk<'r>(roles: impl IntoIterator<Item = &'r Arc<Stored<Role>>>) -> Filter {
    let theirs = roles.into_iter().filter(|role| works_the_desk(role));
    Filter::one_of("roles", theirs.map(|role| Value::Uuid(role.id.uuid())))
}

fn is_agent(user: &User, roles: &Roles) -> bool {
    user.roles.iter().filter_map(|role| roles.get(&role.uuid())).any(|role| works_the_desk(role))
}

impl Identity {
    /// A page of the people of the desk.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_users`.
    pub async fn agents(&self, actor: &Actor, query: AgentQuery) -> Result<AgentPage> {
        actor.needs(&permissions::ADMIN_VIEW_USERS)?;
        let roles = self.all_roles(actor.scope()).await?;
        let filter = of_the_desk(roles.values()).and(query.filter);
        let users = self.desk.store().select::<User>(actor.scope()).filter(filter);
        let users = users.ascending("name").limit(query.limit).from(query.from).total(TotalMode::Exact);
        let page = users.page().await?;
        let mut groups: HashMap<Uuid, Vec<GroupId>> = HashMap::new();
        let ids = page.items.iter().map(|user| user.id);
        for group in self.desk.groups().of_people(actor.scope(), ids).await? {
            for member in &group.members {
                groups.entry(member.uuid()).or_default().push(group.id);
            }
        }
        let agent = |user: Arc<Stored<User>>| Agent {
            permissions: permissions_by(&user, &roles),
            groups: groups.remove(&user.id.uuid()).unwrap_or_default(),
            user,
        };
        Ok(AgentPage {
            total: page.total.map_or(0, |total| total.count),
            agents: page.items.into_iter().map(agent).collect(),
        })
    }

    /// Somebody of the desk.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_users`; [`Error::NotFound`], also where they are not of the desk.
    pub async fn agent(&self, actor: &Actor, id: UserId) -> Result<Agent> {
        actor.needs(&permissions::ADMIN_VIEW_USERS)?;
        self.load_agent(actor, id).await
    }

    /// Whether there is such a person of the desk, for those who ask what they do.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `ticket.view_all`; [`Error::NotFound`].
    pub async fn check_agent(&self, actor: &Actor, id: UserId) -> Result<()> {
        actor.needs(&permissions::TICKET_VIEW_ALL)?;
        self.agent_account(actor, id).await.map(drop)
    }

    /// Those of the accounts that are people of the desk and may work. An account is named once.
    pub(crate) async fn agents_among(&self, actor: &Actor, ids: &[UserId]) -> Result<Vec<Arc<Stored<User>>>> {
        let (users, roles) = tokio::try_join!(
            async { Ok(self.desk.store().get_map::<User>(actor.scope(), ids.iter().copied()).await?) },
            self.all_roles(actor.scope()),
        )?;
        Ok(users.into_values().filter(|user| user.state.is_active() && is_agent(user, &roles)).collect())
    }

    /// People of the desk who may work and see every ticket, a page of them, those who came first.
    pub(crate) async fn who_sees_all(&self, actor: &Actor) -> Result<Vec<Arc<Stored<User>>>> {
        let roles = self.all_roles(actor.scope()).await?;
        let sees = |role: &&Arc<Stored<Role>>| role.permissions.contains(&permissions::TICKET_VIEW_ALL);
        let filter = Filter::equals("state", "approved").and(of_the_desk(roles.values().filter(sees)));
        let users = self.desk.store().select::<User>(actor.scope()).filter(filter);
        Ok(users.limit(MAX_PAGE).page().await?.items)
    }

    pub(super) async fn load_agent(&self, actor: &Actor, id: UserId) -> Result<Agent> {
        let groups = self.desk.groups();
        let ((user, permissions), groups) =
            tokio::try_join!(self.agent_account(actor, id), groups.of_people(actor.scope(), [id]))?;
        Ok(Agent { user, permissions, groups: groups.iter().map(|group| group.id).collect() })
    }

    /// The account of somebody of the desk, and what they may do.
    pub(super) async fn agent_account(
        &self,
        actor: &Actor,
        id: UserId,
    ) -> Result<(Arc<Stored<User>>, Arc<Permissions>)> {
        let missing = || Error::NotFound { what: "agent" };
        let (user, roles) = tokio::try_join!(
            async { Ok(self.desk.store().get::<User>(actor.scope(), id).await?) },
            self.all_roles(actor.scope()),
        )?;
        let user = user.filter(|user| is_agent(user, &roles)).ok_or_else(missing)?;
        let permissions = permissions_by(&user, &roles);
        Ok((user, permissions))
    }

    async fn all_roles(&self, scope: Scope) -> Result<Roles> {
        let roles = self.desk.store().select::<Role>(scope).all().await?;
        Ok(roles.into_iter().map(|role| (role.id.uuid(), role)).collect())
    }
}
