//! How much a client says, and whether it makes sense.

use std::time::Duration;

use tokio::time::Instant;

use super::end::End;
use crate::settings::Settings;

/// What is kept of what a client said.
#[derive(Debug)]
pub(super) struct Manners {
    last: Instant,
    /// The second that is counted.
    second: Instant,
    count: u32,
    bad: u32,
}

impl Manners {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { last: now, second: now, count: 0, bad: 0 }
    }

    /// When it was last heard.
    pub(super) const fn last(&self) -> Instant {
        self.last
    }

    /// For how long it has not been heard.
    pub(super) fn quiet(&self) -> Duration {
        self.last.elapsed()
    }

    /// It took what it was sent, so it is there.
    pub(super) fn took(&mut self) {
        self.last = Instant::now();
    }

    /// It said something, whatever it was.
    pub(super) fn heard(&mut self, settings: &Settings) -> Result<(), End> {
        self.last = Instant::now();
        if self.last.duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.count) = (self.last, 0);
        }
        self.count += 1;
        if self.count > settings.messages_per_second {
            return Err(End::too_many("too many messages a second"));
        }
        Ok(())
    }

    /// It made sense.
    pub(super) const fn good(&mut self) {
        self.bad = 0;
    }

    /// It made none.
    pub(super) fn bad(&mut self, settings: &Settings) -> Result<(), End> {
        self.bad += 1;
        if self.bad > settings.bad_messages { Err(End::nonsense()) } else { Ok(()) }
    }
}
