//! Writing a backup.

use std::path::Path;

use audit_verify::run::{Progress, Report};

use super::{BACKUP, FOLDERS, copy_files, empty_folder};
use crate::store::folder::{self, DataKind, make_folder, write_new};
use crate::store::sqlite;
use crate::store::types::StoreError;
use crate::store::verify::{self, VerifyError};

/// How often the copy begins anew where a key was rotated meanwhile.
const ATTEMPTS: usize = 3;

/// Writes what a data folder holds into a folder that is not there or empty, while a gate may be writing to it, and
/// verifies what was written. The mark comes last: what has none is no backup.
///
/// # Errors
/// When the one is no gate's data folder, the other holds something, or what was written does not verify.
pub fn write(data: &Path, to: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Report, VerifyError> {
    folder::hold_mark_of(data, DataKind::Gate.word())?;
    empty_folder(to)?;
    copy(data, to)?;
    let report = verify::verify(to, None, &[], progress)?;
    write_new(&to.join(folder::MARKER), format!("{BACKUP}\n").as_bytes())?;
    Ok(report)
}

/// The heads first: the database may only be newer. The keys before and behind it: a key that took over meanwhile would
/// have signed what is copied.
fn copy(data: &Path, to: &Path) -> Result<(), StoreError> {
    for inner in FOLDERS {
        if inner != "keys" && data.join(inner).exists() {
            make_folder(&to.join(inner))?;
            copy_files(&data.join(inner), &to.join(inner), &[])?;
        }
    }
    let signers = || crate::store::Keys::read(data).map(|keys| keys.trust().keys);
    for _ in 0..ATTEMPTS {
        let before = signers()?;
        sqlite::copy_into(&sqlite::path(data), &sqlite::path(to))?;
        make_folder(&to.join("keys"))?;
        copy_files(&data.join("keys"), &to.join("keys"), &[])?;
        if signers()? == before {
            return Ok(());
        }
        folder::remove(&sqlite::path(to))?;
        folder::remove_files(&to.join("keys"))?;
    }
    Err(StoreError::Database("its keys are rotated again and again".to_owned()))
}
