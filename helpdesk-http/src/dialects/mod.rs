//! The dialects: public APIs that are spoken over one set of data. Each has a folder of its own, and nothing
//! outside it knows its words.

pub mod smartsupport;
pub mod supportdesk;
