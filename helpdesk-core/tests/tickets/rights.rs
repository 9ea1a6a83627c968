//! What each role may do to a ticket.

use helpdesk_core::identity::BUILTIN_ROLES;
use helpdesk_core::tickets::{Act, Edit, Status};
use helpdesk_core::{Actor, Error, Result};

use crate::support::World;
use crate::support::tickets::{approve, note, say, to};

/// An act, and the status of the ticket it is tried on.
type Case = (&'static str, Status, fn() -> Act);

const CASES: [Case; 15] = [
    ("approve", Status::New, approve),
    ("reject", Status::New, || Act::Reject { reason: "no".into(), comment: None }),
    ("claim", Status::Open, || Act::Claim),
    ("assign", Status::Open, || Act::Assign { to: None }),
    ("move", Status::Open, || to(Status::OnHold)),
    ("reopen", Status::Closed, || to(Status::Open)),
    ("withdraw", Status::Open, || Act::Withdraw { comment: None }),
    ("close", Status::Resolved, || Act::Close { comment: None }),
    ("say", Status::Open, || say("Hello")),
    ("note", Status::Open, || note("Hello")),
    ("edit", Status::Open, || Act::Edit(Edit { category: Some(Some("x".into())), ..Edit::default() })),
    ("escalate", Status::Open, || Act::Escalate { level: 1, reason: None }),
    ("hand over", Status::Open, || Act::HandOver),
    ("delete", Status::Open, || Act::Delete),
    ("restore", Status::Open, || Act::Restore),
];

/// Tries an act on a fresh ticket: `+` done, `-` forbidden, `.` for the requester alone.
async fn attempt(world: &World, requester: &Actor, actor: &Actor, (name, status, act): Case) -> Result<char> {
    let ticket = world.ticket(requester, name).await;
    world.bring(ticket.id, status).await;
    if name == "restore" {
        world.act(&world.system(), ticket.id, Act::Delete).await;
    }
    match world.desk.tickets().act(actor, ticket.id, None, act()).await {
        Ok(_) => Ok('+'),
        Err(Error::Forbidden { .. }) => Ok('-'),
        Err(Error::NotYours { .. }) => Ok('.'),
        Err(error) => Err(error),
    }
}

/// The whole table, so that a change of rights is seen as one: first on a ticket of somebody else, then on one's
/// own.
#[tokio::test]
async fn what_each_role_may_do() -> Result<()> {
    let world = World::new().await;
    let gus = world.actor("gus", "customer").await;
    let mut table = String::new();
    for role in BUILTIN_ROLES {
        let actor = world.actor(role.key, role.key).await;
        for requester in [&gus, &actor] {
            let mut row = String::new();
            for case in CASES {
                row.push(attempt(&world, requester, &actor, case).await?);
            }
            let whose = if requester.who() == gus.who() { "other's" } else { "own" };
            table.push_str(&format!("{:<13}{whose:<8} {row}\n", role.key));
        }
    }
    // In the order of the cases: approve, reject, claim, assign, move, reopen, withdraw, close, say, note, edit,
    // escalate, hand over, delete, restore.
    assert_eq!(
        table,
        "\
         customer     other's  ---------------\n\
         customer     own      ------+++-+----\n\
         technician   other's  ---------------\n\
         technician   own      ----+-+++++----\n\
         agent        other's  --+-+-..++++-++\n\
         agent        own      --+-+-++++++-++\n\
         senior_agent other's  --+-++..++++-++\n\
         senior_agent own      --+-++++++++-++\n\
         team_lead    other's  --++++..++++-++\n\
         team_lead    own      --++++++++++-++\n\
         coordinator  other's  +++++-..+++++++\n\
         coordinator  own      +++++-+++++++++\n\
         manager      other's  ++++++..+++++++\n\
         manager      own      +++++++++++++++\n\
         security     other's  ------..-------\n\
         security     own      ------+++-+----\n\
         admin        other's  ++++++..+++++++\n\
         admin        own      +++++++++++++++\n\
         "
    );
    Ok(())
}
