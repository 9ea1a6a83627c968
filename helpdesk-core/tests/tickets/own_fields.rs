//! The organisation's own fields of tickets.

use std::collections::BTreeMap;

use helpdesk_core::storage::From;
use helpdesk_core::tickets::{Act, Edit, FieldKind, NewTicket, Status, TicketField};
use helpdesk_core::{Error, Problem, Result};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::tickets::{problems, request, to};

fn fields() -> Vec<TicketField> {
    let field = |key: &str, kind| TicketField {
        key: key.into(),
        title: key.to_uppercase(),
        kind,
        required_to_solve: key == "cause",
    };
    let colours = FieldKind::Choice(vec!["red".into(), "blue".into()]);
    vec![field("cause", FieldKind::Text), field("colour", colours), field("floor", FieldKind::Number)]
}

fn edit(fields: Value) -> Act {
    let fields: BTreeMap<_, _> = serde_json::from_value(fields).expect("a map");
    Act::Edit(Edit { fields, ..Edit::default() })
}

#[tokio::test]
async fn tickets_hold_what_the_organisation_has_defined() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let admin = world.actor("admin", "admin").await;
    let refused = tickets.define_fields(&agent, fields()).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    let mut twice = fields();
    twice.extend(fields());
    assert!(matches!(tickets.define_fields(&admin, twice).await, Err(Error::Invalid(_))));
    tickets.define_fields(&admin, fields()).await?;
    assert_eq!(tickets.fields(&ada).await?, fields());

    let new = |fields: Value| NewTicket {
        fields: serde_json::from_value(fields).expect("a map"),
        ..request("Printer")
    };
    let wrong = tickets.create(&ada, new(json!({"colour": "green", "size": 1}))).await.expect_err("unknown");
    assert_eq!(problems(&wrong)[0].1.len(), 2);
    let id = tickets.create(&ada, new(json!({"colour": "red", "floor": null}))).await?.0.id;
    assert!(tickets.act(&ada, id, None, edit(json!({"colour": "blue"}))).await.is_err(), "the desk's to say");
    let edited = world.act(&agent, id, edit(json!({"colour": null, "floor": 3}))).await.ticket;
    assert_eq!(edited.fields, BTreeMap::from([("floor".to_owned(), json!(3))]));
    let history = tickets.timeline(&ada, id, 1, From::Offset(1)).await?;
    let changed: Vec<_> = history.events[0].detail.changes.iter().map(|change| &*change.field).collect();
    assert_eq!((changed, history.total), (vec!["fields.colour", "fields.floor"], Some(2)));
    Ok(())
}

#[tokio::test]
async fn what_must_be_known_is_asked_for_before_a_ticket_is_resolved() -> Result<()> {
    let world = World::new().await;
    let tickets = world.desk.tickets();
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    tickets.define_fields(&world.system(), fields()).await?;
    let id = world.ticket(&ada, "Printer").await.id;
    let refused = tickets.act(&agent, id, None, to(Status::Resolved)).await.expect_err("the cause");
    let within = Problem::Within { field: "cause".into(), problem: Box::new(Problem::Required) };
    assert_eq!(problems(&refused), [("fields".to_owned(), vec![within])]);
    let both = vec![to(Status::Resolved), edit(json!({"cause": "dust"}))];
    let done = tickets.act_all(&agent, id, None, both).await?;
    assert_eq!(done.ticket.state.status(), Status::Resolved);
    Ok(())
}
