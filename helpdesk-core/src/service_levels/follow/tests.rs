use chrono::Duration;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::service_levels::{Hours, Span, Turn};

/// Monday, 7 July 2025, 09:00 UTC, and so many minutes.
fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_751_878_800 + minute * 60, 0).expect("an instant")
}

fn office() -> Calendar {
    Calendar::new(Tz::UTC).on_workdays(Span::hours((9, 0), (17, 0)).expect("a span"))
}

fn promise(metric: Metric, minutes: i64, hours: Hours) -> Fact {
    Fact::Promised([(metric, Target { time: Duration::minutes(minutes), hours })].into())
}

/// A ticket that a promise is made for, and what happens to it, minute by minute.
fn history(metric: Metric, minutes: i64, hours: Hours, facts: &[(i64, Fact)]) -> Vec<Happened> {
    let begin = [(0, Fact::Created(Status::New)), (0, promise(metric, minutes, hours))];
    let all = begin.iter().chain(facts).zip(1..);
    all.map(|((minute, fact), place)| Happened { at: at(*minute), place, fact: fact.clone() }).collect()
}

fn levels(facts: &[Happened], now: i64) -> Levels {
    Levels::of(facts, &office(), at(now))
}

fn reading(facts: &[Happened], metric: Metric, now: i64) -> Reading {
    let levels = levels(facts, now);
    levels
        .readings(at(now), &office())
        .into_iter()
        .find(|reading| reading.metric == metric)
        .expect("every metric")
}

/// The turns of a metric, with their minutes.
fn turns(facts: &[Happened], metric: Metric, now: i64) -> Vec<(i64, Turn)> {
    let log = levels(facts, now).log();
    let own = log.iter().filter(|entry| entry.metric == metric);
    own.map(|entry| ((entry.at - at(0)).num_minutes(), entry.turn)).collect()
}

#[test]
fn a_late_first_reply_was_late_when_its_time_was_over() {
    let facts = history(Metric::FirstReply, 60, Hours::Calendar, &[(100, Fact::DeskReplied)]);
    let seen = turns(&facts, Metric::FirstReply, 500);
    let expected = [
        (0, Turn::Activated),
        (0, Turn::Retargeted),
        (45, Turn::Warned),
        (60, Turn::Breached),
        (100, Turn::Fulfilled),
    ];
    assert_eq!(seen, expected);
    let reading = reading(&facts, Metric::FirstReply, 500);
    assert_eq!((reading.breached, reading.fulfilled), (Some(at(60)), Some(at(100))));
    assert_eq!((reading.spent, reading.active, reading.next), (Duration::minutes(100), false, None));
}

#[test]
fn a_first_reply_in_time_breaks_nothing() {
    let facts = history(
        Metric::FirstReply,
        60,
        Hours::Calendar,
        &[(10, Fact::RequesterReplied), (30, Fact::DeskReplied)],
    );
    assert_eq!(reading(&facts, Metric::FirstReply, 30).fulfilled, Some(at(30)));
    assert_eq!(reading(&facts, Metric::FirstReply, 9_000).breached, None);
}

#[test]
fn only_open_hours_count_where_business_hours_were_promised() {
    // Ten hours of an eight hour day that begins now.
    let facts = history(Metric::TotalResolution, 600, Hours::Business, &[]);
    let tuesday = 24 * 60;
    let reading = reading(&facts, Metric::TotalResolution, 5);
    assert_eq!(reading.due, Some(at(tuesday + 120)));
    assert_eq!(reading.next, Some(at(tuesday + 105)));
}

#[test]
fn the_requesters_wait_stands_still_while_the_desk_waits_for_them() {
    let facts = history(
        Metric::RequesterWait,
        100,
        Hours::Calendar,
        &[
            (40, Fact::Moved(Status::Pending)),
            (1_000, Fact::Moved(Status::Open)),
            (1_010, Fact::Moved(Status::OnHold)),
            (1_020, Fact::Moved(Status::Resolved)),
            (5_000, Fact::Moved(Status::Open)),
        ],
    );
    assert_eq!(reading(&facts, Metric::RequesterWait, 900).due, None);
    assert_eq!(reading(&facts, Metric::RequesterWait, 900).spent, Duration::minutes(40));
    // Solved after an hour of waiting, and going on where it stood when it was reopened.
    assert_eq!(reading(&facts, Metric::RequesterWait, 2_000).fulfilled, Some(at(1_020)));
    assert_eq!(reading(&facts, Metric::RequesterWait, 5_000).due, Some(at(5_040)));
    assert_eq!(reading(&facts, Metric::RequesterWait, 6_000).breached, Some(at(5_040)));
}

