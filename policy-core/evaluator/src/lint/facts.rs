//! The entities that a bundle knows, to try rules on.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request};
use policy_core::question::EntityFact;

use crate::Bundle;
use crate::bundle::Rules;
use crate::cedar;

/// How many questions one look at a bundle may ask.
const MOST_QUESTIONS: u32 = 200_000;
/// The id of the entity that stands for all that a bundle need not know.
const ANY: &str = "(any other)";

/// The entities of a bundle, by type as Cedar has it.
pub(super) struct Facts {
    pub(super) all: Entities,
    known: BTreeMap<String, Vec<EntityUid>>,
    /// The types that an enforcement point may describe: nobody knows here what it will say.
    claimed: BTreeSet<String>,
    left: Cell<u32>,
}

impl Facts {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let rules = &bundle.rules;
        let facts: Vec<EntityFact> = bundle.facts.values().cloned().collect();
        let mut known: BTreeMap<String, Vec<EntityUid>> = BTreeMap::new();
        for fact in &facts {
            if let Ok(uid) = cedar::uid(rules, &fact.uid) {
                known.entry(uid.type_name().to_string()).or_default().push(uid);
            }
        }
        for kind in rules.types.keys().filter(|kind| is_open(rules, kind)) {
            if let Ok(name) = kind.parse::<EntityTypeName>() {
                known.entry(kind.clone()).or_default().push(EntityUid::from_type_name_and_id(name, EntityId::new(ANY)));
            }
        }
        let all = cedar::entities(rules, &facts).unwrap_or_else(|_| Entities::empty());
        let claimed = rules.config.claims.keys().map(|kind| rules.config.long(kind)).collect();
        Self { all, known, claimed, left: Cell::new(MOST_QUESTIONS) }
    }

    /// The entities of a type that a question can be about; the one that nobody knows among them, where the type lets
    /// there be one.
    pub(super) fn of_type(&self, kind: &str) -> &[EntityUid] {
        self.known.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Whether `uid` is `group` or lies in it.
    pub(super) fn is_in(&self, uid: &EntityUid, group: &EntityUid) -> bool {
        uid == group || self.all.is_ancestor_of(group, uid)
    }

    /// Whether a policy is satisfied, without a context. `None` when there have been too many questions.
    pub(super) fn holds(
        &self,
        set: &PolicySet,
        principal: &EntityUid,
        action: &EntityUid,
        resource: &EntityUid,
    ) -> Option<bool> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        if [principal, resource].iter().any(|uid| self.claimed.contains(&uid.type_name().to_string())) {
            return Some(true);
        }
        let (principal, action, resource) = (principal.clone(), action.clone(), resource.clone());
        let request = Request::new(principal, action, resource, Context::empty(), None).ok()?;
        Some(!cedar::ask(set, &request, &self.all).satisfied.is_empty())
    }

    /// Takes so many questions. `false`: there have been too many.
    pub(super) fn take(&self, questions: usize) -> bool {
        let left = u32::try_from(questions).ok().and_then(|questions| self.left.get().checked_sub(questions));
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether something was left untried.
    pub(super) const fn ran_out(&self) -> bool {
        self.left.get() == 0
    }
}

/// Whether a question can be about an entity of this type that `entities.json` does not name: one without required
/// attributes, or one that an enforcement point may describe.
pub(super) fn is_open(rules: &Rules, kind: &str) -> bool {
    let claimed = rules.config.claims.keys().any(|claimed| rules.config.long(claimed) == kind);
    claimed || rules.types.get(kind).is_some_and(|shape| !shape.needs_facts())
}
