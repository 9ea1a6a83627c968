//! People of the desk: finding them, taking them in, changing them, letting them go.

use std::sync::Arc;

use helpdesk_core::groups::GroupId;
use helpdesk_core::identity::{
    AgentEdit, AgentQuery, Availability, NewAgent, Permissions, Person, Role, UserId, permissions,
};
use helpdesk_core::storage::{EntityId as _, Filter, From};
use helpdesk_core::{Actor, AuthFailure, Error, Problem, Rejection, Result, Via};

use crate::kit::newcomer;
use crate::support::World;
use crate::support::tickets::problems;

/// The addresses, without the part that all share, of those whom a query finds, and how many there are in all.
async fn found(world: &World, query: AgentQuery) -> Result<(Vec<String>, u64)> {
    let page = world.desk.identity().agents(&world.system(), query).await?;
    let names = page.agents.iter().map(|agent| agent.user.email.replace("@demo.test", ""));
    Ok((names.collect(), page.total))
}

fn edit_role(role: &str) -> AgentEdit {
    AgentEdit { role: Some(role.into()), ..AgentEdit::default() }
}

#[tokio::test]
async fn whoever_may_work_the_queue_is_of_the_desk_whatever_the_role_is_called() -> Result<()> {
    let world = World::new().await;
    for (name, role) in [("gus", "agent"), ("admin", "admin"), ("ada", "customer"), ("tess", "technician")] {
        world.user(name, role).await;
    }
    assert_eq!(found(&world, AgentQuery::default()).await?, (vec!["admin".into(), "gus".into()], 2));
    // The technicians are given the right.
    let roles = world.desk.store().select::<Role>(world.system().scope());
    let technician = roles.filter(Filter::equals("key", "technician")).first().await?.expect("the role");
    let mut more = technician.value.clone();
    Arc::make_mut(&mut more.permissions).insert(permissions::QUEUE_ACCESS_HELPDESK);
    let mut changes = world.desk.changes();
    changes.update(&technician, &more);
    world.desk.commit(changes).await?;
    assert_eq!(found(&world, AgentQuery::default()).await?.0, ["admin", "gus", "tess"]);
    Ok(())
}

#[tokio::test]
async fn agents_are_found_by_status_department_and_words_a_page_at_a_time() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let system = world.system();
    for (name, department) in
        [("Gus Green", "Hardware"), ("Hilda Blue", "Software"), ("Ines Green", "Software")]
    {
        let email = format!("{}@demo.test", name.split(' ').next().expect("a name").to_lowercase());
        let department = Some(department.to_owned());
        let person = Person { email, department, ..Person::named(name) };
        identity.create_agent(&system, NewAgent { person, ..newcomer(name) }).await?;
    }
    let by_name = |name: &'static str| AgentQuery::default().search(name);
    assert_eq!(found(&world, AgentQuery::default()).await?.0, ["hilda", "gus", "ines"], "by family name");
    assert_eq!(found(&world, by_name("gre")).await?.0, ["gus", "ines"]);
    assert_eq!(found(&world, by_name("hilda@demo.test")).await?.0, ["hilda"]);
    assert_eq!(found(&world, by_name("?!")).await?.1, 0);
    assert_eq!(found(&world, AgentQuery::default().department("Software")).await?.0, ["hilda", "ines"]);
    let second = AgentQuery::default().page(1, From::Offset(1));
    assert_eq!(found(&world, second).await?, (vec!["gus".into()], 3));

    let gus = identity.agents(&system, by_name("gus")).await?.agents[0].user.id;
    identity.set_availability(&system, gus, Availability::Busy).await?;
    let available = |availability| AgentQuery::default().available(availability);
    assert_eq!(found(&world, available(Availability::Busy)).await?.0, ["gus"]);
    assert_eq!(found(&world, available(Availability::Offline)).await?.0, ["hilda", "ines"]);
    assert_eq!(found(&world, AgentQuery::default().inactive()).await?.1, 0);
    identity.deactivate_agent(&system, gus).await?;
    assert_eq!(found(&world, available(Availability::Busy)).await?.1, 0);
    assert_eq!(found(&world, available(Availability::Offline)).await?.1, 2, "who is off is not offline");
    assert_eq!(found(&world, AgentQuery::default().inactive()).await?.0, ["gus"]);
    assert_eq!(found(&world, AgentQuery::default()).await?.1, 3);
    Ok(())
}

