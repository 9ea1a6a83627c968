//! The rules of a help desk, free of transports and databases.
//!
//! [`Helpdesk`] is the entry: it is built from a store and the other ports, and gives the services. Every service
//! takes an [`Actor`], checks what the actor may do, loads records, lets a pure rule decide, and commits the
//! changes with their events and jobs as one batch.
//!
//! | context | holds |
//! | --- | --- |
//! | [`identity`] | organisations, accounts, roles and permissions, sessions, tokens, API keys |
//! | [`tickets`] | tickets, messages, files, and the machine that moves tickets |
//! | [`groups`] | who works together |
//! | [`contacts`] | people outside, and their companies |
//! | [`service_levels`] | what the desk has promised |
//! | [`knowledge`] | articles |
//! | [`notifications`] | what people are told of |
//! | [`tags`] | words that records are marked with |
//! | [`uploads`] | files that wait to be taken over |
//! | [`insight`] | search, dashboards, reports |
//! | [`events`] | the log of what happened, and who is told |
//! | [`jobs`] | what is still to be done |
//! | [`storage`] | the port to a store, and the typed layer over it |

// The macro for ids names this crate by its name, also from within.
extern crate self as helpdesk_core;

mod actor;
mod blobs;
mod clock;
pub mod contacts;
mod error;
pub mod events;
mod gateway;
pub mod groups;
mod helpdesk;
pub mod identity;
mod ids;
pub mod insight;
pub mod jobs;
pub mod knowledge;
mod limits;
mod mail;
pub mod notifications;
pub mod service_levels;
pub mod storage;
pub mod tags;
mod texts;
pub mod tickets;
pub mod uploads;

pub use self::actor::{Actor, Authenticated, Reference, Via, Who};
pub use self::blobs::{BlobError, Blobs, MemoryBlobs};
pub use self::clock::{Clock, ManualClock, SystemClock};
pub use self::error::{AuthFailure, Conflict, Error, Problem, Problems, Rejection, Result};
#[cfg(feature = "mock")]
pub use self::gateway::MockWorkflowGateway;
pub use self::gateway::{HandOver, HandOverDocument, WorkflowGateway};
pub use self::helpdesk::{Builder, Chain, Helpdesk};
pub use self::ids::{Ids, SeededIds, SystemIds};
pub use self::limits::{Allowance, Limiter, LocalLimiter, Quota, Unlimited, network_of};
#[cfg(feature = "mock")]
pub use self::mail::MockMailer;
pub use self::mail::{Mail, MailTemplate, Mailer, NoMail};

/// What the macros of this crate expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use serde::{self, Deserialize, Serialize};
    pub use uuid::{Error as UuidError, Uuid};
}
