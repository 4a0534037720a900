//! What is believed of proposed erasures, folded from records.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::event::{ConfirmedErasure, EndedErasure, ErasureEnd, ProposedErasure};
use crate::pairs;

/// How many are remembered.
const MOST_KEPT: usize = 200;

/// The proposals, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ErasureProposals(Vec<HeldErasure>);

/// A proposal as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HeldErasure {
    pub proposed: ProposedErasure,
    /// Who confirmed it.
    pub confirmed: Option<EntityRef>,
    /// Why it is over, where a record says so.
    #[serde(deserialize_with = "over")]
    pub over: Over,
}

/// Why something is over, in a word. A name of its own, since serde would borrow such a text from what it reads.
type Over = Option<&'static str>;

fn over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Over, D::Error> {
    pairs::known(deserializer, &[ErasureEnd::Done.word(), ErasureEnd::Withdrawn.word(), "earlier_epoch"])
}

impl HeldErasure {
    /// In which state it is.
    ///
    /// INVARIANT (R6): that it has lapsed is a comparison when it is confirmed, and nothing that must run.
    pub fn state(&self, now: Timestamp) -> &'static str {
        let late = now >= self.proposed.until && !sabotaged!("r6_late_erasure");
        match (self.over, &self.confirmed) {
            (Some(over), _) => over,
            (None, _) if late => "lapsed",
            (None, Some(_)) => "confirmed",
            (None, None) => "waits",
        }
    }

    /// Whether this person is one of the two.
    pub fn is_by(&self, person: &EntityRef) -> bool {
        self.proposed.by == *person || self.confirmed.as_ref() == Some(person)
    }
}

impl ErasureProposals {
    /// Takes a proposal.
    pub fn propose(&mut self, proposed: ProposedErasure) {
        self.0.push(HeldErasure { proposed, confirmed: None, over: None });
        if self.0.len() > MOST_KEPT {
            // Fewer than these can wait, and the oldest lapses first.
            let first = self.0.iter().position(|held| held.over.is_some()).unwrap_or(0);
            self.0.remove(first);
        }
    }

    /// Takes the second yes.
    pub fn confirm(&mut self, confirmed: ConfirmedErasure) {
        if let Some(held) = self.find(&confirmed.id) {
            held.confirmed = Some(confirmed.by);
        }
    }

    /// Takes an end.
    pub fn end(&mut self, ended: &EndedErasure) {
        if let Some(held) = self.find(&ended.id) {
            held.over.get_or_insert(ended.how.word());
        }
    }

    /// The record was restored: what was taken back since the backup stands in it as if it never was, so nothing that was
    /// under way goes on (R7).
    pub fn begin_epoch(&mut self) {
        for held in &mut self.0 {
            held.over.get_or_insert("earlier_epoch");
        }
    }

    fn find(&mut self, id: &str) -> Option<&mut HeldErasure> {
        self.0.iter_mut().find(|held| held.proposed.id == id)
    }

    /// One of them.
    pub(super) fn get(&self, id: &str) -> Option<&HeldErasure> {
        self.0.iter().find(|held| held.proposed.id == id)
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &HeldErasure> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use policy_core::presence::{Presence, Proof};
    use policy_core::time::Span;
    use proviso_api::erasures::ErasurePlan;

    use super::*;

    fn proposed(id: &str) -> ProposedErasure {
        let plan = ErasurePlan {
            what: "age".to_owned(),
            of: None,
            record: None,
            older_than: Some(Span::from_seconds(1)),
            classes: Vec::new(),
        };
        ProposedErasure {
            id: id.to_owned(),
            plan,
            reason: "old".to_owned(),
            by: EntityRef::new("User", "kit"),
            assurance: "link".to_owned(),
            presence: Presence::Session,
            proof: Proof::Session,
            until: Timestamp::from_millis(1_000),
            at: Timestamp::from_millis(0),
        }
    }

    fn confirmed(id: &str) -> ConfirmedErasure {
        ConfirmedErasure {
            id: id.to_owned(),
            by: EntityRef::new("User", "jun"),
            assurance: "link".to_owned(),
            presence: Presence::Session,
            proof: Proof::Session,
            at: Timestamp::from_millis(1),
        }
    }

    fn ended(id: &str, how: ErasureEnd) -> EndedErasure {
        let by = EntityRef::new("User", "jun");
        EndedErasure { id: id.to_owned(), how, by, run: None, at: Timestamp::from_millis(2) }
    }

    #[test]
    fn a_proposal_waits_until_it_is_confirmed_carried_out_taken_back_or_late() {
        let (before, late) = (Timestamp::from_millis(999), Timestamp::from_millis(1_000));
        let mut all = ErasureProposals::default();
        for id in ["a", "b", "c", "d"] {
            all.propose(proposed(id));
        }
        all.confirm(confirmed("b"));
        all.confirm(confirmed("c"));
        all.end(&ended("c", ErasureEnd::Done));
        all.end(&ended("d", ErasureEnd::Withdrawn));
        // A first end stands.
        all.end(&ended("d", ErasureEnd::Done));
        let states = |all: &ErasureProposals, now| all.all().map(|held| held.state(now)).collect::<Vec<_>>();
        assert_eq!(states(&all, before), ["waits", "confirmed", "done", "withdrawn"]);
        assert_eq!(states(&all, late), ["lapsed", "lapsed", "done", "withdrawn"]);
        all.begin_epoch();
        assert_eq!(states(&all, before), ["earlier_epoch", "earlier_epoch", "done", "withdrawn"]);
        let person = |id: &str| EntityRef::new("User", id);
        let held = all.get("b").unwrap();
        assert!(held.is_by(&person("kit")) && held.is_by(&person("jun")) && !held.is_by(&person("mara")));
        assert!(!all.get("a").unwrap().is_by(&person("jun")) && all.get("e").is_none());
    }

    #[test]
    fn what_is_remembered_does_not_grow_for_ever_and_what_waits_stays_longest() {
        let mut all = ErasureProposals::default();
        for number in 0..MOST_KEPT {
            all.propose(proposed(&format!("era_{number}")));
        }
        all.end(&ended("era_7", ErasureEnd::Withdrawn));
        all.propose(proposed("next"));
        assert!(all.get("era_7").is_none() && all.get("era_0").is_some());
        all.propose(proposed("last"));
        assert!(all.get("era_0").is_none() && all.get("last").is_some());
        assert_eq!(all.all().count(), MOST_KEPT);
    }
}
