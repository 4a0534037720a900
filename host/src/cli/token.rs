//! `proviso token …`: credentials, minted by the running gate over its socket.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use policy_core::entity::EntityRef;
use policy_core::text;
use serde_json::json;

use super::output::{Done, Exit, Failure};
use super::shown::word;
use crate::app::HoldTarget;
use crate::identity::TokenLine;
use crate::socket::client::{self, ClientError};
use crate::socket::{Reply, Request};

/// A chain of the longest names fits.
const LONGEST_LINE: usize = 4_096;

/// Where the gate is.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The data folder of the running gate.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
}

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Print a bearer token for an agent, bound to one subject and one task, and nothing else.
    Agent {
        /// The workload identity, `TYPE::ID`.
        #[arg(long, value_parser = entity)]
        subject: EntityRef,
        /// The one unit of work that it acts in.
        #[arg(long)]
        task: String,
        /// An agent between it and the human, `TYPE::ID`; several from the one that called it inward.
        #[arg(long, value_name = "SUBJECT", value_parser = entity)]
        via: Vec<EntityRef>,
        /// The human behind it, by id. Without one the agent acts in scope and cannot ask.
        #[arg(long = "for", value_name = "USER")]
        on_behalf: Option<String>,
        /// The one resource that it may be shown to: the URI of a `proviso mcp --listen`. Without one it is for the gate.
        #[arg(long, value_name = "URI")]
        resource: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Print a bearer token for a proxy or gateway, and nothing else.
    EnforcementPoint {
        /// Its name, as grants and records hold it.
        #[arg(long)]
        name: String,
        /// For which subjects it may ask: `TYPE::PATTERN`, where `*` stands for any characters.
        #[arg(long)]
        subjects: String,
        /// For which upstream servers it may ask, by their configured names.
        #[arg(long, num_args = 1.., required = true)]
        servers: Vec<String>,
        /// It may vouch for subject, task and chain of agents that have no credential of their own. See docs/identities.md.
        #[arg(long)]
        vouches: bool,
        /// The resource that it is, for a `proviso mcp --listen`: agents' tokens that are shown to it must be for it.
        #[arg(long, value_name = "URI")]
        resource: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Print a one-time sign-in link for an approver, and nothing else.
    Approver {
        /// The person, by id.
        #[arg(long)]
        user: String,
        #[command(flatten)]
        at: At,
    },
    /// List credentials, without their secrets.
    List {
        #[command(flatten)]
        at: At,
    },
    /// End a credential: by its public id, or what another issuer vouches for, by its `jti` or its subject.
    Revoke {
        /// Its public id, as `list` shows it.
        #[arg(required_unless_present = "issuer", conflicts_with = "issuer")]
        id: Option<String>,
        /// The issuer: `spiffe://NAME` for a trust domain, else its `iss`.
        #[arg(long, value_name = "ISS")]
        issuer: Option<String>,
        /// Whatever names this subject of the issuer, from now on.
        #[arg(long, value_name = "SUB", requires = "issuer", conflicts_with = "jti")]
        sub: Option<String>,
        /// The one token with this id.
        #[arg(long, value_name = "JTI", requires = "issuer")]
        jti: Option<String>,
        #[command(flatten)]
        at: At,
    },
}

/// Runs it.
pub(super) async fn run(command: TokenCommand) -> Result<Done, Failure> {
    let (request, at) = match command {
        TokenCommand::Agent { subject, task, via, on_behalf, resource, at } => {
            (Request::MintAgent { subject, task, via, on_behalf, resource }, at)
        }
        TokenCommand::EnforcementPoint { name, subjects, servers, vouches, resource, at } => {
            (Request::MintEnforcementPoint { name, subjects, servers, vouches, resource }, at)
        }
        TokenCommand::Approver { user, at } => (Request::MintApprover { user }, at),
        TokenCommand::List { at } => return list(&at.data).await,
        TokenCommand::Revoke { id: Some(id), at, .. } => (Request::RevokeToken { id }, at),
        TokenCommand::Revoke { id: None, issuer, sub, jti, at } => {
            (Request::EndForeign { issuer: issuer.unwrap_or_default(), subject: sub, jti }, at)
        }
    };
    ask(&at.data, &request).await
}

/// Every credential, a page after the other.
async fn list(data: &Path) -> Result<Done, Failure> {
    let mut tokens: Vec<TokenLine> = Vec::new();
    loop {
        let after = tokens.last().map(|line| line.id.clone());
        match client::ask(data, &Request::ListTokens { after }).await {
            Ok(Reply::Tokens { tokens: page, more }) => {
                let empty = page.is_empty();
                tokens.extend(page);
                if empty || !more {
                    break;
                }
            }
            other => return told(other),
        }
    }
    let lines = tokens.iter().map(shown);
    Ok(Done::fine(lines.collect::<Vec<_>>().join("\n"), json!({"tokens": tokens})))
}

/// INVARIANT (R11): names are somebody else's words, and no terminal obeys them.
fn shown(line: &TokenLine) -> String {
    let (by, what) = (text::visible(&line.by, LONGEST_LINE), text::visible(&line.what, LONGEST_LINE));
    format!("{}  {:<17}  {:<7}  until {}  by {by}  {what}", line.id, line.kind, line.state, line.expires_at)
}

/// Asks the running gate, and tells what it said.
pub(super) async fn ask(data: &Path, request: &Request) -> Result<Done, Failure> {
    told(client::ask(data, request).await)
}

/// What a command says of the gate's answer.
pub(super) fn told(reply: Result<Reply, ClientError>) -> Result<Done, Failure> {
    match reply {
        Ok(Reply::Minted { id, secret, expires_at }) => {
            let json = json!({"id": id, "secret": secret, "expires_at": expires_at});
            Ok(Done::fine(secret, json))
        }
        Ok(Reply::Erased(report)) => Ok(Done::fine(report.lines(), json!(report))),
        Ok(Reply::Holds { holds }) => {
            let lines = holds.iter().map(|hold| {
                let target = match &hold.target {
                    HoldTarget::Entity(entity) => word(&entity.to_string()),
                    HoldTarget::Exception(id) => format!("exception {id}"),
                };
                format!("{}  {target}  since {} by {}: {}", hold.id, hold.at, word(&hold.by), word(&hold.reason))
            });
            Ok(Done::fine(lines.collect::<Vec<_>>().join("\n"), json!({"holds": holds})))
        }
        Ok(Reply::Owner(owner)) => Ok(Done::fine(super::owner::owner_line(&owner), json!(owner))),
        Ok(Reply::Departure(left)) => Ok(Done::fine(super::owner::departure_lines(&left), json!(left))),
        Ok(Reply::Done {}) => Ok(Done::fine("done", json!({"done": true}))),
        Ok(Reply::Keys { keys }) => {
            let lines = keys.iter().map(|key| match key.retired_at {
                Some(retired) => format!("{}  {}  since {}  retired {retired}", key.kid, key.state, key.made_at),
                None => format!("{}  {}  since {}", key.kid, key.state, key.made_at),
            });
            Ok(Done::fine(lines.collect::<Vec<_>>().join("\n"), json!({"keys": keys})))
        }
        Ok(Reply::SessionsEnded { ended }) => Ok(Done::fine(format!("{ended} ended"), json!({"ended": ended}))),
        Ok(
            Reply::Tokens { .. }
            | Reply::Brought { .. }
            | Reply::Reconciled { .. }
            | Reply::Sessions { .. }
            | Reply::LinkLaid { .. }
            | Reply::RecoveryWaits(_),
        ) => Err(Failure::unavailable("gate_unreadable", "the gate answered something else")),
        Ok(Reply::Refused { code, unavailable, detail, help }) => {
            let exit = if unavailable { Exit::Unavailable } else { Exit::BadInput };
            Err(Failure { help, ..Failure::new(exit, code, detail) })
        }
        Err(error @ ClientError::Unreachable { .. }) => {
            Err(Failure::unavailable("gate_unreachable", error.to_string())
                .help("start it with `proviso serve --data DIR`, and ask as the user that it runs under"))
        }
        Err(error @ ClientError::Unreadable(_)) => Err(Failure::unavailable("gate_unreadable", error.to_string())),
    }
}

/// Reads `TYPE::ID`. The id may hold `::`, the type may be in a namespace: the last `::` that leaves a type parts them.
pub(super) fn entity(text: &str) -> Result<EntityRef, String> {
    let mut kind = String::new();
    let mut rest = text;
    while let Some((segment, behind)) = rest.split_once("::") {
        let is_name = segment
            .starts_with(|first: char| first.is_ascii_uppercase() || (kind.is_empty() && first == '_'))
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            break;
        }
        if !kind.is_empty() {
            kind.push_str("::");
        }
        kind.push_str(segment);
        rest = behind;
    }
    if kind.is_empty() || rest.is_empty() {
        return Err("an entity is written `TYPE::ID`, such as `Agent::release-bot`".to_owned());
    }
    Ok(EntityRef::new(kind, rest))
}

