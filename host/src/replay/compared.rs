//! What two bundles answer to the same recorded questions, side by side: what a proposal of another bundle lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use audit_verify::source::StoredRecord;
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;
use policy_evaluator::Bundle;

use super::bench::Bench;
use super::classes::{Class, Counts};
use super::kept::{Kept, ModuleFiles};
use super::proposed::{Change, Put, told};
use super::run::Done;
use crate::app::denial;

/// Asks a question of the module under one of the two bundles. Total: what gives no answer is a denial by a limit.
pub type Ask<'a> = &'a mut dyn FnMut(&SealedQuestion) -> Evaluation;

/// What came of all questions.
#[derive(Debug)]
pub struct Compared {
    /// The counts, which add up.
    pub counts: Counts,
    /// What comes out differently, new allows first, then by the order of the record; the first of them.
    pub changes: Vec<Change>,
    /// How many there are of each kind, by its word.
    pub by_kind: BTreeMap<String, u64>,
    /// Of what comes out alike: how many can be asked for on other terms, or are decided for other reasons.
    pub otherwise: u64,
}

/// Puts each record to both bundles, in the order of the record. `activations` are the records that hold the bundles
/// that the questions were judged by. At most so many changes are kept; all are counted.
pub fn compare(
    (active, ask_active): (&Bundle, Ask<'_>),
    (proposed, ask_proposed): (&Bundle, Ask<'_>),
    activations: &[StoredRecord],
    records: impl Iterator<Item = StoredRecord>,
    most: usize,
) -> Compared {
    let nowhere = ModuleFiles::of_export(Path::new(""));
    let mut kept = Kept::new(&nowhere);
    activations.iter().for_each(|record| kept.take(record));
    let bench = Bench::new(&kept);
    let (mut counts, mut changes, mut otherwise) = (Counts::default(), Vec::new(), 0u64);
    let (mut done, mut by_kind) = (Done::default(), BTreeMap::<String, u64>::new());
    for stored in records {
        let before = done.see(&stored);
        let class = match both(&bench, &stored, (active, &mut *ask_active), (proposed, &mut *ask_proposed), before) {
            Ok((class, change)) => {
                if let Some(change) = change {
                    let count = by_kind.entry(change.kind.words().replace(' ', "_")).or_default();
                    *count = count.saturating_add(1);
                    changes.push(change);
                    // The first of them are found again when there are twice as many.
                    if changes.len() >= most.saturating_mul(2) {
                        first(&mut changes, most);
                    }
                }
                class
            }
            Err(class) => class,
        };
        otherwise = otherwise.saturating_add((class == Class::Unchanged { otherwise: true }).into());
        counts.add(&class);
    }
    first(&mut changes, most);
    Compared { counts, changes, by_kind, otherwise }
}

/// Leaves the first of them.
fn first(changes: &mut Vec<Change>, most: usize) {
    changes.sort_by_key(|change| (change.kind, change.seq));
    changes.truncate(most);
}

fn both(
    bench: &Bench<'_>,
    stored: &StoredRecord,
    (active, ask_active): (&Bundle, Ask<'_>),
    (proposed, ask_proposed): (&Bundle, Ask<'_>),
    done: BTreeSet<String>,
) -> Result<(Class, Option<Change>), Class> {
    let answer = |put: &Put, ask: Ask<'_>| match &put.question {
        Ok(question) => ask(question),
        Err(error) => denial(error.reason),
    };
    let now = Put::to(active, bench, stored, done.clone())?;
    let before = answer(&now, ask_active);
    let then = Put::to(proposed, bench, stored, done)?;
    let after = answer(&then, ask_proposed);
    Ok(told(&now.leaf, now.decision, now.resources, &before, &after))
}
