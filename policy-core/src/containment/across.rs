//! How a scope for one call stands to what was asked or granted for another. Time is no part of it: how long a renewal
//! may be is the lifecycle's to say.

use smol_str::SmolStr;

use crate::entity::EntityRef;
use crate::grant::{ArgumentScope, Grant, ResourceScope, Scope};
use crate::question::SealedQuestion;

use super::arguments::{are_apart, arguments_within, holds, input_names, is_member};
use super::within::{budgets_within, rate_within};

/// Whether a renewal's scope lies inside the grant that it renews, in all but time.
///
/// INVARIANT (R5): what cannot be shown to lie inside does not.
pub fn lies_inside_grant(scope: &Scope, question: &SealedQuestion, grant: &Grant) -> bool {
    let call = &question.call;
    let same = grant.subject == call.subject
        && grant.task == question.task
        && grant.chain == question.chain
        && Some(grant.enforcement_point.as_str()) == question.enforcement_point.as_deref()
        && grant.server == call.server
        && grant.tool == call.tool
        && grant.action == call.action;
    let resource = match &scope.resource {
        ResourceScope::Is(_) => call.resources.iter().all(|resource| names(grant, resource)),
        // Its members are held against the predecessor's when it is granted.
        ResourceScope::In(_) => scope.resource == grant.scope.resource,
    };
    let arguments = match (&scope.arguments, &grant.scope.arguments) {
        (ArgumentScope::Exact, ArgumentScope::Exact) => call.input_digest == grant.input_digest,
        (inner, outer) => {
            let known = |name: &SmolStr| grant.input_names.contains(name);
            input_names(call).iter().all(known) && arguments_within(inner, outer, call)
        }
    };
    same && resource
        && arguments
        && scope.max_uses <= grant.scope.max_uses
        && rate_within(scope, &grant.scope)
        && budgets_within(scope, &grant.scope)
}

/// Whether a scope and an earlier grant of the same subject, action and server have a call in common, whatever the task
/// that it was in. What cannot be shown to lie apart overlaps.
pub fn overlaps_grant(scope: &Scope, question: &SealedQuestion, grant: &Grant, approved: &SealedQuestion) -> bool {
    let call = &question.call;
    let same = grant.subject == call.subject && grant.action == call.action && grant.server == call.server;
    same && shares_resource(scope, question, grant, approved) && shares_arguments(scope, question, grant, approved)
}

/// Whether a grant names this resource.
fn names(grant: &Grant, resource: &EntityRef) -> bool {
    grant.members.contains(resource) || matches!(&grant.scope.resource, ResourceScope::Is(named) if named == resource)
}

fn shares_resource(scope: &Scope, question: &SealedQuestion, grant: &Grant, approved: &SealedQuestion) -> bool {
    if question.call.resources.iter().any(|resource| names(grant, resource)) {
        return true;
    }
    let ResourceScope::In(group) = &scope.resource else { return false };
    let in_group = |entity: &EntityRef| {
        entity == group || is_member(entity, group, question) || is_member(entity, group, approved)
    };
    match &grant.scope.resource {
        ResourceScope::Is(resource) if in_group(resource) => true,
        ResourceScope::In(other) if in_group(other) || is_member(group, other, question) => true,
        _ => grant.members.iter().any(in_group),
    }
}

fn shares_arguments(scope: &Scope, question: &SealedQuestion, grant: &Grant, approved: &SealedQuestion) -> bool {
    match (&scope.arguments, &grant.scope.arguments) {
        (ArgumentScope::Exact, ArgumentScope::Exact) => question.call.input_digest == grant.input_digest,
        (ArgumentScope::Exact, ArgumentScope::Conditions(held)) => {
            held.iter().all(|condition| holds(condition, &question.call))
        }
        (ArgumentScope::Conditions(asked), ArgumentScope::Exact) => {
            asked.iter().all(|condition| holds(condition, &approved.call))
        }
        (ArgumentScope::Conditions(asked), ArgumentScope::Conditions(held)) => {
            asked.iter().all(|one| held.iter().all(|other| one.at != other.at || !are_apart(&one.test, &other.test)))
        }
    }
}
