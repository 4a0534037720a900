//! What is weak in a set-up, and how to mend it: flags, files, bundle and record, read and never written.
//!
//! Nothing here decides anything, and a gate does not ask it: a set-up that a gate must not run with is refused at the
//! start. What is told here a gate runs with, and somebody should know. `docs/doctor.md` has a row for each.

mod bundle;
mod files;
mod kinds;
mod processes;
mod record;
mod setup;

use serde::Serialize;

pub use bundle::look_at_bundle;
pub use files::{look_at_bundle_folder, look_at_data_folder, look_at_named, look_at_settings};
pub use kinds::{Kind, Severity, kinds};
pub use processes::look_at_processes;
pub use record::look_at_record;
pub use setup::{Setup, look_at_setup};

/// One thing that is weak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Weakness {
    /// How bad it is.
    pub severity: Severity,
    /// A stable snake_case code, of [`kinds`].
    pub code: &'static str,
    /// What exactly, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

/// What was found, in the order of how bad it is.
#[derive(Debug, Default)]
pub struct Found(Vec<Weakness>);

impl Found {
    /// One more. A code that stands in no table is nobody's: it is told as it is, with nothing to do about it.
    pub fn tell(&mut self, code: &'static str, message: impl Into<String>) {
        let kind = kinds().iter().find(|kind| kind.code == code);
        let (severity, help) = kind.map_or((Severity::Grave, ""), |kind| (kind.severity, kind.help));
        self.0.push(Weakness { severity, code, message: message.into(), help });
    }

    /// All of it, worst first.
    pub fn sorted(mut self) -> Vec<Weakness> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
