//! From records to the document's shapes.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, SecondsFormat, Utc};
use helpdesk_core::identity::{Permissions, Role as CoreRole, User, UserId};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{Attachment, Message, Ticket, TicketView, Visibility};
use helpdesk_core::{Authenticated, Helpdesk, Who};
use uuid::Uuid;

use super::words::{self, Role};
use super::{EMPLOYEES, TICKETS, views};
use crate::kernel::{Call, Failure};

/// The picture of those who have none.
pub(super) const DEFAULT_PICTURE: &str = "default-profile.png";

/// What is needed to show records to one caller: whose addresses carry that caller's tokens.
pub(super) struct Show<'a> {
    desk: &'a Helpdesk,
    caller: &'a Authenticated,
    base: &'a str,
    // One for all files of an answer; made when the first is shown.
    token: OnceLock<Option<String>>,
}

/// People by id, and the roles that they have.
pub(super) struct People {
    users: HashMap<Uuid, Arc<Stored<User>>>,
    roles: HashMap<Uuid, Arc<Stored<CoreRole>>>,
}

impl People {
    fn get(&self, id: UserId) -> Option<&Stored<User>> {
        self.users.get(&id.uuid()).map(|user| &**user)
    }
}

/// A time as the document writes it.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What an account is called here, by the roles it has.
pub(super) fn role_of(user: &User, roles: &HashMap<Uuid, Arc<Stored<CoreRole>>>) -> Role {
    let sets = user.roles.iter().filter_map(|role| roles.get(&role.uuid()));
    let best = |a: Role, b: Role| if a == Role::Admin || b == Role::Employee { a } else { b };
    sets.map(|role| Role::of(&role.permissions)).fold(Role::Employee, best)
}

impl<'a> Show<'a> {
    pub(super) fn new(call: &'a Call) -> Self {
        Self::to(call, &call.caller)
    }

    /// The same for somebody who has just come in.
    pub(super) fn to(call: &'a Call, caller: &'a Authenticated) -> Self {
        Self { desk: &call.desk, caller, base: &call.head.base, token: OnceLock::new() }
    }

    /// The people of the given ids.
    pub(super) async fn people(&self, ids: Vec<UserId>) -> Result<People, Failure> {
        let identity = self.desk.identity();
        let users = identity.people(&self.caller.actor, ids).await?;
        let of_users: Vec<&User> = users.values().map(|user| &user.value).collect();
        let roles = identity.roles_of(&self.caller.actor, of_users).await?;
        Ok(People { users, roles })
    }

    /// The address of a file, with a token that opens it for this caller.
    fn address(&self, path: &str) -> String {
        match self.token.get_or_init(|| self.desk.identity().file_token(self.caller)) {
            Some(token) => format!("{}{path}?token={token}", self.base),
            None => format!("{}{path}", self.base),
        }
    }

    /// The address of somebody's picture.
    pub(super) fn picture(&self, user: &User) -> String {
        let file = user.picture.as_ref().map_or(DEFAULT_PICTURE, |picture| &picture.file);
        self.address(&format!("/media/employee_images/{file}"))
    }

    pub(super) fn employee(&self, user: &Stored<User>, role: Role) -> views::Employee {
        views::Employee {
            id: user.number,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            middle_name: user.middle_name.clone(),
            suffix: user.suffix.clone(),
            company_id: EMPLOYEES.format(user.number),
            department: department(user),
            email: user.email.clone(),
            image: self.picture(user),
            role: role.word(),
            status: words::account_state(user.state.name()),
            date_created: time(user.created_at),
        }
    }

    /// Tickets with their files and people, as lists show them.
    pub(super) async fn tickets(
        &self,
        tickets: &[Arc<Stored<Ticket>>],
    ) -> Result<Vec<views::Ticket>, Failure> {
        let people = self.people_of(tickets).await?;
        let mut files = self.desk.tickets().attachments_of(&self.caller.actor, tickets).await?;
        let shown = tickets.iter().map(|ticket| {
            let files = files.remove(&ticket.id.uuid()).unwrap_or_default();
            self.ticket(ticket, files.iter().map(|file| &**file), &people)
        });
        Ok(shown.collect())
    }

    /// Those who asked for tickets, and those who have them.
    pub(super) async fn people_of(&self, tickets: &[Arc<Stored<Ticket>>]) -> Result<People, Failure> {
        let ids = tickets.iter().flat_map(|ticket| [Some(ticket.requester), ticket.assignee]);
        self.people(ids.flatten().collect()).await
    }

