//! One identity in several tasks, or on several hosts, at once.

use std::collections::{BTreeMap, BTreeSet};

use proviso_api::findings::FindingKind;

use super::facts::{Drawn, Reconciled};
use super::matching::Placed;

/// How far apart, in milliseconds, two calls on different hosts may be and still are at once: nobody moves so fast.
const MOVES_WITHIN: i64 = 10_000;

/// What is compared.
struct Side<'a> {
    kind: FindingKind,
    /// How far apart two calls may be and still are at once, in milliseconds.
    slack: i64,
    name: &'a dyn Fn(&Placed<'_>) -> Option<String>,
}

/// Compares each source's calls with one another: two sources may name one host in two ways.
pub(super) fn at_once(all: &mut Reconciled, placed: &[Placed<'_>]) {
    let task = |one: &Placed<'_>| match one.found.decision() {
        Some(decided) => Some(decided.kind.task.clone()),
        None => one.execution.said.task.clone(),
    };
    let host = |one: &Placed<'_>| one.execution.said.host.clone();
    let sides = [
        Side { kind: FindingKind::SeveralTasks, slack: 0, name: &task },
        Side { kind: FindingKind::SeveralHosts, slack: MOVES_WITHIN, name: &host },
    ];
    for side in &sides {
        let mut by_source: BTreeMap<&str, Vec<(String, &Placed<'_>)>> = BTreeMap::new();
        for one in placed {
            if let Some(name) = (side.name)(one) {
                by_source.entry(&one.execution.source).or_default().push((name, one));
            }
        }
        for mut named in by_source.into_values() {
            named.sort_by_key(|(_, one)| (one.execution.began(), one.execution.pieces.first().copied()));
            sweep(all, side, &named);
        }
    }
}

/// Goes through one source's calls in time, with those beside it that still run.
fn sweep(all: &mut Reconciled, side: &Side<'_>, named: &[(String, &Placed<'_>)]) {
    // Of each name only the call that runs longest: it is at once with whatever any other of that name is.
    let mut running: BTreeMap<&str, &Placed<'_>> = BTreeMap::new();
    for (name, one) in named {
        let began = one.execution.began().millis();
        for (other, beside) in &running {
            let ends = beside.execution.ended().millis().saturating_add(side.slack);
            // Two that only touch follow one another.
            let is_beside = if side.slack == 0 { began < ends } else { began <= ends };
            if *other != name && is_beside {
                all.draw(pair(side.kind, (other, beside), (name, one)));
            }
        }
        let longer = running.get(name.as_str()).is_none_or(|held| held.execution.ended() < one.execution.ended());
        if longer {
            running.insert(name, one);
        }
    }
}

fn pair(kind: FindingKind, (one, first): (&str, &Placed<'_>), (other, second): (&str, &Placed<'_>)) -> Drawn {
    let names = BTreeSet::from([one.to_owned(), other.to_owned()]);
    let both = [first, second];
    let decided = both.iter().filter_map(|one| one.found.decision());
    Drawn {
        kind,
        key: names.iter().cloned().collect::<Vec<_>>().join("\0"),
        task: None,
        // Both must be true for it.
        strength: first.execution.class.min(second.execution.class),
        ambiguous: false,
        evidence: both.iter().flat_map(|one| one.execution.pieces.iter().copied()).collect(),
        decisions: decided.map(|decided| decided.seq).collect(),
        exception: None,
        action: None,
        about: names.into_iter().collect(),
        at: second.execution.began(),
    }
}
