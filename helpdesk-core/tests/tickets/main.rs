//! Tickets through the services: making, seeing, listing, acting, closing, and what is written down of it.

mod acting;
mod closing;
mod creating;
mod history;
mod listing;
mod rights;
mod seeing;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
