//! A grant as one Cedar `permit`: built as a syntax tree, never as text, and compared by the tree of the re-parsed text.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Policy, PolicyId};
use policy_core::abi::{Compiled, chain_text};
use policy_core::containment::is_normal_path;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Grant, ResourceScope, Scalar, Test};
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::Rules;
use crate::bundle::ActionType;
use crate::bundle::types::{Member, Type};

/// Why a grant is no permit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileError {
    /// The action is not in the schema.
    #[error("the schema has no action of that name")]
    UnknownAction,
    /// The action's context does not declare what a permit needs.
    #[error("the action's context declares no `{0}` of the type that a grant needs")]
    Undeclared(&'static str),
    /// An action without a typed schema can be granted for one digest only.
    #[error("the action declares no arguments: it can be granted for the exact arguments only")]
    Untyped,
    /// A condition on what the schema does not declare, or not with that type.
    #[error("the condition on `{0}` does not fit the schema")]
    Condition(String),
    /// Nothing is covered.
    #[error("the grant covers no resource")]
    NoResource,
    /// Cedar does not take the tree, or the text does not read as the same tree.
    #[error("the permit does not read as it was written: {0}")]
    NotTheSame(String),
}

/// The grant as policy, for people to read.
///
/// # Errors
/// See [`CompileError`].
pub fn compile(rules: &Rules, grant: &Grant) -> Result<Compiled, CompileError> {
    let not_the_same = |error: &dyn std::fmt::Display| CompileError::NotTheSame(error.to_string());
    let text = |policy: &Policy| policy.to_cedar().ok_or_else(|| not_the_same(&"it has no text"));
    let parse = |text: &str| Policy::parse(Some(PolicyId::new(&grant.id)), text).map_err(|error| not_the_same(&error));
    let tree = |policy: &Policy| policy.to_json().map_err(|error| not_the_same(&error));
    let cedar = text(&permit(rules, grant)?)?;
    let once = parse(&cedar)?;
    let twice = parse(&text(&once)?)?;
    // A tree equals itself only after one more parse.
    let est = tree(&once)?;
    if (&est, &cedar) != (&tree(&twice)?, &text(&once)?) {
        return Err(not_the_same(&"its text changes when it is read again"));
    }
    Ok(Compiled { cedar, est })
}

/// The permit that is evaluated.
pub(crate) fn permit(rules: &Rules, grant: &Grant) -> Result<Policy, CompileError> {
    let tree = tree(rules, grant)?;
    Policy::from_json(Some(PolicyId::new(&grant.id)), tree).map_err(|error| CompileError::NotTheSame(error.to_string()))
}

fn tree(rules: &Rules, grant: &Grant) -> Result<Json, CompileError> {
    let action = rules.actions.get(grant.action.as_str()).ok_or(CompileError::UnknownAction)?;
    let uid = |entity: &EntityRef| json!({"type": rules.config.long(&entity.kind), "id": entity.id});
    let resource = match (&grant.scope.resource, grant.members.is_empty()) {
        (ResourceScope::Is(resource), true) => json!({"op": "==", "entity": uid(resource)}),
        _ => json!({"op": "All"}),
    };
    let clauses = clauses(rules, grant, action)?.into_iter();
    let conditions: Vec<Json> = clauses.map(|body| json!({"kind": "when", "body": body})).collect();
    Ok(json!({
        "effect": "permit",
        "principal": {"op": "==", "entity": uid(&grant.subject)},
        "action": {"op": "==", "entity": uid(&EntityRef::new("Action", grant.action.clone()))},
        "resource": resource,
        "conditions": conditions,
        "annotations": {"id": grant.id},
    }))
}

