//! What a step reads, as one digest: a step whose digest is unchanged is skipped.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::command::{command, output_of};
use crate::place::Place;

/// The digest over the names and bytes of every file below these paths, the lock file, the compiler's version and the
/// flags that it is given.
///
/// Returns 64 hexadecimal digits. Folders are walked in order of name; `node_modules` and `target` are left out.
pub fn digest(place: &Place, paths: &[&str], flags: &str) -> Result<String> {
    let mut files = Vec::new();
    for path in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"].iter().chain(paths) {
        collect(&place.root.join(path), &mut files)?;
    }
    let mut rustc = command(place, "rustc")?;
    rustc.arg("-vV");
    let compiler = output_of(rustc).context("`rustc -vV` does not answer")?;
    digest_of(&format!("{compiler}{flags}"), &place.root, &files)
}

/// The digest over the bytes of these files.
pub fn digest_of_files(files: &[PathBuf]) -> Result<String> {
    digest_of("", Path::new("/"), files)
}

fn digest_of(prefix: &str, root: &Path, files: &[PathBuf]) -> Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(prefix);
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
        for part in [name.as_bytes(), &bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hexadecimal(hasher))
}

/// The SHA-256 of a file's bytes, as 64 hexadecimal digits.
pub fn sha256(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    Ok(hexadecimal(Sha256::new_with_prefix(bytes)))
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut below = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    below.sort();
    for entry in below {
        if !entry.ends_with("node_modules") && !entry.ends_with("target") {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

/// Copies a file, or a folder with all below it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_file() {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from, to).with_context(|| format!("cannot copy `{}`", from.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Removes a file or a folder, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
