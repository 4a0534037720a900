//! `proviso hold …`: legal holds, at the running gate over its socket.

use clap::{Args, Subcommand};
use policy_core::entity::EntityRef;

use super::output::{Done, Failure};
use super::token::{At, ask, entity};
use crate::app::HoldTarget;
use crate::socket::Request;

/// What to do with holds.
#[derive(Debug, Subcommand)]
pub(super) enum HoldCommand {
    /// Place a hold: what it covers is not erased, whoever wants it and however old it is.
    Place {
        #[command(flatten)]
        on: On,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// Lift a hold.
    Lift {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: At,
    },
    /// List the holds, oldest first.
    List {
        #[command(flatten)]
        at: At,
    },
}

/// On what: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct On {
    /// A person or an agent, `TYPE::ID`: whatever speaks of them.
    #[arg(long, value_name = "ENTITY", value_parser = entity)]
    of: Option<EntityRef>,
    /// An exception, by id, with what its grant permitted.
    #[arg(long, value_name = "ID")]
    exception: Option<String>,
}

/// Runs it.
pub(super) async fn run(command: HoldCommand) -> Result<Done, Failure> {
    let (request, at) = match command {
        HoldCommand::Place { on, reason, at } => {
            let target = match (on.of, on.exception) {
                (Some(entity), _) => HoldTarget::Entity(entity),
                (None, id) => HoldTarget::Exception(id.unwrap_or_default()),
            };
            (Request::PlaceHold { target, reason }, at)
        }
        HoldCommand::Lift { id, reason, at } => (Request::LiftHold { id, reason }, at),
        HoldCommand::List { at } => (Request::ListHolds {}, at),
    };
    ask(&at.data, &request).await
}
