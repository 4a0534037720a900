//! `proviso session …`: where people are signed in, at the running gate over its socket.

use clap::Subcommand;
use serde_json::json;

use super::output::{Done, Failure};
use super::token::{At, ask, told};
use crate::app::Ending;
use crate::socket::client;
use crate::socket::{Reply, Request};

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List the sessions of everybody, or of one person.
    List {
        /// The person, by id.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// End a session, or all of a person.
    Revoke {
        /// Its public id, as `list` shows it.
        #[arg(required_unless_present = "user", conflicts_with = "user")]
        id: Option<String>,
        /// All of this person, by id.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        at: At,
    },
}

/// Runs it.
pub(super) async fn run(command: SessionCommand) -> Result<Done, Failure> {
    match command {
        SessionCommand::List { user, at } => match client::ask(&at.data, &Request::ListSessions { user }).await {
            Ok(Reply::Sessions { sessions }) => {
                let line = |line: &proviso_api::sessions::SessionLine| {
                    let browser = line.browser.as_deref().map(|text| policy_core::text::visible(text, 100));
                    format!(
                        "{}  {}  by {}  since {}  last seen {}  until {}  {}",
                        line.id,
                        line.person,
                        line.by,
                        line.since,
                        line.last_seen,
                        line.expires_at,
                        browser.unwrap_or_default()
                    )
                };
                let lines: Vec<String> = sessions.iter().map(line).collect();
                Ok(Done::fine(lines.join("\n"), json!({"sessions": sessions})))
            }
            other => told(other),
        },
        SessionCommand::Revoke { id, user, at } => {
            let ending = id.map(Ending::One).or_else(|| user.map(Ending::AllOf));
            let ending = ending.ok_or_else(|| Failure::usage("usage", "name a session, or a person with `--user`"))?;
            ask(&at.data, &Request::EndSessions { ending }).await
        }
    }
}
