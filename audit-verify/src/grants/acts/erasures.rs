//! Erasures that two people decide on: who proposed, who confirmed, and what was then erased in their name.

use std::collections::BTreeMap;

use super::super::time::Instant;
use super::super::wire::{Entity, Gate};
use super::super::{GrantFault, REMEMBERED};
use super::locks::digest;

/// The proposals that something may still be erased by.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<String, Proposal>);

#[derive(Debug)]
struct Proposal {
    /// The digest of its plan.
    digest: String,
    by: Entity,
    until: Option<Instant>,
    confirmed: Option<Entity>,
}

impl Asked {
    /// The digest of what somebody proposes.
    pub fn plan(gate: &Gate) -> String {
        gate.plan.as_ref().map(digest).unwrap_or_default()
    }

    /// Takes a proposal.
    pub fn propose(&mut self, gate: &Gate, by: Entity) {
        let proposal = Proposal { digest: Self::plan(gate), by, until: gate.until, confirmed: None };
        self.0.insert(gate.id.clone().unwrap_or_default(), proposal);
    }

    /// The digest of what somebody confirms: another than who proposed it, once, and in time.
    ///
    /// # Errors
    /// `erasure_not_agreed`.
    pub fn shown(&self, id: &str, person: &Entity, now: Option<Instant>) -> Result<&str, GrantFault> {
        let in_time = |proposal: &&Proposal| now.zip(proposal.until).is_none_or(|(now, until)| now < until);
        let open = |proposal: &&Proposal| proposal.confirmed.is_none() && proposal.by != *person;
        let proposal = self.0.get(id).filter(open).filter(in_time);
        proposal.map(|proposal| proposal.digest.as_str()).ok_or_else(|| GrantFault::ErasureNotAgreed(id.to_owned()))
    }

    /// Takes the second yes.
    pub fn confirm(&mut self, id: &str, person: Entity) {
        if let Some(proposal) = self.0.get_mut(id) {
            proposal.confirmed = Some(person);
        }
    }

    /// Takes an end.
    pub fn end(&mut self, gate: &Gate) {
        if let Some(id) = &gate.id {
            self.0.remove(id);
        }
    }

    /// Holds what was erased in the name of two people against what they said. What names no proposal is an operator's,
    /// or retention's.
    ///
    /// # Errors
    /// `erasure_not_agreed`.
    pub fn hold(&self, gate: &Gate) -> Result<(), GrantFault> {
        let Some(id) = &gate.proposal else { return Ok(()) };
        let agreed = self.0.get(id).is_some_and(|proposal| {
            let two = [Some(&proposal.by), proposal.confirmed.as_ref()];
            proposal.confirmed.is_some() && gate.people.iter().map(Some).eq(two)
        });
        if agreed { Ok(()) } else { Err(GrantFault::ErasureNotAgreed(id.clone())) }
    }

    /// The record was restored: nothing that was under way goes on.
    pub fn begin_epoch(&mut self) {
        self.0.clear();
    }

    /// Forgets what lapsed long before this.
    pub fn forget(&mut self, now: Instant) {
        self.0.retain(|_, proposal| proposal.until.is_none_or(|until| now < until.plus_millis(REMEMBERED)));
    }
}

/// Who did it.
///
/// # Errors
/// Where nobody is named.
pub(super) fn person(gate: &Gate) -> Result<Entity, GrantFault> {
    let by = gate.by.as_ref().and_then(|by| serde_json::from_value::<Entity>(by.clone()).ok());
    by.ok_or_else(|| GrantFault::Event(format!("nobody is named who did `{}`", gate.kind)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lapsed_is_forgotten_a_day_later() {
        let proposed =
            json!({"kind": "erasure_proposed", "id": "ers_1", "plan": {}, "until": "2026-11-29T12:00:00.000Z"});
        let proposed: Gate = serde_json::from_value(proposed).unwrap();
        let mut asked = Asked::default();
        asked.propose(&proposed, Entity { kind: "User".into(), id: "kit".into() });
        asked.forget(Instant::read("2026-11-30T11:59:59.999Z").unwrap());
        assert_eq!(asked.0.len(), 1);
        asked.forget(Instant::read("2026-11-30T12:00:00.000Z").unwrap());
        assert_eq!(asked.0.len(), 0);
    }
}
