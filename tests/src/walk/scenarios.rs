//! Sequences of operations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::claims::broken;
use super::context::{Place, Stop, WALKED};
use super::{Sent, Walker};
use crate::contract::{Claim, Scenario};
use crate::json::as_text;

impl Walker<'_> {
    /// Plays every scenario. The standing accounts are the walk's, or fresh ones where the walk changed them.
    pub async fn play(&mut self) {
        let standing = self.contexts.above(Some(WALKED));
        self.standing = Some(standing);
        self.stand(standing).await;
        let contract = std::sync::Arc::clone(&self.contract);
        for scenario in &contract.scenarios {
            match self.scene(scenario, standing).await {
                Ok(problems) => self.report.check("scenarios", &scenario.name, &problems),
                Err(Stop::Skip(why)) => self.report.skip("scenarios", &scenario.name, &why),
                Err(blocked) => self.report.check("scenarios", &scenario.name, &[blocked.to_string()]),
            }
        }
        self.standing = None;
    }

    async fn scene(&mut self, scenario: &Scenario, standing: Place) -> Result<Vec<String>, Stop> {
        let place = self.contexts.above(Some(standing));
        for (name, value) in &scenario.vars {
            let value = self.fill(value, place)?;
            self.contexts.get_mut(place).vars.insert(name.clone(), value);
        }
        for (index, text) in scenario.steps.iter().enumerate() {
            let (op, actor) = self.step(text)?;
            let over = scenario.overrides.get(&index.to_string()).cloned().unwrap_or_default();
            let Sent { reply, .. } = self.call(&op, place, actor.as_deref(), &over, None).await?;
            self.contexts.get_mut(place).steps.push(reply.json());
            let allowed = match &over.status {
                _ if index + 1 == scenario.steps.len() => {
                    reply.status == scenario.expect_status || scenario.expect_any.contains(&reply.status)
                }
                Some(statuses) => statuses.has(reply.status),
                None => op.succeeds(reply.status),
            };
            let mut wrong = Vec::new();
            if allowed {
                for claim in scenario.asserts.iter().filter(|claim| claim.step == index) {
                    let claim = self.filled(claim, place)?;
                    wrong.extend(broken(&claim, &reply));
                }
            } else {
                wrong.push(format!("status {}: {}", reply.status, reply.excerpt()));
            }
            if !wrong.is_empty() {
                return Ok(wrong.iter().map(|wrong| format!("step {index} ({text}): {wrong}")).collect());
            }
            if let Some(address) = &over.follow_mail {
                let address = as_text(&self.fill(&Value::String(address.clone()), place)?);
                let mark = self.contexts.get(place).mailed[&op.id];
                let link = self.server.mails.link(&address, mark);
                let link =
                    link.ok_or_else(|| Stop::blocked("mail", format!("none with a link for {address}")))?;
                self.open(&link, text).await?;
            }
        }
        Ok(Vec::new())
    }

    fn filled(&mut self, claim: &Claim, place: Place) -> Result<Claim, Stop> {
        let mut tests = BTreeMap::new();
        for (test, wanted) in &claim.tests {
            tests.insert(test.clone(), self.fill(wanted, place)?);
        }
        Ok(Claim { tests, ..claim.clone() })
    }
}
