//! From start to ready over a million records: from the snapshot that a start before has written.
//!
//! The records are decisions such as a gate has just made, a month of them, without their sealed questions, which no start
//! reads that goes on from a snapshot. They are appended as the gate's own writer appends, signed and committed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policy_core::digest::Digest;
use policy_core::time::{Span, Timestamp};
use proviso::clock::Clock as _;
use proviso::gate::{Cache, PolicyModule};
use proviso::random::SystemRandom;
use proviso::store::sqlite::SqliteStore;
use proviso::store::{
    DataFolder, DataKind, Fold, FoldError, Keys, Log, NewRecord, Record, SnapshotRule, Store as _, VersionKey, verify,
};
use proviso_tests::{Setup, Story, TestGate, copy_folder, write_file};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::figures::Measured;
use crate::measure::now;
use crate::{Result, Run};

const RECORDS: u64 = 1_000_000;
/// So many in one job.
const JOB: u64 = 1_000;
/// How long they took.
const MONTH: Span = Span::from_seconds(30 * 86_400);
/// A start is measured so often: each over a copy of its own.
const ROUNDS: usize = 5;

/// Measures it.
pub fn measure(run: &mut Run, runtime: &Runtime, (bytes, cached): (&[u8], &Cache), setup: &Setup) -> Result<()> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    // No further snapshot is written meanwhile, and each start is from the first one.
    let rule = SnapshotRule { every: u64::MAX, ..SnapshotRule::default() };
    let setup = Setup { snapshots: Some(rule), ..setup.clone() };
    let models = runtime.block_on(models(&setup, &data))?;
    runtime.block_on(append(&data, &models, setup.clock.now()))?;
    setup.clock.advance(u32::try_from(MONTH.seconds())?);
    let begun = now();
    drop(runtime.block_on(TestGate::open(setup.clone(), &data))?);
    let slowly = begun.elapsed();
    drop(runtime.block_on(until_free(&data))?);
    let size = data.join("record.snapshot").metadata()?.len();
    println!("{slowly:>10.1?} to read a million records once; the snapshot has {} MB", size / 1_000_000);
    let mut times = Vec::new();
    for _ in 0..run.rounds.min(ROUNDS) {
        times.push(one(runtime, (bytes, cached), &setup, &data)?.as_secs_f64());
    }
    run.figure("start_with_a_million_records", Measured::of(times));
    Ok(())
}

/// A start from the snapshot.
fn one(runtime: &Runtime, (bytes, cached): (&[u8], &Cache), setup: &Setup, of: &Path) -> Result<Duration> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    copy_folder(of, &data)?;
    let begun = now();
    let module = PolicyModule::load(bytes, Digest::of(bytes), Some(cached))?;
    let setup = Setup { module: Some(module), ..setup.clone() };
    runtime.block_on(async {
        let gate = TestGate::open(setup, &data).await?;
        gate.client.request(Method::GET, "/readyz").send().await?.error_for_status()?;
        let took = begun.elapsed();
        let metrics = gate.client.request(Method::GET, "/metrics").send().await?.text().await?;
        if metrics.contains("proviso_record_verified{how=\"tail\"} 1") {
            Ok(took)
        } else {
            Err("it did not start from the snapshot".into())
        }
    })
}

/// What a gate decides: permitted by scope, denied and requestable, denied for good.
async fn models(setup: &Setup, data: &Path) -> Result<Vec<NewRecord>> {
    let story = Story::on(TestGate::open(setup.clone(), data).await?).await;
    let paths = ["/srv/files/drafts/a.md", "/srv/files/drafts/b.md", "/srv/files/reports/q3.md", "/srv/files/.hidden"];
    for path in paths {
        story.evaluate(&write_file("report-writer", path, "call")).await;
    }
    let mut made = Vec::new();
    verify::each_record(data, &mut |record| {
        made.extend((record.log == Log::Decisions).then(|| record.clone()));
        Ok(())
    })?;
    made.into_iter().map(model).collect()
}

fn model(record: Record) -> Result<NewRecord> {
    let mut model = again(record);
    model.payloads.retain(|(name, _)| *name == "decision");
    if model.payloads.is_empty() { Err("it is no decision".into()) } else { Ok(model) }
}

/// A record as it would be appended once more.
pub(super) fn again(record: Record) -> NewRecord {
    let Record { log, leaf, payloads, .. } = record;
    NewRecord {
        log,
        at: leaf.at,
        kind: leaf.kind,
        stream: leaf.stream,
        outcome: leaf.outcome,
        policies: leaf.policies,
        module: leaf.module,
        bundle: leaf.bundle,
        payloads: payloads.into_iter().map(|(name, bytes)| (&*name.leak(), bytes)).collect(),
        touches: Vec::new(),
        urgent: false,
        outbox: Vec::new(),
    }
}

/// Appends a month of such decisions from `since` on.
async fn append(data: &Path, models: &[NewRecord], since: Timestamp) -> Result<()> {
    let (folder, random) = (until_free(data).await?, Arc::new(SystemRandom));
    let keys = Arc::new(Keys::open(&folder, &*random)?);
    let store = SqliteStore::open(folder, keys, random, Arc::new(Nobody))?;
    let decisions = models.iter().map(|model| {
        let bytes = model.payloads.first().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        serde_json::from_slice::<Value>(bytes)
    });
    let decisions: Vec<Value> = decisions.collect::<std::result::Result<_, _>>()?;
    let apart = i64::try_from(MONTH.seconds() * 1_000 / RECORDS)?;
    for first in (0..RECORDS).step_by(usize::try_from(JOB)?) {
        let mut records = Vec::new();
        for number in first..first + JOB {
            let which = usize::try_from(number)? % models.len();
            let (Some(model), Some(decision)) = (models.get(which), decisions.get(which)) else { continue };
            let mut decision = decision.clone();
            if let Some(evaluation) = decision.get_mut("evaluation") {
                *evaluation = format!("eval_{number:032x}").into();
            }
            let at = Timestamp::from_millis(since.millis() + i64::try_from(number)? * apart);
            let payloads = vec![("decision", serde_json::to_vec(&decision)?)];
            records.push(NewRecord { at, payloads, ..model.clone() });
        }
        store.append(Vec::new(), records).await?;
    }
    Ok(())
}

/// A folder, as soon as the gate that had it is gone: until then its files come and go.
pub(super) async fn until_free(data: &Path) -> Result<DataFolder> {
    let mut left = 100u8;
    loop {
        match DataFolder::open(data, DataKind::Gate) {
            Ok(folder) => return Ok(folder),
            Err(error) if left == 0 => return Err(error.into()),
            Err(_) => {
                left -= 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Nobody believes anything of what is appended.
pub(super) struct Nobody;

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
