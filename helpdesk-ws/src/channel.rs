//! The events of one API, by organisation.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use helpdesk_core::events::{Event, Feed};
use helpdesk_core::identity::OrganisationId;
use helpdesk_core::storage::Position;
use helpdesk_core::{Chain, Helpdesk, Result};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};

use crate::hub::Hub;
use crate::news::{News, Recheck};

/// How often it is tried to read what an event tells of.
const ATTEMPTS: u32 = 3;
/// How long the event after waits while many clients are behind, at most: what keeps those who follow well from being
/// overrun, and costs everybody next to nothing where somebody does not follow at all.
const PACE: Duration = Duration::from_millis(5);
/// For how many clients it is read at a time what they missed.
const REPLAYS: usize = 8;

/// One API over one help desk.
#[derive(Debug)]
pub(crate) struct Channel {
    pub hub: Hub,
    pub desk: Helpdesk,
    pub feed: Arc<dyn Feed>,
    pub replays: Semaphore,
    rooms: Mutex<Rooms>,
}

#[derive(Debug, Default)]
struct Rooms {
    /// The last event that was published.
    newest: Option<Position>,
    by_organisation: HashMap<OrganisationId, broadcast::Sender<Arc<News>>>,
}

/// What somebody hears from now on.
#[derive(Debug)]
pub(crate) struct Listening {
    pub news: broadcast::Receiver<Arc<News>>,
    /// After which event it begins.
    pub after: Position,
}

impl Channel {
    pub(crate) fn new(hub: Hub, desk: Helpdesk, feed: Arc<dyn Feed>) -> Self {
        Self { hub, desk, feed, replays: Semaphore::new(REPLAYS), rooms: Mutex::default() }
    }

    /// Begins to listen to what happens in an organisation. Everything after [`Listening::after`] is heard, nothing
    /// before it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub(crate) async fn listen(&self, organisation: OrganisationId) -> Result<Listening> {
        let backlog = self.hub.settings().backlog;
        let (news, newest) = {
            let mut rooms = self.rooms.lock();
            let room = rooms.by_organisation.entry(organisation);
            let room = room.or_insert_with(|| broadcast::Sender::new(backlog.max(1)));
            (room.subscribe(), rooms.newest)
        };
        let after = match newest {
            Some(newest) => newest,
            // Nothing was published yet: what is in the log by now was there before.
            None => self.desk.store().storage().health().await?.newest,
        };
        Ok(Listening { news, after })
    }

    /// Tells those who are connected of an event.
    pub(crate) async fn publish(&self, event: &Event) {
        let Some(position) = event.position else { return };
        let mut found = None;
        let room = loop {
            {
                let mut rooms = self.rooms.lock();
                let room = event.organisation.and_then(|organisation| rooms.room(organisation));
                match (room, found.take()) {
                    (None, _) => {
                        rooms.newest = Some(position);
                        return;
                    }
                    // In one step with saying what the newest is, so that who begins to listen misses nothing and
                    // hears nothing twice.
                    (Some(room), Some(news)) => {
                        rooms.newest = Some(position);
                        if let Some(news) = news {
                            // Where nobody listens any more, nobody is to be told.
                            let _ = room.send(news);
                        }
                        break room;
                    }
                    (Some(_), None) => {}
                }
            }
            found = Some(self.news(event, position).await);
        };
        self.pace(&room).await;
    }

    /// What is to be told of an event, read once for everybody.
    async fn news(&self, event: &Event, position: Position) -> Option<Arc<News>> {
        for attempt in 1..=ATTEMPTS {
            let told = AssertUnwindSafe(self.feed.tell(&self.desk, event)).catch_unwind().await;
            match told {
                Ok(Ok(told)) => {
                    let mut news = News::new(event, position, told, &*self.feed);
                    news.recheck.retain(|user| self.hub.is_here(user));
                    return (!news.is_empty()).then(|| Arc::new(news));
                }
                Ok(Err(error)) => {
                    tracing::warn!(event = %event.id, attempt, error = %Chain(&error), "an event cannot be told");
                    tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                }
                Err(_) => {
                    tracing::error!(event = %event.id, "telling of an event panicked");
                    break;
                }
            }
        }
        let recheck = Recheck::Everybody;
        Some(Arc::new(News { position, lines: Vec::new(), recheck, lost: true }))
    }

    /// Lets clients catch up for a moment, where some are far behind.
    async fn pace(&self, room: &broadcast::Sender<Arc<News>>) {
        let far = self.hub.settings().backlog / 2;
        let mut waited = Duration::ZERO;
        while waited < PACE && room.len() > far {
            let step = Duration::from_millis(1);
            tokio::time::sleep(step).await;
            waited += step;
        }
    }
}

impl Rooms {
    /// The room of an organisation, where anybody is in it.
    fn room(&mut self, organisation: OrganisationId) -> Option<broadcast::Sender<Arc<News>>> {
        let room = self.by_organisation.get(&organisation)?;
        if room.receiver_count() == 0 {
            self.by_organisation.remove(&organisation);
            return None;
        }
        Some(room.clone())
    }
}
