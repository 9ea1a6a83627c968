//! Committed events reach the notifiers, in the order of the log.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use helpdesk_core::events::{Event, MockNotifier, Notifier, Relay};
use helpdesk_core::storage::{EntityId as _, Position};
use helpdesk_core::tickets::{Act, Status};
use helpdesk_core::{Error, Result};
use mockall::Sequence;
use support::World;
use support::flaky::{Failure, FlakyStorage};
use support::tickets::{note, request, say, to};

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<Event>>);

#[async_trait]
impl Notifier for Recorder {
    async fn notify(&self, event: &Event) {
        self.0.lock().expect("nobody panicked").push(event.clone());
    }
}

impl Recorder {
    fn events(&self) -> Vec<Event> {
        self.0.lock().expect("nobody panicked").clone()
    }

    fn actions(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.action).collect()
    }
}

/// Hands over all there is.
async fn pump(relay: &mut Relay) -> Result<usize> {
    let mut handed = 0;
    loop {
        match relay.pump().await? {
            0 => return Ok(handed),
            some => handed += some,
        }
    }
}

#[tokio::test]
async fn notifiers_are_told_of_each_event_in_order_and_once() -> Result<()> {
    let mut mock = MockNotifier::new();
    let mut order = Sequence::new();
    for action in ["ticket.created", "ticket.replied", "ticket.status_changed"] {
        mock.expect_notify()
            .once()
            .in_sequence(&mut order)
            .withf(move |event| event.action == action)
            .returning(|_| ());
    }
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(Arc::new(mock)).notifier(recorder.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&ada, id, say("Still burns")).await;
    world.act(&world.system(), id, to(Status::OnHold)).await;
    assert_eq!(relay.pump().await?, 3);
    assert_eq!(relay.pump().await?, 0);

    let told = recorder.events();
    let log = world.log().await;
    assert_eq!(told, log[log.len() - 3..]);
    assert!(told.is_sorted_by(|a, b| a.position < b.position));
    assert!(told.iter().all(|event| {
        event.organisation == Some(world.organisation)
            && event.subject == id.uuid()
            && event.subject_kind == "ticket"
    }));
    assert_eq!(told.iter().map(|event| event.detail.version).collect::<Vec<_>>(), [1, 2, 3]);
    Ok(())
}

/// Panics at the first event it is told of.
#[derive(Debug, Default)]
struct Startled(Recorder);

#[async_trait]
impl Notifier for Startled {
    async fn notify(&self, event: &Event) {
        self.0.notify(event).await;
        assert!(self.0.events().len() > 1, "as the test wants");
    }
}

#[tokio::test]
async fn a_notifier_that_panics_keeps_nobody_from_being_told() -> Result<()> {
    let (startled, recorder) = (Arc::new(Startled::default()), Arc::new(Recorder::default()));
    let builder =
        |builder: helpdesk_core::Builder| builder.notifier(startled.clone()).notifier(recorder.clone());
    let world = World::with(builder).await;
    let ada = world.actor("ada", "customer").await;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    let id = world.ticket(&ada, "Printer").await.id;
    world.act(&ada, id, say("Still burns")).await;
    assert_eq!(pump(&mut relay).await?, 2);
    assert_eq!(recorder.actions(), ["ticket.created", "ticket.replied"]);
    assert_eq!(startled.0.actions(), recorder.actions());
    Ok(())
}

#[tokio::test]
async fn a_relay_begins_with_the_next_event() -> Result<()> {
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(recorder.clone())).await;
    let ada = world.actor("ada", "customer").await;
    world.ticket(&ada, "Before").await;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    assert_eq!(relay.pump().await?, 0);
    let after = world.ticket(&ada, "After").await.id;
    assert_eq!(pump(&mut relay).await?, 1);
    assert_eq!(recorder.events()[0].subject, after.uuid());
    Ok(())
}

