//! Approvals that the gate told of, to be brought back unchanged with the call that they are for (ARAP 12, 16).
//!
//! What decides is the grant in the record, which is found without them: one that was lost, or whose request another
//! session made, keeps no call from passing.

use std::collections::VecDeque;

use policy_core::digest::Digest;
use serde_json::Value;

use crate::mcp::question::Question;

/// How many requests are remembered: the newest.
const MOST: usize = 100;
/// Why a call is denied whose approval is over or counts for nothing.
const VOID: [&str; 2] = ["approval_expired", "approval_unverifiable"];

/// What requests ask for, and the approvals that came of them.
#[derive(Debug, Default)]
pub(super) struct Approvals(VecDeque<Requested>);

#[derive(Debug)]
struct Requested {
    request: String,
    call: CallKey,
    /// As the gate wrote it.
    approval: Option<Value>,
}

/// What makes two calls the same.
#[derive(Debug, PartialEq)]
struct CallKey {
    action: String,
    kind: &'static str,
    id: String,
    tool: Option<Digest>,
    input: Digest,
}

impl CallKey {
    /// Nothing for arguments without a canonical form: they are judged by nobody.
    fn of(question: &Question) -> Option<Self> {
        Some(Self {
            action: question.action.clone(),
            kind: question.kind,
            id: question.id.clone(),
            tool: question.tool,
            input: question.input_digest().ok()?,
        })
    }
}

impl Approvals {
    /// A request was made for this call.
    pub(super) fn requested(&mut self, request: &str, question: &Question) {
        let Some(call) = CallKey::of(question) else { return };
        self.0.retain(|known| known.request != request);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Requested { request: request.to_owned(), call, approval: None });
    }

    /// It was approved.
    pub(super) fn approved(&mut self, request: &str, approval: &Value) {
        if let Some(known) = self.0.iter_mut().find(|known| known.request == request) {
            known.approval = Some(approval.clone());
        }
    }

    /// The newest approval for exactly this call.
    pub(super) fn of(&self, question: &Question) -> Option<Value> {
        let call = CallKey::of(question)?;
        let known = self.0.iter().rev().find(|known| known.approval.is_some() && known.call == call)?;
        known.approval.clone()
    }

    /// A call was denied for this reason: where an approval came with it that is over or counts for nothing, it is
    /// forgotten. Whether there was one: the record may permit the call without it.
    pub(super) fn forget_void(&mut self, question: &Question, reason: &str) -> bool {
        let Some(call) = CallKey::of(question).filter(|_| VOID.contains(&reason)) else { return false };
        let known = self.0.iter_mut().rev().find(|known| known.approval.is_some() && known.call == call);
        known.is_some_and(|known| known.approval.take().is_some())
    }
}
