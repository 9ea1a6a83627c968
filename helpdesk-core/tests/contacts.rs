//! Contacts: their records, their tickets, and what happened to them.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use chrono::Duration;
use helpdesk_core::contacts::{
    Company, CompanyId, ContactEdit, ContactId, ContactQuery, ContactView, NewContact,
};
use helpdesk_core::identity::{NewUser, Person};
use helpdesk_core::storage::{EntityId as _, From, MAX_PAGE};
use helpdesk_core::tickets::{Act, Cc, Status, Ticket, TicketId};
use helpdesk_core::{Actor, Error, Problem, Result};
use support::World;
use support::tickets::{note, problems, say, to};

fn contact(name: &str) -> NewContact {
    NewContact {
        name: name.to_owned(),
        email: format!("{}@demo.test", name.to_lowercase()),
        company: Some("Acme Corporation".to_owned()),
        ..NewContact::default()
    }
}

async fn names(world: &World, actor: &Actor, query: ContactQuery) -> Result<Vec<String>> {
    let page = world.desk.contacts().list(actor, query).await?;
    assert_eq!(page.total, page.contacts.len() as u64);
    Ok(page.contacts.into_iter().map(|view| view.contact.name.clone()).collect())
}

/// A company, as a record: it is made by another service.
async fn company(world: &World, actor: &Actor, name: &str) -> CompanyId {
    let mut changes = world.desk.changes();
    let id = CompanyId::from_uuid(world.desk.ids().id(changes.at()));
    let company = Company {
        name: name.to_owned(),
        domain: None,
        settings: serde_json::Map::new(),
        deleted: None,
        ext: serde_json::Map::new(),
    };
    changes.insert(actor.scope(), id, &company);
    world.desk.commit(changes).await.expect("a company");
    id
}

async fn delete_company(world: &World, actor: &Actor, id: CompanyId) {
    let store = world.desk.store();
    let before = store.get::<Company>(actor.scope(), id).await.expect("the store").expect("a company");
    let mut changes = world.desk.changes();
    changes.update(&before, &Company { deleted: Some(changes.at()), ..before.value.clone() });
    world.desk.commit(changes).await.expect("deleted");
}

async fn with_copy(world: &World, actor: &Actor, id: TicketId, address: &str) {
    let before =
        world.desk.store().get::<Ticket>(actor.scope(), id).await.expect("the store").expect("a ticket");
    let cc = vec![Cc { address: address.to_owned(), name: None, with: None }];
    let mut changes = world.desk.changes();
    changes.update(&before, &Ticket { cc, ..before.value.clone() });
    world.desk.commit(changes).await.expect("changed");
}

#[tokio::test]
async fn contacts_are_made_changed_and_deleted() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let contacts = world.desk.contacts();
    let made = contacts.create(&agent, contact("Carla")).await?;
    let id = made.contact.id;
    assert_eq!((made.contact.email.as_str(), made.tickets), ("carla@demo.test", 0));

    world.clock.advance(Duration::minutes(1));
    let edit = ContactEdit {
        role: Some(Some("Clerk".to_owned())),
        company: Some(None),
        email: Some("CARLA@example.com".to_owned()),
        ..ContactEdit::default()
    };
    let changed = contacts.update(&agent, id, edit.clone()).await?;
    assert_eq!(changed.contact.value, contacts.get(&agent, id).await?.contact.value);
    assert_eq!((changed.contact.version, changed.contact.name.as_str()), (2, "Carla"));
    assert_eq!((changed.contact.role.as_deref(), changed.contact.company.as_deref()), (Some("Clerk"), None));
    // The same again changes nothing, and says nothing.
    assert_eq!(contacts.update(&agent, id, edit).await?.contact.version, 2);

    contacts.delete(&agent, id).await?;
    assert!(matches!(contacts.get(&agent, id).await, Err(Error::NotFound { what: "contact" })));
    assert!(matches!(contacts.delete(&agent, id).await, Err(Error::NotFound { .. })));
    let log = world.log().await;
    let of_contact: Vec<_> = log.iter().filter(|event| event.subject == id.uuid()).collect();
    let actions: Vec<_> = of_contact.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["contact.created", "contact.updated", "contact.deleted"]);
    let told = format!("{of_contact:?}").to_lowercase();
    assert!(!told.contains("carla") && !told.contains("clerk") && !told.contains("acme"), "{told}");
    // The address is free again.
    contacts.create(&agent, contact("Carla")).await?;
    Ok(())
}

