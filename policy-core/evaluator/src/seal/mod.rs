//! From a caller's question to a sealed one: mapped to the bundle's words, its arguments typed, the facts that policies
//! may look at gathered. Nothing here decides; whatever does not fit is a refusal with a reason.

mod call;
mod claims;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use policy_core::abi::chain_text;
use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::json::to_canonical_bytes;
use policy_core::outcome::Reason;
use policy_core::question::{Purpose, Requested, SEALED_VERSION, SealedQuestion};
use policy_core::record::Record;
use policy_core::text::is_identifier;
use policy_core::time::Timestamp;
use policy_core::value::Value;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use thiserror::Error;

use crate::Bundle;
use crate::bundle::ActionType;
use crate::bundle::types::Type;
use crate::evaluate::MOST_HOPS;

/// A question as a caller asks it. The host has verified who asks; what stands in `claims` is only said.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Asked, or used.
    pub purpose: Purpose,
    /// Who acts, from a verified credential.
    pub subject: EntityRef,
    /// The task, from a verified credential.
    pub task: SmolStr,
    /// On whose behalf, verified hops only, from the current actor inward.
    pub chain: Vec<Hop>,
    /// The enforcement point that asks, by the name in its credential.
    pub enforcement_point: Option<SmolStr>,
    /// Whether the agent's credential is bound to a key of its holder's.
    pub bound: bool,
    /// Whether all that is the word of the enforcement point.
    pub vouched: bool,
    /// The upstream server, by its configured name.
    pub server: Option<SmolStr>,
    /// The digest of the tool's definition.
    pub tool: Option<Digest>,
    /// The action as it is asked: `tools/call` is mapped through `[[tool]]`.
    pub action: SmolStr,
    /// The resource as it is asked: of type `tool` for `tools/call`.
    pub resource: EntityRef,
    /// The arguments, `context.input`, as the strict reader read them; absent where there are none.
    pub input: Option<Json>,
    /// What the caller says of subject, resource, action and context.
    pub claims: Claimed,
    /// When it is judged.
    pub now: Timestamp,
    /// The actions and effects that this task was already permitted. Only looked at where the bundle mentions it.
    pub done: BTreeSet<String>,
}

/// What a caller says besides the question itself: each believed only where `bundle.toml` says so.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// `subject.properties`.
    pub subject: Map<String, Json>,
    /// `resource.properties`.
    pub resource: Map<String, Json>,
    /// `action.properties`.
    pub action: Map<String, Json>,
    /// `context`, without `input` and without our own members.
    pub context: Map<String, Json>,
}

/// Why a question cannot be sealed: a denial with this reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SealError {
    /// The reason code.
    pub reason: Reason,
    /// What does not fit, in one sentence; texts of the caller are quoted and bounded.
    pub message: String,
}

impl SealError {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

impl Bundle {
    /// Seals a question. Candidates, locks and `requested` are the host's to fill.
    ///
    /// # Errors
    /// A reason code and what does not fit. Nothing of the question reached policy then.
    pub fn seal(&self, ask: &Ask) -> Result<SealedQuestion, SealError> {
        let rules = &self.rules;
        let subject = self.shorten(&ask.subject);
        if ask.chain.len() > MOST_HOPS {
            return Err(SealError::new(Reason::Chain, format!("the chain has more than {MOST_HOPS} hops")));
        }
        let chain: Vec<Hop> =
            ask.chain.iter().map(|hop| Hop { entity: self.shorten(&hop.entity), ..hop.clone() }).collect();
        for entity in std::iter::once(&subject).chain(chain.iter().map(|hop| &hop.entity)) {
            if !is_identifier(&entity.id) {
                return Err(SealError::new(Reason::BadInput, "an id of the subject or its chain is no identifier"));
            }
        }
        let call = self.call(ask, subject)?;
        let action = rules.actions.get(call.action.as_str());
        let action = action.ok_or_else(|| SealError::new(Reason::UnknownAction, "the schema has no such action"))?;
        let mut context = self.gate_context(ask, &call, &chain, action);
        let mut claimed = BTreeMap::new();
        self.context_claims(ask, action, &mut context, &mut claimed)?;
        let facts = self.slice(ask, &call, &chain, &context, &mut claimed)?;
        let question = SealedQuestion {
            v: SEALED_VERSION,
            purpose: ask.purpose,
            bundle: self.digests.bundle,
            now: ask.now,
            call,
            task: ask.task.clone(),
            chain,
            enforcement_point: ask.enforcement_point.clone(),
            bound: ask.bound,
            vouched: ask.vouched,
            context,
            entities: facts,
            claimed,
            candidates: Vec::new(),
            locks: Vec::new(),
            requested: Requested { uses: 1, ..Requested::default() },
        };
        // What Cedar would refuse is refused here, before anything is recorded as a question. An agent asks again and again
        // about the same entities: what was made of their text is kept.
        let text = to_canonical_bytes(&question.entities).ok().and_then(|text| String::from_utf8(text).ok());
        let facts = text.and_then(|text| rules.kept.facts.of(rules, &text));
        let asked = crate::evaluate::Asked { facts: facts.as_deref(), ..crate::evaluate::Asked::whole(&question) };
        crate::evaluate::Prepared::new(rules, asked)
            .map_err(|reason| SealError::new(reason, "the question does not fit the bundle's schema"))?;
        Ok(question)
    }

    /// A reference as sealed questions have it: without the bundle's namespace.
    pub(crate) fn shorten(&self, entity: &EntityRef) -> EntityRef {
        EntityRef::new(self.rules.config.short(&entity.kind), entity.id.clone())
    }

    /// What the gate sets, each only where the action declares it with exactly its type.
    fn gate_context(
        &self,
        ask: &Ask,
        call: &policy_core::question::Call,
        chain: &[Hop],
        action: &ActionType,
    ) -> Record {
        let text = |text: &str| Value::String(text.to_owned());
        let strings = || Type::Set(Box::new(Type::String));
        let hops = std::iter::once(&call.subject).chain(chain.iter().map(|hop| &hop.entity));
        let mut actors: Vec<Value> = hops.map(|hop| Value::String(hop.to_string())).collect();
        actors.sort();
        actors.dedup();
        let done = ask.done.iter().map(|done| text(done)).collect();
        let mut set = vec![
            ("now", Type::Datetime, Value::Datetime(ask.now.to_string())),
            ("task", Type::String, text(&ask.task)),
            ("actors", strings(), Value::Set(actors)),
            ("chain", Type::String, Value::String(chain_text(chain))),
            ("input_digest", Type::String, Value::String(call.input_digest.to_string())),
            ("done", strings(), Value::Set(done)),
        ];
        if let Some(server) = &ask.server {
            set.push(("server", Type::String, text(server)));
        }
        let declared = set.into_iter().filter(|(name, of, _)| action.declares(name, of));
        declared.map(|(name, _, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests;
