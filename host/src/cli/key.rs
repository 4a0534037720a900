//! `proviso key …`: the keys that sign what others verify, at the running gate.

use clap::Subcommand;

use super::output::{Done, Failure};
use super::token::{At, ask};
use crate::socket::Request;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Let a fresh key sign binding tokens and approvals. The one before stays published until nothing that it signed is valid.
    Rotate {
        /// Rotate the key that signs the heads of the record instead. What was signed before stays verifiable.
        #[arg(long, conflicts_with = "credentials")]
        log: bool,
        /// Rotate the key that signs the tokens of agents and enforcement points instead. The one before is believed until
        /// the last token ends that it signed.
        #[arg(long)]
        credentials: bool,
        /// Why; it stands in the record.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// List the published keys.
    List {
        /// List the keys that tokens of agents and enforcement points are believed by instead.
        #[arg(long)]
        credentials: bool,
        #[command(flatten)]
        at: At,
    },
}

/// Runs it.
pub(super) async fn run(command: KeyCommand) -> Result<Done, Failure> {
    let (request, at) = match command {
        KeyCommand::Rotate { log: true, reason, at, .. } => (Request::RotateLogKey { reason }, at),
        KeyCommand::Rotate { credentials: true, reason, at, .. } => (Request::RotateCredentialKeys { reason }, at),
        KeyCommand::Rotate { reason, at, .. } => (Request::RotateKeys { reason }, at),
        KeyCommand::List { credentials: true, at } => (Request::ListCredentialKeys {}, at),
        KeyCommand::List { credentials: false, at } => (Request::ListKeys {}, at),
    };
    ask(&at.data, &request).await
}
