//! Tickets through the services: making, seeing, listing, acting, closing, and what is written down of it.

mod acting;
mod closed_replies;
mod closing;
mod copying;
mod creating;
mod history;
mod listing;
mod merging;
mod own_fields;
mod rights;
mod seeing;
mod several;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
mod uploads;
