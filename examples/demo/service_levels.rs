//! What the demo organisation promises, a ticket of some days ago that is late, and one whose requester was pleased.

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use helpdesk::identity::OrganisationId;
use helpdesk::service_levels::{
    Calendar, CalendarChange, Conditions, Hours, Metric, PolicyChange, Span, Target,
};
use helpdesk::tickets::{Act, Comment, NewTicket, Priority, Status, TicketId};
use helpdesk::{Actor, Helpdesk, ManualClock, Result};

pub(super) async fn load(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    rules(desk, organisation).await?;
    let now = desk.now();
    late(desk, organisation, now - Duration::days(3)).await?;
    let rated = solved(desk, organisation, now - Duration::days(2)).await?;
    let customer = super::actor(desk, organisation, "customer").await?;
    let comment = Some("Quick and friendly.".to_owned());
    desk.tickets().rate(&customer, rated, 5, comment).await.map(drop)
}

/// Office hours, and a policy that counts them before the one that every organisation begins with.
async fn rules(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let (admin, levels) = (super::actor(desk, organisation, "admin").await?, desk.service_levels());
    let mut hours = Calendar::new("Europe/Berlin".parse().unwrap_or_default());
    if let Some(office) = Span::hours((9, 0), (17, 0)) {
        hours = hours.on_workdays(office);
    }
    for (month, day) in [(1, 1), (5, 1), (12, 25), (12, 26)] {
        let years = [2026, 2027].map(|year| NaiveDate::from_ymd_opt(year, month, day));
        hours = years.into_iter().flatten().fold(hours, |hours, holiday| hours.except(holiday, []));
    }
    let office = CalendarChange { name: Some("Office hours".into()), hours: Some(hours) };
    let office = levels.create_calendar(&admin, office).await?.id;
    levels.use_calendar(&admin, Some(office)).await?;

    let target = |hours| Target { time: Duration::hours(hours), hours: Hours::Business };
    let promise =
        |reply, answer| [(Metric::FirstReply, target(reply)), (Metric::NextReply, target(answer))].into();
    let targets = [(Priority::Low, promise(16, 16)), (Priority::Normal, promise(8, 8))];
    let hardware = Conditions { categories: ["Hardware".to_owned()].into(), ..Conditions::default() };
    let policy = PolicyChange {
        name: Some("Hardware in office hours".into()),
        conditions: Some(hardware),
        targets: Some(targets.into()),
        active: None,
    };
    let policy = levels.create_policy(&admin, policy).await?.id;
    levels.reorder_policies(&admin, &[policy]).await
}

/// The help desk as it was at another time, over the same store.
fn at(desk: &Helpdesk, time: DateTime<Utc>) -> Helpdesk {
    let storage = Arc::clone(desk.store().storage());
    Helpdesk::builder().storage(storage).clock(Arc::new(ManualClock::at(time))).build()
}

/// Nobody has answered, so it is late.
async fn late(desk: &Helpdesk, organisation: OrganisationId, when: DateTime<Utc>) -> Result<()> {
    let then = at(desk, when);
    let id = create(desk, &then, organisation, "The projector in room 5 stays dark").await?;
    let coordinator = super::actor(desk, organisation, "coordinator").await?;
    let agent = super::actor(desk, organisation, "agent").await?.user();
    super::tickets::approve(&then, &coordinator, id, Priority::High).await?;
    super::tickets::act(&then, &coordinator, id, Act::Assign { to: agent }).await
}

/// Answered and solved at once.
async fn solved(desk: &Helpdesk, organisation: OrganisationId, when: DateTime<Utc>) -> Result<TicketId> {
    let then = at(desk, when);
    let id = create(desk, &then, organisation, "The calendar shows the wrong week").await?;
    let coordinator = super::actor(desk, organisation, "coordinator").await?;
    super::tickets::approve(&then, &coordinator, id, Priority::Normal).await?;
    let agent = super::actor(desk, organisation, "agent").await?;
    let done = Some(Comment::public("Weeks begin on Monday again."));
    let soon = at(desk, when + Duration::minutes(40));
    super::tickets::act(&soon, &agent, id, Act::Move { to: Status::Resolved, from: None, comment: done })
        .await?;
    Ok(id)
}

/// A ticket of the demo's customer, made by the desk for them.
async fn create(
    desk: &Helpdesk,
    then: &Helpdesk,
    organisation: OrganisationId,
    subject: &str,
) -> Result<TicketId> {
    let requester = super::actor(desk, organisation, "customer").await?.user();
    let new = NewTicket {
        subject: subject.to_owned(),
        description: format!("{subject}. Please have a look."),
        requester,
        category: Some("Software".to_owned()),
        ..NewTicket::default()
    };
    Ok(then.tickets().create(&Actor::system(organisation), new).await?.0.id)
}
