//! Handing committed events to whoever wants them.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::error::Result;
use crate::events::Event;
use crate::helpdesk::{Chain, Helpdesk};
use crate::jobs::is_over;
use crate::storage::Position;

/// How long the relay waits after the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Is handed each committed event, in the order of the log: WebSockets, a message bus, the embedding team's own.
///
/// What a notifier does must not fail: it takes note and returns. Work that can fail is a job. One that panics is not
/// told of that event again; the others are told of it all the same.
// Above `async_trait`, so that the mock is told of the method as it is written and not of its boxed future.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// An event was committed.
    async fn notify(&self, event: &Event);
}

/// Reads the event log and tells the notifiers.
#[derive(Debug)]
pub struct Relay {
    desk: Helpdesk,
    position: Position,
}

impl Relay {
    /// A relay that begins with the next event.
    ///
    /// # Errors
    ///
    /// As a store's `health`.
    pub async fn from_now(desk: Helpdesk) -> Result<Self> {
        let position = desk.store().storage().health().await?.newest;
        Ok(Self { desk, position })
    }

    /// Hands over what is there, at most some hundreds of events. Answers how many.
    ///
    /// # Errors
    ///
    /// As a store's `events`. Events that were handed over are not handed over again.
    pub async fn pump(&mut self) -> Result<usize> {
        let logged = self.desk.store().storage().events(self.position, 500).await?;
        for entry in &logged {
            self.position = entry.position;
            match Event::read(&entry.record, Some(entry.position)) {
                Ok(event) => {
                    for notifier in self.desk.notifiers() {
                        // One that panics must keep neither the others nor later events from being told.
                        let told = AssertUnwindSafe(async { notifier.notify(&event).await });
                        if told.catch_unwind().await.is_err() {
                            tracing::error!(event = %event.id, "a notifier panicked");
                        }
                    }
                }
                Err(error) => tracing::error!(event = %entry.record.id, %error, "an event cannot be read"),
            }
        }
        Ok(logged.len())
    }

    /// Hands over events as they come, for ever.
    pub async fn run(self) {
        let (_never, stopped) = watch::channel(false);
        self.run_until(stopped).await;
    }

    /// Hands over events as they come, until told to stop, and then what is there.
    pub(crate) async fn run_until(mut self, mut stopped: watch::Receiver<bool>) {
        while !is_over(&stopped) {
            let waited = tokio::select! {
                waited = self.wait() => waited,
                _ = stopped.changed() => continue,
            };
            // Not while it is being selected on: an event whose handing over is broken off would be lost.
            let pumped = match waited {
                Ok(()) => self.pump().await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = pumped {
                tracing::warn!(error = %Chain(&error), "the event log cannot be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
        loop {
            match self.pump().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    return tracing::warn!(error = %Chain(&error), "the event log cannot be read to its end");
                }
            }
        }
    }

    async fn wait(&self) -> Result<()> {
        Ok(self.desk.store().storage().wait(self.position).await?)
    }
}
