//! Which moves tickets may make: one table, which an embedding team can replace.

use super::status::{Status, StatusSet};

/// The permitted moves from status to status.
///
/// The default is the field's usual one. A team changes it move by move:
///
/// ```
/// use helpdesk_core::tickets::{Status, Workflow};
///
/// let workflow = Workflow::default().allow(Status::Resolved, Status::OnHold).forbid(Status::New, Status::Closed);
/// assert!(workflow.permits(Status::Resolved, Status::OnHold));
/// assert!(!workflow.permits(Status::New, Status::Closed));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    moves: [StatusSet; Status::ALL.len()],
}

impl Workflow {
    /// A table without any move.
    #[must_use]
    pub const fn empty() -> Self {
        Self { moves: [StatusSet::of(&[]); Status::ALL.len()] }
    }

    /// Permits a move.
    #[must_use]
    pub const fn allow(mut self, from: Status, to: Status) -> Self {
        self.moves[from as usize] = self.moves[from as usize].with(to);
        self
    }

    /// Forbids a move.
    #[must_use]
    pub const fn forbid(mut self, from: Status, to: Status) -> Self {
        self.moves[from as usize] = self.moves[from as usize].without(to);
        self
    }

    /// Whether a ticket may move from one status to another. Staying where it is is no move.
    #[must_use]
    pub const fn permits(&self, from: Status, to: Status) -> bool {
        self.moves[from as usize].has(to)
    }
}

impl Default for Workflow {
    fn default() -> Self {
        use Status::{Closed, InProgress, Merged, New, OnHold, Open, Pending, Resolved, Spam, Withdrawn};
        let mut table = Self::empty();
        for to in Status::ALL.into_iter().filter(|to| *to != New) {
            table = table.allow(New, to);
        }
        let worked_on = [Open, InProgress, Pending, OnHold];
        for from in worked_on {
            for to in worked_on.into_iter().chain([Resolved, Closed, Withdrawn, Merged, Spam]) {
                if to != from {
                    table = table.allow(from, to);
                }
            }
        }
        // Whoever moves a closed ticket needs the permission to reopen as well.
        for (from, to) in
            [(Resolved, Open), (Resolved, InProgress), (Resolved, Closed), (Closed, Open), (Spam, Open)]
        {
            table = table.allow(from, to);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole default table, so that a change of it is seen as one.
    #[test]
    fn the_default_moves() {
        let workflow = Workflow::default();
        let row = |from: Status| {
            Status::ALL
                .map(|to| if workflow.permits(from, to) { 'x' } else { '.' })
                .into_iter()
                .collect::<String>()
        };
        let table = Status::ALL.map(|from| format!("{:<11} {}", from.name(), row(from))).join("\n");
        assert_eq!(
            table,
            "new         .xxxxxxxxxx\n\
             open        ..xxxxx.xxx\n\
             in_progress .x.xxxx.xxx\n\
             pending     .xx.xxx.xxx\n\
             on_hold     .xxx.xx.xxx\n\
             resolved    .xx...x....\n\
             closed      .x.........\n\
             rejected    ...........\n\
             withdrawn   ...........\n\
             merged      ...........\n\
             spam        .x........."
        );
    }
}
