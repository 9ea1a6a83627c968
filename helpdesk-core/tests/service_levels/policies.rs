//! Policies and business hours: who may change them, in what order they hold, and what a change brings about.

use std::collections::BTreeSet;

use chrono::Duration;
use helpdesk_core::identity::permissions;
use helpdesk_core::service_levels::{
    Calendar, CalendarChange, Conditions, Hours, Metric, PolicyChange, PolicyId, Span, Target,
};
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{NewTicket, Priority, TicketKind};
use helpdesk_core::{Error, Problem, Result};

use crate::support::World;
use crate::support::tickets::{problems, request};
use crate::{promising, said};

fn named(name: &str, conditions: Conditions, minutes: i64) -> PolicyChange {
    PolicyChange {
        name: Some(name.to_owned()),
        conditions: Some(conditions),
        ..promising(&[(Metric::TotalResolution, minutes)])
    }
}

#[tokio::test]
async fn a_new_organisation_promises_something_from_the_first_day() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    let agent = world.actor("gus", "agent").await;
    let policies = world.desk.service_levels().policies(&agent).await?;
    assert_eq!(policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["Standard"]);
    let urgent = &policies[0].targets[&Priority::Urgent][&Metric::FirstReply];
    assert_eq!(*urgent, Target { time: Duration::hours(1), hours: Hours::Calendar });
    Ok(())
}

#[tokio::test]
async fn the_first_policy_that_fits_holds() -> Result<()> {
    let world = World::that_promises(&[(Metric::TotalResolution, 500)]).await;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let tagged = Conditions { tags: BTreeSet::from(["vip".to_owned()]), ..Conditions::default() };
    let incidents = Conditions { kinds: vec![TicketKind::Incident], ..Conditions::default() };
    let all = levels.policies(&system).await?[0].id;
    let vip = levels.create_policy(&system, named("VIP", tagged, 100)).await?.id;
    let incident = levels.create_policy(&system, named("Incidents", incidents, 200)).await?.id;
    let ada = world.actor("ada", "customer").await;
    let both = NewTicket {
        kind: Some(TicketKind::Incident),
        tags: BTreeSet::from(["vip".to_owned()]),
        ..request("Printer")
    };
    let id = world.desk.tickets().create(&ada, both).await?.0.id;
    let minutes = async || {
        world.run().await;
        let target = world.standing(id, Metric::TotalResolution).await.target;
        target.map(|target| target.time.num_minutes())
    };
    // The one for all was there first.
    assert_eq!(minutes().await, Some(500));
    levels.reorder_policies(&system, &[incident, vip]).await?;
    assert_eq!(minutes().await, Some(200));
    levels.reorder_policies(&system, &[vip]).await?;
    assert_eq!(minutes().await, Some(100));
    let order: Vec<_> = levels.policies(&system).await?.iter().map(|policy| policy.id).collect();
    assert_eq!(order, [vip, incident, all]);
    levels
        .update_policy(&system, vip, None, PolicyChange { active: Some(false), ..PolicyChange::default() })
        .await?;
    assert_eq!(minutes().await, Some(200));
    levels.delete_policy(&system, incident).await?;
    assert_eq!(minutes().await, Some(500));
    levels.delete_policy(&system, all).await?;
    assert_eq!(minutes().await, None);
    Ok(())
}

#[tokio::test]
async fn a_change_of_policy_holds_from_when_it_was_made_however_late_it_is_noticed() -> Result<()> {
    let world = World::that_promises(&[(Metric::TotalResolution, 500)]).await;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(100).await;
    let policy = levels.policies(&system).await?[0].id;
    levels.update_policy(&system, policy, None, promising(&[(Metric::TotalResolution, 50)])).await?;
    world.pass(77).await;
    let told =
        [("retargeted", "", 100), ("warned", "total_resolution", 100), ("breached", "total_resolution", 100)];
    assert_eq!(world.told(id).await[2..], said(&told));
    assert_eq!(
        world.desk.service_levels().rebuilt(&system, id).await?.standings,
        world.levels(id).await.standings
    );
    Ok(())
}

#[tokio::test]
async fn many_open_tickets_are_looked_at_page_by_page() -> Result<()> {
    let world = World::that_promises(&[(Metric::TotalResolution, 500)]).await;
    let ada = world.actor("ada", "customer").await;
    let mut ids = Vec::new();
    for _ in 0..230 {
        ids.push(world.ticket(&ada, "Printer").await.id);
    }
    world.run().await;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let policy = levels.policies(&system).await?[0].id;
    levels.update_policy(&system, policy, None, promising(&[(Metric::TotalResolution, 50)])).await?;
    world.run().await;
    for id in ids {
        let target = world.standing(id, Metric::TotalResolution).await.target;
        assert_eq!(target.map(|target| target.time), Some(Duration::minutes(50)));
    }
    Ok(())
}

