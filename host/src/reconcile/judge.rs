//! What is different between what was approved and what ran.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::time::{Span, Timestamp};
use proviso_api::findings::{EvidenceClass, FindingKind};
use proviso_api::operations::ExecutionPhase;

use super::at_once::at_once;
use super::execution::{Execution, executions};
use super::facts::{Account, Decided, Drawn, GrantFact, Reconciled, Rules};
use super::matching::{Found, Placed, agrees, is_action, place};
use super::{ALLOW, SKEW, TOLD_WITHIN, before};

/// What one allow came to.
#[derive(Default)]
struct Ran<'a> {
    /// The executions on it, with the decisions that each may as well be.
    on: Vec<&'a Placed<'a>>,
    /// The decisions: the first and its repeats.
    decided: Vec<&'a Decided>,
}

/// Compares all that is known of one subject.
pub fn reconcile(account: &Account, grants: &[GrantFact], rules: &Rules, now: Timestamp) -> Reconciled {
    let mut all = Reconciled::default();
    let executions = executions(account);
    let (known, old): (Vec<Execution>, Vec<Execution>) =
        executions.into_iter().partition(|execution| is_known(execution, account));
    all.too_old = old.len();
    all.executions = known.len();
    let placed = place(&known, account, rules);
    let mut allows: BTreeMap<&str, Ran<'_>> = BTreeMap::new();
    for decided in account.decided.values().filter(|decided| decided.permitted) {
        allows.entry(&decided.allow).or_default().decided.push(decided);
    }
    for one in &placed {
        all.ambiguous += usize::from(!one.others.is_empty());
        match &one.found {
            Found::Named(decided) | Found::Alike(decided) => {
                all.matched += 1;
                on_decision(&mut all, one, decided, grants, rules);
                allows.entry(&decided.allow).or_default().on.push(one);
            }
            Found::Spent(decided) => allows.entry(&decided.allow).or_default().on.push(one),
            Found::Late(decided) => {
                let kind = ended_kind(one.execution, decided, grants).unwrap_or(FindingKind::AfterExpiry);
                all.draw(of_call(kind, one, &[decided]));
            }
            Found::Denied(decided) => all.draw(of_call(FindingKind::RanAfterDenial, one, &[decided])),
            Found::Nothing => all.draw(without_decision(one, grants)),
        }
    }
    for (allow, ran) in &allows {
        more_often(&mut all, allow, ran);
        outcome_unknown(&mut all, allow, ran, rules, now);
        never_ran(&mut all, (allow, ran), &placed, rules, now);
    }
    for grant in grants {
        never_used(&mut all, grant, account, now);
    }
    at_once(&mut all, &placed);
    all
}

/// Whether every decision that an execution may be on is still known.
fn is_known(execution: &Execution, account: &Account) -> bool {
    let named =
        execution.said.evaluation.as_ref().is_some_and(|evaluation| account.decided.contains_key(evaluation.as_str()));
    let reach = before(before(execution.began(), super::BEHIND), SKEW);
    // Who does not say when it began, and names what is not known, may speak of any time.
    let is_dated = execution.said.started_at.is_some() || execution.said.evaluation.is_none();
    named || account.since.is_none_or(|since| is_dated && since <= reach)
}

/// What an execution is held against that has a decision.
fn on_decision(all: &mut Reconciled, one: &Placed<'_>, decided: &Decided, grants: &[GrantFact], rules: &Rules) {
    let said = &one.execution.said;
    if !decided.permitted {
        all.draw(of_call(FindingKind::RanAfterDenial, one, &[decided]));
        return;
    }
    let same_action = said.action.as_ref().is_none_or(|action| is_action(action, said.server.as_ref(), decided, rules));
    let differs = [
        (said.subject.as_ref().is_none_or(|subject| *subject == decided.kind.subject), "the subject"),
        (agrees(said.task.as_ref(), Some(&decided.kind.task)), "the task"),
        (same_action, "the action"),
        (agrees(said.server.as_ref(), decided.kind.server.as_ref()), "the server"),
        (agrees(said.input_digest.as_ref(), decided.input_digest.as_ref()), "the arguments"),
        (said.grant.is_none() || said.grant == decided.grant, "the grant"),
    ];
    let about: Vec<String> = differs.iter().filter(|(same, _)| !same).map(|(_, what)| (*what).to_owned()).collect();
    if !about.is_empty() {
        all.draw(Drawn { about, ..of_call(FindingKind::OutsideConditions, one, &[decided]) });
    }
    if let Some(kind) = ended_kind(one.execution, decided, grants) {
        all.draw(of_call(kind, one, &[decided]));
    }
}

