//! A ticket that is sent back as somebody read it, with changes.

use serde_json::Value as Json;

use super::{Act, Edit};
use crate::groups::GroupId;
use crate::identity::UserId;
use crate::tickets::status::{Category, Status};
use crate::tickets::ticket::{Priority, Ticket, TicketKind};

/// What somebody wants a ticket to be: what is `None` stays, and what is as it was asks for nothing, so that whoever
/// sends back all that they read needs no leave but for what they changed.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// Where it stands.
    pub status: Option<Status>,
    /// Who has it, or nobody.
    pub assignee: Option<Option<UserId>>,
    /// Which group has it, or none.
    pub group: Option<Option<GroupId>>,
    /// What is known of it.
    pub edit: Edit,
    /// Whether it comes by a door that has fewer words than the desk: there a ticket is shown as open that is in progress,
    /// as of normal priority where nobody has said how urgent it is, and as a question where nobody has said of what sort.
    pub plain: bool,
}

impl Revision {
    /// Whether it asks for nothing, whatever the ticket is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.assignee.is_none() && self.group.is_none() && self.edit.is_empty()
    }

    /// What is to be done to a ticket, for somebody of the desk or not, in the order in which it is decided: what is moved
    /// to an end is changed before that, what is taken up or opened again is changed after. What has ended is left as it
    /// is by nothing, so that the act says that it has.
    pub(in crate::tickets) fn acts(&self, ticket: &Ticket, of_the_desk: bool) -> Vec<Act> {
        let status = ticket.state.status();
        let over = ticket.deleted.is_some() || status.category() == Category::Ended;
        let shown = if of_the_desk { status } else { status.seen_from_outside() };
        let shown = if self.plain && shown == Status::InProgress { Status::Open } else { shown };
        let to = self.status.filter(|to| over || (*to != status && *to != shown));
        let assignee = self.assignee.filter(|to| over || *to != ticket.assignee);
        let group = self.group.filter(|to| over || *to != ticket.group);
        let mut edit = if over { self.edit.clone() } else { self.edit.clone().beyond(ticket) };
        if self.plain && !over {
            edit.priority.take_if(|to| ticket.priority.is_none() && *to == Some(Priority::Normal));
            edit.kind.take_if(|to| ticket.kind.is_none() && *to == Some(TicketKind::Question));
        }

        let is_end =
            |to: Status| matches!(to.category(), Category::Solved | Category::Closed | Category::Ended);
        let ends = to.is_some_and(is_end);
        let moved = |when: bool| to.filter(|_| when).map(|to| Act::Move { to, from: None, comment: None });
        let route = (assignee.is_some() || group.is_some()).then_some(Act::Route { assignee, group });
        let edit = (!edit.is_empty()).then_some(Act::Edit(edit));
        moved(!ends).into_iter().chain(route).chain(edit).chain(moved(ends)).collect()
    }
}

/// What is to be done to a ticket.
#[derive(Clone, Debug)]
pub enum Asked {
    /// These acts, one after another.
    Acts(Vec<Act>),
    /// What makes it what somebody wants it to be.
    Revision(Box<Revision>),
}

impl Asked {
    /// The acts on a ticket, for somebody of the desk or not.
    pub(in crate::tickets) fn acts(&self, ticket: &Ticket, of_the_desk: bool) -> Vec<Act> {
        match self {
            Self::Acts(acts) => acts.clone(),
            Self::Revision(revision) => revision.acts(ticket, of_the_desk),
        }
    }
}

impl From<Vec<Act>> for Asked {
    fn from(acts: Vec<Act>) -> Self {
        Self::Acts(acts)
    }
}

impl From<Revision> for Asked {
    fn from(revision: Revision) -> Self {
        Self::Revision(Box::new(revision))
    }
}

