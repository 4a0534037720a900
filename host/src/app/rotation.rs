//! Letting a fresh key of a ring sign. There are two rings that are rotated so, and one act over both: the record first,
//! then the file; the old key is retired at the instant at which it can sign nothing any more.
//!
//! The key of the record's heads takes over in another way: in `log_key`.

use policy_core::text;
use policy_core::time::Timestamp;

use super::App;
use super::append::Proposal;
use super::event::{GateEvent, LedgerEvent};
use super::identities::no_randomness;
use super::refusal::{Refusal, RefusalKind};
use super::settings::Operator;
use crate::signing::{FreshKey, KeyRing};
use crate::store::VersionKey;

/// The longest reason of an operator, in characters.
const LONGEST_REASON: usize = 2_000;

/// Which keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ring {
    /// Those of binding tokens and approvals, whose public halves are published.
    Binding,
    /// Those of the gate's own tokens for agents and enforcement points.
    Credentials,
}

impl Ring {
    fn keys(self, app: &App) -> &KeyRing {
        match self {
            Self::Binding => app.binding_keys(),
            Self::Credentials => app.credential_keys().ring(),
        }
    }

    /// What the record says of it.
    fn event(self, kid: String, by: String, reason: String, at: Timestamp) -> GateEvent {
        match self {
            Self::Binding => GateEvent::SigningKeyRotated { kid, by, reason, at },
            Self::Credentials => GateEvent::CredentialKeyRotated { kid, by, reason, at },
        }
    }

    /// When the last ends of what the record knows that a key signed which is retired now.
    fn needed(self, app: &App, retired: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Binding => app.last_approval_ends(),
            Self::Credentials => app.state().registry.last_signed_ends(retired),
        }
    }
}

impl App {
    /// Lets a fresh key of this ring sign: its id.
    ///
    /// # Errors
    /// `reason_needed`; `record_unavailable`; `keys_unwritable` when the disk does not take the new key: the old one
    /// signs on then.
    pub(super) async fn rotate_ring(&self, ring: Ring, by: &Operator, reason: &str) -> Result<String, Refusal> {
        let reason = rotation_reason(reason)?;
        let now = self.now();
        let fresh = FreshKey::draw(self.random(), now).map_err(|_| no_randomness())?;
        let kid = fresh.kid().to_owned();
        let event = LedgerEvent::Gate(ring.event(kid.clone(), by.name.clone(), reason, now));
        // The record first: a key that nobody wrote down signs nothing.
        self.admit(|state| {
            let expected = vec![state.version(VersionKey::Bundle)];
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await?;
        // INVARIANT: what the old key signed while the record was written is believed: so it is retired no earlier than
        // it can sign nothing any more.
        let rotated = ring.keys(self).rotate(fresh, || self.now(), |retired| ring.needed(self, retired));
        rotated.map_err(|error| keys_unwritable(&ring, &error))?;
        Ok(kid)
    }
}

/// The reason of a rotation, as it is recorded.
///
/// # Errors
/// `reason_needed`.
pub(super) fn rotation_reason(reason: &str) -> Result<String, Refusal> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("rotating a key needs a reason of 1 to {LONGEST_REASON} characters");
        return Err(Refusal::bad("reason_needed", detail).help("give `--reason TEXT`"));
    }
    Ok(text::visible(reason, LONGEST_REASON))
}

/// The disk does not take the new key.
pub(super) fn keys_unwritable(which: &dyn std::fmt::Debug, error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(?which, %error, "the new key could not be kept");
    Refusal::new(RefusalKind::Unavailable, "keys_unwritable", "the new key could not be kept; the old one signs on")
        .help("look at the disk of the data folder, and rotate again")
}
