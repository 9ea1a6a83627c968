//! Business hours: when a desk is open, and how much of that lies between two instants.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Microseconds of a day of 24 hours.
const DAY: i64 = 86_400 * SECOND;
/// The days that are looked through for open hours before they are given up: thirty years.
const HORIZON: i64 = 30 * 366;

/// A stretch of a day by the clocks of the calendar's zone, in seconds since midnight.
///
/// A stretch that goes on after midnight ends beyond 86,400: from 22:00 to 06:00 is 79,200 to 108,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The whole day.
    pub const ALL_DAY: Self = Self { start: 0, end: 86_400 };

    /// From one time of the day to another; to one of the next day where the end does not come after the start.
    ///
    /// Answers `None` where the start is no time of a day, or the end beyond the next midnight.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Option<Self> {
        if start >= 86_400 || end > 86_400 {
            return None;
        }
        let end = if end > start { end } else { end + 86_400 };
        Some(Self { start, end })
    }

    /// From an hour and minute to another.
    ///
    /// Answers `None` where one of them is no time of a day.
    #[must_use]
    pub const fn hours(from: (u32, u32), to: (u32, u32)) -> Option<Self> {
        if from.1 >= 60 || to.1 >= 60 {
            return None;
        }
        Self::new(from.0 * 3_600 + from.1 * 60, to.0 * 3_600 + to.1 * 60)
    }

    /// Whether it is one that [`new`](Self::new) makes, however it was read.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.start < 86_400 && self.start < self.end && self.end <= self.start + 86_400
    }
}

/// The business hours of a desk: spans for each day of the week, other spans for single dates, in a time zone.
///
/// An instant is open if the clocks of the zone show a time that lies in a span of its date, or in what a span of the
/// date before has after midnight. So an hour that is left out when summer time begins is never open, and one that is
/// there twice is open twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    zone: Tz,
    /// By day of the week, Monday first.
    week: [Vec<Span>; 7],
    /// Holidays, which have none, and days with other hours.
    dates: BTreeMap<NaiveDate, Vec<Span>>,
}

impl Calendar {
    /// Always open.
    #[must_use]
    pub fn always() -> Self {
        Self { zone: Tz::UTC, week: std::array::from_fn(|_| vec![Span::ALL_DAY]), dates: BTreeMap::new() }
    }

