//! A stream that does not wait for ever for its reader.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::pulse::Pulse;

/// A stream whose writes fail where the other end takes nothing for so long. The timer runs only while a write waits.
#[derive(Debug)]
pub(super) struct Paced<S> {
    inner: S,
    stall: Duration,
    pulse: Arc<Pulse>,
    waits: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) const fn new(inner: S, stall: Duration, pulse: Arc<Pulse>) -> Self {
        Self { inner, stall, pulse, waits: false, timer: None }
    }

    /// Passes on what a write has come to, or that it has waited too long.
    fn within<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if std::mem::take(&mut self.waits) {
                self.pulse.writing(false);
            }
            return written;
        }
        // Whoever took the connection over has limits of their own.
        if self.pulse.is_released() {
            return Poll::Pending;
        }
        let timer = match &mut self.timer {
            Some(timer) if self.waits => timer,
            Some(timer) => {
                timer.as_mut().reset(Instant::now() + self.stall);
                timer
            }
            none => none.insert(Box::pin(sleep(self.stall))),
        };
        if !std::mem::replace(&mut self.waits, true) {
            self.pulse.writing(true);
        }
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => {
                let why = "the client does not take what it is sent";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.within(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.within(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
