//! Limits on how often something may be tried.

use std::borrow::Cow;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, Reference};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota as Rate, RateLimiter};

use crate::clock::Clock;

/// So many times within a stretch of time. Spent attempts come back evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// How many times.
    pub times: NonZeroU32,
    /// Within how long.
    pub within: Duration,
}

impl Quota {
    /// So many times (at least once) within so many seconds.
    #[must_use]
    pub const fn new(times: u32, seconds: u64) -> Self {
        let times = match NonZeroU32::new(times) {
            Some(times) => times,
            None => NonZeroU32::MIN,
        };
        Self { times, within: Duration::from_secs(seconds) }
    }
}

/// What is left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many more times at once.
    pub remaining: u32,
    /// Until the whole quota is there again.
    pub reset: Duration,
}

/// Counts attempts. In process by default; a team with several servers may bring one that they share.
pub trait Limiter: Debug + Send + Sync + 'static {
    /// Counts an attempt under a key.
    ///
    /// # Errors
    ///
    /// How long to wait, where the quota is spent. The attempt is then not counted.
    fn attempt(&self, key: &str, quota: Quota) -> Result<Allowance, Duration>;
}

/// What callers that nobody knows are counted by, of the address that they come from. A household or a rented machine has a whole /64 of IPv6 addresses, and
/// with each of them its own count nobody would ever reach a limit. An IPv4 address is the same however it is written.
#[must_use]
pub fn network_of(address: &str) -> Cow<'_, str> {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => Cow::Owned(address.to_string()),
        Ok(IpAddr::V6(address)) => {
            let prefix = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
            Cow::Owned(format!("{prefix}/64"))
        }
        Err(_) => Cow::Borrowed(address),
    }
}

/// Lets everything pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Limiter for Unlimited {
    fn attempt(&self, _: &str, quota: Quota) -> Result<Allowance, Duration> {
        Ok(Allowance { remaining: quota.times.get(), reset: Duration::ZERO })
    }
}

/// Counts in this process, by the generic cell rate algorithm.
#[derive(Debug)]
pub struct LocalLimiter {
    clock: LimiterClock,
    // One table a quota: there are a handful of them, fixed by the program.
    tables: std::sync::Mutex<Vec<(Quota, Arc<Table>)>>,
}

type Counts = RateLimiter<String, DashMapStateStore<String>, LimiterClock, StateInformationMiddleware>;

/// The counts of one quota.
#[derive(Debug)]
struct Table {
    counts: Counts,
    /// At more keys than these it is swept again.
    swept_above: AtomicUsize,
}

/// How many keys a table may hold before those whose quota is whole again are dropped from it.
const MANY_KEYS: usize = 10_000;

impl Table {
    /// Drops the keys whose quota is whole again, once there are many. A sweep looks at every key, so the next one waits
    /// until there are twice as many as it left: where all keys are in use, an attempt would otherwise cost as much as
    /// there are keys.
    fn sweep(&self) {
        let above = self.swept_above.load(Ordering::Relaxed);
        if self.counts.len() <= above {
            return;
        }
        // Of those who find it too large at the same time, one sweeps.
        if self.swept_above.compare_exchange(above, usize::MAX, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.counts.retain_recent();
            self.swept_above.store((self.counts.len() * 2).max(MANY_KEYS), Ordering::Relaxed);
        }
    }
}

impl LocalLimiter {
    /// A limiter that goes by a clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock: LimiterClock(clock), tables: std::sync::Mutex::default() }
    }

    fn table(&self, quota: Quota) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, table)) = tables.iter().find(|(other, _)| *other == quota) {
            return Arc::clone(table);
        }
        let period = quota.within / quota.times.get();
        let rate = Rate::with_period(period)
            .unwrap_or_else(|| Rate::per_second(NonZeroU32::MAX))
            .allow_burst(quota.times);
        let plain: RateLimiter<_, _, _, NoOpMiddleware<Instant>> =
            RateLimiter::new(rate, DashMapStateStore::default(), self.clock.clone());
        let counts = plain.with_middleware::<StateInformationMiddleware>();
        let table = Arc::new(Table { counts, swept_above: AtomicUsize::new(MANY_KEYS) });
        tables.push((quota, Arc::clone(&table)));
        table
    }
}

impl Limiter for LocalLimiter {
    fn attempt(&self, key: &str, quota: Quota) -> Result<Allowance, Duration> {
        let table = self.table(quota);
        table.sweep();
        match table.counts.check_key(&key.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let spent = quota.times.get().saturating_sub(remaining);
                Ok(Allowance { remaining, reset: quota.within / quota.times.get() * spent })
            }
            Err(until) => Err(until.wait_time_from(self.clock.now())),
        }
    }
}

/// The help desk's clock, as governor asks for it.
#[derive(Clone, Debug)]
struct LimiterClock(Arc<dyn Clock>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Instant(u64);

impl Reference for Instant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        Nanos::from(self.0.saturating_sub(earlier.0))
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.as_u64()))
    }
}

impl std::ops::Add<Nanos> for Instant {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0.saturating_add(duration.as_u64()))
    }
}

impl governor::clock::Clock for LimiterClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant(u64::try_from(self.0.now().timestamp_micros()).unwrap_or_default().saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_quota_is_spent_by_key_and_comes_back_with_time() {
        let clock = Arc::new(ManualClock::at("2025-01-15T09:00:00Z".parse().expect("an instant")));
        let limiter = LocalLimiter::new(clock.clone());
        let quota = Quota::new(3, 60);
        for remaining in [2, 1, 0] {
            assert_eq!(limiter.attempt("ada", quota).map(|left| left.remaining), Ok(remaining));
        }
        let wait = limiter.attempt("ada", quota).expect_err("the quota is spent");
        assert_eq!(wait, Duration::from_secs(20));
        assert!(limiter.attempt("gus", quota).is_ok());
        clock.advance(chrono::Duration::seconds(20));
        assert!(limiter.attempt("ada", quota).is_ok());
        assert!(limiter.attempt("ada", quota).is_err());
    }

    #[test]
    fn a_table_is_swept_when_it_has_doubled() {
        let clock = Arc::new(ManualClock::at("2025-01-15T09:00:00Z".parse().expect("an instant")));
        let limiter = LocalLimiter::new(clock.clone());
        let quota = Quota::new(1, 60);
        let table = limiter.table(quota);
        let come = |keys: std::ops::Range<usize>| {
            keys.for_each(|key| assert!(limiter.attempt(&key.to_string(), quota).is_ok()));
        };
        // All of them are in use: the sweep at the first that is too many finds nothing to drop.
        come(0..MANY_KEYS + 2);
        assert_eq!(table.counts.len(), MANY_KEYS + 2);
        let next = 2 * (MANY_KEYS + 1);
        assert_eq!(table.swept_above.load(Ordering::Relaxed), next);
        clock.advance(chrono::Duration::seconds(120));
        come(MANY_KEYS + 2..next + 1);
        assert_eq!(table.counts.len(), next + 1, "not before there are twice as many");
        clock.advance(chrono::Duration::seconds(120));
        come(next + 1..next + 2);
        assert_eq!(table.counts.len(), 1);
        assert_eq!(table.swept_above.load(Ordering::Relaxed), MANY_KEYS);
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        for (address, key) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network_of(address), key, "{address}");
        }
    }
}
