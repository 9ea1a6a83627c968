//! Reports, and taking them away as files.

use helpdesk_core::identity::permissions;
use helpdesk_core::insight::{
    AgentRow, Edge, ReportFormat, ReportKind, SatisfactionReport, ServiceLevelReport, Step, Stretch,
    TicketReport, Timeframe,
};
use helpdesk_core::tickets::{Priority, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Page, Success, SuccessList, data, list};
use super::words::{self, ReportFormats, ReportKinds, Steps};
use crate::input;
use crate::input::{Choice, Int, Moment};
use crate::kernel::{Call, Failure, Json, Operation, Query};

const AREA: &str = "Reports";
const TIME: &str =
    "By default the last thirty days, today included. Dates are days of the organisation's time zone.";

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("reports.tickets", "/api/reports/tickets", tickets).says("Reports on tickets", TIME),
        Operation::get("reports.agents", "/api/reports/agents", agents).says("Reports on agents", TIME),
        Operation::get("reports.satisfaction", "/api/reports/satisfaction", satisfaction)
            .says("Reports on satisfaction", TIME),
        Operation::get("reports.sla", "/api/reports/sla", service_levels)
            .says("Reports on service levels", TIME),
        Operation::get("reports.export", "/api/reports/export", export).says(
            "Writes a report as a file",
            "The answer says where the file is. Only the caller may read it, for a day.",
        ),
    ];
    let operations = operations.into_iter();
    operations
        .map(|operation| operation.area(AREA).needs(permissions::REPORTING_VIEW_ALL).errors(&[401, 403, 422]))
        .collect()
}

input! {
    /// Over which time a report is made.
    struct TimeQuery {
        /// The first day, or an instant, in ISO 8601.
        start_date: Option<Moment>,
        /// The last day, or an instant, in ISO 8601; within five years of the first.
        end_date: Option<Moment>,
        /// What is counted together.
        group_by: Option<Choice<Steps>>,
    }

    /// Over which time agents are reported on, and which page of them.
    struct AgentsQuery {
        /// The first day, or an instant, in ISO 8601.
        start_date: Option<Moment>,
        /// The last day, or an instant, in ISO 8601; within five years of the first.
        end_date: Option<Moment>,
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }

    /// What is written, and how.
    struct ExportQuery {
        /// What the report is about.
        kind["type"]: Choice<ReportKinds>,
        /// The form of the file.
        format: Choice<ReportFormats>,
        /// The first day, or an instant, in ISO 8601.
        start_date: Option<Moment>,
        /// The last day, or an instant, in ISO 8601; within five years of the first.
        end_date: Option<Moment>,
        /// What is counted together.
        group_by: Option<Choice<Steps>>,
    }
}

fn timeframe(start: Option<Moment>, end: Option<Moment>, step: Option<Choice<Steps>>) -> Timeframe {
    let edge = |moment| match moment {
        Moment::Day(day) => Edge::Day(day),
        Moment::Instant(at) => Edge::Instant(at),
        Moment::Clock(time) => Edge::Clock(time),
    };
    Timeframe { start: start.map(edge), end: end.map(edge), step: step.map_or(Step::Day, |step| step.0) }
}

/// Tells a failure in the document's names.
fn told(error: helpdesk_core::Error) -> Failure {
    Failure::from(error).renamed(|field| match field {
        "start" => Some("start_date"),
        "end" => Some("end_date"),
        _ => None,
    })
}

/// What came in, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
struct TicketsView {
    total_tickets: u64,
    by_status: ByStatus,
    by_priority: ByPriority,
    trend: Vec<TicketsOfView>,
}

/// Where tickets stand. What is resolved is solved or closed; what has ended was rejected, withdrawn, merged or spam.
#[derive(Debug, Serialize, ToSchema)]
struct ByStatus {
    new: u64,
    open: u64,
    pending: u64,
    hold: u64,
    resolved: u64,
    /// Of the resolved ones, those that are closed.
    closed: u64,
    ended: u64,
}

