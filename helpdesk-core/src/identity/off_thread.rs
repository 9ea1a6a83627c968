//! Work that takes a while, off the async threads.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Room for so much work at a time. What there is no room for waits.
#[derive(Debug)]
pub(super) struct OffThread(Arc<Semaphore>);

impl OffThread {
    pub(super) fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// Does the work once there is room for it. It is done to its end also where nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        })
        .await
        .map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    #[tokio::test]
    async fn only_so_much_is_done_at_a_time() {
        let off_thread = OffThread::new(2);
        let (started, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let (finish, finished) = mpsc::channel::<()>();
        let finished = Arc::new(Mutex::new(finished));
        let work = |number: usize| {
            let (started, finished) = (started.clone(), Arc::clone(&finished));
            off_thread.run(move || {
                started.send(number).expect("the test waits");
                finished.lock().expect("nobody panicked").recv().expect("the test says so");
            })
        };
        let mut all = Box::pin(async { tokio::join!(work(0), work(1), work(2)) });
        let first = async { (begun.recv().await, begun.recv().await) };
        let first = tokio::select! { biased; _ = &mut all => None, first = first => Some(first) };
        assert!(first.is_some_and(|(one, other)| one.is_some() && other.is_some()));
        assert_eq!(off_thread.0.available_permits(), 0);
        assert!(begun.try_recv().is_err(), "the third waits");
        (0..3).for_each(|_| finish.send(()).expect("somebody waits"));
        let (one, two, three) = all.await;
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert!(begun.try_recv().is_ok());
    }
}
