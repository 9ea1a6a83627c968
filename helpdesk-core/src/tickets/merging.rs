//! Making two tickets one, and parting them again (T10), as pure rules.
//!
//! Nothing is moved: the source is marked, and whoever shows the target shows the messages of both.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::acts::{join_cc, stamp_solved};
use super::status::{Category, Status};
use super::ticket::{Cc, MAX_MERGED, State, Ticket, TicketId};
use super::workflow::Workflow;
use crate::error::{Error, Rejection, Result};

/// How long a merge can be undone.
const UNDO: Duration = Duration::days(30);

/// A ticket with its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub id: TicketId,
    pub ticket: &'a Ticket,
}

/// Another ticket that is part of the same one, and who came with it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    id: TicketId,
    addresses: BTreeSet<String>,
}

impl Part {
    /// A ticket that is part of `whole`, with the address of who asked for it.
    pub(super) fn of(part: Named<'_>, whole: &Ticket, asked: Option<&str>) -> Self {
        let asked = asked.filter(|_| part.ticket.requester != whole.requester);
        let copies = part.ticket.cc.iter().map(|cc| &*cc.address);
        let addresses = copies.chain(asked).map(|address| address.trim().to_lowercase());
        Self { id: part.id, addresses: addresses.collect() }
    }
}

/// Marks `source` as part of `target`. Who gets copies of the one gets them of the other, and so does who asked, by
/// `requester`.
///
/// # Errors
///
/// [`Error::Rejected`] where one of them has ended, the target is solved, closed or merged itself, or others were
/// merged into the source: a merged ticket is always one step from where it went.
pub(super) fn merge(
    source: Named<'_>,
    target: Named<'_>,
    requester: Option<Cc>,
    now: DateTime<Utc>,
    workflow: &Workflow,
) -> Result<(Ticket, Ticket)> {
    let refused = |why| Err(Error::Rejected(Rejection::Merge { why }));
    if source.id == target.id {
        return refused("a ticket cannot be merged into itself");
    }
    let (from, into) = (source.ticket.state.status(), target.ticket.state.status());
    let ended =
        |ticket: &Ticket| ticket.deleted.is_some() || ticket.state.status().category() == Category::Ended;
    if ended(source.ticket) || ended(target.ticket) {
        return Err(Error::Rejected(Rejection::Ended));
    }
    if matches!(into.category(), Category::Solved | Category::Closed) {
        return refused("the ticket to be merged into is solved or closed");
    }
    if !source.ticket.merged.is_empty() {
        return refused("other tickets were merged into this one");
    }
    if !workflow.permits(from, Status::Merged) {
        return Err(Error::Rejected(Rejection::Move { from, to: Status::Merged }));
    }
    if target.ticket.merged.len() >= MAX_MERGED {
        let limit = MAX_MERGED as u64;
        return Err(Error::Rejected(Rejection::Limit { limit, what: "merged tickets" }));
    }
    let mut marked = source.ticket.clone();
    marked.state = State::Merged { at: now, into: target.id, before: Box::new(source.ticket.state.clone()) };
    stamp_solved(&mut marked, now);
    let mut joined = target.ticket.clone();
    joined.merged.insert(source.id);
    let asked = requester.filter(|_| source.ticket.requester != target.ticket.requester);
    let people = source.ticket.cc.iter().cloned().chain(asked);
    join_cc(&mut joined.cc, people.map(|cc| Cc { with: Some(source.id), ..cc }).collect())?;
    Ok((marked, joined))
}

