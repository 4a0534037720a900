//! The signals that tell a process to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::Failure;

/// Signals that wait to be asked for, instead of ending the process at once.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over. To be called before anybody is told that the process is ready: whoever reads that line
    /// may answer it with a signal.
    pub(super) fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::unavailable("no_signals", error.to_string());
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    /// Takes over the signal of a reload, too, and does nothing at it: whoever has a certificate to read again listens for
    /// it by itself, and whoever has none must not end by it.
    pub(super) fn outlive_reloads() -> Result<(), Failure> {
        // Once taken over, a signal does not end the process any more, whoever listens.
        signal(SignalKind::hangup()).map(drop).map_err(|error| Failure::unavailable("no_signals", error.to_string()))
    }

    /// Returns when the process is told to stop.
    pub(super) async fn stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
