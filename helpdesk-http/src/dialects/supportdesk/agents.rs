//! Agents: the people of the desk.

use std::collections::HashMap;

use helpdesk_core::Problem;
use helpdesk_core::groups::GroupId;
use helpdesk_core::identity::{Agent, AgentEdit, AgentQuery, NewAgent, Person, UserId, permissions};
use helpdesk_core::insight::AgentFigures;
use helpdesk_core::storage::EntityId;
use helpdesk_core::tickets::TicketQuery;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::filled;
use super::envelope::{Page, PageQuery, Success, SuccessList, data, list as array, told};
use super::links::with_links;
use super::show::{TicketPage, ticket_page};
use super::words::{self, AgentRoles, AgentStatuses, Availabilities, ShownRoles};
use crate::input;
use crate::input::{Change, Choice, Choices as _, Email, Int, Line, Text};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Query};

input! {
    /// Which agents to list.
    struct ListQuery {
        /// Only those of a status: online, busy, away, offline; inactive for those whose accounts are off.
        status: Option<Choice<AgentStatuses>>,
        /// Only those of a department.
        department: Option<Line<100>>,
        /// Only those with the words in their names or addresses.
        search: Option<Text<200>>,
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }

    /// Somebody who is to work at the desk.
    struct Create {
        /// The whole name.
        name: Line<200>,
        /// The address; no other account may have it, but that of an agent who was deactivated.
        email: Email,
        /// A password of at least 8 characters; without one, none works until they choose one.
        password: Option<Text<1024>>,
        /// What they may do.
        role: Choice<AgentRoles>,
        /// Where they work.
        department: Option<Text<100>>,
        /// The ids of the groups they belong to.
        groups: Option<Vec<Uuid>>,
    }

    /// Changes to an agent: what is not sent stays.
    struct Update {
        /// The whole name.
        name: Option<Line<200>>,
        /// The address; no other account may have it.
        email: Option<Email>,
        /// What they may do. The word of an administrator is taken for who is one, and changes nothing.
        role: Option<Choice<ShownRoles>>,
        /// Where they work; an empty text for nowhere.
        department: Change<Text<100>>,
        /// The ids of the groups they belong to: these and no others.
        groups: Option<Vec<Uuid>>,
    }

    /// Whether an agent is there to work.
    struct Status {
        /// The status.
        status: Choice<Availabilities>,
    }
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
struct AgentView {
    id: String,
    name: String,
    email: String,
    role: &'static str,
    department: String,
    /// Whether they are there to work; `inactive` where their account is off.
    status: &'static str,
    groups: Vec<String>,
    tickets: TicketCounts,
    /// How satisfied people were, from 1 to 5; 0 where nobody said.
    rating: f64,
    /// How much of what was promised was kept, in percent; 0 where nothing was.
    sla_compliance: f64,
}

/// How many tickets an agent has.
#[derive(Debug, Serialize, ToSchema)]
struct TicketCounts {
    open: u64,
    resolved: u64,
    total: u64,
}

/// Whether an agent is there to work.
#[derive(Debug, Serialize, ToSchema)]
struct StatusView {
    id: String,
    status: &'static str,
}

/// How an agent does.
#[derive(Debug, Serialize, ToSchema)]
struct Performance {
    tickets_resolved: u64,
    avg_resolution_time: String,
    first_response_time: String,
    customer_satisfaction: f64,
    sla_compliance: f64,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("agents.list", "/api/agents", list)
            .needs(permissions::ADMIN_VIEW_USERS)
            .says("Lists the agents", "By name. Those whose accounts are off have the status inactive.")
            .errors(&[401, 403, 422]),
        Operation::get("agents.get", "/api/agents/{id}", get)
            .needs(permissions::ADMIN_VIEW_USERS)
            .says("Shows an agent", "")
            .errors(&[401, 403, 404]),
        Operation::post("agents.create", "/api/agents", create)
            .needs(permissions::ADMIN_MANAGE_USERS)
            .success(StatusCode::CREATED)
            .says(
                "Takes somebody into the desk",
                "They get a mail with a link where they choose a password. It works once, for 7 days. An agent who was \
                 deactivated comes back by the same address, with the name, role and groups that are sent.",
            )
            .errors(&[400, 401, 403, 422]),
        Operation::put("agents.update", "/api/agents/{id}", update)
            .needs(permissions::ADMIN_MANAGE_USERS)
            .says(
                "Changes an agent",
                "Who leaves a group loses its tickets. A role that is called as the present one changes nothing.",
            )
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("agents.delete", "/api/agents/{id}", delete)
            .needs(permissions::ADMIN_MANAGE_USERS)
            .says(
                "Deactivates an agent",
                "At once. They leave their groups, and what they have and is not solved goes back.",
            )
            .errors(&[401, 403, 404, 422]),
        Operation::patch("agents.status", "/api/agents/{id}/status", status)
            .auth(Auth::Bearer)
            .says(
                "Says whether an agent is there to work",
                "One's own status, or somebody else's for those who may.",
            )
            .errors(&[400, 401, 403, 404, 422]),
        Operation::get("agents.tickets", "/api/agents/{id}/tickets", tickets)
            .needs(permissions::TICKET_VIEW_ALL)
            .says("Lists the tickets of an agent", "Newest first.")
            .errors(&[401, 403, 404, 422]),
        Operation::get("agents.performance", "/api/agents/{id}/performance", performance)
            .needs(permissions::REPORTING_VIEW_TEAM_METRICS)
            .says("Tells how an agent does", "")
            .errors(&[401, 403, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Agents")).collect()
}

async fn list(call: Call, Query(query): Query<ListQuery>) -> Result<Json<SuccessList<AgentView>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let mut agents = AgentQuery::default().page(page.size(), page.from());
    if let Some(status) = query.status {
        agents = match status.0 {
            Some(availability) => agents.available(availability),
            None => agents.inactive(),
        };
    }
    if let Some(department) = &query.department {
        agents = agents.department(department);
    }
    if let Some(search) = &query.search {
        agents = agents.search(search);
    }
    let found = call.desk.identity().agents(call.actor(), agents).await?;
    let figures = figures(&call, &found.agents).await?;
    let views = found.agents.iter().map(|agent| show(agent, &figures)).collect();
    Ok(array(views, page.pagination(found.total)))
}

async fn get(call: Call) -> Result<Json<Success<AgentView>>, Failure> {
    let agent = call.desk.identity().agent(call.actor(), id(&call)?).await?;
    shown(&call, &agent).await.map(data)
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<AgentView>>, Failure> {
    let new = NewAgent {
        person: Person {
            email: body.email.0,
            department: body.department.and_then(filled),
            ..Person::named(&body.name)
        },
        role: body.role.0.to_owned(),
        password: body.password.map(|password| password.0),
        groups: groups(body.groups).unwrap_or_default(),
    };
    let created = call.desk.identity().create_agent(&with_links(&call), new).await;
    let agent = created.map_err(|error| Failure::from(error).renamed(field))?;
    // Of whoever comes back there is something to tell, for those who may see it.
    let figures = if call.actor().has(&permissions::TICKET_VIEW_ALL) {
        figures(&call, std::slice::from_ref(&agent)).await?
    } else {
        HashMap::new()
    };
    Ok(told(show(&agent, &figures), "Agent created; an invitation was sent"))
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<AgentView>>, Failure> {
    let (identity, id) = (call.desk.identity(), id(&call)?);
    let mut role = body.role.map(|role| role.0);
    if role.is_some() {
        // There are more roles than words here: whoever sends back what was shown means no change.
        let present = identity.agent(call.actor(), id).await?;
        role = role.filter(|role| *role != words::role(&present.permissions));
    }
    if role.is_some_and(|role| AgentRoles::WORDS.iter().all(|(word, _)| *word != role)) {
        return Err(Failure::invalid("role", Problem::Must("be one of those that agents are given here")));
    }
    let named = body.name.map(|name| Person::named(&name));
    let (first_name, last_name) = named.map(|person| (person.first_name, person.last_name)).unzip();
    let edit = AgentEdit {
        first_name,
        last_name,
        email: body.email.map(|email| email.0),
        department: body.department.0.map(|department| department.and_then(filled)),
        role: role.map(str::to_owned),
        groups: groups(body.groups),
    };
    let updated = identity.update_agent(call.actor(), id, edit).await;
    let agent = updated.map_err(|error| Failure::from(error).renamed(field))?;
    shown(&call, &agent).await.map(data)
}

async fn delete(call: Call) -> Result<Json<Success<StatusView>>, Failure> {
    let id: UserId = id(&call)?;
    call.desk.identity().deactivate_agent(call.actor(), id).await?;
    Ok(told(StatusView { id: id.to_string(), status: "inactive" }, "Agent deactivated"))
}

async fn status(call: Call, Body(body): Body<Status>) -> Result<Json<Success<StatusView>>, Failure> {
    let id: UserId = id(&call)?;
    let availability = call.desk.identity().set_availability(call.actor(), id, body.status.0).await?;
    Ok(data(StatusView { id: id.to_string(), status: availability.name() }))
}

async fn tickets(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Success<TicketPage>>, Failure> {
    let (id, page) = (id(&call)?, query.page());
    call.desk.identity().check_agent(call.actor(), id).await?;
    let theirs = TicketQuery::default().assignee(id).page(page.size(), page.from());
    let found = call.desk.tickets().list(call.actor(), theirs).await?;
    Ok(data(ticket_page(page, &found, call.actor())))
}

async fn performance(call: Call) -> Result<Json<Success<Performance>>, Failure> {
    let id: UserId = id(&call)?;
    call.desk.identity().check_agent(call.actor(), id).await?;
    let figures = call.desk.insight().agent_figures(call.actor(), &[id], None).await?;
    let figures = figures.get(&id.uuid()).copied().unwrap_or_default();
    Ok(data(Performance {
        tickets_resolved: figures.resolved,
        avg_resolution_time: words::humanised(figures.resolution),
        first_response_time: words::humanised(figures.first_reply),
        customer_satisfaction: rating(&figures),
        sla_compliance: compliance(&figures),
    }))
}

fn id(call: &Call) -> Result<UserId, Failure> {
    call.id("id", "agent")
}

fn groups(ids: Option<Vec<Uuid>>) -> Option<Vec<GroupId>> {
    ids.map(|ids| ids.into_iter().map(GroupId::from_uuid).collect())
}

/// What the core calls the parts of a name is one field here.
fn field(name: &str) -> Option<&'static str> {
    matches!(name, "first_name" | "last_name").then_some("name")
}

/// How agents do, all at once.
async fn figures(call: &Call, agents: &[Agent]) -> Result<HashMap<Uuid, AgentFigures>, Failure> {
    let ids: Vec<_> = agents.iter().map(|agent| agent.user.id).collect();
    Ok(call.desk.insight().agent_figures(call.actor(), &ids, None).await?)
}

async fn shown(call: &Call, agent: &Agent) -> Result<AgentView, Failure> {
    let figures = figures(call, std::slice::from_ref(agent)).await?;
    Ok(show(agent, &figures))
}

fn show(agent: &Agent, figures: &HashMap<Uuid, AgentFigures>) -> AgentView {
    let user = &agent.user;
    let figures = figures.get(&user.id.uuid()).copied().unwrap_or_default();
    AgentView {
        id: user.id.to_string(),
        name: user.full_name(),
        email: user.email.clone(),
        role: words::role(&agent.permissions),
        department: user.department.clone().unwrap_or_default(),
        status: words::agent_status(user),
        groups: agent.groups.iter().map(ToString::to_string).collect(),
        tickets: TicketCounts { open: figures.open, resolved: figures.resolved, total: figures.total },
        rating: rating(&figures),
        sla_compliance: compliance(&figures),
    }
}

/// A rating with one decimal.
fn rating(figures: &AgentFigures) -> f64 {
    figures.rating.map_or(0.0, |rating| (rating * 10.0).round() / 10.0)
}

/// A share in whole percent.
fn compliance(figures: &AgentFigures) -> f64 {
    figures.sla_compliance.map_or(0.0, |share| (share * 100.0).round())
}
