//! What an act on a ticket is to whom. Pure: values in, values out.

use std::collections::{BTreeMap, BTreeSet};

use super::{NotificationKind, Preferences};
use crate::identity::UserId;
use crate::tickets::{Status, Ticket};

/// The most people who are told of one act.
pub(super) const MAX_RECEIVERS: usize = 100;
/// The longest message, in characters.
const MAX_MESSAGE: usize = 500;

/// What somebody is told of, the least first: of one act everybody is told once, of what is most to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum News {
    /// The ticket stands elsewhere.
    Moved,
    /// Something was said.
    Said,
    /// It came to the desk, and nobody has it yet.
    Came,
    /// It came to their group, and nobody has it yet.
    Arrived,
    /// They have the ticket now.
    Given,
    /// They were called by name.
    Called,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    /// Who did it, where it was a person.
    pub by: Option<UserId>,
    /// Who had the ticket afterwards. Whoever has it by the time people are told has not to do with what was before.
    pub assignee: Option<UserId>,
    /// Who was given the ticket.
    pub given: Option<UserId>,
    /// Between which statuses it moved.
    pub moved: Option<(Status, Status)>,
    /// Whether something was said.
    pub said: bool,
    /// Whether that is for the desk alone.
    pub internal: bool,
    /// Who was called by name.
    pub called: &'a [UserId],
    /// The members of the group that the ticket came to.
    pub team: &'a [UserId],
    /// Those who work at the desk and see every ticket, 50 at most, where it came to nobody in particular.
    pub everybody: &'a [UserId],
}

/// Who could be told of what, before it is asked what they may see and want to hear. An internal note is nothing to the
/// requester, whoever that is.
pub(super) fn hearers(ticket: &Ticket, facts: &Facts<'_>) -> BTreeMap<UserId, BTreeSet<News>> {
    let desk: Vec<_> = facts.assignee.into_iter().chain(ticket.followers.iter().copied()).collect();
    let asked = ticket.requester;
    let mut heard = Vec::new();
    if facts.moved.is_some() {
        heard.extend(desk.iter().chain([&asked]).map(|user| (*user, News::Moved)));
    }
    let words = desk.iter().chain([&asked]).filter(|_| facts.said).map(|user| (*user, News::Said));
    let words = words.chain(facts.called.iter().map(|user| (*user, News::Called)));
    heard.extend(words.filter(|(user, _)| !facts.internal || *user != asked));
    heard.extend(facts.everybody.iter().map(|user| (*user, News::Came)));
    heard.extend(facts.team.iter().map(|user| (*user, News::Arrived)));
    heard.extend(facts.given.map(|user| (user, News::Given)));
    let mut hearers: BTreeMap<UserId, BTreeSet<News>> = BTreeMap::new();
    for (user, news) in heard.into_iter().filter(|(user, _)| Some(*user) != facts.by) {
        hearers.entry(user).or_default().insert(news);
    }
    hearers
}

/// What somebody is told: of all that they want to hear of, what is most to them.
pub(super) fn told(news: &BTreeSet<News>, preferences: &Preferences) -> Option<News> {
    news.iter().rev().copied().find(|news| news.wanted(preferences))
}

impl News {
    /// What sort of notification it is.
    pub(super) const fn kind(self) -> NotificationKind {
        match self {
            Self::Moved | Self::Said | Self::Came | Self::Arrived => NotificationKind::TicketUpdated,
            Self::Given => NotificationKind::TicketAssigned,
            Self::Called => NotificationKind::Mention,
        }
    }

    /// Whether somebody wants to hear of it.
    const fn wanted(self, preferences: &Preferences) -> bool {
        match self {
            Self::Moved | Self::Said | Self::Came | Self::Arrived => preferences.ticket_updates,
            Self::Given => preferences.ticket_assignments,
            Self::Called => preferences.mentions,
        }
    }

