//! Agents, groups and companies of one organisation are nothing to another.

use std::fmt::Debug;

use helpdesk_core::contacts::{CompanyEdit, CompanyId, CompanyQuery, NewCompany};
use helpdesk_core::groups::{GroupEdit, GroupId, NewGroup};
use helpdesk_core::identity::{AgentEdit, AgentQuery, Availability, NewAgent, UserId};
use helpdesk_core::storage::From;
use helpdesk_core::{Actor, Error, Problem, Result};

use crate::kit::newcomer;
use crate::support::World;
use crate::support::tickets::problems;

/// What the one organisation has, and two of the other who may do everything there.
struct Border {
    world: World,
    gus: UserId,
    group: GroupId,
    company: CompanyId,
    strangers: [Actor; 2],
}

async fn border() -> Result<Border> {
    let world = World::new().await;
    let gus = world.user("gus", "agent").await.id;
    let group = world.team("Hardware", &[gus]).await.id;
    let new =
        NewCompany { name: "Acme".into(), domain: Some("acme.example".into()), ..NewCompany::default() };
    let company = world.desk.contacts().create_company(&world.system(), new).await?.id;
    let elsewhere = world.desk.identity().create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let strangers = [world.sign_in("eve").await.actor, Actor::system(elsewhere)];
    world.run().await?;
    Ok(Border { world, gus, group, company, strangers })
}

fn is_nothing<T: Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
}

fn is_unknown<T: Debug>(result: Result<T>, field: &str, what: &'static str) {
    let error = result.expect_err("it is not there");
    assert_eq!(problems(&error), [(field.to_owned(), vec![Problem::Unknown(what)])]);
}

#[tokio::test]
async fn what_belongs_to_others_is_not_there() -> Result<()> {
    let Border { world, gus, group, company, strangers } = border().await?;
    let (identity, groups, contacts) = (world.desk.identity(), world.desk.groups(), world.desk.contacts());
    let before = world.desk.store().storage().health().await?.newest;
    for stranger in &strangers {
        is_nothing(identity.agent(stranger, gus).await);
        is_nothing(identity.check_agent(stranger, gus).await);
        is_nothing(identity.update_agent(stranger, gus, AgentEdit::default()).await);
        is_nothing(identity.deactivate_agent(stranger, gus).await);
        is_nothing(identity.set_availability(stranger, gus, Availability::Online).await);
        is_nothing(groups.get(stranger, group).await);
        is_nothing(groups.update(stranger, group, GroupEdit::default()).await);
        is_nothing(groups.delete(stranger, group).await);
        is_nothing(groups.add_member(stranger, group, gus).await);
        is_nothing(groups.remove_member(stranger, group, gus).await);
        is_nothing(contacts.company(stranger, company).await);
        is_nothing(contacts.update_company(stranger, company, CompanyEdit::default()).await);
        is_nothing(contacts.delete_company(stranger, company).await);
        assert!(contacts.companies_of(stranger, [company]).await?.is_empty());
        let agents = identity.agents(stranger, AgentQuery::default()).await?;
        assert!(agents.agents.iter().all(|agent| agent.user.id != gus));
        assert_eq!(groups.list(stranger, 100, From::Start).await?.items.len(), 0);
        assert_eq!(contacts.companies(stranger, CompanyQuery::default()).await?.items.len(), 0);
    }
    assert_eq!(world.desk.store().storage().health().await?.newest, before, "nothing was written down");
    assert_eq!(world.run().await?, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_refers_to_what_belongs_to_others() -> Result<()> {
    let Border { world, gus, group, strangers, .. } = border().await?;
    let (identity, groups) = (world.desk.identity(), world.desk.groups());
    let [eve, system] = &strangers;
    let own = groups.create(eve, NewGroup { name: "Hardware".into(), ..NewGroup::default() }).await?.id;
    for stranger in [eve, system] {
        is_unknown(groups.add_member(stranger, own, gus).await, "member", "agent");
        let new = NewGroup { name: "Other".into(), members: vec![gus], ..NewGroup::default() };
        is_unknown(groups.create(stranger, new).await, "members", "agent");
        let new = NewAgent { groups: vec![own, group], ..newcomer("Nina") };
        is_unknown(identity.create_agent(stranger, new).await, "groups", "group");
        let edit = AgentEdit { groups: Some(vec![group]), ..AgentEdit::default() };
        is_unknown(identity.update_agent(stranger, eve.person()?, edit).await, "groups", "group");
    }
    assert_eq!(world.members(group).await, [gus]);
    Ok(())
}

#[tokio::test]
async fn names_and_domains_are_unique_in_one_organisation_and_addresses_everywhere() -> Result<()> {
    let Border { world, strangers, .. } = border().await?;
    let eve = &strangers[0];
    let new =
        NewCompany { name: "Acme".into(), domain: Some("acme.example".into()), ..NewCompany::default() };
    assert!(world.desk.contacts().create_company(eve, new).await.is_ok());
    let new = NewGroup { name: "Hardware".into(), ..NewGroup::default() };
    assert!(world.desk.groups().create(eve, new).await.is_ok());
    // Somebody logs in without saying where.
    let taken = world.desk.identity().create_agent(eve, newcomer("Gus")).await.expect_err("it is taken");
    assert_eq!(problems(&taken), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    Ok(())
}
