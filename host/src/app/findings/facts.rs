//! What a comparison reads besides evidence and decisions, and what a difference is on record.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Phase;
use proviso_api::findings::FindingKind;
use smol_str::SmolStr;

use super::event::FindingFacts;
use crate::app::policy::Policy;
use crate::app::state::State;
use crate::reconcile::{Drawn, GrantFact, Rules};
use crate::store::Keys;

/// The grants of a subject.
pub(super) fn grants(state: &State, subject: &EntityRef) -> Vec<GrantFact> {
    let from = (subject.clone(), SmolStr::default());
    let of_subject = state.granted.range(from..).take_while(|((of, _), _)| of == subject);
    let entries = of_subject.flat_map(|(_, ids)| ids).filter_map(|id| state.exceptions.get(id));
    let facts = entries.filter_map(|entry| {
        let phase = &entry.exception.phase;
        let held = phase.grant()?;
        let revoked_at = match phase {
            Phase::Revoked { at, .. } => Some(*at),
            _ => None,
        };
        Some(GrantFact {
            exception: entry.exception.request.id.clone(),
            grant: held.grant.id.to_string(),
            task: held.grant.task.to_string(),
            action: held.grant.action.to_string(),
            not_after: held.grant.scope.not_after,
            used: held.uses > 0 || !held.taken.is_empty(),
            revoked_at,
        })
    });
    facts.collect()
}

/// What the bundle says of tools, and of points that declare to report.
pub(super) fn rules_of(policy: &Policy) -> Rules {
    let config = policy.config();
    let actions = config.tool.iter();
    let actions = actions.map(|tool| ((tool.server.clone(), tool.name.clone()), tool.action.clone()));
    let within = config.reconcile.as_ref().map(|reconcile| reconcile.reports_within.clone()).unwrap_or_default();
    Rules { actions: actions.collect(), reports_within: within }
}

/// The same difference has the same id, and the id tells nothing to who does not have the key.
pub(in crate::app) fn finding_id(keys: &Keys, kind: FindingKind, subject: &EntityRef, key: &str) -> String {
    let code = keys.code(b"proviso-finding-v1\0", format!("{}\0{subject}\0{key}", kind.word()).as_bytes());
    let code: String = code.to_string().chars().take(32).collect();
    format!("find_{code}")
}

/// A difference as it is written down. It begins with whoever owns the agent now.
pub(super) fn facts_of(policy: &Policy, id: String, subject: &EntityRef, drawn: &Drawn) -> FindingFacts {
    FindingFacts {
        id,
        what: drawn.kind,
        subject: subject.clone(),
        task: drawn.task.clone(),
        strength: drawn.strength,
        ambiguous: drawn.ambiguous,
        evidence: drawn.evidence.iter().copied().collect(),
        decisions: drawn.decisions.iter().copied().collect(),
        exception: drawn.exception.clone(),
        action: drawn.action.clone(),
        about: drawn.about.clone(),
        owner: policy.owners(subject).into_iter().next(),
        happened_at: drawn.at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_name_the_kinds_of_findings_that_there_are() {
        assert_eq!(policy_evaluator::bundle::FINDINGS, FindingKind::ALL.map(FindingKind::word));
    }
}