impl Edit {
    /// What of it is otherwise than on a ticket.
    fn beyond(self, ticket: &Ticket) -> Self {
        fn other<T: PartialEq>(new: Option<T>, now: &T) -> Option<T> {
            new.filter(|new| new != now)
        }
        let mut fields = self.fields;
        fields.retain(|key, value| ticket.fields.get(key).unwrap_or(&Json::Null) != value);
        Self {
            subject: other(self.subject, &ticket.subject),
            description: other(self.description, &ticket.description),
            priority: other(self.priority, &ticket.priority),
            kind: other(self.kind, &ticket.kind),
            category: other(self.category, &ticket.category),
            subcategory: other(self.subcategory, &ticket.subcategory),
            department: other(self.department, &ticket.department),
            scheduled_for: other(self.scheduled_for, &ticket.scheduled_for),
            tags: other(self.tags, &ticket.tags),
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::storage::EntityId as _;
    use crate::tickets::ticket::State;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    fn ticket(state: State) -> Ticket {
        let mut ticket = Ticket::new(user(1), "Printer", "It burns");
        ticket.state = state;
        ticket.assignee = Some(user(2));
        ticket.priority = Some(Priority::High);
        ticket.kind = Some(TicketKind::Incident);
        ticket.tags = ["fire".to_owned()].into();
        ticket.fields.insert("floor".to_owned(), 3.into());
        ticket
    }

    /// All that can be sent back of a ticket.
    fn of(ticket: &Ticket) -> Revision {
        Revision {
            status: Some(ticket.state.status()),
            assignee: Some(ticket.assignee),
            group: Some(ticket.group),
            edit: Edit {
                subject: Some(ticket.subject.clone()),
                description: Some(ticket.description.clone()),
                priority: Some(ticket.priority),
                kind: Some(ticket.kind),
                tags: Some(ticket.tags.clone()),
                fields: ticket.fields.clone().into_iter().chain([("room".to_owned(), Json::Null)]).collect(),
                ..Edit::default()
            },
            plain: false,
        }
    }

    fn names(acts: &[Act]) -> Vec<String> {
        let name = |act: &Act| match act {
            Act::Move { to, .. } => format!("move to {}", to.name()),
            Act::Route { assignee, group } => {
                format!("route {}{}", u8::from(assignee.is_some()), u8::from(group.is_some()))
            }
            Act::Edit(_) => "edit".to_owned(),
            other => format!("{other:?}"),
        };
        acts.iter().map(name).collect()
    }

    #[test]
    fn what_is_as_it_was_asks_for_nothing() {
        let open = ticket(State::Open);
        let mut revision = of(&open);
        assert!(revision.acts(&open, true).is_empty());
        revision.edit.subject = Some("Printer on fire".to_owned());
        let acts = revision.acts(&open, true);
        let [Act::Edit(edit)] = &acts[..] else { panic!("{acts:?}") };
        assert_eq!(edit.subject.as_deref(), Some("Printer on fire"));
        assert!(Edit { subject: None, ..edit.clone() }.is_empty(), "{edit:?}");
    }

    #[test]
    fn who_is_outside_sends_back_what_they_were_shown() {
        let held = ticket(State::OnHold);
        let shown = Revision { status: Some(Status::Open), ..Revision::default() };
        assert!(shown.acts(&held, false).is_empty());
        assert_eq!(names(&shown.acts(&held, true)), ["move to open"]);
    }

    #[test]
    fn a_door_with_fewer_words_means_what_it_has_no_word_for() {
        let mut begun = ticket(State::InProgress);
        (begun.priority, begun.kind) = (None, None);
        let edit = |priority, kind| Edit {
            priority: Some(Some(priority)),
            kind: Some(Some(kind)),
            ..Edit::default()
        };
        let sent = |plain, edit| Revision { status: Some(Status::Open), edit, plain, ..Revision::default() };
        let as_shown = edit(Priority::Normal, TicketKind::Question);
        assert!(sent(true, as_shown.clone()).acts(&begun, true).is_empty());
        assert_eq!(names(&sent(false, as_shown).acts(&begun, true)), ["move to open", "edit"]);
        let changed = edit(Priority::High, TicketKind::Question);
        let acts = sent(true, changed).acts(&begun, false);
        let [Act::Edit(edit)] = &acts[..] else { panic!("{acts:?}") };
        assert_eq!((edit.priority, edit.kind), (Some(Some(Priority::High)), None));
    }

    #[test]
    fn what_has_ended_says_so_whatever_is_sent() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let spam = ticket(State::Spam { at });
        assert_eq!(names(&of(&spam).acts(&spam, true)), ["route 11", "edit", "move to spam"]);
    }

    #[test]
    fn a_ticket_is_opened_before_it_is_changed_and_ended_after() {
        let pending = ticket(State::Pending);
        let wanted = |status| Revision {
            status: Some(status),
            assignee: Some(None),
            edit: Edit { subject: Some("Ink".to_owned()), ..Edit::default() },
            ..Revision::default()
        };
        let acts = |status| names(&wanted(status).acts(&pending, true));
        assert_eq!(acts(Status::Open), ["move to open", "route 10", "edit"]);
        assert_eq!(acts(Status::Resolved), ["route 10", "edit", "move to resolved"]);
        assert_eq!(acts(Status::Closed), ["route 10", "edit", "move to closed"]);
        assert_eq!(acts(Status::Spam), ["route 10", "edit", "move to spam"]);
    }
}