#[tokio::test]
async fn an_agent_is_shown_with_groups_and_rights_in_lists_as_alone() -> Result<()> {
    let world = World::new().await;
    let gus = world.user("gus", "agent").await.id;
    let (a, b) = (world.team("A", &[gus]).await.id, world.team("B", &[gus]).await.id);
    let gone = world.team("C", &[gus]).await.id;
    world.desk.groups().delete(&world.system(), gone).await?;
    let alone = world.agent(gus).await?;
    let page = world.desk.identity().agents(&world.system(), AgentQuery::default()).await?;
    for agent in [&alone, &page.agents[0]] {
        assert_eq!((agent.user.id, &agent.groups), (gus, &vec![a, b]));
        assert!(agent.permissions.contains(&permissions::TICKET_CLAIM));
    }
    let ada = world.user("ada", "customer").await.id;
    assert!(matches!(world.agent(ada).await, Err(Error::NotFound { what: "agent" })));
    Ok(())
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_newcomer_is_said_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let new = NewAgent {
        person: Person { email: "nobody".into(), ..Person::named("\0") },
        role: "emperor".into(),
        password: Some("short".into()),
        groups: Vec::new(),
    };
    assert_eq!(
        problems(&identity.create_agent(&admin, new).await.expect_err("all wrong")),
        [
            ("email".to_owned(), vec![Problem::Format("e-mail address")]),
            ("first_name".to_owned(), vec![Problem::NulCharacter]),
            ("password".to_owned(), vec![Problem::TooShort(8)]),
            ("role".to_owned(), vec![Problem::Unknown("role")]),
        ]
    );
    // A role that does not work the desk is none here.
    let customer = NewAgent { role: "customer".into(), ..newcomer("Nina") };
    let refused = identity.create_agent(&admin, customer).await.expect_err("no agent");
    assert_eq!(problems(&refused), [("role".to_owned(), vec![Problem::Unknown("role")])]);
    let unknown = GroupId::from_uuid(world.desk.ids().id(world.desk.now()));
    let deleted = world.team("Gone", &[]).await.id;
    world.desk.groups().delete(&admin, deleted).await?;
    for group in [unknown, deleted] {
        let new = NewAgent { groups: vec![group], ..newcomer("Nina") };
        let refused = identity.create_agent(&admin, new).await.expect_err("no such group");
        assert_eq!(problems(&refused), [("groups".to_owned(), vec![Problem::Unknown("group")])]);
    }
    let taken = identity.create_agent(&admin, newcomer("Admin")).await.expect_err("taken");
    assert_eq!(problems(&taken), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    assert!(world.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_address_is_one_agent_also_when_two_are_made_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let system = world.system();
    let group = world.team("Hardware", &[]).await.id;
    let new = || NewAgent { groups: vec![group], ..newcomer("Nina") };
    let (a, b) = tokio::join!(identity.create_agent(&system, new()), identity.create_agent(&system, new()));
    let (made, refused) = match (a, b) {
        (Ok(made), Err(refused)) | (Err(refused), Ok(made)) => (made, refused),
        other => panic!("{other:?}"),
    };
    assert_eq!(problems(&refused), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    assert_eq!(world.members(group).await, [made.user.id]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_sent_of_an_agent_stays() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let system = world.system();
    let group = world.team("Hardware", &[]).await.id;
    let new = NewAgent { groups: vec![group, group], ..newcomer("Nina") };
    let nina = identity.create_agent(&system, new).await?;
    assert_eq!(nina.groups, [group]);
    let edit = AgentEdit {
        first_name: Some("Nina".into()),
        last_name: Some("New".into()),
        department: Some(Some("Hardware".into())),
        ..AgentEdit::default()
    };
    let edited = identity.update_agent(&system, nina.user.id, edit).await?;
    assert_eq!((edited.user.full_name().as_str(), edited.groups), ("Nina New", vec![group]));
    assert_eq!((&edited.user.email, &edited.user.roles), (&nina.user.email, &nina.user.roles));
    let edit = AgentEdit { department: Some(None), groups: Some(vec![]), ..edit_role("team_lead") };
    let edited = identity.update_agent(&system, nina.user.id, edit).await?;
    assert_eq!((edited.user.department.as_deref(), edited.groups), (None, vec![]));
    assert!(edited.permissions.contains(&permissions::TICKET_ASSIGN_ANY));
    let version = edited.user.version;
    let nothing = identity.update_agent(&system, nina.user.id, AgentEdit::default()).await?;
    assert_eq!(nothing.user.version, version);
    let log = world.log().await;
    let edits: Vec<Vec<_>> = log
        .iter()
        .filter(|event| event.action == "user.edited")
        .map(|event| event.detail.changes.iter().map(|change| change.field.to_string()).collect())
        .collect();
    assert_eq!(edits, [vec!["name", "department"], vec!["department", "roles"]]);
    Ok(())
}

/// An actor who manages people and may do little else.
async fn clerk(world: &World) -> Result<Actor> {
    let may = [permissions::ADMIN_MANAGE_USERS, permissions::ADMIN_VIEW_USERS];
    with_role(world, "clerk", may.into()).await
}

/// An actor with a role of their own, called the same.
async fn with_role(world: &World, name: &str, may: Permissions) -> Result<Actor> {
    let role = Role {
        key: name.into(),
        name: name.into(),
        permissions: Arc::new(may),
        builtin: false,
        ext: serde_json::Map::new(),
    };
    let mut changes = world.desk.changes();
    let id = helpdesk_core::identity::RoleId::from_uuid(world.desk.ids().id(changes.at()));
    changes.insert(world.system().scope(), id, &role);
    world.desk.commit(changes).await?;
    Ok(world.actor(name, name).await)
}

#[tokio::test]
async fn nobody_takes_back_who_could_do_more_than_they() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let may = [permissions::ADMIN_MANAGE_USERS, permissions::QUEUE_ACCESS_HELPDESK];
    let warden = with_role(&world, "warden", may.into()).await?;
    for (name, role) in [("gus", "agent"), ("lena", "warden")] {
        let left = world.user(name, role).await.id;
        identity.deactivate_agent(&world.system(), left).await?;
    }
    let warden_again = |name| NewAgent { role: "warden".into(), ..newcomer(name) };
    let refused = identity.create_agent(&warden, warden_again("Gus")).await;
    assert!(matches!(refused, Err(Error::Forbidden { permission }) if !warden.has(&permission)));
    assert!(identity.create_agent(&warden, warden_again("Lena")).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn nobody_grants_what_they_lack_nor_takes_over_who_may_more() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let clerk = clerk(&world).await?;
    let gus = world.user("gus", "agent").await.id;
    let denied = |result: Result<_>| {
        let Err(Error::Forbidden { permission }) = result else { panic!("it was done") };
        assert!(!clerk.has(&permission));
    };
    denied(identity.create_agent(&clerk, newcomer("Nina")).await);
    denied(identity.update_agent(&clerk, gus, edit_role("team_lead")).await);
    // Nor a way to somebody's account whose rights they lack.
    let edit = AgentEdit { email: Some("clerk2@demo.test".into()), ..AgentEdit::default() };
    denied(identity.update_agent(&clerk, gus, edit).await);
    let edit = AgentEdit { department: Some(Some("Hardware".into())), ..AgentEdit::default() };
    assert!(identity.update_agent(&clerk, gus, edit).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn the_last_administrator_stays_one() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let me = admin.person()?;
    for role in ["agent", "senior_agent", "team_lead"] {
        let refused = identity.update_agent(&admin, me, edit_role(role)).await;
        assert!(matches!(refused, Err(Error::Rejected(Rejection::LastAdministrator))));
    }
    let refused = identity.deactivate_agent(&admin, me).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::LastAdministrator))));
    // Two who each make an agent of the other: one of them stays.
    let second = world.actor("admin2", "admin").await;
    let (a, b) = tokio::join!(
        identity.update_agent(&admin, second.person()?, edit_role("agent")),
        identity.update_agent(&second, me, edit_role("agent")),
    );
    assert!(a.is_ok() != b.is_ok());
    Ok(())
}

#[tokio::test]
async fn deactivation_takes_effect_at_once_and_may_be_said_twice() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let via = || Arc::new(Via::SYSTEM);
    let gus = world.user("gus", "agent").await.id;
    let admit = |_: &_, _: &_| Ok(helpdesk_core::identity::Admission::Approved);
    let session = identity.sign_in(None, "gus@demo.test", crate::support::PASSWORD, via(), admit).await?;
    identity.set_availability(&session.caller.actor, gus, Availability::Online).await?;
    assert!(identity.authenticate(&session.access, via()).await.is_ok());
    identity.deactivate_agent(&admin, gus).await?;
    let refused = identity.authenticate(&session.access, via()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(AuthFailure::Expired))));
    let off = world.agent(gus).await?;
    assert_eq!((off.user.state.name(), off.user.availability), ("deactivated", Availability::Offline));
    identity.deactivate_agent(&admin, gus).await?;
    assert_eq!(world.agent(gus).await?.user.version, off.user.version);
    let refused = identity.set_availability(&admin, gus, Availability::Online).await;
    assert!(matches!(refused, Err(Error::Rejected(Rejection::Account { state: "deactivated" }))));
    // Whoever is off joins nothing.
    let group = world.team("Hardware", &[]).await.id;
    let edit = AgentEdit { groups: Some(vec![group]), ..AgentEdit::default() };
    assert!(matches!(identity.update_agent(&admin, gus, edit).await, Err(Error::Rejected(_))));
    Ok(())
}

