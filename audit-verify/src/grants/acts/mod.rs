//! What people decide beside votes on requests, folded from the ledger: each held against what it had to be shown with,
//! and each bundle or module against the votes that made it the active one.

mod bundle;
mod erasures;
mod locks;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::passkeys::{Act, Passkeys};
use super::time::Instant;
use super::wire::{ActivatedBy, Activation, BundleVote, Gate, Policy, Presence, Proof};
use super::{GrantFault, name};
pub(super) use bundle::BUNDLE;
use bundle::Bundle;
use erasures::{Asked, person};
use locks::Locks;

/// What a bundle that is not proved narrower takes at least.
const TWO: usize = 2;

/// What was decided, as far as later records look back at it.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Whether the gate that wrote this had all of it shown as a vote is.
    shown: bool,
    /// What the active bundle says, where the record holds its files.
    bundle: Option<Bundle>,
    locks: Locks,
    /// What may be erased in the name of two people.
    erasures: Asked,
    /// Who is for a bundle or module, by its digest and its list's.
    votes: BTreeMap<(String, String), BTreeSet<String>>,
}

/// Holds an act against what it had to be shown with: how many signatures were verified.
pub(super) fn hold(
    act: &Act<'_>,
    (demanded, proof): (Presence, &Proof),
    passkeys: &mut Passkeys,
) -> Result<u64, GrantFault> {
    if proof.presence() < demanded {
        return Err(GrantFault::ActNotShown { person: name(act.person), act: act.act });
    }
    let signed = passkeys.hold_act(act, proof);
    let signed = signed.map_err(|what| GrantFault::ActSignature { person: name(act.person), act: act.act, what })?;
    Ok(u64::from(signed))
}

impl Acts {
    /// Whether confirmations and emergencies are shown as their terms demand of votes: gates of before took a session.
    pub(super) const fn are_shown(&self) -> bool {
        self.shown
    }

    /// What an act had to be shown with: what its record says, and what the active bundle says where the record holds that.
    /// Gates of before took a session.
    fn demanded(&self, recorded: Presence) -> Presence {
        let of_bundle = self.bundle.as_ref().filter(|_| self.shown).and_then(|bundle| bundle.demanded);
        of_bundle.map_or(recorded, |demanded| demanded.max(recorded))
    }

    /// Takes an event of the gate as a whole, with the files of the bundle that it makes the active one.
    pub(super) fn gate(
        &mut self,
        gate: &Gate,
        (files, now): (Option<&[u8]>, Option<Instant>),
        passkeys: &mut Passkeys,
    ) -> Result<u64, GrantFault> {
        let about = gate.id.as_deref().unwrap_or_default();
        let demanded = self.demanded(gate.presence);
        match gate.kind.as_str() {
            // What was written once under that rule is so for good.
            "gate_started" => self.shown |= gate.acts_shown,
            "locked" => self.locks.set(gate),
            "lock_renewed" => self.locks.renew(gate),
            "clock_doubted" => self.locks.doubt(true),
            "clock_trusted" => self.locks.doubt(false),
            "lift_voted" | "unlocked" => {
                let person = person(gate)?;
                let shown = self.locks.shown(about, &person, now)?;
                let act = Act { act: "lift_lock", person: &person, about, shown: Some(shown), reason: "" };
                let signed = hold(&act, (demanded, &gate.proof), passkeys)?;
                if gate.kind == "lift_voted" {
                    self.locks.wanted(about, &person, gate.proof.presence());
                } else {
                    // Gates of before said less of who had set it.
                    let bundle = self.bundle.as_ref().filter(|_| self.shown);
                    self.locks.lift(about, &person, (bundle, demanded))?;
                }
                return Ok(signed);
            }
            "erasure_proposed" => {
                let (person, plan) = (person(gate)?, Asked::plan(gate));
                let reason = gate.reason.as_deref().unwrap_or_default();
                let act = Act { act: "erase", person: &person, about: &plan, shown: Some(&plan), reason };
                let signed = hold(&act, (demanded, &gate.proof), passkeys)?;
                self.erasures.propose(gate, person);
                return Ok(signed);
            }
            "erasure_confirmed" => {
                let person = person(gate)?;
                let shown = self.erasures.shown(about, &person, now)?;
                let act = Act { act: "erase", person: &person, about, shown: Some(shown), reason: "" };
                let signed = hold(&act, (demanded, &gate.proof), passkeys)?;
                self.erasures.confirm(about, person);
                return Ok(signed);
            }
            "erasure_ended" => self.erasures.end(gate),
            "bundle_activated" => {
                if let Some(activation) = &gate.activation {
                    self.activated(activation, files)?;
                }
            }
            _ => {}
        }
        Ok(0)
    }

