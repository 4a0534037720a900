//! What the release binary carries inside: `policy.wasm` and the dashboard. A debug build reads them from the folder
//! that `cargo xtask build` writes.

use std::borrow::Cow;

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

/// A file of the dashboard, by its path below the dashboard's folder.
pub fn dashboard(path: &str) -> Option<Cow<'static, [u8]>> {
    Assets::get(&format!("dashboard/{path}")).map(|file| file.data)
}
