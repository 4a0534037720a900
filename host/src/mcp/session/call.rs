//! A gated call, from the client's request to the upstream's answer.

use policy_core::digest::Digest;
use serde_json::Value;

use crate::mcp::era::Era;
use crate::mcp::message::Request;
use crate::mcp::question::Question;

/// A gated call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The client's request, our members removed.
    pub request: Request,
    /// Its era.
    pub era: Era,
    /// What is asked of the gate. Under an exception the continuation of an exchange asks about the answers alone.
    pub question: Question,
    /// The digest of the call's own arguments.
    pub arguments: Digest,
    /// Where the call stands.
    pub stage: Stage,
    /// Whether the upstream has had a part of it: this round of it, or one before. Such a call is never "not run".
    pub begun: bool,
    /// Whether it went by an exception.
    pub by_exception: bool,
    /// The evaluations that it went by.
    pub evaluations: Vec<String>,
    /// Whether it brings answers that nothing was asked for: first the gate is asked what they would travel under.
    pub is_stray: bool,
    /// How often the proxy has repeated it with its roots.
    pub rounds: u32,
    /// The evaluation whose `sending` is being reported.
    pub announcing: Option<String>,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The proxy reads the list of tools first.
    Listing,
    /// The gate judges; since this instant.
    Judging(u64),
    /// `sending` is being recorded; the allow ends at this instant.
    Announcing(u64),
    /// The upstream has it.
    Sent,
}

impl Call {
    /// A call that nobody has judged yet.
    pub fn new(request: Request, era: Era, question: Question, arguments: Digest) -> Self {
        Self {
            request,
            era,
            question,
            arguments,
            stage: Stage::Listing,
            begun: false,
            by_exception: false,
            evaluations: Vec::new(),
            is_stray: false,
            rounds: 0,
            announcing: None,
        }
    }

    /// What the call is of, for a sentence: the tool, or the method.
    pub fn name(&self) -> &str {
        if self.is_tool() { &self.question.id } else { &self.request.method }
    }

    /// Its bytes are on their way.
    pub const fn send(&mut self) {
        self.stage = Stage::Sent;
        self.begun = true;
    }

    /// Whether it is a tool's.
    pub fn is_tool(&self) -> bool {
        self.request.method == "tools/call"
    }
}

/// An exchange that waits for the client's answers (2026-07-28: `input_required`). Its call has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The call's method.
    pub method: String,
    /// The call's question.
    pub question: Question,
    /// The digest of the call's own arguments.
    pub arguments: Digest,
    /// The upstream's `requestState`, which the client repeats.
    pub state: Option<Value>,
    /// The call's id: one for the whole exchange.
    pub call: String,
    /// Whether it went by an exception.
    pub by_exception: bool,
    /// The evaluations so far.
    pub evaluations: Vec<String>,
    /// What was asked for and the proxy answers itself.
    pub roots: Vec<String>,
    /// When it was opened, by the boot clock.
    pub since: u64,
}
