//! The dashboard, reports and taking them away, through the services.

mod activity;
mod dashboard;
mod exporting;
mod fixture;
mod reporting;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
