//! `/api/v1/agents` and `/api/v1/agent`: who acts, what it may do today, and which record or policy gave each part.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::outcome::{Outcome, Reason};
use policy_core::time::Timestamp;
use policy_core::value::Value;
use serde::{Deserialize, Serialize};

use crate::exceptions::ExceptionLine;
use crate::ownership::OwnerReply;
use crate::stops::LockLine;

/// `GET /api/v1/agents`, by id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentList {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that the list stands for.
    pub position: u64,
    /// One line each.
    pub agents: Vec<AgentLine>,
    /// What to ask the next page with, as `page`; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLine {
    /// Who.
    pub agent: EntityRef,
    /// Whether the bundle knows it.
    pub known: bool,
    /// Who owns it now.
    pub owners: Vec<EntityRef>,
    /// Its live grants.
    pub grants: u32,
    /// Its open requests.
    pub requests: u32,
    /// Whether a lock is on it.
    pub locked: bool,
    /// When it last asked for a use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
}

/// `GET /api/v1/agent?type=&id=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentReply {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that this stands for.
    pub position: u64,
    /// The agent, as a list has it.
    pub line: AgentLine,
    /// Who owns it, and from where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerReply>,
    /// What the bundle says of it: each attribute with its value as policy writes it.
    pub attributes: Vec<(String, Value)>,
    /// The locks on it, on its owners' people or on a task of its grants.
    pub locks: Vec<LockLine>,
    /// Its live grants and open requests.
    pub exceptions: Vec<ExceptionLine>,
    /// The policies that could decide about it: guardrails first, then delegated scope, then what it may ask for.
    pub policies: Vec<PolicyMention>,
    /// The different calls that it asked for of late, newest first, each asked again of the module now.
    pub calls: Vec<CallToday>,
    /// How many more different calls there were.
    pub more_calls: u32,
    /// What of this is not shown: without `view_record` the calls, without `view_arguments` what they are made with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Act>,
}

/// A policy that could decide about an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyMention {
    /// Its `@id`.
    pub policy: String,
    /// `guardrails`, `scope` or `approval/request`.
    pub folder: String,
    /// Its file, and the line there.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// The actions that it is about.
    pub actions: Vec<String>,
    /// What of the bundle's entities it can be about.
    pub resources: Vec<EntityRef>,
    /// How many there are in all.
    pub resources_in_all: u32,
    /// Whether its conditions look at the call, too.
    pub looks_at_the_call: bool,
    /// Its text.
    pub text: String,
}

/// A recorded call, asked again now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallToday {
    /// What would run, in the bundle author's words.
    pub says: String,
    /// The action.
    pub action: String,
    /// On what.
    pub resources: Vec<EntityRef>,
    /// In which task.
    pub task: String,
    /// When it was last asked.
    pub asked_at: Timestamp,
    /// The position of that in the log of decisions.
    pub seq: u64,
    /// What came of it then.
    pub permitted_then: bool,
    /// What the module says now, with today's policies, grants and locks.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// By which policies.
    pub policies: Vec<String>,
    /// The exception whose grant permits it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}
