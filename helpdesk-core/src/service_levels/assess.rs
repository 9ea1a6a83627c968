//! From what happened to a ticket to where it stands: values in, values out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::calendar::Calendar;
use super::follow::{Fact, Happened, Levels, Targets};
use super::history::{LAST, Step, place};
use super::meter::{Entry, Reading, Turn};
use super::metric::Metric;
use super::policy::{PolicyId, Traits};
use super::record::{Followed, Outcome, Standing, TicketLevels};
use super::rules::Rules;
use crate::identity::Promises;
use crate::storage::Stored;
use crate::tickets::Ticket;

/// How much of a ticket's history is followed, so that the record of one that programs play with does not grow for ever.
const MAX_FACTS: usize = 5_000;

/// How many entries of one ticket are written down in one batch; those of one time and turn count as one. The rest is for
/// the next look.
const MAX_NEWS: usize = 400;
/// How many promises are looked up for one ticket in one look. What changes after that is promised as it is in the end.
const MAX_PROMISES: usize = 300;

/// A ticket whose history was followed a bit further.
#[derive(Debug)]
pub(super) struct Followup {
    /// Where it stands now.
    pub levels: TicketLevels,
    /// What was promised anew, and by which policy.
    pub promised: Vec<(Happened, Option<PolicyId>)>,
    /// What is to be written down.
    pub news: Vec<Entry>,
    /// What is to be written down by the next look, since it is too much for one.
    pub later: Vec<Entry>,
    /// When there is next something to be noticed, if nothing happens.
    pub next: Option<DateTime<Utc>>,
}

/// Whether the policies must be looked at.
pub(super) fn asks_for_rules(before: Option<&TicketLevels>, steps: &[Step], promises: &Promises) -> bool {
    steps.iter().any(|step| step.asks_anew && step.waits) || changed(before, promises).is_some()
}

/// When the rules were made that hold, if the ticket's promise was not looked up by them yet.
fn changed(before: Option<&TicketLevels>, promises: &Promises) -> Option<DateTime<Utc>> {
    let looked_up = before.is_some_and(|levels| levels.followed.revision == promises.revision);
    promises.changed.filter(|_| !looked_up)
}

/// Follows a ticket from where it was left.
pub(super) fn follow(
    before: Option<&TicketLevels>,
    ticket: &Stored<Ticket>,
    steps: &[Step],
    rules: &Rules,
    promises: &Promises,
    business: &Calendar,
    now: DateTime<Utc>,
) -> Followup {
    let mut followed = before.map(|levels| levels.followed.clone()).unwrap_or_default();
    let mut policy = before.and_then(|levels| levels.policy);
    let mut promised = Vec::new();
    let mut changed = changed(before, promises);
    let mut version = followed.version;
    // The last one that asks: whatever was left out, what is promised in the end is.
    let asking = steps.iter().rev().find(|step| step.asks_anew && step.waits);
    let newest = asking.map_or(0, |step| step.version);
    for step in steps {
        if let Some(at) = changed.take_if(|at| *at < step.at) {
            let by = place(version, LAST);
            promised.extend(reconsider(&mut followed.facts, &mut policy, rules, &step.was, at, by));
        }
        let at = add(&mut followed.facts, step);
        version = step.version;
        let enough = promised.len() >= MAX_PROMISES && step.version < newest;
        // By these rules nothing was promised before they were made, and what rules there were is not known any more.
        let too_early = changed.is_some_and(|changed| step.at < changed);
        if step.asks_anew && step.waits && !enough && !too_early {
            let by = place(version, LAST);
            promised.extend(promise(&mut followed.facts, &mut policy, rules, &step.traits, at, by));
        }
    }
    if let Some(at) = changed {
        let (traits, by) = (Traits::from(&ticket.value), place(version, LAST));
        promised.extend(reconsider(&mut followed.facts, &mut policy, rules, &traits, at, by));
    }
    (followed.revision, followed.version) = (promises.revision, ticket.version);
    let told = followed.told.clone();
    let (mut levels, next) = stand(ticket, followed, policy, business, now);
    let mut news = without(&levels.followed.told, &told);
    let fits = news.chunk_by(told_as_one).take(MAX_NEWS).map(<[Entry]>::len).sum();
    let later = news.split_off(fits);
    if !later.is_empty() {
        // Of those that are alike the last ones are later.
        let mut told = std::mem::take(&mut levels.followed.told);
        told.reverse();
        levels.followed.told = without(&told, &later);
        levels.followed.told.reverse();
    }
    Followup { levels, promised, news, later, next }
}

