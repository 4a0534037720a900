//! The key that signs the heads of the record, and letting another one take over.

use policy_core::text;

use super::App;
use super::append::Proposal;
use super::event::{GateEvent, LedgerEvent};
use super::refusal::{Refusal, RefusalKind};
use super::settings::Operator;
use crate::store::VersionKey;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 2_000;

impl App {
    /// The keys that heads are believed by, as C2SP verifier keys: all that ever signed, those of each log together and
    /// the one that signs last.
    pub fn verifier_keys(&self) -> Vec<String> {
        self.keys().trust().keys.iter().map(ToString::to_string).collect()
    }

    /// Lets a fresh key sign the heads of the record. The one before signs the head over the record that names it, so
    /// that whoever believes the one believes the other.
    ///
    /// # Errors
    /// `reason_needed`; `record_unavailable`; `keys_unwritable` when the disk does not take the new key: the old one
    /// signs on then.
    pub async fn rotate_log_key(&self, by: &Operator, reason: &str) -> Result<(), Refusal> {
        if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
            let detail = format!("rotating a key needs a reason of 1 to {LONGEST_REASON} characters");
            return Err(Refusal::bad("reason_needed", detail).help("give `--reason TEXT`"));
        }
        let key = self.keys().draw_next(self.random()).map_err(|error| unwritable(&error))?;
        let now = self.now();
        let reason = text::visible(reason, LONGEST_REASON);
        let event = GateEvent::LogKeyRotated { key: key.clone(), by: by.name.clone(), reason, at: now };
        let event = LedgerEvent::Gate(event);
        self.admit(|state| {
            let expected = vec![state.version(VersionKey::Bundle)];
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await?;
        self.promote_log_key(&key)
    }

    /// Lets the key sign that the record names. A gate that was stopped between the two does it when it starts.
    pub(super) fn promote_log_key(&self, key: &str) -> Result<(), Refusal> {
        self.keys().promote(key).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &crate::store::StoreError) -> Refusal {
    tracing::error!(%error, "the key that is to sign the record's heads could not be kept");
    Refusal::new(RefusalKind::Unavailable, "keys_unwritable", "the new key could not be kept; the old one signs on")
        .help("look at the disk of the data folder, and rotate again")
}
