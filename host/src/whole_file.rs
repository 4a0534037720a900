//! Files that are there whole or not at all, whatever happens while they are written.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Writes a file, durably and readable by its owner only, in the place of the one that is there: a reader finds the old
/// one or the new one, also after a power cut.
///
/// # Errors
/// What the system says; the old file is as it was then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = write_beside(path, bytes)?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Where a file is written before it takes its place.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut beside = OsString::from(path);
    beside.push(".new");
    PathBuf::from(beside)
}

/// The first half of [`replace`]: writes it durably beside its place, and says where.
///
/// # Errors
/// What the system says.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let beside = beside(path);
    // One that was left half-written may be readable by others: it is made anew, never written over.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(beside)
}

/// Makes the folder's entry of this file durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The most bytes that every disk writes as one.
const SECTOR: usize = 512;
/// How often whoever reads asks whether a file is written just now, and how long it waits between.
const LOOKS: usize = 100;
const BETWEEN: Duration = Duration::from_millis(10);

/// Writes a file whose last state may be lost in a power cut, and never half of one. No sync: it costs some calls of the
/// system and waits for no disk.
///
/// Where a file is there that is as long, its bytes are written over: that changes no file's size, place or name, so that
/// whatever is synced next on this disk has nothing to bring along. They stand in the first sector, so that a power cut
/// leaves those of before or these. It is locked for as long as that takes, so that [`read_whole`] sees no half of it, also
/// where the system takes the processor away in between. Nobody is waited for: where somebody reads it, or the disk has no
/// locks, another file takes its place.
///
/// # Errors
/// What the system says; what is there then is the old file or the new one.
pub(crate) fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() <= SECTOR
        && let Ok(file) = OpenOptions::new().write(true).open(path)
        && file.metadata()?.len() == u64::try_from(bytes.len()).unwrap_or(u64::MAX)
        && file.try_lock().is_ok()
    {
        return file.write_all_at(bytes, 0);
    }
    let beside = path.with_extension("new");
    File::create(&beside)?.write_all(bytes)?;
    fs::rename(&beside, path)
}

/// Reads a file that another process may be writing over with [`write_over`]: one of its states, whole.
///
/// # Errors
/// What the system says, also where whoever writes it does not come to an end.
pub(crate) fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    for _ in 0..LOOKS {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            // Where the disk has no locks, nobody writes over.
            Ok(()) | Err(TryLockError::Error(_)) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                return Ok(bytes);
            }
        }
    }
    Err(io::Error::other("it is being written, and that does not come to an end"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_of_the_same_length_is_written_over_and_any_other_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let place = || fs::metadata(&path).unwrap().ino();
        let write = |text: &str| {
            write_over(&path, text.as_bytes()).unwrap();
            assert_eq!(read_whole(&path).unwrap(), text.as_bytes());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        };
        write("first");
        let first = fs::File::open(&path).unwrap();
        let begun = place();
        write("other");
        assert_eq!(place(), begun);
        // A hand that holds the old file open keeps its number from being given away.
        write("longer");
        assert_ne!(place(), begun);
        drop(first);
        let (most, more) = ("x".repeat(SECTOR), "y".repeat(SECTOR + 1));
        write(&most);
        let held = fs::File::open(&path).unwrap();
        let begun = place();
        write(&"z".repeat(SECTOR));
        assert_eq!(place(), begun);
        write(&more);
        let held = (held, fs::File::open(&path).unwrap());
        let begun = place();
        // More than a sector may be torn: it takes the place of the other one, however long that is.
        write(&"w".repeat(SECTOR + 1));
        assert_ne!(place(), begun);
        drop(held);
        fs::remove_file(&path).unwrap();
        write("again");
    }

    #[test]
    fn what_is_written_over_meanwhile_is_read_as_one_of_its_states() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let states: Vec<String> = ["a", "b"].map(|letter| letter.repeat(SECTOR)).into();
        write_over(&path, states[0].as_bytes()).unwrap();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for _ in 0..200 {
                    for state in &states {
                        write_over(&path, state.as_bytes()).unwrap();
                    }
                    std::thread::yield_now();
                }
            });
            while !writing.is_finished() {
                let read = read_whole(&path).unwrap();
                assert!(states.iter().any(|state| state.as_bytes() == read), "{read:?}");
            }
        });
    }

    #[test]
    fn whoever_reads_holds_nobody_up_and_whoever_writes_is_waited_for_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        write_over(&path, b"first").unwrap();
        let mut reading = File::open(&path).unwrap();
        reading.lock_shared().unwrap();
        write_over(&path, b"other").unwrap();
        assert_eq!(read_whole(&path).unwrap(), b"other");
        let mut old = String::new();
        reading.read_to_string(&mut old).unwrap();
        assert_eq!(old, "first");
        let writing = OpenOptions::new().write(true).open(&path).unwrap();
        writing.lock().unwrap();
        assert!(read_whole(&path).unwrap_err().to_string().contains("does not come to an end"));
        drop(writing);
        assert_eq!(read_whole(&path).unwrap(), b"other");
    }
}
