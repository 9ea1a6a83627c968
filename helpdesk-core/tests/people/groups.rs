//! Groups: making, changing, deleting, and who belongs to them.

use helpdesk_core::groups::{ClosedReplies, GroupEdit, MAX_MEMBERS, NewGroup};
use helpdesk_core::identity::{UserId, permissions};
use helpdesk_core::storage::{EntityId as _, From};
use helpdesk_core::{Error, Problem, Result};

use crate::support::World;
use crate::support::tickets::problems;

#[tokio::test]
async fn a_group_is_named_once_among_those_that_are_there() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let groups = world.desk.groups();
    let new = |name: &str| NewGroup { name: name.to_owned(), ..NewGroup::default() };
    let first = groups.create(&admin, new("  Hardware ")).await?;
    assert_eq!(first.name, "Hardware");
    assert_eq!(first.closed_replies, ClosedReplies::ReopenWithin { days: 14 });
    let taken = vec![("name".to_owned(), vec![Problem::Taken("name")])];
    assert_eq!(problems(&groups.create(&admin, new("hardware")).await.expect_err("it is taken")), taken);
    let second = groups.create(&admin, new("Software")).await?;
    let edit = GroupEdit { name: Some("HARDWARE".into()), ..GroupEdit::default() };
    let refused = groups.update(&admin, second.id, edit.clone()).await.expect_err("it is taken");
    assert_eq!(problems(&refused), taken);
    // Its own name in other letters is another matter, and one that is gone leaves its name to others.
    assert_eq!(groups.update(&admin, first.id, edit.clone()).await?.name, "HARDWARE");
    groups.delete(&admin, first.id).await?;
    assert_eq!(groups.update(&admin, second.id, edit).await?.name, "HARDWARE");
    let listed = groups.list(&admin, 10, From::Start).await?;
    assert_eq!(listed.items.iter().map(|group| group.id).collect::<Vec<_>>(), [second.id]);
    assert_eq!(listed.total.map(|total| total.count), Some(1));
    for gone in [
        groups.get(&admin, first.id).await.map(drop),
        groups.update(&admin, first.id, GroupEdit::default()).await.map(drop),
        groups.delete(&admin, first.id).await,
        groups.add_member(&admin, first.id, admin.person()?).await,
        groups.remove_member(&admin, first.id, admin.person()?).await,
    ] {
        assert!(matches!(gone, Err(Error::NotFound { what: "group" })));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_sent_stays_and_events_tell_no_texts() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let groups = world.desk.groups();
    let new = NewGroup { name: "Hardware".into(), description: "Screens".into(), ..NewGroup::default() };
    let group = groups.create(&admin, new).await?;
    let edit = GroupEdit { closed_replies: Some(ClosedReplies::FollowUp), ..GroupEdit::default() };
    let edited = groups.update(&admin, group.id, edit).await?;
    assert_eq!((edited.name.as_str(), edited.description.as_str()), ("Hardware", "Screens"));
    let edit = GroupEdit { description: Some("Printers".into()), ..GroupEdit::default() };
    groups.update(&admin, group.id, edit).await?;
    let log = world.log().await;
    let changed: Vec<_> = log
        .iter()
        .filter(|event| event.action == "group.updated")
        .map(|event| (event.detail.changes[0].field.clone(), event.detail.changes[0].to.clone()))
        .collect();
    assert_eq!(changed.len(), 2);
    assert_eq!(changed[0], ("closed_replies".into(), serde_json::json!({ "policy": "follow_up" })));
    assert_eq!(changed[1], ("description".into(), serde_json::Value::Null));
    Ok(())
}

