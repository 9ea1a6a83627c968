//! People of the desk, groups and companies through the services.

mod agents;
mod borders;
mod companies;
mod groups;
mod inviting;
mod kit;
mod leaving;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
