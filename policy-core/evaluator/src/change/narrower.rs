//! Whether a bundle is proved narrower than another: it permits nothing that the other does not, offers nothing that the
//! other does not offer on the same terms or laxer ones, and lets nobody do more.
//!
//! Proved by structure: the same schema, entities, configuration and `console/`; and of the policies only these steps:
//! a `forbid` added, a `permit` taken away, terms made stricter. Whatever else is different is not proved, however
//! harmless it is.
//!
//! It is told of one question at a time, with what the task was permitted before as it stands in the question. A policy may
//! look at that; then a task that was permitted less before may be permitted something now. Step by step whatever such a
//! task is permitted under the narrower bundle it could have had under the other one, by leaving out the same calls.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId, PolicySet};
use policy_core::lifecycle::strictest;
use policy_core::outcome::Terms;
use policy_core::sabotaged;
use serde::{Deserialize, Serialize};

use super::tree;
use crate::Bundle;
use crate::bundle::Folder;

/// What is different, and whether that is narrower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// Whether all of it together is proved narrower. Nothing different is narrower, too.
    pub proved: bool,
    /// What is different, step by step: what proves nothing first.
    pub steps: Vec<Step>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// Whether this step is narrower.
    pub narrows: bool,
    /// Which kind.
    pub kind: StepKind,
    /// The file or the policy's `@id` that it is about.
    pub of: String,
}

/// Kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Another schema.
    SchemaChanged,
    /// Other entities.
    EntitiesChanged,
    /// Another `bundle.toml`.
    ConfigChanged,
    /// Another policy of `console/`.
    ConsoleChanged,
    /// A `forbid` is gone.
    ForbidRemoved,
    /// A `permit` is new.
    PermitAdded,
    /// A policy of the same `@id` says something else.
    PolicyChanged,
    /// Terms are other ones, and not in every dimension as strict.
    TermsChanged,
    /// A permit of `approval/request/` is gone, and others may be left that are laxer, or that it kept from being asked.
    TermsRemoved,
    /// A `forbid` is new.
    ForbidAdded,
    /// A `permit` is gone.
    PermitRemoved,
    /// Terms are stricter.
    TermsStricter,
    /// Something can no longer be requested at all.
    RequestClosed,
}

/// What `new` changes of `old`.
pub fn narrowing(old: &Bundle, new: &Bundle) -> Narrowing {
    let mut steps: BTreeSet<Step> = BTreeSet::new();
    let mut step = |kind: StepKind, narrows: bool, of: &str| {
        steps.insert(Step { narrows, kind, of: of.to_owned() });
    };
    for (file, kind) in [("schema.cedarschema", StepKind::SchemaChanged), ("bundle.toml", StepKind::ConfigChanged)] {
        if old.files.get(file) != new.files.get(file) {
            step(kind, false, file);
        }
    }
    if old.digests.entities != new.digests.entities {
        step(StepKind::EntitiesChanged, false, "entities.json");
    }
    for (id, before, after) in pairs(old, new, Folder::Console) {
        // Its annotations decide as well: how many it takes.
        let whole = |policy: Option<&Policy>| policy.and_then(|policy| policy.to_json().ok());
        if whole(before).is_none_or(|before| whole(after) != Some(before)) {
            step(StepKind::ConsoleChanged, false, &id);
        }
    }
    for (id, before, after) in pairs(old, new, Folder::Guardrails) {
        match (before, after) {
            (None, Some(_)) => step(StepKind::ForbidAdded, true, &id),
            // INVARIANT (R2): a guardrail that is taken away is never narrower.
            (Some(_), None) => step(StepKind::ForbidRemoved, sabotaged!("r2_narrower_without_guardrail"), &id),
            (Some(before), Some(after)) if !same(before, after) => step(StepKind::PolicyChanged, false, &id),
            _ => {}
        }
    }
    for folder in [Folder::Scope, Folder::Approve] {
        for (id, before, after) in pairs(old, new, folder) {
            match (before, after) {
                (None, Some(_)) => step(StepKind::PermitAdded, false, &id),
                (Some(_), None) => step(StepKind::PermitRemoved, true, &id),
                (Some(before), Some(after)) if !same(before, after) => step(StepKind::PolicyChanged, false, &id),
                _ => {}
            }
        }
    }
    for (id, before, after) in pairs(old, new, Folder::Request) {
        if let Some((kind, narrows)) = request(old, new, &id, before, after) {
            step(kind, narrows, &id);
        }
    }
    let proved = steps.iter().all(|step| step.narrows);
    Narrowing { proved, steps: steps.into_iter().collect() }
}

