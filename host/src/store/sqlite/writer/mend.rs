//! What the writer does about a disk that failed, and so that nothing of what it failed at is built upon.

use std::sync::atomic::Ordering;

use policy_core::sabotaged;

use super::super::{FILE, load, schema};
use super::Writer;
use crate::store::types::{Log, Record, StoreError};

/// How many pages the write-ahead log may have before it is taken over.
const LONGEST: usize = 1_000;

impl Writer {
    /// Opens what is broken, and keeps again what was given up, where that is possible by now.
    pub(super) fn mend(&mut self) {
        if self.connection.is_none() {
            self.recover();
        }
        if self.connection.is_some() && self.spent {
            self.keep_reserve();
        }
        self.clean();
    }

    /// Opens the store again, and believes it only after all that may not have reached the disk was written anew, a write
    /// has worked and all of it has verified.
    fn recover(&mut self) {
        let opened = schema::open(&self.shared.folder.path().join(FILE)).and_then(|mut connection| {
            let suspect = self.suspect && !sabotaged!("r1_failed_sync_trusted");
            if suspect && !schema::truncate(&connection).map_err(schema::database)? {
                return Err(StoreError::Database("somebody still reads what has to be written anew".to_owned()));
            }
            schema::probe(&mut connection).map_err(|error| {
                self.suspect |= schema::is_disk(&error);
                schema::database(error)
            })?;
            self.connection = Some(connection);
            self.load()
        });
        match opened {
            Ok(()) => {
                self.suspect = false;
                tracing::info!("the record can be written again");
                self.fold.writable(!self.spent);
            }
            Err(error) => {
                self.connection = None;
                tracing::error!(code = error.code(), %error, "the record still cannot be written; all is denied");
            }
        }
    }

    /// Takes the write-ahead log over into the database when it has grown long. What was answered stands in the log; where
    /// this fails, it is not built upon.
    pub(super) fn take_over(&mut self) {
        let Some(connection) = self.connection.as_ref().filter(|_| self.pages >= LONGEST) else { return };
        self.pages = 0;
        match schema::take_over(connection) {
            Ok(()) => self.settle_heads(),
            Err(error) if schema::is_disk(&error) => {
                tracing::error!(%error, "the log could not be taken over; all is denied");
                self.suspect = true;
                self.connection = None;
                self.fold.writable(false);
            }
            // There is no room for it: the log goes on as long as there is room for that.
            Err(error) => tracing::warn!(%error, "the log could not be taken over yet"),
        }
    }

    /// Brings the heads beside the database to the disk, behind everybody's answer: what a power cut leaves of them is never
    /// older than what was last taken over. Where that fails they say less, and nothing is built upon them.
    fn settle_heads(&self) {
        for log in Log::ALL {
            let path = load::head_file(self.shared.folder.path(), log);
            match std::fs::File::open(&path).and_then(|file| file.sync_data()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "the newest head could not be brought to the disk");
                }
                _ => {}
            }
        }
    }

    /// Where somebody waited in vain: what hung has come to an end.
    pub(super) fn hangs_no_more(&self) {
        if self.shared.hangs.swap(false, Ordering::AcqRel) && self.connection.is_some() && !self.spent {
            tracing::info!("the record hangs no more");
            self.fold.writable(true);
        }
    }

    /// Gives up what is kept for stops, and opens the store again. Whether stops can be written now.
    pub(super) fn spend(&mut self) -> bool {
        if self.reserve.release() {
            tracing::error!("the space that is kept for stops is given up, so that they can be recorded");
            self.spent = true;
        }
        self.recover();
        self.connection.is_some()
    }
}

/// About how many pages a record's rows are written to: one each, and those that their bytes fill.
pub(super) fn pages(record: &Record) -> usize {
    let filled = record.payloads.iter().map(|(_, bytes)| bytes.len() / 4_096);
    filled.sum::<usize>().saturating_add(1 + record.payloads.len())
}
