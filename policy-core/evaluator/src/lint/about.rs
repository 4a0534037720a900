//! Which policies could decide about somebody: by their heads, and by what of their conditions needs no call.

use cedar_policy::EntityUid;
use policy_core::entity::EntityRef;
use policy_core::value::Value;

use super::facts::Facts;
use super::rule::Rule;
use crate::bundle::Folder;
use crate::cedar;
use crate::{Bundle, Rules};

/// How many resources one policy names at most here.
const MOST_RESOURCES: usize = 20;

/// A policy that could decide about somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Its `@id`.
    pub policy: String,
    /// Its folder.
    pub folder: Folder,
    /// Its file.
    pub file: String,
    /// The line of its `@id`, from 1.
    pub line: u32,
    /// The actions that it is about, sorted.
    pub actions: Vec<String>,
    /// What of the bundle's entities it can be about, sorted and cut; one that stands for all that the bundle need not
    /// know has an id in brackets.
    pub resources: Vec<EntityRef>,
    /// How many there are in all.
    pub resources_in_all: usize,
    /// Whether its conditions look at the call, too: then it decides about some calls of these and not about others.
    pub looks_at_the_call: bool,
    /// Its text.
    pub text: String,
}

/// The policies of `guardrails/`, `scope/` and `approval/request/` that could decide about somebody, in this order and by
/// id. One whose conditions exclude them whatever the call is not told.
pub fn about(bundle: &Bundle, who: &EntityRef) -> Vec<Mention> {
    let facts = Facts::of(bundle);
    let rules = &bundle.rules;
    let Ok(uid) = cedar::uid(rules, who) else { return Vec::new() };
    let mut found = Vec::new();
    for folder in [Folder::Guardrails, Folder::Scope, Folder::Request] {
        let mut of_folder = Vec::new();
        for policy in rules.policies.set(folder).policies() {
            let Some(rule) = Rule::of(policy, folder, rules, &facts) else { continue };
            let (mut actions, mut resources) = (Vec::new(), Vec::new());
            for applies in &rule.actions {
                let on = applies.resources.iter().filter(|what| {
                    // What was not tried is told: it could be.
                    rule.fits(&facts, &uid, &applies.action, what).unwrap_or(true)
                });
                let on: Vec<EntityRef> = on.map(|what| reference(rules, what)).collect();
                if applies.principals.contains(&uid) && !on.is_empty() {
                    actions.push(applies.name.clone());
                    resources.extend(on);
                }
            }
            if actions.is_empty() {
                continue;
            }
            actions.sort();
            resources.sort();
            resources.dedup();
            let resources_in_all = resources.len();
            resources.truncate(MOST_RESOURCES);
            let id = policy.id().to_string();
            of_folder.push(Mention {
                folder,
                file: rules.file_of(&id).unwrap_or_default().to_owned(),
                line: rules.line_of(&id),
                actions,
                resources,
                resources_in_all,
                looks_at_the_call: !rule.is_bare,
                text: policy.to_string(),
                policy: id,
            });
        }
        of_folder.sort_by(|a, b| a.policy.cmp(&b.policy));
        found.extend(of_folder);
    }
    found
}

/// What the bundle says of an entity: its attributes by name.
pub fn attributes(bundle: &Bundle, of: &EntityRef) -> Vec<(String, Value)> {
    let fact = bundle.facts.get(of);
    fact.map(|fact| fact.attrs.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
        .unwrap_or_default()
}

fn reference(rules: &Rules, uid: &EntityUid) -> EntityRef {
    EntityRef::new(rules.config.short(&uid.type_name().to_string()), uid.id().unescaped())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::tests::sample;

    fn told(id: &str) -> Vec<Mention> {
        let bundle = Bundle::accept(&sample()).unwrap();
        about(&bundle, &EntityRef::new("Agent", format!("spiffe://acme.example/agent/{id}")))
    }

    fn ids(mentions: &[Mention], folder: Folder) -> Vec<&str> {
        mentions.iter().filter(|told| told.folder == folder).map(|told| told.policy.as_str()).collect()
    }

    #[test]
    fn what_could_decide_about_an_agent_is_told_by_folder_with_its_text() {
        let told = told("report-writer");
        let requests = ids(&told, Folder::Request);
        assert!(requests.contains(&"writing-a-file-needs-one"), "{requests:?}");
        // Its autonomy is 2: what is for 3 and more never decides about it.
        assert!(!requests.contains(&"the-autonomous-get-less"), "{requests:?}");
        assert!(!ids(&told, Folder::Guardrails).is_empty() && !ids(&told, Folder::Scope).is_empty());
        assert!(ids(&told, Folder::Approve).is_empty(), "an agent approves nothing");
        let writing = told.iter().find(|told| told.policy == "writing-a-file-needs-one").unwrap();
        assert_eq!(writing.actions, ["edit_file", "write_file"]);
        assert_eq!(writing.resources, [EntityRef::new("Volume", "files")]);
        assert!(writing.looks_at_the_call && writing.text.contains("/srv/files/*"), "{writing:?}");
        assert_eq!((writing.file.as_str(), writing.line > 1), ("approval/request/files.cedar", true));
    }

    #[test]
    fn of_whom_the_bundle_knows_nothing_nothing_is_told() {
        let bundle = Bundle::accept(&sample()).unwrap();
        assert_eq!(about(&bundle, &EntityRef::new("NoType", "x")), []);
        let more = told("close-planner");
        assert!(ids(&more, Folder::Request).contains(&"the-autonomous-get-less"));
    }
}