/// Takes a merge back: `source` stands where it stood, and who came with it gets no copies of `target` any more, unless they
/// came with one of the `others` that are still part of it as well.
///
/// # Errors
///
/// [`Error::Rejected`] where it was not merged, is deleted, or was merged more than 30 days ago.
pub(super) fn part(
    source: Named<'_>,
    target: &Ticket,
    others: &[Part],
    now: DateTime<Utc>,
) -> Result<(Ticket, Ticket)> {
    if source.ticket.deleted.is_some() {
        return Err(Error::Rejected(Rejection::Ended));
    }
    let State::Merged { at, before, .. } = &source.ticket.state else {
        return Err(Error::Rejected(Rejection::Status { status: source.ticket.state.status() }));
    };
    if now - *at > UNDO {
        let why = "the tickets were merged more than 30 days ago";
        return Err(Error::Rejected(Rejection::Merge { why }));
    }
    let mut freed = source.ticket.clone();
    freed.state = (**before).clone();
    freed.solved_at = match freed.state {
        State::Resolved { at } | State::Closed { at } => Some(at),
        _ => None,
    };
    let mut left = target.clone();
    left.merged.remove(&source.id);
    left.cc.retain_mut(|cc| {
        if cc.with != Some(source.id) {
            return true;
        }
        cc.with = others.iter().find(|other| other.addresses.contains(&cc.address)).map(|other| other.id);
        cc.with.is_some()
    });
    Ok((freed, left))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::identity::UserId;
    use crate::storage::EntityId as _;
    use crate::tickets::ticket::MAX_CC;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_736_931_600, 0).expect("an instant") + Duration::days(day)
    }

    fn id(number: u128) -> TicketId {
        TicketId::from_uuid(Uuid::from_u128(number))
    }

    fn ticket(requester: u128, state: State) -> Ticket {
        let requester = UserId::from_uuid(Uuid::from_u128(requester));
        Ticket { state, ..Ticket::new(requester, "Printer", "It burns") }
    }

    fn join(source: &Ticket, target: &Ticket) -> Result<(Ticket, Ticket)> {
        let (source, target) = (Named { id: id(1), ticket: source }, Named { id: id(2), ticket: target });
        merge(source, target, Some(Cc::to("ada@x.test")), at(0), &Workflow::default())
    }

    #[test]
    fn the_source_is_marked_and_its_people_join() {
        let source =
            Ticket { cc: vec![Cc::to("bob@x.test"), Cc::to("eve@x.test")], ..ticket(7, State::Pending) };
        let target = Ticket { cc: vec![Cc::to("bob@x.test")], ..ticket(8, State::Open) };
        let (marked, joined) = join(&source, &target).expect("merged");
        assert_eq!(marked.state.merged_into(), Some(id(2)));
        assert!(joined.merged.contains(&id(1)));
        let addresses = |ticket: &Ticket| ticket.cc.iter().map(|cc| cc.address.clone()).collect::<Vec<_>>();
        assert_eq!(addresses(&joined), ["bob@x.test", "eve@x.test", "ada@x.test"]);

        let named = Named { id: id(1), ticket: &marked };
        let (freed, left) = part(named, &joined, &[], at(30)).expect("parted");
        assert_eq!((freed, left), (source, target));
        assert!(part(named, &joined, &[], at(31)).is_err());
    }

    #[test]
    fn whose_two_tickets_become_one_gets_no_copies() {
        let (_, joined) = join(&ticket(7, State::New), &ticket(7, State::New)).expect("merged");
        assert!(joined.cc.is_empty());
    }

    #[test]
    fn neither_chains_nor_cycles_come_about() {
        let open = ticket(7, State::Open);
        let (marked, joined) = join(&open, &open).expect("merged");
        // A into B, then B into C, C into A, A into A, and A once more.
        assert!(join(&joined, &open).is_err());
        assert!(join(&open, &marked).is_err());
        assert!(join(&marked, &open).is_err());
        let itself = Named { id: id(1), ticket: &open };
        assert!(merge(itself, itself, None, at(0), &Workflow::default()).is_err());
    }

    #[test]
    fn what_is_done_or_has_ended_is_not_merged() {
        let open = ticket(7, State::Open);
        for done in [
            State::Resolved { at: at(0) },
            State::Closed { at: at(0) },
            State::Spam { at: at(0) },
            State::Withdrawn { at: at(0) },
        ] {
            let done = ticket(7, done);
            assert!(join(&open, &done).is_err() && join(&done, &open).is_err(), "{:?}", done.state);
        }
        let full = Ticket {
            cc: (0..MAX_CC).map(|number| Cc::to(format!("{number}@x.test"))).collect(),
            ..ticket(8, State::Open)
        };
        assert!(matches!(join(&open, &full), Err(Error::Rejected(Rejection::Limit { limit: 48, .. }))));
    }
}
