//! Reports as documents.

use chrono::NaiveDate;

use super::document::{Cell, Chart, Document, Shape, Table};
use crate::insight::period::{Period, Step, Stretch};
use crate::insight::reports::{AgentReport, SatisfactionReport, ServiceLevelReport, TicketReport};
use crate::tickets::{Priority, Status};

/// How many agents are drawn.
const DRAWN_AGENTS: usize = 20;

/// What came in, and what became of it.
pub(super) fn tickets(report: &TicketReport, organisation: &str) -> Document {
    let trend = report
        .trend
        .iter()
        .map(|of| vec![stretch(&of.stretch), Cell::Count(of.created), Cell::Count(of.resolved)]);
    let by_status = Status::ALL.into_iter().filter_map(|status| {
        let tickets = *report.by_status.get(&status)?;
        Some(vec![text(status.label()), Cell::Count(tickets)])
    });
    let priorities = Priority::ALL.into_iter().rev().map(Some).chain([None]);
    let by_priority = priorities.filter_map(|priority| {
        let tickets = *report.by_priority.get(&priority)?;
        Some(vec![text(priority.map_or("None", Priority::label)), Cell::Count(tickets)])
    });
    Document {
        title: "Tickets".into(),
        subtitle: subtitle(organisation, &report.period),
        tables: vec![
            Table::new("Created and resolved", &[heading(report.period.step), "Created", "Resolved"])
                .rows(trend),
            Table::new("By status", &["Status", "Tickets"])
                .rows(by_status)
                .rows([vec![text("All"), Cell::Count(report.total)]]),
            Table::new("By priority", &["Priority", "Tickets"])
                .rows(by_priority)
                .rows([vec![text("All"), Cell::Count(report.total)]]),
        ],
        chart: Some(drawn("Tickets created and resolved", Shape::Lines, &[1, 2])),
    }
}

/// How agents did.
pub(super) fn agents(report: &AgentReport, organisation: &str) -> Document {
    let mut agents: Vec<_> = report.agents.iter().collect();
    // Who solved most is drawn; the sort keeps others by name.
    agents.sort_by_key(|row| std::cmp::Reverse(row.figures.resolved));
    let rows = agents.into_iter().map(|row| {
        let figures = &row.figures;
        let length = |length: Option<_>| length.map_or(Cell::Empty, Cell::Length);
        vec![
            Cell::Text(row.agent.full_name()),
            Cell::Count(figures.resolved),
            Cell::Count(figures.open),
            length(figures.resolution),
            length(figures.first_reply),
            figures.rating.map_or(Cell::Empty, Cell::Number),
            share(figures.sla_compliance),
        ]
    });
    let columns = [
        "Agent",
        "Resolved",
        "Open now",
        "Resolution (h:mm)",
        "First response (h:mm)",
        "Satisfaction",
        "Service levels (%)",
    ];
    Document {
        title: "Agents".into(),
        subtitle: subtitle(organisation, &report.period),
        tables: vec![Table::new("Agents", &columns).rows(rows)],
        chart: Some(Chart { rows: DRAWN_AGENTS, ..drawn("Tickets resolved", Shape::Bars, &[1]) }),
    }
}

/// How satisfied people were.
pub(super) fn satisfaction(report: &SatisfactionReport, organisation: &str) -> Document {
    let trend = report.trend.iter().map(|of| {
        vec![stretch(&of.stretch), Cell::Count(of.total()), of.average().map_or(Cell::Empty, Cell::Number)]
    });
    let scores = [5, 4, 3, 2, 1].into_iter().zip(report.distribution.into_iter().rev());
    let scores = scores.map(|(score, ratings)| vec![Cell::Count(score), Cell::Count(ratings)]);
    let average = report.average().map_or(Cell::Empty, Cell::Number);
    Document {
        title: "Satisfaction".into(),
        subtitle: subtitle(organisation, &report.period),
        tables: vec![
            Table::new("Ratings", &[heading(report.period.step), "Ratings", "Average"]).rows(trend),
            Table::new("Scores", &["Score", "Ratings"]).rows(scores),
            Table::new("All ratings", &["Ratings", "Average"])
                .rows([vec![Cell::Count(report.total()), average]]),
        ],
        chart: Some(drawn("Average rating", Shape::Lines, &[2])),
    }
}

/// Whether promises were kept.
pub(super) fn service_levels(report: &ServiceLevelReport, organisation: &str) -> Document {
    let row = |name: Cell, compliant: u64, breached: u64, compliance: Option<f64>| {
        vec![name, Cell::Count(compliant), Cell::Count(breached), share(compliance)]
    };
    let trend =
        report.trend.iter().map(|of| row(stretch(&of.stretch), of.compliant, of.breached, of.compliance()));
    let all = row(text("All"), report.compliant, report.breached, report.compliance());
    Document {
        title: "Service levels".into(),
        subtitle: subtitle(organisation, &report.period),
        tables: vec![
            Table::new("Kept and broken", &[heading(report.period.step), "Kept", "Broken", "Kept (%)"])
                .rows(trend),
            Table::new("In all", &["Tickets", "Kept", "Broken", "Kept (%)"]).rows([all]),
        ],
        chart: Some(drawn("Service levels kept and broken", Shape::Columns, &[1, 2])),
    }
}

fn subtitle(organisation: &str, period: &Period) -> String {
    let day = |day: NaiveDate| day.format("%Y-%m-%d");
    let (first, last) = period.days();
    format!("{organisation} · {} to {} · {}", day(first), day(last), period.zone.name())
}

const fn heading(step: Step) -> &'static str {
    match step {
        Step::Day => "Day",
        Step::Week => "Week from",
        Step::Month => "Month",
    }
}

fn drawn(title: &'static str, shape: Shape, columns: &[usize]) -> Chart {
    Chart { title, shape, columns: columns.to_vec(), rows: usize::MAX }
}

fn stretch(stretch: &Stretch) -> Cell {
    text(&stretch.label)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn share(share: Option<f64>) -> Cell {
    share.map_or(Cell::Empty, Cell::Share)
}
