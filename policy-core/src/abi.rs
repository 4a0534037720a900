//! What crosses the module's boundary: the operations of `policy.wasm`, their inputs and answers.
//!
//! Input and answer are canonical JSON. An answer is `{"ok": …}` or `{"error": {"code", "message"}}`; bad input is an
//! error, never a trap. `policy-core/ABI.md` is this page for people who write another host.

mod previews;
mod questions;

use std::collections::BTreeMap;

pub use previews::Previews;
pub use questions::Questions;
use serde::{Deserialize, Serialize};

use crate::console::Act;
use crate::digest::Digest;
use crate::entity::{EntityRef, Hop};
use crate::grant::Grant;
use crate::outcome::{Evaluation, Outcome, PolicyError, Terms};
use crate::question::{EntityFact, SealedQuestion};
use crate::time::Timestamp;

/// The version of this boundary, what `abi()` returns.
pub const ABI_VERSION: u32 = 1;

/// The operations, by the number that `call` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Op {
    /// [`Load`] → [`Loaded`]. Replaces the bundle that the instance holds.
    Load = 1,
    /// [`Evaluate`] → [`Evaluation`].
    Evaluate = 2,
    /// [`Evaluate`] → [`TermsAnswer`]: the terms for what the question requests, whatever scope says.
    Terms = 3,
    /// [`Eligible`] → [`Vec<Eligibility>`].
    Eligible = 4,
    /// [`Compile`] → [`Compiled`].
    Compile = 5,
    /// [`Preview`] → [`Previewed`].
    Preview = 6,
    /// [`Console`] → [`Vec<ConsoleAnswer>`].
    Console = 7,
}

impl Op {
    /// All of them, by their number.
    pub const ALL: [Self; 7] =
        [Self::Load, Self::Evaluate, Self::Terms, Self::Eligible, Self::Compile, Self::Preview, Self::Console];
}

/// A bundle's policies, as the files that they stand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// Every file of the bundle by its path with `/`, `entities.json` left out: entities arrive with each question.
    pub files: BTreeMap<String, String>,
    /// The bundle's digest, echoed and held against each question's.
    pub bundle: Digest,
}

/// What loading answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// The bundle's digest as it was given: the host has checked it against the bytes.
    pub bundle: Digest,
    /// How many policies were read.
    pub policies: u32,
}

/// A question for the loaded bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluate {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// The question.
    pub question: SealedQuestion,
}

/// Whether the call may be requested, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsAnswer {
    /// The terms; absent when it may not be requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// The policies in `approval/request/` that erred, sorted.
    pub errors: Vec<PolicyError>,
}

/// Who of these people may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eligible {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// The refused question. Its entities hold what is known of the people, too.
    pub question: SealedQuestion,
    /// The people, with the strength of each one's sign-in.
    pub people: Vec<Voter>,
    /// The terms' tier.
    pub tier: String,
    /// Who asked.
    pub requester: EntityRef,
    /// Who owns the subject, or did in the 30 days before, sorted.
    pub owners: Vec<EntityRef>,
    /// Who voted already, sorted.
    pub voted: Vec<EntityRef>,
    /// Votes that count so far.
    pub votes: u32,
}

/// A person who would vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voter {
    /// Who.
    pub person: EntityRef,
    /// How strongly they signed in: a step-up that `bundle.toml` lists.
    pub assurance: String,
    /// Groups that their sign-in brought, besides those that the bundle says they are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<EntityRef>,
}

impl Voter {
    /// Somebody whose groups are the bundle's alone.
    pub const fn new(person: EntityRef, assurance: String) -> Self {
        Self { person, assurance, groups: Vec::new() }
    }
}

/// Whether one person may approve by `approval/approve/`. Separation of duty (R4) is the lifecycle's, not this answer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eligibility {
    /// Who.
    pub person: EntityRef,
    /// Whether a policy permits it.
    pub eligible: bool,
    /// The ids of the entities that the person is in, directly or through another, sorted: what `@groups` names.
    pub groups: Vec<String>,
    /// The policies that permit it, by `@id`, sorted.
    pub policies: Vec<String>,
    /// The policies that erred, sorted.
    pub errors: Vec<PolicyError>,
}

