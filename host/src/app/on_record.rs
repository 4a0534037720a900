//! How a gate stands by its record alone: read from a data folder, verified, and nothing written.

use std::path::Path;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::lifecycle::effective_state;
use policy_core::time::Timestamp;

use super::event::{EVENT, GateEvent, LedgerEvent};
use super::people::STORED;
use super::settings::OpenError;
use super::state::State;
use crate::identity::TokenFacts;
use crate::store::Log;
use crate::store::verify::each_record;

/// What somebody who looks after a gate wants to know of it.
#[derive(Debug, Clone, Default)]
pub struct OnRecord {
    /// Whether it was last started with `--single-user`.
    pub single_user: bool,
    /// Whether its clock is doubted.
    pub clock_doubted: bool,
    /// The bundle that it judges by.
    pub bundle: Option<Digest>,
    /// How many exceptions wait to be confirmed after a restore.
    pub unconfirmed: usize,
    /// The enforcement points, by name, with a live token that is for every agent.
    pub points_for_everybody: Vec<String>,
    /// Who was here, has not left, and has neither a passkey that signs nor an account that ever signed in.
    pub by_link_alone: Vec<EntityRef>,
    /// Who left and owns an agent by a hand-over.
    pub left: Vec<EntityRef>,
}

/// Reads it.
///
/// # Errors
/// When the record is not what was signed, or cannot be read.
pub fn read_record(data: &Path, now: Timestamp) -> Result<OnRecord, OpenError> {
    let mut state = State::new(0);
    let mut told = OnRecord::default();
    each_record(data, &mut |record| {
        // What cannot be read is of another kind, or folds below, where it is refused.
        if let Some(event) = record.payload(EVENT).filter(|_| record.log == Log::Ledger)
            && let Ok(LedgerEvent::Gate(GateEvent::GateStarted { single_user, .. })) = json::read_as(event, STORED)
        {
            told.single_user = single_user;
        }
        state.apply(record).map(drop)
    })?;
    let waits = state.exceptions.values().filter(|entry| effective_state(&entry.exception, now).word == "unconfirmed");
    told.unconfirmed = waits.count();
    told.clock_doubted = state.clock_doubted;
    told.bundle = state.activations.last().map(|(_, activation)| activation.bundle);
    let live = state.registry.list(now).into_iter().filter(|(_, word)| *word == "live");
    told.points_for_everybody = live
        .filter_map(|(token, _)| match &token.facts {
            TokenFacts::EnforcementPoint { name, subjects, .. } if subjects.is_for_all() => Some(name.clone()),
            _ => None,
        })
        .collect();
    let here = state.members.people().filter(|person| state.ownership.departed(person).is_none());
    told.by_link_alone = here.filter(|person| !state.registry.has_own_way(person)).cloned().collect();
    let owners = state.ownership.agents().flat_map(|(_, given)| given.owners.clone());
    told.left = owners.filter(|owner| state.ownership.departed(owner).is_some()).collect();
    told.left.sort();
    told.left.dedup();
    Ok(told)
}
