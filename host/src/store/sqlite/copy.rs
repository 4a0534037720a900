//! A copy of the database as of one instant, while a gate may be writing to it.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::params;

use super::schema::{database, open_read_only};
use crate::store::folder::{file_error, sync_folder};
use crate::store::types::StoreError;

/// Writes the database into a file that is not there yet, durably: SQLite reads it in one transaction.
pub(in crate::store) fn copy_into(from: &Path, to: &Path) -> Result<(), StoreError> {
    let text = to.to_str().ok_or_else(|| file_error(to, std::io::Error::other("the path is no text")))?;
    let connection = open_read_only(from)?;
    connection.execute("VACUUM INTO ?1", params![text]).map_err(database)?;
    let kept = File::open(to).and_then(|file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.sync_all()
    });
    kept.map_err(|source| file_error(to, source))?;
    sync_folder(to)
}
