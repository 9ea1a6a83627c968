//! What the examples share with the tests: the demo data.

pub mod demo;
