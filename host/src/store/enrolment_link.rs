//! The file in which the link of an administrator lies: in the data folder, readable by the gate's user alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::whole_file;

/// The file of the link.
#[derive(Debug)]
pub struct EnrolmentLink;

impl EnrolmentLink {
    /// Where it is.
    pub fn path(data: &Path) -> PathBuf {
        data.join("enrolment-link")
    }

    /// Writes the link in the place of the one before, and tells where.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(data: &Path, link: &str) -> io::Result<String> {
        let path = Self::path(data);
        whole_file::replace(&path, format!("{link}\n").as_bytes())?;
        Ok(path.display().to_string())
    }

    /// Removes it, where it is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(data: &Path) -> io::Result<()> {
        match fs::remove_file(Self::path(data)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
