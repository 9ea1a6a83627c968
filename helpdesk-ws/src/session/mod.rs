//! One connection, from its first message to its last, over whatever carries messages.

mod end;
mod manners;
mod missed;
#[cfg(test)]
mod tests;
mod wants;
mod words;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use helpdesk_core::events::{Bearer, Mark};
use helpdesk_core::{Error, Helpdesk};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use self::end::End;
use self::manners::Manners;
use self::wants::Wants;
use self::words::{Ask, Say};
use crate::channel::{Channel, Listening};
use crate::hub::{Place, Seat};
use crate::news::News;
use crate::settings::Settings;
use crate::socket::seat;

/// How many events are put together before they are sent.
const BATCH: usize = 32;
/// The least time between two looks at the help desk's clock, which may stand still.
const LOOK: Duration = Duration::from_secs(1);

/// Carries messages both ways.
pub(crate) trait Wire:
    Stream<Item = Result<Message, WsError>> + Sink<Message, Error = WsError> + Send + Unpin
{
}

impl<W> Wire for W where
    W: Stream<Item = Result<Message, WsError>> + Sink<Message, Error = WsError> + Send + Unpin
{
}

/// A connection that was taken over.
#[derive(Debug)]
pub(crate) struct Connection {
    pub channel: Arc<Channel>,
    pub place: Place,
    /// Where the client reaches the API.
    pub base: Arc<str>,
    /// Who it is, where it said so at once.
    pub known: Option<Known>,
    /// What it was told of last, before.
    pub resume: Option<Mark>,
}

/// Somebody who said who they are.
#[derive(Debug)]
pub(crate) struct Known {
    pub token: SecretString,
    pub bearer: Bearer,
    pub seat: Seat,
}

/// Serves a connection to its end.
pub(crate) async fn run(mut wire: impl Wire, connection: Connection) {
    let Connection { channel, place, base, known, resume } = connection;
    let stopped = channel.hub.stopped();
    // Whatever it is at: a client that takes slowly what it missed does not hold up the end.
    let end = tokio::select! {
        served = serve(&mut wire, &channel, base, (known, resume)) => match served {
            Ok(never) => match never {},
            Err(end) => end,
        },
        () = stopped => End::going_away(),
    };
    end.close(&mut wire).await;
    drop(place);
}

/// Nothing: a session goes on until something ends it.
enum Never {}

async fn serve<W: Wire>(
    wire: &mut W,
    channel: &Arc<Channel>,
    base: Arc<str>,
    (known, resume): (Option<Known>, Option<Mark>),
) -> Result<Never, End> {
    let mut manners = Manners::new();
    let (known, resume) = match known {
        Some(known) => (known, resume),
        // Boxed, as all that happens seldom: what goes on for hours should not carry its weight.
        None => {
            let entered = Box::pin(enter(wire, channel, &mut manners));
            let entered = timeout(channel.hub.settings().sign_in, entered).await;
            let (known, since) = entered.map_err(|_| End::unauthenticated("no token came in time"))??;
            (known, since.or(resume))
        }
    };
    let mut session = Box::pin(Session::begin(wire, Arc::clone(channel), base, known, manners)).await?;
    if let Some(resume) = resume {
        Box::pin(session.resume(resume)).await?;
    }
    session.serve().await
}

/// Waits for a token.
async fn enter(
    wire: &mut impl Wire,
    channel: &Channel,
    manners: &mut Manners,
) -> Result<(Known, Option<Mark>), End> {
    let settings = channel.hub.settings();
    loop {
        let message = wire.next().await.ok_or(End::Gone)?.map_err(End::failed)?;
        manners.heard(settings)?;
        let problem = match &message {
            Message::Text(text) => match serde_json::from_str(text) {
                Ok(Ask::Auth { token, last_event_id }) => {
                    let resume = last_event_id.map(|id| id.parse()).transpose();
                    if let Ok(resume) = resume {
                        return Ok((known(wire, channel, token).await?, resume));
                    }
                    "last_event_id is not the id of an event".to_owned()
                }
                Ok(_) => "say who you are first: {\"type\": \"auth\", \"token\": …}".to_owned(),
                Err(error) => format!("the message cannot be read: {error}"),
            },
            Message::Binary(_) => "messages are texts".to_owned(),
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        manners.bad(settings)?;
        say(wire, settings, &Say::error("bad_message", &problem)).await?;
    }
}

/// Who comes with a token. Where it is not good, the client is told, and this is the end.
async fn known(wire: &mut impl Wire, channel: &Channel, token: String) -> Result<Known, End> {
    let token = SecretString::from(token);
    let settings = channel.hub.settings();
    match channel.feed.authenticate(&channel.desk, token.expose_secret()).await {
        Ok(bearer) => {
            let seat = seat(channel, &bearer);
            let seat = seat.ok_or(End::too_many("the account has too many connections"))?;
            Ok(Known { token, bearer, seat })
        }
        Err(Error::Unauthenticated(why)) => {
            let why = why.to_string();
            say(wire, settings, &Say::error("unauthenticated", &why)).await?;
            Err(End::unauthenticated(why))
        }
        Err(error) => Err(End::unavailable(&error)),
    }
}

/// Sends one message.
async fn say(wire: &mut impl Wire, settings: &Settings, say: &Say<'_>) -> Result<(), End> {
    send(wire, settings, say.message()).await
}

async fn send(wire: &mut impl Wire, settings: &Settings, message: Message) -> Result<(), End> {
    match timeout(settings.write, wire.send(message)).await {
        Ok(sent) => sent.map_err(End::failed),
        Err(_) => Err(End::slow()),
    }
}

/// A client that is known.
struct Session<'w, W> {
    wire: &'w mut W,
    channel: Arc<Channel>,
    base: Arc<str>,
    token: SecretString,
    bearer: Bearer,
    _seat: Seat,
    news: broadcast::Receiver<Arc<News>>,
    /// After what it began to listen.
    start: Mark,
    /// What it was told last; nothing before it is told again.
    seen: Mark,
    /// Whether it asked for what it missed. It may do so once.
    resumed: bool,
    wants: Wants,
    manners: Manners,
    pinged: bool,
    warned: bool,
    checked: Instant,
}