#[tokio::test]
async fn accounts_of_people_outside_become_contacts() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    world.user("ada", "customer").await;
    world.desk.contacts().create(&agent, contact("Gus")).await?;
    world.user("gus", "customer").await;
    world.user("tess", "technician").await;
    let admin = world.actor("admin", "admin").await;
    let new = NewUser {
        person: Person {
            first_name: "Uma".into(),
            last_name: "Test".into(),
            email: "uma@demo.test".into(),
            ..Person::default()
        },
        role: "customer".into(),
        password: None,
        approved: false,
    };
    let uma = world.desk.identity().create_user(&admin, new).await?;
    world.mails().await;
    let known = names(&world, &agent, ContactQuery::default()).await?;
    assert_eq!(known, ["ada Test", "Gus"], "none of the desk, none twice, nobody who waits");
    world.desk.identity().approve(&admin, uma.id).await?;
    world.mails().await;
    let known = names(&world, &agent, ContactQuery::default().search("uma")).await?;
    assert_eq!(known, ["Uma Test"]);
    Ok(())
}

#[tokio::test]
async fn contacts_are_found_by_the_company_they_belong_to() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let (acme, globex) =
        (company(&world, &agent, "Acme Rockets").await, company(&world, &agent, "Globex").await);
    for (name, company_id) in [("Carla", acme), ("Carl", globex), ("Dora", acme)] {
        let new = NewContact { company: None, company_id: Some(company_id), ..contact(name) };
        world.desk.contacts().create(&agent, new).await?;
    }
    let search = async |typed: &str| names(&world, &agent, ContactQuery::default().search(typed)).await;
    assert_eq!(search("acme").await?, ["Dora", "Carla"]);
    // Each word may stand in either.
    assert_eq!(search("rockets carla").await?, ["Carla"]);
    assert_eq!(search("carl").await?, ["Carl", "Carla"]);
    assert!(search("globex rockets").await?.is_empty());
    assert!(search("?").await?.is_empty());
    delete_company(&world, &agent, acme).await;
    assert!(search("acme").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn no_two_contacts_have_the_same_address() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let contacts = world.desk.contacts();
    contacts.create(&agent, contact("Carla")).await?;
    let other = contacts.create(&agent, contact("Other")).await?.contact.id;
    let same = NewContact { email: " CARLA@Demo.Test ".to_owned(), ..contact("Carl") };
    let taken = vec![("email".to_owned(), vec![Problem::Taken("e-mail address")])];
    assert_eq!(problems(&contacts.create(&agent, same).await.expect_err("taken")), taken);
    let edit = ContactEdit { email: Some("carla@demo.test".to_owned()), ..ContactEdit::default() };
    assert_eq!(problems(&contacts.update(&agent, other, edit).await.expect_err("taken")), taken);
    // Of two at once, one is made.
    let (one, two) =
        tokio::join!(contacts.create(&agent, contact("Dora")), contacts.create(&agent, contact("Dora")));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    Ok(())
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let unknown = Some(CompanyId::from_uuid(agent.organisation().uuid()));
    let wrong = NewContact {
        name: " ".to_owned(),
        email: "nobody".to_owned(),
        phone: Some("0".repeat(51)),
        role: Some("a\0".to_owned()),
        company_id: unknown,
        ..NewContact::default()
    };
    let error = world.desk.contacts().create(&agent, wrong).await.expect_err("wrong");
    let fields: Vec<_> = problems(&error).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["company_id", "email", "name", "phone", "role"]);
    Ok(())
}

