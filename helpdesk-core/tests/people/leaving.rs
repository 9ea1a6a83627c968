//! Who leaves a group or the desk loses what belongs there (T9).

use std::sync::Arc;

use chrono::Duration;
use helpdesk_core::identity::{AgentEdit, UserId};
use helpdesk_core::storage::EntityId as _;
use helpdesk_core::tickets::{Act, Deletion, State, Status, Ticket};
use helpdesk_core::{Result, Who};

use crate::support::World;
use crate::support::between::Between;
use crate::support::tickets::to;

fn solved(world: &World) -> State {
    State::Resolved { at: world.desk.now() }
}

fn closed(world: &World) -> State {
    State::Closed { at: world.desk.now() }
}

/// Two people of the desk.
async fn two(world: &World) -> (UserId, UserId) {
    (world.user("gus", "agent").await.id, world.user("hilda", "agent").await.id)
}

#[tokio::test]
async fn who_leaves_a_group_loses_its_tickets_and_what_is_solved_passes_to_a_member() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let group = world.team("Hardware", &[gus, hilda]).await.id;
    let other = world.team("Software", &[gus]).await.id;
    let open = world.given(gus, Some(group), State::Open).await?;
    let waiting = world.given(gus, Some(group), State::Pending).await?;
    let done = world.given(gus, Some(group), solved(&world)).await?;
    let frozen = world.given(gus, Some(group), closed(&world)).await?;
    let elsewhere = world.given(gus, Some(other), State::Open).await?;
    let alone = world.given(gus, None, State::Open).await?;
    let hers = world.given(hilda, Some(group), State::Open).await?;

    world.desk.groups().remove_member(&world.system(), group, gus).await?;
    assert_eq!(world.members(group).await, [hilda]);
    assert_eq!(world.holders(open).await?, (Some(gus), Some(group)), "a job does it");
    world.run().await?;
    for returned in [open, waiting] {
        assert_eq!(world.holders(returned).await?, (None, Some(group)));
    }
    assert_eq!(world.holders(done).await?, (Some(hilda), Some(group)));
    assert_eq!(world.holders(frozen).await?, (Some(gus), Some(group)));
    assert_eq!(world.holders(elsewhere).await?, (Some(gus), Some(other)));
    assert_eq!(world.holders(alone).await?, (Some(gus), None));
    assert_eq!(world.holders(hers).await?, (Some(hilda), Some(group)));

    // Each change is told of, as the desk's own.
    let log = world.log().await;
    let assigned: Vec<_> = log.iter().filter(|event| event.action == "ticket.assigned").collect();
    assert_eq!(assigned.len(), 3);
    for event in assigned {
        assert_eq!((event.detail.actor, event.detail.via.as_str()), (Who::System, "system"));
        assert_eq!(event.detail.reason.as_deref(), Some("The assignee left the group."));
        assert_eq!(event.detail.changes[0].field, "assignee");
    }
    Ok(())
}

#[tokio::test]
async fn the_last_to_leave_leaves_what_is_solved_to_nobody() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let group = world.team("Hardware", &[gus]).await.id;
    let done = world.given(gus, Some(group), solved(&world)).await?;
    world.desk.groups().remove_member(&world.system(), group, gus).await?;
    world.run().await?;
    assert_eq!(world.holders(done).await?, (None, Some(group)));
    Ok(())
}

#[tokio::test]
async fn more_tickets_than_fit_into_a_batch_go_page_by_page() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let group = world.team("Hardware", &[gus, hilda]).await.id;
    let mut tickets = Vec::new();
    for place in 0..230 {
        let state = if place % 2 == 0 { State::Open } else { solved(&world) };
        tickets.push(world.given(gus, Some(group), state).await?);
    }
    world.desk.groups().remove_member(&world.system(), group, gus).await?;
    assert!(world.run().await? > 2);
    for (place, id) in tickets.into_iter().enumerate() {
        let whose = (place % 2 == 1).then_some(hilda);
        assert_eq!(world.holders(id).await?, (whose, Some(group)));
    }
    // Each ticket was changed once.
    let log = world.log().await;
    assert_eq!(log.iter().filter(|event| event.action == "ticket.assigned").count(), 230);
    Ok(())
}

#[tokio::test]
async fn who_comes_back_before_it_is_done_keeps_everything() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let groups = world.desk.groups();
    let group = world.team("Hardware", &[gus]).await.id;
    let open = world.given(gus, Some(group), State::Open).await?;
    groups.remove_member(&world.system(), group, gus).await?;
    groups.add_member(&world.system(), group, gus).await?;
    world.run().await?;
    assert_eq!(world.holders(open).await?, (Some(gus), Some(group)));
    // Leaving again is another matter.
    groups.remove_member(&world.system(), group, gus).await?;
    world.run().await?;
    assert_eq!(world.holders(open).await?, (None, Some(group)));
    Ok(())
}

