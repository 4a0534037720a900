//! Many clients at once, and afterwards somebody who knows nothing of the gate's code asks whether the rules held.
//!
//! A history is what eight clients sent and heard, each with a begin and an end by one counter. The checker reads the
//! wire's JSON alone and holds it against what the bundle in `tests/histories` says, written a second time by hand.
//! `PROVISO_HISTORIES` says how many are played.

mod checker;
mod faults;
mod plants;
mod seen;
mod world;

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};

use seen::History;

/// How many histories are played without a word from outside, 500 operations each: 100,000 in all.
const HISTORIES: u64 = 200;
const OPERATIONS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_clients_at_once_keep_every_rule() {
    let wanted = std::env::var("PROVISO_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(HISTORIES);
    let (mut operations, mut allowed, mut by_exception) = (0, 0, 0);
    // Two gates at a time: one alone waits for its record more than it works.
    let mut histories = stream::iter(0..wanted)
        .map(|seed| tokio::spawn(async move { (seed, world::play(seed, OPERATIONS).await) }))
        .buffer_unordered(2);
    while let Some(played) = histories.next().await {
        let (seed, history) = played.expect("a history that can be played");
        let broken = checker::check(&history);
        assert!(broken.is_empty(), "history {seed}: {broken:#?}");
        operations += history.operations.len();
        allowed += history.uses().filter(|(_, used)| used.allowed).count();
        by_exception += history.uses().filter(|(_, used)| used.grant.is_some()).count();
    }
    // A history in which nothing happens keeps every rule.
    let wanted = usize::try_from(wanted).expect("a small number");
    assert!(operations >= wanted * OPERATIONS, "{operations} operations");
    assert!(
        allowed > operations / 20 && by_exception > operations / 200,
        "{allowed} allowed, {by_exception} by grants"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_each_planted_fault() {
    let sentences = include_str!("histories/checker.rs").matches("broken.push(").count();
    let of_faults: BTreeSet<_> = faults::ALL.iter().map(|(rule, words, ..)| (rule, words)).collect();
    assert_eq!(of_faults.len(), sentences, "each sentence of the checker has its faults");
    let mut planted = BTreeSet::new();
    // Not every history offers a place for every fault: clients race.
    for seed in 0..20 {
        let history = world::play(seed, 300).await;
        assert_eq!(checker::check(&history), Vec::<String>::new());
        for (rule, words, what, plant) in faults::ALL {
            let mut broken = History { operations: history.operations.clone(), ..history };
            if plant(&mut broken) {
                let found = checker::check(&broken);
                let is_told = found.iter().any(|line| line.starts_with(rule) && line.contains(words));
                assert!(is_told, "{rule}: {what}: {found:#?}");
                planted.insert(what);
            }
        }
        if planted.len() == faults::ALL.len() {
            return;
        }
    }
    panic!("only these could be planted: {planted:?}");
}
