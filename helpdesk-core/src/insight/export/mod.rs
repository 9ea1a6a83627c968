//! Reports as files that somebody takes away.

mod csv;
mod document;
mod documents;

use std::sync::Arc;

use bytes::Bytes;
use chrono::Duration;

pub use self::document::{
    Cell, Chart, Document, ReportFormat, ReportWriter, Shape, Table, WriteError, plain,
};
use super::Insight;
use super::period::{Period, Timeframe};
use crate::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::identity::permissions;
use crate::storage::{From, MAX_PAGE, Stored};
use crate::uploads::{KeptFile, Upload};

/// How long a file is kept for who asked for it.
const KEPT: Duration = Duration::hours(24);
/// The most agents that a file tells of.
const MOST_AGENTS: usize = 10 * MAX_PAGE;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// What came in, and what became of it.
    Tickets,
    /// How agents did.
    Agents,
    /// How satisfied people were.
    Satisfaction,
    /// Whether promises were kept.
    ServiceLevels,
}

impl ReportKind {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Agents => "agents",
            Self::Satisfaction => "satisfaction",
            Self::ServiceLevels => "sla",
        }
    }
}

impl Insight {
    /// Writes a report as a file, and keeps that for a day for the actor, who alone may read it.
    ///
    /// # Errors
    ///
    /// As [`Insight::ticket_report`]; [`Error::Invalid`] for `format` where nothing writes that form: without a
    /// [`ReportWriter`] there is only CSV.
    pub async fn export(
        &self,
        actor: &Actor,
        kind: ReportKind,
        format: ReportFormat,
        timeframe: &Timeframe,
    ) -> Result<Stored<Upload>> {
        actor.needs(&permissions::REPORTING_VIEW_ALL)?;
        self.check_format(format)?;
        let organisation = self.desk.identity().organisation(actor).await?;
        let name = &organisation.name;
        let (document, period) = match kind {
            ReportKind::Tickets => {
                let report = self.ticket_report(actor, timeframe).await?;
                (documents::tickets(&report, name), report.period)
            }
            ReportKind::Agents => {
                let report = self.all_agents(actor, timeframe).await?;
                (documents::agents(&report, name), report.period)
            }
            ReportKind::Satisfaction => {
                let report = self.satisfaction_report(actor, timeframe).await?;
                (documents::satisfaction(&report, name), report.period)
            }
            ReportKind::ServiceLevels => {
                let report = self.service_level_report(actor, timeframe).await?;
                (documents::service_levels(&report, name), report.period)
            }
        };
        let file = KeptFile {
            name: file_name(kind, format, &period),
            media_type: format.media_type().to_owned(),
            content: self.write(document, format).await?,
            expires: self.desk.now() + KEPT,
        };
        self.desk.uploads().keep(actor, file).await
    }

    /// Checks that there is something that writes files of a form.
    fn check_format(&self, format: ReportFormat) -> Result<()> {
        let written = self.desk.report_writer().map_or(&[][..], |writer| writer.formats());
        let written = |one: &ReportFormat| *one == ReportFormat::Csv || written.contains(one);
        if written(&format) {
            return Ok(());
        }
        let choices = ReportFormat::ALL.into_iter().filter(written);
        let problem = Problem::Choice {
            given: format.extension().to_owned(),
            choices: choices.map(|format| format.extension().to_owned()).collect(),
        };
        Err(Error::invalid("format", problem))
    }

    /// Writes a document where it holds nobody up.
    async fn write(&self, document: Document, format: ReportFormat) -> Result<Bytes> {
        let writer = self.desk.report_writer().map(Arc::clone);
        let writing = tokio::task::spawn_blocking(move || match (format, writer) {
            (ReportFormat::Csv, _) | (_, None) => csv::write(&document),
            (format, Some(writer)) => writer.write(&document, format),
        });
        Ok(writing.await.map_err(Error::internal)??)
    }

    /// The report of all agents, page by page.
    async fn all_agents(&self, actor: &Actor, timeframe: &Timeframe) -> Result<super::AgentReport> {
        let mut report = self.agent_report(actor, timeframe, MAX_PAGE, From::Start).await?;
        let all = usize::try_from(report.total).unwrap_or(usize::MAX).min(MOST_AGENTS);
        while report.agents.len() < all {
            let from = From::Offset(report.agents.len() as u64);
            let page = self.agent_report(actor, timeframe, MAX_PAGE, from).await?;
            if page.agents.is_empty() {
                break;
            }
            report.agents.extend(page.agents);
        }
        Ok(report)
    }
}

/// What a file is called: `tickets-2025-01-01-2025-01-31.csv`.
fn file_name(kind: ReportKind, format: ReportFormat, period: &Period) -> String {
    let (first, last) = period.days();
    format!("{}-{first}-{last}.{}", kind.file_name(), format.extension())
}
