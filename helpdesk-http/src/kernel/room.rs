//! Room for the bodies that are read at a time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use helpdesk_core::Error;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::body::RequestBody;
use super::failure::Failure;

/// What is read of any body without room being taken for it: ordinary calls never wait.
const SMALL: u64 = 64 * 1024;
/// In how many bytes room is counted.
const UNIT: u64 = 1024;

/// How much memory the bodies of all requests may take, and how long it may take to read one.
#[derive(Clone, Debug)]
pub(crate) struct BodyRoom {
    units: Arc<Semaphore>,
    all: u32,
    time_limit: Duration,
}

/// Room that a body takes, until it is dropped.
pub(crate) type Held = Option<OwnedSemaphorePermit>;

/// All room is taken.
#[derive(Debug, thiserror::Error)]
#[error("the bodies of other requests take all the memory there is for them")]
struct Taken;

impl BodyRoom {
    pub(crate) fn new(bytes: u64, time_limit: Duration) -> Self {
        let all = units(bytes);
        Self { units: Arc::new(Semaphore::new(all as usize)), all, time_limit }
    }

    /// The body again, and room for all of it, so many bytes at most, where it is more than a little. Its beginning is
    /// read first: a client that announces much and sends nothing takes none.
    ///
    /// # Errors
    ///
    /// Where nothing comes within the time limit, or there is no room within it.
    pub(crate) async fn admit(&self, body: RequestBody, most: u64) -> Result<(RequestBody, Held), Failure> {
        if most <= SMALL {
            return Ok((body, None));
        }
        let begun = self.in_time(Begun::read(body)).await?;
        if begun.rest.is_none() {
            return Ok((begun.boxed_unsync(), None));
        }
        // What is larger than all room there is has all of it.
        let wanted = units(most).min(self.all);
        let held = timeout(self.time_limit, Arc::clone(&self.units).acquire_many_owned(wanted)).await;
        match held {
            Ok(Ok(held)) => Ok((begun.boxed_unsync(), Some(held))),
            _ => {
                // A client that is still sending when the connection closes may never read why.
                tokio::spawn(timeout(self.time_limit, begun.discard()));
                Err(Failure::Core(Error::Unavailable { source: Box::new(Taken) }))
            }
        }
    }

    /// What comes of a body, if it comes in time.
    pub(crate) async fn in_time<T>(&self, reading: impl Future<Output = T>) -> Result<T, Failure> {
        timeout(self.time_limit, reading).await.map_err(|_| Failure::TimedOut)
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body whose beginning was read.
struct Begun {
    first: VecDeque<Result<Frame<Bytes>, BoxError>>,
    /// What follows; nothing where that was all.
    rest: Option<RequestBody>,
}

impl Begun {
    async fn read(mut body: RequestBody) -> Self {
        let (mut first, mut size) = (VecDeque::new(), 0);
        while size <= SMALL {
            let Some(frame) = body.frame().await else { return Self { first, rest: None } };
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            size += data.map_or(0, Bytes::len) as u64;
            first.push_back(frame);
        }
        Self { first, rest: Some(body) }
    }

    /// Reads the rest and keeps none of it.
    async fn discard(self) {
        let Some(mut rest) = self.rest else { return };
        drop(self.first);
        while let Some(Ok(_)) = rest.frame().await {}
    }
}

impl Body for Begun {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.first.pop_front() {
            return Poll::Ready(Some(frame));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(context),
            None => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use futures_util::stream;
    use http_body_util::{Full, StreamBody};
    use tokio::time::Instant;

    use super::*;

    const TIME: Duration = Duration::from_secs(30);
    const KIB: u64 = 1024;

    fn body(kib: u64) -> RequestBody {
        let content = Bytes::from(vec![b'a'; usize::try_from(kib * KIB).expect("a size")]);
        Full::new(content).map_err(|never| match never {}).boxed_unsync()
    }

    /// A body that begins and is not gone on with.
    fn stalled(kib: u64) -> RequestBody {
        let begun = stream::iter([Ok(Frame::data(Bytes::from(vec![b'a'; (kib * KIB) as usize])))]);
        StreamBody::new(begun.chain(stream::pending())).boxed_unsync()
    }

    async fn size(body: RequestBody) -> u64 {
        body.collect().await.expect("a body").to_bytes().len() as u64
    }

    #[tokio::test(start_paused = true)]
    async fn little_needs_no_room() {
        let room = BodyRoom::new(100 * KIB, TIME);
        let (_, all) = room.admit(body(100), 100 * KIB).await.expect("room");
        assert!(all.is_some());
        let began = Instant::now();
        // What is announced to be little, and what turns out to be.
        for most in [10, 64, 65, 1_000] {
            let (read, held) = room.admit(body(10), most * KIB).await.expect("it needs none");
            assert!(held.is_none(), "{most}");
            assert_eq!(size(read).await, 10 * KIB);
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn much_waits_for_room_but_not_for_ever() {
        let room = BodyRoom::new(250 * KIB, TIME);
        let first = room.admit(body(100), 100 * KIB).await.expect("room");
        let second = room.admit(body(100), 100 * KIB).await.expect("room");
        let began = Instant::now();
        let refused = room.admit(body(100), 100 * KIB).await.expect_err("there is no room");
        assert!(matches!(refused, Failure::Core(Error::Unavailable { .. })), "{refused:?}");
        assert_eq!(began.elapsed(), TIME);
        let waiting = tokio::spawn({
            let room = room.clone();
            async move { room.admit(body(100), 100 * KIB).await }
        });
        tokio::time::sleep(TIME / 2).await;
        assert!(!waiting.is_finished());
        drop(first);
        let (read, held) = waiting.await.expect("it ends").expect("room");
        assert_eq!((size(read).await, held.is_some()), (100 * KIB, true));
        drop((second, held));
        assert_eq!(room.units.available_permits(), 250);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_larger_than_all_room_is_read_alone() {
        let room = BodyRoom::new(100 * KIB, TIME);
        let (read, held) = room.admit(body(500), 500 * KIB).await.expect("room");
        assert_eq!((size(read).await, room.units.available_permits()), (500 * KIB, 0));
        drop(held);
        assert_eq!(room.units.available_permits(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn who_announces_much_and_sends_nothing_holds_nothing() {
        let room = BodyRoom::new(100 * KIB, TIME);
        let silent: Vec<_> = [0, 10]
            .map(|kib| {
                let room = room.clone();
                tokio::spawn(async move { room.admit(stalled(kib), 100 * KIB).await })
            })
            .into();
        tokio::time::sleep(TIME / 2).await;
        let (_, held) = room.admit(body(100), 100 * KIB).await.expect("room");
        assert!(held.is_some());
        for silent in silent {
            let refused = silent.await.expect("it ends").expect_err("nothing comes");
            assert!(matches!(refused, Failure::TimedOut), "{refused:?}");
        }
    }
}