    /// Never open, until days are given hours.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self { zone, week: Default::default(), dates: BTreeMap::new() }
    }

    /// Gives a day of the week hours, in place of those it had.
    #[must_use]
    pub fn on(mut self, day: chrono::Weekday, spans: impl IntoIterator<Item = Span>) -> Self {
        self.week[day.num_days_from_monday() as usize] = spans.into_iter().collect();
        self
    }

    /// Gives Monday to Friday hours.
    #[must_use]
    pub fn on_workdays(mut self, span: Span) -> Self {
        self.week[..5].iter_mut().for_each(|day| *day = vec![span]);
        self
    }

    /// Gives a date other hours than its day of the week has; none, where it is a holiday. What the day before has after
    /// midnight stays.
    #[must_use]
    pub fn except(mut self, date: NaiveDate, spans: impl IntoIterator<Item = Span>) -> Self {
        self.dates.insert(date, spans.into_iter().collect());
        self
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The hours of each day of the week, Monday first.
    #[must_use]
    pub const fn week(&self) -> &[Vec<Span>; 7] {
        &self.week
    }

    /// The dates that have other hours.
    #[must_use]
    pub const fn dates(&self) -> &BTreeMap<NaiveDate, Vec<Span>> {
        &self.dates
    }

    /// Whether the desk is open at an instant.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone).naive_local();
        let time = micros_of(local) - day_of(local.date());
        let within = |date: NaiveDate, time: i64| {
            self.spans(date)
                .iter()
                .any(|span| (i64::from(span.start) * SECOND..i64::from(span.end) * SECOND).contains(&time))
        };
        within(local.date(), time) || local.date().pred_opt().is_some_and(|before| within(before, time + DAY))
    }

    /// How long the desk is open from one instant to another; zero where the second does not come after the first.
    #[must_use]
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
        let (from, to) = (from.timestamp_micros(), to.timestamp_micros());
        let mut open = 0;
        let mut day = from.div_euclid(DAY);
        let last = self.last_day();
        while day * DAY < to && last.is_none_or(|last| day <= last) {
            for (start, end) in self.open_on(day) {
                open += (end.min(to) - start.max(from)).max(0);
            }
            day += 1;
        }
        Duration::microseconds(open)
    }

    /// The first instant by which the desk has been open for so long since another; the other itself, where that is no
    /// time at all. `None` where the desk is not open for so long in thirty years.
    #[must_use]
    pub fn add(&self, start: DateTime<Utc>, open: Duration) -> Option<DateTime<Utc>> {
        let from = start.timestamp_micros();
        let mut left = open.num_microseconds()?;
        if left <= 0 {
            return Some(start);
        }
        let first = from.div_euclid(DAY);
        let end = self.last_day().map_or(first + HORIZON, |last| (first + HORIZON).min(last + 1));
        for day in first..end {
            for (start, end) in self.open_on(day) {
                let start = start.max(from);
                let here = (end - start).max(0);
                if here >= left {
                    return DateTime::from_timestamp_micros(start + left);
                }
                left -= here;
            }
        }
        None
    }

    /// The last day, counted in UTC, on which it may be open, where it is not open in every week.
    fn last_day(&self) -> Option<i64> {
        if self.week.iter().any(|spans| !spans.is_empty()) {
            return None;
        }
        let last = self.dates.iter().rev().find(|(_, spans)| !spans.is_empty());
        // A span may go on to the end of the next day, and that may be a day later in UTC.
        Some(last.map_or(i64::MIN, |(date, _)| i64::from(date.to_epoch_days()) + 2))
    }

    fn spans(&self, date: NaiveDate) -> &[Span] {
        let usual = &self.week[date.weekday().num_days_from_monday() as usize];
        self.dates.get(&date).unwrap_or(usual)
    }

    /// The open stretches of a day in UTC, in order and apart from one another, in microseconds since 1970.
    fn open_on(&self, day: i64) -> Vec<(i64, i64)> {
        let (start, end) = (day * DAY, (day + 1) * DAY);
        let mut open = Vec::new();
        // Clocks are changed at most once in a day, and between two changes a local time is one instant.
        match self.change(start, end) {
            Some(change) => {
                self.open_within(start, change, &mut open);
                self.open_within(change, end, &mut open);
            }
            None => self.open_within(start, end, &mut open),
        }
        open.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::with_capacity(open.len());
        for (start, end) in open {
            match apart.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => apart.push((start, end)),
            }
        }
        apart
    }

    /// Adds the open stretches of a time in which the clocks are not changed.
    fn open_within(&self, start: i64, end: i64, open: &mut Vec<(i64, i64)>) {
        let offset = self.offset(start);
        let (first, last) = ((start + offset).div_euclid(DAY) - 1, (end - 1 + offset).div_euclid(DAY));
        for local_day in first..=last {
            let Some(date) = date_of(local_day) else { continue };
            for span in self.spans(date) {
                let from = local_day * DAY + i64::from(span.start) * SECOND - offset;
                let to = local_day * DAY + i64::from(span.end) * SECOND - offset;
                if from.max(start) < to.min(end) {
                    open.push((from.max(start), to.min(end)));
                }
            }
        }
    }

    /// By how many microseconds the clocks of the zone are ahead of UTC at an instant.
    fn offset(&self, at: i64) -> i64 {
        let at = DateTime::from_timestamp_micros(at).unwrap_or_default().naive_utc();
        i64::from(self.zone.offset_from_utc_datetime(&at).fix().local_minus_utc()) * SECOND
    }

    /// The first instant after which the clocks show something else, where they are changed in a stretch.
    fn change(&self, start: i64, end: i64) -> Option<i64> {
        let before = self.offset(start);
        if self.offset(end - 1) == before {
            return None;
        }
        let (mut low, mut high) = (start.div_euclid(SECOND), end.div_euclid(SECOND));
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.offset(middle * SECOND) == before { low = middle } else { high = middle }
        }
        Some(high * SECOND)
    }
}

