//! The embedded issuer: the tokens that this gate itself gives to agents and enforcement points.
//!
//! INVARIANT (R9): one counts by two things together, the signature of a key that lies beside the record and a credential
//! of the verified record that says the same. Neither a row that somebody wrote nor a stolen key alone opens anything: the
//! row has no signature, and who has the key does not know the secret whose code the row holds.

use policy_core::time::Timestamp;

use super::App;
use super::foreign::not_believed;
use super::identities::{of_earlier_epoch, unauthenticated};
use super::refusal::{Refusal, RefusalKind};
use super::rotation::Ring;
use super::settings::{OpenError, Operator};
use crate::identity::{Credential, Secret, SecretKind, Token};
use crate::signing::{CREDENTIAL_KIND, CredentialClaims, CredentialKeys, PublicKey, SECRET_CLAIM};
use crate::trust::own::{self, OwnIssuer, OwnKey, OwnToken, ShownOwn};

impl App {
    pub(super) fn credential_keys(&self) -> &CredentialKeys {
        &self.0.credential_keys
    }

    /// Tells a caller apart by a token of this gate's own that was shown to the gate itself.
    ///
    /// # Errors
    /// As [`Self::authenticate_at`]; `token_not_signed` for one of an earlier release.
    pub fn authenticate(&self, bearer: &str) -> Result<Credential, Refusal> {
        match Self::own_token(bearer) {
            Some(token) => self.authenticate_at(&token, None),
            None => Err(Self::no_token(bearer)),
        }
    }

    /// A text of the kind that this issuer writes, whoever wrote it.
    pub(super) fn own_token(shown: &str) -> Option<ShownOwn<'_>> {
        own::read(shown, CREDENTIAL_KIND)
    }

    /// Why a text is no token of anybody's.
    pub(super) fn no_token(shown: &str) -> Refusal {
        let kinds = [SecretKind::Agent, SecretKind::EnforcementPoint];
        let earlier_form = kinds.into_iter().any(|kind| Secret::parse(kind, shown).is_some());
        if earlier_form { not_signed() } else { unauthenticated() }
    }

    /// Tells a caller apart by a token of this gate's own. `shown_to` is the resource that it was shown to, where that is
    /// not the gate itself.
    ///
    /// # Errors
    /// The check of its form, signature and claims that it failed; `credential_of_earlier_epoch`; `unauthenticated`, the
    /// same for one that is revoked or was never on record.
    pub(super) fn authenticate_at(&self, bearer: &ShownOwn<'_>, shown_to: Option<&str>) -> Result<Credential, Refusal> {
        let (now, name) = (self.now(), self.keys().gate_name());
        let key = |kid: &str| self.credential_keys().find(kid, now).map(own_key);
        let audience = shown_to.unwrap_or(&name);
        let issuer = OwnIssuer { secret: SECRET_CLAIM, name: &name, audience, key: &key };
        let token = bearer.verify(&issuer, &self.0.signatures, now).map_err(|fault| {
            // Whoever has the secret may hear why.
            let said = bearer.said(SECRET_CLAIM).and_then(|(id, secret)| Secret::of(id, secret));
            let earlier = said.is_some_and(|said| self.state().registry.is_of_earlier_epoch(&said, self.keys()));
            if earlier { of_earlier_epoch() } else { not_believed(fault) }
        })?;
        let secret = Secret::of(&token.id, &token.secret).ok_or_else(unauthenticated)?;
        let state = self.state();
        let Some(held) = state.registry.token(&secret, self.keys(), now) else {
            let earlier = state.registry.is_of_earlier_epoch(&secret, self.keys());
            return Err(if earlier { of_earlier_epoch() } else { unauthenticated() });
        };
        if !says_the_same(held, &token, &name) {
            tracing::error!(id = held.id, "a token that a key of this gate signed says something else than the record");
            return Err(unauthenticated());
        }
        held.credential().ok_or_else(unauthenticated)
    }

    /// A credential of the record as the text that is handed out, once.
    pub(super) fn signed_text(&self, token: &Token, secret: &Secret) -> Result<String, Refusal> {
        let (name, subject) = (self.keys().gate_name(), token.subject());
        let claims = CredentialClaims {
            issuer: &name,
            subject: &subject,
            audience: token.resource().unwrap_or(&name),
            id: &token.id,
            secret: secret.bare(),
            issued_at: token.minted_at,
            expires_at: token.expires_at,
        };
        self.credential_keys().sign(&claims).ok_or_else(|| {
            let what = "no key of this gate signs tokens, or this one would be too long";
            Refusal::new(RefusalKind::Unavailable, "keys_unwritable", what)
        })
    }

    /// Keeps the first key of these tokens. Where one is gone that live tokens were signed by, nothing is put in its
    /// place: somebody may put it back.
    pub(super) fn keep_credential_keys(&self) -> Result<(), OpenError> {
        let lives = self.state().registry.last_signed_ends(self.now()).is_some();
        Ok(self.credential_keys().keep(lives)?)
    }

    /// The keys that these tokens are believed by, oldest first; the last one signs.
    pub fn token_keys(&self) -> Vec<PublicKey> {
        self.credential_keys().all(self.now())
    }

    /// Lets a fresh key sign the tokens of agents and enforcement points. The one before is believed until the last token
    /// ends that it signed. The new key's id.
    ///
    /// # Errors
    /// `reason_needed`; `record_unavailable`; `keys_unwritable` when the disk does not take the new key: the old one
    /// signs on then.
    pub async fn rotate_credential_keys(&self, by: &Operator, reason: &str) -> Result<String, Refusal> {
        self.rotate_ring(Ring::Credentials, by, reason).await
    }
}

/// INVARIANT (R9): what is signed and what is on record agree, in each thing that both say.
fn says_the_same(held: &Token, token: &OwnToken, name: &str) -> bool {
    held.signed
        && held.subject() == token.subject
        && held.resource().unwrap_or(name) == token.audience
        && second(held.minted_at) == token.issued_at
        && second(held.expires_at) == token.expires_at
}

fn own_key(key: PublicKey) -> OwnKey {
    OwnKey { public: key.public, retired_at: key.retired_at.map(second) }
}

fn second(at: Timestamp) -> i64 {
    at.millis().div_euclid(1_000)
}

/// It is of a release that signed none.
fn not_signed() -> Refusal {
    let what = "the token has the form of an earlier release, without a signature, and opens nothing any more";
    Refusal::new(RefusalKind::Unauthenticated, "token_not_signed", what)
}
