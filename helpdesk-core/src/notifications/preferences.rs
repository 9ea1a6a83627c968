//! What somebody wants to be told of, and how.

use serde::{Deserialize, Serialize};

/// What somebody wants to be told of, and how. Everything, unless they said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Whether they are told by mail as well.
    pub by_mail: bool,
    /// Whether programs may show a note on their screen.
    pub on_screen: bool,
    /// Of what happens to their tickets.
    pub ticket_updates: bool,
    /// Of tickets that they were given.
    pub ticket_assignments: bool,
    /// Of messages that mention them.
    pub mentions: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            by_mail: true,
            on_screen: true,
            ticket_updates: true,
            ticket_assignments: true,
            mentions: true,
        }
    }
}