    fn activated(&mut self, activation: &Activation, files: Option<&[u8]>) -> Result<(), GrantFault> {
        if let Some(people) = &activation.people {
            self.hold_voted(&activation.bundle, people)?;
        }
        let unfit = || GrantFault::OtherBundle(activation.bundle.clone());
        self.bundle = files.map(|files| Bundle::read(files, &activation.bundle).ok_or_else(unfit)).transpose()?;
        // What else was proposed counts again once the bundle is active that it was proposed against.
        self.votes.retain(|(about, _), _| *about != activation.bundle);
        Ok(())
    }

    /// Holds what was erased against the two people whom it names.
    pub(super) fn erased(&self, gate: &Gate) -> Result<(), GrantFault> {
        self.erasures.hold(gate)
    }

    /// The record was restored.
    pub(super) fn begin_epoch(&mut self) {
        self.erasures.begin_epoch();
    }

    /// Forgets what ended by itself long ago.
    pub(super) fn forget(&mut self, now: Instant) {
        self.locks.forget(now);
        self.erasures.forget(now);
    }

    /// Takes an event of what may become the active bundle.
    pub(super) fn policy(&mut self, event: Policy, passkeys: &mut Passkeys) -> Result<u64, GrantFault> {
        match event {
            Policy::BundleProposed { proposal } => {
                // What is proposed again is voted on anew.
                let proposed = proposal.other_module.unwrap_or(proposal.bundle);
                self.votes.retain(|(about, _), _| *about != proposed);
                Ok(0)
            }
            Policy::ActivationVoted(vote) => self.voted(&vote, passkeys),
            Policy::ModuleActivated { module, people } => {
                self.hold_voted(&module, &people)?;
                self.votes.retain(|(about, _), _| *about != module);
                Ok(0)
            }
            Policy::Other => Ok(0),
        }
    }

    fn voted(&mut self, vote: &BundleVote, passkeys: &mut Passkeys) -> Result<u64, GrantFault> {
        let (person, about, shown) = (&vote.by, vote.bundle.as_str(), Some(vote.list.as_str()));
        let act = Act { act: "activate", person, about, shown, reason: &vote.reason };
        // A vote against it changes nothing.
        let demanded = if vote.activates { self.demanded(vote.presence) } else { vote.presence };
        let signed = hold(&act, (demanded, &vote.proof), passkeys)?;
        let votes = self.votes.entry((vote.bundle.clone(), vote.list.clone())).or_default();
        if vote.activates {
            votes.insert(name(&vote.by));
        } else {
            votes.clear();
        }
        Ok(signed)
    }

    /// Everybody who is named voted for it, by this list, and they are as many as it takes.
    fn hold_voted(&self, about: &str, by: &ActivatedBy) -> Result<(), GrantFault> {
        let people: BTreeSet<String> = by.people.iter().map(name).collect();
        let voted = self.votes.get(&(about.to_owned(), by.list.clone()));
        let all = voted.is_some_and(|voted| people.iter().all(|person| voted.contains(person)));
        let needs = if by.narrower { 1 } else { TWO };
        if all && people.len() >= needs { Ok(()) } else { Err(GrantFault::NotVotedActive(about.to_owned())) }
    }
}
