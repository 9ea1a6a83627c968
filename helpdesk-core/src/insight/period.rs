//! Over which time figures are made: days, weeks and months by the clocks of a zone.

use std::ops::Range;

use chrono::{
    DateTime, Datelike as _, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc,
};
use chrono_tz::Tz;

use crate::error::{Error, Problem, Result};
use crate::storage::Unit;

/// How many days a report is about when nobody says.
const USUAL_DAYS: u64 = 30;
/// The most days that a report is about: five years.
const MOST_DAYS: i64 = 5 * 366;

/// An end of a time that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A whole day by the clocks of the organisation; at the end of a time that day is part of it.
    Day(NaiveDate),
    /// An instant; at the end of a time it is no longer part of it.
    Instant(DateTime<Utc>),
    /// The same, as the clocks of the organisation show it.
    Clock(NaiveDateTime),
}

/// What is counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// A day.
    #[default]
    Day,
    /// A week that begins on Monday.
    Week,
    /// A month.
    Month,
}

/// The time that somebody asks about. By default the last thirty days, today included, day by day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeframe {
    /// From when on. Default: thirty days up to the end.
    pub start: Option<Edge>,
    /// Until when. Default: the end of today.
    pub end: Option<Edge>,
    /// What is counted together.
    pub step: Step,
}

/// A time, and how it is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it is over.
    pub end: DateTime<Utc>,
    /// What is counted together.
    pub step: Step,
    /// By whose clocks.
    pub zone: Tz,
}

/// A stretch of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first day.
    pub begins: NaiveDate,
    /// Its name, as stores give it: see [`Unit::label`].
    pub label: String,
}

impl Step {
    /// The unit that stores count by.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Day => Unit::Day,
            Self::Week => Unit::Week,
            Self::Month => Unit::Month,
        }
    }

    /// The first day of the stretch that a day lies in.
    fn first(self, day: NaiveDate) -> NaiveDate {
        let back = match self {
            Self::Day => 0,
            Self::Week => day.weekday().num_days_from_monday(),
            Self::Month => day.day0(),
        };
        day.checked_sub_days(Days::new(back.into())).unwrap_or(day)
    }

    /// The first day of the stretch after the one that begins with a day.
    fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        }
    }

    fn label(self, first: NaiveDate) -> String {
        match self {
            Self::Day | Self::Week => first.format("%Y-%m-%d").to_string(),
            Self::Month => first.format("%Y-%m").to_string(),
        }
    }
}

impl Timeframe {
    /// The period that is meant, at a time and by the clocks of a zone.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::Error::Invalid) where the end lies before the start, or more than five years after it.
    pub fn period(&self, now: DateTime<Utc>, zone: Tz) -> Result<Period> {
        let day_of = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        let after = |day: NaiveDate| midnight(day.checked_add_days(Days::new(1)).unwrap_or(day), zone);
        let start = self.start.map(|edge| match edge {
            Edge::Day(day) => (midnight(day, zone), day),
            Edge::Instant(at) => (at, day_of(at)),
            Edge::Clock(local) => (shown(local, zone), local.date()),
        });
        let end = match self.end {
            Some(Edge::Day(day)) => after(day),
            Some(Edge::Instant(at)) => at,
            Some(Edge::Clock(local)) => shown(local, zone),
            None => after(start.map_or(day_of(now), |(_, day)| day.max(day_of(now)))),
        };
        let usual = || {
            let last = day_of(end - Duration::microseconds(1));
            midnight(last.checked_sub_days(Days::new(USUAL_DAYS - 1)).unwrap_or(last), zone)
        };
        let start = start.map_or_else(usual, |(at, _)| at);
        // A day that ends as another begins lies before that one.
        let before = end < start || (end == start && matches!(self.end, Some(Edge::Day(_))));
        let problem = if before {
            "not lie before the start"
        } else if end - start > Duration::days(MOST_DAYS + 1) {
            "lie within five years of the start"
        } else {
            return Ok(Period { start, end, step: self.step, zone });
        };
        Err(Error::invalid("end", Problem::Must(problem)))
    }
}

impl Period {
    /// The last days up to now, today included.
    #[must_use]
    pub fn last_days(days: u64, now: DateTime<Utc>, zone: Tz) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        let first = today.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(today);
        let end = midnight(today.checked_add_days(Days::new(1)).unwrap_or(today), zone);
        Self { start: midnight(first, zone), end, step: Step::Day, zone }
    }

    /// From when until when.
    #[must_use]
    pub const fn range(&self) -> Range<DateTime<Utc>> {
        self.start..self.end
    }

    /// The first and the last day of it.
    #[must_use]
    pub fn days(&self) -> (NaiveDate, NaiveDate) {
        let day_of = |at: DateTime<Utc>| at.with_timezone(&self.zone).date_naive();
        let last = (self.end - Duration::microseconds(1)).max(self.start);
        (day_of(self.start), day_of(last))
    }

    /// Every stretch of it, in order, whether or not anything happened in it.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let (first, last) = self.days();
        let firsts = std::iter::successors(Some(self.step.first(first)), |day| self.step.next(*day));
        firsts
            .take_while(|day| *day <= last)
            .map(|begins| Stretch { begins, label: self.step.label(begins) })
            .collect()
    }
}

/// When a day begins by the clocks of a zone.
pub(super) fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    shown(day.and_time(NaiveTime::MIN), zone)
}

