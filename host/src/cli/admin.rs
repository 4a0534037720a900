//! `proviso admin …`: the first administrator, the second yes while there is no second one, and the last one's loss, at the
//! running gate over its socket.

use clap::Subcommand;
use policy_core::text::visible;
use serde_json::json;

use super::output::{Done, Exit, Failure};
use super::token::{At, ask, told};
use crate::socket::client;
use crate::socket::{Reply, Request};

/// What to do about administrators.
#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make the first administrator's link anew: it lies in a file of the data folder for 15 minutes.
    Enrol {
        /// The person, by id; absent: the first whom the bundle lets be one.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Agree to an invitation in the place of a second administrator, while there is none. Prints the link.
    Confirm {
        /// The proposal's id.
        id: String,
        #[command(flatten)]
        at: At,
    },
    /// Let an administrator in when the last one is lost: everybody hears of it, and the link is there after a day.
    Recover {
        /// The person, by id; absent: the first whom the bundle lets be one.
        #[arg(long)]
        user: Option<String>,
        /// Why; needed when it begins.
        #[arg(long)]
        reason: Option<String>,
        /// Stop the one under way.
        #[arg(long, requires = "reason", conflicts_with = "user")]
        stop: bool,
        #[command(flatten)]
        at: At,
    },
}

/// Runs it.
pub(super) async fn run(command: AdminCommand) -> Result<Done, Failure> {
    let (request, at) = match command {
        AdminCommand::Enrol { user, at } => (Request::EnrolAdministrator { user }, at),
        AdminCommand::Confirm { id, at } => return ask(&at.data, &Request::ConfirmInvitation { id }).await,
        AdminCommand::Recover { stop: true, reason, at, .. } => {
            let reason = reason.unwrap_or_default();
            return ask(&at.data, &Request::StopRecovery { reason }).await;
        }
        AdminCommand::Recover { user, reason, at, .. } => (Request::Recover { user, reason }, at),
    };
    match client::ask(&at.data, &request).await {
        Ok(Reply::LinkLaid { person, file, expires_at }) => {
            let shown = visible(&person.to_string(), 100);
            let text = format!("the link of {shown} is in {file} until {expires_at}");
            Ok(Done::fine(text, json!({"person": person, "file": file, "expires_at": expires_at})))
        }
        Ok(Reply::RecoveryWaits(line)) => {
            let person = visible(&line.person.to_string(), 100);
            let text = format!("{person} is let in after {}, unless somebody stops it; ask again then", line.ready_at);
            Ok(Done { exit: Exit::Requestable, text, json: json!(line) })
        }
        other => told(other),
    }
}
