//! A grant as ARAP's approval, and the state that proves it. The grant in the record is what decides; a state that says
//! something else than the record is refused, and one that says the same adds nothing to it.

use policy_core::json;
use policy_core::time::Timestamp;
use proviso_api::authzen::ApprovalRef;
use serde_json::Value;

use super::App;
use super::asker::{Ask, Asker};
use super::event::{DECISION, DecisionRecord};
use super::refusal::Refusal;
use crate::signing::{ApprovalClaims, Parties, StateFault};
use crate::store::Log;

impl App {
    /// Who signs states and who takes them: this gate.
    fn state_parties(&self) -> Parties {
        let issuer = self.settings().public_url.clone();
        Parties { audience: issuer.clone(), issuer }
    }

    /// A grant as the approval that let a call through.
    pub(super) fn approval(&self, grant: &str) -> Option<ApprovalRef> {
        let state = self.state();
        let held = state.by_grant(grant)?.exception.phase.grant()?;
        Some(ApprovalRef {
            id: held.grant.id.to_string(),
            approved_until: held.grant.scope.not_after,
            approved_at: Some(held.granted_at),
            state: None,
        })
    }

    /// The same with its state, for who asked for it. It is signed on each look, so that a new key's holds as long as
    /// that key is published.
    ///
    /// # Errors
    /// When the refused question's record cannot be read.
    pub(super) fn approval_to_carry(&self, grant: &str) -> Result<Option<ApprovalRef>, Refusal> {
        let Some(claims) = self.approval_claims(grant)? else { return Ok(None) };
        // Outside the state's lock: a rotation holds the keys' lock and reads the state.
        let state = self.binding_keys().sign_state(&self.state_parties(), &claims);
        Ok(Some(ApprovalRef {
            id: claims.approval,
            approved_until: claims.approved_until,
            approved_at: Some(claims.approved_at),
            state: state.map(Value::from),
        }))
    }

    /// What the record says of an approval.
    fn approval_claims(&self, grant: &str) -> Result<Option<ApprovalClaims>, Refusal> {
        let (grant, approved_at, evaluation, refused) = {
            let state = self.state();
            let Some(entry) = state.by_grant(grant) else { return Ok(None) };
            let Some(held) = entry.exception.phase.grant() else { return Ok(None) };
            let evaluation = entry.exception.request.evaluation.clone();
            ((*held.grant).clone(), held.granted_at, evaluation, entry.origin.refused_seq)
        };
        // The folded state forgets denials; an approval may live longer than that.
        let record = self.store().record(Log::Decisions, refused).map_err(|error| self.unreadable(&error))?;
        let bytes = record.as_ref().and_then(|record| record.payload(DECISION));
        let refused = bytes.and_then(|bytes| json::read_as::<DecisionRecord>(bytes, super::people::STORED).ok());
        // A request answers the evaluation that it names, and no other.
        Ok(refused.filter(|refused| refused.evaluation == evaluation).map(|refused| ApprovalClaims {
            approval: grant.id.into(),
            request: grant.exception.into(),
            evaluation,
            subject: grant.subject,
            task: grant.task.into(),
            enforcement_point: grant.enforcement_point.into(),
            approved_at,
            approved_until: grant.scope.not_after,
            scope: grant.scope,
            members: refused.binding_members,
            binding: refused.binding,
        }))
    }

    /// Why the state that came with an approval is not believed; absent where it is, or none came.
    ///
    /// INVARIANT (R3, ARAP 12): what is carried by value is signed by a published key, of this gate and for it, of the
    /// approval that it came with, for this subject, task and enforcement point, and says what the record says.
    pub(super) fn state_fault(&self, asker: &Asker, ask: &Ask) -> Result<Option<StateFault>, Refusal> {
        let Some((approval, state)) = ask.approval.as_ref().and_then(|given| Some((given, given.state.as_ref()?)))
        else {
            return Ok(None);
        };
        let text = state.as_str().unwrap_or_default();
        let claims = match self.binding_keys().verify_state(&self.state_parties(), text, self.now()) {
            Ok(claims) => claims,
            Err(fault) => return Ok(Some(fault)),
        };
        let fault = if claims.approval != approval.id {
            StateFault::Approval
        } else if claims.subject != asker.agent.subject {
            StateFault::Subject
        } else if claims.task != asker.agent.task {
            StateFault::Task
        } else if asker.point.as_ref().is_some_and(|point| point.name != claims.enforcement_point) {
            StateFault::EnforcementPoint
        } else if self.approval_claims(&approval.id)?.as_ref() != Some(&claims) {
            StateFault::Record
        } else if approval.approved_until != claims.approved_until
            || approval.approved_at.is_some_and(|at| at != claims.approved_at)
        {
            StateFault::Beside
        } else {
            return Ok(None);
        };
        Ok(Some(fault))
    }

    /// When the last approval ends that there is, over or not: so long a key that signed any is needed.
    pub(super) fn last_approval_ends(&self) -> Option<Timestamp> {
        let state = self.state();
        let grants = state.exceptions.values().filter_map(|entry| entry.exception.phase.grant());
        grants.map(|held| held.grant.scope.not_after).max()
    }
}
