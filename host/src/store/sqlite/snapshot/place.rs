//! The file that a snapshot stands in, and that it never holds what was erased.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::folder::file_error;
use crate::store::types::StoreError;
use crate::whole_file;

/// The file's name in the data folder.
const NAME: &str = "record.snapshot";
/// What a file is overwritten with, a piece at a time.
static ZEROS: [u8; 65_536] = [0; 65_536];

/// Where the snapshot is.
pub(in crate::store::sqlite) struct Place {
    path: PathBuf,
    turns: Mutex<Turns>,
}

/// What whoever writes one and whoever takes it away know of each other.
#[derive(Default)]
struct Turns {
    /// How often it was taken away: what was begun before is not put there any more.
    taken: u64,
    /// Whether one is being written beside it: who writes it overwrites it where it was taken away meanwhile.
    is_written: bool,
}

impl Place {
    pub(in crate::store::sqlite) fn of(data: &Path) -> Self {
        Self { path: data.join(NAME), turns: Mutex::default() }
    }

    /// What stands there, if anything does.
    pub(in crate::store::sqlite) fn read(&self) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(file_error(&self.path, source)),
        }
    }

    /// How often it was taken away until now: who makes a snapshot asks before it reads the first record of it.
    pub(in crate::store::sqlite) fn turn(&self) -> u64 {
        self.turns().taken
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a snapshot there, durably and readable by its owner only, unless one was taken away since this turn. Whether
    /// it stands there.
    pub(in crate::store::sqlite) fn put(&self, bytes: &[u8], begun: u64) -> Result<bool, StoreError> {
        let failed = |source| file_error(&self.path, source);
        self.turns().is_written = true;
        // The long part holds up nobody.
        let written = whole_file::write_beside(&self.path, bytes);
        let mut turns = self.turns();
        turns.is_written = false;
        let beside = match written {
            Ok(beside) if turns.taken == begun => beside,
            other => {
                // Nobody is to read it any more; and on a disk without room it would take that of the record.
                let wiped = wipe(&whole_file::beside(&self.path));
                return other.map_err(failed).and(wiped).map(|_| false);
            }
        };
        fs::rename(&beside, &self.path).and_then(|()| whole_file::sync_folder(&self.path)).map_err(failed)?;
        Ok(true)
    }

    /// Takes it away: overwritten, and gone for good when this returns. What is just being written beside it was never a
    /// snapshot, and is overwritten by whoever writes it as soon as that ends.
    pub(in crate::store::sqlite) fn remove(&self) -> Result<(), StoreError> {
        let mut turns = self.turns();
        turns.taken = turns.taken.saturating_add(1);
        let beside = !turns.is_written && wipe(&whole_file::beside(&self.path))?;
        if wipe(&self.path)? || beside {
            whole_file::sync_folder(&self.path).map_err(|source| file_error(&self.path, source))?;
        }
        Ok(())
    }

    /// Takes away what a writing left that was cut short.
    pub(in crate::store::sqlite) fn clear(&self) -> Result<(), StoreError> {
        wipe(&whole_file::beside(&self.path)).map(drop)
    }
}

/// Overwrites a file and takes it away. Whether it was there.
fn wipe(path: &Path) -> Result<bool, StoreError> {
    let failed = |source| file_error(path, source);
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    overwrite(&mut file).and_then(|()| fs::remove_file(path)).map_err(failed)?;
    Ok(true)
}

fn overwrite(file: &mut File) -> std::io::Result<()> {
    let mut left = file.metadata()?.len();
    while let Ok(piece) = usize::try_from(left.min(ZEROS.len() as u64))
        && piece > 0
    {
        file.write_all(ZEROS.get(..piece).unwrap_or(&ZEROS))?;
        left = left.saturating_sub(piece as u64);
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_begun_before_it_was_taken_away_is_not_put_there() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path());
        let path = folder.path().join(NAME);
        assert_eq!(place.read().unwrap(), None);
        let begun = place.turn();
        assert!(place.put(b"one", begun).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.read().unwrap().as_deref(), Some(b"one".as_slice()));
        place.remove().unwrap();
        assert!(!path.exists());
        assert!(!place.put(b"two", begun).unwrap(), "it holds what was there before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nor is it beside its place");
        assert!(place.put(b"three", place.turn()).unwrap());
    }

    #[test]
    fn what_is_being_written_while_one_is_taken_away_is_overwritten_by_who_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path());
        let begun = place.turn();
        place.turns().is_written = true;
        let beside = whole_file::write_beside(&folder.path().join(NAME), b"words").unwrap();
        let other = folder.path().join("other");
        fs::hard_link(&beside, &other).unwrap();
        place.remove().unwrap();
        assert!(beside.exists(), "whoever writes it goes on writing into it");
        assert!(!place.put(b"words", begun).unwrap());
        assert!(!beside.exists() && !place.turns().is_written);
        place.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_taken_away_was_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path());
        let words = b"the words that nobody is to read any more".repeat(5_000);
        place.put(&words, place.turn()).unwrap();
        // Another name of the same bytes on the disk.
        let other = folder.path().join("other");
        fs::hard_link(folder.path().join(NAME), &other).unwrap();
        place.remove().unwrap();
        let left = fs::read(other).unwrap();
        assert!(left.len() == words.len() && left.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_a_writing_left_is_cleared_and_what_it_would_have_replaced_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path());
        place.put(b"one", place.turn()).unwrap();
        whole_file::write_beside(&folder.path().join(NAME), b"tw").unwrap();
        place.clear().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(place.read().unwrap().as_deref(), Some(b"one".as_slice()));
    }
}
