//! Reports over a past that is known.

use chrono::Duration;
use chrono_tz::{Asia, Europe, Tz};
use helpdesk_core::insight::{Step, TicketReport, Timeframe};
use helpdesk_core::service_levels::Outcome;
use helpdesk_core::storage::{EntityId as _, From};
use helpdesk_core::tickets::{Act, Edit, Priority, Status};
use helpdesk_core::{Error, Problem, Result};

use crate::fixture::{Past, days};
use crate::support::tickets::problems;

/// Four tickets around the night in which summer time begins in Warsaw.
async fn around_midnight(zone: Tz) -> Past {
    let past = Past::new(zone).await;
    past.at("2025-03-29T22:30:00Z");
    let first = past.ask("Half past eleven on the 29th").await;
    past.at("2025-03-29T23:30:00Z");
    let second = past.ask("Half past twelve on the 30th").await;
    past.at("2025-03-30T21:30:00Z");
    let third = past.ask("Half past eleven on the 30th").await;
    past.solve(first).await;
    past.at("2025-03-30T22:30:00Z");
    past.ask("Half past twelve on the 31st").await;
    past.solve(second).await;
    let urgent = Edit { priority: Some(Some(Priority::Urgent)), ..Edit::default() };
    past.world.act(&past.agent, third, Act::Edit(urgent)).await;
    let deleted = past.ask("Deleted").await;
    past.world.act(&past.world.system(), deleted, Act::Delete).await;
    past.at("2025-03-31T10:00:00Z");
    past
}

fn trend(report: &TicketReport) -> Vec<(&str, u64, u64)> {
    report.trend.iter().map(|of| (of.stretch.label.as_str(), of.created, of.resolved)).collect()
}

#[tokio::test]
async fn tickets_belong_to_days_of_the_organisations_zone() -> Result<()> {
    let past = around_midnight(Europe::Warsaw).await;
    let insight = past.world.desk.insight();
    let timeframe = days("2025-03-28", "2025-03-31");
    let report = insight.ticket_report(&past.manager, &timeframe).await?;
    assert_eq!(
        trend(&report),
        [("2025-03-28", 0, 0), ("2025-03-29", 1, 0), ("2025-03-30", 2, 1), ("2025-03-31", 1, 1)]
    );
    assert_eq!(report.total, 4);
    assert_eq!(report.with_status(&[Status::Resolved]), 2);
    assert_eq!(report.with_status(&[Status::New]), 2);
    assert_eq!(report.by_priority.get(&Some(Priority::Urgent)), Some(&1));
    assert_eq!(report.by_priority.get(&None), Some(&3));

    past.zone(Asia::Kolkata).await;
    let report = insight.ticket_report(&past.manager, &timeframe).await?;
    assert_eq!(
        trend(&report),
        [("2025-03-28", 0, 0), ("2025-03-29", 0, 0), ("2025-03-30", 2, 0), ("2025-03-31", 2, 2)]
    );
    Ok(())
}

#[tokio::test]
async fn tickets_are_counted_by_weeks_and_months() -> Result<()> {
    let past = around_midnight(Europe::Warsaw).await;
    let insight = past.world.desk.insight();
    let week = Timeframe { step: Step::Week, ..days("2025-03-20", "2025-04-02") };
    let report = insight.ticket_report(&past.manager, &week).await?;
    assert_eq!(trend(&report), [("2025-03-17", 0, 0), ("2025-03-24", 3, 1), ("2025-03-31", 1, 1)]);
    let month = Timeframe { step: Step::Month, ..days("2025-02-10", "2025-04-02") };
    let report = insight.ticket_report(&past.manager, &month).await?;
    assert_eq!(trend(&report), [("2025-02", 0, 0), ("2025-03", 4, 2), ("2025-04", 0, 0)]);
    Ok(())
}

#[tokio::test]
async fn a_report_is_about_thirty_days_unless_somebody_says() -> Result<()> {
    let past = around_midnight(Europe::Warsaw).await;
    let report = past.world.desk.insight().ticket_report(&past.manager, &Timeframe::default()).await?;
    assert_eq!(report.trend.len(), 30);
    assert_eq!(report.trend[29].stretch.label, "2025-03-31");
    assert_eq!(report.total, 4);
    Ok(())
}

#[tokio::test]
async fn a_time_that_ends_before_it_begins_is_refused() {
    let past = Past::new(Tz::UTC).await;
    let (insight, timeframe) = (past.world.desk.insight(), days("2025-01-02", "2025-01-01"));
    let error = insight.ticket_report(&past.manager, &timeframe).await.expect_err("no time");
    assert_eq!(problems(&error), [("end".to_owned(), vec![Problem::Must("not lie before the start")])]);
}

