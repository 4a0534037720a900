//! What each owner owns: owners the other way round, so that who asks for what an owner's agents hold looks at no others.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use smol_str::SmolStr;

/// By owner, what is owned: by its type, its ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) struct Belongings(BTreeMap<EntityRef, BTreeMap<SmolStr, BTreeSet<SmolStr>>>);

impl Belongings {
    /// These own it.
    pub fn add(&mut self, owned: &EntityRef, owners: &[EntityRef]) {
        for owner in owners {
            let of_owner = self.0.entry(owner.clone()).or_default();
            of_owner.entry(owned.kind.clone()).or_default().insert(owned.id.clone());
        }
    }

    /// These own it no more.
    pub fn remove(&mut self, owned: &EntityRef, owners: &[EntityRef]) {
        for owner in owners {
            let Some(of_owner) = self.0.get_mut(owner) else { continue };
            let Some(of_type) = of_owner.get_mut(&owned.kind) else { continue };
            of_type.remove(&owned.id);
            if of_type.is_empty() {
                of_owner.remove(&owned.kind);
            }
            if of_owner.is_empty() {
                self.0.remove(owner);
            }
        }
    }

    /// The ids of what somebody owns of a type.
    pub fn of(&self, owner: &EntityRef, kind: &str) -> Option<&BTreeSet<SmolStr>> {
        self.0.get(owner)?.get(kind)
    }
}
