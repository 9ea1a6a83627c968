//! How many requests are taken.

use std::sync::Arc;

use helpdesk_core::{Allowance, Limiter, Quota};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::failure::Failure;

/// A name for operations that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateClass(pub &'static str);

/// The limits of a dialect: its classes, and who counts.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// What each class allows one caller.
    pub classes: &'static [(RateClass, Quota)],
    /// Who counts.
    pub limiter: Arc<dyn Limiter>,
}

impl RateLimits {
    /// Counts a request of a class by a caller. Answers the headers that tell how much is left.
    pub(crate) fn count(&self, dialect: &str, class: RateClass, caller: &str) -> Result<HeaderMap, Failure> {
        let Some((_, quota)) = self.classes.iter().find(|(other, _)| *other == class) else {
            return Ok(HeaderMap::new());
        };
        let key = format!("{dialect}:{}:{caller}", class.0);
        match self.limiter.attempt(&key, *quota) {
            Ok(allowance) => Ok(headers(*quota, allowance)),
            Err(retry_after) => Err(Failure::Limited { retry_after }),
        }
    }
}

fn headers(quota: Quota, allowance: Allowance) -> HeaderMap {
    let number = |number: u64| HeaderValue::from(number);
    HeaderMap::from_iter([
        (HeaderName::from_static("x-ratelimit-limit"), number(u64::from(quota.times.get()))),
        (HeaderName::from_static("x-ratelimit-remaining"), number(u64::from(allowance.remaining))),
        (HeaderName::from_static("x-ratelimit-reset"), number(allowance.reset.as_secs())),
    ])
}