#[tokio::test]
async fn each_agent_has_figures() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    past.world.user("idle", "agent").await;
    past.at("2025-01-20T09:00:00Z");
    let first = past.ask("First").await;
    let second = past.ask("Second").await;
    past.at("2025-01-20T09:10:00Z");
    past.solve(first).await;
    past.at("2025-01-20T10:00:00Z");
    past.solve(second).await;
    past.rate(first, 5).await;
    past.rate(second, 2).await;
    past.promise(first, Outcome::Kept, Some(Outcome::Kept)).await;
    past.promise(second, Outcome::Broken, Some(Outcome::Broken)).await;
    let waiting = past.ask("Waiting").await;
    past.world.act(&past.agent, waiting, Act::Assign { to: past.agent.user() }).await;

    let insight = past.world.desk.insight();
    let report =
        insight.agent_report(&past.manager, &days("2025-01-20", "2025-01-20"), 10, From::Start).await?;
    let named: Vec<_> = report.agents.iter().map(|row| row.agent.first_name.as_str()).collect();
    assert_eq!((named, report.total), (vec!["grace", "idle", "mary"], 3));
    let grace = report.agents[0].figures;
    assert_eq!((grace.open, grace.resolved, grace.total), (1, 2, 3));
    assert_eq!(grace.resolution, Some(Duration::minutes(35)));
    assert_eq!(grace.first_reply, Some(Duration::minutes(35)));
    assert_eq!((grace.rating, grace.sla_compliance), (Some(3.5), Some(0.5)));
    assert_eq!(report.agents[1].figures, Default::default());

    let page = insight.agent_report(&past.manager, &Timeframe::default(), 1, From::Offset(1)).await?;
    assert_eq!((page.agents[0].agent.first_name.as_str(), page.total), ("idle", 3));
    let later =
        insight.agent_report(&past.manager, &days("2025-01-21", "2025-01-22"), 10, From::Start).await?;
    let grace = later.agents[0].figures;
    assert_eq!((grace.open, grace.resolved, grace.total), (1, 0, 3));
    assert_eq!((grace.resolution, grace.rating, grace.sla_compliance), (None, None, None));
    Ok(())
}

#[tokio::test]
async fn agents_may_ask_for_their_own_figures_and_who_sees_all_tickets_for_anybodys() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    let technician = past.world.actor("tom", "technician").await;
    let insight = past.world.desk.insight();
    let own = technician.user().expect("a person");
    let figures = insight.agent_figures(&technician, &[own], None).await?;
    assert_eq!(figures.get(&own.uuid()), Some(&Default::default()));
    let refused = insight.agent_figures(&technician, &[own, past.agent_id()], None).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    assert_eq!(insight.agent_figures(&past.manager, &[own, past.agent_id()], None).await?.len(), 2);
    assert!(insight.agent_figures(&past.manager, &[], None).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn satisfaction_is_averaged_over_what_was_solved() -> Result<()> {
    let past = Past::new(Europe::Warsaw).await;
    for (at, score) in [
        ("2025-03-29T22:30:00Z", 1),
        ("2025-03-29T23:30:00Z", 5),
        ("2025-03-30T21:30:00Z", 4),
        ("2025-03-30T22:30:00Z", 5),
    ] {
        past.at(at);
        let ticket = past.ask("Rated").await;
        past.solve(ticket).await;
        past.rate(ticket, score).await;
    }
    let unrated = past.ask("Unrated").await;
    past.solve(unrated).await;
    let insight = past.world.desk.insight();
    let report = insight.satisfaction_report(&past.manager, &days("2025-03-29", "2025-04-01")).await?;
    assert_eq!((report.total(), report.average()), (4, Some(3.75)));
    assert_eq!(report.distribution, [1, 0, 0, 1, 2]);
    let trend: Vec<_> = report.trend.iter().map(|of| (of.total(), of.average())).collect();
    assert_eq!(trend, [(1, Some(1.0)), (2, Some(4.5)), (1, Some(5.0)), (0, None)]);
    Ok(())
}

#[tokio::test]
async fn promises_count_when_it_was_decided_whether_they_were_kept() -> Result<()> {
    let past = Past::new(Europe::Warsaw).await;
    for (at, outcome) in [
        ("2025-03-29T22:30:00Z", Outcome::Kept),
        ("2025-03-29T23:30:00Z", Outcome::Broken),
        ("2025-03-30T21:30:00Z", Outcome::Kept),
        ("2025-03-31T22:30:00Z", Outcome::Kept),
    ] {
        past.at(at);
        let ticket = past.ask("Promised").await;
        past.promise(ticket, outcome, Some(outcome)).await;
    }
    let open = past.ask("Open").await;
    past.promise(open, Outcome::Kept, None).await;
    let insight = past.world.desk.insight();
    let report = insight.service_level_report(&past.manager, &days("2025-03-28", "2025-03-31")).await?;
    assert_eq!((report.compliant, report.breached), (2, 1));
    assert!(report.compliance().is_some_and(|share| (share - 2.0 / 3.0).abs() < 1e-9));
    let trend: Vec<_> = report.trend.iter().map(|of| (of.compliant, of.breached)).collect();
    assert_eq!(trend, [(0, 0), (1, 0), (1, 1), (0, 0)]);
    assert_eq!(report.trend[0].compliance(), None);
    Ok(())
}

#[tokio::test]
async fn reports_are_for_who_may_see_them_and_know_no_other_organisation() -> Result<()> {
    let past = around_midnight(Europe::Warsaw).await;
    let (insight, identity) = (past.world.desk.insight(), past.world.desk.identity());
    let time = Timeframe::default();
    for actor in [&past.ada, &past.agent] {
        for refused in [
            insight.ticket_report(actor, &time).await.map(drop),
            insight.agent_report(actor, &time, 10, From::Start).await.map(drop),
            insight.satisfaction_report(actor, &time).await.map(drop),
            insight.service_level_report(actor, &time).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Forbidden { .. })));
        }
    }
    let elsewhere = identity.create_organisation("Other", "other").await?;
    past.world.user_in(elsewhere, "eve", "admin").await;
    let eve = past.world.sign_in("eve").await.actor;
    assert_eq!(insight.ticket_report(&eve, &time).await?.total, 0);
    let agents = insight.agent_report(&eve, &time, 10, From::Start).await?;
    assert_eq!(agents.agents.iter().map(|row| row.agent.first_name.as_str()).collect::<Vec<_>>(), ["eve"]);
    let figures = insight.agent_figures(&eve, &[past.agent_id()], None).await?;
    assert_eq!(figures.get(&past.agent_id().uuid()), Some(&Default::default()));
    Ok(())
}