/// When clocks show a time. Where they leave it out, when they show the first one after it; where they show it twice, the
/// first.
fn shown(time: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let shown = (0..=4 * 24).find_map(|quarter| {
        let local = time.checked_add_signed(Duration::minutes(15 * quarter))?;
        let at = zone.from_local_datetime(&local);
        let shows = |at: &DateTime<Tz>| at.naive_local() >= time;
        at.earliest().filter(shows).or_else(|| at.latest())
    });
    shown.map_or_else(|| time.and_utc(), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Africa, America, Asia, Europe};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn days(start: &str, end: &str) -> Timeframe {
        Timeframe { start: Some(Edge::Day(day(start))), end: Some(Edge::Day(day(end))), step: Step::Day }
    }

    #[test]
    fn days_begin_and_end_by_the_clocks_of_the_zone() {
        let now = at("2025-06-01T12:00:00Z");
        let period = days("2025-03-30", "2025-03-30").period(now, Europe::Warsaw).expect("a period");
        // The day on which summer time begins has 23 hours.
        assert_eq!(period.range(), at("2025-03-29T23:00:00Z")..at("2025-03-30T22:00:00Z"));
        let period = days("2025-01-01", "2025-01-02").period(now, Asia::Kolkata).expect("a period");
        assert_eq!(period.range(), at("2024-12-31T18:30:00Z")..at("2025-01-02T18:30:00Z"));
    }

    #[test]
    fn midnight_is_the_first_instant_of_its_day_wherever_clocks_change() {
        let zones = [
            Europe::Warsaw,
            Asia::Kolkata,
            Asia::Beirut,
            Africa::Cairo,
            America::Havana,
            America::Sao_Paulo,
            Asia::Amman,
            Tz::UTC,
        ];
        for zone in zones {
            for date in day("2015-01-01").iter_days().take(11 * 366) {
                let begins = midnight(date, zone);
                let label = |at| Unit::Day.label(at, zone);
                assert_eq!(label(begins), date.to_string(), "{zone}");
                assert!(label(begins - Duration::microseconds(1)) < date.to_string(), "{zone} {date}");
            }
        }
    }

    #[test]
    fn nothing_said_is_the_last_thirty_days_with_today() {
        let now = at("2025-01-15T23:30:00Z");
        let period = Timeframe::default().period(now, Europe::Warsaw).expect("a period");
        assert_eq!(period.days(), (day("2024-12-18"), day("2025-01-16")));
        assert_eq!(period.stretches().len(), 30);
        assert_eq!(period, Period::last_days(30, now, Europe::Warsaw));
        let until = Timeframe { end: Some(Edge::Day(day("2024-03-31"))), ..Timeframe::default() };
        let period = until.period(now, Europe::Warsaw).expect("a period");
        assert_eq!(period.days(), (day("2024-03-02"), day("2024-03-31")));
        let from = Timeframe { start: Some(Edge::Day(day("2025-01-10"))), ..Timeframe::default() };
        let period = from.period(now, Europe::Warsaw).expect("a period");
        assert_eq!(period.days(), (day("2025-01-10"), day("2025-01-16")));
        let ahead = Timeframe { start: Some(Edge::Day(day("2026-01-10"))), ..Timeframe::default() };
        let period = ahead.period(now, Europe::Warsaw).expect("a period");
        assert_eq!(period.days(), (day("2026-01-10"), day("2026-01-10")));
    }

    #[test]
    fn a_time_ends_after_it_begins_and_within_five_years() {
        let now = at("2025-01-15T12:00:00Z");
        let problem = |timeframe: Timeframe| match timeframe.period(now, Europe::Warsaw) {
            Err(crate::Error::Invalid(problems)) => problems.iter().next().map(|(field, _)| field.to_owned()),
            _ => None,
        };
        assert_eq!(problem(days("2025-01-02", "2025-01-01")).as_deref(), Some("end"));
        assert_eq!(problem(days("2019-01-01", "2025-01-01")).as_deref(), Some("end"));
        assert_eq!(problem(days("0001-01-01", "9999-12-31")).as_deref(), Some("end"));
        assert_eq!(problem(days("2020-01-01", "2024-12-31")), None);
        assert_eq!(problem(days("9999-12-31", "9999-12-31")), None);
        let five_years = days("2020-01-01", "2025-01-03").period(now, Asia::Kolkata).expect("a period");
        assert!(five_years.stretches().len() <= 2_000);
    }

    #[test]
    fn every_stretch_is_there_and_named_as_stores_name_it() {
        let now = at("2025-12-01T12:00:00Z");
        for zone in [Europe::Warsaw, Asia::Kolkata, America::Havana] {
            for step in [Step::Day, Step::Week, Step::Month] {
                let timeframe = Timeframe { step, ..days("2025-01-01", "2025-12-31") };
                let period = timeframe.period(now, zone).expect("a period");
                let labels: Vec<_> = period.stretches().into_iter().map(|stretch| stretch.label).collect();
                assert!(labels.is_sorted_by(|a, b| a < b));
                let mut hour = period.start;
                let mut seen = Vec::new();
                while hour < period.end {
                    seen.push(step.unit().label(hour, zone));
                    hour += Duration::minutes(30);
                }
                seen.dedup();
                seen.sort();
                seen.dedup();
                assert_eq!(labels, seen, "{zone} {step:?}");
            }
        }
    }
}
