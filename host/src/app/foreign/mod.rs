//! Callers with tokens and certificates of other issuers: who they are in the bundle's words, what is recorded of them,
//! how they are ended.
//!
//! What a token says, and whether it is its issuer's, is `crate::trust`'s; here it is held against the bundle, the people
//! and what operators ended, and written down before anything is done in its name. Nothing here knows a header.

mod believed;
mod builds;
mod ended;
mod held;
mod seen;
mod vouched;

use policy_core::time::Timestamp;

pub(super) use builds::{BUILD_CHANGED, is_of_build};
pub(super) use held::is_shown_as_approved;
pub(super) use seen::{is_credential, is_token};

use super::App;
use super::asker::Asker;
use super::refusal::{Refusal, RefusalKind};
use super::state::State;
use crate::identity::{Credential, TokenSeen};
use crate::trust::{ClientCertificates, Identities, Moment, Shown, TokenFault};

impl App {
    /// Tells a caller apart by its bearer token, of this gate or of another issuer.
    ///
    /// # Errors
    /// As [`App::authenticate_at`]; for a token of another issuer the check that it failed, `subject_not_mapped`,
    /// `task_missing`, `credential_ended`, `unknown_person`.
    pub async fn identify(&self, shown: &Shown<'_>) -> Result<Credential, Refusal> {
        if let Some(own) = Self::own_token(shown.token) {
            return self.authenticate_at(&own, shown.resource);
        }
        if !Identities::looks_like_one(shown.token) {
            return Err(Self::no_token(shown.token));
        }
        let moment = Moment { now: self.now(), boot: self.boot() };
        let (identities, audience) = (&self.settings().identities, &self.settings().public_url);
        let token = identities.verify(shown.token, shown.resource, audience, moment).await.map_err(not_believed)?;
        self.proofs().hold(token.bound.as_ref(), shown, moment.now).map_err(not_believed)?;
        self.believe(token, moment.now).await
    }

    /// Tells a caller apart by the certificate of its connection alone.
    ///
    /// # Errors
    /// The check that it failed; `certificate_alone` for a workload that is no enforcement point.
    pub async fn identify_certificate(&self, shown: &ClientCertificates) -> Result<Credential, Refusal> {
        let moment = Moment { now: self.now(), boot: self.boot() };
        let identities = &self.settings().identities;
        let verified = identities.verify_certificate(shown, moment).await.map_err(not_believed)?;
        // INVARIANT (R3): a certificate says no task, so it makes no agent.
        if identities.point(&verified.actor).is_none() {
            return Err(Refusal::forbidden(
                "certificate_alone",
                "a certificate says no task, and this is no enforcement point's",
            ));
        }
        self.believe(verified, moment.now).await
    }

    /// Whether everything that was shown still counts: what every outcome expects, next to the versions.
    pub(super) fn hold_credentials(&self, state: &State, asker: &Asker, now: Timestamp) -> Result<(), Refusal> {
        for id in asker.credentials() {
            self.still_live(state, id, now)?;
        }
        // INVARIANT (R6): a token that ends while a call waits ends before it.
        let over = |token: &TokenSeen| now >= token.expires_at;
        if asker.proofs().any(over) { Err(not_believed(TokenFault::Expired)) } else { Ok(()) }
    }
}

/// A token that is not believed.
pub(super) fn not_believed(fault: TokenFault) -> Refusal {
    let kind = match fault {
        TokenFault::KeysUnavailable => RefusalKind::Unavailable,
        _ => RefusalKind::Unauthenticated,
    };
    Refusal::new(kind, fault.code(), fault.to_string())
}
