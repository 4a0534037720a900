//! `proviso reconcile`: evidence from the log of a system, and what ran held against what was approved.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use policy_core::json;
use policy_core::time::Timestamp;
use proviso_api::findings::{FindingLine, FindingState};
use serde_json::json;

use super::output::{Done, Exit, Failure};
use super::shown::word;
use super::token::told;
use crate::app::{self, Report};
use crate::clock::{Clock as _, SystemClock};
use crate::evidence::ocsf;
use crate::reconcile::Said;
use crate::socket::client::{self, ClientError};
use crate::socket::{LONGEST_LINE, Piece, Reply, Request};

/// How many bytes of pieces one message to the gate holds.
const PART: usize = LONGEST_LINE / 2;
/// And how many pieces.
const PIECES: usize = 100;

/// Hold what ran against what was approved, at the running gate, or offline where none runs.
#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The log of a system that agents act on: JSON Lines of OCSF's API Activity. The whole file is taken, or none of it.
    #[arg(long, value_name = "FILE", requires = "source")]
    evidence: Option<PathBuf>,
    /// That system's name.
    #[arg(long, value_name = "NAME", requires = "evidence")]
    source: Option<String>,
    /// Tell of what happened from this instant on (RFC 3339); absent: of all.
    #[arg(long, value_name = "INSTANT")]
    since: Option<Timestamp>,
}

/// Runs it.
pub(super) async fn run(reconcile: Reconcile) -> Result<Done, Failure> {
    let mut brought = None;
    if let (Some(file), Some(source)) = (&reconcile.evidence, &reconcile.source) {
        brought = Some(bring(&reconcile.data, file, source).await?);
    }
    match client::ask(&reconcile.data, &Request::Reconcile { since: reconcile.since }).await {
        Ok(Reply::Reconciled { report, findings }) => Ok(tell(report, &findings, brought, None)),
        Err(ClientError::Unreachable { .. }) if brought.is_none() => offline(&reconcile),
        other => told(other),
    }
}

/// Where no gate runs: the record is read and verified, and nothing is written.
fn offline(reconcile: &Reconcile) -> Result<Done, Failure> {
    let (report, mut findings) = app::reconcile_offline(&reconcile.data, SystemClock.now()).map_err(|error| {
        let exit = if error.code() == "log_tampered" { Exit::BadInput } else { Exit::Unavailable };
        Failure::new(exit, error.code(), error.to_string()).help(error.help())
    })?;
    findings.retain(|finding| reconcile.since.is_none_or(|since| since <= finding.at));
    Ok(tell(report, &findings, None, Some("offline: nothing was written, and states are those of the record")))
}

/// Reads the whole file first, so that a line that is none leaves nothing behind.
async fn bring(data: &Path, file: &Path, source: &str) -> Result<(usize, usize), Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::unavailable("file_unusable", format!("`{}` cannot be read: {error}", file.display()))
            .help("look at the path, and at who may read it")
    })?;
    let pieces = ocsf::read(&text).map_err(|bad| {
        Failure::bad_input("bad_evidence", format!("`{}`, {bad}; nothing of it was taken", file.display()))
            .with(json!({"line": bad.line}))
    })?;
    let (mut recorded, mut known) = (0, 0);
    for part in parts(pieces)? {
        match client::ask(data, &Request::BringEvidence { source: source.to_owned(), pieces: part }).await {
            Ok(Reply::Brought { recorded: new, known: old }) => (recorded, known) = (recorded + new, known + old),
            other => return told(other).map(|_| (recorded, known)),
        }
    }
    Ok((recorded, known))
}

/// The pieces in messages that the gate reads. What was sent is known to it when the same file comes again.
fn parts(pieces: Vec<(String, Said)>) -> Result<Vec<Vec<Piece>>, Failure> {
    let (mut parts, mut part, mut size) = (Vec::new(), Vec::new(), 0usize);
    for (id, said) in pieces {
        let piece = Piece { id, said };
        let bytes = json::to_canonical_bytes(&piece).map(|bytes| bytes.len()).map_err(|error| {
            Failure::bad_input("bad_evidence", format!("`{}` has no canonical form: {error}", piece.id))
        })?;
        if !part.is_empty() && (size + bytes > PART || part.len() == PIECES) {
            parts.push(std::mem::take(&mut part));
            size = 0;
        }
        size += bytes;
        part.push(piece);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    Ok(parts)
}

fn tell(report: Report, findings: &[FindingLine], brought: Option<(usize, usize)>, note: Option<&str>) -> Done {
    let open = findings.iter().filter(|finding| finding.state != FindingState::Resolved);
    let mut lines: Vec<String> = Vec::new();
    if let Some((recorded, known)) = brought {
        lines.push(format!("{recorded} pieces of evidence are new, {known} were known"));
    }
    let Report { executions, matched, ambiguous, too_old, .. } = report;
    lines.push(format!(
        "{executions} calls ran, {matched} of them on a decision that was found, {ambiguous} ambiguous, {too_old} too old to tell"
    ));
    let mut found = false;
    for finding in open {
        found = true;
        let task = finding.task.as_ref().map(|task| format!(" in task {}", word(task))).unwrap_or_default();
        let (subject, says) = (word(&finding.subject.to_string()), word(&finding.says));
        lines.push(format!("{}  {}  {subject}{task}  {says}", finding.id, finding.kind.word()));
    }
    if !found {
        lines.push("nothing ran otherwise than it was approved".to_owned());
    }
    lines.extend(note.map(str::to_owned));
    let json = json!({
        "executions": executions, "matched": matched, "ambiguous": ambiguous, "too_old": too_old,
        "brought": brought.map(|(recorded, known)| json!({"recorded": recorded, "known": known})),
        "findings": findings, "offline": note.is_some(),
    });
    let exit = if found { Exit::Requestable } else { Exit::Fine };
    Done { exit, text: lines.join("\n"), json }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_sent_once_in_messages_that_the_gate_reads() {
        let said = |length: usize| -> Said {
            serde_json::from_value(json!({"action": "x".repeat(length), "phase": "executed"})).unwrap()
        };
        for (count, length) in [(0, 1), (1, 1), (99, 200), (100, 200), (101, 200), (500, 250), (40, 5_000)] {
            let pieces: Vec<_> = (0..count).map(|number| (format!("p{number}"), said(length))).collect();
            let parts = parts(pieces).unwrap();
            let sent: Vec<String> = parts.iter().flatten().map(|piece| piece.id.clone()).collect();
            assert_eq!(sent, (0..count).map(|number| format!("p{number}")).collect::<Vec<_>>());
            for part in parts {
                assert!(part.len() <= PIECES);
                let request = Request::BringEvidence { source: "s".repeat(256), pieces: part };
                assert!(json::to_canonical_bytes(&request).unwrap().len() < LONGEST_LINE, "{count} of {length}");
            }
        }
    }
}
