//! What the app believes of owners, folded from records.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::exceptions::HistoryLine;
use proviso_api::ownership::Owned;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::belongings::Belongings;
use super::event::OwnershipEvent;
use crate::store::Log;

/// How much of somebody's words one line shows.
const SAID: usize = 2_000;

/// Hand-overs, and who left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ownership {
    #[serde(with = "crate::pairs")]
    agents: BTreeMap<EntityRef, Vec<Given>>,
    exceptions: BTreeMap<String, Vec<Given>>,
    #[serde(with = "crate::pairs")]
    departed: BTreeMap<EntityRef, Timestamp>,
    // What was handed over, by who owns it since: found anew in `agents`.
    #[serde(skip)]
    belongings: Belongings,
}

/// One hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Who gave it up.
    pub from: EntityRef,
    /// Who has it since.
    pub to: EntityRef,
    /// All who own it since.
    pub owners: Vec<EntityRef>,
    /// Who said so.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Where its record stands.
    pub seq: u64,
}

impl Ownership {
    /// Folds the event of the ledger record `seq`. Returns the exception that it was about.
    pub fn apply(&mut self, seq: u64, event: OwnershipEvent) -> Option<String> {
        match event {
            OwnershipEvent::OwnerHandedOver { of, from, to, owners, by, reason, at } => {
                let given = Given { from, to, owners, by, reason, at, seq };
                match of {
                    Owned::Agent(agent) => {
                        let before = self.agents.get(&agent).and_then(|given| given.last());
                        before.into_iter().for_each(|before| self.belongings.remove(&agent, &before.owners));
                        self.belongings.add(&agent, &given.owners);
                        self.agents.entry(agent).or_default().push(given);
                        None
                    }
                    Owned::Exception(id) => {
                        self.exceptions.entry(id.clone()).or_default().push(given);
                        Some(id)
                    }
                }
            }
            OwnershipEvent::PersonDeparted { person, at, .. } => {
                self.departed.insert(person, at);
                None
            }
            OwnershipEvent::PersonReturned { person, .. } => {
                self.departed.remove(&person);
                None
            }
        }
    }

    /// Finds anew what no form holds.
    pub fn resume(&mut self) {
        for (agent, given) in &self.agents {
            given.last().into_iter().for_each(|given| self.belongings.add(agent, &given.owners));
        }
    }

    /// The ids of the agents of a type that were handed over and that somebody owns since.
    pub fn belongings(&self, owner: &EntityRef, kind: &str) -> Option<&BTreeSet<SmolStr>> {
        self.belongings.of(owner, kind)
    }

    /// How an agent was handed over, oldest first.
    pub fn of_agent(&self, agent: &EntityRef) -> &[Given] {
        self.agents.get(agent).map_or(&[], Vec::as_slice)
    }

    /// The same of an exception by itself.
    pub fn of_exception(&self, id: &str) -> &[Given] {
        self.exceptions.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every agent that was ever handed over.
    pub fn agents(&self) -> impl Iterator<Item = (&EntityRef, &Given)> {
        self.agents.iter().filter_map(|(agent, given)| Some((agent, given.last()?)))
    }

    /// When somebody left.
    pub fn departed(&self, person: &EntityRef) -> Option<Timestamp> {
        self.departed.get(person).copied()
    }

    /// Everybody who left, and when.
    pub fn all_departed(&self) -> impl Iterator<Item = (&EntityRef, Timestamp)> {
        self.departed.iter().map(|(person, at)| (person, *at))
    }

    /// Forgets an exception that was erased.
    pub fn forget(&mut self, exception: &str) {
        self.exceptions.remove(exception);
    }

    /// Each hand-over of an exception, for its history.
    pub fn history(&self, exception: &str) -> impl Iterator<Item = HistoryLine> {
        self.of_exception(exception).iter().map(|given| HistoryLine {
            log: Log::Ledger.name().to_owned(),
            seq: given.seq,
            at: given.at,
            kind: "owner_handed_over".to_owned(),
            by: Some(given.by.clone()),
            sentence: format!("handed over from {} to {}, who owns it since", given.from, given.to),
            said: Some(text::visible(&given.reason, SAID)),
        })
    }
}
