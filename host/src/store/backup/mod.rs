//! A data folder in another place: written while the gate runs, and put back as a folder that begins an epoch.
//!
//! A backup is a data folder that is marked as one: no gate starts on it, and what was not finished is not marked. The
//! database is copied by SQLite itself, as of one instant; keys and heads lie beside it. What is kept compiled, the socket
//! and the space for stops are made anew.

mod mark;
mod restore;
mod write;

pub use mark::{RestoreMark, SeenHead};
pub use restore::{Restore, restore};
pub use write::write;

use std::fs;
use std::path::Path;

use super::folder::{file_error, write_new};
use super::types::StoreError;
use crate::whole_file;

/// The word that a backup is marked with.
const BACKUP: &str = "backup";
/// The folders that are copied whole, where they are there.
const FOLDERS: [&str; 3] = ["heads", "keys", "modules"];

/// Copies the files of a folder, durably and readable by their owner only. What stands in it is never a folder, and what
/// is only half written is left out.
fn copy_files(from: &Path, to: &Path, but: &[&str]) -> Result<(), StoreError> {
    let entries = fs::read_dir(from).map_err(|source| file_error(from, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| file_error(from, source))?;
        let path = entry.path();
        let name = entry.file_name();
        let is_partial = path.extension().is_some_and(|ending| ending == "new");
        if path.is_dir() || is_partial || name.to_str().is_some_and(|name| but.contains(&name)) {
            continue;
        }
        // The gate writes heads over.
        match whole_file::read_whole(&path) {
            Ok(bytes) => write_new(&to.join(&name), &bytes)?,
            // It was replaced while we looked: whatever took its place has another name.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(file_error(&path, source)),
        }
    }
    Ok(())
}

/// Makes a folder to write into, closed to others, or takes an empty one.
fn empty_folder(path: &Path) -> Result<(), StoreError> {
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(StoreError::NotEmpty(path.display().to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(file_error(path, error)),
    }
    super::folder::make_folder(path)
}
