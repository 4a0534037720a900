//! Groups that people's sign-ins at providers brought, and what was decided with them. They end with the session; what
//! was decided keeps those that it was decided with, until the provider says otherwise.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What sign-ins brought.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Brought {
    /// What each person's newest sign-in by a provider brought, and when.
    #[serde(with = "crate::pairs")]
    newest: BTreeMap<EntityRef, (Timestamp, Vec<EntityRef>)>,
    /// With what each person decided last on each exception.
    #[serde(with = "crate::pairs")]
    used: BTreeMap<(String, EntityRef), (Timestamp, Vec<EntityRef>)>,
    /// How many there may be before those are looked for of which nothing can come any more.
    most: usize,
}

/// So many decisions are kept without a look at what they are about.
const FEW: usize = 256;

impl Brought {
    pub fn signed_in(&mut self, person: &EntityRef, groups: &[EntityRef], at: Timestamp) {
        // Of those who never brought any, nothing is to be remembered.
        if !groups.is_empty() || self.newest.contains_key(person) {
            self.newest.insert(person.clone(), (at, groups.to_vec()));
        }
    }

    pub fn used(&mut self, person: &EntityRef, exception: &str, groups: &[EntityRef], at: Timestamp) {
        let key = (exception.to_owned(), person.clone());
        if groups.is_empty() {
            self.used.remove(&key);
        } else {
            self.used.insert(key, (at, groups.to_vec()));
        }
    }

    /// Forgets the decisions about what is over: nothing is judged by them again. Looked for each time when there are
    /// twice as many as were left, so that a decision costs no more where there are many.
    pub fn forget(&mut self, is_needed: impl Fn(&str) -> bool) {
        if self.used.len() > self.most.max(FEW) {
            self.used.retain(|(about, _), _| is_needed(about));
            self.most = self.used.len().saturating_mul(2);
        }
    }

    pub fn has(&self, about: &str, person: &EntityRef) -> bool {
        self.used.contains_key(&(about.to_owned(), person.clone()))
    }

    /// The groups that count for what this person decided on this exception.
    ///
    /// INVARIANT (R4): what the provider has taken back since then, as far as it has said anything, counts no more.
    pub fn of_decision(&self, exception: &str, person: &EntityRef) -> Vec<EntityRef> {
        let Some((at, groups)) = self.used.get(&(exception.to_owned(), person.clone())) else { return Vec::new() };
        let later = self.newest.get(person).filter(|(said, _)| said > at);
        let stands = |group: &&EntityRef| later.is_none_or(|(_, now)| now.contains(group));
        groups.iter().filter(stands).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_keeps_the_groups_that_it_was_made_with_until_the_provider_takes_them_back() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let (mara, group) = (EntityRef::new("User", "mara"), |id: &str| EntityRef::new("Group", id));
        let both = [group("finance"), group("security")];
        let mut brought = Brought::default();
        brought.signed_in(&mara, &both, at(1));
        brought.used(&mara, "e1", &both, at(2));
        assert_eq!(brought.of_decision("e1", &mara), both);
        assert_eq!(brought.of_decision("e2", &mara), []);
        // Signed in again, and in one of them no more.
        brought.signed_in(&mara, &both[..1], at(3));
        assert_eq!(brought.of_decision("e1", &mara), both[..1]);
        // Decided anew without any: what was before is not that decision's.
        brought.used(&mara, "e1", &[], at(4));
        assert!(!brought.has("e1", &mara) && brought.of_decision("e1", &mara).is_empty());
        assert_eq!(brought.of_decision("e1", &EntityRef::new("User", "jun")), []);
    }

    #[test]
    fn what_was_decided_about_what_is_over_is_forgotten() {
        let (mara, group) = (EntityRef::new("User", "mara"), [EntityRef::new("Group", "finance")]);
        let mut brought = Brought::default();
        for number in 0..10_000 {
            brought.used(&mara, &number.to_string(), &group, Timestamp::from_millis(number));
            // The first hundred stay open.
            brought.forget(|about| about.parse::<i64>().unwrap() < 100);
            assert!(brought.used.len() <= 2 * FEW, "{number}: {}", brought.used.len());
        }
        assert!((0..100).all(|number| brought.has(&number.to_string(), &mara)));
    }

    #[test]
    fn nobody_has_what_another_brought() {
        let mara = EntityRef::new("User", "mara");
        let mut brought = Brought::default();
        brought.used(&mara, "e1", &[EntityRef::new("Group", "finance")], Timestamp::from_millis(1));
        assert_eq!(brought.of_decision("e1", &EntityRef::new("User", "jun")), []);
    }
}
