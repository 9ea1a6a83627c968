//! Tickets through the services: making, seeing, listing, acting, closing, and what is written down of it.

mod acting;
mod closing;
mod creating;
mod history;
mod listing;
mod rights;
mod seeing;
#[path = "../support/mod.rs"]
mod support;
