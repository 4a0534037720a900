//! How far a command is, on standard error where somebody looks at it.

use audit_verify::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar for each log in turn. It goes when the command is done.
pub(super) struct Bar {
    bar: ProgressBar,
    done: &'static str,
}

impl Bar {
    /// `done` says what is done with each record.
    pub(super) fn new(done: &'static str) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {human_pos}/{human_len} {eta}") {
            bar.set_style(style);
        }
        Self { bar, done }
    }

    pub(super) fn at(&self, progress: Progress<'_>) {
        if progress.done == 1 {
            self.bar.set_length(progress.of);
            self.bar.set_message(format!("{} {}", progress.log, self.done));
        }
        self.bar.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
