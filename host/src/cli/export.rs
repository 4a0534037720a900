//! `proviso audit export`: the record for others, as tiles that prove themselves, as OCSF, as CSV, as JSON with proofs.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_verify::Fault;
use audit_verify::log::{LogCheck, Trust};
use audit_verify::proved::ProvedHead;
use audit_verify::run::Progress;
use audit_verify::source::{Entry, Source};
use audit_verify::tree::{Tree, leaf_hash};
use clap::{Args, ValueEnum};
use policy_core::time::Timestamp;
use serde_json::{Value, json};

use super::audit::failure;
use super::bar::Bar;
use super::output::{Done, Failure};
use crate::export::{Exporter, Format, Wanted};
use crate::replay::instant;
use crate::store::Log;
use crate::store::verify::{self, VerifyError};

/// How often an export that goes on looks for what is new.
const LOOK: Duration = Duration::from_millis(500);

/// What it is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// A folder that anybody can check without the gate: tlog-tiles, and the payloads beside them.
    Tiles,
    /// OCSF 1.8.0, one event a line.
    Ocsf,
    /// CSV, safe to open in a spreadsheet.
    Csv,
    /// JSON, each record with its proof to one signed head of its log.
    Json,
}

/// Write the record where others can read it.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What it is written as.
    #[arg(long, value_enum, default_value_t = As::Tiles)]
    format: As,
    /// The folder to write, for tiles: one that is not there, or is empty. Else the file, which must not be there;
    /// without it everything goes to standard output.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// From this day or time on.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before this day or time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// What is about this agent, `TYPE::ID` or its id.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// What this person decided and what came of it, `TYPE::ID` or the id.
    #[arg(long, value_name = "PERSON")]
    approver: Option<String>,
    /// What is about this exception.
    #[arg(long, value_name = "ID")]
    exception: Option<String>,
    /// Go on with what is recorded from now on, until it is stopped. OCSF alone.
    #[arg(long)]
    follow: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    instant(text).ok_or_else(|| "give a day such as 2026-11-29, or a time such as 2026-11-29T16:00:00Z".to_owned())
}

/// Runs it.
pub(super) fn run(export: &Export) -> Result<Done, Failure> {
    let format = match export.format {
        As::Tiles => return export.tiles(),
        As::Ocsf => Format::Ocsf,
        As::Csv => Format::Csv,
        As::Json => Format::Json,
    };
    if export.follow && format != Format::Ocsf {
        return Err(Failure::usage("usage", "only OCSF goes on").help("leave `--follow` out, or take `--format ocsf`"));
    }
    let wanted = export.wanted();
    match &export.to {
        Some(file) => {
            let mut out = BufWriter::new(create(file)?);
            let told = export.write(format, wanted, &mut out);
            // Half a file is none.
            let told = told.inspect_err(|_| drop(fs::remove_file(file)))?;
            let text = format!("{told} records are in `{}`", file.display());
            Ok(Done::fine(text, json!({"exported": file.display().to_string(), "records": told})))
        }
        None => {
            export.write(format, wanted, &mut io::stdout().lock())?;
            Ok(Done::fine("", Value::Null))
        }
    }
}

impl Export {
    fn wanted(&self) -> Wanted {
        Wanted {
            since: self.since,
            until: self.until,
            agent: self.agent.clone(),
            approver: self.approver.clone(),
            exception: self.exception.clone(),
        }
    }

    fn tiles(&self) -> Result<Done, Failure> {
        let whole = self.wanted() == Wanted::default() && !self.follow;
        let Some(to) = self.to.as_deref().filter(|_| whole) else {
            return Err(Failure::usage("usage", "tiles are of the whole record, and go into a folder")
                .help("give `--to DIR` alone, or another `--format`"));
        };
        let empty = fs::read_dir(to).map_or(true, |mut entries| entries.next().is_none());
        if !empty {
            let message = format!("`{}` holds something already", to.display());
            return Err(
                Failure::usage("folder_not_empty", message).help("give a folder that is not there, or is empty")
            );
        }
        let bar = Bar::new("written");
        verify::export(&self.data, to, &mut |at| bar.at(at)).map_err(failure)?;
        drop(bar);
        let text = format!("the record is in `{}`; `proviso audit verify --export` checks it", to.display());
        Ok(Done::fine(text, json!({"exported": to.display().to_string()})))
    }

    /// Writes all that is there, and goes on where that is wanted. How many records were told.
    fn write(&self, format: Format, wanted: Wanted, out: &mut dyn Write) -> Result<u64, Failure> {
        let bar = Bar::new("told");
        let mut writing = Writing { exporter: Exporter::new(format, wanted), out, read: Vec::new() };
        let told = verify::with_source(&self.data, |source, trust| writing.all(source, trust, format, &bar));
        told.map_err(|error| failure(error.into()))??;
        if self.follow {
            writing.follow(&self.data)?;
        }
        Ok(writing.exporter.told())
    }
}

