//! The key that signs the heads of the record, and letting another one take over.

use super::App;
use super::append::Proposal;
use super::event::{GateEvent, LedgerEvent};
use super::refusal::Refusal;
use super::rotation::{keys_unwritable, rotation_reason};
use super::settings::Operator;
use crate::store::VersionKey;

/// Which keys, for the gate's own log lines.
const HEADS: &str = "the record's heads";

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
        let reason = rotation_reason(reason)?;
        let key = self.keys().draw_next(self.random()).map_err(|error| keys_unwritable(&HEADS, &error))?;
        let now = self.now();
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
        self.keys().promote(key).map_err(|error| keys_unwritable(&HEADS, &error))
    }
}
