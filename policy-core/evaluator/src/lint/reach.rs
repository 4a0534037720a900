//! Rules that never decide anything.

use cedar_policy::{ValidationMode, ValidationWarning};

use super::Lint;
use super::rule::Rule;
use crate::bundle::Folder;

const CODE: &str = "unreachable_rule";

impl Lint<'_> {
    /// What Cedar's own validator finds odd.
    pub(super) fn validator(&mut self) {
        let mut found = Vec::new();
        for folder in Folder::ALL {
            let result = self
                .bundle
                .rules
                .validator(folder)
                .validate(self.bundle.rules.policies.set(folder), ValidationMode::Strict);
            found.extend(result.validation_warnings().map(|warning| {
                use ValidationWarning as W;
                let code = match warning {
                    W::ImpossiblePolicy(_) | W::InvalidActionApplication(_) => CODE,
                    _ => "odd_characters",
                };
                (warning.policy_id().to_string(), code, warning.to_string())
            }));
        }
        for (id, code, message) in found {
            let help = match code {
                CODE => "no question can ever satisfy it: correct its head or its conditions, or take it out",
                _ => "write it with letters that look like nothing else",
            };
            self.warn(&id, code, format!("`{id}`: {message}"), help);
        }
    }

    /// Rules that nothing known fits, and rules that another makes idle.
    pub(super) fn reach(&mut self) {
        let mut found: Vec<(String, String, &'static str)> = Vec::new();
        for (id, rule) in &self.rules {
            // A guardrail that nothing fits today is a guardrail for tomorrow: only its head is looked at.
            let fits = if rule.folder == Folder::Guardrails { self.names_something(rule) } else { self.fits(rule) };
            if !fits {
                let message = format!("`{id}` decides nothing: no entity that the bundle knows fits it");
                let help = "check the names in it against entities.json, and its conditions against their attributes";
                found.push((id.clone(), message, help));
            } else if let Some((by, why, help)) = self.idle(id, rule) {
                found.push((id.clone(), format!("`{id}` decides nothing: {why} `{by}`"), help));
            }
        }
        for (id, message, help) in found {
            self.warn(&id, CODE, message, help);
        }
    }

    fn names_something(&self, rule: &Rule) -> bool {
        rule.actions.iter().any(|action| !action.principals.is_empty() && !action.resources.is_empty())
    }

    /// Whether some question satisfies what of the rule needs no context. Doubt is yes.
    fn fits(&self, rule: &Rule) -> bool {
        rule.actions.iter().any(|action| {
            action.principals.iter().any(|who| {
                let mut what = action.resources.iter();
                what.any(|what| rule.fits(&self.facts, who, &action.action, what).unwrap_or(true))
            })
        })
    }

    /// The rule that decides whatever this one would, and why this one then does not.
    fn idle(&self, id: &String, rule: &Rule) -> Option<(String, &'static str, &'static str)> {
        let (rules, facts) = (&self.bundle.rules, &self.facts);
        let by = |folder: Folder| {
            let mut others = self.of(folder).filter(move |(other, _)| *other != id);
            others.find(|(_, other)| other.covers(rule, rules, facts)).map(|(other, _)| other.clone())
        };
        if matches!(rule.folder, Folder::Scope | Folder::Request)
            && let Some(by) = by(Folder::Guardrails)
        {
            return Some((by, "all that it would open is forbidden by", "narrow the guardrail, or take the rule out"));
        }
        if rule.folder == Folder::Request
            && let Some(by) = by(Folder::Scope)
        {
            let help = "what needs a request must not lie in scope: narrow the permit in scope/, or take the rule out";
            return Some((by, "nobody needs to ask for what is permitted already by", help));
        }
        let mut others = self.of(rule.folder).filter(|(other, _)| *other != id);
        let by = others.find(|(other, that)| {
            let again = rule.covers(that, rules, facts);
            // Of two that say the same the first one counts; of two with different terms see `demands`.
            that.covers(rule, rules, facts) && self.demands_no_more(id, other, again) && (!again || *other < id)
        });
        by.map(|(by, _)| (by.clone(), "all of it is decided already by", "take it out, or say where it differs"))
    }

    /// Whether the terms of `id` add nothing to those of `other`.
    fn demands_no_more(&self, id: &str, other: &str, again: bool) -> bool {
        let policies = &self.bundle.rules.policies;
        match (policies.terms.get(id), policies.terms.get(other)) {
            (Some(mine), Some(others)) => {
                let both = crate::terms::strictest(&self.bundle.rules.config, [others, mine].into_iter());
                both.is_some_and(|both| super::demands::same(&both, others))
                    && (!again || super::demands::same(mine, others))
            }
            // What another closes is closed; what this one closes, no other does unless it closes it, too.
            (Some(_), None) => policies.closed.contains(other),
            (None, Some(_)) => false,
            (None, None) => true,
        }
    }
}
