//! Events on their way to clients: put into words once for all who have the same view.

use std::fmt;
use std::sync::Arc;

use helpdesk_core::events::{Event, Feed, Mark, Told, View, Viewer};
use helpdesk_core::identity::{User, UserId};
use helpdesk_core::storage::{Entity as _, EntityId as _, Position};
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

/// For so many views of one thing its words are kept. There are a handful; clients that name ever new hosts are told in
/// words of their own.
const MAX_VIEWS: usize = 16;

/// What the clients of one organisation are sent for one event.
#[derive(Debug)]
pub(crate) struct News {
    /// The event's place in the log.
    pub position: Position,
    /// What is told of it.
    pub lines: Vec<Line>,
    /// Who is to show their token again before that.
    pub recheck: Recheck,
    /// Whether what was to be told could not be found out.
    pub lost: bool,
}

impl News {
    /// An event with what is told of it.
    pub(crate) fn new(event: &Event, position: Position, told: Vec<Arc<dyn Told>>, feed: &dyn Feed) -> Self {
        let lines = told.into_iter().map(|told| Line::new(told, position, feed)).collect();
        Self { position, lines, recheck: Recheck::of(event), lost: false }
    }

    /// Whether there is anything in it for anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.recheck.is_nobody() && !self.lost
    }
}

/// One thing that is told.
pub(crate) struct Line {
    told: Arc<dyn Told>,
    /// Its place.
    pub mark: Mark,
    /// The bit of its name among the feed's.
    pub name: u32,
    /// The record it is about.
    pub about: Option<Uuid>,
    texts: Mutex<Vec<(View, Arc<str>, Utf8Bytes)>>,
}

impl fmt::Debug for Line {
    /// Without its words, so that no personal data ends in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl Line {
    fn new(told: Arc<dyn Told>, position: Position, feed: &dyn Feed) -> Self {
        let place = feed.names().iter().position(|name| *name == told.name());
        Self {
            mark: Mark { position, part: told.part() },
            name: place.and_then(|place| 1_u32.checked_shl(u32::try_from(place).ok()?)).unwrap_or_default(),
            about: told.about(),
            told,
            texts: Mutex::default(),
        }
    }

    /// The words for somebody, where they may see it.
    pub(crate) fn words(&self, actor: &helpdesk_core::Actor, base: &Arc<str>) -> Option<Utf8Bytes> {
        let view = self.told.view(actor)?;
        let mut texts = self.texts.lock();
        let same = |(other, at, _): &&(View, Arc<str>, Utf8Bytes)| {
            *other == view && (Arc::ptr_eq(at, base) || **at == **base)
        };
        if let Some((_, _, text)) = texts.iter().find(same) {
            return Some(text.clone());
        }
        let text = Utf8Bytes::from(self.told.words(Viewer { actor, base }, self.mark));
        if texts.len() < MAX_VIEWS {
            texts.push((view, Arc::clone(base), text.clone()));
        }
        Some(text)
    }
}

/// Whose rights an event may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recheck {
    /// Theirs.
    People(Vec<UserId>),
    /// Those of all.
    Everybody,
}

impl Recheck {
    pub(crate) const NOBODY: Self = Self::People(Vec::new());

    fn of(event: &Event) -> Self {
        match event.action.split('.').next() {
            Some("user" | "session") => {
                let mut people = event.detail.audience.people.clone();
                if event.subject_kind == User::SPEC.name {
                    people.push(UserId::from_uuid(event.subject));
                }
                Self::People(people)
            }
            Some("role" | "organisation") => Self::Everybody,
            _ => Self::NOBODY,
        }
    }

    /// Leaves out people who are of no interest.
    pub(crate) fn retain(&mut self, is_here: impl Fn(UserId) -> bool) {
        if let Self::People(people) = self {
            people.retain(|user| is_here(*user));
        }
    }

    pub(crate) fn is_nobody(&self) -> bool {
        *self == Self::NOBODY
    }

    pub(crate) fn concerns(&self, user: Option<UserId>) -> bool {
        match self {
            Self::People(people) => user.is_some_and(|user| people.contains(&user)),
            Self::Everybody => true,
        }
    }
}
