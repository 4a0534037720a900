//! Putting a backup back.

use std::path::Path;

use audit_verify::run::{Progress, Report};

use super::{BACKUP, FOLDERS, RestoreMark, copy_files, empty_folder};
use crate::store::folder::{self, DataKind, make_folder, write_new};
use crate::store::sqlite;
use crate::store::verify::{self, VerifyError};

/// What is put back, and where.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The folder to be: not there yet, or empty.
    pub data: &'a Path,
    /// Who, why, and what newer heads are known.
    pub mark: &'a RestoreMark,
}

/// Verifies a backup and makes a data folder of it. The next gate that starts on it begins an epoch.
///
/// The keys of binding tokens and of credentials are left behind: what was signed before is believed no more.
///
/// # Errors
/// When the one is no backup or does not verify, or the other holds something.
pub fn restore(restore: Restore<'_>, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Report, VerifyError> {
    let Restore { from, data, mark } = restore;
    folder::hold_mark_of(from, BACKUP)?;
    empty_folder(data)?;
    // INVARIANT (R9): what does not verify is not put back.
    let report = verify::verify(from, None, &[], progress)?;
    for inner in FOLDERS {
        if from.join(inner).exists() {
            make_folder(&data.join(inner))?;
            copy_files(&from.join(inner), &data.join(inner), &["binding.json", "credentials.json"])?;
        }
    }
    sqlite::copy_into(&sqlite::path(from), &sqlite::path(data))?;
    // INVARIANT (R9): first that it was restored, then that it is a data folder: no gate starts on one without the other.
    mark.leave(data)?;
    write_new(&data.join(folder::MARKER), format!("{}\n", DataKind::Gate.word()).as_bytes())?;
    Ok(report)
}
