//! What if: a question made up by a person, from a record or from nothing, sealed as it would be now.
//!
//! It is evaluated in the person's browser, on the module's own bytes. Nothing is decided here, consumed or written down.

use std::collections::BTreeSet;

use policy_core::console::Act;
use policy_core::entity::{EntityRef, Hop};
use policy_core::json;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::value::Value;
use policy_evaluator::seal::{Ask as Seal, Claimed};
use proviso_api::what_if::{WhatIf, WhatIfReply};
use serde_json::Value as Json;

use super::App;
use super::console::About;
use super::event::{DECISION, DecisionRecord, QUESTION};
use super::people::STORED;
use super::policy::UNTYPED_INPUT;
use super::refusal::Refusal;
use crate::identity::{EMBEDDED, PersonSession};
use crate::store::Log;

/// What an evaluation said, and the question that it was asked.
type Recorded = (DecisionRecord, SealedQuestion);

impl App {
    /// Seals a question as it would be now.
    ///
    /// # Errors
    /// `unknown_record` for a position without a sealed question; `bad_request` where something is missing; `bad_input`
    /// where it cannot be sealed; `not_permitted_here` for who may not see the agent's record and arguments.
    pub async fn what_if(&self, person: &PersonSession, asked: WhatIf) -> Result<WhatIfReply, Refusal> {
        let recorded = match asked.record {
            Some(seq) => Some(self.recorded(person, seq).await?),
            None => None,
        };
        let filled = filled(asked, recorded.as_ref())?;
        let missing = |what: &str| {
            Refusal::bad("bad_request", format!("the question does not say `{what}`"))
                .help("begin from a record, or say subject, task, action and resource")
        };
        let subject = filled.subject.clone().ok_or_else(|| missing("subject"))?;
        self.hold_acts(person, &[Act::ViewRecord, Act::ViewArguments], &About::agent(&subject)).await?;
        let now = self.now();
        let before = recorded.as_ref().map(|(_, question)| question);
        let chain = match (before, &filled.on_behalf) {
            // The whole chain of the record, unless somebody else is named.
            (Some(before), named) if before.chain.last().map(|hop| &hop.entity) == named.as_ref() => {
                before.chain.clone()
            }
            (_, Some(person)) => vec![Hop { entity: person.clone(), issuer: EMBEDDED.into() }],
            (_, None) => Vec::new(),
        };
        let task = filled.task.clone().ok_or_else(|| missing("task"))?;
        let seal = Seal {
            purpose: Purpose::Question,
            subject: subject.clone(),
            chain,
            enforcement_point: before.and_then(|before| before.enforcement_point.clone()),
            bound: before.is_some_and(|before| before.bound),
            vouched: before.is_some_and(|before| before.vouched),
            server: filled.server.as_deref().map(Into::into),
            tool: before.and_then(|before| before.call.tool),
            action: filled.action.as_deref().ok_or_else(|| missing("action"))?.into(),
            resource: filled.resource.clone().ok_or_else(|| missing("resource"))?,
            input: filled.input.clone(),
            claims: Claimed::default(),
            now,
            done: self.done_by(&subject, &task),
            task: task.into(),
        };
        let sealed = self.policy().seal_alone(&seal).map_err(|error| {
            Refusal::bad("bad_input", error.message.clone())
                .help("the bundle's schema says what an action is called with, and on what")
        })?;
        let question = self.as_of_now(&sealed, now);
        Ok(WhatIfReply {
            now,
            says: self.policy().says(&question),
            asked: filled,
            question,
            module: self.engine().module(),
            then: recorded.map(|(decision, _)| decision.answer),
        })
    }

    /// What the task was permitted already, as far as this agent acts in it: of a task of others nothing is told.
    fn done_by(&self, subject: &EntityRef, task: &str) -> BTreeSet<String> {
        let acts_in_it = self.state().accounts.asked_by(subject).iter().any(|decided| decided.kind.task == task);
        if acts_in_it { self.done(task).into_iter().collect() } else { BTreeSet::new() }
    }

    /// A recorded evaluation with its question, for who may see both.
    async fn recorded(&self, person: &PersonSession, seq: u64) -> Result<Recorded, Refusal> {
        let unknown = || {
            Refusal::not_found("unknown_record", "there is no evaluation with a question at that position")
                .help("take the position from an exception's history, where the log is `decisions/main`")
        };
        let record = self.store().record(Log::Decisions, seq).map_err(|error| self.unreadable(&error))?;
        let record = record.ok_or_else(unknown)?;
        let decision = record.payload(DECISION).and_then(|bytes| json::read_as::<DecisionRecord>(bytes, STORED).ok());
        let decision = decision.ok_or_else(unknown)?;
        let about = About::action_of(&decision.subject, &decision.action);
        self.hold_acts(person, &[Act::ViewRecord, Act::ViewArguments], &about).await?;
        let question = record.payload(QUESTION).and_then(|bytes| json::read_as::<SealedQuestion>(bytes, STORED).ok());
        Ok((decision, question.ok_or_else(unknown)?))
    }
}

/// What was asked, with what a record said of all that was not.
fn filled(asked: WhatIf, recorded: Option<&Recorded>) -> Result<WhatIf, Refusal> {
    let Some((_, question)) = recorded else { return Ok(asked) };
    let call = &question.call;
    let input = match (&call.input, question.claimed.get(UNTYPED_INPUT)) {
        (Some(input), _) => Some(plain(input)),
        (None, untyped) => untyped.cloned(),
    };
    let person = question.chain.last().map(|hop| hop.entity.clone());
    Ok(WhatIf {
        record: asked.record,
        subject: asked.subject.or_else(|| Some(call.subject.clone())),
        task: asked.task.or_else(|| Some(question.task.to_string())),
        on_behalf: asked.on_behalf.or(person),
        server: asked.server.or_else(|| call.server.as_ref().map(ToString::to_string)),
        action: asked.action.or_else(|| Some(call.action.to_string())),
        resource: asked.resource.or_else(|| call.resources.first().cloned()),
        input: asked.input.or(input),
    })
}

/// A sealed value as it was sent.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Long(value) => Json::from(*value),
        Value::String(text) | Value::Datetime(text) | Value::Duration(text) | Value::Ipaddr(text) => {
            Json::from(text.clone())
        }
        // A number that is not whole was sent as one.
        Value::Decimal(text) => text.parse::<f64>().map_or_else(|_| Json::from(text.clone()), Json::from),
        Value::Entity(EntityRef { id, .. }) => Json::from(id.as_str()),
        Value::Set(values) => values.iter().map(plain).collect(),
        Value::Record(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.to_string(), plain(value))).collect())
        }
    }
}
