//! What the demo organisation knows: contacts, articles, tags.

use helpdesk::contacts::NewContact;
use helpdesk::identity::OrganisationId;
use helpdesk::knowledge::NewArticle;
use helpdesk::tags::Tag;
use helpdesk::{Helpdesk, Result};

/// Contacts: name, address, telephone number, company, role. The first is the demo customer.
const CONTACTS: [(&str, &str, &str, &str, &str); 3] = [
    ("John Doe", "customer@demo.test", "+1 555 0100", "Demo", "Accountant"),
    ("Carla Contact", "carla@acme.example", "+1 555 0101", "Acme Corporation", "Office manager"),
    ("Piotr Nowak", "piotr@globex.example", "+48 22 555 01 02", "Globex", "Head of IT"),
];

/// Articles: title, category, tags, whether it is published, content.
const ARTICLES: [(&str, &str, &[&str], bool, &str); 4] = [
    (
        "How to restart a printer",
        "Hardware",
        &["printer"],
        true,
        "Most trouble with printers ends here:\n\n1. Hold the power button for **five seconds**.\n2. Wait until all \
         lights are off.\n3. Switch it on again.\n\nIf paper is stuck, open the cover at the back first.",
    ),
    (
        "Which screens we order",
        "Hardware",
        &["screen", "order"],
        true,
        "| Desk | Screen |\n| --- | --- |\n| at home | 24 inch |\n| in the office | 27 inch |\n\nAsk for one with a \
         ticket; it takes about a week.",
    ),
    (
        "Working from home over the VPN",
        "Network",
        &["vpn"],
        true,
        "Install the client from the [intranet](https://intranet.demo.test/vpn) and sign in with your usual password.\n\n\
         > The connection ends after twelve hours. Sign in again.",
    ),
    (
        "When the VPN drops every hour",
        "Network",
        &["vpn"],
        false,
        "Draft: the clients before version 5 lose the session when the key changes. Check the version with \
         `vpn --version`.",
    ),
];

/// Tags: name and colour.
const TAGS: [(&str, &str); 4] =
    [("printer", "#3366ff"), ("vpn", "#22aa66"), ("screen", "#ff9900"), ("urgent-customer", "#cc0033")];

/// Loads them.
pub(super) async fn load(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
    let agent = super::actor(desk, organisation, "agent").await?;
    let manager = super::actor(desk, organisation, "manager").await?;
    let customer = super::actor(desk, organisation, "customer").await?;
    for (name, email, phone, company, role) in CONTACTS {
        let new = NewContact {
            name: name.to_owned(),
            email: email.to_owned(),
            phone: Some(phone.to_owned()),
            company: Some(company.to_owned()),
            role: Some(role.to_owned()),
            company_id: None,
        };
        desk.contacts().create(&agent, new).await?;
    }
    for (title, category, tags, published, content) in ARTICLES {
        let new = NewArticle {
            title: title.to_owned(),
            content: content.to_owned(),
            category: category.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            published,
        };
        let article = desk.knowledge().create(&agent, new).await?.article;
        if published {
            desk.knowledge().read(&customer, article.id).await?;
            desk.knowledge().vote(&customer, article.id, category == "Hardware").await?;
        }
    }
    for (name, color) in TAGS {
        desk.tags().create(&manager, Tag::new(name, color)).await?;
    }
    Ok(())
}
