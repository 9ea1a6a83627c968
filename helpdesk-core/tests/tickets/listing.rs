//! Lists: filters, search, order, pages and totals.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::storage::{From, Stored};
use helpdesk_core::tickets::{Act, NewTicket, Priority, Status, Ticket, TicketOrder, TicketQuery};
use helpdesk_core::{Actor, Result};

use crate::support::World;
use crate::support::tickets::{request, say, to};

fn numbers(tickets: &[Arc<Stored<Ticket>>]) -> Vec<i64> {
    tickets.iter().map(|ticket| ticket.number).collect()
}

async fn listed(world: &World, actor: &Actor, query: TicketQuery) -> Result<Vec<i64>> {
    Ok(numbers(&world.desk.tickets().all(actor, query).await?))
}

fn query() -> TicketQuery {
    TicketQuery::default().order(TicketOrder::Created, false)
}

/// Tickets 1 to 4, in the words, states and hands that the tests ask for.
async fn desk() -> Result<(World, Actor, Actor)> {
    let world = World::new().await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "customer").await);
    let make = |subject: &str, priority, category: &str, department: &str| NewTicket {
        priority,
        category: Some(category.to_owned()),
        department: Some(department.to_owned()),
        ..request(subject)
    };
    let tags = BTreeSet::from(["München".to_owned()]);
    for (actor, new) in [
        (&ada, make("Printer burns", Some(Priority::Urgent), "Hardware", "IT")),
        (&gus, make("Crème brûlée is out", None, "Canteen", "Food")),
        (&ada, NewTicket { tags, ..make("a paper jam", Some(Priority::Low), "Hardware", "Food") }),
        (&gus, make("Zebra in the hall", Some(Priority::High), "Wildlife", "IT")),
    ] {
        world.desk.tickets().create(actor, new).await?;
        world.clock.advance(Duration::minutes(1));
    }
    Ok((world, ada, gus))
}

#[tokio::test]
async fn lists_are_narrowed_by_what_tickets_are() -> Result<()> {
    let (world, ada, gus) = desk().await?;
    let agent = world.actor("agent", "agent").await;
    let tickets = world.desk.tickets();
    let second = tickets.by_number(&agent, 2).await?;
    world.act(&world.system(), second, Act::Assign { to: agent.user() }).await;
    let third = tickets.by_number(&agent, 3).await?;
    world.act(&world.system(), third, to(Status::Pending)).await;

    assert_eq!(listed(&world, &agent, query()).await?, [1, 2, 3, 4]);
    assert_eq!(listed(&world, &agent, query().status([Status::New])).await?, [1, 4]);
    assert_eq!(listed(&world, &agent, query().status([Status::Open, Status::Pending])).await?, [2, 3]);
    assert_eq!(listed(&world, &agent, query().status([])).await?, [0_i64; 0]);
    assert_eq!(listed(&world, &agent, query().priority(Priority::Urgent)).await?, [1]);
    assert_eq!(listed(&world, &agent, query().category("Hardware")).await?, [1, 3]);
    assert_eq!(listed(&world, &agent, query().category("hardware")).await?, [0_i64; 0]);
    assert_eq!(listed(&world, &agent, query().department("IT")).await?, [1, 4]);
    assert_eq!(listed(&world, &agent, query().requester(gus.person()?)).await?, [2, 4]);
    assert_eq!(listed(&world, &agent, query().assignee(agent.person()?)).await?, [2]);
    let both = query().requester(ada.person()?).department("IT").category("Hardware");
    assert_eq!(listed(&world, &agent, both).await?, [1]);
    // A filter narrows what one may see; it never widens it.
    assert_eq!(listed(&world, &ada, query().requester(gus.person()?)).await?, [0_i64; 0]);
    Ok(())
}

