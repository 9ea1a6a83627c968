//! How many requests are taken.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use helpdesk_core::{Allowance, Limiter, Quota};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::failure::Failure;

/// A name for operations that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateClass(pub &'static str);

/// How many requests a dialect takes of one caller.
#[derive(Clone, Copy, Debug)]
pub enum Rates {
    /// So many of each class of operations; of those without a class, any number. `X-RateLimit-Reset` tells the
    /// seconds until all are there again.
    Classes(&'static [(RateClass, Quota)]),
    /// So many in all, also of those that no operation answers. `X-RateLimit-Reset` tells the time, in Unix seconds,
    /// by which all are there again.
    Callers {
        /// Of those who are known, by who they are.
        known: Quota,
        /// Of those who are not, by address.
        unknown: Quota,
    },
}

/// The limits of a dialect, and who counts.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// The limits.
    pub rates: Rates,
    /// Who counts.
    pub limiter: Arc<dyn Limiter>,
}

impl RateLimits {
    /// Counts a request of a class by a caller. Adds the headers that tell how much is left.
    pub(crate) fn count_class(
        &self,
        dialect: &str,
        class: Option<RateClass>,
        caller: &str,
        headers: &mut HeaderMap,
    ) -> Result<(), Failure> {
        let (Rates::Classes(classes), Some(class)) = (self.rates, class) else { return Ok(()) };
        let Some((_, quota)) = classes.iter().find(|(other, _)| *other == class) else { return Ok(()) };
        let key = format!("{dialect}:{}:{caller}", class.0);
        let left =
            self.limiter.attempt(&key, *quota).map_err(|retry_after| Failure::Limited { retry_after })?;
        tell(headers, *quota, left.remaining, left.reset.as_secs());
        Ok(())
    }

    /// Counts a request by a caller, whatever it is for. Adds the headers, also where it is refused.
    pub(crate) fn count_caller(
        &self,
        dialect: &str,
        known: Option<&str>,
        address: &str,
        now: DateTime<Utc>,
        headers: &mut HeaderMap,
    ) -> Result<(), Failure> {
        let Rates::Callers { known: of_known, unknown } = self.rates else { return Ok(()) };
        let (key, quota) = match known {
            Some(who) => (format!("{dialect}:known:{who}"), of_known),
            None => (format!("{dialect}:unknown:{address}"), unknown),
        };
        let counted = self.limiter.attempt(&key, quota);
        let Allowance { remaining, reset } = match counted {
            Ok(allowance) => allowance,
            // Nothing is left, and a whole stretch passes until everything is.
            Err(_) => Allowance { remaining: 0, reset: quota.within },
        };
        tell(headers, quota, remaining, unix_second(now, reset));
        counted.map(drop).map_err(|retry_after| Failure::Limited { retry_after })
    }
}

/// The second, since 1970, in which a stretch of time is over.
fn unix_second(now: DateTime<Utc>, reset: Duration) -> u64 {
    let now = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let reset = u64::try_from(reset.as_millis()).unwrap_or_default();
    now.saturating_add(reset).div_ceil(1_000)
}

fn tell(headers: &mut HeaderMap, quota: Quota, remaining: u32, reset: u64) {
    let number = |number: u64| HeaderValue::from(number);
    headers.extend([
        (HeaderName::from_static("x-ratelimit-limit"), number(u64::from(quota.times.get()))),
        (HeaderName::from_static("x-ratelimit-remaining"), number(u64::from(remaining))),
        (HeaderName::from_static("x-ratelimit-reset"), number(reset)),
    ]);
}