#[test]
fn work_is_what_is_with_the_desk() {
    let facts = history(
        Metric::AgentWork,
        60,
        Hours::Calendar,
        &[
            (20, Fact::Moved(Status::OnHold)),
            (500, Fact::Moved(Status::InProgress)),
            (530, Fact::Moved(Status::Resolved)),
        ],
    );
    let reading = reading(&facts, Metric::AgentWork, 10_000);
    assert_eq!((reading.spent, reading.breached), (Duration::minutes(50), None));
}

#[test]
fn an_answer_is_due_to_the_oldest_message_that_has_none() {
    let facts = history(
        Metric::NextReply,
        60,
        Hours::Calendar,
        &[
            (10, Fact::RequesterReplied),
            (50, Fact::RequesterReplied),
            (65, Fact::DeskReplied),
            (200, Fact::RequesterReplied),
        ],
    );
    assert_eq!(reading(&facts, Metric::NextReply, 60).due, Some(at(70)));
    assert_eq!(reading(&facts, Metric::NextReply, 65).fulfilled, Some(at(65)));
    assert_eq!(reading(&facts, Metric::NextReply, 201).due, Some(at(260)));
    let warned = turns(&facts, Metric::NextReply, 300).into_iter().filter(|(_, turn)| *turn == Turn::Warned);
    assert_eq!(
        warned.map(|(minute, _)| minute).collect::<Vec<_>>(),
        [55, 245],
        "each message has its own warning"
    );
}

#[test]
fn news_are_due_after_each_reply_until_the_ticket_is_solved() {
    let facts = |metric| {
        let happens = [
            (10, Fact::DeskReplied),
            (60, Fact::DeskReplied),
            (70, Fact::Moved(Status::Pending)),
            (100, Fact::Moved(Status::Open)),
            (150, Fact::Moved(Status::Resolved)),
        ];
        history(metric, 60, Hours::Calendar, &happens)
    };
    let (periodic, pausable) = (facts(Metric::PeriodicUpdate), facts(Metric::PausableUpdate));
    assert_eq!(reading(&periodic, Metric::PeriodicUpdate, 20).due, Some(at(70)));
    assert_eq!(reading(&periodic, Metric::PeriodicUpdate, 149).breached, Some(at(120)));
    assert_eq!(reading(&pausable, Metric::PausableUpdate, 80).due, None);
    assert_eq!(reading(&pausable, Metric::PausableUpdate, 149).due, Some(at(150)));
    assert!(!reading(&pausable, Metric::PausableUpdate, 200).active);
}

#[test]
fn a_change_of_promise_keeps_what_has_passed() {
    let changed = promise(Metric::TotalResolution, 30, Hours::Calendar);
    let facts = history(Metric::TotalResolution, 600, Hours::Calendar, &[(50, changed)]);
    // Nobody was late before it was promised.
    assert_eq!(reading(&facts, Metric::TotalResolution, 60).breached, Some(at(50)));
    let longer = promise(Metric::TotalResolution, 120, Hours::Business);
    let facts = history(Metric::TotalResolution, 60, Hours::Calendar, &[(50, longer)]);
    let reading = reading(&facts, Metric::TotalResolution, 60);
    assert_eq!((reading.due, reading.spent, reading.breached), (Some(at(120)), Duration::minutes(60), None));
}

#[test]
fn what_is_deleted_merged_or_no_request_is_never_late() {
    for end in [
        Fact::Deleted,
        Fact::Moved(Status::Merged),
        Fact::Moved(Status::Spam),
        Fact::Moved(Status::Withdrawn),
    ] {
        let facts = history(Metric::TotalResolution, 60, Hours::Calendar, &[(30, end.clone())]);
        let reading = reading(&facts, Metric::TotalResolution, 10_000);
        assert_eq!((reading.breached, reading.next, reading.running), (None, None, false), "{end:?}");
    }
    let facts =
        history(Metric::FirstReply, 60, Hours::Calendar, &[(30, Fact::Deleted), (500, Fact::Restored)]);
    assert_eq!(reading(&facts, Metric::FirstReply, 510).due, Some(at(530)));
    let undone = [(30, Fact::Moved(Status::Merged)), (500, Fact::Moved(Status::Open))];
    let facts = history(Metric::FirstReply, 60, Hours::Calendar, &undone);
    assert_eq!(reading(&facts, Metric::FirstReply, 510).due, Some(at(530)));
}

#[test]
fn a_promise_that_is_made_shorter_while_a_ticket_is_deleted_is_broken_when_it_comes_back() {
    let shorter = promise(Metric::TotalResolution, 30, Hours::Calendar);
    let happens = [(50, Fact::Deleted), (100, shorter), (200, Fact::Restored)];
    let facts = history(Metric::TotalResolution, 600, Hours::Calendar, &happens);
    let before = reading(&facts, Metric::TotalResolution, 150);
    assert_eq!((before.breached, before.next), (None, None));
    assert_eq!(reading(&facts, Metric::TotalResolution, 200).breached, Some(at(200)));
    let turns = turns(&facts, Metric::TotalResolution, 300);
    assert!(turns.iter().all(|(minute, turn)| *turn != Turn::Warned || *minute == 200), "{turns:?}");
}