impl<'w, W: Wire> Session<'w, W> {
    /// Begins to listen, and tells the client so.
    async fn begin(
        wire: &'w mut W,
        channel: Arc<Channel>,
        base: Arc<str>,
        known: Known,
        manners: Manners,
    ) -> Result<Self, End> {
        let organisation = known.bearer.caller.actor.organisation();
        let listening = channel.listen(organisation).await;
        let Listening { news, after } = listening.map_err(|error| End::unavailable(&error))?;
        let Known { token, bearer, seat } = known;
        let start = Mark::after(after);
        let mut session = Session {
            wire,
            channel,
            base,
            token,
            bearer,
            _seat: seat,
            news,
            start,
            seen: start,
            resumed: false,
            wants: Wants::default(),
            manners,
            pinged: false,
            warned: false,
            checked: Instant::now(),
        };
        // From here on it hears when it must go; what happened just before it has not heard.
        session.reauthenticate().await?;
        let channel = Arc::clone(&session.channel);
        let user = session.bearer.caller.actor.user();
        let ready = Say::Ready {
            user_id: user.map(|user| user.to_string()),
            events: channel.feed.names(),
            last_event_id: start.to_string(),
            expires_at: session.expires_at(),
        };
        session.say(&ready).await?;
        Ok(session)
    }

    fn settings(&self) -> &Settings {
        self.channel.hub.settings()
    }

    fn desk(&self) -> &Helpdesk {
        &self.channel.desk
    }

