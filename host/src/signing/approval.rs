//! The state of an approval: what was approved, for whom and until when, for whoever holds our public keys (ARAP,
//! `approval.state`). It is a proof of what the record says and no authority of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::jws::{NotOurs, Parties, second};
use super::keys::BindingKeys;

/// The header's `typ`.
const KIND: &str = "arap-approval+jwt";

/// What a state says of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalClaims {
    /// The approval's id. It has one state, so it is the state's id, too.
    pub approval: String,
    /// ARAP's task: the request that was approved.
    pub request: String,
    /// The evaluation that refused.
    pub evaluation: String,
    /// Who may use it.
    pub subject: EntityRef,
    /// In which task of the agent.
    pub task: String,
    /// Through which enforcement point.
    pub enforcement_point: String,
    /// When it was approved; it was signed as of then.
    pub approved_at: Timestamp,
    /// Until when it counts.
    pub approved_until: Timestamp,
    /// What was approved.
    pub scope: Scope,
    /// The members of the refused question's context that are bound, sorted; absent where it has none.
    pub members: Option<Vec<String>>,
    /// The digest of the refused subject, resource, action and these members.
    pub binding: Digest,
}

/// Why the state that came with an approval counts for nothing. Persisted: every variant is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFault {
    /// It is no compact JWS, altered, or signed by nobody, by another key, or by one that counts no more.
    #[error("is not signed by a published key of this gate")]
    Signature,
    /// It names another issuer.
    #[error("is of another issuer")]
    Issuer,
    /// It is for another decision point.
    #[error("is for another decision point")]
    Audience,
    /// The approval that it came with has another id.
    #[error("is of another approval")]
    Approval,
    /// It is for another subject.
    #[error("is for another subject")]
    Subject,
    /// It is for another task of the agent.
    #[error("is for another task")]
    Task,
    /// It is for another enforcement point.
    #[error("is for another enforcement point")]
    EnforcementPoint,
    /// It says something else than the record.
    #[error("is not what the record says of this approval")]
    Record,
    /// The members that stand beside it are not the approval's.
    #[error("came with other times than the approval has")]
    Beside,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: Vec<String>,
    iat: i64,
    exp: i64,
    jti: String,
    approval_id: String,
    task_id: String,
    evaluation_id: String,
    subject: EntityRef,
    approved_at: Timestamp,
    approved_until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binding_context_members: Option<Vec<String>>,
    binding_hash: String,
    #[serde(rename = "proviso.dev/task")]
    task: String,
    #[serde(rename = "proviso.dev/enforcement_point")]
    enforcement_point: String,
    #[serde(rename = "proviso.dev/scope")]
    scope: Scope,
}

impl BindingKeys {
    /// Signs. The same for the same approval as long as the same key signs. Absent: there is no key that can, or the
    /// scope is too long to be carried by value; the record holds it all the same.
    pub fn sign_state(&self, parties: &Parties, claims: &ApprovalClaims) -> Option<String> {
        self.seal(
            KIND,
            &Wire {
                iss: parties.issuer.clone(),
                aud: vec![parties.audience.clone()],
                iat: second(claims.approved_at),
                // Not a moment later than the approval itself.
                exp: second(claims.approved_until),
                jti: claims.approval.clone(),
                approval_id: claims.approval.clone(),
                task_id: claims.request.clone(),
                evaluation_id: claims.evaluation.clone(),
                subject: claims.subject.clone(),
                approved_at: claims.approved_at,
                approved_until: claims.approved_until,
                binding_context_members: claims.members.clone(),
                binding_hash: URL_SAFE_NO_PAD.encode(claims.binding.as_bytes()),
                task: claims.task.clone(),
                enforcement_point: claims.enforcement_point.clone(),
                scope: claims.scope.clone(),
            },
        )
    }

    /// What a state says. Whether that is so, and whether it is over, is the record's to say: the caller holds it
    /// against that.
    ///
    /// # Errors
    /// [`StateFault`]: it says nothing.
    pub fn verify_state(&self, parties: &Parties, state: &str, now: Timestamp) -> Result<ApprovalClaims, StateFault> {
        let (wire, key) = self.unseal::<Wire>(KIND, parties, state, now).map_err(|fault| match fault {
            NotOurs::Signature => StateFault::Signature,
            NotOurs::Issuer => StateFault::Issuer,
            NotOurs::Audience => StateFault::Audience,
        })?;
        if !key.signed_at(wire.iat) {
            return Err(StateFault::Signature);
        }
        let times = wire.iat == second(wire.approved_at) && wire.exp == second(wire.approved_until);
        let hash = URL_SAFE_NO_PAD.decode(&wire.binding_hash).ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let Some(hash) = hash.filter(|_| times && wire.jti == wire.approval_id) else {
            return Err(StateFault::Record);
        };
        Ok(ApprovalClaims {
            approval: wire.approval_id,
            request: wire.task_id,
            evaluation: wire.evaluation_id,
            subject: wire.subject,
            task: wire.task,
            enforcement_point: wire.enforcement_point,
            approved_at: wire.approved_at,
            approved_until: wire.approved_until,
            scope: wire.scope,
            members: wire.binding_context_members,
            binding: Digest::from_bytes(hash),
        })
    }
}
