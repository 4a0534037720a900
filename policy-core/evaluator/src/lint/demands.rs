//! What requests are asked for: too little for what cannot be taken back, more than there are people for, or two things
//! at once.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use policy_core::outcome::Terms;

use super::Lint;
use super::approvers::Approvers;
use super::rule::{Applies, Rule, shown};
use crate::bundle::Folder;
use crate::terms::strictest;

/// What `@effect` names when one person's yes is too little for what cannot be taken back.
const GRAVE: [&str; 3] = ["money", "production", "regulated"];

/// What is told of one rule, each code once, with the first case that shows it.
type Told = BTreeMap<&'static str, (String, &'static str)>;

impl Lint<'_> {
    /// Looks at every permit that makes something requestable.
    pub(super) fn demands(&mut self) {
        let mut memory = Approvers::default();
        let mut found: Vec<(String, Told)> = Vec::new();
        for (id, rule) in self.of(Folder::Request) {
            let mut told = Told::new();
            self.contradicts(id, rule, &mut told);
            for action in &rule.actions {
                for who in &action.principals {
                    for what in &action.resources {
                        if rule.fits(&self.facts, who, &action.action, what) == Some(true) {
                            self.look(id, rule, (action, who, what), &mut memory, &mut told);
                        }
                    }
                }
            }
            found.push((id.clone(), told));
        }
        for (id, told) in found {
            for (code, (message, help)) in told {
                self.warn(&id, code, message, help);
            }
        }
    }

    /// Two permits for the very same questions with different terms.
    fn contradicts(&self, id: &str, rule: &Rule, told: &mut Told) {
        let (rules, facts) = (&self.bundle.rules, &self.facts);
        let policies = &rules.policies;
        let twin = self.of(Folder::Request).find(|(other, that)| {
            other.as_str() < id && rule.covers(that, rules, facts) && that.covers(rule, rules, facts)
        });
        if let Some(terms) = policies.terms.get(id) {
            self.told_nobody(id, terms, told);
            if terms.max_rate.is_some_and(|rate| rate.uses >= terms.max_uses) {
                let message = format!("`{id}` has a `@max_rate` that its `@max_uses` never reaches");
                told.insert("conflicting_terms", (message, "lower the rate, or leave it out"));
            }
        }
        let Some((other, _)) = twin else { return };
        let differ = match (policies.terms.get(id), policies.terms.get(other)) {
            (Some(mine), Some(others)) => !same(mine, others),
            (None, None) => false,
            _ => true,
        };
        if differ {
            let message = format!("`{id}` matches the same requests as `{other}` and asks for other terms");
            let help = "the strictest of each counts: write them as one permit, or say in `when` where they differ";
            told.insert("conflicting_terms", (message, help));
        }
    }

    /// Groups to be told in which nobody is.
    fn told_nobody(&self, id: &str, terms: &Terms, told: &mut Told) {
        let mut groups = terms.notify.iter().chain(&terms.escalate);
        let people = |group: &String| self.bundle.people().iter().any(|person| self.bundle.is_in(person, group));
        if let Some(empty) = groups.find(|group| !people(group)) {
            let message = format!("`{id}` has `{empty}` told, and nobody is in it");
            told.insert("empty_group", (message, "name a group of entities.json that people are in"));
        }
    }

    /// The least that is asked for where this permit matches, held against people.
    fn look(
        &self,
        id: &str,
        rule: &Rule,
        (action, who, what): (&Applies, &EntityUid, &EntityUid),
        memory: &mut Approvers,
        told: &mut Told,
    ) {
        let Some(least) = self.least(id, rule, (action, who, what)) else { return };
        let whose = format!("what {} asks of {}", shown(who), shown(what));
        let persons = fewest(&least);
        let groups = u32::try_from(least.groups.len()).unwrap_or(u32::MAX);
        // Groups are no persons: somebody of two fills the seats of both.
        if persons < 2 && self.is_grave(&action.name) {
            let message =
                format!("`{id}` lets one person approve `{}`, which cannot be taken back: {whose}", action.name);
            let help = "ask for two with `@approvals(\"2\")`, or say `@reversible(\"yes\")` on an action that is";
            told.entry("single_approver").or_insert((message, help));
        }
        if groups > least.approvals {
            let message = format!("`{id}` asks for {} approvals, of {} groups: {whose}", least.approvals, groups);
            let help = "each group gives at least one vote: let `@approvals` be no less than there are groups";
            told.entry("conflicting_terms").or_insert((message, help));
        }
        if told.contains_key("no_eligible_approver") && told.contains_key("no_eligible_reviewer") {
            return;
        }
        let Some(people) = self.approvers(memory, who, &action.name, what, &least.tier) else { return };
        // Who voted reviews nothing, so that somebody must be left.
        let voters = usize::try_from(least.approvals).unwrap_or(usize::MAX);
        if (least.review_within.is_some() || least.emergency_approvals.is_some()) && people.len() == voters {
            let message = format!(
                "`{id}` asks for a review of {whose}, and the {voters} who could approve it at tier `{}` vote on it",
                least.tier
            );
            let help = "permit one more in approval/approve/: who voted, asked or owns the agent never reviews";
            told.entry("no_eligible_reviewer").or_insert((message, help));
        }
        let without: BTreeSet<&String> =
            least.groups.iter().filter(|group| !people.values().any(|of| of.contains(group))).collect();
        if people.len() < usize::try_from(least.approvals).unwrap_or(usize::MAX) || !without.is_empty() {
            let names: Vec<String> = people.keys().map(ToString::to_string).collect();
            let could =
                if names.is_empty() { "nobody could".to_owned() } else { format!("only {} could", names.join(", ")) };
            let missing: Vec<&str> = without.into_iter().map(String::as_str).collect();
            let of =
                if missing.is_empty() { String::new() } else { format!(", none of them of {}", missing.join(", ")) };
            let message = format!(
                "`{id}` asks for {} approvals at tier `{}` of {whose}, and {could}{of}",
                least.approvals, least.tier
            );
            let help =
                "permit more people in approval/approve/, or add them to the group; an agent's owner never counts";
            told.insert("no_eligible_approver", (message, help));
        }
    }

    /// The terms of this permit together with all that surely match where it does. Nothing where the request is surely
    /// refused or needless, or where too much has been tried.
    fn least(&self, id: &str, rule: &Rule, (action, who, what): (&Applies, &EntityUid, &EntityUid)) -> Option<Terms> {
        let (rules, facts) = (&self.bundle.rules, &self.facts);
        let mut all: Vec<&Terms> = Vec::new();
        for (other, that) in &self.rules {
            let applies = that.actions.iter().find(|applies| applies.action == action.action);
            let meant =
                applies.is_some_and(|applies| applies.principals.contains(who) && applies.resources.contains(what));
            if !meant || that.folder == Folder::Approve {
                continue;
            }
            let surely = other == id
                || that.covers(rule, rules, facts)
                || that.is_bare && that.fits(facts, who, &action.action, what)?;
            if !surely {
                continue;
            }
            if that.folder != Folder::Request {
                return None;
            }
            all.push(rules.policies.terms.get(other)?);
        }
        strictest(&rules.config, all.into_iter())
    }

    /// Whether one yes is too little for this action: grave, and not to be taken back.
    fn is_grave(&self, action: &str) -> bool {
        let says = |name: &str| self.bundle.rules.actions.get(action).and_then(|action| action.annotations.get(name));
        let effects = says("effect").map_or("", String::as_str);
        let grave = effects.split(',').any(|effect| GRAVE.contains(&effect.trim()));
        grave && says("reversible").is_none_or(|how| how != "yes")
    }
}

/// The fewest persons that may do, in an emergency, too.
fn fewest(terms: &Terms) -> u32 {
    terms.emergency_approvals.map_or(terms.approvals, |emergency| emergency.min(terms.approvals))
}

/// Whether two permits demand the same.
pub(super) fn same(a: &Terms, b: &Terms) -> bool {
    Terms { policies: Vec::new(), ..a.clone() } == Terms { policies: Vec::new(), ..b.clone() }
}
