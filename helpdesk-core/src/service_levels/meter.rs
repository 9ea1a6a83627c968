//! One metric of one ticket: how much of its time is used up, and what has come of it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::metric::{Hours, Metric, Target, With};

/// How long before the breach a warning is given, of the hours that count.
const WARNING: Duration = Duration::minutes(15);

/// What happened to a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Its time began.
    Activated,
    /// Its time stands still.
    Paused,
    /// Its time goes on.
    Resumed,
    /// What was promised was done, in time or not.
    Fulfilled,
    /// The promise was changed.
    Retargeted,
    /// Little time is left.
    Warned,
    /// The time is over.
    Breached,
    /// It no longer matters.
    Dropped,
}

/// What happened to a metric, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// When: for a warning and a breach the true time, however late it was noticed.
    pub at: DateTime<Utc>,
    /// The metric.
    pub metric: Metric,
    /// What.
    pub turn: Turn,
}

/// Where a metric stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The metric.
    pub metric: Metric,
    /// What was promised, where something was.
    pub target: Option<Target>,
    /// How much time was used up, of the hours that count.
    pub spent: Duration,
    /// Whether there is anything left to be done.
    pub active: bool,
    /// Whether its time runs.
    pub running: bool,
    /// When the time is over, if nothing happens; `None` where it stands still or nothing was promised.
    pub due: Option<DateTime<Utc>>,
    /// When there is next something to be noticed: a warning or a breach.
    pub next: Option<DateTime<Utc>>,
    /// When the time was over.
    pub breached: Option<DateTime<Utc>>,
    /// When what was promised was done; of [`Metric::TotalResolution`] the first time.
    pub fulfilled: Option<DateTime<Utc>>,
}

/// The time of one metric. What is kept is when it ran, never only a deadline: so a promise in other hours measures what
/// has passed anew.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    metric: Metric,
    target: Option<Target>,
    /// Since when the promise holds without a break. Nobody is late before.
    holds_from: DateTime<Utc>,
    ran: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// How many of those were measured, and their sum, of the hours that count.
    measured: (usize, Duration),
    since: Option<DateTime<Utc>>,
    /// When there is to be a warning and a breach, if nothing happens; `None` until that is asked for.
    ahead: Option<Ahead>,
    active: bool,
    /// Whether it ended with its ticket, and goes on with it.
    dropped: bool,
    warned: bool,
    breached: Option<DateTime<Utc>>,
    fulfilled: Option<DateTime<Utc>>,
    told: Told,
}

/// When little time is left, and when none is.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    warning: Option<DateTime<Utc>>,
    breach: Option<DateTime<Utc>>,
}

/// What was written down of a metric before, and how far that was gone through.
#[derive(Clone, Debug, Default)]
struct Told {
    entries: Vec<Entry>,
    place: usize,
}

impl Told {
    const NOTHING: Self = Self { entries: Vec::new(), place: 0 };

    fn next(&self) -> Option<Entry> {
        self.entries.get(self.place).copied()
    }

    /// Goes on behind an entry, where it was written down.
    fn pass(&mut self, entry: Entry) {
        let ahead = self.entries.iter().skip(self.place);
        let ahead = ahead.take_while(|told| told.at <= entry.at);
        if let Some(skipped) = ahead.enumerate().find_map(|(nth, told)| (*told == entry).then_some(nth)) {
            self.place += skipped + 1;
        }
    }
}

