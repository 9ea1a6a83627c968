//! The demo organisation: an account for each role, and a little of everything.

mod content;
mod people;
mod service_levels;
mod tickets;
mod told;

use std::sync::Arc;

use helpdesk::identity::{NewApiKey, NewUser, OrganisationId, Person, Registration, permissions};
use helpdesk::{Actor, Helpdesk, Result, Via};

/// Everybody's password.
pub const PASSWORD: &str = "helpdesk-demo";
/// The key of an external system.
pub const API_KEY: &str = "helpdesk-demo-key";
/// The organisation's short name.
pub const SLUG: &str = "demo";

/// Accounts: name, role, given and family name, department.
pub const ACCOUNTS: &[(&str, &str, &str, &str, &str)] = &[
    ("admin", "admin", "Jane", "Admin", "IT Department"),
    ("manager", "manager", "Maria", "Manager", "IT Department"),
    ("coordinator", "coordinator", "Carl", "Coordinator", "IT Department"),
    ("agent", "agent", "Anna", "Agent", "IT Department"),
    ("agent2", "agent", "Amir", "Agent", "Asset Department"),
    ("technician", "technician", "Tess", "Technician", "IT Department"),
    ("security", "security", "Sven", "Security", "IT Department"),
    ("customer", "customer", "John", "Doe", "Budget Department"),
    ("customer2", "customer", "Joan", "Roe", "Asset Department"),
];

/// Loads the demo data into a help desk, unless it is there already. Answers the organisation.
///
/// # Errors
///
/// Where the store cannot be reached.
pub async fn load(desk: &Helpdesk) -> Result<OrganisationId> {
    let identity = desk.identity();
    if let Some(organisation) = identity.organisation_by_slug(SLUG).await? {
        return Ok(organisation);
    }
    let organisation = identity.create_organisation("Demo", SLUG).await?;
    let system = Actor::system(organisation);
    for (name, role, first_name, last_name, department) in ACCOUNTS {
        let new = NewUser {
            person: person(name, first_name, last_name, department),
            role: (*role).to_owned(),
            password: Some(PASSWORD.to_owned()),
            approved: true,
        };
        identity.create_user(&system, new).await?;
    }
    let key = NewApiKey {
        name: "External system".into(),
        permissions: [permissions::TICKET_VIEW_FILES].into(),
        expires: None,
    };
    identity.import_api_key(&system, key, API_KEY).await?;
    people_who_wait(desk, organisation).await?;
    people::load(desk, organisation).await?;
    tickets::load(desk, organisation).await?;
    content::load(desk, organisation).await?;
    service_levels::load(desk, organisation).await?;
    told::load(desk, organisation).await?;
    Ok(organisation)
}

fn person(name: &str, first_name: &str, last_name: &str, department: &str) -> Person {
    Person {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        email: format!("{name}@demo.test"),
        username: Some(name.to_owned()),
        department: Some(department.to_owned()),
        ..Person::default()
    }
}

/// Somebody who waits for approval, and somebody who was rejected.
async fn people_who_wait(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let identity = desk.identity();
    let door = Actor::anonymous(organisation, Arc::new(Via::SYSTEM));
    let sign_up = |name: &str, first: &str, last: &str| Registration {
        person: person(name, first, last, "Budget Department"),
        password: PASSWORD.to_owned(),
        picture: None,
    };
    identity.register(&door, sign_up("newcomer", "Nora", "Newcomer")).await?;
    let stranger = identity.register(&door, sign_up("stranger", "Stan", "Stranger")).await?;
    let admin = actor(desk, organisation, "admin").await?;
    identity.reject(&admin, stranger.id, Some("Nobody here knows them".into())).await?;
    Ok(())
}

/// A demo account, signed in.
async fn actor(desk: &Helpdesk, organisation: OrganisationId, name: &str) -> Result<Actor> {
    let identity = desk.identity();
    let admit = |_: &Actor, _: &_| Ok(helpdesk::identity::Admission::Approved);
    let via = Arc::new(Via::SYSTEM);
    Ok(identity.sign_in(Some(organisation), name, PASSWORD, via, admit).await?.caller.actor)
}
