//! A counter that has not grown: somebody has a copy of the passkey, and nobody knows which of the two is its person's.

use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::findings::{EvidenceClass, FindingKind};

use super::asserted::UsedPasskey;
use super::challenge::over;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::findings::{FindingEvent, FindingFacts, finding_id};
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::identity::IdentityEvent;
use crate::store::VersionKey;

impl App {
    /// Refuses a passkey whose counter has not grown, suspends it, ends the sessions that it made, and opens a finding.
    ///
    /// # Errors
    /// `passkey_cloned`; `unknown_passkey` where it has ended meanwhile.
    pub(in crate::app) async fn hold_counter(&self, used: &UsedPasskey) -> Result<(), Refusal> {
        // INVARIANT (R4): two copies of one passkey are not one person.
        let (grown, used_at) = {
            let state = self.state();
            let held = used.still_signs(&state)?;
            (held.has_grown(used.counter), held.used_at)
        };
        if grown || sabotaged!("r4_cloned_passkey") {
            return Ok(());
        }
        // What was asked before it was last used may just have come late: two tabs are no copy.
        if used_at.is_some_and(|used_at| used.asked_at < used_at) {
            return Err(over());
        }
        let now = self.now();
        self.admit(|state| self.suspended(state, used, now)).await?;
        tracing::warn!(passkey = used.passkey.id, "a passkey's counter has not grown: there is a copy of it");
        self.act_on_findings_of(&used.passkey.person).await?;
        Err(cloned())
    }

    fn suspended(&self, state: &State, used: &UsedPasskey, now: Timestamp) -> Result<Proposal<()>, Refusal> {
        let held = used.still_signs(state)?;
        let id = held.passkey.id.clone();
        let event =
            IdentityEvent::PasskeySuspended { id: id.clone(), held: held.counter, shown: used.counter, at: now };
        let mut record = self.ledger(now, &LedgerEvent::Identity(event))?;
        // INVARIANT (R7): a vote under way in a session of it conflicts.
        record.touches.extend(state.registry.sessions_of_passkey(&id).into_iter().map(VersionKey::Identity));
        let person = &held.passkey.person;
        let finding = FindingFacts {
            id: finding_id(self.keys(), FindingKind::ClonedPasskey, person, &id),
            what: FindingKind::ClonedPasskey,
            subject: person.clone(),
            task: None,
            strength: EvidenceClass::Observed,
            ambiguous: false,
            evidence: Vec::new(),
            decisions: Vec::new(),
            exception: None,
            action: None,
            about: vec![id.clone()],
            owner: None,
            happened_at: now,
        };
        let keys = [VersionKey::Identity(id), VersionKey::Finding(finding.id.clone())];
        let expected = keys.map(|key| state.version(key)).to_vec();
        let opened = FindingEvent::Opened { finding: Box::new(finding), at: now };
        let records = vec![record, self.ledger(now, &LedgerEvent::Finding(opened))?];
        Ok(Proposal { expected, records, answer: () })
    }
}

fn cloned() -> Refusal {
    let what = "the passkey's counter has not grown: there is a copy of it, and it is suspended";
    Refusal::new(RefusalKind::Forbidden, "passkey_cloned", what)
}