#[tokio::test]
async fn people_say_themselves_whether_they_are_there_or_somebody_who_may_says_so() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let gus = world.actor("gus", "agent").await;
    let lead = world.actor("lead", "team_lead").await;
    let hilda = world.actor("hilda", "agent").await;
    let ada = world.actor("ada", "customer").await;
    let me = gus.person()?;
    assert_eq!(identity.set_availability(&gus, me, Availability::Online).await?, Availability::Online);
    let version = world.agent(me).await?.user.version;
    identity.set_availability(&gus, me, Availability::Online).await?;
    assert_eq!(world.agent(me).await?.user.version, version, "nothing has changed");
    identity.set_availability(&lead, me, Availability::Away).await?;
    assert_eq!(world.agent(me).await?.user.availability, Availability::Away);
    let refused = identity.set_availability(&hilda, me, Availability::Busy).await;
    assert!(matches!(refused, Err(Error::Forbidden { permission })
        if permission == permissions::STAFF_OVERRIDE_WORK_MODES));
    let refused = identity.set_availability(&ada, ada.person()?, Availability::Busy).await;
    assert!(matches!(refused, Err(Error::Forbidden { permission })
        if permission == permissions::STAFF_CHANGE_WORK_MODE));
    let refused = identity.set_availability(&lead, ada.person()?, Availability::Busy).await;
    assert!(matches!(refused, Err(Error::NotFound { what: "agent" })));
    let log = world.log().await;
    let told = log.iter().filter(|event| event.action == "user.availability_changed");
    let told: Vec<_> = told.map(|event| &event.detail.changes[0]).map(|c| (&c.from, &c.to)).collect();
    assert_eq!(told, [(&"offline".into(), &"online".into()), (&"online".into(), &"away".into())]);
    Ok(())
}

