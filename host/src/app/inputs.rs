//! What a record holds beside its sealed question, so that its outcome can be told again (R10): what was asked before it
//! was put into the bundle's words, and what the gate itself made of the module's answer. Persisted: for ever.

use policy_core::abi::AbiError;
use policy_core::entity::EntityRef;
use policy_core::outcome::{Evaluation, Reason};
use policy_core::question::Call;
use serde::{Deserialize, Serialize};

use super::asker::Ask;
use super::evaluate::denial;

/// [`super::event::DecisionRecord::limit`] where the gate cannot check what the terms demand of a sign-in.
pub const STEP_UP: &str = "step_up";
/// Where policy demands a copy of the record, and the gate has none.
pub const NO_COPY: &str = "no_copy";
/// Where the module named a grant that is no candidate, or covers the call no more.
pub const NOT_A_CANDIDATE: &str = "not_a_candidate";
/// Where the lifecycle did not let the grant be used.
pub const USE_REFUSED: &str = "use_refused";
/// Where what permitted the call that this continues has ended.
pub const BEGUN_ENDED: &str = "begun_ended";
/// Where the state of the approval that came with the call proves something else.
pub const APPROVAL_UNVERIFIABLE: &str = "approval_unverifiable";
/// [`Apart::why`] for what could not be sealed, and so has no question.
pub const NOT_SEALED: &str = "not_sealed";

/// A call as it was asked, where the bundle put other words to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: EntityRef,
}

impl Asked {
    /// What the sealed call does not tell of what was asked; nothing where it tells all.
    pub(super) fn besides(ask: &Ask, call: &Call) -> Option<Self> {
        let same = ask.action == call.action && call.resources.iter().all(|one| one.id == ask.resource.id);
        (!same).then(|| Self { action: ask.action.clone(), resource: ask.resource.clone() })
    }
}

/// One of the possible results of a search that the module's answer alone did not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// Which, by its place among what was judged.
    pub at: u32,
    /// Why: [`NOT_SEALED`], or a kind of limit.
    pub why: String,
}

/// What a refusal of the module says of the question, where it says anything: who asks again hears the same.
pub fn of_refusal(error: &AbiError) -> Option<Evaluation> {
    match error.code.as_str() {
        "bad_input" => Some(denial(Reason::BadInput)),
        "unknown_version" => Some(denial(Reason::UnknownVersion)),
        _ => None,
    }
}
