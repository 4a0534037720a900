//! What a bundle leaves weak: people, owners, and rules that are hardly meant.

use std::collections::BTreeMap;

use policy_core::console::Act;
use policy_evaluator::{Bundle, lint};

use super::Found;
use crate::clock::{Clock as _, SystemClock};

/// With fewer people nobody is left to approve, once requester and owner are left out.
const FEWEST: usize = 3;

/// Looks at a bundle that loads, and the files that it was read from.
pub fn look_at_bundle(bundle: &Bundle, files: &BTreeMap<String, String>, found: &mut Found) {
    for warning in lint::warnings(bundle) {
        let code = match warning.code {
            "no_eligible_approver" | "no_eligible_reviewer" => "terms_without_people",
            "single_approver" => "one_yes_for_grave_acts",
            "empty_group" => "empty_group",
            _ => "rule_hardly_meant",
        };
        found.tell(code, format!("{}:{}: {}", warning.file, warning.line, warning.message));
    }
    for agent in bundle.subjects().iter().filter(|agent| bundle.owners(agent).is_empty()) {
        found.tell("agent_without_owner", format!("nobody owns `{agent}`"));
    }
    people(bundle, files, found);
    administrators(bundle, found);
    if !holds(files, "guardrails/", "forbid") {
        found.tell("nothing_forbidden", "no file of guardrails/ holds a `forbid`");
    }
    let config = &bundle.rules.config;
    let highest = config.tiers.iter().rfind(|tier| !config.not_requestable.contains(tier));
    if highest.is_some_and(|highest| !config.record.wait_for_copy.contains(highest)) {
        found.tell("no_copy_awaited", "`[record] wait_for_copy` does not name the highest tier");
    }
    let believed: Vec<&str> = config
        .claims
        .iter()
        .filter(|(_, claims)| !claims.names.is_empty())
        .map(|(kind, _)| kind.as_str())
        .chain(config.context_claims.iter().filter(|claims| !claims.names.is_empty()).map(|_| "the context"))
        .collect();
    if !believed.is_empty() {
        found.tell("claims_believed", format!("of {}", believed.join(", ")));
    }
}

/// Who there is to approve. Whom `approval/approve/` permits it says by groups, in every bundle that is meant to grow.
fn people(bundle: &Bundle, files: &BTreeMap<String, String>, found: &mut Found) {
    let people = bundle.people();
    if people.len() < FEWEST {
        found.tell("too_few_people", format!("entities.json knows {} people", people.len()));
    }
    if !holds(files, "approval/request/", "permit") {
        return;
    }
    let texts: String =
        files.iter().filter(|(path, _)| path.starts_with("approval/approve/")).map(|(_, text)| text.as_str()).collect();
    let could = people.iter().filter(|person| {
        let named = |id: &str| texts.contains(&format!("\"{id}\""));
        named(&person.id) || bundle.groups_of(person).iter().any(|group| named(group))
    });
    let could: Vec<String> = could.map(ToString::to_string).collect();
    // Where nobody is named, policy says it otherwise, and the lint above has tried it on everybody.
    if let [only] = could.as_slice() {
        found.tell("one_approver", format!("only `{only}` is named in approval/approve/, or in a group of it"));
    }
}

/// Who there is to look after people. Without `console/` the host's operator does.
fn administrators(bundle: &Bundle, found: &mut Found) {
    let able = bundle.who_may(Act::Administer, SystemClock.now());
    if bundle.has_console() && able.len() < 2 {
        let names: Vec<String> = able.iter().map(ToString::to_string).collect();
        let who = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        found.tell("one_administrator", format!("{who} may `administer`"));
    }
}

/// Whether a file of a folder holds this word outside its comments.
fn holds(files: &BTreeMap<String, String>, folder: &str, word: &str) -> bool {
    let lines = files.iter().filter(|(path, _)| path.starts_with(folder)).flat_map(|(_, text)| text.lines());
    lines.map(|line| line.split("//").next().unwrap_or_default()).any(|line| line.contains(word))
}
