//! `cargo xtask bench`: figures that mean something on any machine, as ratios of one run, against peers that run beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::assets;
use crate::command::{cargo, command, output_of, run};
use crate::place::Place;
use crate::tools;

/// As a server would compress files, each by itself: their bytes in all.
const BROTLI: &str = "const z=require('zlib'),f=require('fs'),c=z.constants;\
    const of=b=>z.brotliCompressSync(b,{params:{[c.BROTLI_PARAM_QUALITY]:11,[c.BROTLI_PARAM_SIZE_HINT]:b.length}}).length;\
    console.log(process.argv.slice(1).reduce((all,path)=>all+of(f.readFileSync(path)),0))";

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
                let brotli = |files: &[PathBuf]| -> Result<Option<String>> {
                    let mut node = command(place, "node")?;
                    node.args(["-e", BROTLI]).args(files);
                    Ok(output_of(node))
                };
                let module = brotli(&[place.assets.join("policy.wasm")])?;
                bench.envs(module.map(|size| ("PROVISO_BENCH_BROTLI", size)));
                // As it is deployed: what tests run is compiled for whoever waits for a compiler.
                assets::build_dashboard(place, true)?;
                let first_load = brotli(&first_load(&place.assets.join("dashboard"))?)?;
                bench.envs(first_load.map(|size| ("PROVISO_BENCH_FIRST_LOAD", size)));
                browser(place, &mut bench)?;
            } else {
                println!("    there is no Node: cedar-wasm takes no part, and no page is drawn");
            }
        }
    }
    run(&mut bench)
}

/// What the page of a decision is drawn with: the bench starts it at a gate of its own.
fn browser(place: &Place, bench: &mut Command) -> Result<()> {
    let Some(chromium) = place.which("chromium") else {
        println!("    there is no Chromium: no page is drawn");
        return Ok(());
    };
    tools::node_packages(place)?;
    bench.env("PROVISO_CHROMIUM", chromium).env("PROVISO_BENCH_E2E", place.root.join("tests/e2e"));
    bench.env("CARGO_TARGET_DIR", &place.target);
    Ok(())
}

/// What a browser fetches before the page answers: the page, its styles, its code. The preview's worker and the policy
/// module come when somebody looks at a request.
fn first_load(dashboard: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(dashboard).with_context(|| format!("no dashboard lies in `{}`", dashboard.display()))?;
    let mut paths: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_of_the_page = [".html", ".css", ".js", ".wasm"].iter().any(|end| name.ends_with(end));
        is_of_the_page && !name.starts_with("preview_worker")
    });
    paths.sort();
    Ok(paths)
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
