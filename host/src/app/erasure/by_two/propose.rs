//! The first of the two: what would go is looked at, and proposed.

use policy_core::digest::Digest;
use policy_core::presence::SignedAct;
use policy_core::time::Timestamp;
use proviso_api::erasures::{ErasurePlan, ErasurePreview, ErasureReply, ErasureWhat, ProposeErasure};

use super::super::told::told_report;
use super::asked::{hold_something, kept};
use super::event::{EndedErasure, ErasureEnd, ProposedErasure};
use super::{MOST_WAITING, WAITS_FOR, bundle_changed, erasure_over, unknown_erasure};
use crate::app::append::Proposal;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::limits::Often;
use crate::app::passkeys::Decided;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::app::stops::check_reason;
use crate::app::{App, identities};
use crate::identity::PersonSession;
use crate::random;
use crate::store::VersionKey;

impl App {
    /// What an erasure would come to, and the digest that a proposal of it repeats. Nothing is written.
    ///
    /// # Errors
    /// `not_permitted_here`; `single_user_required`; `nothing_selected`; `bad_class`; `unknown_log`, `unknown_record`;
    /// `never_erased`; `own_person`.
    pub async fn preview_erasure(&self, person: &PersonSession, what: &ErasureWhat) -> Result<ErasurePreview, Refusal> {
        self.hold_eraser(person).await?;
        // It reads the whole record, one after another.
        let _turn = self.turn_to_look(&person.person).await?;
        let (selection, plan, digest) = self.planned(&person.person, what)?;
        let report = self.would_erase(&selection).await?;
        self.hold_record_of_another(&person.person, &report)?;
        let presence = self.policy().acts_presence();
        Ok(ErasurePreview { plan, digest, erased: told_report(&report), kept: kept(&report), presence })
    }

    /// Proposes an erasure. It waits for another person who may erase, and lapses where nobody confirms it.
    ///
    /// # Errors
    /// Those of [`Self::preview_erasure`]; `other_erasure` for another digest than the preview's; `on_hold` and
    /// `nothing_to_erase` where nothing would go; `proposed_already`; `too_many_proposals`; `departed`, `new_person` and
    /// `locked` for who decides on nothing; `reason_needed`; `bundle_changed`; `presence_needed`, and what is wrong with a
    /// signature; `too_often`.
    pub async fn propose_erasure(
        &self,
        person: &PersonSession,
        body: &ProposeErasure,
    ) -> Result<ErasureReply, Refusal> {
        let judged_by = self.policy().digest();
        self.hold_eraser(person).await?;
        check_reason(&body.reason, "an erasure")?;
        let (selection, plan, digest) = self.planned(&person.person, &body.what)?;
        hold_shown(&digest, &body.shown)?;
        let report = self.would_erase(&selection).await?;
        self.hold_record_of_another(&person.person, &report)?;
        hold_something(&report)?;
        let about = digest.to_string();
        let decided = Decided { act: SignedAct::Erase, about: &about, shown: digest, reason: &body.reason };
        let there = self.signed_act(person, decided, body.signature.as_ref()).await?;
        let (now, demanded) = (self.now(), self.policy().acts_presence());
        let id = random::id(self.random(), "ers").map_err(|_| identities::no_randomness())?;
        let person = &there.voter(self, self.as_it_stands(person, now)?);
        let slot = self.slot(Often::Erasures, &person.person)?;
        self.admit(|state| {
            // INVARIANT (R4): that they may, and what it is shown with, was asked of the bundle that is still active.
            if self.policy().digest() != judged_by {
                return Err(bundle_changed());
            }
            let proof = self.yes(state, (person, &there), demanded, now)?;
            hold_room(state, &plan, now)?;
            let event = GateEvent::ErasureProposed(Box::new(ProposedErasure {
                id: id.clone(),
                plan: plan.clone(),
                reason: body.reason.clone(),
                by: person.person.clone(),
                assurance: person.assurance.clone(),
                presence: demanded,
                proof,
                until: now.plus(WAITS_FOR),
                at: now,
            }));
            let (expected, records) = self.yes_records(state, (person, &there), (event, &id), now)?;
            Ok(Proposal { expected, records, answer: () })
        })
        .await?;
        slot.spent();
        self.erasure_reply(person, &id, &report)
    }

    /// Takes a proposal back, or refuses it. It only keeps what is there: whoever may erase does it alone.
    ///
    /// # Errors
    /// `not_permitted_here`; `single_user_required`; `unknown_erasure`; `erasure_over`, also where it is confirmed.
    pub async fn withdraw_erasure(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        self.hold_eraser(person).await?;
        let now = self.now();
        self.admit(|state| {
            self.still_stands(state, person, now)?;
            let held = state.erased.proposals.get(id).ok_or_else(unknown_erasure)?;
            if held.state(now) != "waits" {
                return Err(erasure_over());
            }
            let (id, by) = (id.to_owned(), person.person.clone());
            let ended = EndedErasure { id, how: ErasureEnd::Withdrawn, by, run: None, at: now };
            let event = LedgerEvent::Gate(GateEvent::ErasureEnded(Box::new(ended)));
            let keys = [VersionKey::Erasures, VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await
        .map(drop)
    }
}

/// INVARIANT (R4): a yes is to what was looked at.
pub(super) fn hold_shown(digest: &Digest, shown: &Digest) -> Result<(), Refusal> {
    if digest == shown {
        return Ok(());
    }
    Err(Refusal::conflict("other_erasure", "that is not what was proposed, or not what was looked at"))
}

/// One proposal of the same, and no flood of them.
fn hold_room(state: &State, plan: &ErasurePlan, now: Timestamp) -> Result<(), Refusal> {
    let waits = || state.erased.proposals.all().filter(|held| held.state(now) == "waits");
    if waits().any(|held| held.proposed.plan == *plan) {
        return Err(Refusal::conflict("proposed_already", "that erasure is proposed already, and waits"));
    }
    if waits().count() >= MOST_WAITING {
        let what = format!("{MOST_WAITING} erasures wait already");
        return Err(Refusal::new(RefusalKind::TooMany, "too_many_proposals", what));
    }
    Ok(())
}
