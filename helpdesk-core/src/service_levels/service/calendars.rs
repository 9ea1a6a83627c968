//! Business hours.

use std::sync::Arc;

use super::{HOURS_CHANGED, ServiceLevels, audience, checks};
use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Rejection, Result};
use crate::events::EventDraft;
use crate::identity::permissions;
use crate::service_levels::{BusinessCalendar, Calendar, CalendarId};
use crate::storage::{Changes, EntityId as _, Stored};

/// The most calendars of an organisation.
const MAX_CALENDARS: u64 = 100;

/// What a calendar is to be: what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct CalendarChange {
    /// What it is called; not empty, at most 100 characters.
    pub name: Option<String>,
    /// When the desk is open: at most 12 spans a day, and 400 dates with hours of their own. Default: always.
    pub hours: Option<Calendar>,
}

impl CalendarChange {
    fn check(&self) -> Problems {
        let mut problems = Problems::default();
        if let Some(name) = &self.name {
            checks::name(&mut problems, name);
        }
        if let Some(hours) = &self.hours {
            checks::hours(&mut problems, hours);
        }
        problems
    }
}

impl ServiceLevels {
    /// The calendars, in the order they were made.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.view_sla`.
    pub async fn calendars(&self, actor: &Actor) -> Result<Vec<Arc<Stored<BusinessCalendar>>>> {
        actor.needs(&permissions::ADMIN_VIEW_SLA)?;
        // There are a hundred at most.
        Ok(self.desk.store().select::<BusinessCalendar>(actor.scope()).all().await?)
    }

    /// Makes a calendar. It holds once it is [chosen](Self::use_calendar).
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::Invalid`] with all that is wrong; [`Error::Rejected`]
    /// where there are a hundred already.
    pub async fn create_calendar(
        &self,
        actor: &Actor,
        new: CalendarChange,
    ) -> Result<Stored<BusinessCalendar>> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        let mut problems = new.check();
        if new.name.is_none() {
            problems.add("name", Problem::Required);
        }
        problems.into_result()?;
        if self.desk.store().select::<BusinessCalendar>(actor.scope()).count().await? >= MAX_CALENDARS {
            return Err(Error::Rejected(Rejection::Limit { limit: MAX_CALENDARS, what: "calendars" }));
        }
        let mut changes = self.desk.changes();
        let at = changes.at();
        let id = CalendarId::from_uuid(self.desk.ids().id(at));
        let calendar = BusinessCalendar {
            name: new.name.unwrap_or_default(),
            hours: new.hours.unwrap_or_else(Calendar::always),
            ext: serde_json::Map::new(),
        };
        let slot = changes.insert(actor.scope(), id, &calendar);
        self.tell_hours(&mut changes, actor, id, 1, "created");
        let committed = self.desk.commit(changes).await?;
        Ok(Stored::inserted(actor.scope(), id, at, committed.written(slot), calendar))
    }

    /// Changes a calendar. Where it is the organisation's, what has passed on open tickets is measured anew; what was written
    /// down of them stays.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::NotFound`]; [`Error::Invalid`] with all that is wrong.
    pub async fn update_calendar(
        &self,
        actor: &Actor,
        id: CalendarId,
        change: CalendarChange,
    ) -> Result<Stored<BusinessCalendar>> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        change.check().into_result()?;
        let change = &change;
        let ((before, slot, at, calendar), committed) = self
            .desk
            .decide(|| async move {
                let before = self.calendar(actor, id).await?;
                let organisation = self.organisation(actor).await?;
                let mut calendar = before.value.clone();
                let CalendarChange { name, hours } = change.clone();
                calendar.name = name.unwrap_or(calendar.name);
                calendar.hours = hours.unwrap_or(calendar.hours);
                let mut changes = self.desk.changes();
                let at = changes.at();
                let slot = changes.update(&before, &calendar);
                self.tell_hours(&mut changes, actor, id, before.version + 1, "updated");
                let promises = &organisation.settings.promises;
                if promises.calendar == Some(id) {
                    self.rules_change(&mut changes, &organisation, actor, promises.any, Some(id));
                } else {
                    // Nobody chooses it just then.
                    changes.require(&organisation);
                }
                Ok((changes, (before, slot, at, calendar)))
            })
            .await?;
        Ok(before.replaced(at, committed.written(slot), calendar))
    }

    /// Deletes a calendar. Where it was the organisation's, the desk is always open from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::NotFound`].
    pub async fn delete_calendar(&self, actor: &Actor, id: CalendarId) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        self.desk
            .decide(|| async move {
                let before = self.calendar(actor, id).await?;
                let organisation = self.organisation(actor).await?;
                let mut changes = self.desk.changes();
                changes.delete(&before);
                self.tell_hours(&mut changes, actor, id, before.version, "deleted");
                let promises = &organisation.settings.promises;
                if promises.calendar == Some(id) {
                    self.rules_change(&mut changes, &organisation, actor, promises.any, None);
                } else {
                    changes.require(&organisation);
                }
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    /// Chooses the calendar of the organisation's business hours; none, for a desk that is always open.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `admin.manage_sla`; [`Error::Invalid`] for `calendar` where there is no such.
    pub async fn use_calendar(&self, actor: &Actor, id: Option<CalendarId>) -> Result<()> {
        actor.needs(&permissions::ADMIN_MANAGE_SLA)?;
        self.desk
            .decide(|| async move {
                let organisation = self.organisation(actor).await?;
                let mut changes = self.desk.changes();
                if let Some(id) = id {
                    let calendar = self.calendar(actor, id).await;
                    let calendar =
                        calendar.map_err(|_| Error::invalid("calendar", Problem::Unknown("calendar")))?;
                    changes.require(&calendar);
                    self.tell_hours(&mut changes, actor, id, calendar.version, "chosen");
                }
                let promises = &organisation.settings.promises;
                if promises.calendar == id {
                    return Ok((self.desk.changes(), ()));
                }
                self.rules_change(&mut changes, &organisation, actor, promises.any, id);
                Ok((changes, ()))
            })
            .await?;
        Ok(())
    }

    async fn calendar(&self, actor: &Actor, id: CalendarId) -> Result<Arc<Stored<BusinessCalendar>>> {
        let found = self.desk.store().get::<BusinessCalendar>(actor.scope(), id).await?;
        found.ok_or(Error::NotFound { what: "calendar" })
    }

    fn tell_hours(&self, changes: &mut Changes, actor: &Actor, id: CalendarId, version: i64, change: &str) {
        let draft = EventDraft::new::<BusinessCalendar>(HOURS_CHANGED, id, version, audience())
            .with("change", change);
        changes.event(actor, self.desk.ids().id(changes.at()), draft);
    }
}
