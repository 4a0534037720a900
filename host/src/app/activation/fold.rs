//! The proposals that stand, folded from the record.

use std::collections::BTreeMap;

use policy_core::abi::Voter;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::{PolicyEvent, ProposalFact};
use crate::app::event::ActivationFact;
use crate::app::state::State;

/// How long it counts who proposed how much.
const HOUR: Span = Span::from_seconds(3_600);
/// How many proposals are remembered; the oldest is forgotten first, and can be made again.
const MOST_PROPOSALS: usize = 32;

/// A proposal with the votes on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Standing {
    /// The ledger record that holds its files and its list.
    pub seq: u64,
    /// Who proposed it.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub fact: ProposalFact,
    /// The votes on its list, in their order: one of each person.
    pub votes: Vec<Cast>,
}

/// A vote on a proposal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cast {
    /// Who, and how strongly signed in.
    pub voter: Voter,
    /// Whether they are for it.
    pub activates: bool,
    /// What it was cast with.
    pub presence: Presence,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Standing {
    /// Whether somebody is against it: that ends it.
    pub fn is_refused(&self) -> bool {
        self.votes.iter().any(|vote| !vote.activates)
    }
}

/// All proposals by what they propose: what is proposed again has one list, the newest. Beside them the module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Proposals {
    standing: BTreeMap<Digest, Standing>,
    /// The module of the last start.
    module: Option<Digest>,
    /// The module that people activated since, for the next start.
    next_module: Option<Digest>,
    /// Whether people ever activated a module.
    module_by_people: bool,
    /// Who proposed something when, within the last hour.
    recent: Vec<(EntityRef, Timestamp)>,
}

impl Proposals {
    /// Folds an event. It is about no exception.
    pub fn apply(&mut self, seq: u64, event: PolicyEvent) -> Option<String> {
        match event {
            PolicyEvent::BundleProposed { by, reason, proposal, at } => {
                let fact = *proposal;
                self.recent.retain(|(_, then)| at < then.plus(HOUR));
                self.recent.push((by.clone(), at));
                self.standing.insert(fact.digest(), Standing { seq, by, reason, at, fact, votes: Vec::new() });
                while self.standing.len() > MOST_PROPOSALS {
                    let oldest = self.standing.iter().min_by_key(|(_, one)| one.seq).map(|(bundle, _)| *bundle);
                    oldest.map(|bundle| self.standing.remove(&bundle));
                }
            }
            PolicyEvent::ModuleActivated { module, .. } => {
                self.standing.remove(&module);
                // The one that runs again takes back what was agreed to for the next start.
                self.next_module = Some(module).filter(|next| self.module != Some(*next));
                self.module_by_people = true;
            }
            PolicyEvent::ActivationVoted { bundle, list, by, assurance, activates, reason, proof, at, .. } => {
                let standing = self.standing.get_mut(&bundle)?;
                // INVARIANT (R4): a vote is for what was seen, and for nothing that took its place.
                if standing.fact.list != list && !sabotaged!("r4_vote_for_another_list") {
                    return None;
                }
                // INVARIANT (R4): one person is one vote, by however many sessions.
                standing.votes.retain(|vote| vote.voter.person != by);
                let (voter, presence) = (Voter::new(by, assurance), proof.presence());
                standing.votes.push(Cast { voter, activates, presence, reason, at });
            }
        }
        None
    }

    /// A bundle is active: what was proposed before was proposed against another.
    pub fn activated(&mut self, bundle: &Digest) {
        self.standing.remove(bundle);
    }

    /// A gate was started with this module. What people activated stays agreed to until it runs.
    pub fn started(&mut self, module: Option<Digest>) {
        if module.is_some() {
            self.module = module;
            self.next_module = self.next_module.filter(|next| Some(*next) != module);
        }
    }

    /// The module that the next start may run besides the one that the last start ran.
    pub const fn next_module(&self) -> Option<Digest> {
        self.next_module
    }

    /// Whether people ever activated a module.
    pub const fn module_by_people(&self) -> bool {
        self.module_by_people
    }

    /// How often somebody proposed something within the hour before.
    pub fn proposed_by(&self, person: &EntityRef, now: Timestamp) -> usize {
        self.recent.iter().filter(|(by, at)| by == person && now < at.plus(HOUR)).count()
    }

    /// Whether a start may run this module: it ran last, people activated it since, or none was ever told.
    pub fn may_run(&self, module: Digest) -> bool {
        self.module.is_none_or(|last| last == module) || self.next_module == Some(module)
    }

    /// A proposal.
    pub fn get(&self, bundle: &Digest) -> Option<&Standing> {
        self.standing.get(bundle)
    }

    /// All of them, the newest first.
    pub fn all(&self) -> Vec<&Standing> {
        let mut all: Vec<&Standing> = self.standing.values().collect();
        all.sort_by_key(|standing| std::cmp::Reverse(standing.seq));
        all
    }
}

impl State {
    /// A bundle is active from this ledger record on.
    pub fn activate(&mut self, seq: u64, activation: ActivationFact) {
        self.proposals.activated(&activation.bundle);
        self.activations.push((seq, activation));
    }
}
