//! What a client missed while it was away.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use futures_util::SinkExt as _;
use helpdesk_core::events::{Event, Mark};
use helpdesk_core::storage::{Entity as _, Position};
use helpdesk_core::tickets::Ticket;
use helpdesk_core::{Actor, Result};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use uuid::Uuid;

use super::end::End;
use super::words::Say;
use super::{Session, Wire};
use crate::channel::Channel;
use crate::news::News;

/// How much of the log is read at a time.
const PAGE: usize = 500;
/// How many missed events are put into words before these are sent.
const AT_ONCE: usize = 32;
/// With so many bytes there are words enough to be sent. The last event of them may make them more.
const ENOUGH: usize = 64 << 10;

impl<W: Wire> Session<'_, W> {
    /// Tells what happened after the last event that the client was told of, up to where it began to listen. Where that
    /// is too much, it is to load everything anew.
    pub(super) async fn resume(&mut self, last: Mark) -> Result<(), End> {
        self.resumed = true;
        let until = Instant::now() + self.settings().catch_up;
        if last >= self.start {
            // Another server was further with telling than this one is.
            let storage = Arc::clone(self.desk().store().storage());
            let newest = in_time(until, async { Ok(storage.health().await?.newest) }).await?;
            if last.position > newest {
                return self.say(&Say::reset("there is no such event", self.start)).await;
            }
            self.seen = self.seen.max(last);
            return self.say(&Say::Resumed { events: 0 }).await;
        }
        let channel = Arc::clone(&self.channel);
        let mut turn = self.turn(&channel, until).await?;
        let missed = Missed::find(&channel, &self.bearer.caller.actor, last, self.start.position);
        let Some(mut missed) = in_time(until, missed).await? else {
            drop(turn);
            return self.say(&Say::reset("too much has happened since", self.start)).await;
        };
        let mut events = 0;
        loop {
            let words = in_time(until, self.words(&channel, &mut missed, last)).await?;
            // Others are read for while this client takes its time.
            drop(turn);
            events += words.len();
            self.send_all(words, until).await?;
            if missed.is_over() {
                break;
            }
            turn = self.turn(&channel, until).await?;
        }
        self.say(&Say::Resumed { events }).await?;
        // It was not listened to meanwhile, and took what it was sent.
        self.manners.took();
        Ok(())
    }

    /// Waits until something may be read for this client, and looks whether it may still stay: much may have happened
    /// that it was not told of yet.
    async fn turn<'c>(&mut self, channel: &'c Channel, until: Instant) -> Result<SemaphorePermit<'c>, End> {
        let expires = Instant::now() + self.left();
        // Not too many at once: a server that was restarted is asked by all.
        match timeout_at(until.min(expires), channel.replays.acquire()).await {
            Ok(turn) => {
                let turn = turn.map_err(|_| End::busy())?;
                self.reauthenticate().await?;
                Ok(turn)
            }
            Err(_) if expires <= until => Err(End::expired()),
            Err(_) => Err(End::busy()),
        }
    }

    /// The words of what comes next, as far as the client may see it now, and wants to.
    async fn words(&mut self, channel: &Channel, missed: &mut Missed, last: Mark) -> Result<Vec<Utf8Bytes>> {
        let (mut all, mut bytes) = (Vec::new(), 0);
        for _ in 0..AT_ONCE {
            let Some(event) = missed.next(channel).await? else { break };
            let told = channel.feed.tell(&channel.desk, &event).await?;
            let news = News::new(&event, event.position.unwrap_or_default(), told, &*channel.feed);
            for line in news.lines {
                if line.mark <= last || !self.wants.has(line.name, line.about) {
                    continue;
                }
                if let Some(words) = line.words(&self.bearer.caller.actor, &self.base) {
                    bytes += words.len();
                    all.push(words);
                }
            }
            if bytes >= ENOUGH {
                break;
            }
        }
        Ok(all)
    }

    async fn send_all(&mut self, words: Vec<Utf8Bytes>, until: Instant) -> Result<(), End> {
        let until = until.min(Instant::now() + self.settings().write);
        let sent = async {
            for words in words {
                self.wire.feed(Message::Text(words)).await?;
            }
            self.wire.flush().await
        };
        timeout_at(until, sent).await.map_err(|_| End::slow())?.map_err(End::failed)
    }
}

/// What is read, where it does not take too long.
async fn in_time<T>(until: Instant, read: impl Future<Output = Result<T>>) -> Result<T, End> {
    match timeout_at(until, read).await {
        Ok(read) => read.map_err(|error| End::unavailable(&error)),
        Err(_) => Err(End::busy()),
    }
}

/// The events that somebody may see and was not told of yet. As clients take their time, little is kept for each: the
/// next few, and of the others where they are in the log.
#[derive(Debug, Default)]
struct Missed {
    events: VecDeque<Event>,
    places: VecDeque<Position>,
}

impl Missed {
    /// Those after the last that was told, and up to another; none where there are too many.
    async fn find(channel: &Channel, actor: &Actor, last: Mark, upto: Position) -> Result<Option<Self>> {
        let (settings, storage) = (channel.hub.settings(), channel.desk.store().storage());
        let mut missed = Self::default();
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
            missed.add(events);
            if searched > settings.searched || missed.len() > settings.resumed {
                return Ok(None);
            }
            match page.last() {
                Some(last) if page.len() == PAGE && last.position <= upto => after = last.position,
                _ => return Ok(Some(missed)),
            }
        }
    }

    fn add(&mut self, events: Vec<Event>) {
        for event in events {
            if self.events.len() < AT_ONCE {
                self.events.push_back(event);
            } else {
                self.places.extend(event.position);
            }
        }
    }

    fn len(&self) -> usize {
        self.events.len() + self.places.len()
    }

    fn is_over(&self) -> bool {
        self.len() == 0
    }

    async fn next(&mut self, channel: &Channel) -> Result<Option<Event>> {
        if self.events.is_empty() {
            self.read(channel).await?;
        }
        Ok(self.events.pop_front())
    }

    /// Reads the next few, as far as they stand close to one another.
    async fn read(&mut self, channel: &Channel) -> Result<()> {
        let Some(first) = self.places.front().copied() else { return Ok(()) };
        let away = |place: Position| usize::try_from(place.0 - first.0).unwrap_or(usize::MAX);
        let near = self.places.iter().take(AT_ONCE).take_while(|place| away(**place) < PAGE).count();
        let places: Vec<_> = self.places.drain(..near).collect();
        let width = places.last().map_or(0, |last| away(*last) + 1);
        let before = Position(first.0.saturating_sub(1));
        for entry in channel.desk.store().storage().events(before, width).await? {
            if places.binary_search(&entry.position).is_ok() {
                self.events.push_back(Event::read(&entry.record, Some(entry.position))?);
            }
        }
        Ok(())
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
