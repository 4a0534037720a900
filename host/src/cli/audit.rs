//! `proviso audit verify`: is the record what was signed?

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::output::{Done, Exit, Failure};
use crate::store::{StoreError, verify};

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check every record against the signed heads, offline or while the gate runs.
    Verify {
        /// The data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Runs it.
pub(super) fn run(command: &AuditCommand) -> Result<Done, Failure> {
    let AuditCommand::Verify { data } = command;
    match verify::verify(data) {
        Ok(report) => {
            let lines = report.logs.iter().map(|log| format!("{}: {} records, verified", log.log, log.records));
            let text = lines.collect::<Vec<_>>().join("\n");
            Ok(Done::fine(text, json!({"verified": true, "logs": report.logs})))
        }
        Err(error) => {
            let exit = match &error {
                StoreError::Tampered { .. } => Exit::BadInput,
                _ => Exit::Unavailable,
            };
            Err(Failure::new(exit, error.code(), error.to_string()).help(error.help()))
        }
    }
}
