//! The dashboard.

use helpdesk_core::Who;
use helpdesk_core::identity::permissions;
use helpdesk_core::insight::{Activity, Attainment};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Success, data};
use super::show::time;
use super::words;
use crate::input;
use crate::input::Int;
use crate::kernel::{Call, Failure, Json, Operation, Query};

const AREA: &str = "Dashboard & Analytics";
/// How much of what happened is shown where nobody says.
const USUAL_ACTIVITY: i64 = 20;

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("dashboard.stats", "/api/dashboard/stats", stats).says(
            "Counts tickets",
            "Open are those that are not solved and do not wait for their requesters; today is a day of the \
             organisation's time zone.",
        ).errors(&[401, 403]),
        Operation::get("dashboard.activity", "/api/dashboard/activity", activity).says(
            "Tells what happened lately",
            "To tickets, newest first, as far as the caller may see it.",
        ).errors(&[401, 403, 422]),
        Operation::get("dashboard.sla_status", "/api/dashboard/sla-status", sla_status).says(
            "Tells how well promises are kept",
            "Over the last thirty days, in percent: first replies and solutions that came in time, and people who gave \
             4 or 5 of 5 points.",
        ).errors(&[401, 403]),
    ];
    let operations = operations.into_iter();
    operations.map(|operation| operation.area(AREA).needs(permissions::DASHBOARD_VIEW)).collect()
}

/// How many tickets there are.
#[derive(Debug, Serialize, ToSchema)]
struct StatsView {
    open_tickets: u64,
    pending_tickets: u64,
    overdue_tickets: u64,
    resolved_today: u64,
    total_tickets: u64,
}

async fn stats(call: Call) -> Result<Json<Success<StatsView>>, Failure> {
    let stats = call.desk.insight().stats(call.actor()).await?;
    Ok(data(StatsView {
        open_tickets: stats.open,
        pending_tickets: stats.pending,
        overdue_tickets: stats.overdue,
        resolved_today: stats.resolved_today,
        total_tickets: stats.total,
    }))
}

input! {
    /// How much of what happened.
    struct ActivityQuery {
        /// How many acts: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
struct ActivityView {
    id: String,
    /// `ticket_created`, `ticket_updated` or `comment_added`.
    #[serde(rename = "type")]
    sort: &'static str,
    user: NameView,
    /// What was done, in words.
    action: &'static str,
    /// The subject of the ticket that it was done to.
    target: String,
    timestamp: String,
}

/// Somebody, by name.
#[derive(Debug, Serialize, ToSchema)]
struct NameView {
    name: String,
}

impl From<Activity> for ActivityView {
    fn from(activity: Activity) -> Self {
        let Activity { event, who, ticket } = activity;
        let (sort, action) = words::activity(&event);
        let nobody = match event.detail.actor {
            Who::System => "System",
            Who::User(_) | Who::ApiKey(_) | Who::Anonymous => "Somebody",
        };
        Self {
            id: event.id.to_string(),
            sort,
            user: NameView { name: who.unwrap_or_else(|| nobody.to_owned()) },
            action,
            target: ticket.subject.clone(),
            timestamp: time(event.at),
        }
    }
}

async fn activity(
    call: Call,
    Query(query): Query<ActivityQuery>,
) -> Result<Json<Success<Vec<ActivityView>>>, Failure> {
    let limit = query.limit.map_or(USUAL_ACTIVITY, |limit| limit.0);
    let limit = usize::try_from(limit).unwrap_or_default();
    let activity = call.desk.insight().activity(call.actor(), limit).await?;
    Ok(data(activity.into_iter().map(ActivityView::from).collect()))
}

/// How well something is done, 0 where nothing was to do, and how well it is to be done, in percent.
#[derive(Debug, Serialize, ToSchema)]
struct AttainmentView {
    label: &'static str,
    value: u64,
    target: u8,
}

async fn sla_status(call: Call) -> Result<Json<Success<Vec<AttainmentView>>>, Failure> {
    let status = call.desk.insight().service_status(call.actor()).await?;
    let view = |label, attainment: Attainment| AttainmentView {
        label,
        value: words::percent(attainment.value),
        target: attainment.target,
    };
    Ok(data(vec![
        view("First Response", status.first_response),
        view("Resolution Time", status.resolution),
        view("Customer Satisfaction", status.satisfaction),
    ]))
}
