//! `cargo xtask test`: every test there is, the browser ones too.

use std::process::Command;

use anyhow::{Context, Result};

use crate::assets;
use crate::command::{cargo, command, run, run_counted};
use crate::count::Count;
use crate::inputs::remove;
use crate::place::Place;
use crate::stage::{Stage, run_all};
use crate::tools;

const WASM: &str = "wasm32-unknown-unknown";

/// What is built and tested natively in one Cargo call. The others are for the browser or must be built alone.
pub const NATIVE: [&str; 7] =
    ["--workspace", "--exclude", "policy-module", "--exclude", "policy-js", "--exclude", "dashboard"];

const STAGES: [Stage; 10] = [
    Stage::new("format", "2 seconds", format),
    Stage::new("tools", "a second, 20 minutes on a fresh machine", install),
    Stage::new("assets", "a minute, 8 on a fresh machine", build_assets),
    Stage::new("native", "6 minutes, 15 on a fresh machine", native),
    // It waits for a grant to end, and needs nothing but what is built by now.
    Stage::new("story", "3 minutes", story).beside(&["test", "--only", "story"]),
    Stage::new("clauses", "a second", clauses),
    Stage::new("view-model", "20 seconds, 3 minutes on a fresh machine", view_model),
    Stage::new("package-browser", "a minute, 2 on a fresh machine", package_browser),
    Stage::new("package-assembled", "20 seconds, 2 minutes after a change of the core", package_assembled),
    Stage::new("lints", "a minute, 8 on a fresh machine", lints),
];

/// Runs the stages; stops at the first that fails.
pub fn run_stages(place: &Place, only: Option<&str>) -> Result<()> {
    run_all(place, &STAGES, only)
}

fn format(place: &Place, _: &mut Count) -> Result<()> {
    run(&mut cargo(place, &["fmt", "--all", "--check"])?)
}

fn install(place: &Place, _: &mut Count) -> Result<()> {
    tools::install_all(place)
}

fn build_assets(place: &Place, _: &mut Count) -> Result<()> {
    assets::build_assets(place, false)
}

fn native(place: &Place, count: &mut Count) -> Result<()> {
    // What the tests before this run have covered says nothing of this one.
    for kept in ["clauses.tsv", "operations.tsv"] {
        remove(&place.target.join("tmp/proviso-tests").join(kept))?;
    }
    build_native(place)?;
    run_counted(testing(place, cargo(place, &["test", "--no-fail-fast"])?.args(NATIVE))?, count)
}

/// In one go, and before any test runs: tests of the whole start the real binary.
pub fn build_native(place: &Place) -> Result<()> {
    run(cargo(place, &["build", "--tests", "--bins"])?.args(NATIVE))
}

/// Every clause of the standards has a test that ran, and the table that says which is the one that is kept; and every
/// operation of the HTTP interface answered a test.
fn clauses(place: &Place, _: &mut Count) -> Result<()> {
    // As it was built with the tests: alone, its features would be others, and the host would be compiled once more.
    build_native(place)?;
    run(&mut command(place, place.target.join("debug/conformance"))?)
}

fn view_model(place: &Place, count: &mut Count) -> Result<()> {
    run_counted(&mut cargo(place, &["test", "--package", "dashboard", "--lib"])?, count)
}

fn package_browser(place: &Place, count: &mut Count) -> Result<()> {
    let driver = place.which("chromedriver").context("there is no chromedriver on the PATH")?;
    let mut test = command(place, "wasm-pack")?;
    test.args(["test", "--headless", "--chrome", "--mode", "no-install", "policy-core/js"]);
    // Its runner gives the driver 5 seconds and the tests of a file 20: too few beside another stage on two cores.
    test.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60").env("WASM_BINDGEN_TEST_TIMEOUT", "600");
    run_counted(test.env("CHROMEDRIVER", driver).env("CARGO_TARGET_DIR", &place.target), count)
}

/// The npm package as it is published: its build for Node and its build for browsers, the latter in Node and on a page.
fn package_assembled(place: &Place, count: &mut Count) -> Result<()> {
    let package = assets::build_package(place)?;
    let mut test = command(place, "node")?;
    test.args(["--test", "--test-reporter", "tap", "policy-core/js/tests/"]);
    run_counted(test.env("PROVISO_POLICY_PACKAGE", &package), count)?;
    let mut page = playwright(place, "package")?;
    run_counted(testing(place, &mut page)?.env("PROVISO_POLICY_PACKAGE", &package), count)
}

fn story(place: &Place, count: &mut Count) -> Result<()> {
    let mut types = command(place, place.root.join("tests/e2e/node_modules/.bin/tsc"))?;
    run(types.args(["--noEmit", "--project", "."]).current_dir(place.root.join("tests/e2e")))?;
    run_counted(testing(place, &mut playwright(place, "story")?)?, count)
}

/// The tests of one of the projects that `tests/e2e/playwright.config.ts` names.
fn playwright(place: &Place, project: &str) -> Result<Command> {
    let mut playwright = command(place, place.root.join("tests/e2e/node_modules/.bin/playwright"))?;
    playwright.args(["test", "--project", project]).current_dir(place.root.join("tests/e2e"));
    Ok(playwright)
}

/// What a test may need beside the code: the binary, the clients and servers of other authors, a browser.
pub fn testing<'a>(place: &Place, command: &'a mut Command) -> Result<&'a mut Command> {
    command.env("PROVISO_BINARY", place.target.join("debug/proviso"));
    command.env("PROVISO_PYTHON", tools::python(place)?);
    command.env("PROVISO_CHROMIUM", place.which("chromium").context("there is no chromium on the PATH")?);
    command.env("PROVISO_NODE_MODULES", place.root.join("tests/e2e/node_modules"));
    Ok(command)
}

fn lints(place: &Place, _: &mut Count) -> Result<()> {
    let deny = ["--", "-D", "warnings"];
    run(cargo(place, &["clippy", "--all-targets"])?.args(NATIVE).args(deny))?;
    run(cargo(place, &["clippy", "--package", "dashboard", "--lib", "--tests"])?.args(deny))?;
    run(cargo(place, &["clippy", "--package", "dashboard", "--target", WASM])?.args(deny))?;
    run(cargo(place, &["clippy", "--package", "policy-js", "--all-targets", "--target", WASM])?.args(deny))?;
    run(cargo(place, &["clippy", "--package", "policy-module", "--target", WASM])?.args(deny))
}