/// How urgent tickets are.
#[derive(Debug, Serialize, ToSchema)]
struct ByPriority {
    urgent: u64,
    high: u64,
    normal: u64,
    low: u64,
}

/// The tickets of a day, week or month.
#[derive(Debug, Serialize, ToSchema)]
struct TicketsOfView {
    /// Its first day.
    date: String,
    /// Its name: a day, the Monday of a week, `2025-01`.
    period: String,
    created: u64,
    resolved: u64,
}

/// The first day and the name of a stretch of time.
fn names(stretch: Stretch) -> (String, String) {
    (stretch.begins.to_string(), stretch.label)
}

impl From<TicketReport> for TicketsView {
    fn from(report: TicketReport) -> Self {
        let with = |statuses: &[Status]| report.with_status(statuses);
        let of = |priority: Priority| report.by_priority.get(&Some(priority)).copied().unwrap_or(0);
        let unsaid = report.by_priority.get(&None).copied().unwrap_or(0);
        Self {
            total_tickets: report.total,
            by_status: ByStatus {
                new: with(&[Status::New]),
                open: with(&[Status::Open, Status::InProgress]),
                pending: with(&[Status::Pending]),
                hold: with(&[Status::OnHold]),
                resolved: with(&[Status::Resolved, Status::Closed]),
                closed: with(&[Status::Closed]),
                ended: with(&[Status::Rejected, Status::Withdrawn, Status::Merged, Status::Spam]),
            },
            by_priority: ByPriority {
                urgent: of(Priority::Urgent),
                high: of(Priority::High),
                normal: of(Priority::Normal) + unsaid,
                low: of(Priority::Low),
            },
            trend: report
                .trend
                .into_iter()
                .map(|of| {
                    let (date, period) = names(of.stretch);
                    TicketsOfView { date, period, created: of.created, resolved: of.resolved }
                })
                .collect(),
        }
    }
}

async fn tickets(call: Call, Query(query): Query<TimeQuery>) -> Result<Json<Success<TicketsView>>, Failure> {
    let timeframe = timeframe(query.start_date, query.end_date, query.group_by);
    let report = call.desk.insight().ticket_report(call.actor(), &timeframe).await.map_err(told)?;
    Ok(data(report.into()))
}

/// How an agent did.
#[derive(Debug, Serialize, ToSchema)]
struct AgentReportView {
    id: String,
    name: String,
    tickets_resolved: u64,
    avg_resolution_time: String,
    first_response_time: String,
    customer_satisfaction: f64,
    sla_compliance: u64,
}

impl From<AgentRow> for AgentReportView {
    fn from(AgentRow { agent, figures }: AgentRow) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.full_name(),
            tickets_resolved: figures.resolved,
            avg_resolution_time: words::humanised(figures.resolution),
            first_response_time: words::humanised(figures.first_reply),
            customer_satisfaction: words::points(figures.rating),
            sla_compliance: words::percent(figures.sla_compliance),
        }
    }
}

async fn agents(
    call: Call,
    Query(query): Query<AgentsQuery>,
) -> Result<Json<SuccessList<AgentReportView>>, Failure> {
    let timeframe = timeframe(query.start_date, query.end_date, None);
    let page = Page::of(query.page, query.limit);
    let insight = call.desk.insight();
    let report =
        insight.agent_report(call.actor(), &timeframe, page.size(), page.from()).await.map_err(told)?;
    let agents = report.agents.into_iter().map(AgentReportView::from).collect();
    Ok(list(agents, page.pagination(report.total)))
}

/// How satisfied people were, from 1 to 5; 0 where nobody was asked.
#[derive(Debug, Serialize, ToSchema)]
struct SatisfactionView {
    customer_satisfaction: f64,
    total_ratings: u64,
    distribution: Distribution,
    trend: Vec<RatingsOfView>,
}

