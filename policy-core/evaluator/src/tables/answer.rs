//! What a bundle answers to a row's question, with no grants and no locks.

use policy_core::abi::{ABI_VERSION, Eligible, Voter};
use policy_core::entity::{EntityRef, Hop};
use policy_core::outcome::{Outcome, PolicyError, Reason, Terms};
use policy_core::question::{Purpose, Requested, SealedQuestion};
use serde::Serialize;

use super::read::{Tabled, Wanted, entity};
use crate::Bundle;
use crate::eligible::eligible;
use crate::evaluate::evaluate;
use crate::seal::{Ask, Claimed};

/// An answer, with who could approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The outcome.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// The policies that decide, sorted.
    pub policies: Vec<String>,
    /// The policies that erred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<PolicyError>,
    /// The terms of a requestable denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Who could approve it, sorted: eligible by policy at the strongest sign-in, and neither the requester, nor in the
    /// chain, nor an owner (R4).
    pub approvers: Vec<EntityRef>,
    /// What does not fit, where the question never reached a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Asks a bundle. Total: a question that does not fit is a denial with its reason.
pub fn answer(bundle: &Bundle, row: &Tabled) -> Answered {
    let mut question = match bundle.seal(&ask(bundle, row)) {
        Ok(question) => question,
        Err(error) => return misfit(error.reason, error.message),
    };
    question.requested = requested(bundle, &row.requested, &question.requested);
    let evaluation = evaluate(&bundle.rules, &question);
    let approvers = evaluation.terms.as_ref().map_or_else(Vec::new, |terms| approvers(bundle, question, terms));
    Answered {
        outcome: evaluation.outcome,
        reason: evaluation.reason,
        policies: evaluation.policies,
        errors: evaluation.errors,
        terms: evaluation.terms,
        approvers,
        message: None,
    }
}

/// An entity that a table names.
pub(super) fn named(bundle: &Bundle, text: &str) -> EntityRef {
    let config = &bundle.rules.config;
    bundle.shorten(&entity(text, |kind| bundle.rules.types.contains_key(&config.long(kind))))
}

fn ask(bundle: &Bundle, row: &Tabled) -> Ask {
    let hop = |text: &String| Hop { entity: named(bundle, text), issuer: "table".into() };
    Ask {
        purpose: Purpose::Question,
        subject: named(bundle, &row.subject),
        task: row.task.as_str().into(),
        chain: row.chain.iter().map(hop).collect(),
        enforcement_point: row.enforcement_point.as_deref().map(Into::into),
        bound: row.bound,
        vouched: false,
        server: row.server.as_deref().map(Into::into),
        tool: None,
        action: row.action.as_str().into(),
        resource: named(bundle, &row.resource),
        input: row.input.as_ref().and_then(|input| serde_json::to_value(input).ok()),
        claims: Claimed::default(),
        now: row.now,
        done: row.done.clone(),
    }
}

fn requested(bundle: &Bundle, wanted: &Wanted, sealed: &Requested) -> Requested {
    Requested {
        duration: wanted.duration.unwrap_or(sealed.duration),
        uses: wanted.uses.unwrap_or(sealed.uses),
        held_grants: wanted.held_grants,
        held_uses: wanted.held_uses,
        held_sum: wanted.held_sum,
        emergency: wanted.emergency,
        sum: wanted.sum,
        asker: wanted.asker.as_ref().map(|asker| named(bundle, asker).to_string()),
    }
}

fn misfit(reason: Reason, message: String) -> Answered {
    Answered {
        outcome: Outcome::Denial,
        reason,
        policies: Vec::new(),
        errors: Vec::new(),
        terms: None,
        approvers: Vec::new(),
        message: Some(message),
    }
}

/// Everybody whom the bundle knows and who could approve; nobody where the chain names no person to ask for it.
fn approvers(bundle: &Bundle, mut question: SealedQuestion, terms: &Terms) -> Vec<EntityRef> {
    let config = &bundle.rules.config;
    let person = config.short(&config.types.person);
    let requester = question.chain.iter().map(|hop| &hop.entity).find(|hop| hop.kind == person);
    let Some(requester) = requester.cloned() else { return Vec::new() };
    let people = bundle.people();
    bundle.add_people(&mut question, &people);
    let assurance = config.step_ups.last().cloned().unwrap_or_default();
    let owners = bundle.owners(&question.call.subject);
    let voter = |person: &EntityRef| Voter::new(person.clone(), assurance.clone());
    let input = Eligible {
        v: ABI_VERSION,
        people: people.iter().map(voter).collect(),
        tier: terms.tier.clone(),
        requester,
        owners,
        voted: Vec::new(),
        votes: 0,
        question,
    };
    let found = eligible(&bundle.rules, &input).unwrap_or_default();
    let free = |person: &EntityRef| {
        *person != input.requester
            && !input.owners.contains(person)
            && !input.question.chain.iter().any(|hop| hop.entity == *person)
    };
    let found = found.into_iter().filter(|one| one.eligible).map(|one| one.person);
    found.filter(|person| free(person)).collect()
}