    fn expires_at(&self) -> String {
        self.bearer.until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    async fn say(&mut self, words: &Say<'_>) -> Result<(), End> {
        send(self.wire, self.channel.hub.settings(), words.message()).await
    }

    async fn serve(mut self) -> Result<Never, End> {
        let mut timer = pin!(sleep_until(self.next_look()));
        loop {
            tokio::select! {
                news = self.news.recv() => self.tell(news).await?,
                message = self.wire.next() => {
                    let message = message.ok_or(End::Gone)?.map_err(End::failed)?;
                    Box::pin(self.hear(message)).await?;
                    // Who answered a ping is to be pinged again in time.
                    let next = self.next_look();
                    if next < timer.deadline() {
                        timer.as_mut().reset(next);
                    }
                }
                () = timer.as_mut() => {
                    Box::pin(self.look_around()).await?;
                    timer.as_mut().reset(self.next_look());
                }
            }
        }
    }

    /// Tells the client what is new, all that there is by now at once.
    async fn tell(&mut self, news: Result<Arc<News>, broadcast::error::RecvError>) -> Result<(), End> {
        // The hub has a sender for as long as anybody listens: nothing but being behind ends the news.
        let first = news.map_err(|_| End::slow())?;
        match timeout(self.channel.hub.settings().write, self.tell_from(first)).await {
            Ok(told) => told,
            Err(_) => Err(End::slow()),
        }
    }

    async fn tell_from(&mut self, first: Arc<News>) -> Result<(), End> {
        self.tell_one(&first).await?;
        for _ in 1..BATCH {
            match self.news.try_recv() {
                Ok(news) => self.tell_one(&news).await?,
                Err(broadcast::error::TryRecvError::Empty) => break,
                Err(_) => return Err(End::slow()),
            }
        }
        self.wire.flush().await.map_err(End::failed)
    }

    /// Tells what is new by one event, as far as the client may see it and wants to.
    async fn tell_one(&mut self, news: &News) -> Result<(), End> {
        if news.recheck.concerns(self.bearer.caller.actor.user()) {
            Box::pin(self.reauthenticate()).await?;
        }
        if news.lost && Mark::after(news.position) > self.seen {
            let reset = Say::reset("some of what happened could not be told", Mark::after(news.position));
            self.wire.feed(reset.message()).await.map_err(End::failed)?;
        }
        for line in &news.lines {
            if line.mark <= self.seen || !self.wants.has(line.name, line.about) {
                continue;
            }
            if let Some(words) = line.words(&self.bearer.caller.actor, &self.base) {
                self.wire.feed(Message::Text(words)).await.map_err(End::failed)?;
            }
        }
        self.seen = self.seen.max(Mark::after(news.position));
        Ok(())
    }

    /// Whether the client may still stay, and with what rights.
    async fn reauthenticate(&mut self) -> Result<(), End> {
        let bearer = self.channel.feed.authenticate(&self.channel.desk, self.token.expose_secret()).await;
        self.bearer = bearer.map_err(|error| match error {
            Error::Unauthenticated(why) => End::unauthenticated(why.to_string()),
            // Whom nobody can vouch for is told nothing more.
            error => End::unavailable(&error),
        })?;
        self.checked = Instant::now();
        Ok(())
    }

    /// What is to be done now and then: whether anybody is there, whether the token is still good.
    async fn look_around(&mut self) -> Result<(), End> {
        let quiet = self.manners.quiet();
        if quiet >= self.settings().idle {
            return Err(End::idle());
        }
        if quiet >= self.settings().ping && !self.pinged {
            self.pinged = true;
            send(self.wire, self.channel.hub.settings(), Message::Ping(bytes::Bytes::new())).await?;
        }
        let left = self.left();
        if left.is_zero() {
            return Err(End::expired());
        }
        if left <= self.settings().warning && !self.warned {
            self.warned = true;
            let expires_at = self.expires_at();
            self.say(&Say::AuthExpiring { expires_at }).await?;
        }
        if self.checked.elapsed() >= self.settings().recheck {
            self.reauthenticate().await?;
        }
        Ok(())
    }

    /// How long the token is good.
    fn left(&self) -> Duration {
        (self.bearer.until - self.desk().now()).to_std().unwrap_or_default()
    }

    fn next_look(&self) -> Instant {
        let settings = self.settings();
        let silence = if self.pinged { settings.idle } else { settings.ping };
        let left = if self.warned { self.left() } else { self.left().saturating_sub(settings.warning) };
        let token = Instant::now() + left.max(LOOK);
        (self.manners.last() + silence).min(self.checked + settings.recheck).min(token)
    }

    /// Answers a message of the client's.
    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.manners.heard(self.channel.hub.settings())?;
        self.pinged = false;
        let done = match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ask) => self.answer(ask).await?,
                Err(error) => Err(format!("the message cannot be read: {error}")),
            },
            Message::Binary(_) => Err("messages are texts".to_owned()),
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        match done {
            Ok(()) => self.manners.good(),
            Err(problem) => {
                self.manners.bad(self.channel.hub.settings())?;
                self.say(&Say::error("bad_message", &problem)).await?;
            }
        }
        Ok(())
    }

    /// Does what the client asks, or says what is wrong with it.
    async fn answer(&mut self, ask: Ask) -> Result<Result<(), String>, End> {
        let names = self.channel.feed.names();
        let (done, resume) = match ask {
            Ask::Ping => return self.say(&Say::Pong).await.map(Ok),
            Ask::Auth { token, .. } => return self.renew(token).await,
            Ask::Subscribe { events, tickets, last_event_id } => {
                let resume = match last_event_id.map(|id| id.parse::<Mark>()).transpose() {
                    Ok(resume) => resume,
                    Err(error) => return Ok(Err(format!("last_event_id: {error}"))),
                };
                if resume.is_some() && self.resumed {
                    return Ok(Err("what was missed is told once".to_owned()));
                }
                (self.wants.subscribe(names, events.as_deref(), tickets.as_deref()), resume)
            }
            Ask::Unsubscribe { events, tickets } => {
                (self.wants.unsubscribe(names, events.as_deref(), tickets.as_deref()), None)
            }
        };
        if let Err(problem) = done {
            return Ok(Err(problem));
        }
        let (events, tickets) = (self.wants.names(names), self.wants.tickets());
        self.say(&Say::Subscribed { events, tickets }).await?;
        if let Some(resume) = resume {
            self.resume(resume).await?;
        }
        Ok(Ok(()))
    }

    /// Goes on with a fresh token of the same person.
    async fn renew(&mut self, token: String) -> Result<Result<(), String>, End> {
        let token = SecretString::from(token);
        let fresh = match self.channel.feed.authenticate(&self.channel.desk, token.expose_secret()).await {
            Ok(fresh) => fresh,
            Err(Error::Unauthenticated(why)) => return Ok(Err(why.to_string())),
            Err(error) => return Err(End::unavailable(&error)),
        };
        let (old, new) = (&self.bearer.caller.actor, &fresh.caller.actor);
        if (old.who(), old.organisation()) != (new.who(), new.organisation()) {
            return Ok(Err("the token is somebody else's".to_owned()));
        }
        (self.token, self.bearer) = (token, fresh);
        (self.checked, self.warned) = (Instant::now(), false);
        let expires_at = self.expires_at();
        self.say(&Say::Authenticated { expires_at }).await.map(Ok)
    }
}
