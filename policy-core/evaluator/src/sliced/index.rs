//! Which policies may apply, by what their scopes name.

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, Entities, EntityUid, Policy, PrincipalConstraint, Request, ResourceConstraint};
use cedar_policy_core::ast::EntityUID;
use cedar_policy_core::entities::Dereference;
use policy_core::sabotaged;

/// The place of a name in its column; [`ANYTHING`] for a scope that names nothing.
type Name = usize;
const ANYTHING: Name = 0;

/// The names that one column of the scopes holds.
#[derive(Debug, Clone, Default)]
struct Column(BTreeMap<EntityUID, Name>);

impl Column {
    fn name(&mut self, uid: EntityUid) -> Name {
        let next = self.0.len() + 1;
        *self.0.entry(uid.into()).or_insert(next)
    }

    /// What a scope may name for this entity to be meant: nothing, the entity, or what it is in. Of several kinds of
    /// scope (`==`, `in`, `is … in`) the index keeps the name alone, and leaves the rest to Cedar.
    fn names_of(&self, uid: &EntityUID, entities: &Entities) -> Vec<Name> {
        let mut names = Vec::with_capacity(4);
        // INVARIANT (R2): a scope that names nothing means everything.
        if !sabotaged!("r2_open_scopes_left_out") {
            names.push(ANYTHING);
        }
        if self.0.is_empty() {
            return names;
        }
        names.extend(self.0.get(uid));
        let entities: &cedar_policy_core::entities::Entities = entities.as_ref();
        if let Dereference::Data(entity) = entities.entity(uid) {
            names.extend(entity.ancestors().filter_map(|ancestor| self.0.get(ancestor)));
        }
        names
    }
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
    /// An index of these policies by their position.
    pub(super) fn of(policies: &[&Policy]) -> Self {
        let mut index = Self { policies: policies.len(), ..Self::default() };
        for (position, policy) in policies.iter().enumerate() {
            let principal = match policy.principal_constraint() {
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => ANYTHING,
                PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                    index.principals.name(uid)
                }
            };
            let resource = match policy.resource_constraint() {
                ResourceConstraint::Any | ResourceConstraint::Is(_) => ANYTHING,
                ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
                    index.resources.name(uid)
                }
            };
            let actions = match policy.action_constraint() {
                ActionConstraint::Any => vec![ANYTHING],
                ActionConstraint::Eq(uid) => vec![index.actions.name(uid)],
                ActionConstraint::In(uids) => uids.into_iter().map(|uid| index.actions.name(uid)).collect(),
            };
            for action in actions {
                index.positions.entry((principal, action, resource)).or_default().push(position);
            }
        }
        index
    }

    /// The positions of the policies whose scope may hold, in order; nothing where all are to be asked.
    pub(super) fn slice(&self, request: &Request, entities: &Entities) -> Option<Vec<usize>> {
        let request = request.as_ref();
        let principals = self.principals.names_of(request.principal().uid()?, entities);
        let actions = self.actions.names_of(request.action().uid()?, entities);
        let resources = self.resources.names_of(request.resource().uid()?, entities);
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
