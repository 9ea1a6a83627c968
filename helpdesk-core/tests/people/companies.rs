//! Companies: making, changing, deleting, finding.

use helpdesk_core::contacts::{CompanyEdit, CompanyQuery, NewCompany};
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::From;
use helpdesk_core::{Error, Problem, Result};
use serde_json::json;

use crate::support::World;
use crate::support::tickets::problems;

fn company(name: &str, domain: Option<&str>) -> NewCompany {
    NewCompany { name: name.into(), domain: domain.map(str::to_owned), ..NewCompany::default() }
}

#[tokio::test]
async fn a_domain_belongs_to_one_company_that_is_there() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let contacts = world.desk.contacts();
    let acme = contacts.create_company(&admin, company(" Acme ", Some(" Acme.Example "))).await?;
    assert_eq!((acme.name.as_str(), acme.domain.as_deref()), ("Acme", Some("acme.example")));
    let taken = vec![("domain".to_owned(), vec![Problem::Taken("domain")])];
    let twin = contacts.create_company(&admin, company("Acme", Some("acme.example"))).await;
    assert_eq!(problems(&twin.expect_err("it is taken")), taken);
    let other = contacts.create_company(&admin, company("Acme", None)).await?;
    let edit = CompanyEdit { domain: Some(Some("ACME.example".into())), ..CompanyEdit::default() };
    let refused = contacts.update_company(&admin, other.id, edit.clone()).await.expect_err("it is taken");
    assert_eq!(problems(&refused), taken);
    contacts.delete_company(&admin, acme.id).await?;
    let edited = contacts.update_company(&admin, other.id, edit).await?;
    assert_eq!(edited.domain.as_deref(), Some("acme.example"));
    Ok(())
}

#[tokio::test]
async fn who_belonged_to_a_company_that_is_gone_belongs_to_none() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let contacts = world.desk.contacts();
    let acme = contacts.create_company(&admin, company("Acme", None)).await?.id;
    let globex = contacts.create_company(&admin, company("Globex", None)).await?.id;
    contacts.delete_company(&admin, acme).await?;
    for gone in [
        contacts.company(&admin, acme).await.map(drop),
        contacts.update_company(&admin, acme, CompanyEdit::default()).await.map(drop),
        contacts.delete_company(&admin, acme).await,
    ] {
        assert!(matches!(gone, Err(Error::NotFound { what: "company" })));
    }
    let named = contacts.companies_of(&admin, [acme, globex]).await?;
    assert_eq!(named.values().map(|company| company.id).collect::<Vec<_>>(), [globex]);
    let listed = contacts.companies(&admin, CompanyQuery::default()).await?;
    assert_eq!(listed.items.iter().map(|company| company.id).collect::<Vec<_>>(), [globex]);
    let log = world.log().await;
    let told = log.iter().filter(|event| event.action.starts_with("company."));
    let told: Vec<_> = told.map(|event| event.action.as_str()).collect();
    assert_eq!(told, ["company.created", "company.created", "company.deleted"]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_sent_of_a_company_stays_and_null_takes_it_away() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let contacts = world.desk.contacts();
    let settings = json!({ "tier": "gold", "seats": [1, 2] }).as_object().cloned().expect("an object");
    let new = NewCompany { settings: settings.clone(), ..company("Acme", Some("acme.example")) };
    let acme = contacts.create_company(&admin, new).await?;
    let edit = CompanyEdit { domain: Some(None), ..CompanyEdit::default() };
    let edited = contacts.update_company(&admin, acme.id, edit).await?;
    assert_eq!((edited.name.as_str(), &edited.domain, &edited.settings), ("Acme", &None, &settings));
    let wrong = CompanyEdit {
        name: Some(" ".into()),
        domain: Some(Some("no domain".into())),
        settings: Some(json!({ "a": "x".repeat(20_000) }).as_object().cloned().expect("an object")),
    };
    let refused = contacts.update_company(&admin, acme.id, wrong).await.expect_err("all wrong");
    let fields: Vec<_> = problems(&refused).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["domain", "name", "settings"]);
    assert_eq!(contacts.company(&admin, acme.id).await?.value, edited.value);
    Ok(())
}

#[tokio::test]
async fn companies_are_found_by_name_and_domain_a_page_at_a_time() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let contacts = world.desk.contacts();
    for (name, domain) in [("Globex", "globex.example"), ("acme", "acme.example"), ("Initech", "office.test")]
    {
        contacts.create_company(&admin, company(name, Some(domain))).await?;
    }
    let found = async |query: CompanyQuery| -> Result<(Vec<String>, Option<u64>)> {
        let page = contacts.companies(&admin, query).await?;
        let names = page.items.iter().map(|company| company.name.clone()).collect();
        Ok((names, page.total.map(|total| total.count)))
    };
    let all = found(CompanyQuery::default()).await?;
    assert_eq!(all, (vec!["acme".into(), "Globex".into(), "Initech".into()], Some(3)));
    assert_eq!(found(CompanyQuery::default().search("glo")).await?.0, ["Globex"]);
    assert_eq!(found(CompanyQuery::default().search("office.test")).await?.0, ["Initech"]);
    assert_eq!(found(CompanyQuery::default().search("-")).await?.1, Some(0));
    let second = CompanyQuery::default().page(1, From::Offset(1));
    assert_eq!(found(second).await?, (vec!["Globex".into()], Some(3)));
    Ok(())
}

#[tokio::test]
async fn agents_see_a_company_and_only_some_list_and_change_them() -> Result<()> {
    let world = World::new().await;
    let contacts = world.desk.contacts();
    let manager = world.actor("manager", "manager").await;
    let agent = world.actor("gus", "agent").await;
    let customer = world.actor("ada", "customer").await;
    let acme = contacts.create_company(&manager, company("Acme", None)).await?.id;
    assert!(contacts.company(&agent, acme).await.is_ok());
    let refused = |result: Result<()>, permission| {
        assert!(matches!(result, Err(Error::Forbidden { permission: missing }) if missing == permission));
    };
    refused(contacts.company(&customer, acme).await.map(drop), permissions::CONTACT_VIEW);
    for actor in [&agent, &customer] {
        let listed = contacts.companies(actor, CompanyQuery::default()).await;
        refused(listed.map(drop), permissions::ADMIN_VIEW_ORGANIZATION);
        let manage = || permissions::CONTACT_MANAGE_COMPANIES;
        refused(contacts.create_company(actor, company("Globex", None)).await.map(drop), manage());
        let edit = CompanyEdit::default();
        refused(contacts.update_company(actor, acme, edit).await.map(drop), manage());
        refused(contacts.delete_company(actor, acme).await, manage());
    }
    Ok(())
}