#[tokio::test]
async fn business_hours_are_those_of_the_organisations_calendar() -> Result<()> {
    let world = World::that_promises_two_open_hours().await?;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let ada = world.actor("ada", "customer").await;
    // A Wednesday, nine o'clock.
    let id = world.ticket(&ada, "Printer").await.id;
    world.run().await;
    let due = async || world.standing(id, Metric::TotalResolution).await.due;
    assert_eq!(due().await, Some("2025-01-15T11:00:00Z".parse().expect("an instant")));
    let span = Span::hours((9, 0), (10, 0)).expect("a span");
    let hours = Calendar::new(chrono_tz::UTC).on_workdays(span);
    let new = CalendarChange { name: Some("Office".to_owned()), hours: Some(hours.clone()) };
    let calendar = levels.create_calendar(&system, new).await?.id;
    levels.use_calendar(&system, Some(calendar)).await?;
    world.run().await;
    assert_eq!(due().await, Some("2025-01-16T10:00:00Z".parse().expect("an instant")));
    let holiday = hours.except("2025-01-16".parse().expect("a date"), []);
    let change = CalendarChange { hours: Some(holiday), name: None };
    levels.update_calendar(&system, calendar, change).await?;
    world.run().await;
    assert_eq!(due().await, Some("2025-01-17T10:00:00Z".parse().expect("an instant")));
    levels.delete_calendar(&system, calendar).await?;
    world.run().await;
    assert_eq!(due().await, Some("2025-01-15T11:00:00Z".parse().expect("an instant")));
    assert!(levels.calendars(&system).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn rules_are_for_those_who_may_and_of_ones_own_organisation() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    let levels = world.desk.service_levels();
    let (customer, agent) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let refused = levels.policies(&customer).await.expect_err("customers");
    assert!(matches!(refused, Error::Forbidden { permission } if permission == permissions::ADMIN_VIEW_SLA));
    let policy = levels.policies(&agent).await?[0].id;
    for refused in [
        levels.create_policy(&agent, promising(&[])).await.err(),
        levels.update_policy(&agent, policy, None, PolicyChange::default()).await.err(),
        levels.delete_policy(&agent, policy).await.err(),
        levels.reorder_policies(&agent, &[]).await.err(),
        levels.create_calendar(&agent, CalendarChange::default()).await.err(),
        levels.use_calendar(&agent, None).await.err(),
    ] {
        let missing = permissions::ADMIN_MANAGE_SLA;
        assert!(matches!(refused, Some(Error::Forbidden { permission }) if permission == missing));
    }
    let other = world.desk.identity().create_organisation("Other", "other").await?;
    let other = helpdesk_core::Actor::system(other);
    let gone = levels.delete_policy(&other, policy).await.expect_err("another organisation's");
    assert!(matches!(gone, Error::NotFound { what: "policy" }));
    let gone = levels.reorder_policies(&other, &[policy]).await.expect_err("another organisation's");
    assert_eq!(problems(&gone), [("order".to_owned(), vec![Problem::Unknown("policy")])]);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_policy_is_said_at_once() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let nobody = helpdesk_core::groups::GroupId::from_uuid(
        "0197e1a0-0000-7000-8000-000000000001".parse().expect("an id"),
    );
    let conditions = Conditions {
        groups: vec![nobody],
        tags: BTreeSet::from(["a\0".to_owned()]),
        ..Conditions::default()
    };
    let wrong = PolicyChange { name: Some(" ".to_owned()), ..named("", conditions, 0) };
    let error = levels.create_policy(&system, wrong).await.expect_err("wrong");
    let fields: Vec<_> = problems(&error).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["groups", "name", "tags", "targets"]);
    let error = levels.create_policy(&system, PolicyChange::default()).await.expect_err("nothing");
    assert_eq!(problems(&error).len(), 2);
    let stale = levels.update_policy(
        &system,
        levels.policies(&system).await?[0].id,
        Some(7),
        PolicyChange::default(),
    );
    assert!(matches!(stale.await, Err(Error::Conflict(_))));
    for number in 1..100 {
        levels.create_policy(&system, named(&format!("{number}"), Conditions::default(), 5)).await?;
    }
    let full = levels.create_policy(&system, named("one more", Conditions::default(), 5)).await;
    assert!(matches!(full, Err(Error::Rejected(_))));
    let changed = world.log().await;
    assert_eq!(changed.iter().filter(|event| event.action == "sla.policy_changed").count(), 99);
    let unknown = PolicyId::from_uuid("0197e1a0-0000-7000-8000-000000000001".parse().expect("an id"));
    assert!(matches!(levels.delete_policy(&system, unknown).await, Err(Error::NotFound { .. })));
    Ok(())
}
