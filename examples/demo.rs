//! The demo organisation: an account for each role, and a little of everything.

mod told;

use std::sync::Arc;

use bytes::Bytes;
use helpdesk::identity::{NewApiKey, NewUser, OrganisationId, Person, Registration, permissions};
use helpdesk::tickets::{Act, Comment, NewFile, NewTicket, Priority, Status, TicketId};
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
    tickets(desk, organisation).await?;
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

/// Tickets in every state that somebody meets on the first day.
async fn tickets(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let customer = actor(desk, organisation, "customer").await?;
    let customer2 = actor(desk, organisation, "customer2").await?;
    let coordinator = actor(desk, organisation, "coordinator").await?;
    let agent = actor(desk, organisation, "agent").await?;

    let log =
        NewFile { name: "crash.log".into(), content: Bytes::from_static(b"panic: index out of range\n") };
    create(desk, &customer, "The accounting program crashes on save", "Software", vec![log]).await?;
    create(desk, &customer2, "A second screen, please", "Hardware", Vec::new()).await?;

    let open = create(desk, &customer, "VPN drops every hour", "Network", Vec::new()).await?;
    approve(desk, &coordinator, open, Priority::High).await?;

    let working = create(desk, &customer2, "The printer on floor 3 jams", "Hardware", Vec::new()).await?;
    approve(desk, &coordinator, working, Priority::Normal).await?;
    act(desk, &agent, working, Act::Claim).await?;
    act(desk, &agent, working, Act::Say(Comment::public("I am on my way with a new roller."))).await?;
    act(desk, &agent, working, Act::Say(Comment::internal("Third time this year: order a replacement.")))
        .await?;

    let resolved = create(desk, &customer, "Cannot open the budget sheet", "Software", Vec::new()).await?;
    approve(desk, &coordinator, resolved, Priority::Low).await?;
    act(desk, &agent, resolved, Act::Claim).await?;
    let done = Some(Comment::public("You have the rights now."));
    act(desk, &agent, resolved, Act::Move { to: Status::Resolved, from: None, comment: done }).await?;

    let closed = create(desk, &customer2, "A password for the archive", "Software", Vec::new()).await?;
    approve(desk, &coordinator, closed, Priority::Normal).await?;
    act(desk, &agent, closed, Act::Move { to: Status::Resolved, from: None, comment: None }).await?;
    act(desk, &customer2, closed, Act::Close { comment: Some(Comment::public("Thank you!")) }).await?;

    let refused = create(desk, &customer, "A faster car", "Hardware", Vec::new()).await?;
    let reject = Act::Reject { reason: "This is not for the help desk.".into(), comment: None };
    act(desk, &coordinator, refused, reject).await?;

    let withdrawn = create(desk, &customer2, "Lost my badge", "Hardware", Vec::new()).await?;
    act(desk, &customer2, withdrawn, Act::Withdraw { comment: Some(Comment::public("Found it.")) }).await?;
    Ok(())
}

async fn create(
    desk: &Helpdesk,
    actor: &Actor,
    subject: &str,
    category: &str,
    files: Vec<NewFile>,
) -> Result<TicketId> {
    let new = NewTicket {
        subject: subject.to_owned(),
        description: format!("{subject}. It began yesterday; please have a look."),
        category: Some(category.to_owned()),
        subcategory: Some("General".to_owned()),
        files,
        ..NewTicket::default()
    };
    Ok(desk.tickets().create(actor, new).await?.0.id)
}

async fn approve(desk: &Helpdesk, actor: &Actor, ticket: TicketId, priority: Priority) -> Result<()> {
    let department = Some("IT Department".to_owned());
    act(desk, actor, ticket, Act::Approve { priority, department, comment: None }).await
}

async fn act(desk: &Helpdesk, actor: &Actor, ticket: TicketId, act: Act) -> Result<()> {
    desk.tickets().act(actor, ticket, None, act).await.map(drop)
}

/// A demo account, signed in.
async fn actor(desk: &Helpdesk, organisation: OrganisationId, name: &str) -> Result<Actor> {
    let identity = desk.identity();
    let admit = |_: &Actor, _: &_| Ok(helpdesk::identity::Admission::Approved);
    let via = Arc::new(Via::SYSTEM);
    Ok(identity.sign_in(Some(organisation), name, PASSWORD, via, admit).await?.caller.actor)
}
