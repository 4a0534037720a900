//! What is right by the letter and yet hardly meant: rules that never decide, requests that nobody can approve, terms
//! that contradict each other, one person's yes for what cannot be taken back.
//!
//! A warning stops nothing: the bundle loads. What is told here is told of this bundle, with the people and entities
//! that `entities.json` knows; what only a call's arguments or the hour decide is left open, in the rule's favour.

pub mod about;
mod approvers;
mod demands;
mod facts;
mod reach;
mod rule;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Bundle;
use crate::bundle::Folder;
use facts::Facts;
use rule::Rule;

/// One thing to look at. The bundle loads with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// The file, by its path in the bundle with `/`.
    pub file: String,
    /// The line of the rule's `@id`, from 1.
    pub line: u32,
    /// A stable code: `no_eligible_approver`, `unreachable_rule`, `conflicting_terms`, `single_approver`,
    /// `empty_group`, `odd_characters` or `not_all_tried`.
    pub code: &'static str,
    /// What is odd, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// What is looked at together: the rules, and what is true of entities.
struct Lint<'a> {
    bundle: &'a Bundle,
    facts: Facts,
    rules: BTreeMap<String, Rule>,
    warnings: Vec<Warning>,
}

/// What to look at in a bundle that loads, sorted by file and line.
pub fn warnings(bundle: &Bundle) -> Vec<Warning> {
    let facts = Facts::of(bundle);
    let rules = Folder::OF_AGENTS.into_iter().flat_map(|folder| {
        let policies = bundle.rules.policies.set(folder).policies();
        let facts = &facts;
        policies
            .filter_map(move |policy| Some((policy.id().to_string(), Rule::of(policy, folder, &bundle.rules, facts)?)))
    });
    let rules = rules.collect();
    let mut lint = Lint { bundle, facts, rules, warnings: Vec::new() };
    lint.validator();
    lint.reach();
    lint.demands();
    if lint.facts.ran_out() {
        let message = "the bundle holds too many entities to try each rule on all of them".to_owned();
        let help = "what is told is true; try a copy with fewer agents, people and resources to be told the rest";
        let (file, code) = (crate::bundle::ENTITIES.to_owned(), "not_all_tried");
        lint.warnings.push(Warning { file, line: 1, code, message, help: help.to_owned() });
    }
    let mut warnings = lint.warnings;
    warnings.sort();
    warnings.dedup();
    warnings
}

impl Lint<'_> {
    /// Warns of a rule, at its `@id`.
    fn warn(&mut self, rule: &str, code: &'static str, message: String, help: &str) {
        let file = self.bundle.rules.file_of(rule).unwrap_or_default().to_owned();
        let line = self.bundle.rules.line_of(rule);
        self.warnings.push(Warning { file, line, code, message, help: help.to_owned() });
    }

    /// The rules of a folder, by id.
    fn of(&self, folder: Folder) -> impl Iterator<Item = (&String, &Rule)> {
        self.rules.iter().filter(move |(_, rule)| rule.folder == folder)
    }
}

#[cfg(test)]
mod tests;
