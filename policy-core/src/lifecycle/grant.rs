//! The grant that the votes make (R3).

use super::command::Context;
use super::rejection::Rejection;
use super::state::Exception;
use crate::containment::input_names;
use crate::entity::EntityRef;
use crate::grant::{Grant, MOST_MEMBERS, Rate, ResourceScope, Scope};
use crate::outcome::Terms;
use crate::time::Timestamp;

/// What is granted where this scope is granted at this instant: its end fixed, its rate the one that keeps to the terms,
/// too.
///
/// INVARIANT (R5): never wider than the scope.
pub(super) fn granted_scope(scope: &Scope, terms: &Terms, at: Timestamp) -> Scope {
    Scope {
        max_uses: scope.max_uses.min(terms.max_uses),
        rate: match (scope.rate, terms.max_rate) {
            (Some(rate), Some(most)) => Some(Rate::strictest(rate, most)),
            (rate, most) => rate.or(most),
        },
        ..scope.granted_at(at, Some(terms.max_duration))
    }
}

/// What a grant of this scope would name one by one (R3): a group's members now, or the several resources of one call.
pub(super) fn members(exception: &Exception, scope: &Scope, context: &Context) -> Result<Vec<EntityRef>, Rejection> {
    let mut members = match &scope.resource {
        ResourceScope::In(_) => inherited(exception, context)?,
        ResourceScope::Is(_) => match exception.request.question.call.resources.as_slice() {
            [_] => Vec::new(),
            several => several.to_vec(),
        },
    };
    members.sort();
    members.dedup();
    let needed = matches!(scope.resource, ResourceScope::In(_));
    if members.len() > MOST_MEMBERS || (needed && members.is_empty()) { Err(Rejection::BadGroup) } else { Ok(members) }
}

/// The group's members now; where a grant is renewed, those of them that it had.
fn inherited(exception: &Exception, context: &Context) -> Result<Vec<EntityRef>, Rejection> {
    let Some(renewal) = exception.request.renews.as_ref().filter(|renewal| renewal.declared) else {
        return Ok(context.members.clone());
    };
    // INVARIANT (R5): a renewal lies inside its predecessor, also where the group has grown since.
    let predecessor = context.predecessor.as_ref().filter(|predecessor| predecessor.request.id == renewal.of);
    let held = predecessor.and_then(|predecessor| predecessor.phase.grant()).ok_or(Rejection::BadGroup)?;
    Ok(context.members.iter().filter(|member| held.grant.members.contains(member)).cloned().collect())
}

pub(super) fn grant(exception: &Exception, terms: &Terms, context: &Context) -> Result<Grant, Rejection> {
    let version = exception.current().ok_or(Rejection::Unknown)?;
    let question = &exception.request.question;
    Ok(Grant {
        id: context.grant_id.as_str().into(),
        exception: exception.request.id.as_str().into(),
        version: version.number,
        subject: question.call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: question.enforcement_point.clone().ok_or(Rejection::NoEnforcementPoint)?,
        server: question.call.server.clone(),
        tool: question.call.tool,
        action: question.call.action.clone(),
        members: members(exception, &version.scope, context)?,
        scope: granted_scope(&version.scope, terms, context.now),
        input_digest: question.call.input_digest,
        input_names: input_names(&question.call),
    })
}
