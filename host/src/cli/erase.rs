//! `proviso erase`: texts out of the record, at the running gate over its socket.

use clap::Args;
use policy_core::entity::EntityRef;
use policy_core::time::Span;

use super::output::{Done, Failure};
use super::token::{At, ask, entity};
use crate::app::{Class, ErasureRequest};
use crate::socket::Request;

/// Take texts out of the record for good. What the gate still needs, and what a legal hold covers, stays and is told; the
/// rest of the record still verifies.
#[derive(Debug, Args)]
pub(super) struct Erase {
    /// What is about this person, by id.
    #[arg(long, value_name = "USER", conflicts_with_all = ["agent", "record"])]
    person: Option<String>,
    /// What is about this agent, `TYPE::ID`.
    #[arg(long, value_name = "SUBJECT", value_parser = entity, conflicts_with = "record")]
    agent: Option<EntityRef>,
    /// One record, `LOG/SEQ`: of the ledger with the whole exception or credential that it is part of.
    #[arg(long, value_name = "LOG/SEQ", value_parser = record)]
    record: Option<(String, u64)>,
    /// Only what is older, such as `90d`.
    #[arg(long, value_name = "AGE")]
    older_than: Option<Span>,
    /// Only this class; several: each. `arguments`, `decisions`, `executions`, `searches`, `exceptions`, `credentials`.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<Class>,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Only say what would be erased, what would stay, and what would be lost.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: At,
}

/// Runs it.
pub(super) async fn run(command: Erase) -> Result<Done, Failure> {
    let Erase { person, agent, record, older_than, classes, reason, dry_run, at } = command;
    let request = ErasureRequest { person, agent, record, older_than, classes, reason, dry_run };
    ask(&at.data, &Request::Erase(Box::new(request))).await
}

/// Reads `LOG/SEQ`; a log's name may hold a `/`.
fn record(text: &str) -> Result<(String, u64), String> {
    let parted = text.rsplit_once('/').and_then(|(log, seq)| Some((log.to_owned(), seq.parse().ok()?)));
    parted.ok_or_else(|| "it is `LOG/SEQ`, such as `ledger/12` or `decisions/main/7`".to_owned())
}
