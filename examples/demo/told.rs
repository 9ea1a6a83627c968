//! Somebody whose address is to be confirmed, an organisation with a domain, and people who are told of something.

use std::sync::Arc;

use helpdesk::identity::{OrganisationChange, OrganisationId, Person, SignUp};
use helpdesk::tickets::{Act, Comment, Priority};
use helpdesk::{Actor, Helpdesk, Result, Via};

use super::tickets::{act, approve, create};
use super::{PASSWORD, actor};

/// Loads them. What people are told is made by jobs, so it is there as soon as a server runs them.
pub(super) async fn load(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let identity = desk.identity();
    let domain = Some(Some("demo.test".to_owned()));
    let change = OrganisationChange { domain, ..OrganisationChange::default() };
    identity.change_organisation(&Actor::system(organisation), change).await?;

    let door = Actor::anonymous(organisation, Arc::new(Via::SYSTEM));
    let new = SignUp {
        person: Person { email: "unconfirmed@demo.test".into(), ..Person::named("Una Unconfirmed") },
        password: PASSWORD.into(),
        link: "/supportdesk/api/auth/confirm?token={token}".into(),
        ..SignUp::default()
    };
    identity.sign_up(&door, new).await?;

    let customer = actor(desk, organisation, "customer").await?;
    let coordinator = actor(desk, organisation, "coordinator").await?;
    let agent = actor(desk, organisation, "agent").await?;
    let ticket = create(desk, &customer, "The projector in room 2 flickers", "Hardware", Vec::new()).await?;
    approve(desk, &coordinator, ticket, Priority::Normal).await?;
    act(desk, &coordinator, ticket, Act::Assign { to: agent.user() }).await?;
    act(desk, &agent, ticket, Act::Say(Comment::internal("@agent2, do we have a spare lamp?"))).await?;
    act(desk, &customer, ticket, Act::Say(Comment::public("It is needed on Friday."))).await
}