/// Whether it began after its allow or its grant had ended. Only of what says when it began: a report may come late.
fn ended_kind(execution: &Execution, decided: &Decided, grants: &[GrantFact]) -> Option<FindingKind> {
    let began = execution.said.started_at?;
    let grant = decided.grant.as_ref().and_then(|id| grants.iter().find(|grant| grant.grant == *id));
    let after = |end: Timestamp, good: Span| end.plus(good).plus(SKEW) < began;
    if grant.and_then(|grant| grant.revoked_at).is_some_and(|revoked| after(revoked, ALLOW)) {
        return Some(FindingKind::AfterRevocation);
    }
    let expired = grant.is_some_and(|grant| after(grant.not_after, ALLOW));
    (expired || after(decided.at, ALLOW)).then_some(FindingKind::AfterExpiry)
}

/// Something ran, and nothing that was decided is like it. What it says of a grant tells more.
fn without_decision(one: &Placed<'_>, grants: &[GrantFact]) -> Drawn {
    let said = &one.execution.said;
    let grant = said.grant.as_ref().and_then(|id| grants.iter().find(|grant| grant.grant == *id));
    let kind = match grant {
        None => FindingKind::RanWithoutDecision,
        Some(grant) => {
            let after = |end: Timestamp| said.started_at.is_some_and(|began| end.plus(ALLOW).plus(SKEW) < began);
            if grant.revoked_at.is_some_and(after) {
                FindingKind::AfterRevocation
            } else if after(grant.not_after) {
                FindingKind::AfterExpiry
            } else {
                FindingKind::RanWithoutDecision
            }
        }
    };
    Drawn { exception: grant.map(|grant| grant.exception.clone()), ..of_call(kind, one, &[]) }
}

/// A difference that one execution shows.
fn of_call(kind: FindingKind, one: &Placed<'_>, decided: &[&Decided]) -> Drawn {
    let execution = one.execution;
    let first = decided.first();
    Drawn {
        kind,
        key: format!("{}\0{}", execution.source, execution.id),
        task: execution.said.task.clone().or_else(|| first.map(|decided| decided.kind.task.clone())),
        strength: execution.class,
        ambiguous: !one.others.is_empty(),
        evidence: execution.pieces.clone(),
        decisions: decided.iter().chain(&one.others).map(|decided| decided.seq).collect(),
        exception: first.and_then(|decided| decided.exception.clone()),
        action: execution.said.action.clone().or_else(|| first.map(|decided| decided.kind.action.clone())),
        about: Vec::new(),
        at: execution.began(),
    }
}

/// A difference that an allow shows.
fn of_allow(kind: FindingKind, allow: &str, ran: &Ran<'_>, on: &[&Placed<'_>]) -> Drawn {
    let others = on.iter().flat_map(|one| &one.others);
    let first = ran.decided.first();
    Drawn {
        kind,
        key: allow.to_owned(),
        task: first.map(|decided| decided.kind.task.clone()),
        strength: EvidenceClass::Observed,
        ambiguous: on.iter().any(|one| !one.others.is_empty()),
        evidence: on.iter().flat_map(|one| one.execution.pieces.iter().copied()).collect(),
        decisions: ran.decided.iter().chain(others).map(|decided| decided.seq).collect(),
        exception: ran.decided.iter().find_map(|decided| decided.exception.clone()),
        action: first.map(|decided| decided.kind.action.clone()),
        about: Vec::new(),
        at: first.map_or_else(|| Timestamp::from_millis(0), |decided| decided.at),
    }
}

