//! Which policies may apply, by what their scopes name.

use std::collections::BTreeMap;

use cedar_policy_core::ast::EntityUID;
use policy_core::sabotaged;

use super::scope::{Constraint, Parties, Party, Scope};

/// The place of a name in its column; [`ANYTHING`] for a scope that names nothing.
type Name = usize;
const ANYTHING: Name = 0;
/// Up to how many policies are asked for their scopes one by one, which is less than to look them up.
const FEW: usize = 8;

/// The names that one column of the scopes holds.
#[derive(Debug, Clone, Default)]
struct Column {
    /// What must be the entity.
    equal: BTreeMap<EntityUID, Name>,
    /// What it must be in.
    within: BTreeMap<EntityUID, Name>,
    last: Name,
}

impl Column {
    /// The names under which a scope stands that says this; none where nothing can be meant.
    fn names_for(&mut self, constraint: &Constraint) -> Vec<Name> {
        match constraint {
            Constraint::Any | Constraint::Is(_) => vec![ANYTHING],
            Constraint::Equals(uid) => vec![name(&mut self.equal, &mut self.last, uid)],
            Constraint::IsIn(_, uid) => vec![name(&mut self.within, &mut self.last, uid)],
            Constraint::InAny(uids) => uids.iter().map(|uid| name(&mut self.within, &mut self.last, uid)).collect(),
        }
    }

    /// What a scope may name for this entity to be meant: nothing, the entity, or what it is in. Which type it names
    /// beside that is left to the scope.
    fn names_of(&self, party: &Party<'_>) -> Vec<Name> {
        let mut names = Vec::with_capacity(4);
        // INVARIANT (R2): a scope that names nothing means everything.
        if !sabotaged!("r2_open_scopes_left_out") {
            names.push(ANYTHING);
        }
        names.extend(self.equal.get(party.uid));
        if !self.within.is_empty() {
            names.extend(self.within.get(party.uid));
            names.extend(party.ancestors().filter_map(|ancestor| self.within.get(ancestor)));
        }
        names
    }
}

fn name(names: &mut BTreeMap<EntityUID, Name>, last: &mut Name, uid: &EntityUID) -> Name {
    *names.entry(uid.clone()).or_insert_with(|| {
        *last += 1;
        *last
    })
}

/// Policies by principal, action and resource of their scopes. An empty index leaves nothing out.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    principals: Column,
    actions: Column,
    resources: Column,
    positions: BTreeMap<(Name, Name, Name), Vec<usize>>,
    policies: usize,
}

impl Index {
    /// An index of the policies with these scopes, by their position.
    pub(super) fn of<'s>(scopes: impl ExactSizeIterator<Item = &'s Scope>) -> Self {
        let mut index = Self { policies: scopes.len(), ..Self::default() };
        for (position, scope) in scopes.enumerate() {
            let actions = index.actions.names_for(&scope.action);
            let resources = index.resources.names_for(&scope.resource);
            for principal in index.principals.names_for(&scope.principal) {
                for action in &actions {
                    for resource in &resources {
                        index.positions.entry((principal, *action, *resource)).or_default().push(position);
                    }
                }
            }
        }
        index
    }

    /// The positions of the policies whose scope may hold, in order; nothing where all are to be asked.
    pub(super) fn slice(&self, parties: &Parties<'_>) -> Option<Vec<usize>> {
        if self.policies <= FEW && !sabotaged!("r2_open_scopes_left_out") {
            return None;
        }
        let principals = self.principals.names_of(&parties.principal);
        let actions = self.actions.names_of(&parties.action);
        let resources = self.resources.names_of(&parties.resource);
        let looks = principals.len().saturating_mul(actions.len()).saturating_mul(resources.len());
        // Where an entity is in more groups than there are policies, asking them all is the shorter way.
        if looks > self.policies {
            return None;
        }
        let mut slice = Vec::new();
        for principal in &principals {
            for action in &actions {
                for resource in &resources {
                    slice.extend(self.positions.get(&(*principal, *action, *resource)).into_iter().flatten().copied());
                }
            }
        }
        slice.sort_unstable();
        slice.dedup();
        Some(slice)
    }
}