/// A permit of `approval/request/` before and after: what changed, and whether that is narrower.
fn request(
    old: &Bundle,
    new: &Bundle,
    id: &str,
    before: Option<&Policy>,
    after: Option<&Policy>,
) -> Option<(StepKind, bool)> {
    let terms = |bundle: &Bundle| bundle.rules.policies.terms.get(id).cloned();
    let closes = |bundle: &Bundle| bundle.rules.policies.closed.contains(id);
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) if closes(new) => Some((StepKind::RequestClosed, true)),
        (None, Some(_)) => Some((StepKind::PermitAdded, false)),
        (Some(before), None) => {
            // What errs, or closes, kept what the others offer from being asked for.
            let harmless = !closes(old) && tree::never_errs(before);
            let weakest = terms(old).is_some_and(|gone| {
                let left = &new.rules.policies;
                left.closed.is_empty() && left.terms.values().all(|left| is_stricter(new, &gone, left))
            });
            let narrows = harmless && weakest;
            Some((if narrows { StepKind::PermitRemoved } else { StepKind::TermsRemoved }, narrows))
        }
        (Some(before), Some(after)) if !same(before, after) => Some((StepKind::PolicyChanged, false)),
        (Some(_), Some(_)) => match (terms(old), terms(new)) {
            (Some(before), Some(after)) if alike(&before, &after) => None,
            (Some(before), Some(after)) if is_stricter(new, &before, &after) => Some((StepKind::TermsStricter, true)),
            // One without terms closes: no bundle with another is accepted.
            (Some(_), None) => Some((StepKind::RequestClosed, true)),
            (None, None) => None,
            (_, Some(_)) => Some((StepKind::TermsChanged, false)),
        },
    }
}

/// Whether `after` is as strict as `before` in every dimension. Another tier is neither: who approves depends on it.
fn is_stricter(bundle: &Bundle, before: &Terms, after: &Terms) -> bool {
    let config = &bundle.rules.config;
    before.tier == after.tier && alike(&strictest(before, after, &config.tiers, &config.step_ups), after)
}

/// The same terms, whichever policies say them, and in whatever order people are told.
fn alike(one: &Terms, other: &Terms) -> bool {
    let bare = |terms: &Terms| {
        let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        Terms {
            policies: Vec::new(),
            notify: sorted(&terms.notify),
            escalate: sorted(&terms.escalate),
            ..terms.clone()
        }
    };
    bare(one) == bare(other)
}

fn same(before: &Policy, after: &Policy) -> bool {
    tree::decides(before).is_some_and(|before| tree::decides(after) == Some(before))
}

/// The policies of a folder in both bundles, by id.
fn pairs<'a>(
    old: &'a Bundle,
    new: &'a Bundle,
    folder: Folder,
) -> Vec<(String, Option<&'a Policy>, Option<&'a Policy>)> {
    let ids = |set: &PolicySet| set.policies().map(|policy| policy.id().to_string()).collect::<BTreeSet<_>>();
    let (before, after) = (old.rules.policies.set(folder), new.rules.policies.set(folder));
    let all: BTreeSet<String> = ids(before).into_iter().chain(ids(after)).collect();
    let find = |set: &'a PolicySet, id: &str| set.policy(&PolicyId::new(id));
    all.into_iter().map(|id| (id.clone(), find(before, &id), find(after, &id))).collect()
}
