//! What somebody decides beside votes on requests, signed where that is demanded.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::{ActStatement, Presence, STATEMENT_VERSION, SignedAct, act_challenge};
use policy_core::sheet::DecisionSheet;
use proviso_api::acts::{ShownReason, SignedSheet};
use proviso_api::passkeys::VoteSignature;

use crate::view_model::problem::ApiError;
use crate::{api, authenticator};

/// What is decided, as the page shows it.
#[derive(Clone)]
pub struct Decided {
    /// What.
    pub act: SignedAct,
    /// Who decides.
    pub person: EntityRef,
    /// About what.
    pub about: String,
    /// The digest of what is shown.
    pub shown: Digest,
    /// Why.
    pub reason: String,
}

/// What is decided beside a vote on an exception, by the decision sheet that is shown of it.
pub struct OnSheet {
    /// The exception.
    pub id: String,
    as_of: u64,
    presence: Presence,
    decided: Decided,
}

impl OnSheet {
    /// Of this person, by this sheet; nothing where it has no canonical form.
    pub fn of(act: SignedAct, person: EntityRef, id: String, sheet: &DecisionSheet) -> Option<Self> {
        let (about, shown) = (id.clone(), sheet.digest().ok()?);
        let decided = Decided { act, person, about, shown, reason: String::new() };
        Some(Self { id, as_of: sheet.as_of, presence: sheet.exception.terms.presence, decided })
    }

    /// Sends it with its reason, as [`shown`] does.
    ///
    /// # Errors
    /// As the gate refuses, or the authenticator.
    pub async fn send(
        self,
        reason: String,
        send: impl AsyncFn(ShownReason) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let Self { as_of, presence, decided, .. } = self;
        let decided = Decided { reason: reason.clone(), ..decided };
        shown(presence, decided, async |signature: Option<VoteSignature>| {
            let signed = signature.map(|signature| SignedSheet { as_of, signature });
            send(ShownReason { reason: reason.clone(), signed }).await
        })
        .await
    }
}

/// Sends it: signed where that is demanded, and where the gate says that a session is not enough.
///
/// # Errors
/// As the gate refuses, or the authenticator.
pub async fn shown<T>(
    presence: Presence,
    decided: Decided,
    send: impl AsyncFn(Option<VoteSignature>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    if presence == Presence::Signature {
        return send(Some(sign(decided).await?)).await;
    }
    match send(None).await {
        Err(error) if matches!(error.code(), "presence_needed" | "step_up_needed") => {
            // Whoever has no passkey is told what the gate said.
            let Ok(signature) = sign(decided).await else { return Err(error) };
            send(Some(signature)).await
        }
        other => other,
    }
}

/// Has the authenticator sign it.
///
/// INVARIANT: the challenge is made here, of what this page shows. The gate gives no more to it than what nobody can
/// foresee.
async fn sign(decided: Decided) -> Result<VoteSignature, ApiError> {
    let Decided { act, person, about, shown, reason } = decided;
    let begun = api::act_challenge(act, &about).await?;
    let statement = ActStatement { v: STATEMENT_VERSION, act, person, about, shown, reason };
    let statement = statement.text().map_err(|_| ApiError::Unreachable)?;
    let challenge = act_challenge(&begun.nonce, &statement);
    let answered = authenticator::get(&challenge, &begun.rp_id, &begun.credentials).await?;
    Ok(VoteSignature { held: begun.held, assertion: answered.assertion })
}