#[tokio::test]
async fn nothing_is_told_of_what_was_not_committed() -> Result<()> {
    let (recorder, storage) = (Arc::new(Recorder::default()), Arc::new(FlakyStorage::new()));
    let world = World::with(|builder| builder.notifier(recorder.clone()).storage(storage.clone())).await;
    let (ada, agent) = (world.actor("ada", "customer").await, world.actor("agent", "agent").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    let tickets = world.desk.tickets();

    storage.fail(Some(Failure::Unavailable));
    assert!(matches!(tickets.create(&ada, request("Lost")).await, Err(Error::Unavailable { .. })));
    assert!(matches!(tickets.act(&agent, id, None, say("Lost")).await, Err(Error::Unavailable { .. })));
    storage.fail(None);
    // Refused by a rule, by a right, and by a version.
    assert!(tickets.act(&agent, id, None, Act::Claim).await.is_err());
    assert!(tickets.act(&ada, id, None, Act::Delete).await.is_err());
    assert!(tickets.act(&agent, id, Some(7), say("Stale")).await.is_err());
    assert_eq!(pump(&mut relay).await?, 0);

    // Where only the answer was lost, the change was made, and is told like any other.
    storage.fail(Some(Failure::AnswerLost));
    assert!(tickets.act(&agent, id, None, note("Made")).await.is_err());
    storage.fail(None);
    assert_eq!((pump(&mut relay).await?, recorder.actions()), (1, vec!["ticket.noted".to_owned()]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_loses_a_race_is_not_told_of() -> Result<()> {
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(recorder.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let id = world.ticket(&ada, "Printer").await.id;
    world.bring(id, Status::Open).await;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..5 {
        let agent = world.actor(&format!("agent{number}"), "agent").await;
        let tickets = world.desk.tickets();
        claims.spawn(async move { tickets.act(&agent, id, None, Act::Claim).await.is_ok() });
    }
    assert_eq!(claims.join_all().await.into_iter().filter(|won| *won).count(), 1);
    pump(&mut relay).await?;
    let claimed: Vec<_> =
        recorder.events().into_iter().filter(|event| event.action == "ticket.claimed").collect();
    let stands = world.desk.tickets().get(&world.system(), id).await?;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].detail.actor, helpdesk_core::Who::User(stands.assignee.expect("claimed")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_many_hands_the_order_is_that_of_the_log_and_of_each_record() -> Result<()> {
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(recorder.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(world.ticket(&ada, &number.to_string()).await.id);
    }
    world.mails().await;
    let from = world.desk.store().storage().health().await?.newest;
    let workers = world.desk.spawn_workers(1).await?;
    let mut hands = tokio::task::JoinSet::new();
    for hand in 0..4 {
        let (tickets, ada, ids) = (world.desk.tickets(), ada.clone(), ids.clone());
        hands.spawn(async move {
            for round in 0..20 {
                let id = ids[(hand + round) % ids.len()];
                // Who crosses with others too often is told so, and nothing was done.
                let _ = tickets.act(&ada, id, None, say("More")).await;
            }
        });
    }
    hands.join_all().await;
    workers.stop().await;
    let told = recorder.events();
    let log: Vec<_> = world.log().await.into_iter().filter(|event| event.position > Some(from)).collect();
    assert!(told.len() > 20);
    assert_eq!(told, log);
    let mut versions: HashMap<_, i64> = HashMap::new();
    for event in &told {
        let last = versions.insert(event.subject, event.detail.version).unwrap_or(1);
        assert_eq!(event.detail.version, last + 1, "no version of a record is skipped or comes late");
    }
    Ok(())
}

#[tokio::test]
async fn events_of_every_organisation_are_told_with_their_own() -> Result<()> {
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(recorder.clone())).await;
    let elsewhere = world.desk.identity().create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "customer").await;
    let (ada, eve) = (world.actor("ada", "customer").await, world.sign_in("eve").await.actor);
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    world.ticket(&ada, "Here").await;
    world.ticket(&eve, "There").await;
    pump(&mut relay).await?;
    let organisations: Vec<_> =
        recorder.events().into_iter().filter_map(|event| event.organisation).collect();
    assert_eq!(organisations, [world.organisation, elsewhere]);
    Ok(())
}

#[tokio::test]
async fn a_long_log_is_handed_over_in_pieces() -> Result<()> {
    let recorder = Arc::new(Recorder::default());
    let world = World::with(|builder| builder.notifier(recorder.clone())).await;
    let ada = world.actor("ada", "customer").await;
    let mut relay = Relay::from_now(world.desk.clone()).await?;
    for number in 0..620 {
        world.ticket(&ada, &number.to_string()).await;
    }
    assert_eq!(relay.pump().await?, 500);
    assert_eq!(relay.pump().await?, 120);
    assert_eq!(recorder.events().len(), 620);
    let all = world.desk.store().storage().events(Position::default(), 10_000).await?;
    assert_eq!(
        recorder.events().last().and_then(|event| event.position),
        all.last().map(|entry| entry.position)
    );
    Ok(())
}
