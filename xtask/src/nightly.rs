//! `cargo xtask nightly`: what is too long for each change.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, run, run_counted};
use crate::count::Count;
use crate::inputs;
use crate::place::Place;
use crate::saboteurs;
use crate::stage::{Stage, run_all};
use crate::tools::{self, CARGO_DENY, CARGO_MUTANTS};
use crate::{assets, bench, test};

const STAGES: [Stage; 10] = [
    Stage::new("deny", "a minute, 10 on a fresh machine", deny),
    Stage::new("same-bytes", "8 minutes", same_bytes),
    Stage::new("release", "8 minutes, 15 on a fresh machine", release),
    Stage::new("bench", "a minute, 8 on a fresh machine", bench),
    Stage::new("saboteurs", "20 minutes, 40 on a fresh machine", plant),
    Stage::new("kills", "30 minutes", kills),
    Stage::new("disks", "30 minutes", disks),
    Stage::new("soak", "15 minutes", soak),
    Stage::new("histories", "2 hours", histories),
    Stage::new("mutants", "3 hours", mutants),
];

/// Runs the stages; stops at the first that fails.
pub fn run_stages(place: &Place, only: Option<&str>) -> Result<()> {
    run_all(place, &STAGES, only)
}

/// Licences, bans and sources, as `deny.toml` has them.
fn deny(place: &Place, _: &mut Count) -> Result<()> {
    tools::install(place, &CARGO_DENY)?;
    run(&mut cargo(place, &["deny", "--all-features", "check", "licenses", "bans", "sources"])?)
}

/// The binary that is deployed: alone it is whole, and it holds no planted fault.
fn release(place: &Place, count: &mut Count) -> Result<()> {
    assets::build(place, true)?;
    let mut test = cargo(place, &["test", "--package", "proviso-tests", "--test", "all", "--"])?;
    test.args(["gate::alone::", "house::saboteurs::no_other_build_holds_a_fault"]);
    run_counted(test.env("PROVISO_BINARY", place.target.join("release/proviso")), count)
}

/// That the figures can still be measured: few rounds, so none of them to quote.
fn bench(place: &Place, _: &mut Count) -> Result<()> {
    bench::measure(place, Some(3))
}

/// Builds the module twice, in two empty target folders. A record names the digest, so anyone must get these bytes.
fn same_bytes(place: &Place, _: &mut Count) -> Result<()> {
    tools::install_for_build(place)?;
    let mut modules = Vec::new();
    for name in ["first", "a-second-and-longer-name"] {
        let folder = place.target.join("same-bytes").join(name);
        inputs::remove(&folder)?;
        assets::compile_module(place, &folder)?;
        let module = folder.join("wasm32-unknown-unknown/module/policy_module.wasm");
        modules.push(fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?);
        inputs::remove(&folder)?;
    }
    match modules.as_slice() {
        [first, second] if first == second => Ok(()),
        _ => bail!("the two builds of policy.wasm differ"),
    }
}

/// Faults planted in each of the rules, each of which a test over HTTP or MCP must notice.
fn plant(place: &Place, count: &mut Count) -> Result<()> {
    tools::install_all(place)?;
    saboteurs::plant_each(place, count)
}

/// A gate killed a thousand times under load, half of them between the append and the reply.
fn kills(place: &Place, count: &mut Count) -> Result<()> {
    at_length(place, count, "record::killed::", ("PROVISO_KILLS", "1000"))
}

/// Ten minutes and more of mixed load on one gate, with flat memory and open files.
fn soak(place: &Place, count: &mut Count) -> Result<()> {
    at_length(place, count, "gate::soak::", ("PROVISO_SOAK", "3000"))
}

/// Each write and each sync of a vote, a revoke and a start failing in its turn, in each way.
fn disks(place: &Place, count: &mut Count) -> Result<()> {
    at_length(place, count, "gate::failing_disk::sweeps::", ("PROVISO_DISK", "each"))
}

/// Ten times the histories that each change plays: a million operations.
fn histories(place: &Place, count: &mut Count) -> Result<()> {
    at_length(place, count, "histories::eight", ("PROVISO_HISTORIES", "2000"))
}

/// Tests that each change runs, with a variable that says how much longer they last here. They are built as each change
/// builds them, and so is the gate that they start: other packages would be other features, and most of it built again.
fn at_length(place: &Place, count: &mut Count, filter: &str, (variable, value): (&str, &str)) -> Result<()> {
    tools::install_for_build(place)?;
    assets::build_assets(place, false)?;
    test::build_native(place)?;
    let mut tests = cargo(place, &["test", "--test", "all"])?;
    run_counted(tests.args(test::NATIVE).args(["--", filter]).env(variable, value), count)
}

/// A mutant is compiled anew and tested once: the first costs more than the second.
const UNOPTIMISED: [&str; 2] = ["profile.dev.package.policy-core.opt-level=0", "profile.dev.debug=false"];

/// Mutation tests of what decides, in a copy of the tree, each mutant against the tests of its own package. A survivor
/// stands in `.cargo/mutants.toml` with its reason, or fails the stage.
fn mutants(place: &Place, _: &mut Count) -> Result<()> {
    tools::install(place, &CARGO_MUTANTS)?;
    let core = ["--file", "policy-core/src/containment/**", "--file", "policy-core/src/lifecycle/**"];
    mutate(place, "policy-core", &core)?;
    // What a host alone does is tested along: to accept a bundle, and to seal a question.
    mutate(place, "policy-evaluator", &["--features", "validate"])
}

fn mutate(place: &Place, package: &str, arguments: &[&str]) -> Result<()> {
    let output = place.target.join("mutants").join(package);
    fs::create_dir_all(&output).with_context(|| format!("cannot make `{}`", output.display()))?;
    let mut mutants = cargo(place, &["mutants", "--no-shuffle", "--package", package, "--output"])?;
    mutants.arg(output).args(arguments).args(UNOPTIMISED.map(|setting| format!("--cargo-arg=--config={setting}")));
    // Properties say little more of a mutant with their thousands of cases than with these few; tables say most.
    // A mutant differs from the last one in two places: compiled incrementally, it is there in seconds.
    mutants.env("CARGO_INCREMENTAL", "1");
    run(mutants.env("PROPTEST_CASES", "48").env_remove("CARGO_TARGET_DIR"))
}
