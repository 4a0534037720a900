//! Who owns what, as the bundle declares it.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_evaluator::Bundle;
use smol_str::SmolStr;

use super::Policy;
use crate::app::ownership::Belongings;

/// What each owner owns.
pub(super) fn belongings(bundle: &Bundle) -> Belongings {
    let mut belongings = Belongings::default();
    bundle.owned().for_each(|(owned, owners)| belongings.add(owned, &owners));
    belongings
}

impl Policy {
    /// Who owns a subject, sorted.
    pub fn owners(&self, subject: &EntityRef) -> Vec<EntityRef> {
        self.bundle.owners(subject)
    }

    /// The ids of what somebody owns of a type, under whatever name the type comes.
    pub fn belongings(&self, owner: &EntityRef, kind: &str) -> Option<&BTreeSet<SmolStr>> {
        self.belongings.of(owner, self.config().short(kind))
    }

    /// Every workload that has an owner, with its owners.
    pub fn all_owners(&self) -> Vec<(EntityRef, Vec<EntityRef>)> {
        let owned = self.bundle.subjects().into_iter().map(|subject| {
            let owners = self.bundle.owners(&subject);
            (subject, owners)
        });
        owned.filter(|(_, owners)| !owners.is_empty()).collect()
    }
}
