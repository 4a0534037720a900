//! Which bundle a gate starts with, and the record of an activation.

use std::collections::BTreeMap;

use policy_core::json;
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use super::event::ActivatedBy;
use crate::app::App;
use crate::app::append::canonical;
use crate::app::event::{ActivationFact, BUNDLE, GateEvent, LedgerEvent};
use crate::app::open::{changed, unwritable};
use crate::app::people::STORED;
use crate::app::policy::Policy;
use crate::app::refusal::Refusal;
use crate::app::settings::OpenError;
use crate::store::{Log, NewRecord, StoreError};

/// The reason of the first activation in an empty folder.
const FIRST: &str = "the first start of an empty data folder activates what it is given";

impl App {
    /// Sees to it that the bundle is the one that this start may run. The reason, where it is to be activated now.
    ///
    /// Where people activated the bundle that is active, a folder with one from before moves nothing back: the gate goes on
    /// with the active one, as the record holds it. A bundle that never was active is refused, or activated by the
    /// operator where that is theirs.
    pub(in crate::app) fn first_bundle(&self) -> Result<Option<String>, OpenError> {
        let given = self.policy();
        let settings = self.settings();
        if let Some(activate) = &settings.activate
            && activate.digest != given.digest()
        {
            return Err(OpenError::OtherBundle { given: given.digest(), meant: activate.digest });
        }
        let activations = self.state().activations.clone();
        let Some((seq, active)) = activations.last() else {
            let reason = settings.activate.as_ref().map_or(FIRST, |activate| activate.reason.as_str());
            return reasoned(reason).map(Some);
        };
        if active.bundle == given.digest() {
            return Ok(None);
        }
        let lost = || unwritable("the active bundle cannot be read from the record");
        let files = self.files_on_record(*seq)?.ok_or_else(lost)?;
        let Some(activate) = &settings.activate else {
            let earlier = activations.iter().any(|(_, earlier)| earlier.bundle == given.digest());
            if !earlier || active.people.is_none() {
                return Err(OpenError::NotActivated { given: given.digest(), active: active.bundle });
            }
            tracing::warn!(given = %given.digest(), active = %active.bundle,
                "the bundle that was given was active before; the gate goes on with the one that is");
            self.folded().begin_with(Policy::accept(&files)?);
            return Ok(None);
        };
        let reason = reasoned(&activate.reason)?;
        let alone = given.alone_after(&files, self.now()).map_err(|_| OpenError::TooMuch)?;
        match alone.into_iter().next() {
            // INVARIANT (R4): what takes two people is not made one person's by the next bundle.
            Some(alone) if !sabotaged!("r4_next_bundle_by_one") => {
                return Err(OpenError::Alone {
                    act: alone.act.says(),
                    person: alone.person.to_string(),
                    policies: alone.policies.join("`, `"),
                });
            }
            _ => {}
        }
        // INVARIANT (R4): where people activate bundles, whoever can restart the gate is none of them.
        // One that this release does not read any more is one of people.
        let by_people = || !Policy::accept(&files).is_ok_and(|active| !active.is_activated_by_people());
        let one_user = self.is_one_users(&self.state());
        if !one_user && by_people() && !sabotaged!("r4_operator_activates") {
            return Err(OpenError::PeopleActivate);
        }
        Ok(Some(reason))
    }

    /// Refuses to start with another policy module than the one that ran last, where people activate what decides and did
    /// not activate this one.
    ///
    /// INVARIANT (R4): the module decides as much as the bundle, and comes no easier.
    pub(in crate::app) fn hold_module(&self) -> Result<(), OpenError> {
        let module = self.engine().module();
        let free = {
            let state = self.state();
            self.is_one_users(&state) || state.proposals.may_run(module)
        };
        if free {
            return Ok(());
        }
        let Some((seq, _)) = self.state().activations.last().cloned() else { return Ok(()) };
        let files = self.files_on_record(seq)?;
        let alone = files.is_some_and(|files| Policy::accept(&files).is_ok_and(|one| !one.is_activated_by_people()));
        let by_people = !alone;
        if by_people && !sabotaged!("r4_module_by_one") {
            return Err(OpenError::OtherModule { module });
        }
        Ok(())
    }

    /// The files of the bundle that a ledger record holds.
    pub(super) fn files_on_record(&self, seq: u64) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let record = self.store().record(Log::Ledger, seq)?;
        let files = record.as_ref().and_then(|record| record.payload(BUNDLE));
        Ok(files.and_then(|bytes| json::read_as(bytes, STORED).ok()))
    }

    /// The record of an activation: by whom in words, why, and the people where people did it.
    pub(in crate::app) fn activation_record(
        &self,
        policy: &Policy,
        before: Option<&ActivationFact>,
        (by, reason, people): (String, String, Option<ActivatedBy>),
        now: Timestamp,
    ) -> Result<NewRecord, Refusal> {
        let files = policy.file_digests();
        let activation = ActivationFact {
            bundle: policy.digest(),
            by,
            reason,
            at: now,
            people: people.map(Box::new),
            changed: changed(before.map(|before| &before.files), &files),
            files,
            owners: policy.all_owners(),
        };
        let event = LedgerEvent::Gate(GateEvent::BundleActivated { activation: Box::new(activation) });
        let mut record = self.ledger(now, &event)?;
        record.bundle = Some(policy.digest());
        record.module = Some(self.engine().module());
        record.payloads.push((BUNDLE, canonical(policy.files())?));
        Ok(record)
    }
}

fn reasoned(reason: &str) -> Result<String, OpenError> {
    if reason.trim().is_empty() || reason.chars().count() > 2_000 {
        return Err(OpenError::NoReason);
    }
    Ok(reason.to_owned())
}