#[tokio::test]
async fn the_desk_sees_contacts_and_customers_do_not() -> Result<()> {
    let world = World::new().await;
    let (agent, customer) = (world.actor("agent", "agent").await, world.actor("ada", "customer").await);
    let contacts = world.desk.contacts();
    let id = contacts.create(&agent, contact("Carla")).await?.contact.id;
    let forbidden =
        |result: Result<()>| assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}");
    forbidden(contacts.list(&customer, ContactQuery::default()).await.map(drop));
    forbidden(contacts.get(&customer, id).await.map(drop));
    forbidden(contacts.create(&customer, contact("Dora")).await.map(drop));
    forbidden(contacts.update(&customer, id, ContactEdit::default()).await.map(drop));
    forbidden(contacts.delete(&customer, id).await);
    forbidden(contacts.tickets(&customer, id, 10, From::Start).await.map(drop));
    forbidden(contacts.activity(&customer, id, 10, From::Start).await.map(drop));
    Ok(())
}

#[tokio::test]
async fn lists_are_newest_first_and_found_by_name_address_and_company() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let contacts = world.desk.contacts();
    contacts.create(&agent, contact("Carla")).await?;
    let globex = NewContact { company: Some("Globex".to_owned()), ..contact("Żaneta") };
    contacts.create(&agent, NewContact { email: "zaneta@globex.example".to_owned(), ..globex }).await?;
    let query = ContactQuery::default;
    assert_eq!(names(&world, &agent, query()).await?, ["Żaneta", "Carla"]);
    assert_eq!(names(&world, &agent, query().search("zanet")).await?, ["Żaneta"]);
    assert_eq!(names(&world, &agent, query().search("carla@demo.test")).await?, ["Carla"]);
    assert_eq!(names(&world, &agent, query().search("acme corp")).await?, ["Carla"]);
    assert!(names(&world, &agent, query().search("?!")).await?.is_empty());
    let page = contacts.list(&agent, query().page(1, From::Offset(1))).await?;
    assert_eq!((page.total, page.contacts[0].contact.name.as_str()), (2, "Carla"));
    Ok(())
}

#[tokio::test]
async fn the_tickets_of_a_contact_are_those_of_their_address() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let contacts = world.desk.contacts();
    let id = contacts.create(&agent, contact("Ada")).await?.contact.id;
    let nobody = contacts.create(&agent, contact("Nobody")).await?.contact.id;
    let first = world.ticket(&ada, "First").await;
    let deleted = world.ticket(&ada, "Deleted").await;
    let copied = world.ticket(&gus, "Copied").await;
    world.ticket(&gus, "Of somebody else").await;
    world.act(&world.system(), deleted.id, Act::Delete).await;
    with_copy(&world, &agent, copied.id, "ada@demo.test").await;

    let count = |view: ContactView| view.tickets;
    assert_eq!(contacts.get(&agent, id).await.map(count)?, 1);
    assert_eq!(contacts.get(&agent, nobody).await.map(count)?, 0);
    let listed = contacts.list(&agent, ContactQuery::default()).await?;
    assert_eq!(listed.contacts.into_iter().map(count).collect::<Vec<_>>(), [0, 1]);

    let tickets = contacts.tickets(&agent, id, 10, From::Start).await?;
    assert_eq!(tickets.items.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [copied.id, first.id]);
    assert_eq!(tickets.total.map(|total| total.count), Some(2));
    let none = contacts.tickets(&agent, nobody, 10, From::Start).await?;
    assert_eq!((none.items.len(), none.total.map(|total| total.count)), (0, Some(0)));
    Ok(())
}

