//! The document's words, and what they stand for.

use chrono::Duration;
use helpdesk_core::events::Event;
use helpdesk_core::identity::{Availability, Permissions, User, permissions};
use helpdesk_core::insight::{ReportFormat, ReportKind, Step};
use helpdesk_core::tickets::{Priority, Status, StatusSet, TicketKind};

use crate::input::Choices;

/// The statuses that somebody may ask for. `new` is where a ticket begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statuses;

impl Choices for Statuses {
    type Value = Status;

    const WORDS: &'static [(&'static str, Status)] = &[
        ("new", Status::New),
        ("open", Status::Open),
        ("pending", Status::Pending),
        ("hold", Status::OnHold),
        ("solved", Status::Resolved),
        ("closed", Status::Closed),
    ];
}

/// The statuses as lists are filtered by them: all that go by the word.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusFilter;

impl Choices for StatusFilter {
    type Value = StatusSet;

    const WORDS: &'static [(&'static str, StatusSet)] = &[
        ("new", StatusSet::of(&[Status::New])),
        ("open", StatusSet::of(&[Status::Open, Status::InProgress])),
        ("pending", StatusSet::of(&[Status::Pending])),
        ("hold", StatusSet::of(&[Status::OnHold])),
        ("solved", StatusSet::of(&[Status::Resolved])),
        (
            "closed",
            StatusSet::of(&[
                Status::Closed,
                Status::Rejected,
                Status::Withdrawn,
                Status::Merged,
                Status::Spam,
            ]),
        ),
    ];
}

/// The word for a status. Those who ask see a ticket that waits for others as open.
pub(super) fn status(status: Status, of_the_desk: bool) -> &'static str {
    let status = if of_the_desk { status } else { status.seen_from_outside() };
    StatusFilter::WORDS.iter().find(|(_, set)| set.has(status)).map_or("closed", |(word, _)| word)
}

/// The statuses that somebody sees as the word of a filter, so that what is found by a word also shows it: whoever sees
/// a ticket that waits for others as open finds it among the open ones, and learns nothing by asking for the others.
pub(super) fn statuses(filter: StatusSet, of_the_desk: bool) -> StatusSet {
    if of_the_desk {
        filter
    } else if filter.has(Status::Open) {
        filter.with(Status::OnHold)
    } else {
        filter.without(Status::OnHold)
    }
}

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priorities;

impl Choices for Priorities {
    type Value = Priority;

    const WORDS: &'static [(&'static str, Priority)] = &[
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("high", Priority::High),
        ("urgent", Priority::Urgent),
    ];
}

/// The word for a priority; a ticket that has none yet is as urgent as usual.
pub(super) fn priority(priority: Option<Priority>) -> &'static str {
    word::<Priorities>(priority.unwrap_or(Priority::Normal))
}

/// What sort of request a ticket is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds;

impl Choices for Kinds {
    type Value = TicketKind;

    const WORDS: &'static [(&'static str, TicketKind)] = &[
        ("question", TicketKind::Question),
        ("incident", TicketKind::Incident),
        ("problem", TicketKind::Problem),
        ("task", TicketKind::Task),
    ];
}

/// The word for a sort of request; one that nobody has sorted is a question.
pub(super) fn kind(kind: Option<TicketKind>) -> &'static str {
    word::<Kinds>(kind.unwrap_or(TicketKind::Question))
}

/// How a ticket came in, by the name of the door.
pub(super) fn channel(via: &str) -> &'static str {
    match via {
        "email" => "email",
        "chat" => "chat",
        _ => "web",
    }
}

/// Whether an agent is there to work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Availabilities;

impl Choices for Availabilities {
    type Value = Availability;

    const WORDS: &'static [(&'static str, Availability)] = &[
        ("online", Availability::Online),
        ("busy", Availability::Busy),
        ("away", Availability::Away),
        ("offline", Availability::Offline),
    ];
}

/// The same as lists are filtered by it; nothing stands for those whose accounts are off.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgentStatuses;

impl Choices for AgentStatuses {
    type Value = Option<Availability>;

    const WORDS: &'static [(&'static str, Option<Availability>)] = &[
        ("online", Some(Availability::Online)),
        ("busy", Some(Availability::Busy)),
        ("away", Some(Availability::Away)),
        ("offline", Some(Availability::Offline)),
        ("inactive", None),
    ];
}

/// The word for whether an agent is there to work.
pub(super) fn agent_status(user: &User) -> &'static str {
    word::<AgentStatuses>(Some(user.availability).filter(|_| user.state.is_active()))
}

/// What becomes of a reply on a closed ticket.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyPolicies;

/// A policy, before it is known how many days it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyPolicy {
    Reopen,
    FollowUp,
    ReopenWithin,
}

impl Choices for ReplyPolicies {
    type Value = ReplyPolicy;

    const WORDS: &'static [(&'static str, ReplyPolicy)] = &[
        ("reopen", ReplyPolicy::Reopen),
        ("follow_up", ReplyPolicy::FollowUp),
        ("reopen_within", ReplyPolicy::ReopenWithin),
    ];
}

/// The word for a policy.
pub(super) fn reply_policy(policy: ReplyPolicy) -> &'static str {
    word::<ReplyPolicies>(policy)
}

/// The roles that agents can be given; the words are those of the help desk.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgentRoles;

impl Choices for AgentRoles {
    type Value = &'static str;

    const WORDS: &'static [(&'static str, &'static str)] =
        &[("agent", "agent"), ("senior_agent", "senior_agent"), ("team_lead", "team_lead")];
}

