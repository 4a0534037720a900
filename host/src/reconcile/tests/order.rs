//! The order in which facts come changes nothing, nor does a piece that comes twice.

use std::collections::BTreeSet;

use policy_core::digest::Digest;
use proptest::prelude::*;
use proviso_api::findings::{EvidenceClass, FindingKind};
use proviso_api::operations::ExecutionPhase;

use super::{Decided, Evidence, account, allowed, at, denied, ran, rules};
use crate::reconcile::reconcile;

fn decision() -> impl Strategy<Value = Decided> {
    (0..6u8, 0..40u32, any::<bool>(), 0..2u8, 0..2u8).prop_map(|(name, tenths, permitted, arguments, call)| {
        let name = format!("e{name}-{tenths}-{arguments}-{permitted}-{call}");
        let seconds = f64::from(tenths) / 4.0;
        let made = if permitted { allowed(&name, seconds) } else { denied(&name, seconds) };
        Decided { input_digest: Some(Digest::of(&[arguments])), call: Some(format!("c{call}")), ..made }
    })
}

fn piece() -> impl Strategy<Value = Evidence> {
    (0..4u8, 0..200u32, 0..3u8, 0..3u8, 0..3u8, proptest::option::of(0..2u8)).prop_map(
        |(name, tenths, source, arguments, phase, call)| {
            let class = [EvidenceClass::Reported, EvidenceClass::Observed, EvidenceClass::SystemOfRecord];
            let phase =
                [ExecutionPhase::Sending, ExecutionPhase::Executed, ExecutionPhase::OutcomeUnknown][usize::from(phase)];
            let mut evidence = ran(&format!("s{name}-{tenths}-{arguments}"), f64::from(tenths) / 4.0);
            evidence.class = class[usize::from(source)];
            evidence.source = format!("source {source}");
            // A third says nothing of its arguments.
            evidence.said.input_digest = (arguments < 2).then(|| Digest::of(&[arguments]));
            evidence.said.phase = phase;
            evidence.said.call = call.map(|call| format!("c{call}"));
            evidence
        },
    )
}

/// A finding without the numbers that the order gave.
type Told = (FindingKind, String, EvidenceClass, bool, BTreeSet<String>, usize);

fn told(decided: &[Decided], evidence: &[Evidence]) -> Vec<Told> {
    let account = account(decided, evidence);
    let names = |seqs: &BTreeSet<u64>| -> BTreeSet<String> {
        let pieces = seqs.iter().filter_map(|seq| account.evidence.get(seq));
        pieces.map(|piece| format!("{} {} {:?}", piece.source, piece.id, piece.said.phase)).collect()
    };
    let found = reconcile(&account, &[], &rules(), at(1_000.0));
    let told = found.findings.into_iter().map(|((kind, key), drawn)| {
        let evidence = names(&drawn.evidence);
        (kind, key, drawn.strength, drawn.ambiguous, evidence, drawn.decisions.len())
    });
    told.collect()
}

/// One piece for each source, name and phase, as the record holds them.
fn distinct(pieces: Vec<Evidence>) -> Vec<Evidence> {
    let mut seen = BTreeSet::new();
    pieces
        .into_iter()
        .filter(|piece| seen.insert((piece.source.clone(), piece.id.clone(), format!("{:?}", piece.said.phase))))
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_no_finding(
        decided in proptest::collection::vec(decision(), 0..8),
        pieces in proptest::collection::vec(piece(), 0..12),
        seed in any::<u64>(),
    ) {
        let pieces = distinct(pieces);
        let mut shuffled = pieces.clone();
        let count = shuffled.len();
        for index in 0..count {
            let other = usize::try_from(seed.rotate_left(u32::try_from(index).unwrap()) % u64::try_from(count).unwrap()).unwrap();
            shuffled.swap(index, other);
        }
        let mut reversed = decided.clone();
        reversed.reverse();
        prop_assert_eq!(told(&decided, &pieces), told(&reversed, &shuffled));
    }

    #[test]
    fn a_piece_that_comes_again_changes_no_finding(
        decided in proptest::collection::vec(decision(), 0..8),
        pieces in proptest::collection::vec(piece(), 1..12),
        again in any::<prop::sample::Index>(),
    ) {
        let pieces = distinct(pieces);
        let mut more = pieces.clone();
        more.push(pieces[again.index(pieces.len())].clone());
        let without_numbers = |told: Vec<Told>| told;
        prop_assert_eq!(without_numbers(told(&decided, &pieces)), without_numbers(told(&decided, &more)));
    }

    #[test]
    fn reported_evidence_closes_nothing(
        decided in proptest::collection::vec(decision(), 0..8),
        pieces in proptest::collection::vec(piece(), 0..12),
    ) {
        let pieces = distinct(pieces);
        let strong: Vec<Evidence> =
            pieces.iter().filter(|piece| piece.class > EvidenceClass::Reported).cloned().collect();
        let keys = |told: Vec<Told>| -> BTreeSet<(FindingKind, String)> {
            told.into_iter().map(|(kind, key, ..)| (kind, key)).collect()
        };
        let (with, without) = (keys(told(&decided, &pieces)), keys(told(&decided, &strong)));
        prop_assert!(without.is_subset(&with), "{:?} are gone", without.difference(&with).collect::<Vec<_>>());
    }
}
