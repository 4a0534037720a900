//! What a policy's scope says of a request: who asks, for what and on what, by equality, membership and type.
//!
//! A scope is true or false and never an error, and holds nothing but these comparisons, so it is asked here, and Cedar is
//! asked about the conditions of those policies alone whose scope holds. A test holds every kind of scope against Cedar.

use std::cell::OnceCell;

use cedar_policy::{ActionConstraint, Entities, EntityUid, Policy, PrincipalConstraint, Request, ResourceConstraint};
use cedar_policy_core::ast::{Entity, EntityType, EntityUID};
use cedar_policy_core::entities::Dereference;

/// One who takes part in a request, with what is known of it.
#[derive(Debug)]
pub(super) struct Party<'a> {
    pub(super) uid: &'a EntityUID,
    entities: &'a Entities,
    /// Looked up where a scope asks what it is in.
    entity: OnceCell<Option<&'a Entity>>,
}

impl<'a> Party<'a> {
    fn new(uid: &'a EntityUID, entities: &'a Entities) -> Self {
        Self { uid, entities, entity: OnceCell::new() }
    }

    fn entity(&self) -> Option<&'a Entity> {
        let entities: &'a cedar_policy_core::entities::Entities = self.entities.as_ref();
        *self.entity.get_or_init(|| match entities.entity(self.uid) {
            Dereference::Data(entity) => Some(entity),
            // Cedar, too, takes what is not there to be in nothing but itself.
            Dereference::NoSuchEntity | Dereference::Residual(_) => None,
        })
    }

    /// What it is in, itself left out.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = &'a EntityUID> {
        self.entity().into_iter().flat_map(Entity::ancestors)
    }

    fn is_in(&self, other: &EntityUID) -> bool {
        self.uid == other || self.entity().is_some_and(|entity| entity.is_descendant_of(other))
    }
}

/// All who take part in a request.
#[derive(Debug)]
pub(super) struct Parties<'a> {
    pub(super) principal: Party<'a>,
    pub(super) action: Party<'a>,
    pub(super) resource: Party<'a>,
}

impl<'a> Parties<'a> {
    /// Nothing where the request leaves one of them open, which none does that [`crate::cedar`] makes.
    pub(super) fn of(request: &'a Request, entities: &'a Entities) -> Option<Self> {
        let request = request.as_ref();
        Some(Self {
            principal: Party::new(request.principal().uid()?, entities),
            action: Party::new(request.action().uid()?, entities),
            resource: Party::new(request.resource().uid()?, entities),
        })
    }
}

/// What one party must be.
#[derive(Debug, Clone)]
enum Constraint {
    Any,
    Is(EntityType),
    Equals(EntityUID),
    InAny(Vec<EntityUID>),
    IsIn(EntityType, EntityUID),
}

impl Constraint {
    fn is_in(uid: EntityUid) -> Self {
        Self::InAny(vec![uid.into()])
    }

    fn holds(&self, party: &Party<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Is(kind) => party.uid.entity_type() == kind,
            Self::Equals(uid) => party.uid == uid,
            Self::InAny(uids) => uids.iter().any(|uid| party.is_in(uid)),
            Self::IsIn(kind, uid) => party.uid.entity_type() == kind && party.is_in(uid),
        }
    }
}

/// A policy's scope.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    principal: Constraint,
    action: Constraint,
    resource: Constraint,
}

impl Scope {
    /// One that holds of every request.
    #[cfg(test)]
    pub(super) const OPEN: Self =
        Self { principal: Constraint::Any, action: Constraint::Any, resource: Constraint::Any };

    pub(super) fn of(policy: &Policy) -> Self {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any => Constraint::Any,
            PrincipalConstraint::Is(kind) => Constraint::Is(kind.as_ref().clone()),
            PrincipalConstraint::Eq(uid) => Constraint::Equals(uid.into()),
            PrincipalConstraint::In(uid) => Constraint::is_in(uid),
            PrincipalConstraint::IsIn(kind, uid) => Constraint::IsIn(kind.as_ref().clone(), uid.into()),
        };
        let action = match policy.action_constraint() {
            ActionConstraint::Any => Constraint::Any,
            ActionConstraint::Eq(uid) => Constraint::Equals(uid.into()),
            ActionConstraint::In(uids) => Constraint::InAny(uids.into_iter().map(Into::into).collect()),
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any => Constraint::Any,
            ResourceConstraint::Is(kind) => Constraint::Is(kind.as_ref().clone()),
            ResourceConstraint::Eq(uid) => Constraint::Equals(uid.into()),
            ResourceConstraint::In(uid) => Constraint::is_in(uid),
            ResourceConstraint::IsIn(kind, uid) => Constraint::IsIn(kind.as_ref().clone(), uid.into()),
        };
        Self { principal, action, resource }
    }

    pub(super) fn holds(&self, parties: &Parties<'_>) -> bool {
        self.principal.holds(&parties.principal)
            && self.action.holds(&parties.action)
            && self.resource.holds(&parties.resource)
    }
}
