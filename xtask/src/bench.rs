//! `cargo xtask bench`: figures that mean something on any machine, as ratios of one run.

use anyhow::Result;

use crate::assets;
use crate::command::{cargo, run};
use crate::place::Place;
use crate::tools;

/// A decision in the sandbox against native cedar-policy, over the same policies. `rounds`: how many, where figures to
/// quote are not what it is for.
pub fn measure(place: &Place, rounds: Option<u32>) -> Result<()> {
    tools::install_for_build(place)?;
    assets::build_module(place)?;
    println!("bench (optimised build: may take 6 minutes the first time):");
    let mut bench = cargo(place, &["bench", "--package", "proviso-tests", "--bench", "decision"])?;
    if let Some(rounds) = rounds {
        bench.env("PROVISO_BENCH_ROUNDS", rounds.to_string());
    }
    run(&mut bench)
}
