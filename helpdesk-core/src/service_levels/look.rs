//! Following tickets: after every change, and when time has run out.
//!
//! Every change of a ticket enqueues a look at it, and a look sets a timer for when there is next something to be noticed.
//! Both read what has happened since the last look and write down what came of it. So nothing is lost where two come at
//! the same time, and looking twice changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::assess::{Followup, asks_for_rules, follow, rebuild, told_as_one};
use super::calendar::Calendar;
use super::history::{RETARGETED, Step, promise, reaches_back_to, steps, told};
use super::meter::Turn;
use super::notices;
use super::record::TicketLevels;
use super::rules::{Rules, business_hours};
use crate::actor::Actor;
use crate::error::Result;
use crate::events::{EVENT, Event, EventDraft, HistoryQuery};
use crate::helpdesk::Helpdesk;
use crate::identity::{Organisation, OrganisationId, Promises};
use crate::jobs::{Job, JobDraft, JobError, JobHandler};
use crate::storage::{Changes, EntityId as _, Filter, MAX_PAGE, Query, Scope, Stored, Value};
use crate::tickets::{Ticket, TicketId, audience};

const LOOK: &str = "service_level_look";
const DUE: &str = "service_level_due";
/// How many tickets are looked at in one batch: each writes its record, a few events and a job. Where that is too much for
/// a batch, each is looked at by itself.
const AT_ONCE: usize = 100;
/// How many events are read at a time.
const EVENTS: usize = 100;

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    ticket: TicketId,
}

/// Has a ticket that the batch changes looked at, where its organisation has promised anything.
pub(crate) fn have_looked_at(
    desk: &Helpdesk,
    changes: &mut Changes,
    scope: Scope,
    ticket: TicketId,
    organisation: &Organisation,
) {
    if organisation.settings.promises.any {
        enqueue_look(desk, changes, scope, ticket);
    }
}

/// Has a ticket looked at. One of which a look waits already is looked at once.
pub(super) fn enqueue_look(desk: &Helpdesk, changes: &mut Changes, scope: Scope, ticket: TicketId) {
    let at = changes.at();
    let draft = JobDraft::new(LOOK, format!("{LOOK}:{ticket}"), at, &Subject { ticket });
    changes.enqueue(scope, desk.ids().id(at), draft);
}

fn timer_key(ticket: TicketId) -> String {
    format!("{DUE}:{ticket}")
}

/// Looks at a ticket that has changed.
#[derive(Debug)]
pub(super) struct Look;

/// Looks at a ticket of which there is something to be noticed now.
#[derive(Debug)]
pub(super) struct Due;

#[async_trait]
impl JobHandler for Look {
    fn name(&self) -> &'static str {
        LOOK
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        run(desk, std::slice::from_ref(job), false).await
    }

    fn together(&self) -> usize {
        AT_ONCE
    }

    async fn run_together(&self, desk: &Helpdesk, jobs: &[Job]) -> Result<Changes, JobError> {
        run(desk, jobs, false).await
    }
}

#[async_trait]
impl JobHandler for Due {
    fn name(&self) -> &'static str {
        DUE
    }

    async fn run(&self, desk: &Helpdesk, job: &Job) -> Result<Changes, JobError> {
        run(desk, std::slice::from_ref(job), true).await
    }

    fn together(&self) -> usize {
        AT_ONCE
    }

    async fn run_together(&self, desk: &Helpdesk, jobs: &[Job]) -> Result<Changes, JobError> {
        run(desk, jobs, true).await
    }
}

async fn run(desk: &Helpdesk, jobs: &[Job], timers: bool) -> Result<Changes, JobError> {
    let scope = jobs[0].scope();
    let tickets: Vec<TicketId> =
        jobs.iter().map(|job| job.payload::<Subject>().map(|of| of.ticket)).collect::<Result<_, _>>()?;
    Ok(look(desk, scope, &tickets, timers).await?)
}

