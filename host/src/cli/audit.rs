//! `proviso audit …`: is the record what was signed, and what its votes add up to?

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_verify::export::Export;
use audit_verify::fault::Told;
use audit_verify::grants::signed_vote;
use audit_verify::log::Trust;
use audit_verify::proved;
use audit_verify::receipt::Receipt;
use audit_verify::run::{self, Report};
use clap::{Args, Subcommand};
use serde_json::json;

use super::bar::Bar;
use super::export;
use super::output::{Done, Exit, Failure};
use crate::store::Keys;
use crate::store::verify::{self, VerifyError};

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check every record against the signed heads and each grant against its votes, offline or while the gate runs.
    Verify(Verify),
    /// Write the record where others can read it: tiles that prove themselves, OCSF, CSV, JSON with proofs.
    Export(export::Export),
    /// Print the keys that the record's heads are signed by, for those who are to check it elsewhere.
    Keys {
        /// The data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// What to check: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// An export, or a copy of the record, in a folder.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// A receipt: the `.tlog-proof` file of one record.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Records with their proofs: what `audit export --format json` wrote.
    #[arg(long, value_name = "FILE")]
    proofs: Option<PathBuf>,
}

/// What to check, and whose word to take.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    what: What,
    /// A key that you trust, as `audit keys` prints it. Without one the data folder's or the export's own are taken.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// An older signed head that you kept: the record must begin with what it covers.
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
}

/// Runs it.
pub(super) fn run(command: &AuditCommand) -> Result<Done, Failure> {
    match command {
        AuditCommand::Verify(verify) => {
            let What { data, export, receipt, proofs } = &verify.what;
            match (data, export, receipt, proofs) {
                (Some(data), ..) => verify.data(data),
                (_, Some(folder), ..) => verify.export(folder),
                (_, _, Some(file), _) => verify.receipt(file),
                (.., Some(file)) => verify.proofs(file),
                _ => Err(Failure::usage("usage", "there is nothing to check")
                    .help("give `--data`, `--export`, `--receipt` or `--proofs`")),
            }
        }
        AuditCommand::Export(export) => export::run(export),
        AuditCommand::Keys { data } => {
            let keys = Keys::read(data).map_err(|error| failure(error.into()))?.trust().keys;
            let lines: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Ok(Done::fine(lines.join("\n"), json!({"keys": lines})))
        }
    }
}

/// How often a copy is looked at that seems to be between two moments, and how long between.
const LOOKS: usize = 8;
const MOMENT: Duration = Duration::from_millis(250);

impl Verify {
    fn data(&self, data: &Path) -> Result<Done, Failure> {
        let trust = self.trust()?;
        let bar = Bar::new("verified");
        let report = verify::verify(data, trust.as_ref(), &self.held()?, &mut |at| bar.at(at));
        told(&report.map_err(failure)?, None)
    }

    fn export(&self, folder: &Path) -> Result<Done, Failure> {
        let export = Export::new(folder);
        let given = self.trust()?;
        let trust = match &given {
            Some(trust) => trust.clone(),
            None => Trust { keys: export.keys().map_err(|fault| failure(fault.into()))?, complete: true },
        };
        let bar = Bar::new("verified");
        let held = self.held()?;
        let mut report = run::verify(&export, &trust, &held, &mut |at| bar.at(at));
        // A copy's two heads are written one after the other: what lies between them is over in a moment.
        for _ in 0..LOOKS {
            if !report.as_ref().is_err_and(|fault| run::is_between_logs(&fault.kind)) {
                break;
            }
            std::thread::sleep(MOMENT);
            report = run::verify(&export, &trust, &held, &mut |at| bar.at(at));
        }
        let own = "by the keys in the export itself: give `--key` to hold it against keys that came another way";
        told(&report.map_err(|fault| failure(fault.into()))?, given.is_none().then_some(own))
    }

