//! What people decide beside votes on requests, folded from the ledger: each held against what it had to be shown with,
//! and each bundle or module against the votes that made it the active one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::passkeys::{Act, Passkeys};
use super::wire::{ActivatedBy, BundleVote, Entity, Gate, Policy, Presence, Proof};
use super::{GrantFault, name};
use crate::hash::{TreeHash, sha256};

/// What a bundle that is not proved narrower takes at least.
const TWO: usize = 2;

/// What was decided, as far as later records look back at it.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Whether the gate that wrote this had all of it shown as a vote is.
    shown: bool,
    /// The digest of each lock that nobody has lifted, by its id.
    locks: BTreeMap<String, String>,
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

    /// Takes an event of the gate as a whole.
    pub(super) fn gate(&mut self, gate: &Gate, passkeys: &mut Passkeys) -> Result<u64, GrantFault> {
        match gate.kind.as_str() {
            // What was written once under that rule is so for good.
            "gate_started" => self.shown |= gate.acts_shown,
            "locked" => {
                if let Some((lock, id)) = gate.lock.as_ref().and_then(|lock| Some((lock, lock.get("id")?.as_str()?))) {
                    self.locks.insert(id.to_owned(), digest(lock));
                }
            }
            "lift_voted" | "unlocked" => {
                let about = gate.id.as_deref().unwrap_or_default();
                let shown = self.locks.get(about).cloned().unwrap_or_default();
                let person = gate.by.as_ref().and_then(|by| serde_json::from_value::<Entity>(by.clone()).ok());
                let person = person.ok_or_else(|| GrantFault::Event("nobody lifts a lock".to_owned()))?;
                let act = Act { act: "lift_lock", person: &person, about, shown: Some(&shown), reason: "" };
                let signed = hold(&act, (gate.presence, &gate.proof), passkeys)?;
                if gate.kind == "unlocked" {
                    self.locks.remove(about);
                }
                return Ok(signed);
            }
            "bundle_activated" => {
                if let Some(activation) = &gate.activation {
                    if let Some(people) = &activation.people {
                        self.hold_voted(&activation.bundle, people)?;
                    }
                    // What else was proposed counts again once the bundle is active that it was proposed against.
                    self.votes.retain(|(about, _), _| *about != activation.bundle);
                }
            }
            _ => {}
        }
        Ok(0)
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
        let signed = hold(&act, (vote.presence, &vote.proof), passkeys)?;
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

/// The digest of a lock as its person was shown it. The record is canonical JSON, and so is what is read from it.
fn digest(lock: &Value) -> String {
    TreeHash::from_bytes(sha256(lock.to_string().as_bytes())).to_string()
}
