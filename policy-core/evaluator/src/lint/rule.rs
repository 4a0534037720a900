//! A rule taken apart: what its head admits, and what of its conditions needs no context.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use cedar_policy::{
    ActionConstraint, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint,
};
use serde_json::{Value, json};

use super::facts::{Facts, is_open};
use crate::Rules;
use crate::bundle::{APPROVE, Folder};
use crate::cedar;

/// Whom or what a head admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    Any,
    Is(String),
    Eq(EntityUid),
    In(EntityUid),
    IsIn(String, EntityUid),
}

/// A rule.
pub(super) struct Rule {
    pub(super) folder: Folder,
    principal: Head,
    resource: Head,
    /// The actions that it applies to, with what may take them on what.
    pub(super) actions: Vec<Applies>,
    /// Its conditions as conjuncts, each as Cedar's JSON.
    conjuncts: BTreeSet<String>,
    /// The rule with those conditions alone that need no context.
    pub(super) bare: PolicySet,
    /// Whether that is all of it.
    pub(super) is_bare: bool,
}

/// An action that a rule applies to, and the entities that could take it, and be meant, by the rule's head.
pub(super) struct Applies {
    pub(super) name: String,
    pub(super) action: EntityUid,
    pub(super) principals: Vec<EntityUid>,
    pub(super) resources: Vec<EntityUid>,
}

impl Rule {
    pub(super) fn of(policy: &Policy, folder: Folder, rules: &Rules, facts: &Facts) -> Option<Self> {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any => Head::Any,
            PrincipalConstraint::Is(kind) => Head::Is(kind.to_string()),
            PrincipalConstraint::Eq(uid) => Head::Eq(uid),
            PrincipalConstraint::In(uid) => Head::In(uid),
            PrincipalConstraint::IsIn(kind, uid) => Head::IsIn(kind.to_string(), uid),
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any => Head::Any,
            ResourceConstraint::Is(kind) => Head::Is(kind.to_string()),
            ResourceConstraint::Eq(uid) => Head::Eq(uid),
            ResourceConstraint::In(uid) => Head::In(uid),
            ResourceConstraint::IsIn(kind, uid) => Head::IsIn(kind.to_string(), uid),
        };
        let tree = policy.to_json().ok()?;
        let all = conjuncts(&tree);
        let bare: Vec<&Value> = all.iter().filter(|one| !names_context(one)).collect();
        let is_bare = bare.len() == all.len();
        let bare = projected(&tree, &bare)?;
        let mut actions = Vec::new();
        for (name, of) in &rules.actions {
            // `approval/approve/` is asked about `approve`, and nothing else is.
            if (name == APPROVE) != (folder == Folder::Approve) || of.principals.is_empty() {
                continue;
            }
            let action = cedar::action(rules, name).ok()?;
            let named = match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(uid) => uid == action,
                ActionConstraint::In(groups) => groups.iter().any(|group| facts.is_in(&action, group)),
            };
            if named {
                let found = |kinds: &BTreeSet<String>, head: &Head| admitted(rules, facts, kinds, head);
                let (principals, resources) = (found(&of.principals, &principal), found(&of.resources, &resource));
                actions.push(Applies { name: name.clone(), action, principals, resources });
            }
        }
        let conjuncts = all.iter().map(ToString::to_string).collect();
        Some(Self { folder, principal, resource, actions, conjuncts, bare, is_bare })
    }

    /// Whether this rule is satisfied whenever `other` is: by its head, and because it asks for no more.
    pub(super) fn covers(&self, other: &Self, rules: &Rules, facts: &Facts) -> bool {
        let names = |rule: &Self| rule.actions.iter().map(|action| action.name.clone()).collect::<BTreeSet<_>>();
        let (mine, others) = (names(self), names(other));
        let kinds = |of: fn(&crate::bundle::ActionType) -> &BTreeSet<String>| -> BTreeSet<String> {
            let actions = others.iter().filter_map(|name| rules.actions.get(name));
            actions.flat_map(|action| of(action).clone()).collect()
        };
        others.is_subset(&mine)
            && self.principal.covers(&other.principal, &kinds(|action| &action.principals), facts)
            && self.resource.covers(&other.resource, &kinds(|action| &action.resources), facts)
            && self.conjuncts.is_subset(&other.conjuncts)
    }

    /// Whether a text occurs in the rule's conditions, as Cedar's JSON writes them.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.conjuncts.iter().any(|conjunct| conjunct.contains(text))
    }

    /// Whether a question about these two satisfies what of the rule needs no context.
    pub(super) fn fits(&self, facts: &Facts, who: &EntityUid, action: &EntityUid, what: &EntityUid) -> Option<bool> {
        facts.holds(&self.bare, who, action, what)
    }
}