/// The words for roles that an agent is shown with.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownRoles;

impl Choices for ShownRoles {
    type Value = &'static str;

    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("agent", "agent"),
        ("senior_agent", "senior_agent"),
        ("team_lead", "team_lead"),
        ("admin", "admin"),
    ];
}

/// What somebody is called here who may do all this.
pub(super) fn role(may: &Permissions) -> &'static str {
    if may.contains(&permissions::ADMIN_MANAGE_USERS) {
        "admin"
    } else if may.contains(&permissions::TICKET_ASSIGN_ANY) {
        "team_lead"
    } else if may.contains(&permissions::TICKET_REOPEN) {
        "senior_agent"
    } else if may.contains(&permissions::QUEUE_ACCESS_HELPDESK) {
        "agent"
    } else {
        "user"
    }
}

/// What figures are counted by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps;

impl Choices for Steps {
    type Value = Step;

    const WORDS: &'static [(&'static str, Step)] =
        &[("day", Step::Day), ("week", Step::Week), ("month", Step::Month)];
}

/// What reports are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportKinds;

impl Choices for ReportKinds {
    type Value = ReportKind;

    const WORDS: &'static [(&'static str, ReportKind)] = &[
        ("tickets", ReportKind::Tickets),
        ("agents", ReportKind::Agents),
        ("satisfaction", ReportKind::Satisfaction),
        ("sla", ReportKind::ServiceLevels),
    ];
}

/// What reports are written as.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportFormats;

impl Choices for ReportFormats {
    type Value = ReportFormat;

    const WORDS: &'static [(&'static str, ReportFormat)] =
        &[("csv", ReportFormat::Csv), ("pdf", ReportFormat::Pdf), ("xlsx", ReportFormat::Xlsx)];
}

/// What happened to a ticket: its sort, and what was done in words before the ticket's subject.
pub(super) fn activity(event: &Event) -> (&'static str, &'static str) {
    let status = event.detail.changes.iter().find(|change| change.field == "status");
    let status = status.and_then(|change| change.to.as_str());
    match event.action.as_str() {
        "ticket.created" => ("ticket_created", "created ticket"),
        "ticket.replied" => ("comment_added", "commented on ticket"),
        "ticket.noted" => ("comment_added", "added a note to ticket"),
        "ticket.assigned" => ("ticket_updated", "assigned ticket"),
        "ticket.claimed" => ("ticket_updated", "claimed ticket"),
        "ticket.approved" => ("ticket_updated", "approved ticket"),
        "ticket.rejected" => ("ticket_updated", "rejected ticket"),
        "ticket.withdrawn" => ("ticket_updated", "withdrew ticket"),
        "ticket.handed_over" => ("ticket_updated", "handed over ticket"),
        "ticket.escalated" => ("ticket_updated", "escalated ticket"),
        "ticket.restored" => ("ticket_updated", "restored ticket"),
        "ticket.merged" => ("ticket_updated", "merged ticket"),
        "ticket.split" => ("ticket_updated", "split ticket"),
        "ticket.rated" => ("ticket_updated", "rated ticket"),
        _ => match status {
            Some("resolved") => ("ticket_updated", "solved ticket"),
            Some("closed") => ("ticket_updated", "closed ticket"),
            Some(_) => ("ticket_updated", "changed the status of ticket"),
            None => ("ticket_updated", "updated ticket"),
        },
    }
}

/// A share in percent; 0 where there is nothing to take it of.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
pub(super) fn percent(share: Option<f64>) -> u64 {
    share.map_or(0, |share| (share * 100.0).round() as u64)
}

/// An average of ratings, to a tenth; 0 where there are none.
pub(super) fn points(average: Option<f64>) -> f64 {
    average.map_or(0.0, |average| (average * 10.0).round() / 10.0)
}

/// A length of time in its two largest units, `4h 23m`; `0m` where nothing is known.
pub(super) fn humanised(length: Option<Duration>) -> String {
    let minutes = length.map_or(0, |length| length.num_minutes().max(0));
    let (large, small) = match minutes {
        0..60 => return format!("{minutes}m"),
        60..1_440 => ((minutes / 60, 'h'), (minutes % 60, 'm')),
        _ => ((minutes / 1_440, 'd'), (minutes % 1_440 / 60, 'h')),
    };
    match small.0 {
        0 => format!("{}{}", large.0, large.1),
        rest => format!("{}{} {rest}{}", large.0, large.1, small.1),
    }
}

fn word<C: Choices>(value: C::Value) -> &'static str {
    C::WORDS.iter().find(|(_, other)| *other == value).map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_by_a_word_shows_it() {
        for of_the_desk in [true, false] {
            for (word, filter) in StatusFilter::WORDS {
                for each in Status::ALL {
                    let found = statuses(*filter, of_the_desk).has(each);
                    assert_eq!(found, status(each, of_the_desk) == *word, "{word}: {each}");
                }
            }
        }
    }

    #[test]
    fn lengths_of_time_are_told_in_their_two_largest_units() {
        let minutes = |minutes| humanised(Some(Duration::minutes(minutes)));
        assert_eq!(humanised(None), "0m");
        assert_eq!(minutes(12), "12m");
        assert_eq!(minutes(60), "1h");
        assert_eq!(minutes(263), "4h 23m");
        assert_eq!(minutes(51 * 60 + 59), "2d 3h");
        assert_eq!(minutes(-5), "0m");
        assert_eq!(humanised(Some(Duration::seconds(59))), "0m");
    }
}
