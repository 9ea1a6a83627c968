//! How much a client may take, and how long.

use std::time::Duration;

/// Limits and times of connections. Each has a default that suits a server of its own.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many connections there may be at a time. Default: 10,000.
    pub connections: u32,
    /// How many of them one account may have. Default: 20.
    pub per_account: usize,
    /// How many of them may come from one address, or one /64 of IPv6. Default: 1,000; whole offices come from one.
    pub per_address: usize,
    /// How long a client may take to say who it is. Default: 10 seconds.
    pub sign_in: Duration,
    /// After how long a silent client is pinged. Default: 25 seconds.
    pub ping: Duration,
    /// After how long a silent client is given up. Default: one minute.
    pub idle: Duration,
    /// How long a client may take to take what it is sent. Default: 10 seconds.
    pub write: Duration,
    /// How often it is asked anew whether a client may stay, beside whenever something happens to its account. Default:
    /// one minute.
    pub recheck: Duration,
    /// How long before the end of its token a client is told. Default: one minute.
    pub warning: Duration,
    /// How large a client's message may be. Default: 16 KiB.
    pub message_size: usize,
    /// How many messages a client may send in a second. Default: 20.
    pub messages_per_second: u32,
    /// After how many messages in a row that make no sense a client is given up. Default: 20.
    pub bad_messages: u32,
    /// How many events a client may be behind. Default: 512.
    pub backlog: usize,
    /// How many missed events are told to a client that comes back. Default: 1,000.
    pub resumed: usize,
    /// How far back in the log they are looked for: how many events of all organisations. Default: 10,000.
    pub searched: usize,
    /// How long it may take to tell them, from when the client asks to when it took the last. Default: one minute.
    pub catch_up: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_account: 20,
            per_address: 1_000,
            sign_in: Duration::from_secs(10),
            ping: Duration::from_secs(25),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(10),
            recheck: Duration::from_secs(60),
            warning: Duration::from_secs(60),
            message_size: 16 << 10,
            messages_per_second: 20,
            bad_messages: 20,
            backlog: 512,
            resumed: 1_000,
            searched: 10_000,
            catch_up: Duration::from_secs(60),
        }
    }
}
