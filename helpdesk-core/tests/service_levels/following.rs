//! Tickets are followed through what was promised of them.

use chrono::Duration;
use helpdesk_core::Result;
use helpdesk_core::groups::{Group, GroupId};
use helpdesk_core::service_levels::{Metric, Outcome};
use helpdesk_core::storage::{EntityId as _, Filter};
use helpdesk_core::tickets::{Act, Comment, Edit, Priority, Status};

use crate::said;
use crate::support::World;
use crate::support::tickets::{note, say};

#[tokio::test]
async fn a_late_first_reply_is_warned_of_and_late_once_each_at_the_true_time() -> Result<()> {
    let world = World::that_promises(&[(Metric::FirstReply, 60)]).await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.run().await;
    let standing = world.standing(id, Metric::FirstReply).await;
    assert_eq!(standing.due, Some(world.desk.now() + Duration::minutes(60)));
    world.pass(44).await;
    assert_eq!(world.told(id).await, said(&[("retargeted", "", 0), ("activated", "first_reply", 0)]));
    // Nothing ran for hours.
    world.pass(300).await;
    let late = [
        ("retargeted", "", 0),
        ("activated", "first_reply", 0),
        ("warned", "first_reply", 45),
        ("breached", "first_reply", 60),
    ];
    assert_eq!(world.told(id).await, said(&late));
    let levels = world.levels(id).await;
    assert!(levels.overdue);
    assert_eq!(
        (levels.outcome, levels.settled),
        (Some(Outcome::Broken), Some(levels.began + Duration::minutes(60)))
    );
    world.pass(300).await;
    // A note is no reply.
    world.act(&gus, id, note("Whose printer is it?")).await;
    world.pass(1).await;
    assert_eq!(world.told(id).await, said(&late));
    world.act(&gus, id, say("On my way")).await;
    world.run().await;
    assert_eq!(world.told(id).await[4..], said(&[("fulfilled", "first_reply", 645)]));
    let levels = world.levels(id).await;
    assert!(!levels.overdue);
    assert_eq!(levels.outcome, Some(Outcome::Broken));
    Ok(())
}

#[tokio::test]
async fn a_reply_in_time_is_kept_and_the_desks_own_words_are_none() -> Result<()> {
    let world = World::that_promises(&[(Metric::FirstReply, 60)]).await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let told = Comment::public("From {from} to {to}").automatic();
    world.act(&gus, id, Act::Move { to: Status::Open, from: None, comment: Some(told) }).await;
    world.pass(10).await;
    assert!(world.standing(id, Metric::FirstReply).await.active);
    let words = Some(Comment::public("Is it on?"));
    world.act(&gus, id, Act::Move { to: Status::Pending, from: None, comment: words }).await;
    world.run().await;
    let levels = world.levels(id).await;
    assert_eq!((levels.outcome, levels.settled), (Some(Outcome::Kept), Some(world.desk.now())));
    world.pass(300).await;
    assert_eq!(world.levels(id).await.outcome, Some(Outcome::Kept));
    Ok(())
}

#[tokio::test]
async fn the_clock_stands_still_while_the_desk_waits_for_the_requester() -> Result<()> {
    let world = World::that_promises(&[(Metric::RequesterWait, 120)]).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(30).await;
    world.bring(id, Status::Pending).await;
    world.pass(500).await;
    let standing = world.standing(id, Metric::RequesterWait).await;
    assert_eq!((standing.running, standing.due, standing.left), (false, None, Some(90 * 60)));
    world.act(&ada, id, say("It is on")).await;
    world.run().await;
    let standing = world.standing(id, Metric::RequesterWait).await;
    assert_eq!((standing.due, standing.left), (Some(world.desk.now() + Duration::minutes(90)), None));
    world.bring(id, Status::OnHold).await;
    world.pass(89).await;
    assert!(!world.levels(id).await.overdue);
    world.pass(1).await;
    assert!(world.levels(id).await.overdue);
    let told = [
        ("paused", "requester_wait", 30),
        ("resumed", "requester_wait", 530),
        ("warned", "requester_wait", 605),
        ("breached", "requester_wait", 620),
    ];
    assert_eq!(world.told(id).await[2..], said(&told));
    Ok(())
}

#[tokio::test]
async fn another_priority_is_another_promise_and_what_has_passed_has_passed() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(30).await;
    let due = |began| move |hours| Some(began + Duration::hours(hours));
    let due = due(world.levels(id).await.began);
    assert_eq!(world.standing(id, Metric::FirstReply).await.due, due(8));
    let edit = Edit { priority: Some(Some(Priority::High)), ..Edit::default() };
    world.act(&gus, id, Act::Edit(edit)).await;
    world.run().await;
    assert_eq!(world.standing(id, Metric::FirstReply).await.due, due(4));
    assert_eq!(world.standing(id, Metric::TotalResolution).await.due, due(24));
    let levels = world.levels(id).await;
    assert_eq!((levels.priority, levels.overdue), (Some(Priority::High), false));
    // What is promised now has been over for a while: it is late from now on, not from before.
    world.pass(180).await;
    let edit = Edit { priority: Some(Some(Priority::Urgent)), ..Edit::default() };
    world.act(&gus, id, Act::Edit(edit)).await;
    world.run().await;
    assert_eq!(world.standing(id, Metric::FirstReply).await.breached, Some(world.desk.now()));
    Ok(())
}

