//! Whether a grant covers a call, and if not, what is missing (R3).

use crate::sabotaged;
use thiserror::Error;

use crate::grant::{ArgumentScope, Grant, ResourceScope, Scope};
use crate::question::{Call, Candidate, SealedQuestion};
use crate::value::Value;

use super::arguments::{argument, conditions, holds, input_names};

/// A dimension of a grant that a call lies outside of, from the farthest to the nearest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// Another workload identity.
    Subject,
    /// Another task.
    Task,
    /// Another chain, or the same hops in another order.
    Chain,
    /// Another enforcement point, or none.
    EnforcementPoint,
    /// Another upstream server.
    Server,
    /// Another definition of the tool.
    Tool,
    /// Another action.
    Action,
    /// Another resource.
    Resource,
    /// Other arguments, where the grant is for one digest of them.
    Arguments,
    /// An argument that the approved call did not have, by name.
    AddedArgument(String),
    /// An argument that does not meet its condition, by its path.
    Argument(Vec<String>),
}

/// Why a grant does not cover a call. Ordered: the largest is the nearest miss, the one worth telling the agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Miss {
    /// The call lies outside the grant.
    #[error("the call lies outside the grant: {}", .0.word())]
    OutOfScope(Dimension),
    /// A budget would be passed, or its argument is missing, negative or no whole number.
    #[error("the grant's budget for `{}` would be passed", .0.join("."))]
    OverBudget(Vec<String>),
    /// Its uses are used up.
    #[error("the grant's uses are used up")]
    Exhausted,
    /// Its window has ended.
    #[error("the grant's time has ended")]
    Expired,
    /// Its window has not begun.
    #[error("the grant's time has not begun")]
    NotYetActive,
    /// It would be used faster than its rate.
    #[error("the grant would be used faster than its rate")]
    OverRate,
}

impl Dimension {
    /// The dimension's word: `subject`, …, or `input.` and an argument's path.
    pub fn word(&self) -> String {
        match self {
            Self::Subject => "subject".into(),
            Self::Task => "task".into(),
            Self::Chain => "chain".into(),
            Self::EnforcementPoint => "enforcement_point".into(),
            Self::Server => "server".into(),
            Self::Tool => "tool".into(),
            Self::Action => "action".into(),
            Self::Resource => "resource".into(),
            Self::Arguments => "input".into(),
            Self::AddedArgument(name) => format!("input.{name}"),
            Self::Argument(at) => format!("input.{}", at.join(".")),
        }
    }
}

impl Miss {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfScope(_) => "out_of_scope",
            Self::OverBudget(_) => "over_budget",
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::NotYetActive => "not_yet_active",
            Self::OverRate => "over_rate",
        }
    }
}

/// Whether this grant, with these counters, lets this call through.
///
/// # Errors
/// What is missing; where several things are, the farthest.
pub fn covers(candidate: &Candidate, question: &SealedQuestion) -> Result<(), Miss> {
    let grant = &candidate.grant;
    // INVARIANT (R3): every dimension is compared; one that differs ends it.
    identity(grant, question)?;
    resources(grant, &question.call)?;
    arguments(grant, &question.call)?;
    budgets(candidate, &question.call)?;
    if candidate.uses_left == 0 {
        return Err(Miss::Exhausted);
    }
    // INVARIANT (R6): not usable at `not_after` or later.
    if question.now >= grant.scope.not_after && !sabotaged!("r6_grant_outlives") {
        return Err(Miss::Expired);
    }
    if grant.scope.not_before.is_some_and(|begin| question.now < begin) {
        return Err(Miss::NotYetActive);
    }
    // A count that is missing is doubt (R8).
    if grant.scope.rate.is_some() && candidate.rate_left.unwrap_or(0) == 0 {
        return Err(Miss::OverRate);
    }
    Ok(())
}

/// What a call takes from each budget of a scope, in their order.
///
/// # Errors
/// When a budget's argument is absent, negative or no whole number.
pub fn amounts(scope: &Scope, call: &Call) -> Result<Vec<i64>, Miss> {
    let amount = |at: &Vec<String>| match argument(call, at) {
        Some(Value::Long(amount)) if call.typed && *amount >= 0 => Ok(*amount),
        _ => Err(Miss::OverBudget(at.clone())),
    };
    scope.budgets.iter().map(|budget| amount(&budget.at)).collect()
}

fn identity(grant: &Grant, question: &SealedQuestion) -> Result<(), Miss> {
    let call = &question.call;
    let enforcement_point = question.enforcement_point.as_deref();
    // Whose word a chain is stands in its hops: alone it would hide that the gate does not look at how an agent is shown.
    let unasked = sabotaged!("r3_vouched_use");
    let compared = [
        (sabotaged!("r3_subject") || grant.subject == call.subject, Dimension::Subject),
        (sabotaged!("r3_task") || grant.task == question.task, Dimension::Task),
        (unasked || sabotaged!("r3_chain") || grant.chain == question.chain, Dimension::Chain),
        (
            sabotaged!("r3_enforcement_point") || enforcement_point == Some(grant.enforcement_point.as_str()),
            Dimension::EnforcementPoint,
        ),
        (sabotaged!("r3_server") || grant.server == call.server, Dimension::Server),
        (sabotaged!("r3_tool") || grant.tool == call.tool, Dimension::Tool),
        (grant.action == call.action, Dimension::Action),
    ];
    match compared.into_iter().find(|(same, _)| !same) {
        Some((_, dimension)) => Err(Miss::OutOfScope(dimension)),
        None => Ok(()),
    }
}

fn resources(grant: &Grant, call: &Call) -> Result<(), Miss> {
    // A group means its members when it was approved; with `is` there are members where a call had several resources.
    let named = match &grant.scope.resource {
        ResourceScope::Is(resource) => Some(resource),
        ResourceScope::In(_) => None,
    };
    let covered = call.resources.iter().all(|resource| named == Some(resource) || grant.members.contains(resource));
    if sabotaged!("r3_resource") || covered && !call.resources.is_empty() {
        Ok(())
    } else {
        Err(Miss::OutOfScope(Dimension::Resource))
    }
}

fn arguments(grant: &Grant, call: &Call) -> Result<(), Miss> {
    if sabotaged!("r3_arguments") {
        return Ok(());
    }
    if grant.scope.arguments == ArgumentScope::Exact {
        return if grant.input_digest == call.input_digest {
            Ok(())
        } else {
            Err(Miss::OutOfScope(Dimension::Arguments))
        };
    }
    // An action without a typed schema can be granted for one digest only.
    if !call.typed || conditions(&grant.scope).is_empty() {
        return Err(Miss::OutOfScope(Dimension::Arguments));
    }
    if let Some(added) = input_names(call).into_iter().find(|name| !grant.input_names.contains(name)) {
        return Err(Miss::OutOfScope(Dimension::AddedArgument(added.into())));
    }
    match conditions(&grant.scope).iter().find(|condition| !holds(condition, call)) {
        Some(condition) => Err(Miss::OutOfScope(Dimension::Argument(condition.at.clone()))),
        None => Ok(()),
    }
}

fn budgets(candidate: &Candidate, call: &Call) -> Result<(), Miss> {
    let scope = &candidate.grant.scope;
    let taken = amounts(scope, call)?;
    for (position, (budget, amount)) in scope.budgets.iter().zip(taken).enumerate() {
        // A counter that is missing is doubt (R8).
        if candidate.budgets_left.get(position).is_none_or(|left| amount > *left) {
            return Err(Miss::OverBudget(budget.at.clone()));
        }
    }
    Ok(())
}
