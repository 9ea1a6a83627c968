//! What only a store on PostgreSQL has to get right: tables that change under running servers, transactions that
//! commit in another order than they begin, several nodes, and connections and servers that go away.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod cluster;
mod dense;
mod fixture;
mod jobs;
mod ledger;
mod lost;
mod order;
mod proxy;
mod releases;
mod rollups;
mod schema;
