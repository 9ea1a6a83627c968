//! Where time comes from.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// A source of the present, in UTC and cut to the microsecond.
///
/// Everything in this crate that depends on time asks a clock, so that a test moves time instead of waiting.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
        micros(Utc::now())
    }
}

/// A clock that stands still until it is moved, for tests.
///
/// ```
/// use chrono::{Duration, DateTime};
/// use helpdesk_core::{Clock, ManualClock};
///
/// let clock = ManualClock::at("2025-01-15T09:00:00Z".parse().unwrap());
/// clock.advance(Duration::minutes(15));
/// assert_eq!(clock.now(), "2025-01-15T09:15:00Z".parse::<DateTime<chrono::Utc>>().unwrap());
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows the given time.
    #[must_use]
    pub const fn at(time: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(time.timestamp_micros()))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, time: DateTime<Utc>) {
        self.0.store(time.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// An instant cut to the microsecond, the precision in which times are kept.
pub(crate) fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