/// Follows tickets to the present. Where `timers` is said, their timers are what runs, and are set anew.
async fn look(desk: &Helpdesk, scope: Scope, ids: &[TicketId], timers: bool) -> Result<Changes> {
    let mut changes = desk.changes();
    // What is written comes first: whatever is read after it is no older, and if another look was quicker this one
    // does not get through.
    let known = desk.store().get_map::<TicketLevels>(scope, ids.iter().copied()).await?;
    let organisation = OrganisationId::from_uuid(scope.id().unwrap_or_default());
    let settings = desk.identity().organisation_of(organisation).await?;
    let promises = &settings.settings.promises;
    let tickets = desk.store().get_map::<Ticket>(scope, ids.iter().copied()).await?;
    let business = business_hours(desk, scope, promises).await?;
    let mut looks = Vec::with_capacity(ids.len());
    for id in ids {
        let before = known.get(&id.uuid()).map(|levels| &**levels);
        // Of what was never promised anything nothing is kept.
        let followed = before.is_some() || promises.any;
        // Nothing is followed backwards.
        let seen = before.map_or(0, |levels| levels.followed.version);
        if let Some(ticket) = tickets.get(&id.uuid()).filter(|ticket| followed && ticket.version >= seen) {
            looks.push(Following { ticket, before, steps: Vec::new() });
        }
    }
    read_news(desk, scope, &mut looks).await?;
    let asks = |look: &Following<'_>| look.asks_for_rules(promises);
    let rules = if looks.iter().any(asks) { Rules::load(desk, scope).await? } else { Rules::default() };
    let system = Actor::system(organisation);
    for look in looks {
        look.write(desk, &mut changes, &system, promises, &rules, &business, timers).await?;
    }
    Ok(changes)
}

/// Reads what is new about tickets: at once where that is not too much, else of one after the other.
async fn read_news(desk: &Helpdesk, scope: Scope, looks: &mut [Following<'_>]) -> Result<()> {
    let mut changed: Vec<_> = looks.iter_mut().filter(|look| look.after() < look.ticket.version).collect();
    if changed.len() > 1 {
        let subjects = changed.iter().map(|look| Value::Uuid(look.ticket.id.uuid()));
        let query = Query::new(&EVENT, scope).filter(Filter::one_of("subject", subjects));
        let page = desk.store().storage().find(&query.descending("number").limit(MAX_PAGE)).await?;
        if page.next.is_none() {
            let mut events: HashMap<Uuid, Vec<Event>> = HashMap::new();
            for record in &page.records {
                let event = Event::read(record, None)?;
                events.entry(event.subject).or_default().push(event);
            }
            for look in changed {
                let own = events.remove(&look.ticket.id.uuid()).unwrap_or_default();
                look.steps = steps(&look.ticket.value, look.ticket.version, look.after(), &own);
            }
            return Ok(());
        }
    }
    for look in &mut changed {
        look.steps = news(desk, look.ticket, look.after()).await?;
    }
    Ok(())
}

/// What happened to a ticket after one of its versions.
async fn news(desk: &Helpdesk, ticket: &Stored<Ticket>, after: i64) -> Result<Vec<Step>> {
    let mut events: Vec<Event> = Vec::new();
    let mut cursor = None;
    loop {
        let mut query = HistoryQuery::new(ticket.scope).of::<Ticket>(ticket.id).limit(EVENTS);
        if let Some(cursor) = cursor {
            query = query.after(cursor);
        }
        let page = query.page(desk).await?;
        events.extend(page.events);
        let enough = reaches_back_to(&events).is_some_and(|version| version <= after);
        match page.next.filter(|_| !enough) {
            Some(next) => cursor = Some(next),
            None => return Ok(steps(&ticket.value, ticket.version, after, &events)),
        }
    }
}

/// Makes what is known of a ticket anew from its event log, as it stands at the present.
pub(super) async fn rebuilt(desk: &Helpdesk, ticket: &Stored<Ticket>) -> Result<TicketLevels> {
    let organisation = OrganisationId::from_uuid(ticket.scope.id().unwrap_or_default());
    let settings = desk.identity().organisation_of(organisation).await?;
    let business = business_hours(desk, ticket.scope, &settings.settings.promises).await?;
    let query = || HistoryQuery::new(ticket.scope).of::<Ticket>(ticket.id).limit(EVENTS);
    let mut events: Vec<Event> = Vec::new();
    let mut page = query().page(desk).await?;
    loop {
        events.append(&mut page.events);
        match page.next {
            Some(next) => page = query().after(next).page(desk).await?,
            None => break,
        }
    }
    let steps = steps(&ticket.value, ticket.version, 0, &events);
    let promised = events.iter().rev().filter_map(promise).collect();
    let told = events.iter().rev().flat_map(told).collect();
    Ok(rebuild(ticket, &steps, promised, told, &business, desk.now()))
}

/// A ticket with what is new about it.
struct Following<'a> {
    ticket: &'a Arc<Stored<Ticket>>,
    before: Option<&'a Stored<TicketLevels>>,
    steps: Vec<Step>,
}

