//! The codes that connections are closed with, beside those of the protocol.

/// The token is missing, wrong, or not good any more.
pub const UNAUTHENTICATED: u16 = 4401;
/// Nothing was heard of the client for too long.
pub const IDLE: u16 = 4408;
/// The client does not take what it is sent. It may come back, and name the last event it was told of.
pub const SLOW: u16 = 4410;
/// There are too many connections of the account, or too many messages.
pub const TOO_MANY: u16 = 4429;
