//! Groups of agents.

use helpdesk_core::Problem;
use helpdesk_core::groups::{ClosedReplies, Group, GroupEdit, GroupId, Member, NewGroup};
use helpdesk_core::identity::{UserId, permissions};
use helpdesk_core::storage::{EntityId, Stored};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope::{Nothing, PageQuery, Success, SuccessList, data, done, list as array};
use super::show::time;
use super::words::{self, ReplyPolicies, ReplyPolicy};
use crate::input;
use crate::input::{Change, Choice, Int, Line, Object, Text};
use crate::kernel::{Body, Call, Failure, Json, Operation, Query};

input! {
    /// A group to be made.
    struct Create {
        /// What it is called; no other group may be called so.
        name: Line<100>,
        /// What it is for.
        description: Option<Text<2000>>,
        /// The ids of the agents who belong to it: at most 500.
        member_ids: Option<Vec<Uuid>>,
        /// What becomes of a reply on a closed ticket of it.
        closed_replies: Option<Object<ReplyRule>>,
    }

    /// Changes to a group: what is not sent stays.
    struct Update {
        /// What it is called; no other group may be called so.
        name: Option<Line<100>>,
        /// What it is for.
        description: Change<Text<2000>>,
        /// What becomes of a reply on a closed ticket of it.
        closed_replies: Option<Object<ReplyRule>>,
    }

    /// What becomes of a reply on a closed ticket.
    struct ReplyRule {
        /// Whether the ticket is opened again (reopen), a new one made (follow_up), or the one for a time and then the
        /// other (reopen_within).
        policy: Choice<ReplyPolicies>,
        /// For reopen_within: how many days after it was closed.
        days: Option<Int<1, 3650>>,
    }

    /// Who is to join a group.
    struct Join {
        /// The agent's id.
        user_id: Uuid,
    }
}

/// A group as lists show it.
#[derive(Debug, Serialize, ToSchema)]
struct GroupItem {
    id: String,
    name: String,
    description: String,
    created_at: String,
}

/// A group with its members.
#[derive(Debug, Serialize, ToSchema)]
struct GroupView {
    id: String,
    name: String,
    description: String,
    members: Vec<MemberView>,
    closed_replies: ReplyRuleView,
    created_at: String,
}

/// An agent who belongs to a group.
#[derive(Debug, Serialize, ToSchema)]
struct MemberView {
    id: String,
    name: String,
    email: String,
    role: &'static str,
}

