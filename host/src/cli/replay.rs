//! `proviso replay`: would the recorded questions come to the same again, and what would another bundle answer to them?

use std::io;
use std::path::PathBuf;
use std::thread::available_parallelism;

use audit_verify::export::Export;
use audit_verify::fault::Told;
use audit_verify::log::Trust;
use audit_verify::source::Source;
use clap::Args;
use policy_core::entity::EntityRef;
use policy_core::text;
use policy_evaluator::Bundle;
use serde_json::{Value, json};

use super::bar::Bar;
use super::bundle;
use super::output::{Done, Exit, Failure};
use super::shown;
use crate::app::outcome_word;
use crate::assets;
use crate::random::SystemRandom;
use crate::replay::{
    Bound, Change, Counts, ModuleFiles, Proposed, Replay as Run, ReplayError, Report, Side, Span, Spool,
};
use crate::store::Keys;
use crate::store::verify::{self, VerifyError};

/// How much of what an agent wrote one line shows.
const SHOWN: usize = 200;

/// Ask the recorded questions again, on the module and bundle that each record names, and hold the outcomes together.
/// Exits with 65 where one does not agree. With `--bundle` on a bundle that is proposed: lists every outcome that
/// changes, new allows first, and exits with 3 where there is one.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    what: What,
    /// A key that you trust, as `audit keys` prints it. Without one the data folder's or the export's own are taken.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// From this record of the decisions on, or from this time on.
    #[arg(long, value_name = "SEQ|TIME")]
    since: Option<Bound>,
    /// Before this record, or before this time.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<Bound>,
    /// The folder of a bundle that is proposed.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// On how many threads; one for each processor where nothing is said.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

/// Where the record is: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// An export in a folder.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(replay: &Replay, as_json: bool) -> Result<Done, Failure> {
    let bundle = replay.bundle.as_deref().map(bundle::accept).transpose()?;
    let proposed = |modules: &ModuleFiles| bundle.map(|bundle| proposed(bundle, modules)).transpose();
    let given = super::audit::trust(&replay.keys)?;
    let mut spool = Spool::new(&SystemRandom).map_err(|error| unspooled(&error))?;
    let (report, proposed) = match (&replay.what.data, &replay.what.export) {
        (Some(data), _) => {
            let keys = Keys::read(data).map_err(|error| super::audit::failure(error.into()))?;
            let modules = ModuleFiles::of_gate(data, keys);
            let proposed = proposed(&modules)?;
            let report = verify::with_source(data, |source, own| {
                replay.ask(source, given.as_ref().unwrap_or(own), &modules, proposed.as_ref(), &mut spool)
            });
            (report.map_err(|error| super::audit::failure(error.into()))?, proposed)
        }
        (_, Some(folder)) => {
            let export = Export::new(folder);
            let own = || Ok::<_, Failure>(Trust { keys: export.keys().map_err(faulty)?, complete: true });
            let trust = given.map_or_else(own, Ok)?;
            let modules = ModuleFiles::of_export(folder);
            let proposed = proposed(&modules)?;
            (replay.ask(&export, &trust, &modules, proposed.as_ref(), &mut spool), proposed)
        }
        _ => return Err(Failure::usage("usage", "there is no record").help("give `--data` or `--export`")),
    };
    let report = report.map_err(failure)?;
    match proposed {
        Some(proposed) => changed(&report, &proposed, spool, as_json),
        None => agreed(&report),
    }
}

impl Replay {
    fn ask(
        &self,
        source: &dyn Source,
        trust: &Trust,
        modules: &ModuleFiles,
        proposed: Option<&Proposed>,
        spool: &mut Spool,
    ) -> Result<Report, ReplayError> {
        let own = || available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        let threads = self.threads.map_or_else(own, usize::from);
        let span = Span { since: self.since, until: self.until };
        let bar = Bar::new("asked again");
        Run { source, trust, span, modules, proposed, threads }.run(spool, &mut |at| bar.at(at))
    }
}

/// A bundle that a gate would accept, on this build's module.
fn proposed(bundle: Bundle, modules: &ModuleFiles) -> Result<Proposed, Failure> {
    let module = assets::policy_wasm().ok_or_else(|| {
        Failure::unavailable("no_module", "this binary was built without policy.wasm").help(assets::REMEDY)
    })?;
    Proposed::new(bundle, &module, modules)
        .map_err(|(code, message)| Failure::unavailable(code, message).help(assets::REMEDY))
}

fn agreed(report: &Report) -> Result<Done, Failure> {
    let counts = &report.counts;
    let json = json!({
        "agrees": counts.disagreed == 0,
        "counts": counts,
        "logs": report.logs,
        "disagreements": report.disagreements,
    });
    if let Some(first) = report.disagreements.first() {
        let message = format!(
            "{} of {} records do not agree; the first is record {} of `{}`: {}",
            counts.disagreed, counts.records, first.seq, first.log, first.message
        );
        return Err(Failure::bad_input("replay_disagrees", message)
            .help("keep the record as it is, and run `proviso audit verify` on it and on a copy")
            .with(json));
    }
    Ok(Done::fine(format!("{} of {} records agree\n{}", counts.agreed, counts.records, apart(counts)), json))
}