#[tokio::test]
async fn search_finds_words_and_numbers() -> Result<()> {
    let (world, ada, _) = desk().await?;
    let agent = world.actor("agent", "agent").await;
    let search = |typed: &str, numbers: &[i64]| query().search(typed, numbers.iter().copied());
    type Case = (&'static str, &'static [i64], &'static [i64]);
    let cases: [Case; 15] = [
        ("printer", &[], &[1]),
        ("PRINT", &[], &[1]),
        ("burns printer", &[], &[1]),
        ("inter", &[], &[]),
        ("creme brulee", &[], &[2]),
        ("munchen", &[], &[3]),
        ("pap", &[], &[3]),
        ("pap jam", &[], &[]),
        ("it burns", &[], &[1, 2, 3, 4]),
        ("zebra", &[2], &[2, 4]),
        ("no such word", &[4], &[4]),
        ("", &[], &[]),
        ("  ?! ", &[], &[]),
        ("", &[3, 99], &[3]),
        ("printer' OR 1=1 --", &[], &[]),
    ];
    for (typed, numbers, found) in cases {
        assert_eq!(listed(&world, &agent, search(typed, numbers)).await?, found, "{typed:?} {numbers:?}");
    }
    // What was said is not searched, and nobody finds what they may not see.
    world.act(&agent, world.desk.tickets().by_number(&agent, 1).await?, say("giraffe")).await;
    assert_eq!(listed(&world, &agent, search("giraffe", &[])).await?, [0_i64; 0]);
    assert_eq!(listed(&world, &ada, search("it burns", &[2])).await?, [1, 3]);
    Ok(())
}

#[tokio::test]
async fn an_edited_text_is_found_by_its_new_words_only() -> Result<()> {
    let (world, _, _) = desk().await?;
    let agent = world.actor("agent", "agent").await;
    let id = world.desk.tickets().by_number(&agent, 1).await?;
    let edit = helpdesk_core::tickets::Edit { subject: Some("Copier smokes".into()), ..Default::default() };
    world.act(&agent, id, Act::Edit(edit)).await;
    assert_eq!(listed(&world, &agent, query().search("printer", [])).await?, [0_i64; 0]);
    assert_eq!(listed(&world, &agent, query().search("copier", [])).await?, [1]);
    Ok(())
}

#[tokio::test]
async fn lists_come_in_the_order_that_was_asked_for() -> Result<()> {
    let (world, _, _) = desk().await?;
    let agent = world.actor("agent", "agent").await;
    let second = world.desk.tickets().by_number(&agent, 2).await?;
    world.act(&agent, second, say("Soon")).await;
    assert_eq!(listed(&world, &agent, TicketQuery::default()).await?, [4, 3, 2, 1]);
    for (order, ascending) in [
        (TicketOrder::Created, [1, 2, 3, 4]),
        (TicketOrder::Updated, [1, 3, 4, 2]),
        // Nobody has said how urgent the second is.
        (TicketOrder::Priority, [2, 3, 4, 1]),
        (TicketOrder::Status, [1, 2, 3, 4]),
        // By letters, and capitals first: the order of the store, not of a language.
        (TicketOrder::Subject, [2, 1, 4, 3]),
    ] {
        let query = TicketQuery::default();
        assert_eq!(listed(&world, &agent, query.clone().order(order, false)).await?, ascending, "{order:?}");
        let descending: Vec<_> = ascending.into_iter().rev().collect();
        assert_eq!(listed(&world, &agent, query.order(order, true)).await?, descending, "{order:?}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_and_know_their_total() -> Result<()> {
    let (world, ada, _) = desk().await?;
    let agent = world.actor("agent", "agent").await;
    let tickets = world.desk.tickets();
    let page = async |limit, from| tickets.list(&agent, TicketQuery::default().page(limit, from)).await;
    let count =
        |page: &helpdesk_core::storage::Listing<Ticket>| page.total.map(|total| (total.count, total.exact));

    let first = page(3, From::Start).await?;
    assert_eq!((numbers(&first.items), count(&first)), (vec![4, 3, 2], Some((4, true))));
    assert!(first.previous.is_none());
    // Somebody makes a ticket between two pages.
    world.ticket(&ada, "In between").await;
    let second = page(3, From::After(first.next.expect("there is more"))).await?;
    assert_eq!((numbers(&second.items), count(&second)), (vec![1], Some((5, true))));
    assert!(second.next.is_none());
    let back = page(2, From::Before(second.previous.expect("there was more"))).await?;
    assert_eq!(numbers(&back.items), [3, 2]);

    for (limit, offset, items) in
        [(2, 0, vec![5, 4]), (2, 2, vec![3, 2]), (2, 4, vec![1]), (2, 6, vec![]), (0, 0, vec![])]
    {
        let page = page(limit, From::Offset(offset)).await?;
        assert_eq!((numbers(&page.items), count(&page)), (items, Some((5, true))), "{limit} from {offset}");
    }
    // The total counts what one may see of what was asked for.
    let own = tickets.list(&ada, TicketQuery::default().status([Status::New]).page(1, From::Start)).await?;
    assert_eq!((numbers(&own.items), count(&own)), (vec![5], Some((3, true))));
    assert_eq!(count(&tickets.list(&agent, TicketQuery::default()).await?), None);
    Ok(())
}

#[tokio::test]
async fn a_list_without_pages_has_everything() -> Result<()> {
    let world = World::new().await;
    let ada = world.actor("ada", "customer").await;
    for number in 0..1_001 {
        world.ticket(&ada, &number.to_string()).await;
    }
    assert_eq!(listed(&world, &ada, query()).await?, (1..=1_001).collect::<Vec<_>>());
    Ok(())
}
