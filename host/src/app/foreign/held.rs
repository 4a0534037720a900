//! Which grants an agent may use, by how it shows who it is.

use policy_core::sabotaged;

use crate::app::state::Entry;
use crate::identity::AgentCredential;

/// Whether a grant may be used by an agent that shows itself so.
///
/// INVARIANT (R3): what was approved for bound credentials is used by no other. What was approved for an agent with a
/// credential of its own is not used on the word of an enforcement point, nor the other way round.
pub(in crate::app) fn is_shown_as_approved(entry: &Entry, agent: &AgentCredential) -> bool {
    let exception = &entry.exception;
    let bound = agent.is_bound() || !exception.terms.binding || sabotaged!("r3_unbound_use");
    let vouched = exception.request.question.vouched == agent.is_vouched() || sabotaged!("r3_vouched_use");
    bound && vouched
}
