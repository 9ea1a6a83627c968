//! What the event log of a ticket says about promises.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::follow::{Fact, Happened, Targets};
use super::look::{ACTIONS, action};
use super::meter::{Entry, Turn};
use super::metric::Metric;
use super::policy::{PolicyId, Traits};
use crate::events::{Event, FieldChange};
use crate::storage::Entity as _;
use crate::tickets::{Status, Ticket};

/// The act under which it is written down what is promised.
pub(super) const RETARGETED: &str = "service_level.retargeted";

/// Who said something in public on a ticket, as its events tell: the key of an event's data.
pub(crate) const REPLY: &str = "reply";
/// Somebody of the desk did.
pub(crate) const BY_DESK: &str = "desk";
/// The requester did.
pub(crate) const BY_REQUESTER: &str = "requester";

/// A change of a ticket, as far as promises go.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub at: DateTime<Utc>,
    /// The ticket's version after it.
    pub version: i64,
    pub facts: Vec<Fact>,
    /// What policies ask of the ticket, before it and after it.
    pub was: Traits,
    pub traits: Traits,
    /// Whether that, or whether the ticket waits for somebody at all, is another than before.
    pub asks_anew: bool,
    /// Whether the ticket waits for somebody, after it.
    pub waits: bool,
}

/// The changes of a ticket after one of its versions, oldest first. `events` are the newest of its log, newest first,
/// and reach back at least to that version.
pub(super) fn steps(ticket: &Ticket, version: i64, after: i64, events: &[Event]) -> Vec<Step> {
    // From the ticket as it is now backwards: an event says what each field was before.
    let mut traits = Traits::from(ticket);
    let mut status = ticket.state.status();
    let mut steps = Vec::new();
    for event in own(events).filter(|event| event.detail.version <= version) {
        if event.detail.version <= after {
            break;
        }
        let now = (traits.clone(), status);
        let mut facts = Vec::new();
        for change in &event.detail.changes {
            undo(change, &mut traits, &mut status, &mut facts);
        }
        let waits = now.1.waits();
        match event.detail.data.get(REPLY).and_then(Json::as_str) {
            Some(BY_DESK) => facts.push(Fact::DeskReplied),
            // Words with which somebody agrees that it is done ask for nothing.
            Some(BY_REQUESTER) if waits => facts.push(Fact::RequesterReplied),
            _ => {}
        }
        let made = facts.iter().any(|fact| matches!(fact, Fact::Created(_)));
        steps.push(Step {
            at: event.at,
            version: event.detail.version,
            facts,
            asks_anew: made || now.0 != traits || waits != status.waits(),
            was: traits.clone(),
            traits: now.0,
            waits,
        });
    }
    steps.reverse();
    steps
}

/// The events of the ticket itself, without those about its service levels.
fn own(events: &[Event]) -> impl Iterator<Item = &Event> {
    events
        .iter()
        .filter(|event| event.subject_kind == Ticket::SPEC.name && !ACTIONS.contains(&&*event.action))
}

/// The lowest version among the events of the ticket itself.
pub(super) fn reaches_back_to(events: &[Event]) -> Option<i64> {
    own(events).map(|event| event.detail.version).min()
}

/// Takes a change back, and tells what it was.
fn undo(change: &FieldChange, traits: &mut Traits, status: &mut Status, facts: &mut Vec<Fact>) {
    match &*change.field {
        "status" => {
            let to = read(&change.to).unwrap_or(*status);
            match read(&change.from) {
                Some(from) => {
                    facts.insert(0, Fact::Moved(to));
                    *status = from;
                }
                None => facts.insert(0, Fact::Created(to)),
            }
        }
        "deleted" => {
            facts.push(if change.to == Json::Bool(true) { Fact::Deleted } else { Fact::Restored });
        }
        "priority" => traits.priority = read(&change.from),
        "kind" => traits.kind = read(&change.from),
        "group" => traits.group = read(&change.from),
        "category" => traits.category = read(&change.from),
        "department" => traits.department = read(&change.from),
        "tags" => traits.tags = read(&change.from).unwrap_or_default(),
        _ => {}
    }
}

fn read<T: DeserializeOwned>(value: &Json) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// The place of a fact in a ticket's history: after what came to a version before it.
pub(super) const fn place(version: i64, nth: i64) -> i64 {
    version * 8 + nth
}

/// The place of what was promised at a version: after everything else.
pub(super) const LAST: i64 = 7;

