//! Changes to tickets that nobody asked for one by one: what follows for many of them from a change elsewhere.

use super::{Tickets, audience, changed_fields};
use crate::actor::Actor;
use crate::events::EventDraft;
use crate::identity::Organisation;
use crate::notifications::{Deed, tell};
use crate::storage::{Changes, Stored};
use crate::tickets::acts::Decision;
use crate::tickets::reactions::react;
use crate::tickets::ticket::Ticket;

impl Tickets {
    /// Adds a decision on a ticket to a batch of several, with its event and what follows from it.
    pub(in crate::tickets) fn rewrite(
        &self,
        changes: &mut Changes,
        actor: &Actor,
        before: &Stored<Ticket>,
        decision: &Decision,
        organisation: &Organisation,
    ) {
        let slot = changes.update(before, &decision.ticket);
        let version = changes.version_after(slot);
        let draft =
            EventDraft::new::<Ticket>(decision.action, before.id, version, audience(&decision.ticket, false))
                .changes(changed_fields(Some(&before.value), &decision.ticket))
                .reason(decision.reason.clone());
        changes.event(actor, self.new_id(changes), draft);
        let deed = Deed {
            ticket: before.id,
            version,
            before: Some(&before.value),
            after: &decision.ticket,
            words: Vec::new(),
        };
        tell(&self.desk, changes, actor, &deed);
        react(&self.desk, changes, actor, before, std::slice::from_ref(decision), organisation);
    }
}