fn micros_of(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp_micros()
}

fn day_of(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

fn date_of(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn span(from: (u32, u32), to: (u32, u32)) -> Span {
        Span::hours(from, to).expect("a span")
    }

    /// Monday to Friday, nine to five.
    fn office(zone: Tz) -> Calendar {
        Calendar::new(zone).on_workdays(span((9, 0), (17, 0)))
    }

    #[test]
    fn nights_and_weekends_do_not_count() {
        let desk = office(Tz::Europe__Berlin);
        // A Friday afternoon in summer, two hours before five.
        let friday = at("2025-07-04T13:00:00Z");
        assert_eq!(desk.add(friday, Duration::hours(3)), Some(at("2025-07-07T08:00:00Z")));
        assert_eq!(desk.between(friday, at("2025-07-07T08:00:00Z")), Duration::hours(3));
        // Time that runs out at five does so on Friday, and not on Monday.
        assert_eq!(desk.add(friday, Duration::hours(2)), Some(at("2025-07-04T15:00:00Z")));
        assert!(desk.is_open(friday) && !desk.is_open(at("2025-07-04T15:00:00Z")));
    }

    #[test]
    fn holidays_and_short_days_take_the_place_of_usual_hours() {
        let desk = office(Tz::UTC)
            .except(date("2025-12-25"), [])
            .except(date("2025-12-24"), [span((9, 0), (12, 0))]);
        assert_eq!(
            desk.add(at("2025-12-24T11:00:00Z"), Duration::hours(2)),
            Some(at("2025-12-26T10:00:00Z"))
        );
    }

    #[test]
    fn a_shift_over_midnight_belongs_to_the_day_it_begins_on() {
        let desk = Calendar::new(Tz::UTC).on(Weekday::Mon, [span((22, 0), (6, 0))]);
        assert!(desk.is_open(at("2025-07-08T05:59:59Z")) && !desk.is_open(at("2025-07-07T05:59:59Z")));
        assert_eq!(desk.between(at("2025-07-07T00:00:00Z"), at("2025-07-14T00:00:00Z")), Duration::hours(8));
        // Also after a holiday's eve.
        let desk = desk.except(date("2025-07-08"), []);
        assert!(desk.is_open(at("2025-07-08T05:59:59Z")));
    }

    #[test]
    fn an_hour_that_is_left_out_is_not_open_and_one_that_is_there_twice_is_open_twice() {
        let desk = Calendar::new(Tz::Europe__Berlin).on(Weekday::Sun, [span((1, 0), (4, 0))]);
        let day = |text: &str| {
            (at(&format!("{text}T00:00:00Z")) - Duration::hours(2), at(&format!("{text}T22:00:00Z")))
        };
        let (start, end) = day("2025-03-30");
        assert_eq!(desk.between(start, end), Duration::hours(2));
        let (start, end) = day("2025-10-26");
        assert_eq!(desk.between(start, end), Duration::hours(4));
        let (start, end) = day("2025-06-01");
        assert_eq!(desk.between(start, end), Duration::hours(3));
    }

    #[test]
    fn spans_that_overlap_count_once() {
        let desk = Calendar::new(Tz::UTC)
            .on(Weekday::Mon, [span((20, 0), (4, 0)), span((9, 0), (12, 0)), span((11, 0), (13, 0))])
            .on(Weekday::Tue, [span((0, 0), (5, 0))]);
        assert_eq!(
            desk.between(at("2025-07-07T00:00:00Z"), at("2025-07-09T00:00:00Z")),
            Duration::hours(4 + 4 + 5)
        );
    }

    #[test]
    fn a_desk_that_never_opens_never_comes_to_it() {
        let never = Calendar::new(Tz::UTC);
        assert_eq!(never.add(at("2025-01-01T00:00:00Z"), Duration::seconds(1)), None);
        assert_eq!(never.between(at("2025-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), Duration::zero());
        assert_eq!(Span::new(86_400, 90_000), None);
        assert_eq!(Span::hours((9, 60), (10, 0)), None);
    }

    #[test]
    fn a_desk_that_opens_on_single_dates_alone_is_open_until_the_last_of_them_is_over() {
        for zone in [Tz::Pacific__Kiritimati, Tz::UTC, Tz::Pacific__Honolulu] {
            let desk = Calendar::new(zone)
                .except(date("2025-07-08"), [span((12, 0), (11, 0))])
                .except(date("2025-07-10"), []);
            let (from, to) = (at("2025-07-01T00:00:00Z"), at("2025-08-01T00:00:00Z"));
            assert_eq!(desk.between(from, to), Duration::hours(23));
            let end = desk.add(from, Duration::hours(23)).expect("it opens");
            assert_eq!(end.with_timezone(&zone).naive_local().to_string(), "2025-07-09 11:00:00");
            assert_eq!(desk.add(from, Duration::hours(24)), None);
            assert_eq!(desk.add(to, Duration::hours(1)), None);
        }
    }

    const ZONES: [Tz; 6] = [
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        // Half an hour of summer time, and clocks three quarters of an hour off.
        Tz::Australia__Lord_Howe,
        Tz::Asia__Kathmandu,
        Tz::America__Sao_Paulo,
    ];

    prop_compose! {
        fn calendars()(
            zone in prop::sample::select(&ZONES[..]),
            week in prop::collection::vec(prop::collection::vec((0..1_440_u32, 0..=1_440_u32), 0..3), 7),
            dates in prop::collection::btree_map(0..40_i64, prop::collection::vec((0..1_440_u32, 0..=1_440_u32), 0..2), 0..4),
            begin in prop::sample::select(&["2025-03-20", "2025-10-20", "2018-10-25", "2025-01-01"][..]),
        ) -> (Calendar, DateTime<Utc>) {
            let spans = |minutes: &[(u32, u32)]| -> Vec<Span> {
                minutes.iter().filter_map(|(start, end)| Span::new(start * 60, end * 60)).collect()
            };
            let begin = date(begin);
            let mut calendar = Calendar::new(zone);
            for (day, minutes) in week.iter().enumerate() {
                calendar.week[day] = spans(minutes);
            }
            for (day, minutes) in &dates {
                calendar = calendar.except(begin + Duration::days(*day), spans(minutes));
            }
            (calendar, begin.and_hms_opt(0, 0, 0).expect("midnight").and_utc())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        /// Minute by minute, over days in which clocks are changed.
        #[test]
        fn the_open_time_is_that_of_each_minute_looked_at(
            (calendar, begin) in calendars(),
            from in 0..20_000_i64,
            length in 0..12_000_i64,
        ) {
            let minute = |number: i64| begin + Duration::minutes(number);
            let open = (from..from + length).filter(|number| calendar.is_open(minute(*number))).count();
            let between = calendar.between(minute(from), minute(from + length));
            prop_assert_eq!(between, Duration::minutes(i64::try_from(open).expect("a small number")));
        }

        /// Open time adds up, wherever it is divided, and comes back from what is added.
        #[test]
        fn open_time_is_additive(
            (calendar, begin) in calendars(),
            mut cuts in prop::array::uniform3(0..3_000_000_000_000_i64),
            open in 1..400_000_000_000_i64,
        ) {
            cuts.sort_unstable();
            let [a, b, c] = cuts.map(|cut| begin + Duration::microseconds(cut));
            prop_assert_eq!(calendar.between(a, b) + calendar.between(b, c), calendar.between(a, c));
            prop_assert_eq!(calendar.between(c, a), Duration::zero());
            let (open, half) = (Duration::microseconds(open), Duration::microseconds(open / 2));
            if let Some(end) = calendar.add(a, open) {
                prop_assert_eq!(calendar.between(a, end), open);
                // It is the first such instant.
                prop_assert!(calendar.between(a, end - Duration::microseconds(1)) < open);
                let middle = calendar.add(a, half).expect("less is there if more is");
                prop_assert_eq!(calendar.add(middle, open - half), Some(end));
            }
        }
    }
}
