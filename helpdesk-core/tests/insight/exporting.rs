//! Reports as files.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono_tz::{Europe, Tz};
use helpdesk_core::insight::{Cell, Document, ReportFormat, ReportKind, ReportWriter, Timeframe, WriteError};
use helpdesk_core::tickets::Status;
use helpdesk_core::{Error, Problem, Result};

use crate::fixture::{Past, days};
use crate::support::World;
use crate::support::tickets::problems;

#[tokio::test]
async fn a_file_is_for_who_asked_for_it_and_for_a_day() -> Result<()> {
    let past = Past::new(Europe::Warsaw).await;
    past.at("2025-03-29T23:30:00Z");
    let ticket = past.ask("Printer").await;
    past.world.bring(ticket, Status::Resolved).await;
    let (insight, uploads) = (past.world.desk.insight(), past.world.desk.uploads());
    let timeframe = days("2025-03-29", "2025-03-31");
    let file = insight.export(&past.manager, ReportKind::Tickets, ReportFormat::Csv, &timeframe).await?;
    assert_eq!(file.name, "tickets-2025-03-29-2025-03-31.csv");
    assert_eq!(file.media_type, "text/csv");
    let read = uploads.read(&past.manager, file.id).await?;
    let expected = "Day,Created,Resolved\n2025-03-29,0,0\n2025-03-30,1,1\n2025-03-31,0,0\n";
    assert_eq!(String::from_utf8_lossy(&read.content), expected);
    let other = past.world.actor("other", "admin").await;
    assert!(matches!(uploads.read(&other, file.id).await, Err(Error::NotFound { .. })));

    past.at("2025-03-30T23:29:59Z");
    past.world.mails().await;
    assert!(uploads.read(&past.manager, file.id).await.is_ok());
    past.at("2025-03-30T23:30:00Z");
    past.world.mails().await;
    assert!(matches!(uploads.read(&past.manager, file.id).await, Err(Error::NotFound { .. })));
    Ok(())
}

#[tokio::test]
async fn every_report_can_be_written() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    let insight = past.world.desk.insight();
    for (kind, begins) in [
        (ReportKind::Tickets, "Day,Created,Resolved\n2024-12-17,0,0\n"),
        (
            ReportKind::Agents,
            "Agent,Resolved,Open now,Resolution (h:mm),First response (h:mm),Satisfaction,Service levels (%)\n\
             grace Test,0,0,,,,\n",
        ),
        (ReportKind::Satisfaction, "Day,Ratings,Average\n2024-12-17,0,\n"),
        (ReportKind::ServiceLevels, "Day,Kept,Broken,Kept (%)\n2024-12-17,0,0,\n"),
    ] {
        let file = insight.export(&past.manager, kind, ReportFormat::Csv, &Timeframe::default()).await?;
        let read = past.world.desk.uploads().read(&past.manager, file.id).await?;
        let text = String::from_utf8_lossy(&read.content);
        assert!(text.starts_with(begins), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_writer_there_is_only_csv_and_only_who_sees_reports_has_it() {
    let past = Past::new(Tz::UTC).await;
    let insight = past.world.desk.insight();
    let time = Timeframe::default();
    let refused = insight.export(&past.manager, ReportKind::Tickets, ReportFormat::Pdf, &time).await;
    let problem = Problem::Choice { given: "pdf".into(), choices: vec!["csv".into()] };
    assert_eq!(problems(&refused.expect_err("no writer")), [("format".to_owned(), vec![problem])]);
    let refused = insight.export(&past.agent, ReportKind::Tickets, ReportFormat::Csv, &time).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
}

/// Keeps what it was to write.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Document>>);

impl ReportWriter for Kept {
    fn formats(&self) -> &[ReportFormat] {
        &[ReportFormat::Pdf]
    }

    fn write(&self, document: &Document, _: ReportFormat) -> std::result::Result<Bytes, WriteError> {
        self.0.lock().expect("nobody panicked").push(document.clone());
        Ok(Bytes::from_static(b"%PDF"))
    }
}

#[tokio::test]
async fn a_writer_is_handed_the_report_as_tables() -> Result<()> {
    let writer = Arc::new(Kept::default());
    let world = World::with(|builder| builder.report_writer(writer.clone())).await;
    let manager = world.actor("mary", "manager").await;
    let ada = world.actor("ada", "customer").await;
    world.ticket(&ada, "Printer").await;
    let insight = world.desk.insight();
    let time = days("2025-01-15", "2025-01-15");
    let file = insight.export(&manager, ReportKind::Tickets, ReportFormat::Pdf, &time).await?;
    assert_eq!(file.media_type, "application/pdf");
    let documents = writer.0.lock().expect("nobody panicked").clone();
    let [document] = &documents[..] else { panic!("one document") };
    assert_eq!(document.subtitle, "Demo · 2025-01-15 to 2025-01-15 · UTC");
    let row = vec![Cell::Text("2025-01-15".into()), Cell::Count(1), Cell::Count(0)];
    assert_eq!(document.tables[0].rows, [row]);
    assert!(
        document.tables.iter().all(|table| { table.rows.iter().all(|row| row.len() == table.columns.len()) })
    );
    let refused = insight.export(&manager, ReportKind::Tickets, ReportFormat::Xlsx, &time).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    Ok(())
}