#[tokio::test]
async fn other_groups_by_an_edit_are_left_the_same_way() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let (old, new) = (world.team("Hardware", &[gus]).await.id, world.team("Software", &[]).await.id);
    let (left, kept) =
        (world.given(gus, Some(old), State::Open).await?, world.given(gus, Some(new), State::Open).await?);
    let edit = AgentEdit { groups: Some(vec![new, new]), ..AgentEdit::default() };
    let agent = world.desk.identity().update_agent(&world.system(), gus, edit).await?;
    assert_eq!(agent.groups, [new]);
    world.run().await?;
    assert_eq!((world.members(old).await, world.members(new).await), (vec![], vec![gus]));
    assert_eq!(world.holders(left).await?, (None, Some(old)));
    assert_eq!(world.holders(kept).await?, (Some(gus), Some(new)));
    Ok(())
}

#[tokio::test]
async fn who_leaves_the_desk_leaves_their_groups_and_all_that_is_not_solved() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let group = world.team("Hardware", &[gus, hilda]).await.id;
    let open = world.given(gus, Some(group), State::InProgress).await?;
    let alone = world.given(gus, None, State::OnHold).await?;
    let done = world.given(gus, Some(group), solved(&world)).await?;
    let done_alone = world.given(gus, None, solved(&world)).await?;
    let frozen = world.given(gus, None, closed(&world)).await?;
    world.desk.identity().deactivate_agent(&world.system(), gus).await?;
    assert_eq!(world.members(group).await, [hilda], "at once");
    world.run().await?;
    assert_eq!(world.holders(open).await?, (None, Some(group)));
    assert_eq!(world.holders(alone).await?, (None, None));
    assert_eq!(world.holders(done).await?, (Some(hilda), Some(group)));
    assert_eq!(world.holders(done_alone).await?.0, Some(gus));
    assert_eq!(world.holders(frozen).await?.0, Some(gus));
    let log = world.log().await;
    let reasons = log.iter().filter(|event| event.action == "ticket.assigned");
    assert!(reasons.clone().count() == 3);
    assert!(
        reasons
            .into_iter()
            .all(|event| { event.detail.reason.as_deref() == Some("The assignee left the desk.") })
    );
    Ok(())
}

#[tokio::test]
async fn what_comes_back_to_the_desk_is_nobodys_where_who_had_it_has_left() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let frozen = world.given(gus, None, closed(&world)).await?;
    let done = world.given(gus, None, solved(&world)).await?;
    let hers = world.given(hilda, None, closed(&world)).await?;
    world.desk.identity().deactivate_agent(&world.system(), gus).await?;
    world.run().await?;
    for (id, holder) in [(frozen, None), (done, None), (hers, Some(hilda))] {
        let open = Act::Move { to: Status::Open, from: None, comment: None };
        world.desk.tickets().act(&world.system(), id, None, open).await?;
        assert_eq!(world.holders(id).await?.0, holder);
    }
    let log = world.log().await;
    let opened = log.iter().find(|event| event.subject == frozen.uuid()).expect("an event");
    assert!(opened.detail.changes.iter().any(|change| change.field == "assignee"));
    Ok(())
}

#[tokio::test]
async fn somebody_who_is_switched_on_again_in_time_keeps_what_they_have() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let open = world.given(gus, None, State::Open).await?;
    world.desk.identity().deactivate_agent(&world.system(), gus).await?;
    world.desk.identity().reactivate(&world.system(), gus).await?;
    world.run().await?;
    assert_eq!(world.holders(open).await?.0, Some(gus));
    Ok(())
}

#[tokio::test]
async fn a_group_that_is_deleted_leaves_its_tickets_to_those_who_have_them() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let group = world.team("Hardware", &[gus]).await.id;
    let mut tickets = Vec::new();
    for _ in 0..120 {
        tickets.push(world.given(gus, Some(group), State::Open).await?);
    }
    tickets.push(world.given(gus, Some(group), closed(&world)).await?);
    world.desk.groups().delete(&world.system(), group).await?;
    assert!(world.run().await? > 1);
    for id in tickets {
        assert_eq!(world.holders(id).await?, (Some(gus), None));
    }
    assert!(world.agent(gus).await?.groups.is_empty());
    Ok(())
}

#[tokio::test]
async fn deleted_tickets_stay_as_they_are() -> Result<()> {
    let world = World::new().await;
    let (gus, _) = two(&world).await;
    let group = world.team("Hardware", &[gus]).await.id;
    let id = world.given(gus, Some(group), State::Open).await?;
    let scope = world.system().scope();
    let ticket = world.desk.store().get::<Ticket>(scope, id).await?.expect("it is there");
    let mut changes = world.desk.changes();
    let deleted = Some(Deletion { at: changes.at(), by: None });
    changes.update(&ticket, &Ticket { deleted, ..ticket.value.clone() });
    world.desk.commit(changes).await?;
    world.desk.groups().remove_member(&world.system(), group, gus).await?;
    world.run().await?;
    assert_eq!(world.holders(id).await?, (Some(gus), Some(group)));
    Ok(())
}