#[test]
fn what_ended_with_the_ticket_goes_on_where_it_was_when_that_is_undone() {
    for end in [Status::Merged, Status::Spam] {
        let facts = |metric, replies: &[(i64, Fact)]| {
            let undone = [(30, Fact::Moved(end)), (500, Fact::Moved(Status::Open))];
            history(metric, 60, Hours::Calendar, &[replies, &undone].concat())
        };
        let asked = facts(Metric::NextReply, &[(10, Fact::RequesterReplied)]);
        assert!(!reading(&asked, Metric::NextReply, 400).active);
        assert_eq!(reading(&asked, Metric::NextReply, 501).due, Some(at(540)), "{end}");
        for metric in [Metric::PeriodicUpdate, Metric::PausableUpdate] {
            let said = facts(metric, &[(10, Fact::DeskReplied)]);
            assert_eq!(reading(&said, metric, 501).due, Some(at(540)), "{end}");
        }
        // What was over before does not go on.
        let answered = [(10, Fact::RequesterReplied), (20, Fact::DeskReplied)];
        assert!(!reading(&facts(Metric::NextReply, &answered), Metric::NextReply, 501).active);
        let solved = [(10, Fact::DeskReplied), (20, Fact::Moved(Status::Resolved))];
        assert!(!reading(&facts(Metric::PeriodicUpdate, &solved), Metric::PeriodicUpdate, 501).active);
        // Nor what came to its end when the ticket came back as solved.
        let through = [(10, Fact::DeskReplied), (20, Fact::Moved(end)), (25, Fact::Moved(Status::Resolved))];
        assert!(!reading(&facts(Metric::PeriodicUpdate, &through), Metric::PeriodicUpdate, 501).active);
    }
    // A first reply that is still to come is still to come, although the ticket comes back as solved.
    let happens = [
        (10, Fact::Moved(Status::Resolved)),
        (20, Fact::Moved(Status::Merged)),
        (30, Fact::Moved(Status::Resolved)),
        (40, Fact::Moved(Status::Open)),
    ];
    let facts = history(Metric::FirstReply, 60, Hours::Calendar, &happens);
    assert_eq!(reading(&facts, Metric::FirstReply, 50).due, Some(at(90)));
}

#[test]
fn the_first_resolution_stays() {
    let happens = [
        (30, Fact::Moved(Status::Resolved)),
        (60, Fact::Moved(Status::Open)),
        (90, Fact::Moved(Status::Resolved)),
    ];
    let facts = history(Metric::TotalResolution, 600, Hours::Calendar, &happens);
    let reading = reading(&facts, Metric::TotalResolution, 100);
    assert_eq!((reading.fulfilled, reading.spent), (Some(at(30)), Duration::minutes(60)));
}

fn facts() -> impl Strategy<Value = Fact> {
    let statuses = prop::sample::select(&Status::ALL[..]);
    let targets = (prop::sample::select(&Metric::ALL[..]), 1..600_i64, any::<bool>());
    prop_oneof![
        3 => statuses.prop_map(Fact::Moved),
        2 => Just(Fact::DeskReplied),
        2 => Just(Fact::RequesterReplied),
        2 => targets.prop_map(|(metric, minutes, business)| {
            promise(metric, minutes, if business { Hours::Business } else { Hours::Calendar })
        }),
        1 => Just(Fact::Deleted),
        1 => Just(Fact::Restored),
    ]
}

prop_compose! {
    /// A ticket, and what happens to it in five days.
    fn histories()(
        metric in prop::sample::select(&Metric::ALL[..]),
        minutes in 1..600_i64,
        business in any::<bool>(),
        facts in prop::collection::vec((0..7_200_i64, facts()), 0..12),
    ) -> Vec<Happened> {
        let mut facts = facts;
        facts.sort_by_key(|(minute, _)| *minute);
        history(metric, minutes, if business { Hours::Business } else { Hours::Calendar }, &facts)
    }
}