#[cfg(test)]
mod tests {
    use policy_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_name_in_the_list_shows_as_what_it_is() {
        let line = TokenLine {
            id: "pvf_1".to_owned(),
            kind: "agent".to_owned(),
            what: "Agent::a via Agent::\u{1b}[2J\u{202e}b".to_owned(),
            minted_at: Timestamp::from_millis(0),
            by: "https://login.example\n".to_owned(),
            expires_at: Timestamp::from_millis(0),
            state: "live".to_owned(),
        };
        let shown = shown(&line);
        assert!(
            shown.ends_with("by https://login.example⟨U+000A⟩  Agent::a via Agent::⟨U+001B⟩[2J⟨U+202E⟩b"),
            "{shown}"
        );
    }

    #[test]
    fn entities_are_read_as_type_and_id() {
        for (text, expected) in [
            ("Agent::a", Some(("Agent", "a"))),
            ("Acme::Agent::a", Some(("Acme::Agent", "a"))),
            ("Agent::spiffe://x/y::z", Some(("Agent", "spiffe://x/y::z"))),
            ("Agent::", None),
            ("::a", None),
            ("agent", None),
            ("", None),
        ] {
            let read = entity(text).ok();
            assert_eq!(read, expected.map(|(kind, id)| EntityRef::new(kind, id)), "{text}");
        }
    }
}
