//! Tickets for tests.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use helpdesk_core::events::Event;
use helpdesk_core::groups::{ClosedReplies, Group, GroupId};
use helpdesk_core::storage::{EntityId as _, Position, Stored};
use helpdesk_core::tickets::{Act, Comment, Done, NewFile, NewTicket, Priority, Status, Ticket, TicketId};
use helpdesk_core::{Actor, BlobError, Blobs, Error, MemoryBlobs, Problem};

use super::World;

/// The first bytes of a picture.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// A request with a subject.
pub(crate) fn request(subject: &str) -> NewTicket {
    NewTicket { subject: subject.to_owned(), description: "It burns".to_owned(), ..NewTicket::default() }
}

/// A file that somebody brings.
pub(crate) fn file(name: &str, content: &[u8]) -> NewFile {
    NewFile { name: name.to_owned(), content: Bytes::copy_from_slice(content) }
}

/// A move without words.
pub(crate) fn to(to: Status) -> Act {
    Act::Move { to, from: None, comment: None }
}

/// Lets a ticket in.
pub(crate) fn approve() -> Act {
    Act::Approve { priority: Priority::Normal, department: None, comment: None }
}

/// Words for everybody who sees the ticket.
pub(crate) fn say(words: &str) -> Act {
    Act::Say(Comment::public(words))
}

/// Words for the desk.
pub(crate) fn note(words: &str) -> Act {
    Act::Say(Comment::internal(words))
}

/// What is wrong with which field.
pub(crate) fn problems(error: &Error) -> Vec<(String, Vec<Problem>)> {
    let Error::Invalid(problems) = error else { panic!("{error:?} is another error") };
    problems.iter().map(|(field, list)| (field.to_owned(), list.to_vec())).collect()
}

impl World {
    /// A group of people, and what becomes of replies on its closed tickets.
    pub(crate) async fn group(&self, members: &[&Actor], closed_replies: ClosedReplies) -> GroupId {
        let mut changes = self.desk.changes();
        let id = GroupId::from_uuid(self.desk.ids().id(changes.at()));
        let group = Group {
            name: id.to_string(),
            description: String::new(),
            members: members.iter().filter_map(|member| member.user()).collect(),
            closed_replies,
            deleted: None,
            ext: serde_json::Map::new(),
        };
        changes.insert(self.system().scope(), id, &group);
        self.desk.commit(changes).await.expect("a group");
        id
    }

    /// A ticket of an actor.
    pub(crate) async fn ticket(&self, actor: &Actor, subject: &str) -> Stored<Ticket> {
        self.desk.tickets().create(actor, request(subject)).await.expect("a ticket").0
    }

    /// Does something to a ticket that is allowed.
    pub(crate) async fn act(&self, actor: &Actor, id: TicketId, act: Act) -> Done {
        self.desk.tickets().act(actor, id, None, act).await.expect("done")
    }

    /// Brings a new ticket into a status.
    pub(crate) async fn bring(&self, id: TicketId, status: Status) {
        let act = match status {
            Status::New => return,
            Status::Rejected => Act::Reject { reason: "no".to_owned(), comment: None },
            other => to(other),
        };
        self.act(&self.system(), id, act).await;
    }

    /// Everything that was ever written down, oldest first.
    pub(crate) async fn log(&self) -> Vec<Event> {
        let logged = self.desk.store().storage().events(Position::default(), 10_000).await.expect("the log");
        let events = logged.iter().map(|entry| Event::read(&entry.record, Some(entry.position)));
        events.collect::<Result<_, _>>().expect("events")
    }

    /// What was done to one record, oldest first.
    pub(crate) async fn actions(&self, id: TicketId) -> Vec<String> {
        let log = self.log().await.into_iter();
        log.filter(|event| event.subject == id.uuid()).map(|event| event.action).collect()
    }
}

/// Files in memory that can be told to fail, and tell what they keep.
#[derive(Debug, Default)]
pub(crate) struct WatchedBlobs {
    kept: MemoryBlobs,
    keys: Mutex<Vec<String>>,
    /// How many more files it takes, where it is to fail.
    pub(crate) takes: Mutex<Option<usize>>,
}

impl WatchedBlobs {
    /// The keys that are kept.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.keys.lock().expect("nobody panicked").clone()
    }
}

#[async_trait]
impl Blobs for WatchedBlobs {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        if let Some(takes) = &mut *self.takes.lock().expect("nobody panicked") {
            *takes = takes.checked_sub(1).ok_or_else(|| BlobError("the disk is full".into()))?;
        }
        self.keys.lock().expect("nobody panicked").push(key.to_owned());
        self.kept.put(key, content).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        self.kept.get(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.keys.lock().expect("nobody panicked").retain(|kept| kept != key);
        self.kept.delete(key).await
    }
}