#[tokio::test]
async fn only_people_of_the_desk_belong_to_groups() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let groups = world.desk.groups();
    let gus = world.user("gus", "agent").await.id;
    let ada = world.user("ada", "customer").await.id;
    let off = world.user("off", "agent").await.id;
    world.desk.identity().deactivate(&admin, off).await?;
    let nobody = UserId::from_uuid(world.desk.ids().id(world.desk.now()));
    let group = world.team("Hardware", &[gus, gus]).await;
    assert_eq!(group.members, [gus]);
    let unknown = |field: &str| vec![(field.to_owned(), vec![Problem::Unknown("agent")])];
    for stranger in [ada, off, nobody] {
        let refused = groups.add_member(&admin, group.id, stranger).await.expect_err("nobody");
        assert_eq!(problems(&refused), unknown("member"));
        let new = NewGroup { name: "Other".into(), members: vec![gus, stranger], ..NewGroup::default() };
        assert_eq!(problems(&groups.create(&admin, new).await.expect_err("nobody")), unknown("members"));
    }
    let many = vec![gus; MAX_MEMBERS + 1];
    let new = NewGroup { name: String::new(), members: many, ..NewGroup::default() };
    assert_eq!(
        problems(&groups.create(&admin, new).await.expect_err("too many")),
        [
            ("members".to_owned(), vec![Problem::TooMany(MAX_MEMBERS)]),
            ("name".to_owned(), vec![Problem::Blank]),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn joining_twice_changes_nothing_and_leaving_twice_is_refused() -> Result<()> {
    let world = World::new().await;
    let admin = world.actor("admin", "admin").await;
    let groups = world.desk.groups();
    let gus = world.user("gus", "agent").await.id;
    let group = world.team("Hardware", &[]).await.id;
    groups.add_member(&admin, group, gus).await?;
    let version = groups.get(&admin, group).await?.version;
    groups.add_member(&admin, group, gus).await?;
    assert_eq!(groups.get(&admin, group).await?.version, version);
    let joined = groups.get(&admin, group).await?;
    let members = groups.members(&admin, &joined).await?;
    assert_eq!(members.iter().map(|member| member.user.id).collect::<Vec<_>>(), [gus]);
    assert!(members[0].permissions.contains(&permissions::QUEUE_ACCESS_HELPDESK));
    groups.remove_member(&admin, group, gus).await?;
    let again = groups.remove_member(&admin, group, gus).await;
    assert!(matches!(again, Err(Error::NotFound { what: "member" })));
    let log = world.log().await;
    let told: Vec<_> = log.iter().filter(|event| event.action.starts_with("group.member")).collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|event| event.detail.data["member"] == gus.to_string()));
    Ok(())
}

#[tokio::test]
async fn of_changes_of_membership_at_once_none_is_lost() -> Result<()> {
    let world = World::new().await;
    let system = world.system();
    let groups = world.desk.groups();
    let group = world.team("Hardware", &[]).await.id;
    let mut people = Vec::new();
    for place in 0..6 {
        people.push(world.user(&format!("agent{place}"), "agent").await.id);
    }
    let (a, b, c, d) = tokio::join!(
        groups.add_member(&system, group, people[0]),
        groups.add_member(&system, group, people[1]),
        groups.add_member(&system, group, people[2]),
        groups.add_member(&system, group, people[3]),
    );
    [a, b, c, d].into_iter().collect::<Result<()>>()?;
    let (a, b, c) = tokio::join!(
        groups.remove_member(&system, group, people[0]),
        groups.add_member(&system, group, people[4]),
        groups.add_member(&system, group, people[5]),
    );
    [a, b, c].into_iter().collect::<Result<()>>()?;
    let mut members = world.members(group).await;
    members.sort_unstable_by_key(|member| member.uuid());
    let mut wanted = people.split_off(1);
    wanted.sort_unstable_by_key(|member| member.uuid());
    assert_eq!(members, wanted);
    Ok(())
}

#[tokio::test]
async fn who_joins_just_as_they_leave_the_desk_is_in_no_group() -> Result<()> {
    let world = World::new().await;
    let system = world.system();
    let (groups, identity) = (world.desk.groups(), world.desk.identity());
    for round in 0..8 {
        let gus = world.user(&format!("gus{round}"), "agent").await.id;
        let group = world.team(&format!("Group {round}"), &[]).await.id;
        let (joined, left) =
            tokio::join!(groups.add_member(&system, group, gus), identity.deactivate_agent(&system, gus));
        left?;
        assert!(matches!(joined, Ok(()) | Err(Error::Invalid(_))));
        world.run().await?;
        assert!(world.members(group).await.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn agents_see_groups_and_only_some_change_them() -> Result<()> {
    let world = World::new().await;
    let groups = world.desk.groups();
    let agent = world.actor("gus", "agent").await;
    let customer = world.actor("ada", "customer").await;
    let manager = world.actor("manager", "manager").await;
    let group = groups.create(&manager, NewGroup { name: "Hardware".into(), ..NewGroup::default() }).await?;
    assert_eq!(groups.get(&agent, group.id).await?.id, group.id);
    assert_eq!(groups.list(&agent, 10, From::Start).await?.items.len(), 1);
    let someone = agent.person()?;
    let refused = |result: Result<()>, permission| {
        assert!(matches!(result, Err(Error::Forbidden { permission: missing }) if missing == permission));
    };
    let view = permissions::ADMIN_VIEW_TEAMS;
    refused(groups.get(&customer, group.id).await.map(drop), view.clone());
    refused(groups.list(&customer, 10, From::Start).await.map(drop), view);
    let manage = || permissions::ADMIN_MANAGE_TEAMS;
    refused(groups.create(&agent, NewGroup::default()).await.map(drop), manage());
    refused(groups.update(&agent, group.id, GroupEdit::default()).await.map(drop), manage());
    refused(groups.add_member(&agent, group.id, someone).await, manage());
    refused(groups.remove_member(&agent, group.id, someone).await, manage());
    refused(groups.delete(&agent, group.id).await, manage());
    Ok(())
}