/// One allow is for one call, once: two that one source tells of are one too many, whoever else tells of either.
fn more_often(all: &mut Reconciled, allow: &str, ran: &Ran<'_>) {
    let mut by_source: BTreeMap<&str, Vec<&Placed<'_>>> = BTreeMap::new();
    for one in &ran.on {
        by_source.entry(&one.execution.source).or_default().push(one);
    }
    for on in by_source.values().filter(|on| on.len() > 1 && !ran.decided.is_empty()) {
        let strength = on.iter().map(|one| one.execution.class).max().unwrap_or(EvidenceClass::Reported);
        all.draw(Drawn { strength, ..of_allow(FindingKind::MoreOften, allow, ran, on) });
    }
}

/// It was begun, and nobody whose word counts as much says how it ended.
fn outcome_unknown(all: &mut Reconciled, allow: &str, ran: &Ran<'_>, rules: &Rules, now: Timestamp) {
    let point = ran.decided.iter().find_map(|decided| decided.kind.point.as_ref());
    let within = point.and_then(|point| rules.reports_within.get(point)).copied().unwrap_or(TOLD_WITHIN);
    let ended = |phase| matches!(phase, ExecutionPhase::Executed | ExecutionPhase::Failed);
    let known = ran.on.iter().filter(|one| ended(one.execution.said.phase)).map(|one| one.execution.class).max();
    // INVARIANT (R11): a weaker word closes nothing that a stronger one opened.
    let open = ran.on.iter().filter(|one| !ended(one.execution.said.phase) && known < Some(one.execution.class));
    let mut silent: Vec<&Placed<'_>> = Vec::new();
    for one in open {
        let due = one.execution.heard.plus(within);
        if one.execution.said.phase == ExecutionPhase::OutcomeUnknown || due <= now {
            silent.push(one);
        } else {
            all.look_again(due);
        }
    }
    if let Some(strength) = silent.iter().map(|one| one.execution.class).max() {
        all.draw(Drawn { strength, ..of_allow(FindingKind::OutcomeUnknown, allow, ran, &silent) });
    }
}

/// It was permitted, and a point that declares to report has not seen it run within its delay.
fn never_ran(
    all: &mut Reconciled,
    (allow, ran): (&str, &Ran<'_>),
    placed: &[Placed<'_>],
    rules: &Rules,
    now: Timestamp,
) {
    let Some(last) = ran.decided.iter().max_by_key(|decided| (decided.at, &decided.evaluation)) else { return };
    let Some(within) = last.kind.point.as_ref().and_then(|point| rules.reports_within.get(point)) else { return };
    // INVARIANT (R11): the silence of a point is observed, so that no agent's word ends it.
    if ran.on.iter().any(|one| one.execution.class > EvidenceClass::Reported) {
        return;
    }
    let due = last.at.plus(ALLOW).plus(*within);
    if due <= now {
        // One that is alike ran, and it may have been this one.
        let maybe = placed.iter().filter(|one| one.others.iter().any(|other| other.allow == allow));
        let on: Vec<&Placed<'_>> = ran.on.iter().copied().chain(maybe).collect();
        let mut drawn = of_allow(FindingKind::NeverRan, allow, ran, &on);
        drawn.decisions.extend(on.iter().filter_map(|one| one.found.decision()).map(|decided| decided.seq));
        all.draw(drawn);
    } else {
        all.look_again(due);
    }
}

/// A grant whose time has ended without one use.
fn never_used(all: &mut Reconciled, grant: &GrantFact, account: &Account, now: Timestamp) {
    if grant.used || grant.revoked_at.is_some() || account.since.is_some_and(|since| grant.not_after < since) {
        return;
    }
    if now < grant.not_after {
        all.look_again(grant.not_after);
        return;
    }
    all.draw(Drawn {
        kind: FindingKind::GrantNeverUsed,
        key: grant.exception.clone(),
        task: Some(grant.task.clone()),
        strength: EvidenceClass::Observed,
        ambiguous: false,
        evidence: BTreeSet::new(),
        decisions: BTreeSet::new(),
        exception: Some(grant.exception.clone()),
        action: Some(grant.action.clone()),
        about: Vec::new(),
        at: grant.not_after,
    });
}
