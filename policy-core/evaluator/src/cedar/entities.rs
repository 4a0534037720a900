//! The facts of a question as Cedar's entities, on top of the schema's action entities.

use std::collections::HashSet;

use cedar_policy::{Entities, Schema};
use cedar_policy_core::ast::{self, EntityAttrEvaluationError, PartialValue};
use cedar_policy_core::entities::{Entities as Store, TCComputation};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::CoreSchema;
use policy_core::outcome::Reason;
use policy_core::question::EntityFact;
use policy_core::sabotaged;
use policy_core::text::visible;

use super::values::{Misvalue, unnamed, value};
use super::{LONGEST_MESSAGE, UNKNOWN, uid};
use crate::bundle::Rules;

/// Why facts are no entities of Cedar's: the reason code, and what is wrong in one sentence.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) reason: Reason,
    #[cfg_attr(not(feature = "validate"), expect(dead_code, reason = "only the bundle's author is told"))]
    pub(crate) says: String,
}

impl From<Reason> for Unfit {
    fn from(reason: Reason) -> Self {
        Self { reason, says: "it names what the schema does not declare".to_owned() }
    }
}

impl Unfit {
    /// An error of Cedar's, with what is behind it: what does not fit stands there.
    fn cedar(error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        let says = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { reason: Reason::BadInput, says: visible(&says, LONGEST_MESSAGE) }
    }
}

/// The question's slice as Cedar has it, on top of the schema's action entities.
pub(crate) fn entities(rules: &Rules, facts: &[EntityFact]) -> Result<Entities, Unfit> {
    let mut entities = Vec::with_capacity(facts.len().saturating_add(rules.action_entities.len()));
    let mut unknown = false;
    for fact in facts {
        let uid = uid(rules, &fact.uid)?;
        let shape = rules.types.get(&rules.config.long(&fact.uid.kind)).ok_or(Reason::UnknownType)?;
        if fact.source == UNKNOWN {
            // INVARIANT (R8): an entity that no source knows exists with no attributes and no parents, or not at all.
            unknown |= shape.needs_facts() || !fact.attrs.is_empty();
        }
        entities.push(entity(rules, fact, uid.into())?);
    }
    let imagined = unknown && sabotaged!("r8_unknown_entity");
    if unknown && !imagined {
        return Err(Reason::UnknownEntity.into());
    }
    let schema: Option<&Schema> = (!imagined).then_some(&rules.schema);
    let schema = schema.map(|schema| CoreSchema::new(schema.as_ref()));
    let actions = rules.action_entities.iter().map(|action| action.as_ref().clone());
    Store::from_entities(
        entities.into_iter().chain(actions),
        schema.as_ref(),
        TCComputation::ComputeNow,
        Extensions::all_available(),
    )
    .map(Entities::from)
    .map_err(|error| Unfit::cedar(&error))
}

fn entity(rules: &Rules, fact: &EntityFact, uid: ast::EntityUID) -> Result<ast::Entity, Unfit> {
    let attrs = fact.attrs.iter().map(|(name, attribute)| match value(rules, attribute) {
        Ok(value) => Ok((name.clone(), PartialValue::from(value))),
        Err(misvalue) => Err((name, misvalue)),
    });
    let attrs: Result<Vec<_>, _> = attrs.collect();
    let parents = fact.parents.iter().map(|parent| self::uid(rules, parent).map(ast::EntityUID::from));
    let parents: Result<HashSet<_>, Reason> = parents.collect();
    match (attrs, parents) {
        (Ok(attrs), Ok(parents)) => {
            Ok(ast::Entity::new_with_attr_partial_value(uid, attrs, HashSet::new(), parents, Vec::new()))
        }
        // What names nothing is told before what cannot be read.
        (Err((_, Misvalue::Unnamed(reason))), _) | (Ok(_), Err(reason)) => Err(reason.into()),
        (Err((name, Misvalue::Unread(err))), parents) => {
            unnamed(rules, fact.attrs.values())?;
            parents?;
            let error = EntityAttrEvaluationError { uid, attr_or_tag: name.clone(), was_attr: true, err: *err };
            Err(Unfit::cedar(&error))
        }
    }
}
