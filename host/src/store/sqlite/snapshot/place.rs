//! The file that a snapshot stands in, and that it never holds what was erased.
//!
//! | beside it | what it is |
//! |---|---|
//! | `….new` | one that is being written |
//! | `….begun` | that one was gone on from, and that not all of the record was found to be what it says |
//! | `….gone-N` | what was one, and is being overwritten |
//!
//! Whatever the process comes to, the next start finds one of these and does what is left to do.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sealed;
use crate::store::folder::file_error;
use crate::store::types::{Log, StoreError};
use crate::whole_file;

/// The file's name in the data folder.
const NAME: &str = "record.snapshot";
/// What the name of one goes on with that was set aside, before its number.
const GONE: &str = ".gone-";
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
    /// How many files were set aside: each under a number of its own.
    numbered: u64,
    /// What was set aside, and nobody has overwritten.
    left: Vec<PathBuf>,
}

/// What was set aside: no snapshot any more, and to be overwritten.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Gone(Vec<PathBuf>);

impl Gone {
    /// Whether there is nothing to overwrite.
    pub(in crate::store::sqlite) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over what another one holds.
    pub(in crate::store::sqlite) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
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
        // The long parts hold up nobody: what is written here is nobody else's until they are done.
        let written = whole_file::write_beside(&self.path, bytes);
        if let Ok(beside) = &written {
            let mut turns = self.turns();
            if turns.taken == begun {
                turns.is_written = false;
                fs::rename(beside, &self.path).and_then(|()| whole_file::sync_folder(&self.path)).map_err(failed)?;
                return Ok(true);
            }
        }
        // Nobody is to read it any more; and on a disk without room it would take that of the record.
        let wiped = wipe(&whole_file::beside(&self.path));
        self.turns().is_written = false;
        written.map_err(failed).and(wiped).map(|_| false)
    }

    /// Sets it aside: when this returns there is none, and what was begun before is not put there. Renames alone, so that
    /// whoever writes the record can wait for it; what was set aside is still to be overwritten.
    ///
    /// What is just being written beside it was never a snapshot, and is overwritten by whoever writes it as soon as that
    /// ends.
    pub(in crate::store::sqlite) fn set_aside(&self) -> Result<Gone, StoreError> {
        let mut turns = self.turns();
        turns.taken = turns.taken.saturating_add(1);
        let beside = (!turns.is_written).then(|| whole_file::beside(&self.path));
        let mut is_renamed = false;
        for path in [Some(self.path.clone()), beside].into_iter().flatten() {
            let number = turns.numbered.saturating_add(1);
            let aside = self.with(&format!("{GONE}{number}"));
            match fs::rename(&path, &aside) {
                Ok(()) => {
                    turns.numbered = number;
                    turns.left.push(aside);
                    is_renamed = true;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(file_error(&path, source)),
            }
        }
        if is_renamed {
            whole_file::sync_folder(&self.path).map_err(|source| file_error(&self.path, source))?;
        }
        Ok(Gone(std::mem::take(&mut turns.left)))
    }

    /// Overwrites what was set aside, and takes it away: gone for good when this returns. What cannot be overwritten is
    /// left to whoever sets something aside next, or to the next start.
    pub(in crate::store::sqlite) fn overwrite(&self, Gone(mut paths): Gone) -> Result<(), StoreError> {
        let is_any = !paths.is_empty();
        while let Some(path) = paths.last() {
            if let Err(error) = wipe(path) {
                self.turns().left.append(&mut paths);
                return Err(error);
            }
            paths.pop();
        }
        if is_any {
            whole_file::sync_folder(&self.path).map_err(|source| file_error(&self.path, source))?;
        }
        Ok(())
    }

    /// Takes it away: overwritten, and gone for good when this returns.
    pub(in crate::store::sqlite) fn remove(&self) -> Result<(), StoreError> {
        let gone = self.set_aside()?;
        self.overwrite(gone)
    }

    /// Takes away what a process left that was cut short while it wrote one, or overwrote one.
    pub(in crate::store::sqlite) fn clear(&self) -> Result<(), StoreError> {
        wipe(&whole_file::beside(&self.path))?;
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let begins = format!("{NAME}{GONE}");
        for entry in fs::read_dir(folder).map_err(|source| file_error(folder, source))? {
            let entry = entry.map_err(|source| file_error(folder, source))?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begins)) {
                wipe(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Says beside it, durably, that it is gone on from, and that not all of the record has verified yet.
    ///
    /// INVARIANT (R9): said before anything of it is believed, so that no start goes on from one of which an earlier one
    /// did not find, to the end, that it is what the record says: whatever that one came to, and whatever it could still
    /// write or take away.
    pub(in crate::store::sqlite) fn begin(&self) -> Result<(), StoreError> {
        let path = self.begun();
        let mut open = OpenOptions::new();
        let made = open.create(true).truncate(false).write(true).mode(0o600).open(&path);
        made.and_then(|file| file.sync_all())
            .and_then(|()| whole_file::sync_folder(&path))
            .map_err(|source| file_error(&path, source))
    }

    /// Whether that is said. INVARIANT (R8): where it cannot be seen, it is.
    pub(in crate::store::sqlite) fn is_begun(&self) -> bool {
        self.begun().try_exists().unwrap_or(true)
    }

    /// Says it no more. Where a power cut brings it back, a start reads everything.
    pub(in crate::store::sqlite) fn end(&self) -> Result<(), StoreError> {
        let path = self.begun();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error(&path, error)),
            _ => Ok(()),
        }
    }

    fn begun(&self) -> PathBuf {
        self.with(".begun")
    }

    fn with(&self, ending: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(ending);
        PathBuf::from(path)
    }
}

/// The heads that the snapshot in a data folder names, of whoever wrote it: for who holds each against the keys.
pub(in crate::store::sqlite) fn named_heads(data: &Path) -> Vec<(Log, String)> {
    // One that cannot be read says nothing: whoever makes it so can as well take it away.
    File::open(data.join(NAME)).ok().and_then(|file| sealed::named_heads(file).ok()).unwrap_or_default()
}

/// Overwrites a file and takes it away.
fn wipe(path: &Path) -> Result<(), StoreError> {
    let failed = |source| file_error(path, source);
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    overwrite(&mut file).and_then(|()| fs::remove_file(path)).map_err(failed)
}

fn overwrite(file: &mut File) -> io::Result<()> {
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
mod tests;
