//! Where a bundle says other owners than the log: read from a data folder, without a gate.

use std::path::Path;

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_evaluator::Bundle;
use serde::Serialize;

use super::standing::Ownership;
use crate::app::event::EVENT;
use crate::app::event::LedgerEvent;
use crate::app::people::STORED;
use crate::store::verify::each_record;
use crate::store::{Log, StoreError};

/// An agent that the two disagree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The agent.
    pub agent: EntityRef,
    /// Who owns it by the bundle.
    pub bundle: Vec<EntityRef>,
    /// Who owns it by the last hand-over, which wins.
    pub hand_over: Vec<EntityRef>,
}

/// Each agent whose last hand-over says other owners than this bundle; and each person who left and whom the bundle still
/// names as owner of something.
///
/// # Errors
/// When the record of the data folder is not what was signed, or cannot be read.
pub fn disagreements(data: &Path, bundle: &Bundle) -> Result<(Vec<Disagreement>, Vec<EntityRef>), StoreError> {
    let mut ownership = Ownership::default();
    each_record(data, &mut |record| {
        // What cannot be read is of another kind.
        if let Some(event) = record.payload(EVENT).filter(|_| record.log == Log::Ledger)
            && let Ok(LedgerEvent::Ownership(event)) = json::read_as(event, STORED)
        {
            ownership.apply(record.leaf.seq, event);
        }
        Ok(())
    })?;
    let found = ownership.agents().filter_map(|(agent, given)| {
        let declared = bundle.owners(agent);
        let (agent, hand_over) = (agent.clone(), given.owners.clone());
        (declared != hand_over).then_some(Disagreement { agent, bundle: declared, hand_over })
    });
    let found = found.collect();
    let mut gone: Vec<EntityRef> = bundle
        .subjects()
        .iter()
        .filter(|agent| ownership.of_agent(agent).is_empty())
        .flat_map(|agent| bundle.owners(agent))
        .filter(|owner| ownership.departed(owner).is_some())
        .collect();
    gone.sort();
    gone.dedup();
    Ok((found, gone))
}
