//! `cargo xtask bench`: figures that mean something on any machine, as ratios of one run, against peers that run beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::assets;
use crate::command::{cargo, command, run};
use crate::compressed;
use crate::place::Place;
use crate::tools;

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
            bench.env("PROVISO_BENCH_BROTLI", size(&assets::compressed_module(place)?)?.to_string());
            // As it is deployed: what tests run is compiled for whoever waits for a compiler.
            assets::build_dashboard(place, true)?;
            let files = first_load(&place.assets.join("dashboard"))?;
            let sizes = files.iter().map(|file| size(&compressed::smallest(file))).collect::<Result<Vec<u64>>>()?;
            bench.env("PROVISO_BENCH_FIRST_LOAD", sizes.iter().sum::<u64>().to_string());
            if place.which("node").is_some() && place.which("npm").is_some() {
                bench.env("PROVISO_BENCH_CEDAR_WASM", cedar_wasm(place)?);
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

fn size(file: &Path) -> Result<u64> {
    let known = fs::metadata(file).with_context(|| format!("there is no `{}`", file.display()))?;
    Ok(known.len())
}

/// What a browser fetches before the queue answers: the page, its styles, its code. The code of other pages comes behind it,
/// the preview's worker and the policy module when somebody looks at a request.
fn first_load(dashboard: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(dashboard).with_context(|| format!("no dashboard lies in `{}`", dashboard.display()))?;
    let mut paths: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let comes_first = |end| name.ends_with(end) && !name.starts_with("preview_worker");
        [".html", ".css", ".js"].into_iter().any(comes_first)
            || name.starts_with("dashboard-") && name.ends_with(".wasm")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_load_is_the_page_with_its_styles_and_code_and_nothing_that_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let first = ["base-1.css", "dashboard-2.js", "dashboard-2_bg.wasm", "index.html"];
        let later = [
            "dashboard-2_bg.wasm.br",
            "icon-3.svg",
            "chunk_1-4.wasm",
            "decision-4.wasm",
            "later-4.wasm",
            "later-4.wasm.br",
            "preview_worker.js",
            "preview_worker_bg.wasm",
            "preview_worker_loader.js",
        ];
        for name in first.iter().chain(&later) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let found = first_load(folder.path()).unwrap();
        assert_eq!(found, first.map(|name| folder.path().join(name)));
        assert!(first_load(&folder.path().join("nowhere")).is_err());
    }
}
