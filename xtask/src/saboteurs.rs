//! `cargo xtask nightly --only saboteurs`: plants each fault of `tests/saboteurs.toml` and expects its tests to fail.
//!
//! One test build holds them all, in a target folder of its own, so that no sabotaged binary ever lies where others
//! look for the real one.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::assets;
use crate::command::{cargo, run};
use crate::count::Count;
use crate::inputs;
use crate::place::Place;
use crate::test;

/// How long a test under a planted fault may run, in tenths of a second: one that hangs caught nothing.
const PATIENCE: u32 = 3_000;

/// `tests/saboteurs.toml`.
#[derive(Deserialize)]
struct List {
    saboteur: Vec<Saboteur>,
}

/// A planted fault.
#[derive(Deserialize)]
struct Saboteur {
    name: String,
    rule: String,
    caught_by: Vec<String>,
}

/// What a message of Cargo's says of an executable.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Plants each fault in turn.
pub fn plant_each(place: &Place, count: &mut Count) -> Result<()> {
    let text = fs::read_to_string(place.root.join("tests/saboteurs.toml")).context("no list of saboteurs")?;
    let list: List = toml::from_str(&text).context("the list of saboteurs cannot be read")?;
    assets::build_assets(place, false)?;
    let built = Built::new(place)?;
    let mut all: Vec<&str> = list.saboteur.iter().flat_map(|one| &one.caught_by).map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    if !built.passes(place, None, &all)? {
        bail!("with no fault planted these tests must pass");
    }
    let mut survivors = Vec::new();
    for one in &list.saboteur {
        // Each of its tests by itself: one that fails must not hide one that does not.
        let mut missed = Vec::new();
        for test in &one.caught_by {
            if built.passes(place, Some(&one.name), &[test])? {
                missed.push(test.as_str());
            }
        }
        let caught = missed.is_empty() && !one.caught_by.is_empty();
        println!("    {} {} {}", if caught { "caught  " } else { "SURVIVED" }, one.rule, one.name);
        if caught {
            count.passed += 1;
        } else {
            count.failed += 1;
            survivors.push(format!("{} ({})", one.name, missed.join(", ")));
        }
    }
    if survivors.is_empty() {
        return Ok(());
    }
    bail!("not caught: {}", survivors.join("; "))
}

/// The sabotaged build.
struct Built {
    tests: PathBuf,
    binary: PathBuf,
    assets: PathBuf,
}

impl Built {
    fn new(place: &Place) -> Result<Self> {
        let target = place.target.join("saboteur");
        let wrapper = place.root.join("xtask/saboteur.sh");
        let assets = target.join("assets");
        let wrapped = [("RUSTC_WORKSPACE_WRAPPER", wrapper.as_path())];
        assets::compile_module_with(place, &target, &place.target, &wrapped)?;
        inputs::remove(&assets)?;
        inputs::copy(&place.assets.join("dashboard"), &assets.join("dashboard"))?;
        let module = assets.join("policy.wasm");
        inputs::copy(&target.join("wasm32-unknown-unknown/module/policy_module.wasm"), &module)?;
        fs::write(assets.join("policy.wasm.sha256"), format!("{}\n", inputs::sha256(&module)?))
            .context("cannot write the module's digest")?;
        let planted = |mut command: Command| {
            command.env("RUSTC_WORKSPACE_WRAPPER", &wrapper).env("PROVISO_ASSETS", &assets);
            command.env("CARGO_TARGET_DIR", &target);
            command
        };
        run(&mut planted(cargo(place, &["build", "--package", "proviso", "--package", "proviso-tests", "--bins"])?))?;
        let tests = ["test", "--package", "proviso-tests", "--test", "all", "--no-run", "--message-format", "json"];
        let output = planted(cargo(place, &tests)?).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("the sabotaged tests do not build");
        }
        let messages = String::from_utf8_lossy(&output.stdout).into_owned();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
        let tests = messages
            .filter(|message| message.target.as_ref().is_some_and(|target| target.name == "all"))
            .find_map(|message| message.executable);
        let tests = tests.context("Cargo names no test binary")?;
        Ok(Self { tests, binary: target.join("debug/proviso"), assets })
    }

    /// Whether all of these tests pass under this fault.
    fn passes(&self, place: &Place, fault: Option<&str>, names: &[&str]) -> Result<bool> {
        let mut command = Command::new(&self.tests);
        command.current_dir(place.root.join("tests")).arg("--exact").args(names);
        test::testing(place, &mut command)?;
        command.env("PROVISO_BINARY", &self.binary).env("PROVISO_ASSETS", &self.assets);
        if let Some(fault) = fault {
            command.env("PROVISO_SABOTEUR", fault).stdout(Stdio::null()).stderr(Stdio::null());
        }
        ended(command.stdin(Stdio::null()).spawn().context("cannot start the sabotaged tests")?)
    }
}

/// Whether it ends well. One that hangs is stopped and has caught nothing.
fn ended(mut child: Child) -> Result<bool> {
    for _ in 0..PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(true)
}