impl Meter {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            target: None,
            holds_from: DateTime::UNIX_EPOCH,
            ran: Vec::new(),
            measured: (0, Duration::zero()),
            since: None,
            ahead: None,
            active: false,
            dropped: false,
            warned: false,
            breached: None,
            fulfilled: None,
            told: Told::NOTHING,
        }
    }

    /// Has it remember what was written down of it before, in the order of time.
    pub(super) fn remember(&mut self, told: impl Iterator<Item = Entry>) {
        self.told = Told { entries: told.filter(|entry| entry.metric == self.metric).collect(), place: 0 };
    }

    pub(super) const fn metric(&self) -> Metric {
        self.metric
    }

    pub(super) const fn is_active(&self) -> bool {
        self.active
    }

    /// Whether it ended with its ticket, without anything having been done.
    pub(super) const fn was_dropped(&self) -> bool {
        self.dropped
    }

    /// Whether it ended for good: the first reply was given.
    pub(super) fn is_answered(&self) -> bool {
        self.metric == Metric::FirstReply && self.fulfilled.is_some()
    }

    /// Begins anew.
    pub(super) fn activate(&mut self, at: DateTime<Utc>, with: Option<With>, log: &mut Vec<Entry>) {
        let (target, holds_from, told) = (self.target, self.holds_from, std::mem::take(&mut self.told));
        *self = Self { target, holds_from, told, active: true, ..Self::new(self.metric) };
        self.enter(at, Turn::Activated, log);
        if with.is_some_and(|with| self.metric.runs_in(with)) {
            (self.since, self.ahead) = (Some(at), None);
        }
    }

    /// Goes on where it left off, after it had ended.
    pub(super) const fn reopen(&mut self, at: DateTime<Utc>) {
        (self.active, self.dropped, self.ahead) = (true, false, None);
        self.holds_from = at;
    }

    /// The ticket was brought back. What became late meanwhile is late from then on.
    pub(super) const fn hold_from(&mut self, at: DateTime<Utc>) {
        if self.active {
            (self.holds_from, self.ahead) = (at, None);
        }
    }

    /// Runs or stands still, as the ticket is now with somebody.
    pub(super) fn follow(&mut self, at: DateTime<Utc>, with: Option<With>, log: &mut Vec<Entry>) {
        let runs = self.active && with.is_some_and(|with| self.metric.runs_in(with));
        match (self.since, runs) {
            (None, true) => {
                (self.since, self.ahead) = (Some(at), None);
                self.enter(at, Turn::Resumed, log);
            }
            (Some(_), false) => {
                self.stop(at);
                self.enter(at, Turn::Paused, log);
            }
            _ => {}
        }
    }

    /// What was promised is done.
    pub(super) fn fulfil(&mut self, at: DateTime<Utc>, log: &mut Vec<Entry>) {
        self.dropped = false;
        if !self.active {
            return;
        }
        self.stop(at);
        self.active = false;
        if self.fulfilled.is_none() || self.metric != Metric::TotalResolution {
            self.fulfilled = Some(at);
        }
        self.enter(at, Turn::Fulfilled, log);
    }

    /// It ends with its ticket, and may go on with it.
    pub(super) fn drop_with_ticket(&mut self, at: DateTime<Utc>, log: &mut Vec<Entry>) {
        let dropped = self.dropped || self.active;
        self.drop_at(at, log);
        self.dropped = dropped;
    }

    /// It no longer matters.
    pub(super) fn drop_at(&mut self, at: DateTime<Utc>, log: &mut Vec<Entry>) {
        self.dropped = false;
        if self.active {
            self.stop(at);
            self.active = false;
            self.enter(at, Turn::Dropped, log);
        }
    }

    /// Something else is promised. What has passed, has passed.
    pub(super) fn retarget(&mut self, at: DateTime<Utc>, target: Option<Target>, log: &mut Vec<Entry>) {
        if self.target == target {
            return;
        }
        if self.target.map(|target| target.hours) != target.map(|target| target.hours) {
            self.measured = (0, Duration::zero());
        }
        (self.target, self.holds_from, self.ahead) = (target, at, None);
        if self.active {
            self.enter(at, Turn::Retargeted, log);
        }
    }

    /// Notices a warning and a breach that have come by `now`. What was written down stays as it was, and nothing is noticed
    /// of a time of which more was written down already: it was looked at by the business hours of then.
    pub(super) fn settle(&mut self, now: DateTime<Utc>, business: &Calendar, log: &mut Vec<Entry>) {
        if self.recall(now, log) || !self.active {
            return;
        }
        let Some(target) = self.target.filter(|_| self.breached.is_none()) else { return };
        // Each stretch once: histories may be long.
        self.measured = (self.ran.len(), self.used(target.hours, business));
        // Hours that count are never more than hours, and mostly that says enough.
        let runs = self.since.map_or_else(Duration::zero, |since| now - since);
        if self.measured.1 + runs < target.time - WARNING {
            return;
        }
        let ahead = match self.ahead {
            Some(ahead) => ahead,
            None => *self.ahead.insert(self.look_ahead(business)),
        };
        if !self.warned
            && let Some(at) = ahead.warning.filter(|at| *at <= now)
        {
            self.warned = true;
            self.enter(at, Turn::Warned, log);
        }
        if let Some(at) = ahead.breach.filter(|at| *at <= now) {
            self.breached = Some(at);
            self.enter(at, Turn::Breached, log);
        }
    }

    /// Goes through what was written down by `now`. Answers whether there is more.
    fn recall(&mut self, now: DateTime<Utc>, log: &mut Vec<Entry>) -> bool {
        while let Some(told) = self.told.next() {
            match told.turn {
                // It may have gone on at this very instant, which is still to come.
                Turn::Warned | Turn::Breached if told.at > now || (told.at == now && !self.active) => {
                    return true;
                }
                Turn::Warned if self.active && !self.warned && self.breached.is_none() => {
                    self.warned = true;
                    log.push(told);
                }
                Turn::Breached if self.active && self.breached.is_none() => {
                    self.breached = Some(told.at);
                    log.push(told);
                }
                Turn::Warned | Turn::Breached => {}
                // What has not happened after all.
                _ if told.at < now => {}
                _ => return true,
            }
            self.told.place += 1;
        }
        false
    }

    fn look_ahead(&self, business: &Calendar) -> Ahead {
        Ahead { warning: self.reaches(business, WARNING), breach: self.reaches(business, Duration::zero()) }
    }

    /// When all but so much of the promised time is used up, if nothing happens.
    fn reaches(&self, business: &Calendar, before: Duration) -> Option<DateTime<Utc>> {
        let target = self.target?;
        let wanted = (target.time - before).max(Duration::zero());
        let used = self.used(target.hours, business);
        let after = |from: DateTime<Utc>, left| match target.hours {
            Hours::Calendar => from.checked_add_signed(left),
            Hours::Business => business.add(from, left),
        };
        let at = if used < wanted {
            after(self.since?, wanted - used)
        } else {
            self.reached(business, target.hours, wanted, after)
        };
        at.map(|at| at.max(self.holds_from))
    }

    /// When so much time was used up that it is by now.
    fn reached(
        &self,
        business: &Calendar,
        hours: Hours,
        wanted: Duration,
        after: impl Fn(DateTime<Utc>, Duration) -> Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let mut left = wanted;
        for (from, to) in &self.ran {
            let here = measured(hours, business, *from, *to);
            if here >= left {
                return after(*from, left);
            }
            left -= here;
        }
        after(self.since?, left)
    }

    /// How much time was used up by all stretches that are over.
    fn used(&self, hours: Hours, business: &Calendar) -> Duration {
        // What was measured is of the hours of the target.
        let (count, sum) = if self.target.is_some() { self.measured } else { Default::default() };
        let rest = self.ran.iter().skip(count);
        rest.fold(sum, |sum, (from, to)| sum + measured(hours, business, *from, *to))
    }

    /// Where it stands at an instant up to which it was settled.
    pub(super) fn read(&self, now: DateTime<Utc>, business: &Calendar) -> Reading {
        let hours = self.target.map_or(Hours::Calendar, |target| target.hours);
        let runs = self.since.map(|since| measured(hours, business, since, now.max(since)));
        let spent = self.used(hours, business) + runs.unwrap_or_default();
        let ahead = self.active.then(|| self.ahead.unwrap_or_else(|| self.look_ahead(business)));
        let due = ahead.and_then(|ahead| ahead.breach);
        let warning = ahead.and_then(|ahead| ahead.warning).filter(|_| !self.warned);
        let open = self.breached.is_none();
        Reading {
            metric: self.metric,
            target: self.target,
            spent,
            active: self.active,
            running: self.since.is_some(),
            due: due.filter(|_| self.since.is_some()),
            next: warning.or(due).filter(|_| open),
            breached: self.breached,
            fulfilled: self.fulfilled,
        }
    }

    fn stop(&mut self, at: DateTime<Utc>) {
        self.ahead = None;
        if let Some(since) = self.since.take()
            && since < at
        {
            self.ran.push((since, at));
        }
    }

    fn enter(&mut self, at: DateTime<Utc>, turn: Turn, log: &mut Vec<Entry>) {
        let entry = Entry { at, metric: self.metric, turn };
        self.told.pass(entry);
        log.push(entry);
    }
}

fn measured(hours: Hours, business: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    match hours {
        Hours::Calendar => to - from,
        Hours::Business => business.between(from, to),
    }
}
