//! The gate's word that calls were stopped after they began: asked for once for all conversations, while any has begun
//! something.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::book::Book;
use crate::mcp::gate::Gate;

/// How long between two looks, after news or a failure.
const RESTS: Duration = Duration::from_secs(1);

/// How many conversations have begun something.
#[derive(Debug, Default)]
pub struct Begun {
    count: AtomicUsize,
    news: Notify,
}

impl Begun {
    /// One more has, or one less.
    pub fn count(&self, more: bool) {
        if more {
            self.count.fetch_add(1, Ordering::AcqRel);
            self.news.notify_one();
        } else {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    async fn any(&self) {
        while self.count.load(Ordering::Acquire) == 0 {
            self.news.notified().await;
        }
    }
}

/// Watches for ever.
pub async fn watch(gate: &Gate, begun: &Begun, book: &Book) {
    loop {
        begun.any().await;
        match gate.stopped().await {
            Ok(stopped) if stopped.is_empty() => {}
            Ok(stopped) => {
                // What cannot be called off is named again until its outcome is reported.
                book.stopped(&Arc::from(stopped));
                tokio::time::sleep(RESTS).await;
            }
            Err(_) => tokio::time::sleep(RESTS).await,
        }
    }
}
