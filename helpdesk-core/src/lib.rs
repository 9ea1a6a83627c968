//! The rules of a help desk, free of transports and databases.

pub mod events;
pub mod storage;