/// What becomes of a reply on a closed ticket.
#[derive(Debug, Serialize, ToSchema)]
struct ReplyRuleView {
    policy: &'static str,
    days: Option<u16>,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("groups.list", "/api/groups", list)
            .needs(permissions::ADMIN_VIEW_TEAMS)
            .says("Lists the groups", "By name.")
            .errors(&[401, 403, 422]),
        Operation::get("groups.get", "/api/groups/{id}", get)
            .needs(permissions::ADMIN_VIEW_TEAMS)
            .says("Shows a group with its members", "")
            .errors(&[401, 403, 404]),
        Operation::post("groups.create", "/api/groups", create)
            .needs(permissions::ADMIN_MANAGE_TEAMS)
            .success(StatusCode::CREATED)
            .says("Makes a group", "")
            .errors(&[400, 401, 403, 422]),
        Operation::put("groups.update", "/api/groups/{id}", update)
            .needs(permissions::ADMIN_MANAGE_TEAMS)
            .says("Changes a group", "")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("groups.delete", "/api/groups/{id}", delete)
            .needs(permissions::ADMIN_MANAGE_TEAMS)
            .says("Deletes a group", "Its tickets keep who has them, and belong to no group from then on.")
            .errors(&[401, 403, 404]),
        Operation::post("groups.members.add", "/api/groups/{id}/members", add)
            .needs(permissions::ADMIN_MANAGE_TEAMS)
            .says("Takes an agent into a group", "Who is in it already stays in it.")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("groups.members.remove", "/api/groups/{id}/members/{userId}", remove)
            .needs(permissions::ADMIN_MANAGE_TEAMS)
            .says(
                "Has an agent leave a group",
                "They lose its tickets: what is not solved is the group's again, what is solved passes to a member.",
            )
            .errors(&[401, 403, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Groups")).collect()
}

async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<SuccessList<GroupItem>>, Failure> {
    let page = query.page();
    let found = call.desk.groups().list(call.actor(), page.size(), page.from()).await?;
    let items = found.items.iter().map(|group| GroupItem {
        id: group.id.to_string(),
        name: group.name.clone(),
        description: group.description.clone(),
        created_at: time(group.created_at),
    });
    Ok(array(items.collect(), page.of_listing(&found)))
}

async fn get(call: Call) -> Result<Json<Success<GroupView>>, Failure> {
    let group = call.desk.groups().get(call.actor(), id(&call)?).await?;
    shown(&call, &group).await.map(data)
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<GroupView>>, Failure> {
    let new = NewGroup {
        name: body.name.0,
        description: body.description.map(|description| description.0).unwrap_or_default(),
        members: body.member_ids.unwrap_or_default().into_iter().map(UserId::from_uuid).collect(),
        closed_replies: rule(body.closed_replies)?.unwrap_or_default(),
    };
    let created = call.desk.groups().create(call.actor(), new).await;
    let group = created.map_err(|error| Failure::from(error).renamed(field))?;
    shown(&call, &group).await.map(data)
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<GroupView>>, Failure> {
    let edit = GroupEdit {
        name: body.name.map(|name| name.0),
        description: body.description.0.map(|text| text.map_or_else(String::new, |text| text.0)),
        closed_replies: rule(body.closed_replies)?,
    };
    let group = call.desk.groups().update(call.actor(), id(&call)?, edit).await?;
    shown(&call, &group).await.map(data)
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.groups().delete(call.actor(), id(&call)?).await?;
    Ok(done("Group deleted"))
}

async fn add(call: Call, Body(body): Body<Join>) -> Result<Json<Success<Nothing>>, Failure> {
    let member = UserId::from_uuid(body.user_id);
    let added = call.desk.groups().add_member(call.actor(), id(&call)?, member).await;
    added.map_err(|error| Failure::from(error).renamed(field))?;
    Ok(done("Member added to group"))
}

async fn remove(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    let member = call.id("userId", "member")?;
    call.desk.groups().remove_member(call.actor(), id(&call)?, member).await?;
    Ok(done("Member removed from group"))
}

fn id(call: &Call) -> Result<GroupId, Failure> {
    call.id("id", "group")
}

/// The document's names for fields of the core.
fn field(name: &str) -> Option<&'static str> {
    match name {
        "members" => Some("member_ids"),
        "member" => Some("user_id"),
        _ => None,
    }
}

/// The rule of a body.
fn rule(given: Option<Object<ReplyRule>>) -> Result<Option<ClosedReplies>, Failure> {
    let Some(Object(rule)) = given else { return Ok(None) };
    let days = rule.days.and_then(|days| u16::try_from(days.0).ok());
    Ok(Some(match (rule.policy.0, days) {
        (ReplyPolicy::Reopen, _) => ClosedReplies::Reopen,
        (ReplyPolicy::FollowUp, _) => ClosedReplies::FollowUp,
        (ReplyPolicy::ReopenWithin, Some(days)) => ClosedReplies::ReopenWithin { days },
        (ReplyPolicy::ReopenWithin, None) => {
            let missing = Problem::Within { field: "days".into(), problem: Box::new(Problem::Required) };
            return Err(Failure::invalid("closed_replies", missing));
        }
    }))
}

async fn shown(call: &Call, group: &Stored<Group>) -> Result<GroupView, Failure> {
    let members = call.desk.groups().members(call.actor(), group).await?;
    let (policy, days) = match group.closed_replies {
        ClosedReplies::Reopen => (ReplyPolicy::Reopen, None),
        ClosedReplies::FollowUp => (ReplyPolicy::FollowUp, None),
        ClosedReplies::ReopenWithin { days } => (ReplyPolicy::ReopenWithin, Some(days)),
    };
    Ok(GroupView {
        id: group.id.to_string(),
        name: group.name.clone(),
        description: group.description.clone(),
        members: members.iter().map(member).collect(),
        closed_replies: ReplyRuleView { policy: words::reply_policy(policy), days },
        created_at: time(group.created_at),
    })
}

fn member(member: &Member) -> MemberView {
    MemberView {
        id: member.user.id.to_string(),
        name: member.user.full_name(),
        email: member.user.email.clone(),
        role: words::role(&member.permissions),
    }
}
