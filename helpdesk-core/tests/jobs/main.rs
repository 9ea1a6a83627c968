//! Jobs through the services: trying again, giving up, mails, hand-overs, and the workers of a server.

mod handing_over;
mod mails;
mod retrying;
mod scripted;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
mod time;
mod together;
mod workers;
