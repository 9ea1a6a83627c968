//! A server with two organisations, and somebody's records in each.

mod supportdesk;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use helpdesk::identity::{NewUser, OrganisationId, Permissions, Person, Registration, Role, RoleId};
use helpdesk::storage::{EntityId as _, Stored};
use helpdesk::tickets::{Attachment, NewFile, NewTicket};
use helpdesk::{Actor, Via};
use helpdesk_examples::demo;
use helpdesk_tests::dialects::{ALL, SUPPORTDESK};
use helpdesk_tests::files::png;
use helpdesk_tests::server::{OTHER, Server, Setup};
use helpdesk_tests::stores::NewStore;

use super::Thing;

/// Everybody's password.
pub(crate) const PASSWORD: &str = demo::PASSWORD;
/// Stands in every text of the other organisation.
pub(crate) const ELSEWHERE: &str = "Elsewhere";

/// What the paths of an organisation's records hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Things(HashMap<Thing, String>);

impl Things {
    /// What stands for a thing in a path.
    pub(crate) fn id(&self, thing: Thing) -> String {
        self.0.get(&thing).unwrap_or_else(|| panic!("the world has no {thing:?}")).clone()
    }

    fn number(&self, thing: Thing) -> i64 {
        self.id(thing).parse().expect("a number")
    }

    pub(super) fn keep(&mut self, thing: Thing, id: impl ToString) {
        self.0.insert(thing, id.to_string());
    }
}

/// A server with the demo organisation and another one.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    /// The other organisation.
    pub(crate) other: OrganisationId,
    /// A new ticket of `customer` with a file, and a new account.
    pub(crate) things: Things,
    /// The same in the other organisation, under numbers that the demo organisation does not have.
    pub(crate) others: Things,
}

impl World {
    pub(crate) async fn new(store: NewStore) -> Self {
        Self::with(Setup::new(store)).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let server = setup.start().await;
        let other = server.desk.identity().create_organisation(ELSEWHERE, OTHER).await;
        let other = other.expect("another organisation");
        let customer = server.sign_in("customer").await.caller.actor;
        let mut things = made_by(&server, &customer, "waiting").await;
        make_account(&server, other, "foreign-admin", "admin").await;
        make_account(&server, other, "foreigner", "customer").await;
        let foreigner = server.sign_in("foreign-admin@demo.test").await.caller.actor;
        // Numbers rise in each organisation on their own: these go beyond what the demo organisation has.
        for round in 0..30 {
            let name = format!("{ELSEWHERE}-{round}");
            ticket(&server, &foreigner, &name).await;
            waiting(&server, other, &name).await;
        }
        let mut others = made_by(&server, &foreigner, &format!("{ELSEWHERE}-last")).await;
        for thing in [Thing::Ticket, Thing::Employee, Thing::Attachment] {
            assert!(others.number(thing) > things.number(thing), "{thing:?}");
        }
        if ALL.iter().any(|spoken| spoken.name == SUPPORTDESK.name) {
            supportdesk::make(&server, &mut things, ["customer", "admin"], "Here").await;
            let foreign = ["foreigner@demo.test", "foreign-admin@demo.test"];
            supportdesk::make(&server, &mut others, foreign, ELSEWHERE).await;
        }
        Self { server, other, things, others }
    }

    /// The path of a new picture of somebody. Only where it is asked for: making one takes longer than all the rest.
    pub(crate) async fn picture(&self, name: &str) -> String {
        let actor = self.server.sign_in(name).await.caller.actor;
        let content = Bytes::from(png(0));
        let pictured = self.server.desk.identity().set_picture(&actor, content).await.expect("a picture");
        format!("employee_images/{}", pictured.picture.as_ref().expect("a picture").file)
    }

    /// An account in the demo organisation with a role of its own.
    pub(crate) async fn with_permissions(&self, name: &str, permissions: Permissions) -> String {
        let desk = &self.server.desk;
        let role = Role {
            key: name.to_owned(),
            name: name.to_owned(),
            permissions: Arc::new(permissions),
            builtin: false,
            ext: serde_json::Map::new(),
        };
        let mut changes = desk.changes();
        let id = RoleId::from_uuid(desk.ids().id(changes.at()));
        changes.insert(Actor::system(self.server.organisation).scope(), id, &role);
        desk.commit(changes).await.expect("a role");
        make_account(&self.server, self.server.organisation, name, name).await;
        self.server.token(&format!("{name}@demo.test")).await
    }

    /// An account in the demo organisation with one of its roles.
    pub(crate) async fn account(&self, name: &str, role: &str) -> String {
        make_account(&self.server, self.server.organisation, name, role).await;
        self.server.token(&format!("{name}@demo.test")).await
    }
}

async fn make_account(server: &Server, organisation: OrganisationId, name: &str, role: &str) {
    let new = NewUser {
        person: person(name),
        role: role.to_owned(),
        password: Some(PASSWORD.to_owned()),
        approved: true,
    };
    server.desk.identity().create_user(&Actor::system(organisation), new).await.expect("an account");
}

fn person(name: &str) -> Person {
    Person {
        first_name: name.to_owned(),
        last_name: "Test".to_owned(),
        email: format!("{name}@demo.test").to_lowercase(),
        department: Some("IT Department".to_owned()),
        ..Person::default()
    }
}

/// A ticket with a file, and an account that waits.
async fn made_by(server: &Server, actor: &Actor, name: &str) -> Things {
    let (ticket, files) = ticket(server, actor, name).await;
    let employee = waiting(server, actor.organisation(), name).await;
    let mut things = Things::default();
    things.keep(Thing::Ticket, ticket);
    things.keep(Thing::Employee, employee);
    things.keep(Thing::Attachment, files[0].number);
    things.keep(Thing::File, format!("ticket_attachments/{}", files[0].id));
    things
}

async fn ticket(server: &Server, actor: &Actor, name: &str) -> (i64, Vec<Stored<Attachment>>) {
    let new = NewTicket {
        subject: format!("{name}: the printer is on fire"),
        description: format!("{name}: flames, two feet high."),
        category: Some("Hardware".to_owned()),
        subcategory: Some("Printer".to_owned()),
        files: vec![NewFile { name: format!("{name}.png"), content: Bytes::from(png(0)) }],
        ..NewTicket::default()
    };
    let (ticket, files) = server.desk.tickets().create(actor, new).await.expect("a ticket");
    (ticket.number, files)
}

async fn waiting(server: &Server, organisation: OrganisationId, name: &str) -> i64 {
    let door = Actor::anonymous(organisation, Arc::new(Via::SYSTEM));
    let registration = Registration { person: person(name), password: PASSWORD.to_owned(), picture: None };
    server.desk.identity().register(&door, registration).await.expect("an account that waits").number
}
