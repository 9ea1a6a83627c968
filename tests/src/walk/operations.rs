//! Every operation once.

use super::context::{Place, Stop, WALKED};
use super::{Sent, Walker};
use crate::client::Reply;
use crate::contract::{Op, Override, Variant};
use crate::json::differences;

impl Walker<'_> {
    /// Calls every operation in order.
    pub async fn walk(&mut self) {
        for op in self.order.clone() {
            match self.judged(&op).await {
                Ok(problems) => self.report.check("operations", &op.id, &problems),
                Err(Stop::Skip(why)) => self.report.skip("operations", &op.id, &why),
                Err(blocked) => self.report.check("operations", &op.id, &[blocked.to_string()]),
            }
        }
    }

    /// What is wrong with an operation of the walk.
    async fn judged(&mut self, op: &Op) -> Result<Vec<String>, Stop> {
        let place = self.prepared(op, WALKED).await?;
        let own = format!("{}#", op.id);
        // Those that build on the operation's own answer come after it.
        let (late, early): (Vec<_>, Vec<_>) =
            op.body_variants.iter().partition(|variant| variant.body.to_string().contains(&own));
        let mut problems = Vec::new();
        for variant in early {
            problems.extend(self.variant(op, place, variant).await?);
        }
        let actor = op.actor.as_deref();
        let Sent { reply, .. } = self.call(op, place, actor, &Override::default(), Some(WALKED)).await?;
        problems.extend(mistakes(op, &reply));
        if op.succeeds(reply.status) {
            for variant in late {
                problems.extend(self.variant(op, place, variant).await?);
            }
        }
        Ok(problems)
    }

    /// A context in which the operation's setup has run; the given one where it has none.
    pub(super) async fn prepared(&mut self, op: &Op, place: Place) -> Result<Place, Stop> {
        if op.setup.is_empty() {
            return Ok(place);
        }
        let own = self.contexts.above(Some(place));
        for text in &op.setup {
            let (prior, actor) = self.step(text)?;
            let sent = self.call(&prior, own, actor.as_deref(), &Override::default(), None).await?;
            if !prior.succeeds(sent.reply.status) {
                return Err(Stop::blocked(&prior.id, format!("setup answered {}", sent.reply.status)));
            }
        }
        Ok(own)
    }

    /// Whether a further documented body is accepted.
    async fn variant(&mut self, op: &Op, place: Place, variant: &Variant) -> Result<Option<String>, Stop> {
        let over = Override { body_is: Some(variant.body.clone()), ..Override::default() };
        let aside = self.contexts.above(None);
        let sent = self.call(op, place, op.actor.as_deref(), &over, Some(aside)).await?;
        let name = variant.name.as_ref().or(variant.note.as_ref()).map_or("a variant", String::as_str);
        let refused = !op.succeeds(sent.reply.status);
        Ok(refused.then(|| format!("the body '{name}' answered {}", sent.reply.status)))
    }
}

/// Where an answer differs from the operation's documented success.
fn mistakes(op: &Op, reply: &Reply) -> Vec<String> {
    if !op.succeeds(reply.status) {
        return vec![format!("status {}, not {}: {}", reply.status, op.success, reply.excerpt())];
    }
    let media_type = reply.media_type();
    if let Some(stated) = &op.response_type {
        let types: Vec<_> = stated.split([' ', ',']).filter(|word| word.contains('/')).collect();
        let fits = !media_type.is_empty() && (types.is_empty() || types.contains(&media_type.as_str()));
        return if fits { Vec::new() } else { vec![format!("content type {media_type:?}")] };
    }
    if op.response.is_null() || reply.status == 204 {
        return Vec::new();
    }
    let json = media_type == "application/json" || media_type.ends_with("+json");
    if !json {
        return vec![format!("content type {media_type:?}")];
    }
    differences(&op.response, &reply.json(), &op.nullable)
}
