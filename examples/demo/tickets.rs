//! Demo tickets.

use bytes::Bytes;
use helpdesk::identity::OrganisationId;
use helpdesk::tickets::{Act, Cc, Comment, LinkKind, NewFile, NewTicket, Priority, Status, TicketId};
use helpdesk::{Actor, Helpdesk, Result};

use super::actor;

/// Tickets in every state that somebody meets on the first day.
pub(super) async fn load(desk: &Helpdesk, organisation: OrganisationId) -> Result<()> {
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
    together(desk, [&customer, &customer2, &agent]).await
}

/// Tickets that several people have to do with: one that went into another, one with copies, one with an upload.
async fn together(desk: &Helpdesk, [customer, customer2, agent]: [&Actor; 3]) -> Result<()> {
    let dark = create(desk, customer, "No light in meeting room 2", "Facilities", Vec::new()).await?;
    let same = create(desk, customer2, "Meeting room 2 is dark", "Facilities", Vec::new()).await?;
    act(desk, customer2, same, Act::Say(Comment::public("We have guests there tomorrow."))).await?;
    desk.tickets().merge(agent, same, dark).await?;

    let move_out = create(desk, customer, "Move my desk to floor 4", "Facilities", Vec::new()).await?;
    let copies = ["customer2@demo.test", "movers@example.com"].map(Cc::to).to_vec();
    act(desk, customer, move_out, Act::Copy(copies)).await?;
    act(desk, agent, move_out, Act::Follow { who: agent.person()? }).await?;
    desk.tickets().link(agent, move_out, LinkKind::Related, dark).await?;

    let upload =
        desk.uploads().upload(customer, "error.txt", Bytes::from_static(b"E42: paper jam\n")).await?;
    let jam = create(desk, customer, "The copier shows an error", "Hardware", Vec::new()).await?;
    act(desk, customer, jam, Act::Say(Comment::public("This is what it says.").with([upload.id]))).await
}

pub(super) async fn create(
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

pub(super) async fn approve(
    desk: &Helpdesk,
    actor: &Actor,
    ticket: TicketId,
    priority: Priority,
) -> Result<()> {
    let department = Some("IT Department".to_owned());
    act(desk, actor, ticket, Act::Approve { priority, department, comment: None }).await
}

pub(super) async fn act(desk: &Helpdesk, actor: &Actor, ticket: TicketId, act: Act) -> Result<()> {
    desk.tickets().act(actor, ticket, None, act).await.map(drop)
}