/// What is counted apart, one a line.
fn apart(counts: &Counts) -> String {
    let mut lines = Vec::new();
    let mut line = |count: u64, what: String| {
        if count > 0 {
            lines.push(format!("  {count} {what}"));
        }
    };
    line(counts.searches, "of these are pages of searches".to_owned());
    line(counts.repeated, "of these are the same call again, which consumed nothing".to_owned());
    line(counts.erased, "cannot be asked again: something of them was erased".to_owned());
    counts.by_limit.iter().for_each(|(kind, count)| line(*count, format!("made by the limit `{kind}`")));
    counts.by_gate.iter().for_each(|(kind, count)| line(*count, format!("made by the gate itself: `{kind}`")));
    counts.not_evaluated.iter().for_each(|(kind, count)| line(*count, format!("not evaluated: `{kind}`")));
    lines.push(format!("{} questions were asked again", counts.questions));
    lines.join("\n")
}

fn changed(report: &Report, proposed: &Proposed, spool: Spool, as_json: bool) -> Result<Done, Failure> {
    if let Some(first) = report.disagreements.first() {
        let message = format!("record {} of `{}` is not what was recorded: {}", first.seq, first.log, first.message);
        return Err(Failure::bad_input("replay_disagrees", message)
            .help("keep the record as it is, and run `proviso audit verify` on it and on a copy")
            .with(json!({"counts": report.counts, "disagreements": report.disagreements})));
    }
    let (counts, kinds) = (&report.counts, spool.counts());
    let mut out = io::stdout().lock();
    let told = if as_json { tell_json(&mut out, report, proposed, spool) } else { tell(&mut out, spool) };
    told.map_err(|error| unspooled(&error))?;
    let exit = if counts.changed == 0 { Exit::Fine } else { Exit::Requestable };
    let text = format!(
        "{} of {} questions come out differently, {} newly allowed; {} as before, {} of them for other reasons or on other terms\n{}",
        counts.changed,
        counts.questions,
        kinds.new_allow,
        counts.agreed,
        counts.otherwise,
        apart(counts)
    );
    // The JSON is out already.
    Ok(Done { exit, text, json: Value::Null })
}

/// One document, written as it is read: it may be long.
fn tell_json(out: &mut dyn io::Write, report: &Report, proposed: &Proposed, spool: Spool) -> io::Result<()> {
    let (counts, kinds, bundle) = (json!(report.counts), json!(spool.counts()), json!(proposed.digest()));
    write!(out, "{{\"bundle\":{bundle},\"counts\":{counts},\"kinds\":{kinds},\"changes\":[")?;
    let mut between = "";
    spool.tell(&mut |line| {
        write!(out, "{between}{}", shown::json(line))?;
        between = ",";
        Ok(())
    })?;
    writeln!(out, "]}}")
}

fn tell(out: &mut dyn io::Write, spool: Spool) -> io::Result<()> {
    let word = |text: &str| text::visible(text, SHOWN);
    let entity = |entity: &EntityRef| word(&entity.to_string());
    let side = |side: &Side| {
        let policies = side.policies.iter().map(|policy| word(policy)).collect::<Vec<_>>().join(", ");
        let by = if policies.is_empty() { String::new() } else { format!(" by {policies}") };
        format!("{} ({}){by}", outcome_word(side.outcome), side.reason.code())
    };
    spool.tell(&mut |line| {
        let Change { kind, log, seq, at, subject, task, action, resources, before, after } =
            serde_json::from_str(line).map_err(io::Error::other)?;
        let kind = kind.words();
        let on = resources.iter().take(5).map(entity).collect::<Vec<_>>().join(", ");
        let (subject, task, action) = (entity(&subject), word(&task), word(&action));
        let (before, after) = (side(&before), side(&after));
        writeln!(
            out,
            "{kind}: record {seq} of {log}, {at}: {subject} in task {task}: {action} on {on}\n  {before} -> {after}"
        )
    })
}

fn failure(error: ReplayError) -> Failure {
    match error {
        ReplayError::Fault(fault) => faulty(fault),
        ReplayError::Broken(_) => Failure::unavailable("internal_error", error.to_string()),
        ReplayError::Spool(error) => unspooled(&error),
    }
}

fn faulty(fault: audit_verify::Fault) -> Failure {
    let told = json!({"fault": Told::from(&fault)});
    super::audit::failure(VerifyError::Fault(fault)).with(told)
}

fn unspooled(error: &io::Error) -> Failure {
    Failure::unavailable("no_space", format!("what changes cannot be put aside or told: {error}"))
        .help("look at the disk that temporary files lie on, and at who reads the output")
}