/// Whether two entries are written down as one.
pub(super) fn told_as_one(one: &Entry, other: &Entry) -> bool {
    (one.at, one.turn) == (other.at, other.turn)
}

/// Looks up what is promised as of a change of the rules, however late that is noticed. What was solved by then keeps its
/// promise: it is looked up again when the ticket is reopened.
fn reconsider(
    facts: &mut Vec<Happened>,
    policy: &mut Option<PolicyId>,
    rules: &Rules,
    traits: &Traits,
    at: DateTime<Utc>,
    place: i64,
) -> Option<(Happened, Option<PolicyId>)> {
    let status = facts.iter().rev().find_map(|fact| match fact.fact {
        Fact::Created(status) | Fact::Moved(status) => Some(status),
        _ => None,
    });
    status.filter(|status| status.waits())?;
    promise(facts, policy, rules, traits, at, place)
}

/// Makes all that is known of a ticket anew from its history, what was promised, and what was written down of it.
pub(super) fn rebuild(
    ticket: &Stored<Ticket>,
    steps: &[Step],
    promised: Vec<(Happened, Option<PolicyId>)>,
    told: Vec<Entry>,
    business: &Calendar,
    now: DateTime<Utc>,
) -> TicketLevels {
    let mut followed = Followed { version: ticket.version, told, ..Followed::default() };
    followed.told.sort_by_key(|entry| (entry.at, entry.metric));
    for step in steps {
        add(&mut followed.facts, step);
    }
    let last = promised.iter().max_by_key(|(fact, _)| (fact.at, fact.place));
    let policy = last.and_then(|(_, policy)| *policy);
    followed.facts.extend(promised.into_iter().map(|(fact, _)| fact));
    stand(ticket, followed, policy, business, now).0
}

/// Adds what happened in a step. Its time is never before that of the step before, whatever clock it was told by.
fn add(facts: &mut Vec<Happened>, step: &Step) -> DateTime<Utc> {
    let course = || facts.iter().filter(|fact| !matches!(fact.fact, Fact::Promised(_)));
    let at = course().map(|fact| fact.at).max().map_or(step.at, |last| last.max(step.at));
    if course().count() >= MAX_FACTS {
        return at;
    }
    // One step of a ticket may be several acts, one after another.
    let first = course().filter(|fact| fact.place >= place(step.version, 0)).count();
    for (fact, nth) in step.facts.iter().zip(i64::try_from(first).unwrap_or(LAST)..) {
        let one = Happened { at, place: place(step.version, nth.min(LAST - 1)), fact: fact.clone() };
        // Further words of somebody who waits for an answer make no difference, and there may be many of them.
        let mut course = facts.iter().rev().map(|fact| &fact.fact);
        let mut waits = || {
            let last = course.find(|fact| !matches!(fact, Fact::Promised(_)));
            last == Some(&Fact::RequesterReplied)
        };
        if *fact != Fact::RequesterReplied || !waits() {
            facts.push(one);
        }
    }
    at
}

/// Looks up what is promised, and adds it where it is something else than before.
fn promise(
    facts: &mut Vec<Happened>,
    policy: &mut Option<PolicyId>,
    rules: &Rules,
    traits: &Traits,
    at: DateTime<Utc>,
    place: i64,
) -> Option<(Happened, Option<PolicyId>)> {
    let (by, targets) = rules.promise(traits);
    if *policy == by && promised(facts) == targets {
        return None;
    }
    *policy = by;
    let fact = Happened { at, place, fact: Fact::Promised(targets) };
    facts.push(fact.clone());
    Some((fact, by))
}

/// What was promised last.
fn promised(facts: &[Happened]) -> Targets {
    let promises = facts.iter().filter_map(|fact| match &fact.fact {
        Fact::Promised(targets) => Some(((fact.at, fact.place), targets)),
        _ => None,
    });
    promises.max_by_key(|(when, _)| *when).map(|(_, targets)| targets.clone()).unwrap_or_default()
}

