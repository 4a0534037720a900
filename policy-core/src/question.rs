//! The sealed question: all that an outcome depends on. It is what is evaluated, recorded, previewed and replayed
//! (R10).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::digest::Digest;
use crate::entity::{EntityRef, Hop};
use crate::grant::Grant;
use crate::record::Record;
use crate::shared::Shared;
use crate::text;
use crate::time::{Span, Timestamp};
use crate::value::Value;

/// The version of [`SealedQuestion`] that this build writes.
pub const SEALED_VERSION: u32 = 1;

/// All that an outcome depends on, besides the bundle that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedQuestion {
    /// [`SEALED_VERSION`].
    pub v: u32,
    /// Asked, or used.
    pub purpose: Purpose,
    /// The bundle that it is judged by.
    pub bundle: Digest,
    /// When it is judged.
    pub now: Timestamp,
    /// The call itself.
    pub call: Call,
    /// From a verified credential.
    pub task: SmolStr,
    /// On whose behalf, from the current actor inward; verified hops only.
    pub chain: Vec<Hop>,
    /// The credential that asks, where an enforcement point does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement_point: Option<SmolStr>,
    /// Whether the agent's credential is bound to a key, and whoever showed it had that key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bound: bool,
    /// Whether subject, task and chain are the word of that enforcement point, and no credential of the agent's was shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vouched: bool,
    /// Cedar's context as the gate believes it, without `input` and `requested`: what the gate sets and the action
    /// declares, and what `bundle.toml` lets this caller supply.
    pub context: Record,
    /// The slice of entities that policies may look at, sorted by uid. Action entities are the schema's.
    pub entities: Vec<EntityFact>,
    /// What the caller claimed and was not believed. Kept for the record; never reaches policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claimed: BTreeMap<String, serde_json::Value>,
    /// The subject's grants for this task that may be live.
    pub candidates: Vec<Candidate>,
    /// The locks that are in force for anything that this question names.
    pub locks: Vec<Lock>,
    /// What a request would ask for, and what is already held.
    pub requested: Requested,
}

/// Where the arguments stand among what was claimed, of an action that declares none.
const UNTYPED_INPUT: &str = "context.input";

impl SealedQuestion {
    /// Whether what the call is on, or made with, holds text that cannot be shown as what it is.
    pub fn has_undecodable(&self) -> bool {
        let untyped = || self.claimed.get(UNTYPED_INPUT).filter(|_| !self.call.typed);
        self.call.resources.iter().any(|resource| text::is_undecodable(&resource.id))
            || self.call.input.as_ref().is_some_and(hides)
            || untyped().is_some_and(json_hides)
    }
}

/// Names of members count: people read them, too.
fn hides(value: &Value) -> bool {
    match value {
        Value::String(text) | Value::Datetime(text) | Value::Duration(text) => text::is_undecodable(text),
        Value::Decimal(text) | Value::Ipaddr(text) => text::is_undecodable(text),
        Value::Entity(entity) => text::is_undecodable(&entity.id),
        Value::Set(values) => values.iter().any(hides),
        Value::Record(members) => members.iter().any(|(name, value)| text::is_undecodable(name) || hides(value)),
        Value::Bool(_) | Value::Long(_) => false,
    }
}

fn json_hides(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text::is_undecodable(text),
        serde_json::Value::Array(values) => values.iter().any(json_hides),
        serde_json::Value::Object(members) => {
            members.iter().any(|(name, value)| text::is_undecodable(name) || json_hides(value))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

/// Whether an evaluation may consume a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Asks and changes nothing.
    Question,
    /// An enforcement point's evaluation for one call.
    Use,
}

/// One call, in the bundle's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The workload identity that acts.
    pub subject: EntityRef,
    /// The action.
    pub action: SmolStr,
    /// The resources: one, or several when a tool's arguments fan out. All must be permitted; one record, one use.
    pub resources: Vec<EntityRef>,
    /// The arguments as Cedar sees them; absent where the action takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// The digest of the canonical arguments (`null` where there are none).
    pub input_digest: Digest,
    /// Whether the action declares what its `input` holds. An untyped one can be granted for one digest only.
    pub typed: bool,
    /// Arguments that the schema marks `@path`, as member paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Vec<String>>,
    /// The upstream server, by its configured name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SmolStr>,
    /// The digest of the tool's definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Digest>,
}

/// One entity of the slice, with where its facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityFact {
    /// Which entity.
    pub uid: EntityRef,
    /// Its attributes.
    pub attrs: Record,
    /// Its direct parents, sorted.
    pub parents: Vec<EntityRef>,
    /// Where this is from: `bundle`, `unknown` (an entity that no source knows: no attributes, no parents), or the name
    /// of an enforcement point that `bundle.toml` believes.
    pub source: SmolStr,
}

/// A grant that may cover the call, with its counters as the log has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The grant.
    pub grant: Shared<Grant>,
    /// Uses left.
    pub uses_left: u32,
    /// What is left of each budget, in the order of the scope's budgets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets_left: Vec<i64>,
    /// Uses that its rate leaves now. Where the scope has a rate and this is absent, none is left (R8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_left: Option<u32>,
}

/// A stop, above everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The lock's id.
    pub id: String,
    /// What it stops.
    pub target: LockTarget,
}

/// What a lock stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockTarget {
    /// A subject, also as a hop of a chain.
    Subject(EntityRef),
    /// A person, also as a hop of a chain.
    Person(EntityRef),
    /// A task.
    Task(String),
    /// A tool, by its own name or its action's.
    Tool(String),
    /// An upstream server.
    Server(String),
    /// A grant.
    Grant(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg_attr(target_pointer_width = "64", expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference"))]
const fn is_zero(sum: &i64) -> bool {
    *sum == 0
}

/// What a request asks for and what is already held; `context.requested` where an action declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// How long.
    pub duration: Span,
    /// How often.
    pub uses: u32,
    /// Live and pending grants of the same action by the same owner's agents.
    pub held_grants: u32,
    /// Their uses.
    pub held_uses: u32,
    /// Their sum over the argument that `@sum` names.
    pub held_sum: i64,
    /// Whether a person has declared an emergency: a signal, never a permission.
    pub emergency: bool,
    /// The most that this request could take of the argument that `@sum` names, all uses together.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sum: i64,
    /// The agent that asks, as `TYPE::id`, where it is another than the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
}
