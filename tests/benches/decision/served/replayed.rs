//! How fast recorded questions are asked again, over a long record: what happens once is in the rate, and is little of it.
//!
//! The record is a copy of the one that was measured before, with its own questions appended again and again as the
//! gate's writer appends: signed and committed.

use std::path::Path;
use std::sync::Arc;

use proviso::gate::{Cache, PolicyModule};
use proviso::random::SystemRandom;
use proviso::replay::{ModuleFiles, Replay, Span, Spool};
use proviso::store::sqlite::SqliteStore;
use proviso::store::{
    DataFolder, DataKind, Fold, FoldError, Keys, Log, NewRecord, Record, Store as _, VersionKey, verify,
};
use proviso_tests::{copy_folder, module};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::figures::Measured;
use crate::measure::now;
use crate::{Result, Run};

/// What is to be reached, unless native cedar-policy is slower by more than half.
const RECORDS_A_SECOND: f64 = 100_000.0;
const THREADS: usize = 2;
/// How many questions are appended, and how many at once.
const QUESTIONS: usize = 100_000;
const JOB: usize = 500;
/// How many different ones of those that were recorded.
const DIFFERENT: usize = 1_000;

/// Replays what this gate has recorded, many times over. The figure is the rate against the lesser of a hundred thousand
/// records a second and twice the rate of native cedar-policy over ten policies.
pub fn measure(run: &mut Run, runtime: &Runtime, of: &Path) -> Result<()> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    copy_folder(of, &data)?;
    keep_compiled(module(), &data)?;
    runtime.block_on(append(&data))?;
    let modules = ModuleFiles::of_gate(&data, Keys::read(&data)?);
    let mut spool = Spool::new(&SystemRandom)?;
    let begun = now();
    let report = verify::with_source(&data, |source, trust| {
        let replay =
            Replay { source, trust, span: Span::default(), modules: &modules, proposed: None, threads: THREADS };
        replay.run(&mut spool, &mut |_| ())
    })??;
    let took = begun.elapsed().as_secs_f64();
    let counts = &report.counts;
    if counts.disagreed > 0 {
        return Err(format!("{} records do not agree", counts.disagreed).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand records")]
    let rate = counts.questions as f64 / took;
    let native = run.times.iter().find(|time| time.who.starts_with("cedar-policy natively"));
    let native = native.ok_or("native cedar-policy was not measured")?.micros.median;
    println!("{:>10.1} records a second of {} replayed", rate, counts.questions);
    run.figure("replay", Measured::exactly(rate / RECORDS_A_SECOND.min(2e6 / native)));
    Ok(())
}

/// As a gate does that is started by the command line.
fn keep_compiled(module: &PolicyModule, data: &Path) -> Result<()> {
    let keys = Keys::read(data)?;
    module.keep(&Cache::new(data, &|bytes| keys.code(Cache::CODE, bytes)));
    Ok(())
}

/// Appends what is recorded as a question until there are so many.
async fn append(data: &Path) -> Result<()> {
    let mut models = Vec::new();
    verify::each_record(data, &mut |record| {
        if models.len() < DIFFERENT {
            models.extend(model(record));
        }
        Ok(())
    })?;
    if models.is_empty() {
        return Err("no question was recorded".into());
    }
    let random = Arc::new(SystemRandom);
    let folder = DataFolder::open(data, DataKind::Gate)?;
    let keys = Arc::new(Keys::open(&folder, &*random)?);
    let store = SqliteStore::open(folder, keys, random, Arc::new(Nobody))?;
    let mut again = models.iter().cycle();
    for _ in 0..QUESTIONS / JOB {
        store.append(Vec::new(), again.by_ref().take(JOB).cloned().collect()).await?;
    }
    Ok(())
}

/// The same question once more, where the record is one.
fn model(record: &Record) -> Option<NewRecord> {
    let Record { log, leaf, .. } = record;
    let payload = |name: &'static str| Some((name, record.payload(name)?.to_vec()));
    let payloads = vec![payload("decision")?, payload("question")?];
    (*log == Log::Decisions).then(|| NewRecord {
        log: *log,
        at: leaf.at,
        kind: leaf.kind.clone(),
        stream: leaf.stream.clone(),
        outcome: leaf.outcome.clone(),
        policies: leaf.policies.clone(),
        module: leaf.module,
        bundle: leaf.bundle,
        payloads,
        touches: Vec::new(),
        urgent: false,
        outbox: Vec::new(),
    })
}

/// Nobody believes anything of what is appended.
struct Nobody;

impl Fold for Nobody {
    fn reset(&self, _: u64) {}

    fn history(&self, _: &Record) -> std::result::Result<(), FoldError> {
        Ok(())
    }

    fn folded(&self) {}

    fn admitted(&self, _: &[Record], _: &[(VersionKey, u64)]) -> std::result::Result<(), FoldError> {
        Ok(())
    }

    fn writable(&self, _: bool) {}
}
