//! What the binary carries inside: `policy.wasm` and the dashboard, each plain and in brotli, as they stood in the folder
//! that `cargo xtask build` writes when the binary was compiled. Nothing of it is read when it runs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use policy_core::digest::Digest;
use rust_embed::RustEmbed;

/// The files of `target/assets`, by path with `/`.
#[derive(RustEmbed)]
#[folder = "$PROVISO_ASSETS"]
#[allow_missing = true]
struct Assets;

/// What to say when a binary has no assets.
pub const REMEDY: &str = "run `cargo xtask build`, which builds policy.wasm and the dashboard";

/// The module's bytes, when they were built.
pub fn policy_wasm() -> Option<Cow<'static, [u8]>> {
    Assets::get("policy.wasm").map(|file| file.data)
}

/// The digest that the module was built with.
pub fn policy_digest() -> Option<Digest> {
    let file = Assets::get("policy.wasm.sha256")?;
    std::str::from_utf8(&file.data).ok()?.trim().parse().ok()
}

/// A file as it was taken in.
pub struct Embedded {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Their digest, computed when the binary was compiled.
    pub digest: Digest,
}

fn embedded(path: &str) -> Option<Embedded> {
    let file = Assets::get(path)?;
    Some(Embedded { digest: Digest::from_bytes(file.metadata.sha256_hash()), bytes: file.data })
}

/// What a file's name ends with when it is another file's compressed form, and no file of its own.
const BROTLI: &str = ".br";

/// A file of the dashboard, by its path below the dashboard's folder.
pub fn dashboard(path: &str) -> Option<Embedded> {
    if path.ends_with(BROTLI) {
        return None;
    }
    embedded(&format!("dashboard/{path}"))
}

/// The same file in brotli, where that was made and is smaller.
pub fn dashboard_brotli(path: &str) -> Option<Embedded> {
    embedded(&format!("dashboard/{path}{BROTLI}"))
}

/// The module of this digest in brotli. It was filed under the digest of what it holds: whatever module a gate runs, no
/// other one goes out for it.
pub fn policy_brotli(digest: &Digest) -> Option<Embedded> {
    embedded(&format!("policy/{digest}.wasm{BROTLI}"))
}

/// The sample bundle that the demo runs on.
#[derive(RustEmbed)]
#[folder = "../bundles/sample"]
#[allow_missing = true]
struct SampleBundle;

/// The sample bundle's files by path with `/`; empty when the binary was built without them.
pub fn sample_bundle() -> BTreeMap<String, String> {
    // Its tables are no part of the bundle.
    SampleBundle::iter()
        .filter(|path| !path.starts_with("tests/"))
        .filter_map(|path| {
            let text = String::from_utf8(SampleBundle::get(&path)?.data.into_owned()).ok()?;
            Some((path.into_owned(), text))
        })
        .collect()
}

/// The presets of `console/`.
#[derive(RustEmbed)]
#[folder = "../bundles/console"]
#[allow_missing = true]
struct Presets;

/// What the demo adds to them.
#[derive(RustEmbed)]
#[folder = "../bundles/demo"]
#[allow_missing = true]
struct DemoConsole;

/// Who may do what in a demo: the files of its `console/`, by path.
pub fn demo_console() -> BTreeMap<String, String> {
    let presets = Presets::iter().filter_map(|path| Some((Presets::get(&path)?, path)));
    let more = DemoConsole::iter().filter_map(|path| Some((DemoConsole::get(&path)?, path)));
    presets
        .chain(more)
        .filter(|(_, path)| path.ends_with(".cedar"))
        .filter_map(|(file, path)| Some((format!("console/{path}"), String::from_utf8(file.data.into_owned()).ok()?)))
        .collect()
}
