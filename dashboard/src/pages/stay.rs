//! Whether somebody is still on a page: what a page asks the gate for is answered later, and a signal of a page that was
//! left cannot be read any more. Nothing that was sent is taken back by leaving.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::view_model::stay::during;

/// Somebody's stay on the page, or the part of one, that it was begun for.
#[derive(Clone, Copy)]
pub(super) struct Stay(StoredValue<()>);

impl Stay {
    /// On the page that is being made.
    pub(super) fn here() -> Self {
        Self(StoredValue::new(()))
    }

    /// Whether the page was left.
    pub(super) fn is_over(self) -> bool {
        self.0.is_disposed()
    }

    /// Does work for the page, until it was left.
    pub(super) async fn during<T>(self, work: impl Future<Output = T>) -> Option<T> {
        during(move || self.is_over(), work).await
    }

    /// Begins work for the page that is over when it was left. What must be carried out all the same is not begun by this.
    pub(super) fn spawn(self, work: impl Future<Output = ()> + 'static) {
        spawn_local(async move {
            self.during(work).await;
        });
    }
}