/// Everything that can be told of levels.
fn told(levels: &Levels, now: i64) -> (Vec<Entry>, [Reading; 7]) {
    (levels.log(), levels.readings(at(now), &office()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// L8: in whatever order the history is told.
    #[test]
    fn the_order_of_telling_makes_no_difference(
        (facts, shuffled) in histories().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        now in 0..9_000_i64,
    ) {
        prop_assert_eq!(told(&levels(&facts, now), now), told(&levels(&shuffled, now), now));
    }

    /// L8: however often it was looked at in between.
    #[test]
    fn looking_makes_no_difference(
        facts in histories(),
        mut looks in prop::collection::vec(0..9_000_i64, 0..40),
        now in 0..9_000_i64,
    ) {
        looks.sort_unstable();
        let business = office();
        let mut levels = Levels::default();
        let mut looks = looks.into_iter().peekable();
        for fact in facts.iter().filter(|fact| fact.at <= at(now)) {
            while let Some(look) = looks.next_if(|look| at(*look) <= fact.at) {
                levels.tick(at(look), &business);
            }
            levels.happen(fact, &business);
        }
        looks.filter(|look| *look <= now).for_each(|look| levels.tick(at(look), &business));
        levels.tick(at(now), &business);
        prop_assert_eq!(told(&levels, now), told(&super::Levels::of(&facts, &business, at(now)), now));
    }

    /// L6: what was noticed stays, nothing is noticed twice, and nothing before its time.
    #[test]
    fn nothing_that_was_noticed_is_taken_back(facts in histories(), now in 0..9_000_i64, later in 0..3_000_i64) {
        let (before, after) = (levels(&facts, now).log(), levels(&facts, now + later).log());
        prop_assert!(before.iter().all(|entry| entry.at <= at(now)));
        let rest: Vec<_> = after.iter().filter(|entry| entry.at <= at(now)).copied().collect();
        prop_assert_eq!(rest, before);
        // Whatever the timer is set to is what is noticed next.
        let facts: Vec<_> = facts.into_iter().filter(|fact| fact.at <= at(now)).collect();
        let levels_now = levels(&facts, now);
        let next = levels_now.next(at(now), &office());
        let noticed = super::Levels::of(&facts, &office(), at(now + later)).log();
        let new = noticed.iter().skip(levels_now.log().len()).map(|entry| entry.at).min();
        prop_assert_eq!(new, next.filter(|next| *next <= at(now + later)));
    }

    /// L8: whatever was written down before.
    #[test]
    fn remembering_makes_no_difference(facts in histories(), now in 0..9_000_i64, later in 0..3_000_i64) {
        let log = levels(&facts, now).log();
        let remembering = Levels::after(&log, &facts, &office(), at(now + later));
        prop_assert_eq!(told(&remembering, now + later), told(&levels(&facts, now + later), now + later));
    }

    /// L5, L6: what was noticed by other business hours stays, and comes no second time.
    #[test]
    fn what_was_noticed_stays_whatever_the_hours_become(
        facts in histories(),
        now in 0..9_000_i64,
        later in 0..3_000_i64,
    ) {
        let log = levels(&facts, now).log();
        let always = Levels::after(&log, &facts, &Calendar::always(), at(now + later)).log();
        for metric in Metric::ALL {
            let mut left: Vec<_> = log.iter().filter(|entry| entry.metric == metric).collect();
            let (mut warned, mut breached) = (0, 0);
            for entry in always.iter().filter(|entry| entry.metric == metric) {
                if left.first() == Some(&entry) {
                    left.remove(0);
                }
                match entry.turn {
                    Turn::Activated => (warned, breached) = (0, 0),
                    Turn::Warned => warned += 1,
                    Turn::Breached => breached += 1,
                    _ => {}
                }
                prop_assert!(warned <= 1 && breached <= 1, "{always:?}");
            }
            prop_assert!(left.is_empty(), "{left:?} is not in {always:?}");
        }
    }

    /// L3: the time that is used up is that of each minute looked at.
    #[test]
    fn used_time_is_that_of_each_minute(facts in histories(), now in 0..8_000_i64) {
        let business = office();
        let readings = levels(&facts, now).readings(at(now), &business);
        for reading in readings.iter().filter(|reading| reading.metric.ends_when_solved_and_goes_on()) {
            let (mut with, mut deleted, mut minutes) = (None, false, 0);
            let mut facts = facts.iter().peekable();
            for minute in 0..now {
                while let Some(happened) = facts.next_if(|happened| happened.at <= at(minute)) {
                    match &happened.fact {
                        Fact::Created(status) | Fact::Moved(status) => with = With::of(*status),
                        Fact::Deleted => deleted = true,
                        Fact::Restored => deleted = false,
                        _ => {}
                    }
                }
                let counts = reading.target.is_none_or(|target| {
                    target.hours == Hours::Calendar || business.is_open(at(minute))
                });
                let runs = !deleted && with.is_some_and(|with| reading.metric.runs_in(with));
                minutes += i64::from(counts && runs);
            }
            prop_assert_eq!(reading.spent, Duration::minutes(minutes), "{:?}", reading.metric);
        }
    }
}
