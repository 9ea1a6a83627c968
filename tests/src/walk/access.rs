//! Who is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Walker;
use super::context::{Place, Stop, WALKED};
use super::templates::mentioned;
use crate::contract::{Op, Override, step};

impl Walker<'_> {
    /// Tries every refusal before the operation it protects, on fresh objects, so that nothing is gone yet. What
    /// made or signed in the accounts is not run again: the objects must belong to the accounts that are refused.
    pub async fn access(&mut self) {
        let place = self.contexts.above(Some(WALKED));
        let mut used: BTreeSet<String> = self.order.iter().flat_map(|op| mentioned(op)).collect();
        for account in self.contract.accounts.values() {
            let made = account.made_by.as_array().into_iter().flatten().filter_map(Value::as_str);
            let made: Vec<_> = made.map(|text| step(text).0).collect();
            used.retain(|id| !made.contains(&id.as_str()) && account.login.as_ref() != Some(id));
        }
        used.remove(&self.contract.login.op);
        for op in self.order.clone() {
            let local = match self.prepared(&op, place).await {
                Ok(local) => local,
                Err(_) => place,
            };
            let verdicts = self.contract.access.get(&op.id).cloned().unwrap_or_default();
            self.refusals(&op, local, &verdicts).await;
            if used.contains(&op.id) {
                // Where it fails, what follows uses the walk's own object.
                drop(self.call(&op, place, op.actor.as_deref(), &Override::default(), None).await);
            }
        }
    }

    async fn refusals(&mut self, op: &Op, place: Place, verdicts: &BTreeMap<String, String>) {
        for (name, verdict) in verdicts.iter().filter(|(name, _)| *name != "anonymous") {
            // An account of one's own record is not refused, and neither is what the contract does not state.
            let Some(codes) = verdict.split(' ').next().and_then(|verdict| verdict.strip_prefix("deny:"))
            else {
                continue;
            };
            let codes = codes.split(['|', ',']).filter_map(|code| code.parse().ok()).collect();
            self.refusal(op, place, &format!("as {name}"), Some(name), Override::default(), codes).await;
        }
        if op.needs_caller() {
            let query = BTreeMap::from(["token", "api_key"].map(|name| (name.to_owned(), Value::Null)));
            let bare = Override { query, ..Override::default() };
            let mut made_up = bare.clone();
            made_up.headers.insert("authorization".into(), "Bearer not-a-token".into());
            self.refusal(op, place, "without a token", None, bare, vec![401]).await;
            self.refusal(op, place, "with a made-up token", None, made_up, vec![401]).await;
        }
    }

    async fn refusal(
        &mut self,
        op: &Op,
        place: Place,
        how: &str,
        actor: Option<&str>,
        over: Override,
        codes: Vec<u16>,
    ) {
        let over = Override { literal: true, ..over };
        let aside = self.contexts.above(None);
        let name = format!("{} {how}", op.id);
        match self.call(op, place, actor, &over, Some(aside)).await {
            Ok(sent) if codes.contains(&sent.reply.status) => self.report.check("access", &name, &[]),
            Ok(sent) => {
                let wrong = format!("status {}, not {codes:?}", sent.reply.status);
                self.report.check("access", &name, &[wrong]);
            }
            Err(Stop::Skip(why)) => self.report.skip("access", &name, &why),
            Err(blocked) => self.report.check("access", &name, &[blocked.to_string()]),
        }
    }
}