#[tokio::test]
async fn what_comes_back_to_a_group_is_nobodys_where_who_had_it_has_left_the_group() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let (system, groups) = (world.system(), world.desk.groups());
    let group = world.team("Hardware", &[gus, hilda]).await.id;
    let other = world.team("Software", &[gus]).await.id;
    let spam = State::Spam { at: world.desk.now() };
    let (frozen, refused) =
        (world.given(gus, Some(group), closed(&world)).await?, world.given(gus, Some(group), spam).await?);
    let (deleted, done) = (
        world.given(gus, Some(group), State::Open).await?,
        world.given(gus, Some(group), solved(&world)).await?,
    );
    let elsewhere = world.given(gus, Some(other), closed(&world)).await?;
    let hers = world.given(hilda, Some(group), closed(&world)).await?;
    for id in [deleted, done] {
        world.act(&system, id, Act::Delete).await;
    }
    world.clock.advance(Duration::days(1));
    groups.remove_member(&system, group, gus).await?;
    world.run().await?;
    world.clock.advance(Duration::days(1));
    for id in [deleted, done] {
        world.act(&system, id, Act::Restore).await;
    }
    for id in [frozen, refused, elsewhere, hers] {
        world.act(&system, id, to(Status::Open)).await;
    }
    for (id, holder) in [
        (frozen, None),
        (refused, None),
        (deleted, None),
        (done, Some(hilda)),
        (elsewhere, Some(gus)),
        (hers, Some(hilda)),
    ] {
        assert_eq!(world.holders(id).await?.0, holder);
    }
    Ok(())
}

#[tokio::test]
async fn who_was_given_a_ticket_of_a_group_that_they_are_not_in_keeps_it() -> Result<()> {
    let world = World::new().await;
    let (gus, hilda) = two(&world).await;
    let (system, groups) = (world.system(), world.desk.groups());
    let group = world.team("Hardware", &[gus, hilda]).await.id;
    // He has left, and is given one nevertheless.
    groups.remove_member(&system, group, gus).await?;
    world.run().await?;
    world.clock.advance(Duration::days(1));
    let given = world.given(gus, Some(group), State::Open).await?;
    // She is away for a while, and back in time.
    let hers = world.given(hilda, Some(group), closed(&world)).await?;
    world.clock.advance(Duration::days(1));
    world.act(&system, given, to(Status::Closed)).await;
    groups.remove_member(&system, group, hilda).await?;
    groups.add_member(&system, group, hilda).await?;
    world.run().await?;
    world.clock.advance(Duration::days(1));
    for (id, holder) in [(given, gus), (hers, hilda)] {
        world.act(&system, id, to(Status::Open)).await;
        assert_eq!(world.holders(id).await?.0, Some(holder));
    }
    Ok(())
}

#[tokio::test]
async fn who_comes_back_while_it_is_done_keeps_everything() -> Result<()> {
    let storage = Arc::new(Between::new());
    let own = Arc::clone(&storage);
    let world = World::with(|builder| builder.storage(own)).await;
    let (gus, _) = two(&world).await;
    let (system, groups) = (world.system(), world.desk.groups());
    let group = world.team("Hardware", &[gus]).await.id;
    let open = world.given(gus, Some(group), State::Open).await?;
    groups.remove_member(&system, group, gus).await?;
    let desk = world.desk.clone();
    storage.after_reading("ticket", async move {
        desk.groups().add_member(&system, group, gus).await.expect("he is back");
    });
    world.run().await?;
    assert!(storage.happened());
    assert_eq!(world.holders(open).await?.0, Some(gus));

    let alone = world.given(gus, None, State::Open).await?;
    world.desk.identity().deactivate_agent(&world.system(), gus).await?;
    let (desk, system) = (world.desk.clone(), world.system());
    storage.after_reading("ticket", async move {
        desk.identity().reactivate(&system, gus).await.expect("he is back");
    });
    world.run().await?;
    assert!(storage.happened());
    assert_eq!(world.holders(alone).await?.0, Some(gus));
    Ok(())
}

#[tokio::test]
async fn nobody_inherits_who_leaves_just_then() -> Result<()> {
    for leaves_the_desk in [false, true] {
        let storage = Arc::new(Between::new());
        let own = Arc::clone(&storage);
        let world = World::with(|builder| builder.storage(own)).await;
        let (gus, hilda) = two(&world).await;
        let system = world.system();
        let group = world.team("Hardware", &[gus, hilda]).await.id;
        let done = world.given(gus, Some(group), solved(&world)).await?;
        if leaves_the_desk {
            world.desk.identity().deactivate_agent(&system, gus).await?;
        } else {
            world.desk.groups().remove_member(&system, group, gus).await?;
        }
        let desk = world.desk.clone();
        // Once it is decided that she inherits, she goes, and what she has is handed back.
        storage.after_reading("organisation", async move {
            desk.groups().remove_member(&system, group, hilda).await.expect("she is gone");
            desk.run_due(desk.now()).await.expect("it is handed back");
        });
        world.run().await?;
        assert!(storage.happened());
        assert_eq!(world.holders(done).await?, (None, Some(group)), "{leaves_the_desk}");
    }
    Ok(())
}