impl Following<'_> {
    fn known(&self) -> Option<&TicketLevels> {
        self.before.map(|before| &before.value)
    }

    /// The version of the ticket that was seen last.
    fn after(&self) -> i64 {
        self.before.map_or(0, |levels| levels.followed.version)
    }

    fn asks_for_rules(&self, promises: &Promises) -> bool {
        asks_for_rules(self.known(), &self.steps, promises)
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is read once for many tickets")]
    async fn write(
        &self,
        desk: &Helpdesk,
        changes: &mut Changes,
        system: &Actor,
        promises: &Promises,
        rules: &Rules,
        business: &Calendar,
        timers: bool,
    ) -> Result<()> {
        let (ticket, scope, now) = (self.ticket, self.ticket.scope, changes.at());
        let followup = follow(self.known(), ticket, &self.steps, rules, promises, business, now);
        let Followup { mut levels, promised, news, later, next } = followup;
        self.set_timer(desk, changes, &mut levels, next, timers);
        match self.before {
            Some(before) if before.value == levels => return Ok(()),
            Some(before) => drop(changes.update(before, &levels)),
            None => drop(changes.insert(scope, ticket.id, &levels)),
        }
        let audience = audience(&ticket.value, true);
        let draft = |action| EventDraft::new::<Ticket>(action, ticket.id, ticket.version, audience.clone());
        let event_id = || -> Uuid { desk.ids().id(now) };
        for (fact, policy) in promised {
            let super::follow::Fact::Promised(targets) = &fact.fact else { continue };
            let draft = draft(RETARGETED)
                .with("at", json!(fact.at))
                .with("place", fact.place)
                .with("policy", json!(policy))
                .with("targets", json!(targets));
            changes.event(system, event_id(), draft);
        }
        for told in news.chunk_by(told_as_one) {
            let metrics: Vec<_> = told.iter().map(|entry| entry.metric).collect();
            let draft =
                draft(action(told[0].turn)).with("at", json!(told[0].at)).with("metrics", json!(metrics));
            changes.event(system, event_id(), draft);
        }
        notices::tell(desk, changes, ticket, &levels, &news, &later);
        if !later.is_empty() {
            enqueue_look(desk, changes, scope, ticket.id);
        }
        Ok(())
    }

    /// Sees to it that a timer runs out when there is next something to be noticed. One that runs out before is left as
    /// it is: it finds nothing, and sets the next.
    fn set_timer(
        &self,
        desk: &Helpdesk,
        changes: &mut Changes,
        levels: &mut TicketLevels,
        next: Option<chrono::DateTime<chrono::Utc>>,
        runs: bool,
    ) {
        let (scope, id, now) = (self.ticket.scope, self.ticket.id, changes.at());
        // Never for the present, at which it would run again and again: clocks of servers may differ.
        let next = next.map(|next| next.max(now + chrono::Duration::milliseconds(1)));
        let set = levels.followed.timer.filter(|set| !runs && *set > now);
        match (set, next) {
            (Some(set), Some(next)) if set <= next => return,
            (Some(_), Some(next)) => changes.move_job(scope, timer_key(id), next),
            (Some(_), None) => return,
            (None, Some(next)) if runs => changes.move_job(scope, timer_key(id), next),
            (None, Some(next)) => {
                let draft = JobDraft::new(DUE, timer_key(id), next, &Subject { ticket: id });
                changes.enqueue(scope, desk.ids().id(now), draft);
            }
            (None, None) => {}
        }
        levels.followed.timer = next;
    }
}

/// The acts under which it is written down how a ticket stands with its service levels: the desk's own business.
pub const ACTIONS: [&str; 8] = [
    action(Turn::Activated),
    action(Turn::Paused),
    action(Turn::Resumed),
    action(Turn::Fulfilled),
    action(Turn::Retargeted),
    action(Turn::Warned),
    action(Turn::Breached),
    action(Turn::Dropped),
];

/// What it is called in the event log that something happened to a metric. A change of the promise is told with the
/// promise.
pub(super) const fn action(turn: Turn) -> &'static str {
    match turn {
        Turn::Activated => "service_level.activated",
        Turn::Paused => "service_level.paused",
        Turn::Resumed => "service_level.resumed",
        Turn::Fulfilled => "service_level.fulfilled",
        Turn::Retargeted => RETARGETED,
        Turn::Warned => "service_level.warned",
        Turn::Breached => "service_level.breached",
        Turn::Dropped => "service_level.dropped",
    }
}
