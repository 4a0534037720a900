//! `proviso trust-clock`: an operator's recorded act after the gate found its clock unsafe (R6).

use clap::Args;

use super::output::{Done, Failure};
use super::token::{At, ask};
use crate::socket::Request;

/// Say that the clock can be trusted again.
#[derive(Debug, Args)]
pub(super) struct TrustClock {
    /// Why: what was wrong, and what was done about it.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    at: At,
}

/// Runs it.
pub(super) async fn run(command: TrustClock) -> Result<Done, Failure> {
    ask(&command.at.data, &Request::TrustClock { reason: command.reason }).await
}
