//! The mark that a restore leaves in a data folder, until the gate has begun an epoch because of it.

use std::fs;
use std::path::{Path, PathBuf};

use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::folder::{file_error, sync_folder, write_new};
use crate::store::types::StoreError;

/// Where it lies in the data folder.
const FILE: &str = "restored.json";

/// That a folder was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreMark {
    /// Which restore it was.
    pub id: String,
    /// The operating-system user.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Heads of the lost record that the operator had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SeenHead>,
}

/// A head that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenHead {
    /// Who, in words for people.
    pub place: String,
    /// The signed note.
    pub note: String,
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

impl RestoreMark {
    /// The mark in a data folder.
    ///
    /// # Errors
    /// INVARIANT (R9): when it is there and cannot be read. A gate does not start on a doubt.
    pub fn read(data: &Path) -> Result<Option<Self>, StoreError> {
        let path = path(data);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(&path, source)),
        };
        let mark = serde_json::from_slice(&bytes);
        mark.map(Some).map_err(|error| file_error(&path, std::io::Error::other(error)))
    }

    /// Leaves it in a data folder.
    pub(super) fn leave(&self, data: &Path) -> Result<(), StoreError> {
        let path = path(data);
        let bytes = serde_json::to_vec(self).map_err(|error| file_error(&path, std::io::Error::other(error)))?;
        write_new(&path, &bytes)
    }

    /// Takes it away, once a record says the same.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn remove(data: &Path) -> Result<(), StoreError> {
        let path = path(data);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(&path, error)),
            _ => sync_folder(&path),
        }
    }
}
