//! What the history of a ticket means for what was promised.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::meter::{Entry, Meter, Reading};
use super::metric::{Metric, Target, With};
use crate::tickets::Status;

/// What is promised: for each metric that anything is promised of, how long it may take.
pub type Targets = BTreeMap<Metric, Target>;

/// Something that happened to a ticket, as far as promises go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// It was made, in a status.
    Created(Status),
    /// It came into a status.
    Moved(Status),
    /// Somebody of the desk replied in public.
    DeskReplied,
    /// The requester, or somebody in their place, replied.
    RequesterReplied,
    /// It was looked at which promises hold, since it was made or something changed that they depend on.
    Promised(Targets),
    /// It was deleted.
    Deleted,
    /// It was brought back.
    Restored,
}

/// A fact with its time, and its place among those of the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// Its place in the event log, or the ticket's version: what came later has the higher one.
    pub place: i64,
    /// What.
    pub fact: Fact,
}

/// The metrics of a ticket, as its history and the present make them.
///
/// They are followed from fact to fact, by the same business hours all the time. Time passes by itself: it makes no
/// difference whether it was looked at in between.
#[derive(Clone, Debug)]
pub struct Levels {
    meters: [Meter; Metric::ALL.len()],
    /// With whom the ticket is; `None` before it is made and after it came to an end.
    with: Option<With>,
    deleted: bool,
    log: Vec<Entry>,
}

impl Default for Levels {
    fn default() -> Self {
        Self { meters: Metric::ALL.map(Meter::new), with: None, deleted: false, log: Vec::new() }
    }
}

impl Levels {
    /// The metrics of a ticket to which all this has happened, in whatever order it is told, as they stand at `now`. What
    /// is to happen after `now` has not happened.
    #[must_use]
    pub fn of(facts: &[Happened], business: &Calendar, now: DateTime<Utc>) -> Self {
        Self::after(&[], facts, business, now)
    }

    /// The same, where some of what came of it was written down before: `told`, in the order of time. That stays as it was
    /// and comes no second time, by whatever business hours it was measured then.
    #[must_use]
    pub fn after(told: &[Entry], facts: &[Happened], business: &Calendar, now: DateTime<Utc>) -> Self {
        let mut facts: Vec<_> = facts.iter().filter(|fact| fact.at <= now).collect();
        facts.sort_by_key(|fact| (fact.at, fact.place));
        let mut levels = Self::default();
        levels.meters.iter_mut().for_each(|meter| meter.remember(told.iter().copied()));
        for fact in facts {
            levels.happen(fact, business);
        }
        levels.tick(now, business);
        levels
    }

    /// Time has passed until `now`. Nothing is late while the ticket is deleted.
    pub fn tick(&mut self, now: DateTime<Utc>, business: &Calendar) {
        if self.deleted {
            return;
        }
        for meter in &mut self.meters {
            meter.settle(now, business, &mut self.log);
        }
    }

    /// Something has happened, after everything else.
    pub fn happen(&mut self, happened: &Happened, business: &Calendar) {
        let at = happened.at;
        // Whatever the fact is, what has been late until then is late.
        self.tick(at, business);
        match &happened.fact {
            Fact::Created(status) => {
                self.with = Some(With::Desk);
                let with = With::of(*status);
                self.each(|meter, log| {
                    if meter.metric().begins_with_ticket() {
                        meter.activate(at, with, log);
                    }
                });
                // One that was solved before it was written down takes no time.
                self.moved(at, *status);
            }
            Fact::Moved(status) => self.moved(at, *status),
            Fact::DeskReplied => {
                let with = self.running();
                self.each(|meter, log| {
                    if matches!(meter.metric(), Metric::FirstReply | Metric::NextReply) {
                        meter.fulfil(at, log);
                    } else if meter.metric().begins_with_replies() {
                        meter.fulfil(at, log);
                        if with.is_some_and(|with| with != With::Nobody) {
                            meter.activate(at, with, log);
                        }
                    }
                });
            }
            Fact::RequesterReplied => {
                let with = self.running();
                self.each(|meter, log| {
                    if meter.metric() == Metric::NextReply && !meter.is_active() && with.is_some() {
                        meter.activate(at, with, log);
                    }
                });
            }
            Fact::Promised(targets) => {
                self.each(|meter, log| meter.retarget(at, targets.get(&meter.metric()).copied(), log));
                // A promise that is shorter than what has passed is broken at once.
                self.tick(at, business);
            }
            Fact::Deleted => {
                self.deleted = true;
                self.each(|meter, log| meter.follow(at, None, log));
            }
            Fact::Restored => {
                if std::mem::take(&mut self.deleted) {
                    let with = self.with;
                    self.each(|meter, log| {
                        meter.hold_from(at);
                        meter.follow(at, with, log);
                    });
                    // A promise that was made shorter meanwhile is broken from now on.
                    self.tick(at, business);
                }
            }
        }
    }

    /// Where each metric stands, at an instant that everything was followed to.
    #[must_use]
    pub fn readings(&self, now: DateTime<Utc>, business: &Calendar) -> [Reading; Metric::ALL.len()] {
        self.meters.each_ref().map(|meter| {
            let reading = meter.read(now, business);
            Reading { next: reading.next.filter(|_| !self.deleted), ..reading }
        })
    }

    /// When there is next something to be noticed, if nothing happens.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>, business: &Calendar) -> Option<DateTime<Utc>> {
        self.readings(now, business).iter().filter_map(|reading| reading.next).min()
    }

    /// What has happened to the metrics, in the order of time.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        let mut log = self.log.clone();
        log.sort_by_key(|entry| (entry.at, entry.metric));
        log
    }

    fn moved(&mut self, at: DateTime<Utc>, status: Status) {
        let was = std::mem::replace(&mut self.with, With::of(status));
        let (with, running) = (self.with, self.running());
        self.each(|meter, log| match with {
            // Refused, taken back, merged, no request: the clocks stop, and nothing was broken.
            None => meter.drop_with_ticket(at, log),
            Some(With::Nobody) => {
                let metric = meter.metric();
                if metric.ends_when_solved_and_goes_on() || metric == Metric::NextReply {
                    meter.fulfil(at, log);
                } else if metric.begins_with_replies() {
                    meter.drop_at(at, log);
                } else {
                    if meter.was_dropped() {
                        meter.reopen(at);
                    }
                    meter.follow(at, running, log);
                }
            }
            Some(_) => {
                let again = match was {
                    // What was dropped with the ticket goes on with it.
                    None => {
                        meter.was_dropped() || (meter.metric().begins_with_ticket() && !meter.is_answered())
                    }
                    Some(With::Nobody) => meter.metric().ends_when_solved_and_goes_on(),
                    Some(_) => false,
                };
                if again {
                    meter.reopen(at);
                }
                meter.follow(at, running, log);
            }
        });
    }

    /// With whom the ticket is as far as time goes.
    fn running(&self) -> Option<With> {
        if self.deleted { None } else { self.with }
    }

    fn each(&mut self, mut change: impl FnMut(&mut Meter, &mut Vec<Entry>)) {
        for meter in &mut self.meters {
            change(meter, &mut self.log);
        }
    }
}

#[cfg(test)]
mod tests;
