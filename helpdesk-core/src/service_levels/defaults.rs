//! What an organisation promises before it has thought about it.

use std::collections::BTreeMap;

use chrono::Duration;

use super::metric::{Hours, Metric, Target};
use super::policy::{Conditions, Policy, PolicyId};
use crate::helpdesk::Helpdesk;
use crate::identity::Promises;
use crate::storage::{Changes, EntityId as _, Scope};
use crate::tickets::Priority;

/// Hours to the first reply and to the solution, by priority.
const STANDARD: [(Priority, i64, i64); 4] =
    [(Priority::Urgent, 1, 8), (Priority::High, 4, 24), (Priority::Normal, 8, 72), (Priority::Low, 24, 120)];

/// Gives a new organisation a policy to begin with, so that its figures mean something from the first day.
pub(crate) fn begin(desk: &Helpdesk, changes: &mut Changes, scope: Scope) -> Promises {
    let at = changes.at();
    changes.insert(scope, PolicyId::from_uuid(desk.ids().id(at)), &standard());
    Promises { any: true, revision: 1, changed: Some(at), calendar: None }
}

fn standard() -> Policy {
    let promise = |hours| Target { time: Duration::hours(hours), hours: Hours::Calendar };
    let targets = STANDARD.map(|(priority, reply, solution)| {
        let targets =
            [(Metric::FirstReply, promise(reply)), (Metric::TotalResolution, promise(solution))].into();
        (priority, targets)
    });
    Policy {
        name: "Standard".to_owned(),
        position: 0,
        conditions: Conditions::default(),
        targets: BTreeMap::from(targets),
        active: true,
        ext: serde_json::Map::new(),
    }
}
