//! The exact tools: found where they are, else installed into the cache outside the clone.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::command::{cargo, command, output_of, run};
use crate::inputs;
use crate::place::Place;

/// A tool that Cargo installs.
pub struct Tool {
    krate: &'static str,
    program: &'static str,
    version: &'static str,
    may_take: &'static str,
    /// Whether the crate's own lock file is used. The one of wasm-bindgen-cli names a crate that was withdrawn.
    locked: bool,
}

/// Bundles the dashboard. 0.22 needs a newer compiler than ours.
pub const TRUNK: Tool =
    Tool { krate: "trunk", program: "trunk", version: "0.21.14", may_take: "4 to 9 minutes", locked: true };
/// Must be the version of the `wasm-bindgen` crate, exactly.
pub const WASM_BINDGEN: Tool = Tool {
    krate: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    version: "0.2.130",
    may_take: "2 to 4 minutes",
    locked: false,
};
/// Runs the package's tests in a browser.
pub const WASM_PACK: Tool =
    Tool { krate: "wasm-pack", program: "wasm-pack", version: "0.15.1", may_take: "2 to 4 minutes", locked: true };
/// Licences, bans and sources; nightly only.
pub const CARGO_DENY: Tool =
    Tool { krate: "cargo-deny", program: "cargo-deny", version: "0.20.2", may_take: "5 to 10 minutes", locked: true };
/// Mutation tests; nightly only.
pub const CARGO_MUTANTS: Tool = Tool {
    krate: "cargo-mutants",
    program: "cargo-mutants",
    version: "27.1.0",
    may_take: "3 to 6 minutes",
    locked: true,
};

/// Everything that `run` and `test` need.
pub fn install_all(place: &Place) -> Result<()> {
    wasm_target(place)?;
    for tool in [TRUNK, WASM_BINDGEN, WASM_PACK] {
        install(place, &tool)?;
    }
    apt::install(place)?;
    node_packages(place)?;
    python(place)?;
    Ok(())
}

/// What the dashboard and the module need to be built.
pub fn install_for_build(place: &Place) -> Result<()> {
    wasm_target(place)?;
    install(place, &TRUNK)?;
    install(place, &WASM_BINDGEN)
}

/// Installs a tool, unless this exact version is on the search path already.
pub fn install(place: &Place, tool: &Tool) -> Result<()> {
    if found(place, tool)? {
        return Ok(());
    }
    println!("    {} {}: installing (may take {})", tool.program, tool.version, tool.may_take);
    let root = place.cache.join("tools");
    fs::create_dir_all(&root).with_context(|| format!("cannot create `{}`", root.display()))?;
    let wanted = format!("{}@{}", tool.krate, tool.version);
    let mut install = cargo(place, &["install", "--debug", "--force", &wanted])?;
    if tool.locked {
        install.arg("--locked");
    }
    // Not in the clone: its toolchain and target folder are no business of a tool's.
    install.arg("--root").arg(&root).current_dir(&root).env_remove("CARGO_TARGET_DIR");
    run(&mut install)?;
    if found(place, tool)? { Ok(()) } else { bail!("`{}` was installed but does not say so", tool.program) }
}

fn found(place: &Place, tool: &Tool) -> Result<bool> {
    let Some(path) = place.which(tool.program) else { return Ok(false) };
    let mut ask = command(place, &path)?;
    // A Cargo subcommand wants its own name first.
    if let Some(subcommand) = tool.program.strip_prefix("cargo-") {
        ask.arg(subcommand);
    }
    ask.arg("--version");
    let exact = output_of(ask).is_some_and(|told| says(&told, tool.version));
    if exact {
        println!("    {} {}: {}", tool.program, tool.version, path.display());
    }
    Ok(exact)
}

/// Whether what a tool tells of itself is this very version.
fn says(told: &str, version: &str) -> bool {
    told.split_whitespace().any(|word| word == version)
}

fn wasm_target(place: &Place) -> Result<()> {
    let mut ask = command(place, "rustc")?;
    ask.args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]);
    if output_of(ask).is_some_and(|folder| PathBuf::from(folder).is_dir()) {
        return Ok(());
    }
    println!("    wasm32-unknown-unknown: installing (may take a minute)");
    let mut rustup = command(place, "rustup")?;
    run(rustup.args(["target", "add", "wasm32-unknown-unknown"]))
}

/// The npm packages of `tests/e2e`, exactly as its lock file says; the browser is Debian's.
pub fn node_packages(place: &Place) -> Result<()> {
    let folder = place.root.join("tests/e2e");
    let wanted = inputs::digest_of_files(&[folder.join("package.json"), folder.join("package-lock.json")])?;
    let stamp = folder.join("node_modules/.proviso-stamp");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        println!("    tests/e2e/node_modules: as locked");
        return Ok(());
    }
    println!("    tests/e2e/node_modules: installing (may take a minute)");
    let mut npm = command(place, "npm")?;
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    run(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    fs::write(&stamp, wanted).context("cannot write the stamp in node_modules")
}

/// A Python with the packages of `tests/e2e/requirements.txt`. Returns its interpreter.
pub fn python(place: &Place) -> Result<PathBuf> {
    let requirements = place.root.join("tests/e2e/requirements.txt");
    let digest = inputs::digest_of_files(std::slice::from_ref(&requirements))?;
    let folder = place.cache.join(format!("python-{}", digest.get(..16).unwrap_or("0")));
    let interpreter = folder.join("bin/python");
    if folder.join(".complete").is_file() {
        println!("    python: {}", interpreter.display());
        return Ok(interpreter);
    }
    println!("    python packages: installing into {} (may take 2 minutes)", folder.display());
    inputs::remove(&folder)?;
    let mut venv = command(place, "python3")?;
    run(venv.args(["-m", "venv"]).arg(&folder))?;
    let mut pip = command(place, &interpreter)?;
    run(pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
    fs::write(folder.join(".complete"), "").context("cannot mark the Python packages as complete")?;
    Ok(interpreter)
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn only_the_very_version_counts() {
        for (told, expected) in [
            ("wasm-bindgen 0.2.130", true),
            ("wasm-bindgen 0.2.130 (a1b2c3)\n", true),
            ("wasm-bindgen 0.2.13", false),
            ("wasm-bindgen 0.2.1300", false),
            ("wasm-bindgen v0.2.130", false),
            ("", false),
        ] {
            assert_eq!(says(told, "0.2.130"), expected, "{told}");
        }
    }
}
