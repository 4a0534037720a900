//! What modes and owners of files leave weak.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use toml::Value;

use super::Found;
use crate::socket::user_name;

/// Whatever others, by group or at all, can do.
const ANYTHING: u32 = 0o077;
/// What others can write.
const WRITE: u32 = 0o022;
/// How many levels of a bundle are looked at: one is not as deep.
const DEEPEST: u32 = 8;

/// Looks at a data folder: who can enter it, who can read its keys, whose it is.
///
/// # Errors
/// When it cannot be looked at.
pub fn look_at_data_folder(data: &Path, found: &mut Found) -> io::Result<()> {
    let facts = std::fs::metadata(data)?;
    if facts.mode() & ANYTHING != 0 {
        found.tell("data_open", format!("`{}` has the mode {:o}", data.display(), facts.mode() & 0o777));
    }
    if facts.uid() == 0 {
        found.tell("runs_as_root", format!("`{}` belongs to {}", data.display(), user_name(0)));
    }
    for inner in ["keys", "signing"] {
        let Ok(entries) = std::fs::read_dir(data.join(inner)) else { continue };
        for entry in entries.flatten() {
            let facts = entry.metadata()?;
            if facts.is_file() && facts.mode() & ANYTHING != 0 {
                let mode = facts.mode() & 0o777;
                found.tell("keys_open", format!("`{}` has the mode {mode:o}", entry.path().display()));
            }
        }
    }
    Ok(())
}

/// Looks at a bundle's folder: who can write into it.
///
/// # Errors
/// When it cannot be looked at.
pub fn look_at_bundle_folder(bundle: &Path, found: &mut Found) -> io::Result<()> {
    if let Some(open) = writable(bundle, DEEPEST)? {
        found.tell("bundle_writable", format!("others can write `{open}`"));
    }
    Ok(())
}

/// The first that others can write, in the order of names.
fn writable(path: &Path, deep: u32) -> io::Result<Option<String>> {
    let facts = std::fs::symlink_metadata(path)?;
    // A link is read by nobody, and its own mode says nothing.
    if facts.is_symlink() {
        return Ok(None);
    }
    if facts.mode() & WRITE != 0 {
        return Ok(Some(path.display().to_string()));
    }
    if !facts.is_dir() || deep == 0 {
        return Ok(None);
    }
    let mut inner: Vec<_> = std::fs::read_dir(path)?.flatten().map(|entry| entry.path()).collect();
    inner.sort();
    for path in inner {
        if let Some(open) = writable(&path, deep.saturating_sub(1))? {
            return Ok(Some(open));
        }
    }
    Ok(None)
}

/// Looks at a file of settings.
///
/// # Errors
/// When it cannot be looked at.
pub fn look_at_settings(file: &Path, found: &mut Found) -> io::Result<()> {
    let facts = std::fs::metadata(file)?;
    if facts.mode() & WRITE != 0 {
        found.tell("settings_writable", format!("`{}` has the mode {:o}", file.display(), facts.mode() & 0o777));
    }
    Ok(())
}

/// What a secret stands under, in files of settings: there `file` names where it lies.
const SECRETS: [&str; 5] = ["secrets", "password", "token", "credentials", "client_secret"];
/// What the keys of others stand under. They are no secret, but whoever writes them is whom they like.
const KEYS: &str = "keys";

/// Looks at the files that a file of settings names, with secrets and with the keys of others. What is no TOML is refused
/// elsewhere.
///
/// # Errors
/// When one cannot be looked at.
pub fn look_at_named(settings: &Path, found: &mut Found) -> io::Result<()> {
    let text = std::fs::read_to_string(settings)?;
    let Ok(table) = toml::from_str::<toml::Table>(&text) else { return Ok(()) };
    let mut files = Vec::new();
    named(&Value::Table(table), "", &mut files);
    for (under, file) in files {
        if under == KEYS {
            look_at_settings(Path::new(&file), found)?;
            continue;
        }
        let facts = std::fs::metadata(&file)?;
        if facts.mode() & ANYTHING != 0 {
            found.tell("secret_open", format!("`{file}` has the mode {:o}", facts.mode() & 0o777));
        }
    }
    Ok(())
}

/// The files that stand under one of those names, with the name.
fn named(value: &Value, under: &str, files: &mut Vec<(String, String)>) {
    match value {
        Value::Table(table) => {
            if let Some(Value::String(file)) = table.get("file").filter(|_| under == KEYS || SECRETS.contains(&under)) {
                files.push((under.to_owned(), file.clone()));
            }
            table.iter().for_each(|(name, value)| named(value, name, files));
        }
        Value::Array(values) => values.iter().for_each(|value| named(value, under, files)),
        _ => {}
    }
}
