//! Our data as Cedar's: references, values, entities, contexts and requests.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Response,
    RestrictedExpression,
};
use policy_core::entity::EntityRef;
use policy_core::outcome::{PolicyError, Reason};
use policy_core::question::{EntityFact, SealedQuestion};
use policy_core::sabotaged;
use policy_core::text::visible;
use policy_core::value::Value;

use crate::bundle::{ActionType, Rules};

/// The source of a fact that `entities.json` states.
pub const BUNDLE: &str = "bundle";
/// The source of an entity that nobody knows.
pub const UNKNOWN: &str = "unknown";
/// How much of Cedar's words about an error a record keeps, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A reference as Cedar has it, in the bundle's namespace.
pub(crate) fn uid(rules: &Rules, of: &EntityRef) -> Result<EntityUid, Reason> {
    let kind = EntityTypeName::from_str(&rules.config.long(&of.kind)).map_err(|_| Reason::UnknownType)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(&of.id)))
}

/// An action as Cedar has it.
pub(crate) fn action(rules: &Rules, name: &str) -> Result<EntityUid, Reason> {
    uid(rules, &EntityRef::new("Action", name))
}

/// A value as Cedar has it.
pub(crate) fn expression(rules: &Rules, value: &Value) -> Result<RestrictedExpression, Reason> {
    Ok(match value {
        Value::Bool(bool) => RestrictedExpression::new_bool(*bool),
        Value::Long(long) => RestrictedExpression::new_long(*long),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Entity(of) => RestrictedExpression::new_entity_uid(uid(rules, of)?),
        Value::Set(items) => {
            let items = items.iter().map(|item| expression(rules, item));
            RestrictedExpression::new_set(items.collect::<Result<Vec<_>, _>>()?)
        }
        Value::Record(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), expression(rules, value)?)));
            let members = members.collect::<Result<Vec<_>, Reason>>()?;
            RestrictedExpression::new_record(members).map_err(|_| Reason::BadInput)?
        }
        Value::Datetime(text) => RestrictedExpression::new_datetime(text),
        Value::Duration(text) => RestrictedExpression::new_duration(text),
        Value::Decimal(text) => RestrictedExpression::new_decimal(text),
        Value::Ipaddr(text) => RestrictedExpression::new_ip(text),
    })
}

/// A context as Cedar has it.
pub(crate) fn context<'a>(
    rules: &Rules,
    members: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Result<Context, Reason> {
    let pairs = members.into_iter().map(|(name, value)| Ok((name.to_owned(), expression(rules, value)?)));
    Context::from_pairs(pairs.collect::<Result<Vec<_>, Reason>>()?).map_err(|_| Reason::BadInput)
}

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
    let mut entities = Vec::with_capacity(facts.len());
    let mut unknown = false;
    for fact in facts {
        let uid = uid(rules, &fact.uid)?;
        let shape = rules.types.get(&rules.config.long(&fact.uid.kind)).ok_or(Reason::UnknownType)?;
        if fact.source == UNKNOWN {
            // INVARIANT (R8): an entity that no source knows exists with no attributes and no parents, or not at all.
            unknown |= shape.needs_facts() || !fact.attrs.is_empty();
        }
        let attrs = fact.attrs.iter().map(|(name, value)| Ok((name.clone(), expression(rules, value)?)));
        let attrs = attrs.collect::<Result<HashMap<_, _>, Reason>>()?;
        let parents = fact.parents.iter().map(|parent| self::uid(rules, parent));
        let parents = parents.collect::<Result<HashSet<_>, Reason>>()?;
        entities.push(Entity::new(uid, attrs, parents).map_err(|error| Unfit::cedar(&error))?);
    }
    let imagined = unknown && sabotaged!("r8_unknown_entity");
    if unknown && !imagined {
        return Err(Reason::UnknownEntity.into());
    }
    let schema = (!imagined).then_some(&rules.schema);
    Entities::from_entities(entities.into_iter().chain(rules.action_entities.iter().cloned()), schema)
        .map_err(|error| Unfit::cedar(&error))
}

/// The context of the call itself: what the gate set, what was believed, and the arguments.
pub(crate) fn call_context<'a>(
    question: &'a SealedQuestion,
    extra: Option<(&'a str, &'a Value)>,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let set = question.context.iter().map(|(name, value)| (name.as_str(), value));
    set.chain(question.call.input.iter().map(|input| ("input", input))).chain(extra)
}

/// What the schema says of the question's action.
pub(crate) fn action_type<'a>(rules: &'a Rules, question: &SealedQuestion) -> Result<&'a ActionType, Reason> {
    rules.actions.get(&question.call.action).ok_or(Reason::UnknownAction)
}

/// A request of types that the schema declares, held against the schema.
pub(crate) fn request(
    rules: &Rules,
    principal: &EntityRef,
    action: &str,
    resource: &EntityRef,
    context: Context,
) -> Result<Request, Reason> {
    use cedar_policy::RequestValidationError as Error;
    let (principal, resource) = (uid(rules, principal)?, uid(rules, resource)?);
    let action = self::action(rules, action)?;
    Request::new(principal, action, resource, context, Some(&rules.schema)).map_err(|error| match error {
        Error::UndeclaredAction(_) | Error::InvalidPrincipalType(_) | Error::InvalidResourceType(_) => {
            Reason::UnknownAction
        }
        _ => Reason::BadInput,
    })
}

/// What one policy set says of one request: who is satisfied, who erred. Sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) satisfied: Vec<String>,
    pub(crate) errors: Vec<PolicyError>,
}

impl Verdict {
    /// Joins what another request said.
    pub(crate) fn join(&mut self, other: Self) {
        self.satisfied.extend(other.satisfied);
        self.errors.extend(other.errors);
        self.satisfied.sort();
        self.satisfied.dedup();
        self.errors.sort();
        self.errors.dedup();
    }
}

/// Asks a policy set that holds permits only, or forbids only: then the reasons are exactly the satisfied ones.
pub(crate) fn ask(set: &PolicySet, request: &Request, entities: &Entities) -> Verdict {
    let response: Response = Authorizer::new().is_authorized(request, set, entities);
    let mut verdict = Verdict::default();
    let satisfied = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(|error| {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(inner) = error;
        let message = visible(&inner.inner().to_string(), LONGEST_MESSAGE);
        PolicyError { policy: inner.policy_id().to_string(), message }
    });
    verdict.join(Verdict { satisfied, errors: errors.collect() });
    verdict
}
