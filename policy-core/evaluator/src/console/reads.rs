//! What of its context a bundle's `console/` looks at: what nobody looks at need not be told, and what is alike without
//! it is asked once.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use policy_core::abi::ConsoleAct;
use serde_json::Value;

/// The members of the context that a policy set reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    members: BTreeSet<String>,
    /// A policy takes the context as a whole, or cannot be looked into.
    all: bool,
}

impl Reads {
    pub(crate) fn of(policies: &PolicySet) -> Self {
        let mut reads = Self::default();
        for policy in policies.policies() {
            match policy.to_json() {
                Ok(tree) => reads.look(&tree),
                Err(_) => reads.all = true,
            }
        }
        reads
    }

    fn look(&mut self, tree: &Value) {
        match tree {
            Value::Object(members) => {
                for (name, inner) in members {
                    let member = inner.get("attr").and_then(Value::as_str).filter(|_| is_context(inner.get("left")));
                    match member.filter(|_| name == "." || name == "has") {
                        Some(member) => drop(self.members.insert(member.to_owned())),
                        None if is_context(Some(inner)) => self.all = true,
                        None => self.look(inner),
                    }
                }
            }
            Value::Array(items) if items.iter().any(|item| is_context(Some(item))) => self.all = true,
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            _ => {}
        }
    }

    /// Whether it reads this member.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.all || self.members.contains(member)
    }

    /// An act without what nobody reads.
    pub(crate) fn lean(&self, act: ConsoleAct) -> ConsoleAct {
        let ConsoleAct { act, about, owners, requester, action, tier, task } = act;
        ConsoleAct {
            act,
            about,
            owners: if self.has("owners") { owners } else { Vec::new() },
            requester: requester.filter(|_| self.has("requester")),
            action: action.filter(|_| self.has("action")),
            tier: tier.filter(|_| self.has("tier")),
            task: task.filter(|_| self.has("task")),
        }
    }
}

fn is_context(tree: Option<&Value>) -> bool {
    tree.and_then(|tree| tree.get("Var")).and_then(Value::as_str) == Some("context")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_found_however_it_is_read() {
        let reads = |text: &str| Reads::of(&text.parse().unwrap());
        let found = |text: &str| {
            let reads = reads(&format!("permit (principal, action, resource) when {{ {text} }};"));
            (reads.members.into_iter().collect::<Vec<_>>().join(" "), reads.all)
        };
        for (text, members, all) in [
            ("true", "", false),
            ("resource.tier == \"low\"", "", false),
            ("context.tier == \"low\"", "tier", false),
            ("context has task && context[\"task\"] like \"T*\"", "task", false),
            (
                "if context.now > datetime(\"2026-01-01\") then context.owners.contains(principal) else false",
                "now owners",
                false,
            ),
            ("[context.requester].contains(principal)", "requester", false),
            ("principal.name == context.action", "action", false),
            ("context == resource.facts", "", true),
            ("[context].contains(resource.facts)", "", true),
            ("{a: context} == resource.facts", "", true),
        ] {
            assert_eq!(found(text), (members.to_owned(), all), "{text}");
        }
        assert!(reads("permit (principal, action, resource) unless { context.tier == \"x\" };").has("tier"));
        assert!(!reads("permit (principal, action, resource);").has("tier"));
    }
}