#[tokio::test]
async fn what_ends_otherwise_or_is_deleted_stops_without_being_late() -> Result<()> {
    for status in [Status::Spam, Status::Withdrawn, Status::Rejected] {
        let world = World::that_promises(&[(Metric::FirstReply, 60), (Metric::TotalResolution, 90)]).await;
        let ada = world.actor("ada", "customer").await;
        let id = world.ticket(&ada, "Printer").await.id;
        world.pass(10).await;
        world.bring(id, status).await;
        world.pass(500).await;
        let levels = world.levels(id).await;
        assert_eq!((levels.overdue, levels.outcome), (false, None), "{status:?}");
        assert_eq!(world.told(id).await[2..], said(&[("dropped", "first_reply+total_resolution", 10)]));
    }
    let world = World::that_promises(&[(Metric::TotalResolution, 90)]).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(10).await;
    world.act(&world.system(), id, Act::Delete).await;
    world.pass(500).await;
    assert!(!world.levels(id).await.overdue);
    world.act(&world.system(), id, Act::Restore).await;
    world.pass(79).await;
    assert!(!world.levels(id).await.overdue);
    world.pass(1).await;
    assert!(world.levels(id).await.overdue);
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_is_reopened_goes_on_where_it_was() -> Result<()> {
    let world = World::that_promises(&[(Metric::TotalResolution, 90)]).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(30).await;
    world.bring(id, Status::Resolved).await;
    world.pass(500).await;
    assert_eq!(world.levels(id).await.outcome, Some(Outcome::Kept));
    world.act(&ada, id, say("Still burns")).await;
    world.pass(59).await;
    assert_eq!((world.levels(id).await.outcome, world.levels(id).await.overdue), (None, false));
    world.pass(1).await;
    let levels = world.levels(id).await;
    assert_eq!((levels.outcome, levels.overdue), (Some(Outcome::Broken), true));
    // What was late and is done is late no longer, but was.
    world.bring(id, Status::Resolved).await;
    world.run().await;
    let levels = world.levels(id).await;
    assert_eq!((levels.outcome, levels.overdue), (Some(Outcome::Broken), false));
    Ok(())
}

#[tokio::test]
async fn looking_twice_changes_nothing() -> Result<()> {
    let world = World::that_promises(&[(Metric::FirstReply, 60)]).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(100).await;
    let (version, told) = (world.levels(id).await.version, world.told(id).await);
    world.settings(|settings| settings.auto_close_hours = 5).await;
    // An act that promises do not ask for.
    world.act(&world.system(), id, note("Hm")).await;
    world.run().await;
    assert_eq!(world.told(id).await, told);
    assert_eq!(world.levels(id).await.version, version + 1);
    world.pass(100).await;
    assert_eq!((world.levels(id).await.version, world.told(id).await), (version + 1, told));
    Ok(())
}

#[tokio::test]
async fn who_has_a_ticket_is_told_that_its_time_runs_out() -> Result<()> {
    let world = World::that_promises(&[(Metric::TotalResolution, 90)]).await;
    let ada = world.actor("ada", "customer").await;
    let gus = world.user("gus", "agent").await;
    let id = world.ticket(&ada, "Printer").await.id;
    let titles = |mails: Vec<helpdesk_core::Mail>| -> Vec<_> {
        mails
            .iter()
            .map(|mail| (mail.to.clone(), mail.context["title"].as_str().unwrap_or("").to_owned()))
            .collect()
    };
    // Nobody has it.
    world.pass(80).await;
    world.act(&world.system(), id, Act::Assign { to: Some(gus.id) }).await;
    world.mails().await;
    world.pass(10).await;
    assert_eq!(titles(world.outbox.take()), [("gus@demo.test".to_owned(), "Ticket 1 is late".to_owned())]);

    // A group that has one is told as a whole.
    let eva = world.user("eva", "agent").await;
    let (mut changes, group) = (world.desk.changes(), GroupId::from_uuid(uuid()));
    let members = vec![gus.id, eva.id];
    let value = Group {
        name: "Hardware".to_owned(),
        description: String::new(),
        members,
        closed_replies: helpdesk_core::groups::ClosedReplies::default(),
        deleted: None,
        ext: serde_json::Map::new(),
    };
    changes.insert(world.system().scope(), group, &value);
    world.desk.commit(changes).await?;
    let second = world.ticket(&ada, "Screen").await;
    let mut changes = world.desk.changes();
    let mut value = second.value.clone();
    value.group = Some(group);
    changes.update(&second, &value);
    world.desk.commit(changes).await?;
    world.mails().await;
    world.pass(75).await;
    let mut told = titles(world.outbox.take());
    told.sort();
    let soon = "Ticket 2 is due soon".to_owned();
    assert_eq!(told, [("eva@demo.test".to_owned(), soon.clone()), ("gus@demo.test".to_owned(), soon)]);
    Ok(())
}

fn uuid() -> uuid::Uuid {
    "0197e1a0-0000-7000-8000-000000000001".parse().expect("an id")
}

#[tokio::test]
async fn lists_find_what_is_overdue_and_count_no_deleted_ticket() -> Result<()> {
    let world = World::that_promises(&[(Metric::FirstReply, 60)]).await;
    let ada = world.actor("ada", "customer").await;
    let late = world.ticket(&ada, "Late").await.id;
    let deleted = world.ticket(&ada, "Deleted").await.id;
    world.pass(61).await;
    world.act(&world.system(), deleted, Act::Delete).await;
    world.pass(1).await;
    let scope = world.system().scope();
    let find = |field, value: helpdesk_core::storage::Value| {
        let levels = world.desk.store().select::<helpdesk_core::service_levels::TicketLevels>(scope);
        levels.filter(Filter::equals(field, value)).all()
    };
    let found = find("overdue", true.into()).await?;
    assert_eq!(found.iter().map(|levels| levels.id).collect::<Vec<_>>(), [late]);
    for field in ["first_reply", "outcome"] {
        assert_eq!(find(field, "broken".into()).await?.len(), 1, "{field}");
    }
    Ok(())
}

#[tokio::test]
async fn where_nothing_is_promised_nothing_is_followed_until_something_is() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    let (system, service) = (world.system(), world.desk.service_levels());
    let standard = service.policies(&system).await?[0].id;
    service.delete_policy(&system, standard).await?;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.pass(1_000).await;
    assert!(service.of_ticket(&system, id).await?.is_none());
    assert_eq!(world.actions(id).await, ["ticket.created"]);
    // Tickets that were there before are followed from their beginning.
    service.create_policy(&system, crate::promising(&[(Metric::TotalResolution, 1_500)])).await?;
    world.run().await;
    let levels = world.levels(id).await;
    assert_eq!((levels.outcome, levels.overdue), (None, false));
    assert_eq!(levels.due(), Some(levels.began + Duration::minutes(1_500)));
    Ok(())
}

