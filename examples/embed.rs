//! The core in a few lines, without HTTP: somebody asks, the desk answers.
//!
//! `cargo run --example embed`

use std::sync::Arc;

use helpdesk::identity::{NewUser, Person};
use helpdesk::tickets::{Act, Comment, NewTicket, Priority, TicketQuery};
use helpdesk::{Actor, Helpdesk, MemoryStorage};

#[tokio::main]
async fn main() -> Result<(), helpdesk::Error> {
    let desk = Helpdesk::builder().storage(Arc::new(MemoryStorage::new(Helpdesk::schema()))).build();
    let organisation = desk.identity().create_organisation("Acme", "acme").await?;
    let system = Actor::system(organisation);

    let ada = Person {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        email: "ada@acme.test".into(),
        ..Person::default()
    };
    let ada = NewUser { person: ada, role: "customer".into(), password: None, approved: true };
    let ada = desk.identity().create_user(&system, ada).await?;

    let request = NewTicket {
        subject: "The printer is on fire".into(),
        description: "Flames, two feet high.".into(),
        requester: Some(ada.id),
        ..NewTicket::default()
    };
    let (ticket, _) = desk.tickets().create(&system, request).await?;
    let approve = Act::Approve { priority: Priority::Urgent, department: None, comment: None };
    desk.tickets().act(&system, ticket.id, None, approve).await?;
    desk.tickets().act(&system, ticket.id, None, Act::Say(Comment::public("Run."))).await?;

    for ticket in desk.tickets().list(&system, TicketQuery::default()).await?.items {
        println!("#{} {} is {}", ticket.number, ticket.subject, ticket.state.status());
    }
    Ok(())
}
