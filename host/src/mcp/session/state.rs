//! What a session remembers of what is under way.

use policy_core::digest::Digest;
use serde_json::Value;

use super::types::Told;
use crate::mcp::era::Era;
use crate::mcp::message::Id;
use crate::mcp::own_tools::Errand;
use crate::mcp::question::Question;

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Waiting {
    /// The judgement of a call.
    Judgement(String),
    /// The receipt of `sending` for a call.
    Receipt(String),
    /// The receipt of an outcome: nobody waits for it.
    Outcome,
    /// The judgement of an answer to an upstream's question.
    AnswerJudgement(String),
    /// The receipt of `sending` for such an answer.
    AnswerReceipt(String),
    /// The judgement of what an upstream asks outside of any call.
    UpstreamJudgement(String),
    /// The evaluation of an errand.
    ErrandEvaluation(String),
    /// The submission of an errand.
    ErrandSubmission(String),
    /// An errand's status.
    ErrandStatus(String),
    /// That the gate took an errand's answer.
    ErrandAnswer(String),
    /// The next look at an errand's status.
    ErrandPause(String),
    /// The time that the upstream has to list its tools.
    Listing(String),
}

/// A request of the client's that went as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passed {
    pub(super) method: String,
    /// For `tasks/*` of a task that a call started.
    pub(super) task: Option<Started>,
}

/// A task that a call started.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Started {
    /// Whether the call went by an exception.
    pub(super) by_exception: bool,
    /// The question that an answer to the task would be, without its input.
    pub(super) answer: Question,
}

/// A request of the upstream's that the client answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) id: Id,
    pub(super) method: String,
    /// The line as it goes to the client.
    pub(super) line: Vec<u8>,
    /// Whether the client has it: before that there is nothing to answer.
    pub(super) delivered: bool,
    /// Where it was asked in the middle of a call that went by an exception: the answer's question, without its input.
    pub(super) under: Option<Question>,
    /// The client's answer, while the gate judges it.
    pub(super) answer: Option<Answering>,
    /// The key of the call that it is part of.
    pub(super) call: Option<String>,
}

/// An answer to an upstream, on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answering {
    /// The message.
    pub(super) message: Value,
    /// Its question.
    pub(super) question: Question,
    /// Since when the gate judges it; later until when it may be sent.
    pub(super) instant: u64,
    /// The evaluation that permits it.
    pub(super) evaluation: Option<String>,
}

/// An errand under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ErrandState {
    pub(super) id: Id,
    pub(super) era: Era,
    pub(super) errand: Errand,
    /// What was asked of the gate; nothing while the list of tools is read.
    pub(super) question: Option<Question>,
    /// For a wait: until when, by the boot clock.
    pub(super) until: u64,
}

/// A request that the gate wants left alone for a while.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    /// Until when, by the boot clock.
    pub(super) until: u64,
    /// How it stood.
    pub(super) told: Told,
}

/// The upstream's list of tools, while the proxy reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listing {
    pub(super) tools: Vec<(String, Digest)>,
    pub(super) pages: usize,
    pub(super) meta: Option<Value>,
}
