//! Who works together, and whom they work for.

use helpdesk::contacts::NewCompany;
use helpdesk::groups::NewGroup;
use helpdesk::identity::{AgentQuery, Availability, OrganisationId, UserId};
use helpdesk::{Actor, Helpdesk, Result};

/// Groups: name, what for, members by the names of their accounts.
const GROUPS: &[(&str, &str, &[&str])] = &[
    ("Hardware", "Printers, screens and workstations", &["agent", "agent2"]),
    ("Software", "Programs, rights and passwords", &["agent"]),
];

/// Companies: name, domain.
const COMPANIES: &[(&str, &str)] =
    &[("Acme Corporation", "acme.example"), ("Globex Industries", "globex.example")];

/// Loads groups, companies, and who is there to work.
///
/// # Errors
///
/// Where the store cannot be reached.
pub(super) async fn load(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let system = Actor::system(organisation);
    let agents = desk.identity().agents(&system, AgentQuery::default()).await?.agents;
    let named = |name: &&str| -> Option<UserId> {
        let found = agents.iter().find(|agent| agent.user.username.as_deref() == Some(*name));
        found.map(|agent| agent.user.id)
    };
    for (name, description, members) in GROUPS {
        let group = NewGroup {
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            members: members.iter().filter_map(named).collect(),
            ..NewGroup::default()
        };
        desk.groups().create(&system, group).await?;
    }
    for (name, availability) in [("agent", Availability::Online), ("agent2", Availability::Away)] {
        if let Some(id) = named(&name) {
            desk.identity().set_availability(&system, id, availability).await?;
        }
    }
    for (name, domain) in COMPANIES {
        let company = NewCompany {
            name: (*name).to_owned(),
            domain: Some((*domain).to_owned()),
            ..NewCompany::default()
        };
        desk.contacts().create_company(&system, company).await?;
    }
    Ok(())
}