#[tokio::test]
async fn only_those_who_may_see_and_manage_people() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let lead = world.actor("lead", "team_lead").await;
    let security = world.actor("security", "security").await;
    let gus: UserId = world.user("gus", "agent").await.id;
    let refused = |result: Result<()>, permission| {
        assert!(matches!(result, Err(Error::Forbidden { permission: missing }) if missing == permission));
    };
    refused(identity.agents(&lead, AgentQuery::default()).await.map(drop), permissions::ADMIN_VIEW_USERS);
    refused(identity.agent(&lead, gus).await.map(drop), permissions::ADMIN_VIEW_USERS);
    assert!(identity.agent(&security, gus).await.is_ok());
    for actor in [&lead, &security] {
        let manage = || permissions::ADMIN_MANAGE_USERS;
        refused(identity.create_agent(actor, newcomer("Nina")).await.map(drop), manage());
        refused(identity.update_agent(actor, gus, AgentEdit::default()).await.map(drop), manage());
        refused(identity.deactivate_agent(actor, gus).await, manage());
        assert!(identity.check_agent(actor, gus).await.is_ok());
    }
    let ada = world.actor("ada", "customer").await;
    refused(identity.check_agent(&ada, gus).await, permissions::TICKET_VIEW_ALL);
    Ok(())
}
