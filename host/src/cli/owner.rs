//! `proviso owner …`: who owns what, and what somebody who leaves leaves behind, at the running gate over its socket.

use clap::{Args, Subcommand};
use policy_core::entity::EntityRef;
use proviso_api::ownership::{Departure, HandOwnerRequest, LeftException, Owned, OwnerReply, OwnerSource};

use super::output::{Done, Failure};
use super::shown::word;
use super::token::{At, ask, entity};
use crate::socket::Request;

/// What to do with owners.
#[derive(Debug, Subcommand)]
pub(super) enum OwnerCommand {
    /// Print who owns it, and from where that is known.
    Show {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        at: At,
    },
    /// Hand it over in an owner's place, such as of somebody who has left.
    HandOver {
        #[command(flatten)]
        of: Of,
        /// The owner that gives it up, `TYPE::ID`; not needed where one owns it alone.
        #[arg(long, value_name = "PERSON", value_parser = entity)]
        from: Option<EntityRef>,
        /// Who is to own it, `TYPE::ID`.
        #[arg(long, value_name = "PERSON", value_parser = entity)]
        to: EntityRef,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// List all that needs another owner when a person leaves.
    Leaves {
        /// The person, by id.
        user: String,
        #[command(flatten)]
        at: At,
    },
    /// Say that a person has left: their sessions and links end, and they decide nothing any more.
    Departed {
        /// The person, by id.
        user: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// Say that a person is back.
    Returned {
        /// The person, by id.
        user: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
}

/// Of what: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Of {
    /// An agent, `TYPE::ID`.
    #[arg(long, value_name = "SUBJECT", value_parser = entity)]
    agent: Option<EntityRef>,
    /// An exception with its grant, by id.
    #[arg(long, value_name = "ID")]
    exception: Option<String>,
}

impl Of {
    fn owned(self) -> Owned {
        match self.agent {
            Some(agent) => Owned::Agent(agent),
            None => Owned::Exception(self.exception.unwrap_or_default()),
        }
    }
}

/// Runs it.
pub(super) async fn run(command: OwnerCommand) -> Result<Done, Failure> {
    let (request, at) = match command {
        OwnerCommand::Show { of, at } => (Request::ShowOwner { of: of.owned() }, at),
        OwnerCommand::HandOver { of, from, to, reason, at } => {
            (Request::HandOwner(Box::new(HandOwnerRequest { of: of.owned(), from, to, reason })), at)
        }
        OwnerCommand::Leaves { user, at } => (Request::ShowDeparture { user }, at),
        OwnerCommand::Departed { user, reason, at } => (Request::SayOf { user, departed: true, reason }, at),
        OwnerCommand::Returned { user, reason, at } => (Request::SayOf { user, departed: false, reason }, at),
    };
    ask(&at.data, &request).await
}

fn names(people: &[EntityRef]) -> String {
    people.iter().map(|person| word(&person.to_string())).collect::<Vec<_>>().join(", ")
}

/// One answer, for people.
pub(super) fn owner_line(owner: &OwnerReply) -> String {
    let source = match (owner.source, owner.since) {
        (OwnerSource::Bundle, _) => "by the bundle".to_owned(),
        (OwnerSource::HandOver, Some(since)) => format!("by a hand-over of {since}"),
        (OwnerSource::HandOver, None) => "by a hand-over".to_owned(),
    };
    let bundle = owner.bundle.as_ref().map(|bundle| format!("; the bundle says {}", names(bundle))).unwrap_or_default();
    format!("{} {source}{bundle}", names(&owner.owners))
}

/// All that is left, for people.
pub(super) fn departure_lines(left: &Departure) -> String {
    let person = word(&left.person.to_string());
    let mut lines = vec![match left.departed_at {
        Some(at) => format!("{person} left at {at}"),
        None => format!("{person} is here"),
    }];
    lines.extend(left.groups.iter().map(|line| format!("group       {}", word(&line.group))));
    lines.extend(left.agents.iter().map(|line| format!("agent       {}", word(&line.agent.to_string()))));
    let says = |line: &LeftException| format!("exception   {}  {}  {}", line.id, line.state, word(&line.says));
    lines.extend(left.exceptions.iter().map(says));
    lines.extend(left.findings.iter().map(|id| format!("finding     {id}")));
    lines.extend(left.locks.iter().map(|line| format!("lock        {}  {}", line.id, word(&line.reason))));
    lines.extend(left.deputies.iter().map(|id| format!("deputyship  {id}")));
    lines.extend(left.credentials.iter().map(|line| format!("credential  {}  {}", line.id, word(&line.what))));
    lines.join("\n")
}
