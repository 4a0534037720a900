//! `cargo xtask bench`: figures that mean something on any machine, as ratios of one run.

use anyhow::Result;

use crate::assets;
use crate::command::{cargo, run};
use crate::place::Place;
use crate::tools;

/// A decision in the sandbox against native cedar-policy, over the same policies.
pub fn measure(place: &Place) -> Result<()> {
    tools::install_for_build(place)?;
    assets::build_module(place)?;
    println!("bench (optimised build: may take 6 minutes the first time):");
    run(&mut cargo(place, &["bench", "--package", "proviso-tests", "--bench", "decision"])?)
}
