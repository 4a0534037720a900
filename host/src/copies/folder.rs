//! A copy in a folder: best on another mount, of another machine.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use tokio::task::spawn_blocking;

use super::sink::{Sink, SinkError};
use crate::whole_file;

/// A folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

impl Sink for Folder {
    fn get<'a>(&'a self, path: &'a str, most: usize) -> BoxFuture<'a, Result<Option<Vec<u8>>, SinkError>> {
        let path = self.0.join(path);
        blocking(move || match fs::File::open(&path) {
            Ok(file) => {
                let (mut bytes, most) = (Vec::new(), most as u64);
                file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
                let is_short = bytes.len() as u64 <= most;
                if is_short { Ok(Some(bytes)) } else { Err(io::Error::other("the file is too long")) }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn put<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), SinkError>> {
        let path = self.0.join(path);
        blocking(move || write(&path, &bytes))
    }

    fn remove<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        let path = self.0.join(path);
        blocking(move || match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
}

/// Where a disk that hangs holds up nobody who answers.
pub(super) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, Result<T, SinkError>> {
    Box::pin(async move {
        match spawn_blocking(work).await {
            // What the system says names no more than the kind of the failure.
            Ok(done) => done.map_err(|error| SinkError::of(error.kind())),
            Err(error) => Err(SinkError::of(error)),
        }
    })
}

/// Puts a file there in one step, with the folders that it stands in.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    whole_file::replace(path, bytes)
}
