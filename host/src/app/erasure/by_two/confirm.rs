//! The second of the two: what was proposed is confirmed, and carried out in the name of both.

use policy_core::abi::Voter;
use policy_core::digest::Digest;
use policy_core::presence::SignedAct;
use policy_core::sabotaged;
use policy_core::text;
use proviso_api::erasures::{ConfirmErasure, ErasureReply};

use super::super::run::Act;
use super::super::selection::Selection;
use super::asked::hold_something;
use super::event::{ConfirmedErasure, EndedErasure, ErasureEnd};
use super::fold::HeldErasure;
use super::propose::hold_shown;
use super::{bundle_changed, erasure_over, unknown_erasure};
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::passkeys::Decided;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;
use crate::store::VersionKey;

impl App {
    /// Confirms what another proposed, and carries it out. Where the gate stopped in between, each of the two has the rest
    /// carried out by the same.
    ///
    /// # Errors
    /// `not_permitted_here`; `single_user_required`; `unknown_erasure`; `erasure_over`, also for one that has lapsed;
    /// `same_person` for who proposed it; `own_person`; `other_erasure` where it is said to be about somebody or something
    /// else; `proposer_gone` where that one may not erase any more; `on_hold` and `nothing_to_erase` where nothing would go
    /// any more; `departed`, `new_person` and `locked`; `presence_needed`, and what is wrong with a signature; `contended`;
    /// `record_unavailable`.
    pub async fn confirm_erasure(
        &self,
        person: &PersonSession,
        id: &str,
        body: &ConfirmErasure,
    ) -> Result<ErasureReply, Refusal> {
        let judged_by = self.policy().digest();
        self.hold_eraser(person).await?;
        let held = self.state().erased.proposals.get(id).cloned().ok_or_else(unknown_erasure)?;
        let is_confirmed = match held.state(self.now()) {
            "waits" => false,
            "confirmed" if held.is_by(&person.person) => true,
            _ => return Err(erasure_over()),
        };
        // INVARIANT (R4): two people, whatever accounts and sessions they come by.
        if !is_confirmed && held.proposed.by == person.person && !sabotaged!("r4_erased_by_one") {
            return Err(Refusal::forbidden("same_person", "the second yes is another person's"));
        }
        let (selection, _, digest) = self.planned(&person.person, &body.what)?;
        // INVARIANT (R4): the second knows what it is, and whom it is about: the record says it to nobody.
        hold_shown(&digest, &Digest::of_json(&held.proposed.plan).map_err(|_| erasure_over())?)?;
        hold_shown(&digest, &body.shown)?;
        if !is_confirmed {
            self.second_yes((person, judged_by), (&held, digest), &selection, body).await?;
        }
        self.carry_out_confirmed(person, id, &selection).await
    }

    async fn second_yes(
        &self,
        (person, judged_by): (&PersonSession, Digest),
        (held, shown): (&HeldErasure, Digest),
        selection: &Selection,
        body: &ConfirmErasure,
    ) -> Result<(), Refusal> {
        let (id, now) = (&held.proposed.id, self.now());
        let gone = || Refusal::conflict("proposer_gone", "whoever proposed it may not erase any more");
        // INVARIANT (R4): both still are who may, when the second says yes.
        let first = Voter::new(held.proposed.by.clone(), held.proposed.assurance.clone());
        let report = self.would_erase(selection).await?;
        self.hold_record_of_another(&person.person, &report)?;
        let of_another = self
            .hold_of_another(&first.person, selection)
            .and_then(|()| self.hold_record_of_another(&first.person, &report));
        if !self.still_erases(&first, now).await? || of_another.is_err() {
            return Err(gone());
        }
        hold_something(&report)?;
        let decided = Decided { act: SignedAct::Erase, about: id, shown, reason: "" };
        let there = self.signed_act(person, decided, body.signature.as_ref()).await?;
        let demanded = self.policy().acts_presence();
        let person = &there.voter(self, self.as_it_stands(person, now)?);
        self.admit(|state| {
            let held = state.erased.proposals.get(id).ok_or_else(unknown_erasure)?;
            if held.state(now) != "waits" {
                return Err(erasure_over());
            }
            // INVARIANT (R4): whether both may was asked of the bundle that is still active.
            if self.policy().digest() != judged_by {
                return Err(bundle_changed());
            }
            // INVARIANT (R4): the first was shown with as much as is demanded now, and is still here.
            let first = &held.proposed;
            if first.proof.presence() < demanded || self.hold_settled_person(state, &first.by, now).is_err() {
                return Err(gone());
            }
            let proof = self.yes(state, (person, &there), demanded, now)?;
            let event = GateEvent::ErasureConfirmed(Box::new(ConfirmedErasure {
                id: id.clone(),
                by: person.person.clone(),
                assurance: person.assurance.clone(),
                presence: demanded,
                proof,
                at: now,
            }));
            let (expected, records) = self.yes_records(state, (person, &there), (event, id), now)?;
            Ok(Proposal { expected, records, answer: () })
        })
        .await
        .map(drop)
    }

    /// The version of the proposals while this one is agreed on and not over.
    ///
    /// INVARIANT (R4): what two people agreed on is carried out once: a second call for it erases nothing in their name once
    /// the first has said that it is done.
    ///
    /// # Errors
    /// `erasure_over`.
    pub(in crate::app::erasure) fn still_agreed(&self, id: &str) -> Result<(VersionKey, u64), Refusal> {
        let state = self.state();
        let held = state.erased.proposals.get(id);
        if held.is_none_or(|held| held.confirmed.is_none() || held.over.is_some()) {
            return Err(erasure_over());
        }
        Ok(state.version(VersionKey::Erasures))
    }

    /// Erases what two people agreed on, in the name of both.
    async fn carry_out_confirmed(
        &self,
        person: &PersonSession,
        id: &str,
        selection: &Selection,
    ) -> Result<ErasureReply, Refusal> {
        let held = self.state().erased.proposals.get(id).cloned().ok_or_else(unknown_erasure)?;
        let Some(second) = held.confirmed.clone() else { return Err(erasure_over()) };
        let people = [held.proposed.by.clone(), second];
        let by = people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let reason = text::visible(&held.proposed.reason, 2_000);
        let act = Act { by: &by, reason: &reason, dry_run: false, by_two: Some((id, &people)) };
        let report = self.carry_out(selection, act).await?;
        let now = self.now();
        self.admit(|state| {
            let over = state.erased.proposals.get(id).is_none_or(|held| held.over.is_some());
            let (run, by) = (report.run.clone(), person.person.clone());
            let ended = EndedErasure { id: id.to_owned(), how: ErasureEnd::Done, by, run, at: now };
            let event = LedgerEvent::Gate(GateEvent::ErasureEnded(Box::new(ended)));
            let records = if over { Vec::new() } else { vec![self.ledger(now, &event)?] };
            Ok(Proposal { expected: vec![state.version(VersionKey::Erasures)], records, answer: () })
        })
        .await?;
        self.erasure_reply(person, id, &report)
    }
}
