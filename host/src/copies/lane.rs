//! One receiver's lane: it waits for news, sends, and tries again. A receiver that hangs holds up its own lane alone.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;

use super::patience::pause;
use super::sink::SinkError;
use crate::app::{App, CopyState};
use crate::random::Random;

/// How often a lane looks without being told: decisions are no news of their own.
const TICK: Duration = Duration::from_millis(250);

/// How long after news a step begins: what comes together is brought together.
const PAUSE: Duration = Duration::from_millis(50);

/// What a lane does.
pub(super) trait Errand: Send + 'static {
    /// Its name, in the record's reply.
    fn name(&self) -> &str;
    /// Brings the receiver to where the record stands. How many records it is still behind.
    fn step(&mut self) -> BoxFuture<'_, Result<u64, SinkError>>;
    /// Looks at the receiver anew: it may be another by now.
    fn doubt(&mut self);
}

/// Runs until the gate stops.
pub(super) async fn run(
    app: App,
    mut errand: Box<dyn Errand>,
    random: Arc<dyn Random>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut changes = app.subscribe();
    let mut failures = 0u32;
    loop {
        // What is under way is called off when the gate stops: the head that would have covered it was not written.
        let done = tokio::select! {
            done = errand.step() => done,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let wait = match done {
            Ok(behind) => {
                failures = 0;
                app.copied(errand.name(), behind, CopyState::Fine);
                TICK
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                errand.doubt();
                let state = match &error {
                    SinkError::Failed(what) | SinkError::Unreached(what) => CopyState::Failing(what.clone()),
                    SinkError::OtherRecord => CopyState::OtherRecord,
                };
                if app.copy_failed(errand.name(), state) {
                    tracing::error!(name = errand.name(), %error, "the record does not reach a receiver");
                }
                pause(failures, &*random)
            }
        };
        let news = tokio::select! {
            () = tokio::time::sleep(wait) => false,
            change = changes.recv(), if failures == 0 => match change {
                Ok(_) | Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        if news {
            tokio::time::sleep(PAUSE).await;
            // One step brings all of it.
            while !matches!(changes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        }
    }
}
