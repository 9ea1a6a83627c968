//! Whether anything happens on a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What is known of a connection by those that end it. Requests only count up and down here, and one timer looks now
/// and then: none is set for each.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many requests are not answered to their end.
    requests: usize,
    /// Whether there ever was one.
    had_requests: bool,
    /// Whether the client is to take something first.
    writing: bool,
    /// When that was last otherwise.
    since: Instant,
    /// Whether something else than HTTP is spoken by now.
    released: bool,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        let since = Instant::now();
        let state = State { requests: 0, had_requests: false, writing: false, since, released: false };
        Arc::new(Self(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come. It counts until the answer is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Running {
        let mut state = self.state();
        state.requests += 1;
        state.had_requests = true;
        drop(state);
        Running(Arc::clone(self))
    }

    /// Whether there ever was a request.
    pub(super) fn had_requests(&self) -> bool {
        self.state().had_requests
    }

    /// Whether what is written waits for the client.
    pub(super) fn writing(&self, writing: bool) {
        let mut state = self.state();
        state.writing = writing;
        state.since = Instant::now();
    }

    /// Begins to count anew.
    pub(super) fn touch(&self) {
        self.state().since = Instant::now();
    }

    /// The connection belongs to somebody else from now on.
    pub(super) fn release(&self) {
        self.state().released = true;
    }

    pub(super) fn is_released(&self) -> bool {
        self.state().released
    }

    /// Waits until nothing has happened for so long.
    pub(super) async fn stops(&self, after: Duration) {
        loop {
            let now = Instant::now();
            let at = {
                let state = self.state();
                let is_idle = state.requests == 0 && !state.writing;
                if is_idle { state.since + after } else { now + after }
            };
            if at <= now {
                return;
            }
            sleep_until(at).await;
        }
    }
}

/// A request that is not answered to its end.
#[derive(Debug)]
pub(super) struct Running(Arc<Pulse>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.since = Instant::now();
    }
}
