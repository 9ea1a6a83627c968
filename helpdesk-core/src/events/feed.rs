//! Telling clients of events as they happen: the port between whatever carries messages and the APIs whose words they
//! are in.

use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::actor::{Actor, Authenticated};
use crate::error::Result;
use crate::events::Event;
use crate::helpdesk::Helpdesk;
use crate::storage::Position;

/// How one public API tells its clients of events: who is let in, and in which words they are told.
///
/// What carries the messages (`helpdesk-ws`) knows no API, and an API knows nothing of what carries them. Team chat and
/// the chat of guests are further feeds, with their own callers and words, over the same carrier.
#[async_trait]
pub trait Feed: Debug + Send + Sync + 'static {
    /// A short name, for logs: `supportdesk`.
    fn name(&self) -> &'static str;

    /// The names of what it tells, at most 32, by which clients say what they want.
    fn names(&self) -> &'static [&'static str];

    /// Who comes with a token.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`](crate::Error::Unauthenticated) where the token is not good, or not any more;
    /// otherwise where that cannot be said.
    async fn authenticate(&self, desk: &Helpdesk, token: &str) -> Result<Bearer>;

    /// What is told of an event, in the order in which it is told, with the records it shows read once for everybody.
    /// Nothing, where the API has no word for it.
    ///
    /// # Errors
    ///
    /// Where the records cannot be read.
    async fn tell(&self, desk: &Helpdesk, event: &Event) -> Result<Vec<Arc<dyn Told>>>;
}

/// Somebody who came with a token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Who.
    pub caller: Authenticated,
    /// Until when the token is good.
    pub until: DateTime<Utc>,
}

/// Somebody who is told something.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// Who they are, with what they may do at present.
    pub actor: &'a Actor,
    /// Where they reach the API from outside, for the addresses in what they are told: `https://desk.example/api`.
    pub base: &'a str,
}

/// A way in which something is told: whoever has the same view of it, and reaches the API at the same address, is told
/// the same, so that it is put into words once for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View(pub u32);

/// One thing that is told, with the records it shows.
pub trait Told: Debug + Send + Sync + 'static {
    /// What it is called; one of its feed's names.
    fn name(&self) -> &'static str;

    /// Which of the things it is that are told of its event. The same each time that event is told, and rising in the
    /// order in which they are told.
    fn part(&self) -> u16;

    /// The record that clients may ask for alone: the ticket.
    fn about(&self) -> Option<Uuid>;

    /// Which view somebody has of it; none where they may not see it, by their present permissions.
    fn view(&self, actor: &Actor) -> Option<View>;

    /// The message.
    fn words(&self, to: Viewer<'_>, mark: Mark) -> String;
}

/// Where in all that is told something stands: clients name the last they were told of when they come back.
///
/// ```
/// use helpdesk_core::events::Mark;
///
/// let mark: Mark = "42-1".parse().unwrap();
/// assert_eq!(mark.to_string(), "42-1");
/// assert!(mark > "42-0".parse().unwrap());
/// // A place alone is all that is told of the event there.
/// assert!("42".parse::<Mark>().unwrap() > mark);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The event's place in the log.
    pub position: Position,
    /// Which of the things that are told of it.
    pub part: u16,
}

impl Mark {
    /// Everything that is told of the event at a place, and of all before it.
    #[must_use]
    pub const fn after(position: Position) -> Self {
        Self { position, part: u16::MAX }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            u16::MAX => write!(f, "{}", self.position.0),
            part => write!(f, "{}-{part}", self.position.0),
        }
    }
}

/// The text is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of an event")]
pub struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (position, part) = text.split_once('-').map_or((text, None), |(p, part)| (p, Some(part)));
        if !digits(position) || !part.is_none_or(digits) {
            return Err(NoMark);
        }
        let position = Position(position.parse().map_err(|_| NoMark)?);
        let part = part.map_or(Ok(u16::MAX), str::parse).map_err(|_| NoMark)?;
        Ok(Self { position, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mark_is_refused() {
        for text in ["", "-", "1-", "-1", "+1", "1-+1", "1-2-3", "x", "1-65536", "99999999999999999999"] {
            assert_eq!(text.parse::<Mark>(), Err(NoMark), "{text}");
        }
        assert_eq!("7".parse(), Ok(Mark::after(Position(7))));
        assert_eq!("7-0".parse(), Ok(Mark { position: Position(7), part: 0 }));
    }
}
