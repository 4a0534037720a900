//! The data folder: marked, locked, and closed to others.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::types::StoreError;
use crate::whole_file;

/// What a data folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// A gate.
    Gate,
    /// A demo, which people sign in to as anybody.
    Demo,
}

impl DataKind {
    /// What the marker file says.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Demo => "demo",
        }
    }
}

pub(super) const MARKER: &str = "proviso-data";

/// A data folder that this process holds alone.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    fresh: bool,
    /// Held, never read: the lock ends with the file.
    _lock: File,
}

impl DataFolder {
    /// Opens, or makes, and locks a data folder.
    ///
    /// # Errors
    /// When another gate has it, when it is marked as the other kind, when it holds other people's files, or when
    /// others can enter it.
    pub fn open(path: &Path, kind: DataKind) -> Result<Self, StoreError> {
        Self::hold_mark(path, kind)?;
        make_folder(path)?;
        let marker = path.join(MARKER);
        let fresh = mark_of(path)?.is_none();
        if fresh && holds_files(path)? {
            return Err(StoreError::NotOurs(path.display().to_string()));
        }
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|source| file_error(&lock_path, source))?;
        lock.try_lock().map_err(|_| StoreError::InUse(path.display().to_string()))?;
        // The mark comes first, and whole or not at all: a start that a full disk cuts short can be tried again.
        if fresh {
            replace(&marker, format!("{}\n", kind.word()).as_bytes())?;
        }
        for inner in ["keys", "heads"] {
            make_folder(&path.join(inner))?;
        }
        Ok(Self { path: path.to_owned(), fresh, _lock: lock })
    }

    /// Refuses a folder that is marked as the other kind. Nothing is made, locked or changed.
    ///
    /// # Errors
    /// When it is marked as something else, or the mark cannot be read.
    pub fn hold_mark(path: &Path, kind: DataKind) -> Result<(), StoreError> {
        match mark_of(path)? {
            Some(marked) if marked != kind.word() => {
                let folder = path.display().to_string();
                Err(StoreError::WrongFolder { folder, marked, wanted: kind.word() })
            }
            _ => Ok(()),
        }
    }

    /// Refuses a folder that is a data folder itself, of whichever kind: nobody puts other folders into one.
    ///
    /// # Errors
    /// When it is marked, or the mark cannot be read.
    pub fn hold_unmarked(path: &Path) -> Result<(), StoreError> {
        match mark_of(path)? {
            Some(marked) => Err(StoreError::IsDataFolder { folder: path.display().to_string(), marked }),
            None => Ok(()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was made just now: only then may a log be empty.
    pub const fn is_fresh(&self) -> bool {
        self.fresh
    }
}

/// Refuses a folder that is not marked with this word.
pub(super) fn hold_mark_of(path: &Path, wanted: &'static str) -> Result<(), StoreError> {
    let folder = path.display().to_string();
    match mark_of(path)? {
        Some(marked) if marked == wanted => Ok(()),
        Some(marked) => Err(StoreError::WrongFolder { folder, marked, wanted }),
        None if wanted == DataKind::Gate.word() => Err(StoreError::NoDataFolder(folder)),
        None => Err(StoreError::NoBackup(folder)),
    }
}

/// Takes a file away that may be there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(path, error)),
        _ => Ok(()),
    }
}

/// Takes the files of a folder away.
pub(super) fn remove_files(folder: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(|source| file_error(folder, source))?;
    entries.flatten().try_for_each(|entry| remove(&entry.path()))
}

/// What a folder is marked as, where it is a data folder.
fn mark_of(path: &Path) -> Result<Option<String>, StoreError> {
    let marker = path.join(MARKER);
    match fs::read_to_string(&marker) {
        Ok(word) => Ok(Some(word.trim().chars().take(40).collect())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file_error(&marker, source)),
    }
}

/// A folder that only its owner can enter.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| file_error(path, source))?;
    }
    let mode = fs::metadata(path).map_err(|source| file_error(path, source))?.permissions().mode();
    if mode & 0o077 != 0 {
        // An empty folder that somebody made for us is closed; one with content may have been read already.
        if holds_files(path)? {
            return Err(StoreError::Open(path.display().to_string()));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(|source| file_error(path, source))?;
    }
    Ok(())
}

fn holds_files(path: &Path) -> Result<bool, StoreError> {
    let mut entries = fs::read_dir(path).map_err(|source| file_error(path, source))?;
    // What a start leaves that was cut short before the mark was there.
    let ours = |name: &OsStr| name == "lock" || Path::new(MARKER).with_extension("new") == Path::new(name);
    Ok(entries.any(|entry| entry.is_ok_and(|entry| !ours(&entry.file_name()))))
}

/// Writes a file that was not there, durably, readable by its owner only.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| file_error(path, source))?;
    sync_folder(path)
}

/// Writes a file, durably and readable by its owner only, in the place of the one that is there: a reader finds the old
/// one or the new one, whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    whole_file::replace(path, bytes).map_err(|source| file_error(path, source))
}

/// Makes the folder's entry of this file durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    whole_file::sync_folder(path).map_err(|source| file_error(path, source))
}

pub(super) fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<DataFolder, StoreError>) -> &'static str {
        result.map_or_else(|error| error.code(), |_| "opened")
    }

    #[test]
    fn two_gates_cannot_hold_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let held = DataFolder::open(&data, DataKind::Gate).unwrap();
        assert!(held.is_fresh());
        assert_eq!(code(DataFolder::open(&data, DataKind::Gate)), "data_folder_in_use");
        drop(held);
        assert!(!DataFolder::open(&data, DataKind::Gate).unwrap().is_fresh());
    }

    #[test]
    fn a_demo_and_a_gate_never_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (made, other) in [(DataKind::Gate, DataKind::Demo), (DataKind::Demo, DataKind::Gate)] {
            let data = folder.path().join(made.word());
            drop(DataFolder::open(&data, made).unwrap());
            assert_eq!(code(DataFolder::open(&data, other)), "wrong_data_folder");
        }
    }

    #[test]
    fn a_first_start_that_was_cut_short_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        make_folder(&data).unwrap();
        for left in ["lock", "proviso-data.new"] {
            fs::write(data.join(left), "").unwrap();
        }
        assert!(DataFolder::open(&data, DataKind::Gate).unwrap().is_fresh());
    }

    #[test]
    fn a_folder_with_other_files_or_open_to_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(data.join("letter.txt"), "dear").unwrap();
        assert_eq!(code(DataFolder::open(&data, DataKind::Gate)), "data_folder_open");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(code(DataFolder::open(&data, DataKind::Gate)), "not_a_data_folder");
        fs::remove_file(data.join("letter.txt")).unwrap();
        drop(DataFolder::open(&data, DataKind::Gate).unwrap());
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(code(DataFolder::open(&data, DataKind::Gate)), "data_folder_open");
    }
}
