//! Where things are: the clone, what Cargo builds, and the cache outside the clone.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that every command works with.
pub struct Place {
    /// The root of the clone.
    pub root: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR`, else `target` in the clone.
    pub target: PathBuf,
    /// What the host carries inside: `policy.wasm` and `dashboard/`. Always in the clone.
    pub assets: PathBuf,
    /// Tools that outlive the clone: `$XDG_CACHE_HOME/proviso`, else `~/.cache/proviso`.
    pub cache: PathBuf,
}

impl Place {
    /// Finds the folders from this crate's own and the environment.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?.to_owned();
        // Compiled into a shared target folder, this binary may have been built in another clone: believe Cargo.
        let root = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(own) => PathBuf::from(own).parent().context("xtask has no parent folder")?.to_owned(),
            None => root,
        };
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let cache = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
            (Some(folder), _) if Path::new(&folder).is_absolute() => PathBuf::from(folder).join("proviso"),
            (_, Some(home)) if !home.is_empty() => PathBuf::from(home).join(".cache/proviso"),
            _ => target.join("cache"),
        };
        let assets = root.join("target/assets");
        Ok(Self { root, target, assets, cache })
    }

    /// The folder of the tools that xtask installed itself.
    pub fn bin(&self) -> PathBuf {
        self.cache.join("tools/bin")
    }

    /// The search path of every command that xtask starts: its own tools first.
    pub fn search_path(&self) -> Result<OsString> {
        let rest = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.bin()).chain(env::split_paths(&rest).collect::<Vec<_>>());
        env::join_paths(folders).context("a folder of PATH holds a separator")
    }

    /// The first executable of this name on the search path.
    pub fn which(&self, name: &str) -> Option<PathBuf> {
        let path = self.search_path().ok()?;
        env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    }
}
