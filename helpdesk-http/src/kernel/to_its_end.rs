//! Futures that are finished, whoever stops waiting for them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future panicked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panicked;

/// Runs a future in its caller's task. If the caller is dropped before it is done, because the client hung up or the
/// time was over, it goes on in a task of its own: what a handler has begun, it finishes.
///
/// A task for each request from the beginning would do the same, at the price of a switch between threads for every
/// one of them.
pub(super) struct ToItsEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> ToItsEnd<T> {
    /// Runs what `begin` gives. It may panic before it gives anything: what a handler asks for is read by then.
    pub(super) fn new(begin: impl FnOnce() -> Pin<Box<dyn Future<Output = T> + Send>>) -> Self {
        Self(catch_unwind(AssertUnwindSafe(begin)).ok())
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Ready(Err(Panicked)) };
        // A future that panicked is dropped and never looked at again, so nothing half done is seen.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                self.0 = None;
                Poll::Ready(Ok(output))
            }
            Err(_) => {
                self.0 = None;
                Poll::Ready(Err(Panicked))
            }
        }
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { drop(future.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_is_finished_though_nobody_waits() {
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let work = ToItsEnd::new(|| {
            Box::pin(async move {
                begun.send(()).expect("somebody listens");
                may_go_on.await.expect("somebody says so");
                done.send(()).expect("somebody listens");
            })
        });
        tokio::select! {
            _ = work => unreachable!("it waits"),
            begun = has_begun => begun.expect("it has begun"),
        }
        go_on.send(()).expect("it waits");
        is_done.await.expect("it was finished");
    }

    #[tokio::test]
    async fn a_panic_is_an_outcome() {
        let work: ToItsEnd<()> = ToItsEnd::new(|| Box::pin(async { panic!("as the test wants") }));
        assert!(work.await.is_err());
        let work: ToItsEnd<()> = ToItsEnd::new(|| panic!("as the test wants"));
        assert!(work.await.is_err());
    }
}
