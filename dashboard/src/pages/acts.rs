//! What pages do at the gate, one thing at a time.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::Desk;
use crate::view_model::problem::ApiError;

/// One act under way at most, and what went wrong with the last one.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    desk: Desk,
    busy: RwSignal<bool>,
    pub(super) failed: RwSignal<Option<ApiError>>,
}

impl Acts {
    pub(super) fn new() -> Self {
        Self { desk: Desk::take(), busy: RwSignal::new(false), failed: RwSignal::new(None) }
    }

    /// Whether one is under way.
    pub(super) fn busy(self) -> bool {
        self.busy.get()
    }

    /// Does it, and says what came of it. The change itself comes back as news.
    pub(super) fn run<T: 'static>(
        self,
        work: impl Future<Output = Result<T, ApiError>> + 'static,
        done: impl FnOnce(T) -> String + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let came = work.await;
            self.busy.set(false);
            match came {
                Ok(came) => {
                    self.failed.set(None);
                    self.desk.said.set(done(came));
                }
                Err(error) => {
                    self.desk.note(&error);
                    self.desk.said.set(error.what());
                    self.failed.set(Some(error));
                }
            }
        });
    }

    /// Whether a reason was given; says so where none was.
    pub(super) fn has_reason(self, reason: &str) -> bool {
        if reason.is_empty() {
            self.desk.said.set("Say why: the record keeps it.".to_owned());
        }
        !reason.is_empty()
    }
}
