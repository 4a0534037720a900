//! What was asked, what was added to it while it was open, and who asks.

use serde::{Deserialize, Serialize};

use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::presence::Proof;
use crate::question::SealedQuestion;
use crate::time::Timestamp;

/// What was asked, and under which conditions. Never changes after the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFacts {
    /// The exception's id: unguessable, and ARAP's task id.
    pub id: String,
    /// The refused question, sealed when it was refused. The tool's definition digest and the enforcement point that the
    /// grant is for stand in it.
    pub question: SealedQuestion,
    /// The evaluation that refused it.
    pub evaluation: String,
    /// The human behind the agent, who asks.
    pub requester: EntityRef,
    /// The agent that asked, where it is another than the subject. It counts in R4, and its owners stand in `owners`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<EntityRef>,
    /// Who owned the subject (or the asker) when it was asked, or in the 30 days before, sorted.
    pub owners: Vec<EntityRef>,
    /// The scope that is asked for.
    pub scope: Scope,
    /// The agent's words. Data, never instructions (R11).
    pub justification: String,
    /// Whether the agent says that it is an emergency. It asks for attention and changes nothing else.
    pub emergency: bool,
    /// What it renews, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Renewal>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Votes count before this instant, or an earlier one where an emergency was declared.
    pub decide_by: Timestamp,
}

impl RequestFacts {
    /// Whether another agent than the subject asks.
    pub fn is_for_another(&self) -> bool {
        self.asker.as_ref().is_some_and(|asker| *asker != self.question.call.subject)
    }
}

/// That a request renews an earlier exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The exception that it follows.
    pub of: String,
    /// Which renewal of the chain it is, from 1.
    pub number: u32,
    /// Whether it was asked for as a renewal; if not, the gate noticed that it is one.
    pub declared: bool,
}

/// A repeat of the very same request while it was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// When.
    pub at: Timestamp,
    /// The evaluation that refused it again.
    pub evaluation: String,
    /// The words that it came with. Data (R11).
    pub justification: String,
    /// Whether they are others than the words before: the newest repeat's, or the request's. Found when it is folded, and
    /// never taken from an event.
    #[serde(default, skip_serializing_if = "super::state::is_false")]
    pub changed: bool,
}

/// An answer to a vote that asks something: what somebody claims, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which vote asked, by its place among the votes, from 0.
    pub vote: u32,
    /// Who answers.
    pub by: EntityRef,
    /// The answer. Data (R11).
    pub words: String,
    /// When.
    pub at: Timestamp,
}

/// An emergency, declared by a person who may vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Who.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// Votes count before this instant.
    pub decide_by: Timestamp,
    /// What showed that the person was there; absent: a session.
    #[serde(default, skip_serializing_if = "Proof::is_session")]
    pub proof: Proof,
    /// When.
    pub at: Timestamp,
}
