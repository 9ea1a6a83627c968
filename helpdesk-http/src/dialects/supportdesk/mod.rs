//! Support Desk: tickets, contacts, agents and groups, reports, a knowledge base and notifications, in the manner of a
//! JSON API with envelopes.
//!
//! | file | holds |
//! | --- | --- |
//! | `words` | the document's words and what they stand for |
//! | `envelope` | the shape around every answer, and pages |
//! | `errors` | how failures are told |
//! | `show` | how records become the document's objects |
//! | `events` | how events are told to clients that stay connected |
//! | `auth`, `tickets`, `comments`, `bulk`, `contacts`, `agents`, `groups`, `organizations`, `dashboard`, `reports`, `knowledge`, `settings`, `tags`, `files`, `search`, `notifications` | the operations, by area |
//! | `links` | where the links of mails about accounts lead |
//! | `satisfaction` | where those lead that ask how satisfied somebody is |
//! | `pages` | how the pages there look |

mod agents;
mod auth;
mod bulk;
mod comments;
mod contacts;
mod dashboard;
mod envelope;
mod errors;
mod events;
mod files;
mod groups;
mod knowledge;
mod links;
mod notifications;
mod organizations;
mod pages;
mod reports;
mod satisfaction;
mod search;
mod settings;
mod show;
mod tags;
mod tickets;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use helpdesk_core::identity::{Admission, OrganisationId};
use helpdesk_core::{Quota, Reference, Via};

pub use self::events::SupportDeskFeed;
use crate::kernel::{Dialect, Rates, Tenant};

/// Requests an hour of somebody who is signed in, and of an address where nobody is.
const RATES: Rates = Rates::Callers { known: Quota::new(1_000, 3_600), unknown: Quota::new(100, 3_600) };

/// The document gives one token and no way to get another, so it lasts a day's work.
const ACCESS_MINUTES: u32 = 12 * 60;

/// The dialect. Everybody acts in their own organisation; who signs up does so in `home`.
///
/// Mailed links for a password lead to a plain page of the dialect, unless [`Dialect::reset_path`] says where else.
#[must_use]
pub fn supportdesk(home: OrganisationId) -> Dialect {
    let areas = [
        auth::operations(),
        links::operations(),
        tickets::operations(),
        comments::operations(),
        bulk::operations(),
        contacts::operations(),
        agents::operations(),
        groups::operations(),
        organizations::operations(),
        dashboard::operations(),
        reports::operations(),
        knowledge::operations(),
        settings::operations(),
        tags::operations(),
        files::operations(),
        search::operations(),
        notifications::operations(),
        satisfaction::operations(),
    ];
    Dialect {
        name: "supportdesk",
        title: "Support Desk",
        description: "People ask, agents answer, administrators see how it goes.",
        version: "1.0.0",
        via: door(),
        tenant: Tenant::Callers { home },
        operations: areas.into_iter().flatten().collect(),
        aliases: &[("/api/v1", "/api")],
        limits: RATES,
        refuse: errors::refuse,
        error_schema: errors::schema,
    }
}

/// The door that everybody comes in by.
fn door() -> Arc<Via> {
    Arc::new(Via {
        name: Cow::Borrowed("supportdesk"),
        tickets: Reference::new("#", 1),
        reset_path: Cow::Borrowed(links::PASSWORD_PAGE),
        access_minutes: Some(ACCESS_MINUTES),
        mails_news: true,
        admission: Admission::Approved,
    })
}
