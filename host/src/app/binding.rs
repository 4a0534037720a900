//! Binding tokens, and the keys that sign them and the states of approvals.

use policy_core::text;
use policy_core::time::Timestamp;

use super::App;
use super::append::Proposal;
use super::evaluate::Made;
use super::event::{GateEvent, LedgerEvent};
use super::refusal::{Refusal, RefusalKind};
use super::settings::Operator;
use crate::signing::{BindingClaims, BindingKeys, FreshKey, Parties, PublicKey};
use crate::store::VersionKey;

/// The longest reason of an operator.
const LONGEST_REASON: usize = 2_000;

impl App {
    pub(super) fn binding_keys(&self) -> &BindingKeys {
        &self.0.binding
    }

    /// Who signs binding tokens and who takes them: this gate and its endpoint for requests.
    pub(super) fn token_parties(&self) -> Parties {
        let issuer = self.settings().public_url.clone();
        let audience = format!("{issuer}/access/v1/requests");
        Parties { issuer, audience }
    }

    /// The token of a denial that can be answered until then.
    pub(super) fn binding_token(&self, made: &Made, until: Timestamp) -> Option<String> {
        let claims = BindingClaims {
            evaluation: made.decision.evaluation.clone(),
            issued_at: made.now,
            denial_expires_at: until,
            members: made.decision.binding_members.clone()?,
            binding: made.decision.binding,
        };
        self.binding_keys().sign(&self.token_parties(), &claims)
    }

    /// The public keys that something valid may be signed by, as a JWK Set.
    pub fn jwks(&self) -> jsonwebtoken::jwk::JwkSet {
        self.binding_keys().jwks(self.now())
    }

    /// The keys that are published, oldest first; the last one signs.
    pub fn signing_keys(&self) -> Vec<PublicKey> {
        self.binding_keys().published(self.now())
    }

    /// Lets a fresh key sign. The one before stays published until nothing that it signed is valid any more: no token,
    /// and no approval that there is by now. Its id.
    ///
    /// # Errors
    /// `reason_needed`; `record_unavailable`; `keys_unwritable` when the disk does not take the new key: the old one
    /// signs on then.
    pub async fn rotate_keys(&self, by: &Operator, reason: &str) -> Result<String, Refusal> {
        if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
            let detail = format!("rotating a key needs a reason of 1 to {LONGEST_REASON} characters");
            return Err(Refusal::bad("reason_needed", detail).help("give `--reason TEXT`"));
        }
        let now = self.now();
        let fresh = FreshKey::draw(self.random(), now).map_err(|_| super::identities::no_randomness())?;
        let kid = fresh.kid().to_owned();
        let event = LedgerEvent::Gate(GateEvent::SigningKeyRotated {
            kid: kid.clone(),
            by: by.name.clone(),
            reason: text::visible(reason, LONGEST_REASON),
            at: now,
        });
        // The record first: a key that nobody wrote down signs nothing.
        self.admit(|state| {
            let expected: Vec<(VersionKey, u64)> = vec![state.version(VersionKey::Bundle)];
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await?;
        self.binding_keys().rotate(fresh, now, || self.last_approval_ends()).map_err(|error| {
            tracing::error!(%error, "the new signing key could not be kept");
            Refusal::new(
                RefusalKind::Unavailable,
                "keys_unwritable",
                "the new key could not be kept; the old one signs on",
            )
            .help("look at the disk of the data folder, and rotate again")
        })?;
        Ok(kid)
    }
}
