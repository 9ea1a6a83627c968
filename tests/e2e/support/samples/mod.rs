//! A well-formed call of every operation.

mod smartsupport;
mod supportdesk;

use helpdesk::http::kernel::Operation;
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::Spoken;
use helpdesk_tests::files::Form;
use serde_json::Value;

use super::world::Things;

/// What a parameter of a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    /// A ticket.
    Ticket,
    /// An account that waits for approval.
    Employee,
    /// A file on a ticket, by its number.
    Attachment,
    /// The same by its path.
    File,
    /// A ticket, by its id.
    Request,
    /// A contact.
    Contact,
    /// A company.
    Company,
    /// Somebody of the desk, who is a member of the group.
    Agent,
    /// A group.
    Group,
    /// A published article.
    Article,
    /// A tag.
    Tag,
    /// A file that nothing has taken over.
    Upload,
    /// A notification.
    Notification,
}

/// Whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// One customer's.
    Somebodys,
    /// Everybody's in the organisation.
    Everybodys,
    /// The desk's own business.
    TheDesks,
}

impl Thing {
    /// Whose it is.
    pub(crate) const fn whose(self) -> Whose {
        match self {
            Self::Ticket
            | Self::Attachment
            | Self::File
            | Self::Request
            | Self::Upload
            | Self::Notification => Whose::Somebodys,
            Self::Article => Whose::Everybodys,
            Self::Employee | Self::Contact | Self::Company | Self::Agent | Self::Group | Self::Tag => {
                Whose::TheDesks
            }
        }
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Nothing,
    Json(Value),
    Form(Form),
}

/// A call of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The operation.
    pub(crate) id: &'static str,
    /// What its path names, in the order of its parameters.
    pub(crate) names: &'static [Thing],
    /// What the query must have.
    pub(crate) query: &'static str,
    /// What is sent.
    pub(crate) payload: fn() -> Payload,
}

impl Sample {
    /// The path below the mount.
    pub(crate) fn path(&self, operation: &Operation, things: &Things) -> String {
        filled(operation, self.names.iter().map(|thing| things.id(*thing)))
    }

    /// The path with the query.
    pub(crate) fn target(&self, operation: &Operation, things: &Things) -> String {
        let path = self.path(operation, things);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }

    /// The paths with something else in place of one of the ids, as it is: one path for each place.
    pub(crate) fn paths_with(&self, operation: &Operation, things: &Things, id: &str) -> Vec<String> {
        let with = |place: usize| {
            let ids = self.names.iter().enumerate();
            filled(
                operation,
                ids.map(|(at, thing)| if at == place { id.to_owned() } else { things.id(*thing) }),
            )
        };
        (0..self.names.len()).map(with).collect()
    }

    /// The request.
    pub(crate) fn request(&self, spoken: &Spoken, operation: &Operation, things: &Things) -> Request {
        self.request_to(&format!("{}{}", spoken.mount, self.target(operation, things)), operation)
    }

    /// The request to another path.
    pub(crate) fn request_to(&self, target: &str, operation: &Operation) -> Request {
        let request = Request::new(operation.method.clone(), target);
        match (self.payload)() {
            Payload::Nothing => request,
            Payload::Json(body) => request.json(&body),
            Payload::Form(form) => request.form(&form),
        }
    }
}

/// A call of each operation of a dialect.
fn samples(spoken: &Spoken) -> &'static [Sample] {
    match spoken.name {
        "smartsupport" => smartsupport::SAMPLES,
        "supportdesk" => supportdesk::SAMPLES,
        other => panic!("nobody has written samples for {other}"),
    }
}

/// The call of an operation. An operation without one has to get one.
pub(crate) fn sample(spoken: &Spoken, id: &str) -> &'static Sample {
    let found = samples(spoken).iter().find(|sample| sample.id == id);
    found.unwrap_or_else(|| panic!("{id} is new: write down how it is called"))
}

const fn plain(id: &'static str) -> Sample {
    Sample { id, names: &[], query: "", payload: || Payload::Nothing }
}

const fn of(names: &'static [Thing], id: &'static str) -> Sample {
    Sample { id, names, query: "", payload: || Payload::Nothing }
}

/// An operation's path with ids in place of its parameters.
fn filled(operation: &Operation, ids: impl Iterator<Item = String>) -> String {
    let mut ids = ids;
    let mut path = String::new();
    let mut rest = operation.path;
    while let Some((before, after)) = rest.split_once('{') {
        let (_, after) = after.split_once('}').expect("a parameter ends");
        path += before;
        path += &ids.next().unwrap_or_else(|| panic!("{} names more than its sample", operation.id));
        rest = after;
    }
    path + rest
}

impl Sample {
    const fn sends(mut self, payload: fn() -> Payload) -> Self {
        self.payload = payload;
        self
    }

    const fn asks(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }
}