struct Writing<'a> {
    exporter: Exporter,
    out: &'a mut dyn Write,
    /// How many records of each log were read.
    read: Vec<(Log, u64)>,
}

impl Writing<'_> {
    fn all(&mut self, source: &dyn Source, trust: &Trust, format: Format, bar: &Bar) -> Result<(), Failure> {
        let sizes = source.logs().map_err(faulty)?;
        let mut trees = Vec::new();
        for size in &sizes {
            let proves = format == Format::Json;
            if proves || (self.exporter.looks_first() && size.log == Log::Ledger.name()) {
                trees.push(self.look(source, &size.log, proves).map_err(faulty)?);
            }
        }
        let heads: Vec<ProvedHead> = trees.iter().filter_map(|(head, _)| head.clone()).collect();
        self.put(&self.exporter.begin(&heads))?;
        for size in &sizes {
            let tree = trees.iter().find(|(head, _)| head.as_ref().is_some_and(|head| head.log == size.log));
            let mut check = LogCheck::new(&size.log, trust.clone(), &[]).map_err(faulty)?;
            let mut broken = None;
            let read = source.read(&size.log, &mut |entry| {
                // INVARIANT (R9): nothing is told that is not what was signed.
                let leaf = check.take(&entry)?;
                let (Some(leaf), Entry::Record(record)) = (leaf, &entry) else { return Ok(()) };
                bar.at(Progress { log: &size.log, done: check.size(), of: size.records });
                let proof = || tree.and_then(|(head, tree)| tree.inclusion(leaf.seq, head.as_ref()?.size).ok());
                let told = match self.exporter.take(record, proof) {
                    Ok(bytes) => self.out.write_all(&bytes).map_err(|error| unwritten(&error)),
                    Err(error) => Err(unreadable(&error.to_string())),
                };
                told.map_err(|failure| {
                    broken = Some(failure);
                    stopped(&size.log, leaf.seq)
                })
            });
            if let Some(failure) = broken {
                return Err(failure);
            }
            read.map_err(faulty)?;
            let log = Log::ALL.into_iter().find(|log| log.name() == size.log);
            self.read.extend(log.map(|log| (log, check.size())));
            check.end().map_err(faulty)?;
        }
        self.put(&self.exporter.end())?;
        self.out.flush().map_err(|error| unwritten(&error))
    }

    /// Reads a log for what has to be known before anything is told.
    fn look(&mut self, source: &dyn Source, log: &str, proves: bool) -> Result<(Option<ProvedHead>, Tree), Fault> {
        let (mut tree, mut head, mut size) = (Tree::default(), None, 0u64);
        source.read(log, &mut |entry| {
            match entry {
                Entry::Record(record) => {
                    size = size.saturating_add(1);
                    if proves {
                        tree.append(leaf_hash(&record.bytes));
                    }
                    if log == Log::Ledger.name() && self.exporter.looks_first() {
                        self.exporter.look(&record);
                    }
                }
                Entry::Head(note) => head = Some(ProvedHead { log: log.to_owned(), size, note }),
            }
            Ok(())
        })?;
        Ok((head.filter(|_| proves), tree))
    }

    /// Tells what is recorded from now on, until this is stopped or nobody reads.
    fn follow(&mut self, data: &Path) -> Result<(), Failure> {
        let following = verify::Following::open(data).map_err(|error| failure(error.into()))?;
        loop {
            let mut quiet = true;
            for at in 0..self.read.len() {
                let Some((log, seq)) = self.read.get(at).copied() else { continue };
                let record = following.record(log, seq).map_err(|error| failure(error.into()))?;
                let Some(record) = record else { continue };
                if log == Log::Ledger && self.exporter.looks_first() {
                    self.exporter.look(&record);
                }
                let bytes = self.exporter.take(&record, || None).map_err(|error| unreadable(&error.to_string()))?;
                self.put(&bytes)?;
                self.read.iter_mut().filter(|(of, _)| *of == log).for_each(|(_, next)| *next = seq.saturating_add(1));
                quiet = false;
            }
            if quiet {
                self.out.flush().map_err(|error| unwritten(&error))?;
                std::thread::sleep(LOOK);
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| unwritten(&error))
    }
}

fn create(file: &Path) -> Result<fs::File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.map_err(|error| {
        Failure::usage("file_not_new", format!("`{}` cannot be made: {error}", file.display()))
            .help("give a file that is not there, in a folder that you may write to")
    })
}

fn faulty(fault: Fault) -> Failure {
    failure(VerifyError::Fault(fault))
}

/// What ends the reading; why is told apart.
fn stopped(log: &str, seq: u64) -> Fault {
    let kind = audit_verify::FaultKind::Unreadable("it cannot be told".to_owned());
    Fault { log: log.to_owned(), seq, kind }
}

fn unreadable(message: &str) -> Failure {
    Failure::bad_input("record_unreadable", message).help("run `proviso audit verify` on this folder")
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::unavailable("no_space", format!("the export cannot be written: {error}"))
        .help("look at the disk, and at who reads the output")
}
