//! What a model asks people for: the request for a call that was refused.

use policy_core::grant::{ArgumentScope, Scope};
use proviso_api::access_request::{DenialRef, OfferDisplay, RequestedAccess};
use proviso_api::authzen::{EvaluationReply, ReplyContext};
use serde_json::{Map, Value};

use super::Submission;
use crate::mcp::own_tools::{Asked, Planned};
use crate::mcp::question::Question;

/// A planned call as the parameters of `tools/call`.
pub(super) fn params_of(planned: &Planned) -> Map<String, Value> {
    let mut params = Map::from_iter([("name".to_owned(), Value::from(planned.tool.clone()))]);
    if let Some(arguments) = &planned.arguments {
        params.insert("arguments".to_owned(), arguments.clone());
    }
    params
}

/// The request for what was refused; nothing where it may not be requested.
pub(super) fn submission(question: &Question, asked: &Asked, reply: &EvaluationReply) -> Option<Submission> {
    let context = &reply.context;
    let offer = context.access_request.as_ref()?;
    Some(Submission {
        question: question.clone(),
        denial: DenialRef {
            evaluation_id: Some(context.evaluation_id.clone()),
            binding_token: offer.binding_token.clone(),
            expires_at: offer.expires_at,
        },
        justification: asked.justification.clone(),
        requested: requested(asked, context, &offer.display),
    })
}

/// What is asked for besides the call; nothing where the model says nothing of it.
fn requested(asked: &Asked, context: &ReplyContext, offer: &OfferDisplay) -> Option<RequestedAccess> {
    let says_how_much = asked.duration.is_some() || asked.uses.is_some() || !asked.conditions.is_empty();
    if !says_how_much && !asked.emergency {
        return None;
    }
    let scope = says_how_much.then(|| scope(asked, context, offer));
    Some(RequestedAccess { emergency: asked.emergency, scope, ..RequestedAccess::default() })
}

/// The smallest scope that lets the call through, as far as the model does not say otherwise, and as long as it says or
/// as the terms allow.
///
/// INVARIANT (R6): validity counts from the approval. The end of the window leaves people all the time to decide that
/// the offer leaves them, and the whole validity behind it.
fn scope(asked: &Asked, context: &ReplyContext, offer: &OfferDisplay) -> Scope {
    let smallest = &offer.scope;
    let valid_for = asked.duration.unwrap_or(offer.max_duration);
    let to_decide = smallest.not_after.since(context.evaluated_at.plus(smallest.valid_for.unwrap_or_default()));
    let mut scope = Scope {
        valid_for: Some(valid_for),
        not_after: context.evaluated_at.plus(to_decide).plus(valid_for),
        ..smallest.clone()
    };
    if let Some(uses) = asked.uses {
        scope.max_uses = uses;
    }
    if !asked.conditions.is_empty() {
        scope.arguments = ArgumentScope::Conditions(asked.conditions.clone());
    }
    scope
}