    fn receipt(&self, file: &Path) -> Result<Done, Failure> {
        let trust = self.trust()?.ok_or_else(|| {
            Failure::usage("key_needed", "a receipt proves nothing by itself")
                .help("give `--key` with a key that you trust")
        })?;
        let receipt = Receipt::read(&read(file)?);
        let proved = receipt.and_then(|receipt| receipt.verify(&trust)).map_err(|error| {
            Failure::bad_input("bad_receipt", format!("`{}` proves nothing: {error}", file.display()))
                .help("ask for the receipt again, and for the key that its log is signed by")
        })?;
        let (leaf, head) = (&proved.leaf, &proved.checkpoint);
        let text = format!(
            "record {} of `{}` ({}, {}) is in the log `{}`, under a signed head over {} records",
            leaf.seq, leaf.log, leaf.kind, leaf.at, head.origin, head.size
        );
        let event = proved.payloads.get("event").map(|event| signed_vote(event)).transpose().map_err(|fault| {
            Failure::bad_input("bad_receipt", format!("the vote in `{}` is signed, and {fault}", file.display()))
                .help("keep the receipt, and look at the record that it is of: no gate records such a vote")
        })?;
        let signed = event.flatten();
        let text = match &signed {
            Some(signed) => {
                format!("{text}; the vote is signed by the passkey `{}`, {}", signed.passkey, signed.algorithm)
            }
            None => text,
        };
        let payloads: serde_json::Map<String, serde_json::Value> = proved
            .payloads
            .iter()
            .map(|(name, text)| (name.clone(), serde_json::from_str(text).unwrap_or_else(|_| json!(text))))
            .collect();
        let told = json!({
            "verified": true, "log": leaf.log, "seq": leaf.seq, "kind": leaf.kind, "at": leaf.at,
            "origin": head.origin, "size": head.size, "signed": signed, "payloads": payloads,
        });
        Ok(Done::fine(text, told))
    }

    fn trust(&self) -> Result<Option<Trust>, Failure> {
        trust(&self.keys)
    }

    fn proofs(&self, file: &Path) -> Result<Done, Failure> {
        let trust = self.trust()?.ok_or_else(|| {
            Failure::usage("key_needed", "proofs prove nothing by themselves")
                .help("give `--key` with a key that you trust")
        })?;
        let document = fs::File::open(file).map_err(|error| unread(file, &error))?;
        let proved = proved::verify(BufReader::new(document), &trust).map_err(|error| {
            Failure::bad_input("bad_proofs", format!("`{}` proves nothing: {error}", file.display()))
                .help("make the export again, and get the key that its logs are signed by another way")
        })?;
        let heads: Vec<String> =
            proved.heads.iter().map(|head| format!("`{}` over {} records", head.log, head.size)).collect();
        let text = format!("{} records are in the logs, under signed heads: {}", proved.records, heads.join(", "));
        Ok(Done::fine(text, json!({"verified": true, "records": proved.records, "heads": proved.heads})))
    }

    fn held(&self) -> Result<Vec<String>, Failure> {
        self.heads.iter().map(|path| read(path)).collect()
    }
}

/// The keys that were given; none where none were.
pub(super) fn trust(keys: &[String]) -> Result<Option<Trust>, Failure> {
    let keys = keys.iter().map(|key| {
        key.parse().map_err(|error| {
            Failure::usage("bad_key", format!("`{key}` is no key: {error}")).help("`proviso audit keys` prints keys")
        })
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    Ok((!keys.is_empty()).then_some(Trust { keys, complete: false }))
}

fn told(report: &Report, besides: Option<&str>) -> Result<Done, Failure> {
    let mut lines: Vec<String> =
        report.logs.iter().map(|log| format!("{}: {} records, verified", log.log, log.records)).collect();
    let Report { grants, votes, signatures, uses, decisions, groups_not_recorded, erased, .. } = report;
    lines.push(format!(
        "{grants} grants are what their {votes} votes add up to, {signatures} of them signed; {uses} uses lie inside \
         them, each by one of {decisions} decisions"
    ));
    if *groups_not_recorded > 0 {
        lines.push(format!("{groups_not_recorded} grants are of an earlier release and name no groups"));
    }
    if erased.payloads > 0 {
        lines.push(format!(
            "{} payloads were erased, as signed records say: {} more grants cannot be made anew, nor {} uses be held \
             against them",
            erased.payloads, erased.grants, erased.uses
        ));
    }
    if let Some(returned) = &erased.returned {
        lines.push(format!(
            "{} payloads are in this copy that the record says were erased: take the copy away, and make it again",
            returned.payloads
        ));
    }
    lines.extend(besides.map(str::to_owned));
    let json = json!({
        "verified": true, "logs": report.logs, "grants": grants, "votes": votes, "signatures": signatures, "uses": uses,
        "decisions": decisions,
        "groups_not_recorded": groups_not_recorded, "erased": erased, "note": besides,
    });
    Ok(Done::fine(lines.join("\n"), json))
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable("file_unusable", format!("`{}` cannot be read: {error}", path.display()))
        .help("look at the path, and at who may read it")
}

pub(super) fn failure(error: VerifyError) -> Failure {
    match error {
        VerifyError::Fault(fault) => Failure::bad_input("log_tampered", fault.to_string())
            .help("keep the record as it is, and hold it against a copy or an older head; restore nothing over it")
            .with(json!({"fault": Told::from(&fault)})),
        VerifyError::Store(error) => {
            let exit = if error.code() == "log_tampered" { Exit::BadInput } else { Exit::Unavailable };
            Failure::new(exit, error.code(), error.to_string()).help(error.help())
        }
    }
}
