//! How things stand.

use chrono_tz::{Europe, Tz};
use helpdesk_core::identity::{NewApiKey, permissions};
use helpdesk_core::insight::DashboardStats;
use helpdesk_core::service_levels::Outcome;
use helpdesk_core::tickets::{Act, Status};
use helpdesk_core::{Error, Result};

use crate::fixture::Past;
use crate::support::tickets::to;

#[tokio::test]
async fn tickets_are_counted_by_where_they_stand() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    past.at("2025-01-16T09:00:00Z");
    for status in [Status::Closed, Status::Resolved] {
        let ticket = past.ask("Long ago").await;
        past.world.bring(ticket, status).await;
    }
    past.at("2025-01-17T09:00:00Z");
    for status in [Status::New, Status::Open, Status::InProgress, Status::OnHold, Status::Pending] {
        let ticket = past.ask("Today").await;
        past.world.bring(ticket, status).await;
    }
    let solved = past.ask("Solved").await;
    past.solve(solved).await;
    let back = past.ask("Solved and back").await;
    past.solve(back).await;
    past.world.act(&past.agent, back, to(Status::Open)).await;
    let deleted = past.ask("Deleted").await;
    past.world.act(&past.world.system(), deleted, Act::Delete).await;
    past.promise(back, Outcome::Broken, None).await;
    past.promise(solved, Outcome::Kept, Some(Outcome::Kept)).await;

    let stats = past.world.desk.insight().stats(&past.agent).await?;
    let expected = DashboardStats { open: 5, pending: 1, overdue: 1, resolved_today: 1, total: 9 };
    assert_eq!(stats, expected);
    Ok(())
}

#[tokio::test]
async fn today_is_a_day_of_the_organisations_zone() -> Result<()> {
    let past = Past::new(Europe::Warsaw).await;
    // Half past midnight in Warsaw, on the night after summer time began.
    past.at("2025-03-30T22:30:00Z");
    let ticket = past.ask("At night").await;
    past.solve(ticket).await;
    past.at("2025-03-31T10:00:00Z");
    let insight = past.world.desk.insight();
    assert_eq!(insight.stats(&past.agent).await?.resolved_today, 1);
    past.zone(Tz::UTC).await;
    assert_eq!(insight.stats(&past.agent).await?.resolved_today, 0);
    Ok(())
}

#[tokio::test]
async fn promises_are_told_over_the_last_thirty_days() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    let insight = past.world.desk.insight();
    let status = insight.service_status(&past.agent).await?;
    assert_eq!((status.first_response.value, status.first_response.target), (None, 95));
    assert_eq!((status.satisfaction.value, status.satisfaction.target), (None, 85));

    let old = past.ask("Old").await;
    past.solve(old).await;
    past.rate(old, 1).await;
    past.promise(old, Outcome::Broken, Some(Outcome::Broken)).await;
    past.at("2025-03-01T09:00:00Z");
    for score in [5, 4, 3, 5] {
        let ticket = past.ask("New").await;
        past.solve(ticket).await;
        past.rate(ticket, score).await;
        let outcome = if score == 3 { Outcome::Broken } else { Outcome::Kept };
        past.promise(ticket, outcome, Some(outcome)).await;
    }
    let status = insight.service_status(&past.agent).await?;
    assert_eq!(status.first_response.value, Some(0.75));
    assert_eq!(status.resolution.value, None);
    assert_eq!(status.satisfaction.value, Some(0.75));
    Ok(())
}

#[tokio::test]
async fn who_sees_no_tickets_counts_none_and_customers_have_no_dashboard() -> Result<()> {
    let past = Past::new(Tz::UTC).await;
    past.ask("Printer").await;
    let (insight, identity) = (past.world.desk.insight(), past.world.desk.identity());
    for refused in [
        insight.stats(&past.ada).await.map(drop),
        insight.service_status(&past.ada).await.map(drop),
        insight.activity(&past.ada, 10).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden { .. })));
    }
    let only = [permissions::DASHBOARD_VIEW].into_iter().collect();
    let key = NewApiKey { name: "wall".into(), permissions: only, expires: None };
    let (_, key) = identity.create_api_key(&past.world.system(), key).await?;
    let program = identity.authenticate_key(&key, past.agent.via().clone()).await?.actor;
    assert_eq!(insight.stats(&program).await?, DashboardStats::default());
    assert!(insight.activity(&program, 10).await?.is_empty());

    let elsewhere = identity.create_organisation("Other", "other").await?;
    past.world.user_in(elsewhere, "eve", "admin").await;
    let eve = past.world.sign_in("eve").await.actor;
    assert_eq!(insight.stats(&eve).await?, DashboardStats::default());
    assert!(insight.activity(&eve, 10).await?.is_empty());
    Ok(())
}
