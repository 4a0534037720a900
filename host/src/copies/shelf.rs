//! Heads in files: `FILE.ledger` and `FILE.decisions-main`, each the newest signed note of its log.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;

use super::folder::{blocking, write};
use super::heads::Keeper;
use super::sink::SinkError;
use crate::app::{App, HeadStanding};
use crate::store::{Head, Log, SeenHead};

/// The files.
pub(super) struct Shelf {
    file: PathBuf,
    place: String,
}

impl Shelf {
    pub(super) fn new(name: &str, file: &Path) -> Self {
        Self { file: file.to_owned(), place: place(name) }
    }

    /// What stands there of a log. Absent: nothing.
    pub(super) async fn seen(&self, log: Log) -> Result<Option<SeenHead>, SinkError> {
        let note = read(&path(&self.file, log)).await?;
        Ok(note.map(|note| SeenHead { place: self.place.clone(), note }))
    }
}

/// Who holds a head, in words.
pub(super) fn place(name: &str) -> String {
    format!("`{name}`, which the record's file names")
}

fn read(path: &Path) -> BoxFuture<'static, Result<Option<String>, SinkError>> {
    let path = path.to_owned();
    blocking(move || match fs::read_to_string(&path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    })
}

fn path(file: &Path, log: Log) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(format!(".{}", log.name().replace('/', "-")));
    PathBuf::from(path)
}

impl Keeper for Shelf {
    fn look<'a>(&'a mut self, app: &'a App, log: Log) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let path = path(&self.file, log);
            let Some(note) = read(&path).await? else { return Ok(0) };
            let standing = app.look_at_head(log, &self.place, &note).await;
            match standing.map_err(|refusal| SinkError::of(refusal.detail))? {
                HeadStanding::Ours(size) => Ok(size),
                HeadStanding::Foreign => Err(SinkError::OtherRecord),
                HeadStanding::Lost => {
                    // It stays beside, as all that is left of what was lost.
                    let mut kept = path.clone().into_os_string();
                    kept.push(format!(".before-epoch-{}", app.epoch()));
                    blocking(move || fs::rename(path, kept)).await?;
                    Ok(0)
                }
            }
        })
    }

    fn take<'a>(&'a mut self, _: &'a App, head: &'a Head) -> BoxFuture<'a, Result<(), SinkError>> {
        let (path, note) = (path(&self.file, head.log), head.note.clone());
        blocking(move || write(&path, note.as_bytes()))
    }
}