#[tokio::test]
async fn what_is_promised_late_is_late_at_the_earliest_when_it_was_promised() -> Result<()> {
    let world = World::promising(|builder| builder).await;
    world.settings(|settings| settings.satisfaction_minutes = None).await;
    let (system, service) = (world.system(), world.desk.service_levels());
    let standard = service.policies(&system).await?[0].id;
    service.delete_policy(&system, standard).await?;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let waits = world.ticket(&ada, "Printer").await.id;
    let (answered, solved) = (world.ticket(&ada, "Phone").await.id, world.ticket(&ada, "Screen").await.id);
    world.pass(1_000).await;
    world.act(&gus, answered, say("Is it on?")).await;
    world.act(&gus, solved, say("It is on")).await;
    world.bring(solved, Status::Resolved).await;
    // Nine days later somebody thinks of a policy.
    world.pass(13_000).await;
    let policy = crate::promising(&[(Metric::FirstReply, 480), (Metric::TotalResolution, 20_000)]);
    service.create_policy(&system, policy).await?;
    let promised = world.desk.now();
    world.pass(200).await;
    assert_eq!(world.standing(waits, Metric::FirstReply).await.breached, Some(promised));
    let levels = world.levels(waits).await;
    assert_eq!((levels.outcome, levels.settled), (Some(Outcome::Broken), Some(promised)));
    // What has passed has passed.
    let due = world.standing(waits, Metric::TotalResolution).await.due;
    assert_eq!(due, Some(levels.began + Duration::minutes(20_000)));
    // What was done before it was promised is no promise kept, and none broken.
    let standing = world.standing(answered, Metric::FirstReply).await;
    assert_eq!((standing.active, standing.breached, standing.outcome), (false, None, None));
    let edit = Edit { tags: Some(std::collections::BTreeSet::from(["vip".to_owned()])), ..Edit::default() };
    world.act(&system, solved, Act::Edit(edit)).await;
    world.run().await;
    let levels = world.levels(solved).await;
    assert_eq!((levels.outcome, levels.standings.len()), (None, 0));
    for id in [waits, answered, solved] {
        let (record, rebuilt) = (world.levels(id).await, service.rebuilt(&system, id).await?);
        assert_eq!((&record.standings, record.outcome), (&rebuilt.standings, rebuilt.outcome));
        assert_eq!((record.settled, &record.followed.told), (rebuilt.settled, &rebuilt.followed.told));
    }
    Ok(())
}