/// How many ratings there are of each score.
#[derive(Debug, Serialize, ToSchema)]
struct Distribution {
    #[serde(rename = "1")]
    one: u64,
    #[serde(rename = "2")]
    two: u64,
    #[serde(rename = "3")]
    three: u64,
    #[serde(rename = "4")]
    four: u64,
    #[serde(rename = "5")]
    five: u64,
}

/// The ratings of what was solved in a day, week or month.
#[derive(Debug, Serialize, ToSchema)]
struct RatingsOfView {
    date: String,
    period: String,
    customer_satisfaction: f64,
    total_ratings: u64,
}

impl From<SatisfactionReport> for SatisfactionView {
    fn from(report: SatisfactionReport) -> Self {
        let [one, two, three, four, five] = report.distribution;
        Self {
            customer_satisfaction: words::points(report.average()),
            total_ratings: report.total(),
            distribution: Distribution { one, two, three, four, five },
            trend: report
                .trend
                .into_iter()
                .map(|of| {
                    let (customer_satisfaction, total_ratings) = (words::points(of.average()), of.total());
                    let (date, period) = names(of.stretch);
                    RatingsOfView { date, period, customer_satisfaction, total_ratings }
                })
                .collect(),
        }
    }
}

async fn satisfaction(
    call: Call,
    Query(query): Query<TimeQuery>,
) -> Result<Json<Success<SatisfactionView>>, Failure> {
    let timeframe = timeframe(query.start_date, query.end_date, query.group_by);
    let report = call.desk.insight().satisfaction_report(call.actor(), &timeframe).await.map_err(told)?;
    Ok(data(report.into()))
}

/// Whether promises were kept, in percent; 0 where there were none.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceLevelsView {
    sla_compliance: u64,
    compliant: u64,
    breached: u64,
    trend: Vec<PromisesOfView>,
}

/// What became of promises in a day, week or month.
#[derive(Debug, Serialize, ToSchema)]
struct PromisesOfView {
    date: String,
    period: String,
    sla_compliance: u64,
    compliant: u64,
    breached: u64,
}

impl From<ServiceLevelReport> for ServiceLevelsView {
    fn from(report: ServiceLevelReport) -> Self {
        Self {
            sla_compliance: words::percent(report.compliance()),
            compliant: report.compliant,
            breached: report.breached,
            trend: report
                .trend
                .into_iter()
                .map(|of| {
                    let sla_compliance = words::percent(of.compliance());
                    let (date, period) = names(of.stretch);
                    let (compliant, breached) = (of.compliant, of.breached);
                    PromisesOfView { date, period, sla_compliance, compliant, breached }
                })
                .collect(),
        }
    }
}

async fn service_levels(
    call: Call,
    Query(query): Query<TimeQuery>,
) -> Result<Json<Success<ServiceLevelsView>>, Failure> {
    let timeframe = timeframe(query.start_date, query.end_date, query.group_by);
    let report = call.desk.insight().service_level_report(call.actor(), &timeframe).await.map_err(told)?;
    Ok(data(report.into()))
}

/// A file, and where it is.
#[derive(Debug, Serialize, ToSchema)]
struct FileView {
    url: String,
    filename: String,
    mime_type: &'static str,
}

async fn export(call: Call, Query(query): Query<ExportQuery>) -> Result<Json<Success<FileView>>, Failure> {
    let timeframe = timeframe(query.start_date, query.end_date, query.group_by);
    let (kind, format): (ReportKind, ReportFormat) = (query.kind.0, query.format.0);
    let file = call.desk.insight().export(call.actor(), kind, format, &timeframe).await.map_err(told)?;
    Ok(data(FileView {
        url: format!("{}/api/uploads/{}", call.head.base, file.id),
        filename: file.name.clone(),
        mime_type: format.media_type(),
    }))
}
