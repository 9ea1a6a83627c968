//! What the tests of people share.

use helpdesk_core::Result;
use helpdesk_core::groups::{Group, GroupId, NewGroup};
use helpdesk_core::identity::{Agent, NewAgent, Person, UserId};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::tickets::{State, Ticket, TicketId};

use crate::support::World;

/// Somebody who is to work at the desk, without a password.
pub(crate) fn newcomer(name: &str) -> NewAgent {
    NewAgent {
        person: Person { email: format!("{}@demo.test", name.to_lowercase()), ..Person::named(name) },
        role: "agent".into(),
        ..NewAgent::default()
    }
}

impl World {
    /// A group of some people.
    pub(crate) async fn team(&self, name: &str, members: &[UserId]) -> Stored<Group> {
        let new = NewGroup { name: name.to_owned(), members: members.to_vec(), ..NewGroup::default() };
        self.desk.groups().create(&self.system(), new).await.expect("a group")
    }

    /// The members of a group.
    pub(crate) async fn members(&self, id: GroupId) -> Vec<UserId> {
        self.desk.groups().get(&self.system(), id).await.expect("the group").members.clone()
    }

    /// Somebody of the desk, as it stands.
    pub(crate) async fn agent(&self, id: UserId) -> Result<Agent> {
        self.desk.identity().agent(&self.system(), id).await
    }

    /// A ticket that somebody has, in a state, of a group where one is given.
    pub(crate) async fn given(&self, who: UserId, group: Option<GroupId>, state: State) -> Result<TicketId> {
        let mut changes = self.desk.changes();
        let id = TicketId::from_uuid(self.desk.ids().id(changes.at()));
        let ticket = Ticket { assignee: Some(who), group, state, ..Ticket::new(who, "Printer", "It burns") };
        changes.insert(self.system().scope(), id, &ticket);
        self.desk.commit(changes).await?;
        Ok(id)
    }

    /// Who has a ticket, and which group.
    pub(crate) async fn holders(&self, id: TicketId) -> Result<(Option<UserId>, Option<GroupId>)> {
        let ticket = self.desk.store().get::<Ticket>(self.system().scope(), id).await?;
        let ticket = ticket.expect("it is there");
        Ok((ticket.assignee, ticket.group))
    }

    /// Runs what is due, none of which fails. Answers how many jobs there were.
    pub(crate) async fn run(&self) -> Result<usize> {
        let report = self.desk.run_due(self.desk.now()).await?;
        assert_eq!((report.retried, report.failed), (0, 0));
        Ok(report.done)
    }
}