    /// What it is about, and what happened, for somebody of the desk or not. `None` where they see no difference: those
    /// who ask see a ticket that waits for others as open.
    pub(super) fn words(
        self,
        subject: &str,
        author: &str,
        facts: &Facts<'_>,
        of_the_desk: bool,
    ) -> Option<(&'static str, String)> {
        let seen = |status: Status| if of_the_desk { status } else { status.seen_from_outside() };
        let (title, message) = match self {
            Self::Moved => {
                let (from, to) = facts.moved?;
                let (from, to) = (seen(from), seen(to));
                if from == to {
                    return None;
                }
                ("Ticket updated", format!("{subject} is now {}", to.label()))
            }
            Self::Said if facts.internal => ("New note", format!("{author} added a note to {subject}")),
            Self::Said => ("New comment", format!("{author} commented on {subject}")),
            Self::Came => ("New ticket", format!("{subject} waits for somebody of the desk")),
            Self::Arrived => {
                ("New ticket in your group", format!("{subject} waits for somebody of your group"))
            }
            Self::Given => ("Ticket assigned", format!("{subject} was assigned to you")),
            Self::Called => ("You were mentioned", format!("{author} mentioned you on {subject}")),
        };
        Some((title, shortened(message)))
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::EntityId as _;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    /// Asked by 1, had by 4, followed by 3. It was had by 2 when something happened.
    fn ticket() -> Ticket {
        let mut ticket = Ticket::new(user(1), "Printer", "It burns");
        ticket.assignee = Some(user(4));
        ticket.followers.insert(user(3));
        ticket
    }

    fn heard(facts: &Facts<'_>) -> Vec<(UserId, News)> {
        let hearers = hearers(&ticket(), facts).into_iter();
        hearers.filter_map(|(user, news)| Some((user, told(&news, &Preferences::default())?))).collect()
    }

    #[test]
    fn everybody_hears_once_of_what_is_most_to_them_and_nobody_of_what_they_did() {
        let called = [user(2), user(4)];
        let facts = Facts {
            by: Some(user(3)),
            assignee: Some(user(2)),
            given: Some(user(2)),
            moved: Some((Status::New, Status::Open)),
            said: true,
            called: &called,
            ..Facts::default()
        };
        let expected = [(user(1), News::Said), (user(2), News::Called), (user(4), News::Called)];
        assert_eq!(heard(&facts), expected);
        let facts = Facts { moved: None, said: false, called: &[], ..facts };
        assert_eq!(heard(&facts), [(user(2), News::Given)]);
    }

    #[test]
    fn who_does_not_want_the_most_hears_of_the_next() {
        let news: BTreeSet<_> = [News::Moved, News::Given, News::Called].into();
        let mut wants = Preferences { mentions: false, ..Preferences::default() };
        assert_eq!(told(&news, &wants), Some(News::Given));
        wants.ticket_assignments = false;
        assert_eq!(told(&news, &wants), Some(News::Moved));
        wants.ticket_updates = false;
        assert_eq!(told(&news, &wants), None);
    }

    #[test]
    fn a_note_is_nothing_to_the_requester_even_where_it_calls_them() {
        let called = [user(1)];
        let facts = Facts {
            by: Some(user(9)),
            assignee: Some(user(2)),
            said: true,
            internal: true,
            called: &called,
            ..Facts::default()
        };
        assert_eq!(heard(&facts), [(user(2), News::Said), (user(3), News::Said)]);
        let mut own = ticket();
        own.followers.insert(own.requester);
        assert!(!hearers(&own, &facts).contains_key(&user(1)));
    }

    #[test]
    fn who_asks_sees_a_ticket_on_hold_as_open() {
        let words = |moved, of_the_desk| {
            let facts = Facts { moved: Some(moved), ..Facts::default() };
            News::Moved.words("Printer", "Anna", &facts, of_the_desk).map(|(_, message)| message)
        };
        assert_eq!(words((Status::Open, Status::OnHold), false), None);
        assert_eq!(words((Status::Open, Status::OnHold), true).as_deref(), Some("Printer is now On Hold"));
        assert_eq!(words((Status::Pending, Status::OnHold), false).as_deref(), Some("Printer is now Open"));
    }

    #[test]
    fn what_came_to_nobody_in_particular_is_told_to_everybody_but_who_asked() {
        let everybody = [user(1), user(5), user(6)];
        let facts = Facts { by: Some(user(1)), everybody: &everybody, ..Facts::default() };
        assert_eq!(heard(&facts), [(user(5), News::Came), (user(6), News::Came)]);
    }

    #[test]
    fn a_long_subject_is_cut() {
        let (_, message) = News::Given.words(&"ż".repeat(600), "", &Facts::default(), true).expect("words");
        assert_eq!(message.chars().count(), MAX_MESSAGE + 1);
    }
}
