//! How a gate is to run, as `serve` is told it and `doctor` looks at it: one list of options, and one reading of its files.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};

use super::listen::Listen;
use super::output::Failure;
use crate::app::{Allowance, Retention, Ways};
use crate::copies::Record;
use crate::notify::Notify;
use crate::sign_in::SignInFile;
use crate::trust::Identities;

/// How a gate is to run.
#[derive(Debug, Args)]
pub(super) struct Given {
    #[command(flatten)]
    pub(super) listen: Listen,
    /// Agents and the gate may share an operating-system user. Every page and record shows it.
    #[arg(long)]
    pub(super) single_user: bool,
    /// How many evaluations a subject may ask for each second, in all its tasks; ten times as many at once after a pause.
    #[arg(long, value_name = "NUMBER", default_value_t = Allowance::default().evaluations, value_parser = value_parser!(u32).range(1..))]
    pub(super) evaluations: u32,
    /// How many requests a person is to decide in a day, which ends at midnight UTC; further ones go to others. Without it
    /// nobody counts.
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..))]
    pub(super) attention: Option<u32>,
    /// Where people are told of requests: webhooks and mail. See docs/notify.md.
    #[arg(long, value_name = "FILE")]
    pub(super) notify: Option<PathBuf>,
    /// How long what is kept; what is older is erased once a day. See docs/erasure.md. Without it nothing is erased by age.
    #[arg(long, value_name = "FILE")]
    pub(super) retention: Option<PathBuf>,
    /// Where the record goes besides: heads to files, webhooks and witnesses, all of it to copies. See docs/copies.md.
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// By which providers people sign in (OpenID Connect), and whose each account is. See docs/sign-in.md. Without it by
    /// one-time links alone.
    #[arg(long, value_name = "FILE")]
    pub(super) sign_in: Option<PathBuf>,
    /// Whose tokens are believed besides the gate's own: trust domains and issuers, with their keys. See docs/identities.md.
    #[arg(long, value_name = "FILE")]
    pub(super) identities: Option<PathBuf>,
}

/// What its files say; one that is not given says nothing.
#[derive(Default)]
pub(super) struct Files {
    pub(super) notify: Notify,
    pub(super) retention: Retention,
    pub(super) record: Record,
    pub(super) ways: Ways,
    pub(super) identities: Identities,
}

impl Given {
    /// Reads its files.
    pub(super) fn read(&self) -> Result<Files, Failure> {
        Ok(Files {
            notify: read(self.notify.as_deref(), Notify::read, |error| {
                bad(error.code(), error).help("docs/notify.md says what the file holds")
            })?,
            retention: read(self.retention.as_deref(), Retention::read, |error| bad(error.code(), error))?,
            record: read(self.record.as_deref(), Record::read, |error| bad(error.code(), error))?,
            ways: read(self.sign_in.as_deref(), SignInFile::read, |error| bad(error.code(), error))?,
            identities: read(self.identities.as_deref(), Identities::read, |error| bad(error.code(), error))?,
        })
    }

    /// The files that are given.
    pub(super) fn named(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.notify, &self.retention, &self.record, &self.sign_in, &self.identities].into_iter().flatten()
    }
}

fn read<T: Default, E>(
    file: Option<&Path>,
    read: impl FnOnce(&Path) -> Result<T, E>,
    failed: impl FnOnce(&E) -> Failure,
) -> Result<T, Failure> {
    file.map_or_else(|| Ok(T::default()), |file| read(file).map_err(|error| failed(&error)))
}

fn bad(code: &str, error: &dyn std::error::Error) -> Failure {
    Failure::bad_input(code, error.to_string())
}
