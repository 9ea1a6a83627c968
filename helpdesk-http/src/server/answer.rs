//! Answers on their way, and over HTTP/2 those that nobody takes.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use super::STALL;
use super::pulse::Running;
use crate::kernel::{BodyError, ResponseBody};

/// How much of a body is handed over at a time over HTTP/2, where each client says of each answer how much of it may
/// come: the most bytes that still belong to an answer nobody takes once the rest is let go.
const PIECE: usize = 16 * 1024;

tokio::task_local! {
    /// When an answer over HTTP/2 last moved; nothing before there is one.
    static MOVED: Cell<Option<Instant>>;
}

/// Notes that an answer moves. HTTP/1 has no task for each: there it is the connection that stalls.
fn moves() {
    let _ = MOVED.try_with(|moved| moved.set(Some(Instant::now())));
}

/// Runs the requests of HTTP/2 connections, each in a task. If for a minute nothing of an answer is taken, that answer is
/// given up, and with it what it would have sent; others on the connection go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams;

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, request: F) {
        tokio::spawn(MOVED.scope(Cell::new(None), unless_stalled(request)));
    }
}

async fn unless_stalled(request: impl Future) {
    let mut request = pin!(request);
    loop {
        let end = MOVED.with(Cell::get).unwrap_or_else(Instant::now) + STALL;
        tokio::select! {
            biased;
            _ = request.as_mut() => return,
            () = sleep_until(end) => {}
        }
        if MOVED.with(Cell::get).is_some_and(|moved| moved + STALL <= Instant::now()) {
            tracing::debug!("an answer is given up: nobody takes it");
            return;
        }
    }
}

/// An answer's body, whose request runs until it is dropped.
#[derive(Debug)]
pub(super) struct Answer {
    body: ResponseBody,
    in_pieces: bool,
    /// What was not handed over of a frame.
    rest: Bytes,
    _running: Running,
}

impl Answer {
    /// The answer to a request.
    pub(super) fn begin(
        response: Response<ResponseBody>,
        in_pieces: bool,
        running: Running,
    ) -> Response<Self> {
        moves();
        response.map(|body| Self { body, in_pieces, rest: Bytes::new(), _running: running })
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut data = std::mem::take(&mut self.rest);
        if data.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            moves();
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(whole))) => data = whole,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        } else {
            moves();
        }
        if self.in_pieces && data.len() > PIECE {
            self.rest = data.split_off(PIECE);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
