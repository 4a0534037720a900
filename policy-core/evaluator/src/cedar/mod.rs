//! Our data as Cedar's: references, values, entities, contexts and requests.
//!
//! They are built as `cedar-policy-core` has them, which is what `cedar-policy` wraps: a question is made of typed data,
//! and going through expressions costs more than its evaluation does. Tests hold what is built here against what
//! `cedar-policy` itself makes of the same data.

mod entities;
pub(crate) mod fits;
mod values;

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Request, Schema};
use cedar_policy_core::ast::{self, Context, Eid, EntityUIDEntry};
use cedar_policy_core::evaluator::EvaluationError;
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::RequestValidationError;
use policy_core::entity::EntityRef;
use policy_core::outcome::{PolicyError, Reason};
use policy_core::question::SealedQuestion;
use policy_core::text::visible;
use policy_core::value::Value;

use crate::bundle::{ActionType, Rules};
pub(crate) use entities::entities;
pub(crate) use values::construct;
use values::{Misvalue, unnamed};

/// The source of a fact that `entities.json` states.
pub const BUNDLE: &str = "bundle";
/// The source of an entity that nobody knows.
pub const UNKNOWN: &str = "unknown";
/// How much of Cedar's words about an error a record keeps, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A reference as Cedar has it, in the bundle's namespace.
pub(crate) fn uid(rules: &Rules, of: &EntityRef) -> Result<EntityUid, Reason> {
    if let Some(kind) = rules.names.kind(&of.kind) {
        return Ok(ast::EntityUID::from_components(kind.clone(), Eid::new(of.id.clone()), None).into());
    }
    let kind = EntityTypeName::from_str(&rules.config.long(&of.kind)).map_err(|_| Reason::UnknownType)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(&of.id)))
}

/// An action as Cedar has it.
pub(crate) fn action(rules: &Rules, name: &str) -> Result<EntityUid, Reason> {
    uid(rules, &EntityRef::new("Action", name))
}

/// A context as Cedar has it.
pub(crate) fn context<'a>(
    rules: &Rules,
    members: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
) -> Result<Context, Reason> {
    let pairs = members.clone().map(|(name, value)| Ok((name.into(), values::value(rules, value)?)));
    match pairs.collect::<Result<BTreeMap<_, _>, Misvalue>>() {
        // INVARIANT (R8): a member that is there twice is no context, whichever of the two might be meant.
        Ok(pairs) if pairs.len() < members.clone().count() => Err(Reason::BadInput),
        Ok(pairs) => Ok(Context::Value(Arc::new(pairs))),
        Err(Misvalue::Unnamed(reason)) => Err(reason),
        Err(Misvalue::Unread(_)) => {
            unnamed(rules, members.map(|(_, value)| value))?;
            Err(Reason::BadInput)
        }
    }
}

/// The same context with one member more.
pub(crate) fn context_with(rules: &Rules, context: &Context, name: &str, value: &Value) -> Result<Context, Reason> {
    let value = values::value(rules, value).map_err(|misvalue| match misvalue {
        Misvalue::Unnamed(reason) => reason,
        Misvalue::Unread(_) => Reason::BadInput,
    })?;
    let Context::Value(members) = context else { return Err(Reason::BadInput) };
    let mut members = BTreeMap::clone(members);
    match members.insert(name.into(), value) {
        None => Ok(Context::Value(Arc::new(members))),
        Some(_) => Err(Reason::BadInput),
    }
}

/// The context of the call itself: what the gate set, what was believed, and the arguments.
pub(crate) fn call_context(question: &SealedQuestion) -> impl Iterator<Item = (&str, &Value)> + Clone {
    let set = question.context.iter().map(|(name, value)| (name.as_str(), value));
    set.chain(question.call.input.iter().map(|input| ("input", input)))
}

/// What the schema says of the question's action.
pub(crate) fn action_type<'a>(rules: &'a Rules, question: &SealedQuestion) -> Result<&'a ActionType, Reason> {
    rules.actions.get(question.call.action.as_str()).ok_or(Reason::UnknownAction)
}

/// A request of types that the schema declares, held against the schema. `context_fits`: what [`fits::context`] said of
/// the context.
pub(crate) fn request(
    rules: &Rules,
    principal: &EntityRef,
    action: &str,
    resource: &EntityRef,
    context: Context,
    context_fits: bool,
) -> Result<Request, Reason> {
    let fits = context_fits && fits::call(rules, principal, action, resource);
    let (principal, resource) = (uid(rules, principal)?, uid(rules, resource)?);
    let action = self::action(rules, action)?;
    if !fits {
        return checked(&rules.schema, principal, action, resource, context);
    }
    let known = |uid: EntityUid| EntityUIDEntry::known(uid.into(), None);
    let request = ast::Request::new_unchecked(known(principal), known(action), known(resource), Some(context));
    Ok(Request::from(request))
}

/// A request, held against a schema.
pub(crate) fn checked(
    schema: &Schema,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    context: Context,
) -> Result<Request, Reason> {
    let (principal, action, resource) = ((principal.into(), None), (action.into(), None), (resource.into(), None));
    let schema = Some(schema.as_ref());
    let request = ast::Request::new(principal, action, resource, context, schema, Extensions::all_available());
    request.map(Request::from).map_err(|error| match error {
        RequestValidationError::UndeclaredAction(_)
        | RequestValidationError::InvalidPrincipalType(_)
        | RequestValidationError::InvalidResourceType(_) => Reason::UnknownAction,
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
        if other.satisfied.is_empty() && other.errors.is_empty() {
            return;
        }
        self.satisfied.extend(other.satisfied);
        self.errors.extend(other.errors);
        self.satisfied.sort();
        self.satisfied.dedup();
        self.errors.sort();
        self.errors.dedup();
    }
}

/// Cedar's words about an error, bounded.
pub(crate) fn says(error: &EvaluationError) -> String {
    visible(&error.to_string(), LONGEST_MESSAGE)
}

/// Asks a policy set that holds permits only, or forbids only: then the reasons are exactly the satisfied ones. Every
/// policy is evaluated: what evaluates questions asks [`crate::sliced`], which is held against this.
#[cfg(feature = "validate")]
pub(crate) fn ask(set: &cedar_policy::PolicySet, request: &Request, entities: &cedar_policy::Entities) -> Verdict {
    let response = cedar_policy::Authorizer::new().is_authorized(request, set, entities);
    let mut verdict = Verdict::default();
    let satisfied = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(|error| {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(inner) = error;
        PolicyError { policy: inner.policy_id().to_string(), message: says(inner.inner()) }
    });
    verdict.join(Verdict { satisfied, errors: errors.collect() });
    verdict
}
