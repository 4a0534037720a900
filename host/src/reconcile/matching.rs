//! Which decision a call was made on: by the ids that it names, else by what it is and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::execution::Execution;
use super::facts::{Account, Decided, Rules};
use super::{ALIKE, ALLOW, BEHIND, SKEW, before};

/// What was found for one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The very decision that it names.
    Named(&'a Decided),
    /// A decision that is alike, at that time, and that no other execution of the same source is on.
    Alike(&'a Decided),
    /// One that is alike and permitted, on which the same source tells of another call already.
    Spent(&'a Decided),
    /// One that is alike and permitted, whose allow had ended.
    Late(&'a Decided),
    /// A denial that is alike.
    Denied(&'a Decided),
    /// Nothing.
    Nothing,
}

/// An execution with what was found for it.
#[derive(Debug, Clone)]
pub(super) struct Placed<'a> {
    pub execution: &'a Execution,
    pub found: Found<'a>,
    /// The others that it may as well be, by time.
    pub others: Vec<&'a Decided>,
}

impl<'a> Found<'a> {
    /// The decision that it was made on.
    pub const fn decision(&self) -> Option<&'a Decided> {
        match self {
            Self::Named(decided) | Self::Alike(decided) => Some(decided),
            Self::Spent(_) | Self::Late(_) | Self::Denied(_) | Self::Nothing => None,
        }
    }
}

/// Finds a decision for each execution. Each source is matched by itself: two that tell of one call tell of one call.
pub(super) fn place<'a>(executions: &'a [Execution], account: &'a Account, rules: &Rules) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed<'a>> = Vec::with_capacity(executions.len());
    let mut left: Vec<&'a Execution> = Vec::new();
    let mut taken: BTreeSet<(&'a str, &'a str)> = BTreeSet::new();
    for execution in executions {
        match named(execution, account) {
            Some(decided) => {
                taken.insert((&execution.source, &decided.allow));
                placed.push(Placed { execution, found: Found::Named(decided), others: Vec::new() });
            }
            None => left.push(execution),
        }
    }
    // Who says more chooses first; then whoever was earlier.
    left.sort_by_key(|execution| {
        let said = &execution.said;
        let vague = (said.input_digest.is_none(), said.server.is_none(), said.call.is_none());
        (vague, execution.began(), &execution.source, &execution.id)
    });
    let mut by_time: BTreeMap<(i64, &'a str), &'a Decided> = BTreeMap::new();
    for decided in account.decided.values() {
        by_time.insert((decided.at.millis(), &decided.evaluation), decided);
    }
    for execution in left {
        let one = choose(execution, &by_time, rules, &mut taken);
        placed.push(one);
    }
    placed.sort_by_key(|placed| placed.execution.pieces.first().copied());
    placed
}

/// The decision that an execution names: by its evaluation, or by a call id that only one allow has.
fn named<'a>(execution: &Execution, account: &'a Account) -> Option<&'a Decided> {
    let said = &execution.said;
    if let Some(decided) = said.evaluation.as_ref().and_then(|evaluation| account.decided.get(evaluation.as_str())) {
        return Some(decided);
    }
    let call = said.call.as_ref()?;
    let (from, to) = window(execution, BEHIND);
    let same = |decided: &&Decided| {
        decided.call.as_ref() == Some(call)
            && execution.credential.as_ref().is_none_or(|credential| *credential == decided.kind.credential)
            && from <= decided.at.millis()
            && decided.at.millis() <= to
    };
    let found: Vec<&Decided> = account.decided.values().map(Arc::as_ref).filter(same).collect();
    let allows: BTreeSet<&str> = found.iter().map(|decided| decided.allow.as_str()).collect();
    if allows.len() != 1 {
        return None;
    }
    // Of a call and its repeats the one that was asked last before it began.
    let began = execution.began().plus(SKEW);
    let before_it = found.iter().filter(|decided| decided.at <= began);
    let before_it = before_it.max_by_key(|decided| (decided.at, &decided.evaluation));
    before_it.or_else(|| found.first()).copied()
}

