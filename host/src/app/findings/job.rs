//! The running job: compares what has changed, and what time alone may have changed.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::run::Compared;
use crate::app::App;

/// How long after a comparison the next one begins.
const PAUSE: Duration = Duration::from_secs(2);

/// Compares until `stopping` turns true. What could not be written is found again.
pub fn keep_reconciling(app: App, mut stopping: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut compared = Compared::default();
        loop {
            if let Err(refusal) = app.compare(&mut compared).await {
                tracing::warn!(code = refusal.code, "what was found could not be written yet");
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                // A sender that is gone stops the gate as well.
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    })
}
