//! Legal holds: what they cover is not erased, neither by an operator nor by age.

use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Hold, HoldTarget};
use crate::app::append::Proposal;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::people::unknown_exception;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::app::stops::check_reason;
use crate::app::{App, identities};
use crate::random;
use crate::store::VersionKey;

/// A hold that nobody has lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    /// Its id.
    pub id: String,
    /// What it covers.
    pub target: HoldTarget,
    /// Why.
    pub reason: String,
    /// The operating-system user that placed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl App {
    /// Places a hold. Its id.
    ///
    /// # Errors
    /// `unknown_exception`; `reason_needed`; `record_unavailable`.
    pub async fn place_hold(&self, by: &Operator, target: HoldTarget, reason: &str) -> Result<HoldLine, Refusal> {
        check_reason(reason, "a hold")?;
        let id = random::id(self.random(), "hold").map_err(|_| identities::no_randomness())?;
        let now = self.now();
        let hold = Hold { id, target, reason: reason.to_owned(), by: by.name.clone(), at: now };
        self.admit(|state| {
            if let HoldTarget::Exception(id) = &hold.target
                && !state.exceptions.contains_key(id)
            {
                return Err(unknown_exception());
            }
            let event = LedgerEvent::Gate(GateEvent::HoldPlaced { hold: Box::new(hold.clone()) });
            // A hold that comes while something is being erased is in time for all that is not gone yet.
            let expected = vec![state.version(VersionKey::Holds)];
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await?;
        Ok(line(&hold))
    }

    /// Lifts a hold.
    ///
    /// # Errors
    /// `unknown_hold`; `reason_needed`; `record_unavailable`.
    pub async fn lift_hold(&self, by: &Operator, id: &str, reason: &str) -> Result<(), Refusal> {
        check_reason(reason, "lifting a hold")?;
        let now = self.now();
        self.admit(|state| {
            if !state.holds.contains_key(id) {
                return Err(Refusal::not_found("unknown_hold", "there is no such hold"));
            }
            let (id, by, reason) = (id.to_owned(), by.name.clone(), reason.to_owned());
            let event = LedgerEvent::Gate(GateEvent::HoldLifted { id, by, reason, at: now });
            let expected = vec![state.version(VersionKey::Holds)];
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await
        .map(drop)
    }

    /// The holds, oldest first.
    pub fn holds(&self) -> Vec<HoldLine> {
        let mut holds: Vec<HoldLine> = self.state().holds.values().map(line).collect();
        holds.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        holds
    }
}

fn line(hold: &Hold) -> HoldLine {
    let Hold { id, target, reason, by, at } = hold.clone();
    HoldLine { id, target, reason, by, at }
}
