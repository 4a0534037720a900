//! What the binary carries inside: `policy.wasm` and the dashboard, each with its compressed forms; then the binary itself.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{cargo, command, run};
use crate::compressed::{self, Effort};
use crate::inputs;
use crate::place::Place;
use crate::split;
use crate::tools;
use crate::trusted;

const MODULE_SOURCES: [&str; 6] = [
    ".cargo/config.toml",
    "policy-core/Cargo.toml",
    "policy-core/src",
    "policy-core/evaluator/Cargo.toml",
    "policy-core/evaluator/src",
    "policy-core/module",
];

const PACKAGE_SOURCES: [&str; 4] =
    ["policy-core/Cargo.toml", "policy-core/src", "policy-core/js", "target/assets/policy.wasm.sha256"];

const COMPRESSED_MODULE_SOURCES: [&str; 1] = ["target/assets/policy.wasm.sha256"];

const DASHBOARD_SOURCES: [&str; 9] = [
    "policy-core/Cargo.toml",
    "policy-core/src",
    "policy-core/js/Cargo.toml",
    "policy-core/js/src",
    "api/Cargo.toml",
    "api/src",
    "dashboard",
    "index.html",
    "Trunk.toml",
];

/// Builds the module, the dashboard and the binary.
pub fn build(place: &Place, release: bool) -> Result<()> {
    println!("tools:");
    tools::install_for_build(place)?;
    build_assets(place, release)?;
    println!("proviso (may take 5 minutes the first time, 20 seconds after a change):");
    let mut build = cargo(place, &["build", "--package", "proviso"])?;
    if release {
        build.arg("--release");
    }
    run(&mut build)?;
    println!("    {}", place.target.join(if release { "release" } else { "debug" }).join("proviso").display());
    Ok(())
}

/// Builds everything and plays the demo until it is stopped.
pub fn run_demo(place: &Place, arguments: &[String]) -> Result<()> {
    build(place, false)?;
    let mut demo = command(place, place.target.join("debug/proviso"))?;
    demo.arg("demo");
    // The demo needs no Node. Where it is there, one agent plays through the filesystem server of another author.
    if place.which("node").is_some() && place.which("npm").is_some() {
        match tools::node_packages(place) {
            Ok(()) => {
                let server = "tests/e2e/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
                demo.arg("--files-server").arg(place.root.join(server));
            }
            Err(error) => println!("    the filesystem server could not be installed, so no agent uses it: {error:#}"),
        }
    }
    run(demo.args(arguments))
}

/// Builds the module and the dashboard, each only when what it is made of has changed.
pub fn build_assets(place: &Place, release: bool) -> Result<()> {
    println!("policy.wasm (may take 4 minutes the first time, 1 after a change):");
    build_module(place)?;
    println!("dashboard (may take 4 minutes the first time, 1 after a change):");
    build_dashboard(place, release)
}

/// The module, with its own profile and alone: in one Cargo call with others its features would unify with theirs.
pub fn build_module(place: &Place) -> Result<()> {
    let module = Asset {
        folder: &place.assets,
        name: "policy.wasm",
        variant: "module",
        sources: &MODULE_SOURCES,
        flags: &module_flags(&place.target)?,
    };
    kept(place, &module, |place| {
        compile_module(place, &place.target)?;
        Ok(place.target.join("wasm32-unknown-unknown/module/policy_module.wasm"))
    })?;
    // The host holds the module against this when it loads it.
    let digest = inputs::sha256(&place.assets.join("policy.wasm"))?;
    println!("    SHA-256 {digest}");
    // Written only when it is another: the host is compiled again whenever one of its assets is touched.
    let (path, text) = (place.assets.join("policy.wasm.sha256"), format!("{digest}\n"));
    if !fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        fs::write(path, text).context("cannot write the module's digest")?;
    }
    compress_module(place, &digest)
}

/// The module as browsers fetch it. It is filed under the digest of what it holds, so that a host never serves it for
/// another module that was put beside it.
fn compress_module(place: &Place, digest: &str) -> Result<()> {
    let forms = Asset {
        folder: &place.assets,
        name: "policy",
        variant: "brotli",
        sources: &COMPRESSED_MODULE_SOURCES,
        flags: &Effort::Most.text(),
    };
    kept(place, &forms, |place| {
        let made = place.target.join("compressed");
        inputs::remove(&made)?;
        let form = made.join(format!("{digest}.wasm{}", compressed::ENDING));
        compressed::file(&place.assets.join("policy.wasm"), &form, Effort::Most)?;
        Ok(made)
    })
}

/// Where the compressed module lies.
pub fn compressed_module(place: &Place) -> Result<PathBuf> {
    let digest = inputs::sha256(&place.assets.join("policy.wasm"))?;
    Ok(place.assets.join("policy").join(format!("{digest}.wasm{}", compressed::ENDING)))
}

/// Compiles the module into a target folder of the caller's choice.
pub fn compile_module(place: &Place, target: &Path) -> Result<()> {
    compile_module_with(place, target, target, &[])
}