#[tokio::test]
async fn a_timeline_tells_of_the_contact_and_their_tickets() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let contacts = world.desk.contacts();
    let id = contacts.create(&agent, contact("Ada")).await?.contact.id;
    let ticket = world.ticket(&ada, "First").await;
    world.act(&world.system(), world.ticket(&gus, "Another").await.id, say("hello")).await;
    world.act(&agent, ticket.id, say("hello")).await;
    world.act(&agent, ticket.id, note("hm")).await;
    world.act(&world.system(), ticket.id, to(Status::Resolved)).await;
    let edit = ContactEdit { phone: Some(Some("1".to_owned())), ..ContactEdit::default() };
    contacts.update(&agent, id, edit).await?;

    let timeline = contacts.activity(&agent, id, 10, From::Start).await?;
    let actions: Vec<_> = timeline.events.iter().map(|event| event.action.as_str()).collect();
    let all = [
        "contact.updated",
        "ticket.status_changed",
        "ticket.noted",
        "ticket.replied",
        "ticket.created",
        "contact.created",
    ];
    assert_eq!(actions, all);
    assert_eq!((timeline.total, timeline.tickets.len()), (6, 1));
    let page = contacts.activity(&agent, id, 2, From::Offset(2)).await?;
    let actions: Vec<_> = page.events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!((actions.as_slice(), page.total), (&all[2..4], 6));
    Ok(())
}

#[tokio::test]
async fn a_company_that_is_gone_is_none() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let contacts = world.desk.contacts();
    let acme = company(&world, &agent, "Acme").await;
    let new = NewContact { company_id: Some(acme), ..contact("Carla") };
    let made = contacts.create(&agent, new).await?;
    assert_eq!(made.company.map(|company| company.id), Some(acme));
    delete_company(&world, &agent, acme).await;
    let id = made.contact.id;
    assert!(contacts.get(&agent, id).await?.company.is_none());
    // It keeps nobody from changing the contact, and can be named no more.
    let phone = ContactEdit { phone: Some(Some("1".to_owned())), ..ContactEdit::default() };
    contacts.update(&agent, id, phone).await?;
    let named = ContactEdit { company_id: Some(Some(acme)), ..ContactEdit::default() };
    let unknown = vec![("company_id".to_owned(), vec![Problem::Unknown("company")])];
    assert_eq!(problems(&contacts.update(&agent, id, named).await.expect_err("gone")), unknown);
    let none = ContactEdit { company_id: Some(None), ..ContactEdit::default() };
    assert_eq!(contacts.update(&agent, id, none).await?.contact.company_id, None);
    Ok(())
}

#[tokio::test]
async fn contacts_end_at_the_border() -> Result<()> {
    let world = World::new().await;
    let agent = world.actor("agent", "agent").await;
    let contacts = world.desk.contacts();
    let acme = company(&world, &agent, "Acme").await;
    let id = contacts.create(&agent, contact("Carla")).await?.contact.id;
    let elsewhere = world.desk.identity().create_organisation("Elsewhere", "elsewhere").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;

    let nothing = |result: Result<()>| assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    nothing(contacts.get(&eve, id).await.map(drop));
    nothing(contacts.update(&eve, id, ContactEdit::default()).await.map(drop));
    nothing(contacts.delete(&eve, id).await);
    nothing(contacts.tickets(&eve, id, MAX_PAGE, From::Start).await.map(drop));
    nothing(contacts.activity(&eve, id, MAX_PAGE, From::Start).await.map(drop));
    assert!(names(&world, &eve, ContactQuery::default().search("carla")).await?.is_empty());
    // The same address is another contact there, and has none of the tickets from here.
    world.ticket(&world.actor("carla", "customer").await, "First").await;
    let theirs = contacts.create(&eve, contact("Carla")).await?;
    assert_eq!(theirs.tickets, 0);
    assert!(contacts.tickets(&eve, theirs.contact.id, 10, From::Start).await?.items.is_empty());
    assert_eq!(contacts.get(&agent, id).await?.tickets, 1);
    let borrowed = NewContact { company_id: Some(acme), ..contact("Dora") };
    let unknown = vec![("company_id".to_owned(), vec![Problem::Unknown("company")])];
    assert_eq!(problems(&contacts.create(&eve, borrowed).await.expect_err("unknown")), unknown);
    let made_up = ContactId::from_uuid(world.desk.ids().id(world.desk.now()));
    nothing(contacts.get(&agent, made_up).await.map(drop));
    Ok(())
}
