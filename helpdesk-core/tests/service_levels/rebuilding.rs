//! Whatever happens to a ticket and whenever it is looked at, what is known of it is what its history says (L5, L8).

use chrono::Duration;
use helpdesk_core::service_levels::{Metric, TicketLevels};
use helpdesk_core::tickets::{Act, Edit, Priority, Status, TicketId};
use proptest::prelude::*;

use crate::support::World;
use crate::support::tickets::{note, say, to};

/// Something that is done to a ticket, or time that passes.
#[derive(Clone, Debug)]
enum Step {
    /// Minutes pass.
    Pass(i64),
    /// What is due runs.
    Run,
    AgentSays,
    RequesterSays,
    Notes,
    Moves(Status),
    Weighs(Option<Priority>),
    Deletes,
    Restores,
    /// The policy promises another time.
    Promises(i64),
}

const STATUSES: [Status; 7] = [
    Status::Open,
    Status::InProgress,
    Status::Pending,
    Status::OnHold,
    Status::Resolved,
    Status::Closed,
    Status::Spam,
];
const PRIORITIES: [Option<Priority>; 4] =
    [None, Some(Priority::Low), Some(Priority::High), Some(Priority::Urgent)];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..400_i64).prop_map(Step::Pass),
        4 => Just(Step::Run),
        2 => Just(Step::AgentSays),
        2 => Just(Step::RequesterSays),
        1 => Just(Step::Notes),
        4 => prop::sample::select(&STATUSES[..]).prop_map(Step::Moves),
        2 => prop::sample::select(&PRIORITIES[..]).prop_map(Step::Weighs),
        1 => Just(Step::Deletes),
        1 => Just(Step::Restores),
        1 => (30..600_i64).prop_map(Step::Promises),
    ];
    prop::collection::vec(step, 1..30)
}

/// Plays steps, and looks at the end. Where `runs` is not said, nothing is looked at before.
async fn play(steps: &[Step], runs: bool) -> (World, TicketId) {
    let world = World::promising(|builder| builder).await;
    world.settings(|settings| settings.satisfaction_minutes = None).await;
    let all = Metric::ALL.map(|metric| (metric, 200));
    let (system, service) = (world.system(), world.desk.service_levels());
    let policy = service.policies(&system).await.expect("policies")[0].id;
    let urgent = Edit { priority: Some(Some(Priority::Urgent)), ..Edit::default() };
    let mut change = crate::promising(&all);
    if let Some(targets) = &mut change.targets {
        let shorter = crate::promising(&[(Metric::FirstReply, 30), (Metric::RequesterWait, 60)]);
        let shorter = shorter.targets.expect("targets")[&Priority::Urgent].clone();
        targets.insert(Priority::Urgent, shorter);
    }
    service.update_policy(&system, policy, None, change).await.expect("a policy");
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "admin").await);
    let id = world.ticket(&ada, "Printer").await.id;
    let tickets = world.desk.tickets();
    for step in steps {
        // What the ticket's state does not allow does not happen.
        let _ = match step {
            Step::Pass(minutes) => {
                world.clock.advance(Duration::minutes(*minutes));
                continue;
            }
            Step::Run => {
                if runs {
                    world.run().await;
                }
                continue;
            }
            Step::Promises(minutes) => {
                // The rules of the time before are not known later.
                world.run().await;
                let change = crate::promising(&all.map(|(metric, _)| (metric, *minutes)));
                service.update_policy(&system, policy, None, change).await.expect("a policy");
                world.run().await;
                continue;
            }
            Step::AgentSays => tickets.act(&gus, id, None, say("Is it on?")).await,
            Step::RequesterSays => tickets.act(&ada, id, None, say("It burns")).await,
            Step::Notes => tickets.act(&gus, id, None, note("Hm")).await,
            Step::Moves(status) => tickets.act(&gus, id, None, to(*status)).await,
            Step::Weighs(None) => tickets.act(&gus, id, None, Act::Edit(urgent.clone())).await,
            Step::Weighs(priority) => {
                let edit = Edit { priority: Some(*priority), ..Edit::default() };
                tickets.act(&gus, id, None, Act::Edit(edit)).await
            }
            Step::Deletes => tickets.act(&gus, id, None, Act::Delete).await,
            Step::Restores => tickets.act(&gus, id, None, Act::Restore).await,
        };
    }
    world.run().await;
    (world, id)
}

/// What is known, without how it came to be known.
fn known(levels: &TicketLevels) -> TicketLevels {
    let mut known = levels.clone();
    known.followed.timer = None;
    known.followed.revision = 0;
    known
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_record_is_what_the_log_says_however_often_it_was_looked_at(steps in steps()) {
        wait(async {
            let (world, id) = play(&steps, true).await;
            let record = known(&world.levels(id).await.value);
            let rebuilt = world.desk.service_levels().rebuilt(&world.system(), id).await.expect("rebuilt");
            prop_assert_eq!(&record, &known(&rebuilt));
            // Each warning and breach was written down once, as the record has it.
            let mut told = world.told(id).await;
            told.retain(|(turn, ..)| turn == "warned" || turn == "breached");
            let before = told.len();
            told.sort();
            told.dedup();
            prop_assert_eq!(told.len(), before);
            // The automatic closing runs late where nothing runs meanwhile, so it is left out.
            if !steps.iter().any(|step| matches!(step, Step::Moves(Status::Resolved))) {
                let (other, same) = play(&steps, false).await;
                let late = known(&other.levels(same).await.value);
                prop_assert_eq!(&late.standings, &record.standings);
                prop_assert_eq!(&late.followed.told, &record.followed.told);
                prop_assert_eq!((late.overdue, late.outcome, late.settled), (record.overdue, record.outcome, record.settled));
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_at_once_write_down_each_thing_once() -> helpdesk_core::Result<()> {
    let world = World::that_promises(&[(Metric::FirstReply, 60), (Metric::RequesterWait, 90)]).await;
    let (ada, gus) = (world.actor("ada", "customer").await, world.actor("gus", "agent").await);
    let workers = world.desk.spawn_workers(4).await?;
    let mut ids = Vec::new();
    for number in 0..30 {
        let id = world.ticket(&ada, "Printer").await.id;
        for act in [to(Status::Pending), to(Status::Open), say("Is it on?"), to(Status::OnHold)] {
            world.act(&gus, id, act).await;
        }
        ids.push(id);
        if number % 5 == 0 {
            world.clock.advance(Duration::minutes(7));
        }
    }
    world.clock.advance(Duration::minutes(100));
    workers.stop().await;
    world.run().await;
    for id in ids {
        let record = known(&world.levels(id).await.value);
        let rebuilt = world.desk.service_levels().rebuilt(&world.system(), id).await?;
        assert_eq!(record, known(&rebuilt));
        let mut told = world.told(id).await;
        told.retain(|(turn, ..)| turn == "warned" || turn == "breached");
        assert_eq!(told.len(), 2, "{told:?}");
    }
    Ok(())
}