/// The same with more in the environment, and with the flags of the module that another target folder holds: what was
/// copied from there is not compiled again.
pub fn compile_module_with(place: &Place, target: &Path, like: &Path, environment: &[(&str, &Path)]) -> Result<()> {
    let mut build = cargo(place, &["build", "--package", "policy-module", "--profile", "module", "--locked"])?;
    build.args(["--target", "wasm32-unknown-unknown"]).arg("--target-dir").arg(target);
    build.envs(environment.iter().copied());
    run(build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", module_flags(like)?))
}

/// The module's bytes are named in every record, so they hold no path of the machine that built them: neither of the
/// registry's sources, nor of what a build script wrote into the target folder.
fn module_flags(target: &Path) -> Result<String> {
    let home = match std::env::var("CARGO_HOME") {
        Ok(home) => home,
        Err(_) => format!("{}/.cargo", std::env::var("HOME").context("neither CARGO_HOME nor HOME is set")?),
    };
    Ok(format!("--remap-path-prefix={home}/registry/src=registry --remap-path-prefix={}=target", target.display()))
}

/// The dashboard: as tests want it, quickly compiled, or as it is deployed.
pub fn build_dashboard(place: &Place, release: bool) -> Result<()> {
    let variant = if release { "release" } else { "dev" };
    let folder = &place.assets;
    let effort = if release { Effort::Most } else { Effort::Little };
    let done = format!("{}{}{}", trusted::text(), split::text(), effort.text());
    let dashboard = Asset { folder, name: "dashboard", variant, sources: &DASHBOARD_SOURCES, flags: &done };
    kept(place, &dashboard, |place| {
        let folder = place.target.join("trunk").join(variant);
        let mut trunk = command(place, "trunk")?;
        // Trunk reads CI=true as an unknown kind of yes, and refuses any NO_COLOR but true and false.
        trunk.env_remove("NO_COLOR").env("CARGO_TARGET_DIR", &place.target);
        trunk.args(["build", "--dist"]).arg(&folder);
        if release {
            trunk.args(["--cargo-profile", "browser"]);
        }
        run(&mut trunk)?;
        let profile = if release { "browser" } else { "debug" };
        let linked = place.target.join("wasm32-unknown-unknown").join(profile).join("dashboard.wasm");
        split::split(place, &folder, &linked, release)?;
        trusted::seal(&folder)?;
        compressed::folder(&folder, effort)?;
        Ok(folder)
    })
}

/// Assembles the npm package, unless glue, module and what is written by hand are those that it was made of. Returns its
/// folder.
pub fn build_package(place: &Place) -> Result<PathBuf> {
    let folder = place.target.join("npm");
    let package =
        Asset { folder: &folder, name: "proviso-policy", variant: "node", sources: &PACKAGE_SOURCES, flags: "" };
    kept(place, &package, |place| {
        let made = place.target.join("npm/made");
        let mut build = command(place, "node")?;
        run(build.arg("policy-core/js/package/build.mjs").arg(&made))?;
        Ok(made)
    })?;
    Ok(folder.join("proviso-policy"))
}

/// What is made once for the same inputs.
struct Asset<'a> {
    /// Where it ends up.
    folder: &'a Path,
    /// What it is called there.
    name: &'a str,
    /// Which of several that are called so.
    variant: &'a str,
    /// The files that it is made of, from the root.
    sources: &'a [&'a str],
    /// What its compiler is told besides, and what is done with what it made.
    flags: &'a str,
}

/// Makes one thing, or takes the one that the same inputs made before; either way it ends up in its folder.
fn kept(place: &Place, asset: &Asset<'_>, make: impl FnOnce(&Place) -> Result<PathBuf>) -> Result<()> {
    let Asset { folder, name, variant, sources, flags } = asset;
    let digest = format!("{variant}-{}", inputs::digest(place, sources, flags)?);
    let asset = folder.join(name);
    let stamp = folder.join(format!(".{name}.inputs"));
    if asset.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == digest) {
        println!("    unchanged");
        return Ok(());
    }
    let store = place.target.join("assets-by-inputs").join(name).join(variant);
    let stored = store.join(&digest);
    if !stored.exists() {
        let made = make(place)?;
        // Only the newest is kept; it appears under its name when it is whole.
        inputs::remove(&store)?;
        let part = store.join("part");
        inputs::copy(&made, &part)?;
        fs::rename(&part, &stored).context("cannot name what was made")?;
    }
    inputs::remove(&stamp)?;
    inputs::remove(&asset)?;
    inputs::copy(&stored, &asset)?;
    fs::write(&stamp, digest).context("cannot write the stamp")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_thing_is_made_again_when_a_source_or_a_flag_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        for file in ["Cargo.toml", "Cargo.lock", "source"] {
            fs::write(root.join(file), "first").unwrap();
        }
        // By this one the compiler is found that is asked for its version.
        let toolchain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rust-toolchain.toml");
        fs::copy(toolchain, root.join("rust-toolchain.toml")).unwrap();
        let (target, assets, cache) = (root.join("target"), root.join("assets"), root.join("cache"));
        let place = Place { root: root.clone(), target, assets: assets.clone(), cache };
        let made = Cell::new(0);
        let make = |flags: &str| {
            let asset = Asset { folder: &assets, name: "thing", variant: "only", sources: &["source"], flags };
            let done = kept(&place, &asset, |place| {
                made.set(made.get() + 1);
                let path = place.root.join("made");
                fs::write(&path, format!("{} {flags}", fs::read_to_string(place.root.join("source"))?))?;
                Ok(path)
            });
            done.unwrap();
            (fs::read_to_string(assets.join("thing")).unwrap(), made.get())
        };
        assert_eq!(make("-O"), ("first -O".to_owned(), 1));
        assert_eq!(make("-O"), ("first -O".to_owned(), 1));
        assert_eq!(make("-g"), ("first -g".to_owned(), 2));
        fs::write(root.join("source"), "second").unwrap();
        assert_eq!(make("-g"), ("second -g".to_owned(), 3));
        // What somebody took away comes back without being made.
        fs::remove_file(assets.join("thing")).unwrap();
        assert_eq!(make("-g"), ("second -g".to_owned(), 3));
    }
}
