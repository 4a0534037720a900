//! What a policy's scope says of a request: who asks, for what and on what, by equality, membership and type.
//!
//! A scope is true or false and never an error, and holds nothing but these comparisons, so it is asked here, and Cedar is
//! asked about the conditions of those policies alone whose scope holds. A test holds every kind of scope against Cedar.

use std::cell::OnceCell;

use cedar_policy::{ActionConstraint, Entities, Policy, PrincipalConstraint, Request, ResourceConstraint};
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
pub(super) enum Constraint {
    Any,
    Is(EntityType),
    Equals(EntityUID),
    InAny(Vec<EntityUID>),
    IsIn(EntityType, EntityUID),
}

impl From<PrincipalConstraint> for Constraint {
    fn from(constraint: PrincipalConstraint) -> Self {
        match constraint {
            PrincipalConstraint::Any => Self::Any,
            PrincipalConstraint::Is(kind) => Self::Is(kind.as_ref().clone()),
            PrincipalConstraint::Eq(uid) => Self::Equals(uid.into()),
            PrincipalConstraint::In(uid) => Self::InAny(vec![uid.into()]),
            PrincipalConstraint::IsIn(kind, uid) => Self::IsIn(kind.as_ref().clone(), uid.into()),
        }
    }
}

impl From<ActionConstraint> for Constraint {
    fn from(constraint: ActionConstraint) -> Self {
        match constraint {
            ActionConstraint::Any => Self::Any,
            ActionConstraint::Eq(uid) => Self::Equals(uid.into()),
            ActionConstraint::In(uids) => Self::InAny(uids.into_iter().map(Into::into).collect()),
        }
    }
}

impl From<ResourceConstraint> for Constraint {
    fn from(constraint: ResourceConstraint) -> Self {
        // Cedar's two types differ in their names alone.
        Self::from(match constraint {
            ResourceConstraint::Any => PrincipalConstraint::Any,
            ResourceConstraint::Is(kind) => PrincipalConstraint::Is(kind),
            ResourceConstraint::Eq(uid) => PrincipalConstraint::Eq(uid),
            ResourceConstraint::In(uid) => PrincipalConstraint::In(uid),
            ResourceConstraint::IsIn(kind, uid) => PrincipalConstraint::IsIn(kind, uid),
        })
    }
}

impl Constraint {
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
    pub(super) principal: Constraint,
    pub(super) action: Constraint,
    pub(super) resource: Constraint,
}

impl Scope {
    /// One that holds of every request.
    #[cfg(test)]
    pub(super) const OPEN: Self =
        Self { principal: Constraint::Any, action: Constraint::Any, resource: Constraint::Any };

    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            principal: policy.principal_constraint().into(),
            action: policy.action_constraint().into(),
            resource: policy.resource_constraint().into(),
        }
    }

    /// INVARIANT (R2, R3): all three, of a bundle's policy and of a grant's: what a grant permits is its subject's, for its
    /// action and on its resource alone.
    pub(super) fn holds(&self, parties: &Parties<'_>) -> bool {
        self.principal.holds(&parties.principal)
            && self.action.holds(&parties.action)
            && self.resource.holds(&parties.resource)
    }
}
