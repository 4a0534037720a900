//! Binding tokens, and the keys that sign them and the states of approvals.

use policy_core::time::Timestamp;

use super::App;
use super::evaluate::Made;
use super::refusal::Refusal;
use super::rotation::Ring;
use super::settings::Operator;
use crate::signing::{BindingClaims, BindingKeys, Parties, PublicKey};

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
        self.rotate_ring(Ring::Binding, by, reason).await
    }
}
