//! Several evaluations in one message (AuthZEN, access evaluations): each is judged, recorded and answered as if it had
//! come alone, in their order.

use proviso_api::authzen::{EvaluationReply, EvaluationRequest, EvaluationsRequest, Semantic};
use serde_json::{Map, Value};

use super::App;
use super::refusal::Refusal;
use crate::identity::Credential;
use policy_core::outcome::Reason;
use policy_core::time::Timestamp;

/// The most items of one batch.
pub const MOST_ITEMS: usize = 100;

/// The members that an item may leave to the batch.
const DEFAULTS: [&str; 4] = ["subject", "action", "resource", "context"];

/// An answer to a batch.
#[derive(Debug)]
pub enum Batch {
    /// There were no items: one evaluation of the defaults.
    Single(Box<EvaluationReply>),
    /// What each item came to. A refusal is no allow: nothing was evaluated or recorded.
    Several(Vec<Result<EvaluationReply, Refusal>>),
}

/// What an item came to, with when that was.
struct Built {
    item: Result<EvaluationReply, Refusal>,
    at: Timestamp,
}

impl App {
    /// Evaluates a batch. `read` makes an item of what was sent, or says what is wrong with it.
    ///
    /// # Errors
    /// What a single evaluation is refused for, where there are no items. What an item is refused for is its own.
    pub async fn evaluate_all(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        batch: EvaluationsRequest,
        read: fn(Map<String, Value>) -> Result<EvaluationRequest, Refusal>,
    ) -> Result<Batch, Refusal> {
        let semantic = batch.options.evaluations_semantic;
        let defaults = [batch.subject, batch.action, batch.resource, batch.context];
        if batch.evaluations.is_empty() {
            let body = read(merged(&defaults, Map::new()))?;
            return Ok(Batch::Single(Box::new(self.evaluate(caller, subject, body).await?)));
        }
        let mut built: Vec<Built> = Vec::with_capacity(batch.evaluations.len());
        for item in batch.evaluations {
            let item = self.item(caller, subject, &defaults, item, read).await;
            let decision = item.as_ref().is_ok_and(|reply| reply.decision);
            built.push(Built { item, at: self.now() });
            match semantic {
                Semantic::DenyOnFirstDeny if !decision => break,
                Semantic::PermitOnFirstPermit if decision => break,
                _ => {}
            }
        }
        let now = self.now();
        Ok(Batch::Several(built.into_iter().map(|built| in_time(built, now)).collect()))
    }

    async fn item(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        defaults: &[Option<Value>; 4],
        item: Value,
        read: fn(Map<String, Value>) -> Result<EvaluationRequest, Refusal>,
    ) -> Result<EvaluationReply, Refusal> {
        let Value::Object(item) = item else {
            return Err(Refusal::bad("bad_shape", "the item is not an object"));
        };
        self.evaluate(caller, subject, read(merged(defaults, item))?).await
    }
}

/// The item with what it leaves to the batch. A member of its own replaces the default whole.
fn merged(defaults: &[Option<Value>; 4], mut item: Map<String, Value>) -> Map<String, Value> {
    for (name, default) in DEFAULTS.iter().zip(defaults) {
        if let Some(default) = default.as_ref().filter(|_| !item.contains_key(*name)) {
            item.insert((*name).to_owned(), default.clone());
        }
    }
    item
}

/// INVARIANT (R7): an allow's seconds count from its own judging, however long the rest of the batch took.
fn in_time(Built { item, at }: Built, now: Timestamp) -> Result<EvaluationReply, Refusal> {
    let mut reply = item?;
    let context = &mut reply.context;
    let Some(seconds) = context.valid_for else { return Ok(reply) };
    let passed = now.since(at).seconds().saturating_add(u64::from(now != at));
    let left = u64::from(seconds).saturating_sub(passed);
    if left > 0 {
        context.valid_for = u32::try_from(left).ok();
        return Ok(reply);
    }
    reply.decision = false;
    context.valid_for = None;
    context.approval = None;
    let reason = Reason::Limit;
    reason.code().clone_into(&mut context.reason);
    context.help = reason.help().map(str::to_owned);
    "the allow lapsed while the rest of the batch was evaluated; what it used stays used"
        .clone_into(&mut context.message);
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allow(seconds: u32, at: i64) -> Built {
        let context = json!({
            "evaluation_id": "eval_1", "evaluated_at": "2026-11-22T12:00:00Z", "reason": "scope", "message": "m",
            "proviso.dev/valid_for": seconds,
        });
        let context = serde_json::from_value(context).unwrap();
        Built { item: Ok(EvaluationReply { decision: true, context }), at: Timestamp::from_millis(at) }
    }

    #[test]
    fn an_allow_in_a_batch_lasts_no_longer_than_one_alone() {
        for (seconds, passed, left) in
            [(5, 0, Some(5)), (5, 1, Some(4)), (5, 1_000, Some(3)), (5, 3_999, Some(1)), (5, 4_000, None), (1, 1, None)]
        {
            let reply = in_time(allow(seconds, 1_000), Timestamp::from_millis(1_000 + passed)).unwrap();
            assert_eq!((reply.decision, reply.context.valid_for), (left.is_some(), left), "{seconds} {passed}");
        }
    }

    #[test]
    fn an_items_member_replaces_the_default_whole() {
        let defaults = [Some(json!({"type": "User", "id": "a"})), None, Some(json!({"type": "R", "id": "r"})), None];
        let Value::Object(item) = json!({"resource": {"id": "other"}, "context": {}}) else { panic!() };
        let expected = json!({"subject": {"type": "User", "id": "a"}, "resource": {"id": "other"}, "context": {}});
        assert_eq!(Value::Object(merged(&defaults, item)), expected);
    }
}
