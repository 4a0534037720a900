//! What an erasure does to the snapshot: it is none any more before the record says so, and overwritten before anybody is
//! told, while the writer writes on.

use std::sync::Arc;
use std::thread::JoinHandle;

use policy_core::sabotaged;
use tokio::sync::oneshot;

use super::super::Shared;
use super::super::batch::Batch;
use super::super::snapshot::Gone;
use super::Writer;
use crate::store::types::{AppendError, Positions, StoreError};

/// What an operator has to know.
const LEFT: &str = "a snapshot that may hold what is erased is not overwritten; the next start does it";

/// Who waits for an erasure, and what they are to hear.
pub(super) type Waiting = (oneshot::Sender<Answer>, Answer);
type Answer = Result<Positions, AppendError>;

impl Writer {
    /// Before and after something is erased: sets the snapshot aside that may hold it. It is overwritten behind the
    /// writer's back: a large file takes as long as the disk does, and votes and stops wait for the writer.
    ///
    /// INVARIANT (R9): what is erased is in none any more when anybody is told so.
    pub(super) fn forget(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if !batch.erased.is_empty() && !sabotaged!("r9_erased_in_snapshot") {
            self.gone.append(self.shared.place.set_aside()?);
        }
        Ok(())
    }

    /// Answers everybody; who waits for an erasure, once what was set aside is overwritten.
    pub(super) fn answer(&mut self, answers: impl Iterator<Item = (bool, Waiting)>) {
        let (gone, mut waiting) = (std::mem::take(&mut self.gone), Vec::new());
        for (erases, (reply, answer)) in answers {
            if erases && !gone.is_empty() {
                waiting.push((reply, answer));
            } else {
                // Who no longer waits does not hear it; the record stands all the same.
                let _ = reply.send(answer);
            }
        }
        if !gone.is_empty() {
            self.wiping.begin(Arc::clone(&self.shared), gone, waiting);
        }
    }
}

/// The threads that overwrite what was set aside. The writer waits for them at its end, so that the folder's lock ends
/// after the last write.
#[derive(Default)]
pub(super) struct Wiping(Vec<JoinHandle<()>>);

impl Wiping {
    fn begin(&mut self, shared: Arc<Shared>, gone: Gone, waiting: Vec<Waiting>) {
        self.0.retain(|thread| !thread.is_finished());
        let begun = std::thread::Builder::new().name("snapshot-wiper".to_owned()).spawn(move || {
            let wiped = shared.place.overwrite(gone);
            if let Err(error) = &wiped {
                tracing::error!(code = error.code(), %error, "{LEFT}");
            }
            for (reply, answer) in waiting {
                // INVARIANT (R9): nobody is told that something is erased which may still be there.
                let _ = reply.send(if wiped.is_ok() { answer } else { Err(AppendError::Unavailable) });
            }
        });
        match begun {
            Ok(thread) => self.0.push(thread),
            // Who waited hears that nobody answers; the next start overwrites it.
            Err(error) => tracing::error!(%error, "{LEFT}"),
        }
    }
}

impl Drop for Wiping {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            // One that panicked has told nobody that it is done.
            let _ = thread.join();
        }
    }
}