    pub(super) fn ticket<'f>(
        &self,
        ticket: &Stored<Ticket>,
        files: impl Iterator<Item = &'f Stored<Attachment>>,
        people: &People,
    ) -> views::Ticket {
        views::Ticket {
            id: ticket.number,
            ticket_number: TICKETS.format(ticket.number),
            subject: ticket.subject.clone(),
            category: ticket.category.clone().unwrap_or_default(),
            sub_category: ticket.subcategory.clone().unwrap_or_default(),
            description: ticket.description.clone(),
            scheduled_date: ticket.scheduled_for,
            priority: ticket.priority.map(words::priority),
            department: ticket.department.clone(),
            status: words::status(ticket.state.status()),
            submit_date: time(ticket.created_at),
            update_date: time(ticket.updated_at),
            assigned_to: ticket.assignee.and_then(|id| people.get(id)).map(|user| user.full_name()),
            attachments: files.map(|file| self.file(file)).collect(),
            employee: self.ticket_employee(ticket, people),
        }
    }

    pub(super) async fn detail(&self, view: &TicketView) -> Result<views::TicketDetail, Failure> {
        let TicketView { ticket, messages, attachments } = view;
        let authors = messages.iter().filter_map(|message| match message.author {
            Who::User(id) => Some(id),
            _ => None,
        });
        let involved = [Some(ticket.requester), ticket.assignee].into_iter().flatten();
        let people = self.people(involved.chain(authors).collect()).await?;
        let assignee = ticket.assignee.and_then(|id| people.get(id)).map(|user| views::Assignee {
            id: user.number,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        });
        Ok(views::TicketDetail {
            id: ticket.number,
            ticket_number: TICKETS.format(ticket.number),
            subject: ticket.subject.clone(),
            category: ticket.category.clone().unwrap_or_default(),
            sub_category: ticket.subcategory.clone().unwrap_or_default(),
            description: ticket.description.clone(),
            scheduled_date: ticket.scheduled_for,
            attachments: attachments.iter().map(|file| self.file(file)).collect(),
            status: words::status(ticket.state.status()),
            priority: ticket.priority.map(words::priority),
            department: ticket.department.clone(),
            submit_date: time(ticket.created_at),
            update_date: time(ticket.updated_at),
            assigned_to: assignee,
            employee: self.ticket_employee(ticket, &people),
            comments: messages.iter().map(|message| comment(message, &people)).collect(),
        })
    }

    pub(super) fn file(&self, file: &Stored<Attachment>) -> views::File {
        views::File {
            id: file.number,
            file: self.address(&format!("/api/attachments/{}/download/", file.number)),
            file_name: file.name.clone(),
            file_type: file.media_type.clone(),
            file_size: file.size,
            upload_date: time(file.created_at),
        }
    }

    fn ticket_employee(&self, ticket: &Ticket, people: &People) -> views::TicketEmployee {
        match people.get(ticket.requester) {
            Some(user) => views::TicketEmployee {
                id: user.number,
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                email: user.email.clone(),
                company_id: EMPLOYEES.format(user.number),
                department: department(user),
                image: self.picture(user),
            },
            // Accounts are never deleted, so this is a ticket that was brought in from elsewhere.
            None => views::TicketEmployee {
                id: 0,
                first_name: String::new(),
                last_name: String::new(),
                email: String::new(),
                company_id: String::new(),
                department: String::new(),
                image: String::new(),
            },
        }
    }
}

/// Name and department of who asked.
pub(super) fn requester(ticket: &Ticket, people: &People) -> (String, String) {
    people.get(ticket.requester).map_or_else(Default::default, |user| (user.full_name(), department(user)))
}

pub(super) fn department(user: &User) -> String {
    user.department.clone().unwrap_or_default()
}

/// What somebody is called here who may do all this.
pub(super) fn role(may: &Permissions) -> Role {
    Role::of(may)
}

fn comment(message: &Stored<Message>, people: &People) -> views::Comment {
    let user = match message.author {
        Who::User(id) => people.get(id).map(|user| views::Commenter {
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            role: role_of(user, &people.roles).word(),
        }),
        _ => None,
    };
    let desk =
        || views::Commenter { first_name: "Help".into(), last_name: "Desk".into(), role: Role::Admin.word() };
    views::Comment {
        id: message.number,
        comment: message.body.clone(),
        created_at: time(message.created_at),
        is_internal: message.visibility == Visibility::Internal,
        user: user.unwrap_or_else(desk),
    }
}