/// Between which instants a decision stood that this execution may be on, where an allow is good for so long.
fn window(execution: &Execution, good: policy_core::time::Span) -> (i64, i64) {
    let began = execution.began();
    // Who does not say when it began may tell of it long after.
    let good = if execution.said.started_at.is_some() { good } else { BEHIND };
    (before(before(began, good), SKEW).millis(), began.plus(SKEW).millis())
}

/// The decision that is alike and nearest in time, where none is named.
fn choose<'a>(
    execution: &'a Execution,
    by_time: &BTreeMap<(i64, &'a str), &'a Decided>,
    rules: &Rules,
    taken: &mut BTreeSet<(&'a str, &'a str)>,
) -> Placed<'a> {
    let (from, to) = window(execution, ALLOW);
    let (behind, _) = window(execution, BEHIND);
    let began = execution.began().millis();
    let alike: Vec<&'a Decided> = by_time
        .range((behind, "")..)
        .take_while(|((at, _), _)| *at <= to)
        .map(|(_, decided)| *decided)
        .filter(|decided| is_alike(execution, decided, rules))
        .collect();
    let permitted = || alike.iter().filter(|decided| decided.permitted);
    let in_time = || permitted().filter(|decided| from <= decided.at.millis());
    // What was asked before it began comes before what was asked after; then the nearest.
    let distance = |decided: &Decided| {
        let at = decided.at.millis();
        (at > began, began.saturating_sub(at).saturating_abs(), decided.evaluation.clone())
    };
    let is_free = |decided: &Decided| !taken.contains(&(execution.source.as_str(), decided.allow.as_str()));
    let free = in_time().filter(|decided| is_free(decided)).min_by_key(|decided| distance(decided)).copied();
    let near = |chosen: &'a Decided| -> Vec<&'a Decided> {
        let close = |decided: &&&'a Decided| {
            let apart = decided.at.millis().saturating_sub(chosen.at.millis()).saturating_abs();
            apart <= ALIKE && decided.allow != chosen.allow
        };
        alike.iter().filter(close).copied().collect()
    };
    let (found, others) = if let Some(chosen) = free {
        (Found::Alike(chosen), near(chosen))
    } else if let Some(spent) = in_time().min_by_key(|decided| distance(decided)).copied() {
        (Found::Spent(spent), near(spent))
    } else {
        let newest = alike.iter().max_by_key(|decided| (decided.at, &decided.evaluation)).copied();
        match newest {
            Some(denied) if !denied.permitted => (Found::Denied(denied), near(denied)),
            Some(late) if is_free(late) => (Found::Late(late), near(late)),
            _ => (Found::Nothing, Vec::new()),
        }
    };
    if let Found::Alike(chosen) = &found {
        taken.insert((&execution.source, &chosen.allow));
    }
    Placed { execution, found, others }
}

/// Whether a decision is of what ran: the same in all that both say. The subject is the account's.
fn is_alike(execution: &Execution, decided: &Decided, rules: &Rules) -> bool {
    let said = &execution.said;
    let same_call = match (&execution.credential, &said.call, &decided.call) {
        // Its own ids: another id is another call.
        (Some(credential), Some(call), Some(asked)) if *credential == decided.kind.credential => call == asked,
        _ => true,
    };
    same_call
        && said.action.as_ref().is_some_and(|action| is_action(action, said.server.as_ref(), decided, rules))
        && agrees(said.server.as_ref(), decided.kind.server.as_ref())
        && agrees(said.input_digest.as_ref(), decided.input_digest.as_ref())
        && agrees(said.task.as_ref(), Some(&decided.kind.task))
}

/// Whether two say the same, where both say something.
pub(super) fn agrees<T: PartialEq>(said: Option<&T>, decided: Option<&T>) -> bool {
    said.is_none() || decided.is_none() || said == decided
}

/// Whether what a source calls an action is the decision's: the action's own name, or the tool's.
pub(super) fn is_action(action: &str, server: Option<&String>, decided: &Decided, rules: &Rules) -> bool {
    let kind = &decided.kind;
    if action == kind.action || kind.tools.iter().any(|tool| tool == action) {
        return true;
    }
    let Some(server) = server.or(kind.server.as_ref()) else { return false };
    rules.actions.get(&(server.clone(), action.to_owned())).is_some_and(|meant| *meant == kind.action)
}
