//! What a client missed while it was away.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::SinkExt as _;
use helpdesk_core::events::{Event, Mark};
use helpdesk_core::storage::{Entity as _, Position};
use helpdesk_core::tickets::Ticket;
use helpdesk_core::{Actor, Error, Result};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::end::End;
use super::words::Say;
use super::{Session, Wire};
use crate::channel::Channel;
use crate::news::News;

/// How much of the log is read at a time.
const PAGE: usize = 500;

impl<W: Wire> Session<'_, W> {
    /// Tells what happened after the last event that the client was told of, up to where it began to listen. Where that
    /// is too much, it is to load everything anew.
    pub(super) async fn resume(&mut self, last: Mark) -> Result<(), End> {
        self.resumed = true;
        let unavailable = |error: Error| End::unavailable(&error);
        if last >= self.start {
            // Another server was further with telling than this one is.
            let newest = self.desk().store().storage().health().await.map_err(Error::from);
            if last.position > newest.map_err(unavailable)?.newest {
                return self.say(&Say::reset("there is no such event", self.start)).await;
            }
            self.seen = self.seen.max(last);
            return self.say(&Say::Resumed { events: 0 }).await;
        }
        let channel = Arc::clone(&self.channel);
        // Not too many at once: a server that was restarted is asked by all.
        let _turn = channel.replays.acquire().await;
        let actor = self.bearer.caller.actor.clone();
        let missed = missed(&channel, &actor, last, self.start.position).await;
        let Some(missed) = missed.map_err(unavailable)? else {
            return self.say(&Say::reset("too much has happened since", self.start)).await;
        };
        let mut events = 0;
        for event in missed {
            let told = channel.feed.tell(&channel.desk, &event).await.map_err(unavailable)?;
            let news = News::new(&event, event.position.unwrap_or_default(), told, &*channel.feed);
            for line in news.lines {
                if line.mark <= last || !self.wants.has(line.name, line.about) {
                    continue;
                }
                if let Some(words) = line.words(&self.bearer.caller.actor, &self.base) {
                    let sent = timeout(self.settings().write, self.wire.feed(Message::Text(words))).await;
                    sent.map_err(|_| End::slow())?.map_err(End::failed)?;
                    events += 1;
                }
            }
        }
        self.say(&Say::Resumed { events }).await
    }
}

/// The events between, as far as somebody may see them; none where there are too many.
async fn missed(channel: &Channel, actor: &Actor, last: Mark, upto: Position) -> Result<Option<Vec<Event>>> {
    let (settings, storage) = (channel.hub.settings(), channel.desk.store().storage());
    let mut missed = Vec::new();
    let mut searched = 0;
    // The last event itself may have more to tell.
    let mut after = Position(last.position.0.saturating_sub(u64::from(last.part < u16::MAX)));
    loop {
        let page = storage.events(after, PAGE).await?;
        let within = page.iter().take_while(|entry| entry.position <= upto);
        searched += within.clone().count();
        // Before anything is read of them: most of a log may be other people's.
        let here = within.clone().filter(|entry| entry.record.scope == actor.scope());
        let here = here.map(|entry| Event::read(&entry.record, Some(entry.position)));
        let mut events = here.collect::<Result<Vec<_>, _>>()?;
        let shared = shared(channel, actor, &events).await?;
        events.retain(|event| event.is_visible_to(actor) || shared.contains(&event.subject));
        missed.append(&mut events);
        if searched > settings.searched || missed.len() > settings.resumed {
            return Ok(None);
        }
        match page.last() {
            Some(last) if page.len() == PAGE && last.position <= upto => after = last.position,
            _ => return Ok(Some(missed)),
        }
    }
}

/// The tickets that others share with somebody, beside those that the log itself says are theirs.
async fn shared(channel: &Channel, actor: &Actor, events: &[Event]) -> Result<HashSet<Uuid>> {
    let tickets = events
        .iter()
        .filter(|event| event.subject_kind == Ticket::SPEC.name && !event.is_visible_to(actor))
        .map(|event| event.subject);
    channel.desk.tickets().visible_or_deleted_of(actor, tickets).await
}