impl Head {
    fn covers(&self, other: &Self, kinds: &BTreeSet<String>, facts: &Facts) -> bool {
        let is = |kind: &String, uid: &EntityUid| uid.type_name().to_string() == *kind;
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Is(kind), Self::Any) => kinds.iter().all(|other| other == kind),
            (Self::Is(kind), Self::Is(other) | Self::IsIn(other, _)) => kind == other,
            (Self::Is(kind), Self::Eq(uid)) => is(kind, uid),
            (Self::Eq(uid), Self::Eq(other)) => uid == other,
            (Self::In(group), Self::Eq(uid) | Self::In(uid) | Self::IsIn(_, uid)) => facts.is_in(uid, group),
            (Self::IsIn(kind, group), Self::Eq(uid)) => is(kind, uid) && facts.is_in(uid, group),
            (Self::IsIn(kind, group), Self::IsIn(other, uid)) => kind == other && facts.is_in(uid, group),
            _ => false,
        }
    }
}

/// The entities of these types that a head admits.
fn admitted(rules: &Rules, facts: &Facts, kinds: &BTreeSet<String>, head: &Head) -> Vec<EntityUid> {
    let mut found: Vec<EntityUid> = kinds.iter().flat_map(|kind| facts.of_type(kind)).cloned().collect();
    // What the head names itself is meant, too, where the bundle need not know it.
    if let Head::Eq(uid) | Head::In(uid) | Head::IsIn(_, uid) = head {
        let kind = uid.type_name().to_string();
        if kinds.contains(&kind) && is_open(rules, &kind) && !found.contains(uid) {
            found.push(uid.clone());
        }
    }
    let of = |uid: &EntityUid, kind: &String| uid.type_name().to_string() == *kind;
    found.retain(|uid| match head {
        Head::Any => true,
        Head::Is(kind) => of(uid, kind),
        Head::Eq(named) => uid == named,
        Head::In(group) => facts.is_in(uid, group),
        Head::IsIn(kind, group) => of(uid, kind) && facts.is_in(uid, group),
    });
    found
}

/// What must hold, as far as it is joined by `&&`.
fn conjuncts(tree: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for condition in tree.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let body = condition.get("body").cloned().unwrap_or(Value::Null);
        let negated = condition.get("kind").and_then(Value::as_str) == Some("unless");
        split(body, negated, &mut found);
    }
    found
}

fn split(body: Value, negated: bool, into: &mut Vec<Value>) {
    let joined = if negated { "||" } else { "&&" };
    if let Some(both) = body.get(joined) {
        for side in ["left", "right"] {
            split(both.get(side).cloned().unwrap_or(Value::Null), negated, into);
        }
    } else if let Some(inner) = body.get("!").and_then(|not| not.get("arg")) {
        split(inner.clone(), !negated, into);
    } else if body.get("Value").and_then(Value::as_bool) == Some(!negated) {
        // It says nothing.
    } else if negated {
        into.push(json!({"!": {"arg": body}}));
    } else {
        into.push(body);
    }
}

fn names_context(tree: &Value) -> bool {
    match tree {
        Value::Object(members) => {
            members.get("Var").and_then(Value::as_str) == Some("context") || members.values().any(names_context)
        }
        Value::Array(items) => items.iter().any(names_context),
        _ => false,
    }
}

/// The rule with these conjuncts for conditions.
fn projected(tree: &Value, conjuncts: &[&Value]) -> Option<PolicySet> {
    let mut tree = tree.clone();
    let conditions: Vec<Value> = conjuncts.iter().map(|body| json!({"kind": "when", "body": body})).collect();
    tree.as_object_mut()?.insert("conditions".to_owned(), Value::Array(conditions));
    let policy = Policy::from_json(Some(PolicyId::new("bare")), tree).ok()?;
    PolicySet::from_policies([policy]).ok()
}

/// The type that an id in a message is shown with.
pub(super) fn shown(uid: &EntityUid) -> String {
    let kind = EntityTypeName::from_str(&uid.type_name().to_string());
    let kind = kind.map_or_else(|_| String::new(), |kind| kind.basename().to_owned());
    format!("{kind}::{}", uid.id().unescaped())
}
