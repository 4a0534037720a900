//! `cargo xtask bench`: figures that mean something on any machine, as ratios of one run, against peers that run beside.

use std::path::PathBuf;

use anyhow::Result;

use crate::assets;
use crate::command::{cargo, command, output_of, run};
use crate::place::Place;
use crate::tools;

/// As a server would compress the module.
const BROTLI: &str = "const z=require('zlib'),b=require('fs').readFileSync(process.argv[1]),c=z.constants;\
    console.log(z.brotliCompressSync(b,{params:{[c.BROTLI_PARAM_QUALITY]:11,[c.BROTLI_PARAM_SIZE_HINT]:b.length}}).length)";

/// A decision in the sandbox against its peers, over the same policies; written down as `BENCHMARKS.md` and
/// `BENCHMARKS.json`. `rounds`: how many, where figures to quote are not what it is for: then nothing is written, and
/// only what is compiled anyway takes part.
pub fn measure(place: &Place, rounds: Option<u32>) -> Result<()> {
    tools::install_for_build(place)?;
    assets::build_module(place)?;
    println!("bench (optimised build: may take 6 minutes the first time):");
    let mut bench = cargo(place, &["bench", "--package", "proviso-tests", "--bench", "decision"])?;
    match rounds {
        Some(rounds) => drop(bench.env("PROVISO_BENCH_ROUNDS", rounds.to_string())),
        None => {
            bench.env("PROVISO_BENCH_WRITE", &place.root).env("PROVISO_BENCH_REGORUS", regorus(place)?);
            if place.which("node").is_some() && place.which("npm").is_some() {
                bench.env("PROVISO_BENCH_CEDAR_WASM", cedar_wasm(place)?);
                let mut node = command(place, "node")?;
                node.args(["-e", BROTLI]).arg(place.assets.join("policy.wasm"));
                bench.envs(output_of(node).map(|size| ("PROVISO_BENCH_BROTLI", size)));
            } else {
                println!("    there is no Node: cedar-wasm takes no part");
            }
        }
    }
    run(&mut bench)
}

/// The peer that speaks Rego: a workspace of its own, which nothing else compiles.
fn regorus(place: &Place) -> Result<PathBuf> {
    let target = place.target.join("bench-regorus");
    let mut build =
        cargo(place, &["build", "--release", "--locked", "--manifest-path", "tests/benches/regorus/Cargo.toml"])?;
    run(build.arg("--target-dir").arg(&target))?;
    Ok(target.join("release/proviso-bench-regorus"))
}

/// The peer in Node, exactly as its lock file says.
fn cedar_wasm(place: &Place) -> Result<PathBuf> {
    let folder = place.root.join("tests/benches/cedar-wasm");
    let mut npm = command(place, "npm")?;
    run(npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder))?;
    Ok(folder)
}
