//! `proviso task …`: units of work, at the running gate over its socket.

use clap::Subcommand;

use super::output::{Done, Failure};
use super::token::{At, ask};
use crate::socket::Request;

/// What to do with a task.
#[derive(Debug, Subcommand)]
pub(super) enum TaskCommand {
    /// End a task: its grants are dead, its open requests closed, and nothing more is allowed in it.
    End {
        /// The task, as tokens name it.
        task: String,
        /// Why: it is done, or it must stop.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
}

/// Runs it.
pub(super) async fn run(command: TaskCommand) -> Result<Done, Failure> {
    let TaskCommand::End { task, reason, at } = command;
    ask(&at.data, &Request::EndTask { task, reason }).await
}
