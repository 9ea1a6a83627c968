//! What is said on tickets.

use helpdesk_core::Who;
use helpdesk_core::identity::User;
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{Act, Attachment, Comment, Message, Visibility};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Success, SuccessList, WholeQuery, data, list as array};
use super::files::{self, AttachmentView, Reference};
use super::show::time;
use super::tickets::named;
use crate::input;
use crate::input::{Line, Object};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Query};

input! {
    /// A comment.
    struct Create {
        /// The words.
        body: Line<100_000>,
        /// Whether everybody may read it who may see the ticket, and not the desk alone. True, unless said otherwise.
        public: Option<bool>,
        /// Files that were uploaded before; at most 20.
        attachments: Vec<Object<Reference>>,
    }
}

/// Something that was said on a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommentView {
    id: String,
    /// The ticket it was said on. A reply can land on another one than it was sent to: see the operation.
    ticket_id: String,
    author_id: String,
    author: Author,
    body: String,
    public: bool,
    attachments: Vec<AttachmentView>,
    created_at: String,
}

/// Who said it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Author {
    name: String,
    email: String,
}

impl Author {
    /// Nobody in particular: the help desk itself, or a program.
    fn desk() -> Self {
        Self { name: "Help Desk".to_owned(), email: String::new() }
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("tickets.comments.list", "/api/tickets/{id}/comments", list)
            .says(
                "Lists what was said on a ticket",
                "Oldest first. The desk's own comments are for the desk. What was said on tickets that were merged into \
                 this one is among it.",
            )
            .errors(&[401, 403, 404, 422]),
        Operation::post("tickets.comments.create", "/api/tickets/{id}/comments", create)
            .success(StatusCode::CREATED)
            .says(
                "Says something on a ticket",
                "A reply of who asked opens a ticket that waits or is solved. One on a closed ticket opens it again or \
                 becomes a ticket of its own, as the group will have it; one on a merged ticket lands on the ticket it \
                 was merged into. `ticket_id` of the answer says where it landed.",
            )
            .errors(&[400, 401, 403, 404, 422]),
    ];
    let area = |operation: Operation| operation.area("Tickets").auth(Auth::Bearer);
    operations.into_iter().map(area).collect()
}

async fn list(
    call: Call,
    Query(query): Query<WholeQuery>,
) -> Result<Json<SuccessList<CommentView>>, Failure> {
    let (actor, tickets) = (call.actor(), call.desk.tickets());
    let page = query.page();
    let listing = tickets.messages(actor, named(&call)?, page.size(), page.from()).await?;
    let ids: Vec<_> = listing.items.iter().map(|message| message.id).collect();
    let files = tickets.files_of(actor, &ids).await?;
    let authors = listing.items.iter().filter_map(|message| match message.author {
        Who::User(user) => Some(user),
        _ => None,
    });
    let people = call.desk.identity().people(actor, authors.collect()).await?;
    let comments = listing.items.iter().map(|message| {
        let author = match message.author {
            Who::User(id) => people.get(&id.uuid()).map(|user| &**user),
            _ => None,
        };
        let files = files.get(&message.id.uuid()).into_iter().flatten();
        view(message, author, files.map(|file| &**file), &call.head.base)
    });
    Ok(array(comments.collect(), page.of_listing(&listing)))
}

/// Something that was said, by somebody if a person said it, with its files; `base` is where the dialect is reached.
pub(super) fn view<'f>(
    message: &Stored<Message>,
    author: Option<&Stored<User>>,
    files: impl Iterator<Item = &'f Stored<Attachment>>,
    base: &str,
) -> CommentView {
    CommentView {
        id: message.id.to_string(),
        ticket_id: message.ticket.to_string(),
        author_id: match message.author {
            Who::User(id) => id.to_string(),
            Who::ApiKey(_) | Who::Anonymous | Who::System => String::new(),
        },
        author: author
            .map_or_else(Author::desk, |user| Author { name: user.full_name(), email: user.email.clone() }),
        body: message.body.clone(),
        public: message.visibility == Visibility::Public,
        attachments: files.map(|file| files::attachment(base, file)).collect(),
        created_at: time(message.created_at),
    }
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<CommentView>>, Failure> {
    let (actor, tickets) = (call.actor(), call.desk.tickets());
    let uploads = files::named(body.attachments)?;
    let public = body.public.unwrap_or(true);
    let words = body.body.0;
    let comment = if public { Comment::public(words.clone()) } else { Comment::internal(words.clone()) };
    let said = Act::Say(comment.with(uploads.iter().copied()));
    let done = tickets
        .act(actor, named(&call)?, None, said)
        .await
        .map_err(|error| Failure::from(error).renamed(|field| (field == "comment").then_some("body")))?;
    let me = call.desk.identity().profile(actor).await?;
    let files: Vec<std::sync::Arc<Stored<Attachment>>> = if uploads.is_empty() {
        Vec::new()
    } else if let Some(message) = done.message {
        tickets.files_of(actor, &[message]).await?.remove(&message.uuid()).unwrap_or_default()
    } else {
        let ticket = std::sync::Arc::new(done.ticket.clone());
        let files = tickets.attachments_of(actor, &[ticket]).await?;
        files.into_values().next().unwrap_or_default()
    };
    // What became a ticket of its own is that ticket's description, and no comment.
    let id = done.message.map_or_else(|| done.ticket.id.to_string(), |message| message.to_string());
    Ok(data(CommentView {
        id,
        ticket_id: done.ticket.id.to_string(),
        author_id: me.id.to_string(),
        author: Author { name: me.full_name(), email: me.email.clone() },
        body: words,
        public,
        attachments: files.iter().map(|file| files::attachment(&call.head.base, file)).collect(),
        created_at: time(done.ticket.updated_at),
    }))
}
