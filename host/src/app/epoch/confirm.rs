//! Saying that an exception of before a restore still stands.

use policy_core::lifecycle::Command;
use policy_core::presence::{Proof, SignedAct};
use proviso_api::acts::ShownReason;
use proviso_api::exceptions::VoteReply;

use crate::app::App;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;
use crate::store::VersionKey;

impl App {
    /// Confirms an exception that was made before the epoch. Where as many have as its terms demand approvals, it stands
    /// as before.
    ///
    /// # Errors
    /// What the lifecycle rejects: who may not vote on it may not confirm it; `too_late`, `closed`, `voted_already`;
    /// `presence_needed` where the terms demand more than a session; `stale_sheet`; `single_user_required`.
    pub async fn confirm(&self, person: &PersonSession, id: &str, body: ShownReason) -> Result<VoteReply, Refusal> {
        // INVARIANT (R4): a session that an agent could have made itself confirms nothing.
        self.hold_session(person)?;
        let command = Command::Confirm {
            by: person.person.clone(),
            reason: body.reason.clone(),
            assurance: person.assurance.clone(),
            proof: Proof::Session,
        };
        let act = (SignedAct::Confirm, &[VersionKey::Locks, VersionKey::Deputies][..]);
        self.act_shown(person, id, act, (command, &body)).await
    }
}
