//! Handing committed events to whoever wants them.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;
use crate::events::Event;
use crate::helpdesk::Helpdesk;
use crate::storage::Position;

/// Is handed each committed event, in the order of the log: WebSockets, a message bus, the embedding team's own.
///
/// What a notifier does must not fail: it takes note and returns. Work that can fail is a job.
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
                        notifier.notify(&event).await;
                    }
                }
                Err(error) => tracing::error!(event = %entry.record.id, %error, "an event cannot be read"),
            }
        }
        Ok(logged.len())
    }

    /// Hands over events as they come, for ever.
    pub async fn run(mut self) {
        loop {
            let waited = self.desk.store().storage().wait(self.position).await.map_err(Into::into);
            let pumped = match waited {
                Ok(()) => self.pump().await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = pumped {
                tracing::warn!(error = %crate::helpdesk::Chain(&error), "the event log cannot be read; trying again");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}
