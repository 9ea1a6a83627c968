//! What becomes of a reply on a closed ticket (T5).

use chrono::{DateTime, Duration, Utc};

use crate::groups::ClosedReplies;

/// What a reply from outside does to a closed ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It opens the ticket again.
    Reopens,
    /// It becomes a ticket of its own, linked to the closed one.
    FollowsUp,
}

impl Reply {
    /// What the group wants of a reply at `now` on a ticket that was closed at `closed`.
    #[must_use]
    pub fn of(policy: ClosedReplies, closed: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        match policy {
            ClosedReplies::Reopen => Self::Reopens,
            ClosedReplies::FollowUp => Self::FollowsUp,
            ClosedReplies::ReopenWithin { days } if now - closed <= Duration::days(i64::from(days)) => {
                Self::Reopens
            }
            ClosedReplies::ReopenWithin { .. } => Self::FollowsUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_says_what_becomes_of_a_reply() {
        let closed = DateTime::from_timestamp(1_736_931_600, 0).expect("an instant");
        let after = |policy, days: i64, seconds: i64| {
            Reply::of(policy, closed, closed + Duration::days(days) + Duration::seconds(seconds))
        };
        assert_eq!(after(ClosedReplies::Reopen, 4_000, 0), Reply::Reopens);
        assert_eq!(after(ClosedReplies::FollowUp, 0, 0), Reply::FollowsUp);
        let default = ClosedReplies::default();
        assert_eq!(after(default, 14, 0), Reply::Reopens);
        assert_eq!(after(default, 14, 1), Reply::FollowsUp);
        assert_eq!(after(ClosedReplies::ReopenWithin { days: 0 }, 0, 1), Reply::FollowsUp);
    }
}
