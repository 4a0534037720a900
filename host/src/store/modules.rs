//! The modules that a record names, as files of a folder: `modules/SHA256.wasm` of a data folder, and of an export.
//!
//! A module is kept before the first record that names it, so that whoever has the record can ask its questions again
//! (R10). What is read back is held against its name: nothing here is believed for lying where it lies.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use policy_core::digest::Digest;
use policy_core::sabotaged;

use super::folder::{file_error, make_folder, replace};
use super::types::StoreError;

/// The folder's name.
pub const FOLDER: &str = "modules";

/// The modules beside one record.
#[derive(Debug, Clone)]
pub struct Modules {
    folder: PathBuf,
}

impl Modules {
    /// Those of this data folder or export.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join(FOLDER) }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.wasm"))
    }

    /// Keeps a module durably. One that is there already stays, if it is this one.
    ///
    /// # Errors
    /// `module_altered` where other bytes stand under this digest; when the file cannot be written.
    pub fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        // INVARIANT (R10): what judges is kept before the first record that names it, or nothing is recorded.
        if sabotaged!("r10_module_not_kept") {
            return Ok(());
        }
        match self.read(digest)? {
            Some(_) => Ok(()),
            None if Digest::of(bytes) != *digest => Err(StoreError::ModuleAltered(digest.to_string())),
            None => {
                make_folder(&self.folder)?;
                replace(&self.file(digest), bytes)
            }
        }
    }

    /// The module of this digest. Absent: it is not kept here.
    ///
    /// # Errors
    /// `module_altered` where other bytes stand under this digest; when the file cannot be read.
    pub fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.file(digest);
        match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == *digest => Ok(Some(bytes)),
            Ok(_) => Err(StoreError::ModuleAltered(path.display().to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(file_error(&path, source)),
        }
    }

    /// Copies every module into another folder, each held against its name.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::keep`].
    pub fn copy_to(&self, other: &Self) -> Result<(), StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(file_error(&self.folder, source)),
        };
        for entry in entries {
            let name = entry.map_err(|source| file_error(&self.folder, source))?.file_name();
            // What is named otherwise is none of ours.
            let digest = name.to_str().and_then(|name| name.strip_suffix(".wasm")?.parse::<Digest>().ok());
            if let Some(digest) = digest
                && let Some(bytes) = self.read(&digest)?
            {
                other.keep(&digest, &bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, StoreError>) -> &'static str {
        result.map_or_else(|error| error.code(), |_| "fine")
    }

    #[test]
    fn a_module_is_kept_once_and_read_only_as_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let modules = Modules::of(folder.path());
        let (bytes, digest) = (b"\0asm".as_slice(), Digest::of(b"\0asm"));
        assert!(modules.read(&digest).unwrap().is_none());
        assert_eq!(code(modules.keep(&digest, b"other")), "module_altered");
        modules.keep(&digest, bytes).unwrap();
        modules.keep(&digest, bytes).unwrap();
        assert_eq!(modules.read(&digest).unwrap().as_deref(), Some(bytes));

        let copy = Modules::of(&folder.path().join("export"));
        modules.copy_to(&copy).unwrap();
        assert_eq!(copy.read(&digest).unwrap().as_deref(), Some(bytes));

        fs::write(modules.file(&digest), b"\0asn").unwrap();
        for result in [code(modules.keep(&digest, bytes)), code(modules.read(&digest)), code(modules.copy_to(&copy))] {
            assert_eq!(result, "module_altered");
        }
    }
}
