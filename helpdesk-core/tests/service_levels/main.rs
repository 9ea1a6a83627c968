//! Service levels and satisfaction through the services: what is promised, followed, late, asked and answered.

mod following;
mod hours;
mod much;
mod policies;
mod rebuilding;
mod satisfaction;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use helpdesk_core::service_levels::{Hours, Metric, PolicyChange, Standing, Target, TicketLevels};
use helpdesk_core::storage::Stored;
use helpdesk_core::tickets::{Priority, TicketId};
use support::World;

/// What is promised of tickets of every priority alike.
fn promising(promises: &[(Metric, i64)]) -> PolicyChange {
    let target = |minutes| Target { time: Duration::minutes(minutes), hours: Hours::Calendar };
    let targets = promises.iter().map(|(metric, minutes)| (*metric, target(*minutes)));
    let targets: std::collections::BTreeMap<_, _> = targets.collect();
    PolicyChange {
        name: Some("All alike".to_owned()),
        targets: Some(Priority::ALL.map(|priority| (priority, targets.clone())).into()),
        ..PolicyChange::default()
    }
}

impl World {
    /// A desk that promises to be done within two hours of those that it is open.
    async fn that_promises_two_open_hours() -> helpdesk_core::Result<Self> {
        let world = Self::that_promises(&[(Metric::TotalResolution, 500)]).await;
        let (system, levels) = (world.system(), world.desk.service_levels());
        let policy = levels.policies(&system).await?[0].id;
        let target = Target { time: Duration::hours(2), hours: Hours::Business };
        let targets = [(Priority::Normal, [(Metric::TotalResolution, target)].into())].into();
        let change = PolicyChange { targets: Some(targets), ..PolicyChange::default() };
        levels.update_policy(&system, policy, None, change).await?;
        Ok(world)
    }

    /// A help desk that promises this, and nothing else.
    async fn that_promises(promises: &[(Metric, i64)]) -> Self {
        let world = Self::promising(|builder| builder).await;
        world.settings(|settings| settings.satisfaction_minutes = None).await;
        let (system, levels) = (world.system(), world.desk.service_levels());
        let standard = levels.policies(&system).await.expect("policies")[0].id;
        levels.create_policy(&system, promising(promises)).await.expect("a policy");
        levels.delete_policy(&system, standard).await.expect("gone");
        world.run().await;
        world
    }

    /// Runs what is due.
    async fn run(&self) {
        let report = self.desk.run_due(self.desk.now()).await.expect("jobs ran");
        assert_eq!((report.retried, report.failed), (0, 0));
    }

    /// Lets so many minutes pass, and runs what is due then, at once and not when it became due.
    async fn pass(&self, minutes: i64) {
        self.clock.advance(Duration::minutes(minutes));
        self.run().await;
    }

    async fn levels(&self, id: TicketId) -> Arc<Stored<TicketLevels>> {
        let found = self.desk.service_levels().of_ticket(&self.system(), id).await.expect("read");
        found.expect("where the ticket stands")
    }

    async fn standing(&self, id: TicketId, metric: Metric) -> Standing {
        self.levels(id).await.standing(metric).expect("a promise").clone()
    }

    /// What was written down about the service levels of a ticket: what, of which metrics, and how many minutes after it
    /// was made.
    async fn told(&self, id: TicketId) -> Vec<(String, String, i64)> {
        use helpdesk_core::storage::EntityId as _;
        let began = self.levels(id).await.began;
        let log = self.log().await.into_iter().filter(|event| event.subject == id.uuid());
        log.filter_map(|event| {
            let action = event.action.strip_prefix("service_level.")?.to_owned();
            let at: DateTime<Utc> = event.detail.data["at"].as_str()?.parse().ok()?;
            let metrics = event.detail.data.get("metrics").and_then(|metrics| metrics.as_array());
            let metrics: Vec<_> =
                metrics.into_iter().flatten().filter_map(|metric| metric.as_str()).collect();
            Some((action, metrics.join("+"), (at - began).num_minutes()))
        })
        .collect()
    }
}

/// What is told, as it is compared.
fn said(entries: &[(&str, &str, i64)]) -> Vec<(String, String, i64)> {
    entries.iter().map(|(turn, metric, minute)| ((*turn).to_owned(), (*metric).to_owned(), *minute)).collect()
}
