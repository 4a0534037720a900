//! `proviso backup` and `proviso restore`: a data folder in another place, and back.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::audit::{failure, read};
use super::bar::Bar;
use super::output::{Done, Exit, Failure};
use crate::clock::{Clock as _, SystemClock};
use crate::random::{self, SystemRandom};
use crate::socket::user_name;
use crate::store::backup::{self, Restore, RestoreMark, SeenHead};
use crate::store::verify::VerifyError;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 2_000;

/// Copy a data folder, while its gate runs, and verify the copy.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder to write: one that is not there, or is empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Make a data folder of a backup. The gate that starts on it begins an epoch: people confirm what was granted before, and credentials are minted anew.
#[derive(Debug, Args)]
pub(super) struct RestoreFrom {
    /// The backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data folder to make: one that is not there, or is empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Why; it stands in the record.
    #[arg(long)]
    reason: String,
    /// A newer signed head of the record that was lost: so the gap is told in numbers.
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
}

/// Runs `backup`.
pub(super) fn back_up(command: &Backup) -> Result<Done, Failure> {
    let bar = Bar::new("verified");
    let report = backup::write(&command.data, &command.to, &mut |at| bar.at(at)).map_err(told)?;
    drop(bar);
    let text = format!(
        "the backup is in `{}`, and verified: {}; it holds the gate's keys, so keep it as closed as the gate",
        command.to.display(),
        records(&report.logs)
    );
    Ok(Done::fine(text, json!({"backup": command.to.display().to_string(), "logs": report.logs})))
}

/// Runs `restore`.
pub(super) fn restore(command: &RestoreFrom) -> Result<Done, Failure> {
    if command.reason.trim().is_empty() || command.reason.chars().count() > LONGEST_REASON {
        let message = format!("a restore needs a reason of 1 to {LONGEST_REASON} characters");
        return Err(Failure::usage("reason_needed", message).help("give `--reason TEXT`"));
    }
    let seen = command.heads.iter().map(|path| {
        let note = read(path)?;
        Ok(SeenHead { place: format!("the file `{}`", path.display()), note })
    });
    let id = random::id(&SystemRandom, "restore")
        .map_err(|error| Failure::unavailable("no_randomness", error.to_string()))?;
    let mark = RestoreMark {
        id,
        by: user_name(rustix::process::getuid().as_raw()),
        reason: command.reason.clone(),
        at: SystemClock.now(),
        seen: seen.collect::<Result<_, Failure>>()?,
    };
    let bar = Bar::new("verified");
    let restored = Restore { from: &command.from, data: &command.data, mark: &mark };
    let report = backup::restore(restored, &mut |at| bar.at(at)).map_err(told)?;
    drop(bar);
    let text = format!(
        "restored into `{}`: {}; start `proviso serve` on it, mint credentials anew, and let people confirm what was granted",
        command.data.display(),
        records(&report.logs)
    );
    Ok(Done::fine(text, json!({"restored": command.data.display().to_string(), "logs": report.logs})))
}

fn records(logs: &[audit_verify::run::LogReport]) -> String {
    let lines: Vec<String> = logs.iter().map(|log| format!("{} records of `{}`", log.records, log.log)).collect();
    lines.join(", ")
}

/// What the command line says wrongly exits as usage.
fn told(error: VerifyError) -> Failure {
    match error {
        VerifyError::Store(error) if matches!(error.code(), "folder_not_empty" | "not_a_backup") => {
            Failure::new(Exit::Usage, error.code(), error.to_string()).help(error.help())
        }
        error => failure(error),
    }
}