/// Where a ticket stands by its facts, and what was told of it before.
fn stand(
    ticket: &Stored<Ticket>,
    mut followed: Followed,
    policy: Option<PolicyId>,
    business: &Calendar,
    now: DateTime<Utc>,
) -> (TicketLevels, Option<DateTime<Utc>>) {
    followed.facts.sort_by_key(|fact| (fact.at, fact.place));
    let levels = Levels::after(&followed.told, &followed.facts, business, now);
    // Since when something is promised of each metric.
    let mut since: BTreeMap<Metric, DateTime<Utc>> = BTreeMap::new();
    for fact in &followed.facts {
        if let Fact::Promised(targets) = &fact.fact {
            for metric in targets.keys() {
                since.entry(*metric).or_insert(fact.at);
            }
        }
    }
    // That a promise was changed is written down with the promise.
    let mut log = levels.log();
    log.retain(|entry| since.contains_key(&entry.metric) && entry.turn != Turn::Retargeted);
    // What was done before anything was promised is no promise kept.
    let counts = |entry: &&Entry| since.get(&entry.metric).is_some_and(|since| *since <= entry.at);
    let counted: Vec<Entry> = log.iter().filter(counts).copied().collect();
    let readings = levels.readings(now, business);
    let readings = readings.iter().filter(|reading| since.contains_key(&reading.metric));
    let standings: Vec<Standing> = readings.clone().map(|reading| standing(reading, &counted)).collect();
    let waits = ticket.state.status().waits() && ticket.deleted.is_none();
    let late =
        |standing: &Standing| standing.active && standing.target.is_some() && standing.breached.is_some();
    let outcome = outcome(&standings, waits);
    let settled = outcome.and_then(|outcome| settled(outcome, &counted));
    followed.told = log;
    let levels = TicketLevels {
        requester: ticket.requester,
        assignee: ticket.assignee,
        group: ticket.group,
        priority: ticket.priority,
        began: ticket.created_at,
        deleted: ticket.deleted.is_some(),
        policy,
        overdue: waits && standings.iter().any(late),
        standings,
        outcome,
        settled,
        followed,
    };
    (levels, readings.filter_map(|reading| reading.next).min())
}

fn standing(reading: &Reading, log: &[Entry]) -> Standing {
    let ever = |turn| log.iter().any(|entry| entry.metric == reading.metric && entry.turn == turn);
    let outcome = if ever(Turn::Breached) {
        Some(Outcome::Broken)
    } else {
        (!reading.active && reading.target.is_some() && ever(Turn::Fulfilled)).then_some(Outcome::Kept)
    };
    let stands_still = reading.active && !reading.running;
    Standing {
        metric: reading.metric,
        target: reading.target,
        active: reading.active,
        running: reading.running,
        due: reading.due,
        left: reading
            .target
            .filter(|_| stands_still)
            .map(|target| (target.time - reading.spent).num_seconds()),
        breached: reading.breached,
        fulfilled: reading.fulfilled,
        outcome,
    }
}

/// What came of all promises: broken if one is; kept once nothing is left to be done. Where a ticket waits for nobody
/// any longer, what was not done by then is not waited for.
fn outcome(standings: &[Standing], waits: bool) -> Option<Outcome> {
    if standings.iter().any(|standing| standing.outcome == Some(Outcome::Broken)) {
        return Some(Outcome::Broken);
    }
    let left = waits && standings.iter().any(|standing| standing.active && standing.target.is_some());
    let kept = standings.iter().any(|standing| standing.outcome == Some(Outcome::Kept));
    (kept && !left).then_some(Outcome::Kept)
}

/// When that was decided: by the first that was late, or the last that was done.
fn settled(outcome: Outcome, log: &[Entry]) -> Option<DateTime<Utc>> {
    let of = |turn| log.iter().filter(move |entry| entry.turn == turn).map(|entry| entry.at);
    match outcome {
        Outcome::Broken => of(Turn::Breached).min(),
        Outcome::Kept => of(Turn::Fulfilled).max(),
    }
}

/// Those entries that are not among others, each as often as it is there more often: then the last of them.
fn without(entries: &[Entry], others: &[Entry]) -> Vec<Entry> {
    let mut count: BTreeMap<Entry, usize> = BTreeMap::new();
    others.iter().for_each(|other| *count.entry(*other).or_default() += 1);
    let mut is_new = |entry: &&Entry| match count.get_mut(entry) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    entries.iter().filter(|entry| is_new(entry)).copied().collect()
}