/// A grant to compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compile {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// The grant.
    pub grant: Grant,
}

/// A grant as policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compiled {
    /// The Cedar permit, as text for people to read. What is evaluated is the syntax tree that it was written from.
    pub cedar: String,
    /// The permit's EST, Cedar's JSON form, after one more parse.
    pub est: serde_json::Value,
}

/// What a yes would allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// The refused question, without this grant among its candidates.
    pub question: SealedQuestion,
    /// The grant as it would be, its id the exception's.
    pub grant: Grant,
    /// Recorded denials to try the grant on, at most 1,024.
    pub others: Vec<SealedQuestion>,
    /// When the grant is tried: what `now` becomes in every question.
    pub at: Timestamp,
}

/// What a yes would allow, as the module that enforces it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previewed {
    /// This request as it stands.
    pub before: Evaluation,
    /// This request with the grant.
    pub after: Evaluation,
    /// The edge of the grant in each dimension.
    pub edges: Vec<Edge>,
    /// The dimensions that the yes does not fix, by name, sorted: an argument's path, `resource`.
    pub open: Vec<String>,
    /// The recorded denials that would pass, by their position in `others`.
    pub flips: Vec<u32>,
    /// How many recorded denials were tried.
    pub tried: u32,
    /// Flips whose subject is another than the request's. Anything but 0 is a defect.
    pub by_others: u32,
    /// Guardrails that apply to the action and that the grant does not cross, by `@id`, sorted.
    pub guardrails: Vec<String>,
    /// When it ends: where its length says so, if it were granted when it was tried.
    pub ends: Timestamp,
}

/// The edge of a grant in one dimension, tried on the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The dimension: `resource`, `task`, `subject`, `time`, `uses`, or an argument's path such as `input.rows`.
    pub dimension: String,
    /// The largest call that passes, in words of that dimension.
    pub passes: String,
    /// The outcome that the module gave for it.
    pub passes_outcome: Outcome,
    /// The nearest that does not.
    pub fails: String,
    /// The outcome that the module gave for that.
    pub fails_outcome: Outcome,
}

/// What one person may do in Proviso itself, by `console/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Console {
    /// [`ABI_VERSION`].
    pub v: u32,
    /// The bundle that is asked.
    pub bundle: Digest,
    /// Who, and how strongly signed in.
    pub person: Voter,
    /// When.
    pub now: Timestamp,
    /// What is known of the person, the agents and the owners, with what they are in.
    pub entities: Vec<EntityFact>,
    /// What they would do, each on its own.
    pub acts: Vec<ConsoleAct>,
}

/// One thing that somebody would do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConsoleAct {
    /// What.
    pub act: Act,
    /// The agent that it is about; absent: the gate as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<EntityRef>,
    /// Who owns that agent now, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<EntityRef>,
    /// The person who asks for it, where it is about a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<EntityRef>,
    /// The action that the agent asks for, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The terms' tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// Whether somebody may do one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleAnswer {
    /// Whether a policy permits it.
    pub permitted: bool,
    /// How many people it takes: 1, or 2 where a policy that permits it says `@persons("2")`.
    pub persons: u32,
    /// The policies that permit it, by `@id`, sorted.
    pub policies: Vec<String>,
    /// The policies that erred, sorted.
    pub errors: Vec<PolicyError>,
}

/// What went wrong inside the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbiError {
    /// A stable code: `bad_input`, `unknown_version`, `unknown_op`, `too_large`, `too_deep`, `not_loaded`,
    /// `wrong_bundle`, `bad_bundle`, `bad_grant`.
    pub code: String,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// An answer as it crosses the boundary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// It went well.
    Ok(T),
    /// It did not.
    Error(AbiError),
}

/// The answer of [`Op::Evaluate`].
pub type EvaluateAnswer = Answer<Evaluation>;

/// A chain as policies see it, `context.chain`: from the current actor inward, `TYPE::id` joined by ` < `.
pub fn chain_text(chain: &[Hop]) -> String {
    chain.iter().map(|hop| hop.entity.to_string()).collect::<Vec<_>>().join(" < ")
}
