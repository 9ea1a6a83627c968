use chrono::Duration;
use uuid::Uuid;

use super::*;
use crate::storage::EntityId as _;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_736_931_600, 0).expect("an instant") + Duration::minutes(minute)
}

fn person(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

const ADA: u128 = 1;
const AGENT: u128 = 2;
const OTHER: u128 = 3;

fn ticket(state: State) -> Ticket {
    Ticket { state, via: "test".into(), ..Ticket::new(person(ADA), "Printer", "It burns") }
}

fn state(status: Status) -> State {
    let at = at(0);
    match status {
        Status::New => State::New,
        Status::Open => State::Open,
        Status::InProgress => State::InProgress,
        Status::Pending => State::Pending,
        Status::OnHold => State::OnHold,
        Status::Resolved => State::Resolved { at },
        Status::Closed => State::Closed { at },
        Status::Rejected => State::Rejected { at, by: None, reason: "no".into() },
        Status::Withdrawn => State::Withdrawn { at },
        Status::Merged => State::Merged {
            at,
            into: crate::tickets::TicketId::from_uuid(Uuid::nil()),
            before: Box::new(State::Open),
        },
        Status::Spam => State::Spam { at },
    }
}

fn try_as(who: u128, ticket: &Ticket, act: Act) -> Result<Decision> {
    let workflow = Workflow::default();
    let circumstances = Circumstances {
        now: at(5),
        made: at(0),
        actor: Some(person(who)),
        may_reopen: who != OTHER,
        workflow: &workflow,
    };
    decide(ticket, act, &circumstances)
}

fn to(to: Status) -> Act {
    Act::Move { to, from: None, comment: None }
}

fn approve() -> Act {
    Act::Approve { priority: Priority::High, department: Some("IT".into()), comment: None }
}

#[test]
fn a_new_ticket_is_approved_with_its_priority_and_department() {
    let next = try_as(AGENT, &ticket(State::New), approve()).expect("approved").ticket;
    assert_eq!(next.state, State::Open);
    assert_eq!((next.priority, next.department.as_deref()), (Some(Priority::High), Some("IT")));
    assert_eq!(next.approval, Some(Approval { at: at(5), by: Some(person(AGENT)) }));
}

#[test]
fn each_act_is_refused_where_it_does_not_belong() {
    let reject = || Act::Reject { reason: "no".into(), comment: None };
    type Case = (fn() -> Act, &'static [Status]);
    let cases: [Case; 6] = [
        (approve, &[Status::New, Status::Pending]),
        (|| Act::Claim, &[Status::Open]),
        (
            || Act::Withdraw { comment: None },
            &[Status::New, Status::Open, Status::InProgress, Status::Pending, Status::OnHold],
        ),
        (|| Act::Close { comment: None }, &[Status::Resolved]),
        (
            || Act::HandOver,
            &[Status::Open, Status::InProgress, Status::Pending, Status::OnHold, Status::Resolved],
        ),
        (
            || Act::Assign { to: Some(person(AGENT)) },
            &[
                Status::New,
                Status::Open,
                Status::InProgress,
                Status::Pending,
                Status::OnHold,
                Status::Resolved,
            ],
        ),
    ];
    for (act, from) in cases {
        for status in Status::ALL {
            // The requester acts, so that what is for them alone is decided by the status.
            let decided = try_as(ADA, &ticket(state(status)), act());
            assert_eq!(decided.is_ok(), from.contains(&status), "{:?} from {status}", act());
        }
    }
    for status in Status::ALL {
        assert_eq!(try_as(AGENT, &ticket(state(status)), reject()).is_ok(), status == Status::New);
    }
}

#[test]
fn moves_follow_the_table_and_staying_is_no_move() {
    let workflow = Workflow::default();
    for from in Status::ALL {
        for target in Status::ALL {
            let own_act = matches!(target, Status::New | Status::Rejected | Status::Merged);
            let stays = from == target && !matches!(from.category(), Category::Closed | Category::Ended);
            let expected = stays || (workflow.permits(from, target) && !own_act);
            assert_eq!(
                try_as(AGENT, &ticket(state(from)), to(target)).is_ok(),
                expected,
                "{from} to {target}"
            );
        }
    }
}

#[test]
fn a_move_can_be_narrowed_to_where_it_may_begin() {
    let only_open =
        Act::Move { to: Status::Resolved, from: Some(StatusSet::of(&[Status::Open])), comment: None };
    assert!(try_as(AGENT, &ticket(State::Open), only_open.clone()).is_ok());
    assert!(matches!(
        try_as(AGENT, &ticket(State::New), only_open),
        Err(Error::Rejected(Rejection::Move { from: Status::New, to: Status::Resolved }))
    ));
}

#[test]
fn the_first_assignment_takes_a_new_ticket_up() {
    let assigned =
        try_as(AGENT, &ticket(State::New), Act::Assign { to: Some(person(AGENT)) }).expect("assigned");
    assert_eq!(assigned.ticket.state, State::Open);
    let taken_off = try_as(AGENT, &ticket(State::New), Act::Assign { to: None }).expect("nobody");
    assert_eq!(taken_off.ticket.state, State::New);
}

#[test]
fn the_first_to_claim_has_it() {
    let claimed = try_as(AGENT, &ticket(State::Open), Act::Claim).expect("claimed").ticket;
    assert_eq!((claimed.assignee, &claimed.state), (Some(person(AGENT)), &State::InProgress));
    assert!(matches!(try_as(OTHER, &claimed, Act::Claim), Err(Error::Conflict(Conflict::Claimed))));
}

#[test]
fn who_resolves_what_nobody_has_has_it() {
    let resolved = try_as(AGENT, &ticket(State::Open), to(Status::Resolved)).expect("resolved").ticket;
    assert_eq!(resolved.assignee, Some(person(AGENT)));
    assert_eq!(resolved.first_resolved_at, Some(at(5)));
    let mut owned = ticket(State::Open);
    owned.assignee = Some(person(OTHER));
    let resolved = try_as(AGENT, &owned, to(Status::Resolved)).expect("resolved").ticket;
    assert_eq!(resolved.assignee, Some(person(OTHER)));
}

#[test]
fn a_public_reply_of_the_requester_brings_a_waiting_ticket_back() {
    for status in [Status::Pending, Status::OnHold, Status::Resolved] {
        let waiting = ticket(state(status));
        let replied = try_as(ADA, &waiting, Act::Say(Comment::public("Still burns"))).expect("said").ticket;
        assert_eq!(replied.state, State::Open);
        assert_eq!(replied.first_replied_at, None);
        let answered = try_as(AGENT, &waiting, Act::Say(Comment::public("We know"))).expect("said").ticket;
        assert_eq!(answered.state.status(), status);
    }
}

#[test]
fn only_the_desks_own_public_words_are_the_first_reply() {
    let open = ticket(State::Open);
    let stamp = |who, act| try_as(who, &open, act).expect("done").ticket.first_replied_at;
    assert_eq!(stamp(AGENT, Act::Say(Comment::internal("A note"))), None);
    assert_eq!(stamp(ADA, Act::Say(Comment::public("And?"))), None);
    assert_eq!(stamp(AGENT, Act::Say(Comment::public("On it"))), Some(at(5)));
    let told = Some(Comment::public("Now {to}, was {from}").automatic());
    let moved = Act::Move { to: Status::OnHold, from: None, comment: told };
    let decided = try_as(AGENT, &open, moved).expect("moved");
    assert_eq!(decided.ticket.first_replied_at, None);
    assert_eq!(decided.comment.expect("told").body, "Now On Hold, was Open");
}

#[test]
fn only_the_requester_withdraws_and_closes() {
    let withdraw = try_as(AGENT, &ticket(State::Open), Act::Withdraw { comment: None });
    assert!(matches!(withdraw, Err(Error::NotYours { .. })));
    let close = try_as(AGENT, &ticket(state(Status::Resolved)), Act::Close { comment: None });
    assert!(matches!(close, Err(Error::NotYours { .. })));
}

#[test]
fn what_has_ended_refuses_every_change_with_one_error() {
    let mut gone = ticket(State::Open);
    gone.deleted = Some(Deletion { at: at(0), by: None });
    let ended = [Status::Rejected, Status::Withdrawn, Status::Merged, Status::Spam].map(state).map(ticket);
    for dead in ended.iter().chain([&gone]) {
        for act in [
            approve(),
            Act::Claim,
            Act::Say(Comment::public("Hello?")),
            Act::Edit(Edit { tags: Some(BTreeSet::new()), ..Edit::default() }),
            Act::Escalate { level: 1, reason: None },
            to(Status::Closed),
        ] {
            assert!(matches!(try_as(AGENT, dead, act), Err(Error::Rejected(Rejection::Ended))));
        }
    }
    assert!(try_as(AGENT, &ticket(state(Status::Spam)), to(Status::Open)).is_ok());
    assert!(try_as(AGENT, &gone, Act::Restore).expect("restored").ticket.deleted.is_none());
}

#[test]
fn a_closed_ticket_takes_tags_and_is_reopened_by_permission_only() {
    let closed = ticket(state(Status::Closed));
    let tags = BTreeSet::from(["fire".to_owned()]);
    let tagged = try_as(AGENT, &closed, Act::Edit(Edit { tags: Some(tags.clone()), ..Edit::default() }));
    assert_eq!(tagged.expect("tagged").ticket.tags, tags);
    let edit = Edit { subject: Some("x".into()), ..Edit::default() };
    assert!(try_as(AGENT, &closed, Act::Edit(edit)).is_err());
    assert!(try_as(AGENT, &closed, to(Status::Open)).is_ok());
    assert!(matches!(try_as(OTHER, &closed, to(Status::Open)), Err(Error::Forbidden { .. })));
}

#[test]
fn how_long_it_took_is_counted_from_the_request() {
    let open = ticket(State::Open);
    assert_eq!((open.replied_after, open.solved_after), (None, None));
    let replied = try_as(AGENT, &open, Act::Say(Comment::public("Done?"))).expect("a reply").ticket;
    assert_eq!((replied.replied_after, replied.solved_after), (Some(300), None));
    let solved = try_as(AGENT, &replied, to(Status::Resolved)).expect("solved").ticket;
    assert_eq!(solved.solved_after, Some(300));
    let reopened = try_as(ADA, &solved, Act::Say(Comment::public("No."))).expect("a reply").ticket;
    assert_eq!((reopened.replied_after, reopened.solved_after), (Some(300), None));
}