/// What was promised, as it was written down.
pub(super) fn promise(event: &Event) -> Option<(Happened, Option<PolicyId>)> {
    if event.action != RETARGETED {
        return None;
    }
    let of = |key: &str| event.detail.data.get(key).cloned().unwrap_or_default();
    let targets: Targets = serde_json::from_value(of("targets")).ok()?;
    let at = serde_json::from_value(of("at")).ok()?;
    let place = of("place").as_i64()?;
    Some((Happened { at, place, fact: Fact::Promised(targets) }, read(&of("policy"))))
}

/// What was written down of the metrics of a ticket.
pub(super) fn told(event: &Event) -> Vec<Entry> {
    const TURNS: [Turn; 7] = [
        Turn::Activated,
        Turn::Paused,
        Turn::Resumed,
        Turn::Fulfilled,
        Turn::Warned,
        Turn::Breached,
        Turn::Dropped,
    ];
    let Some(turn) = TURNS.into_iter().find(|turn| action(*turn) == event.action) else { return Vec::new() };
    let of = |key: &str| event.detail.data.get(key).cloned().unwrap_or_default();
    let Some(at) = read(&of("at")) else { return Vec::new() };
    let metrics: Vec<Metric> = read(&of("metrics")).unwrap_or_default();
    metrics.into_iter().map(|metric| Entry { at, metric, turn }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Audience, Detail};
    use crate::identity::UserId;
    use crate::storage::EntityId as _;
    use crate::tickets::{Priority, State};
    use serde_json::json;
    use uuid::Uuid;

    fn event(version: i64, changes: &[(&'static str, Json, Json)], reply: Option<&str>) -> Event {
        let changes =
            changes.iter().cloned().map(|(field, from, to)| FieldChange { field: field.into(), from, to });
        Event {
            id: Uuid::nil(),
            position: None,
            organisation: None,
            at: DateTime::from_timestamp(version * 60, 0).expect("an instant"),
            action: "ticket.changed".to_owned(),
            subject_kind: "ticket".to_owned(),
            subject: Uuid::nil(),
            detail: Detail {
                actor: crate::Who::System,
                via: "system".to_owned(),
                batch: Uuid::nil(),
                version,
                changes: changes.collect(),
                audience: Audience::default(),
                reason: None,
                data: reply.map(|reply| (REPLY.to_owned(), json!(reply))).into_iter().collect(),
            },
        }
    }

    /// A ticket that was let in, answered, solved and agreed to.
    fn story() -> (Ticket, Vec<Event>) {
        let mut ticket = Ticket::new(UserId::from_uuid(Uuid::nil()), "a", "b");
        ticket.state = State::Closed { at: DateTime::UNIX_EPOCH };
        ticket.priority = Some(Priority::High);
        let mut events = vec![
            event(1, &[("status", Json::Null, json!("new"))], None),
            event(
                2,
                &[("status", json!("new"), json!("open")), ("priority", Json::Null, json!("high"))],
                None,
            ),
            event(3, &[("status", json!("open"), json!("pending"))], Some(BY_DESK)),
            event(4, &[("status", json!("pending"), json!("open"))], Some(BY_REQUESTER)),
            event(5, &[("status", json!("open"), json!("resolved"))], None),
            event(6, &[("status", json!("resolved"), json!("closed"))], Some(BY_REQUESTER)),
        ];
        events.reverse();
        (ticket, events)
    }

    #[test]
    fn a_history_is_told_forwards_with_what_the_ticket_was_then() {
        let (ticket, events) = story();
        let steps = steps(&ticket, 6, 0, &events);
        let facts: Vec<_> = steps.iter().flat_map(|step| step.facts.clone()).collect();
        let expected = [
            Fact::Created(Status::New),
            Fact::Moved(Status::Open),
            Fact::Moved(Status::Pending),
            Fact::DeskReplied,
            Fact::Moved(Status::Open),
            Fact::RequesterReplied,
            Fact::Moved(Status::Resolved),
            // What is said with the agreement asks for nothing.
            Fact::Moved(Status::Closed),
        ];
        assert_eq!(facts, expected);
        let priorities: Vec<_> = steps.iter().map(|step| step.traits.priority).collect();
        assert_eq!(priorities[..2], [None, Some(Priority::High)]);
        let anew: Vec<_> = steps.iter().map(|step| step.asks_anew).collect();
        assert_eq!(anew, [true, true, false, false, true, false]);
    }

    #[test]
    fn only_what_is_new_is_told() {
        let (ticket, events) = story();
        let all = steps(&ticket, 6, 0, &events);
        assert_eq!(steps(&ticket, 6, 4, &events), all[4..]);
        // What came after the ticket was read is for the next time.
        let mut before = ticket;
        before.state = State::Resolved { at: DateTime::UNIX_EPOCH };
        assert_eq!(steps(&before, 5, 4, &events), all[4..5]);
        assert_eq!(reaches_back_to(&events[..2]), Some(5));
    }
}