/// INVARIANT (R3): one clause for every dimension that the head of the permit does not fix.
fn clauses(rules: &Rules, grant: &Grant, action: &ActionType) -> Result<Vec<Json>, CompileError> {
    let mut clauses = Vec::new();
    let members: BTreeSet<&EntityRef> = match &grant.scope.resource {
        ResourceScope::Is(resource) if !grant.members.is_empty() => {
            grant.members.iter().chain(std::iter::once(resource)).collect()
        }
        ResourceScope::Is(_) => BTreeSet::new(),
        ResourceScope::In(_) if grant.members.is_empty() => return Err(CompileError::NoResource),
        ResourceScope::In(_) => grant.members.iter().collect(),
    };
    if !members.is_empty() {
        let members: Vec<Json> = members.into_iter().map(|member| entity(rules, member)).collect();
        clauses.push(json!({"contains": {"left": {"Set": members}, "right": {"Var": "resource"}}}));
    }
    let must = |name: &'static str, of: &Type| {
        if action.declares(name, of) { Ok(member(name)) } else { Err(CompileError::Undeclared(name)) }
    };
    clauses.push(binary("==", must("task", &Type::String)?, text(&grant.task)));
    let now = must("now", &Type::Datetime)?;
    let instant = |instant: policy_core::time::Timestamp| json!({"datetime": [{"Value": instant.to_string()}]});
    if let Some(begin) = grant.scope.not_before {
        clauses.push(binary(">=", now.clone(), instant(begin)));
    }
    clauses.push(binary("<", now, instant(grant.scope.not_after)));
    if action.declares("chain", &Type::String) {
        clauses.push(binary("==", member("chain"), text(&chain_text(&grant.chain))));
    }
    if action.declares("server", &Type::String) {
        let has = json!({"has": {"left": {"Var": "context"}, "attr": "server"}});
        clauses.push(match &grant.server {
            Some(server) => binary("&&", has, binary("==", member("server"), text(server))),
            None => json!({"!": {"arg": has}}),
        });
    }
    match &grant.scope.arguments {
        ArgumentScope::Exact => {
            let digest = must("input_digest", &Type::String)?;
            clauses.push(binary("==", digest, text(&grant.input_digest.to_string())));
        }
        ArgumentScope::Conditions(conditions) => {
            let declared = action.input().ok_or(CompileError::Untyped)?;
            for name in declared.keys().filter(|name| !grant.input_names.iter().any(|held| held == name.as_str())) {
                clauses.push(json!({"!": {"arg": {"has": {"left": member("input"), "attr": name}}}}));
            }
            for condition in conditions {
                clauses.push(clause(rules, declared, condition)?);
            }
        }
    }
    Ok(clauses)
}

/// One condition: the argument is there, and the test holds of it.
fn clause(rules: &Rules, declared: &BTreeMap<String, Member>, condition: &Condition) -> Result<Json, CompileError> {
    let refuse = || CompileError::Condition(condition.at.join("."));
    let of = crate::bundle::types::at(declared, &condition.at).ok_or_else(refuse)?;
    let (mut value, mut has) = (member("input"), None);
    for name in &condition.at {
        let here = json!({"has": {"left": value, "attr": name}});
        has = Some(match has {
            Some(before) => binary("&&", before, here),
            None => here,
        });
        value = json!({".": {"left": value, "attr": name}});
    }
    let scalar = |scalar: &Scalar| {
        let fits = match (scalar, &of.of) {
            (Scalar::Bool(_), Type::Bool) | (Scalar::Long(_), Type::Long) | (Scalar::String(_), Type::String) => true,
            (Scalar::Entity(uid), Type::Entity(kind)) => rules.config.long(&uid.kind) == *kind,
            _ => false,
        };
        if !fits {
            return Err(refuse());
        }
        Ok(match scalar {
            Scalar::Bool(bool) => json!({"Value": bool}),
            Scalar::Long(long) => json!({"Value": long}),
            Scalar::String(string) => text(string),
            Scalar::Entity(uid) => entity(rules, uid),
        })
    };
    let test = match &condition.test {
        Test::Equals { value: wanted } => binary("==", value, scalar(wanted)?),
        Test::OneOf { values } => {
            let values = values.iter().map(scalar).collect::<Result<Vec<_>, _>>()?;
            json!({"contains": {"left": {"Set": values}, "right": value}})
        }
        Test::Between { min, max } => {
            let (min, max) = (scalar(&Scalar::Long(*min))?, scalar(&Scalar::Long(*max))?);
            binary("&&", binary(">=", value.clone(), min), binary("<=", value, max))
        }
        Test::Inside { path } => {
            if of.of != Type::String || !of.path || !is_normal_path(path) {
                return Err(refuse());
            }
            // Letter by letter: a `*` in anyone's text is a letter, only the last element is the wildcard.
            let folder = if path == "/" { "" } else { path.as_str() };
            let letters = folder.chars().chain(['/']).map(|letter| json!({"Literal": letter.to_string()}));
            let pattern: Vec<Json> = letters.chain([json!("Wildcard")]).collect();
            let below = json!({"like": {"left": value, "pattern": pattern}});
            binary("||", binary("==", value, text(path)), below)
        }
    };
    Ok(match has {
        Some(has) => binary("&&", has, test),
        None => return Err(refuse()),
    })
}

fn member(name: &str) -> Json {
    json!({".": {"left": {"Var": "context"}, "attr": name}})
}

fn text(text: &str) -> Json {
    json!({"Value": text})
}

fn entity(rules: &Rules, uid: &EntityRef) -> Json {
    json!({"Value": {"__entity": {"type": rules.config.long(&uid.kind), "id": uid.id}}})
}

fn binary(operator: &str, left: Json, right: Json) -> Json {
    let operands = json!({"left": left, "right": right});
    Json::Object([(operator.to_owned(), operands)].into_iter().collect())
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
