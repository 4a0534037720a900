//! Heads in files: `FILE.ledger` and `FILE.decisions-main`, each the newest signed note of its log.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;

use super::folder::write;
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

    /// What stands there, for the first look of a gate that starts.
    pub(super) fn seen(&self) -> Vec<SeenHead> {
        let notes = Log::ALL.into_iter().filter_map(|log| fs::read_to_string(path(&self.file, log)).ok());
        notes.map(|note| SeenHead { place: self.place.clone(), note }).collect()
    }
}

/// Who holds a head, in words.
pub(super) fn place(name: &str) -> String {
    format!("`{name}`, which the record's file names")
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
            let note = match fs::read_to_string(&path) {
                Ok(note) => note,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(SinkError::of(error.kind())),
            };
            let standing = app.look_at_head(log, &self.place, &note).await;
            match standing.map_err(|refusal| SinkError::of(refusal.detail))? {
                HeadStanding::Ours(size) => Ok(size),
                HeadStanding::Foreign => Err(SinkError::OtherRecord),
                HeadStanding::Lost => {
                    // It stays beside, as all that is left of what was lost.
                    let mut kept = path.clone().into_os_string();
                    kept.push(format!(".before-epoch-{}", app.epoch()));
                    fs::rename(&path, kept).map_err(|error| SinkError::of(error.kind()))?;
                    Ok(0)
                }
            }
        })
    }

    fn take<'a>(&'a mut self, _: &'a App, head: &'a Head) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            write(&path(&self.file, head.log), head.note.as_bytes()).map_err(|error| SinkError::of(error.kind()))
        })
    }
}
