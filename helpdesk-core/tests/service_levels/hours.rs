//! Business hours that change: what was decided stays, and nothing is told twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use helpdesk_core::Result;
use helpdesk_core::service_levels::{Calendar, CalendarChange, CalendarId, Metric, Outcome, Span};
use helpdesk_core::tickets::{Act, Edit, Status, TicketId};

use crate::support::World;
use crate::support::between::Between;

/// A desk that is open from nine to ten on workdays, and promises to be done within two hours of that.
async fn open_an_hour_a_day() -> Result<(World, CalendarId)> {
    let world = World::that_promises_two_open_hours().await?;
    let (system, levels) = (world.system(), world.desk.service_levels());
    let new = CalendarChange { name: Some("Office".to_owned()), hours: Some(an_hour_a_day()) };
    let calendar = levels.create_calendar(&system, new).await?.id;
    levels.use_calendar(&system, Some(calendar)).await?;
    world.run().await;
    Ok((world, calendar))
}

fn an_hour_a_day() -> Calendar {
    Calendar::new(chrono_tz::UTC).on_workdays(Span::hours((9, 0), (10, 0)).expect("a span"))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

impl World {
    async fn opens(&self, calendar: CalendarId, hours: Calendar) {
        let change = CalendarChange { hours: Some(hours), name: None };
        let service = self.desk.service_levels();
        service.update_calendar(&self.system(), calendar, change).await.expect("changed");
        self.run().await;
    }

    /// Changes something about a ticket that has nothing to do with promises, and looks at it.
    async fn touch(&self, id: TicketId) {
        let tags = Some(BTreeSet::from([self.desk.now().to_string()]));
        self.act(&self.system(), id, Act::Edit(Edit { tags, ..Edit::default() })).await;
        self.run().await;
    }

    /// How often it was told that a time was over, and that it soon would be.
    async fn alarms(&self, id: TicketId) -> (usize, usize) {
        let told = self.told(id).await;
        let count = |turn: &str| told.iter().filter(|(told, ..)| told == turn).count();
        (count("breached"), count("warned"))
    }

    async fn is_as_the_log_says(&self, id: TicketId) -> Result<()> {
        let (record, rebuilt) =
            (self.levels(id).await, self.desk.service_levels().rebuilt(&self.system(), id).await?);
        assert_eq!(record.standings, rebuilt.standings);
        assert_eq!((record.outcome, record.settled), (rebuilt.outcome, rebuilt.settled));
        assert_eq!(record.followed.told, rebuilt.followed.told);
        Ok(())
    }
}

#[tokio::test]
async fn what_was_solved_in_time_stays_so_when_the_desk_is_open_longer() -> Result<()> {
    let (world, calendar) = open_an_hour_a_day().await?;
    let ada = world.actor("ada", "customer").await;
    // A Wednesday, nine o'clock.
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(180).await;
    world.bring(id, Status::Resolved).await;
    world.run().await;
    let (levels, told) = (world.levels(id).await, world.told(id).await);
    assert_eq!(levels.outcome, Some(Outcome::Kept));
    world.opens(calendar, Calendar::always()).await;
    world.touch(id).await;
    let after = world.levels(id).await;
    assert_eq!((after.outcome, after.settled), (levels.outcome, levels.settled));
    assert_eq!(after.standings, levels.standings);
    assert_eq!(world.told(id).await, told);
    world.is_as_the_log_says(id).await
}

#[tokio::test]
async fn what_was_late_stays_late_since_then_and_is_told_once() -> Result<()> {
    let (world, calendar) = open_an_hour_a_day().await?;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    // Thursday, eleven o'clock.
    world.pass(26 * 60).await;
    let late = Some(at("2025-01-16T10:00:00Z"));
    let levels = world.levels(id).await;
    assert_eq!((levels.settled, levels.overdue), (late, true));
    // The time would have been over on Wednesday, or would not be over yet.
    for hours in [Calendar::always(), an_hour_a_day().except("2025-01-16".parse().expect("a date"), [])] {
        world.opens(calendar, hours).await;
        world.pass(60).await;
        let levels = world.levels(id).await;
        assert_eq!((levels.settled, levels.outcome, levels.overdue), (late, Some(Outcome::Broken), true));
        assert_eq!(world.standing(id, Metric::TotalResolution).await.breached, late);
        assert_eq!(world.alarms(id).await, (1, 1));
    }
    world.pass(10_000).await;
    assert_eq!(world.alarms(id).await, (1, 1));
    world.is_as_the_log_says(id).await
}

#[tokio::test]
async fn hours_that_are_chosen_while_they_are_changed_count_as_changed() -> Result<()> {
    for delete in [false, true] {
        let storage = Arc::new(Between::new());
        let own = Arc::clone(&storage);
        let world = World::promising(|builder| builder.storage(own)).await;
        let (system, levels) = (world.system(), world.desk.service_levels());
        let new = CalendarChange { name: Some("Office".to_owned()), hours: Some(an_hour_a_day()) };
        let calendar = levels.create_calendar(&system, new).await?.id;
        let revision = async || {
            world
                .desk
                .identity()
                .organisation(&system)
                .await
                .map(|it| (it.settings.promises.revision, it.settings.promises.calendar))
        };
        assert_eq!(revision().await?, (1, None));
        let (desk, chooser) = (world.desk.clone(), system.clone());
        storage.after_reading("organisation", async move {
            desk.service_levels().use_calendar(&chooser, Some(calendar)).await.expect("chosen");
        });
        if delete {
            levels.delete_calendar(&system, calendar).await?;
        } else {
            let change = CalendarChange { hours: Some(Calendar::always()), name: None };
            levels.update_calendar(&system, calendar, change).await?;
        }
        assert!(storage.happened());
        assert_eq!(revision().await?, (3, (!delete).then_some(calendar)));
    }
    Ok(())
}

#[tokio::test]
async fn a_warning_is_given_once_however_the_hours_change() -> Result<()> {
    let (world, calendar) = open_an_hour_a_day().await?;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    // Thursday, ten minutes to ten.
    world.pass(24 * 60 + 50).await;
    assert_eq!(world.alarms(id).await, (0, 1));
    world.opens(calendar, an_hour_a_day().except("2025-01-16".parse().expect("a date"), [])).await;
    let friday = Some(at("2025-01-17T10:00:00Z"));
    assert_eq!(world.standing(id, Metric::TotalResolution).await.due, friday);
    world.pass(24 * 60).await;
    assert_eq!(world.alarms(id).await, (0, 1));
    world.pass(60).await;
    assert_eq!(world.alarms(id).await, (1, 1));
    assert_eq!(world.levels(id).await.settled, friday);
    world.is_as_the_log_says(id).await
}
