//! Decisions of a gate that holds very many live exceptions of others, beside those of one that holds none.
//!
//! The exceptions are one that was asked for and approved at a gate, over and over under other names and for other agents,
//! appended as the gate's own writer appends.

use std::path::Path;
use std::sync::Arc;

use proviso::random::SystemRandom;
use proviso::store::sqlite::SqliteStore;
use proviso::store::{Keys, Log, NewRecord, SnapshotRule, Store as _, verify};
use proviso_tests::{AGENTS, Setup, Story, TestGate, write_file};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::asked::Asked;
use super::million::{Nobody, again, until_free};
use super::{bursts, felt};
use crate::figures::Measured;
use crate::measure::Way;
use crate::{Result, Run};

const OTHERS: usize = 100_000;
/// So many agents hold them.
const AGENTS_OF_OTHERS: usize = 10_000;
/// So many exceptions in one job.
const JOB: usize = 250;

pub fn measure(run: &mut Run, runtime: &Runtime) -> Result<()> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    // What is measured are decisions, and no snapshot that is written meanwhile.
    let rule = SnapshotRule { every: u64::MAX, ..SnapshotRule::default() };
    let setup = Setup { snapshots: Some(rule), ..Setup::default() };
    let (empty, story) = runtime.block_on(async {
        let model = Model::new(&setup, &data).await?;
        append(&data, &model).await?;
        drop(until_free(&data).await?);
        let story = Story::on(TestGate::open(setup, &data).await?).await;
        Ok::<_, Box<dyn std::error::Error>>((Story::begin().await, story))
    })?;
    runtime.block_on(hold_live(&story))?;
    let alone = Arc::new(runtime.block_on(Asked::gate(&empty))?);
    let crowded = Arc::new(runtime.block_on(Asked::gate(&story))?);
    let [none, many] = [&alone, &crowded].map(|asked| bursts(runtime, asked));
    let mut ways = [
        Way::elsewhere("a gate that holds no exception", none),
        Way::elsewhere("a gate that holds 100,000 live exceptions of others", many),
    ];
    let times = run.measure("64 connections, exceptions of others", &mut ways)?;
    if let [none, many] = times.as_slice() {
        run.figure("growth_exceptions", Measured::ratio(many, none));
    }
    Ok(())
}

/// What is measured is nothing, unless the gate took them for what they are.
async fn hold_live(story: &Story) -> Result<()> {
    let mara = story.gate.person("mara").await;
    for number in [0, OTHERS - 1] {
        let (exception, grant) = names(number);
        if felt::live(&story.client, &mara, &exception).await? != grant {
            return Err(format!("{exception} has another grant than {grant}").into());
        }
    }
    Ok(())
}

/// The names of an exception of others and of its grant.
fn names(number: usize) -> (String, String) {
    (format!("exc_{number:032x}"), format!("grant_{number:032x}"))
}

/// The records of one exception, and the names in them.
struct Model {
    records: Vec<NewRecord>,
    exception: String,
    grant: String,
    agent: String,
}

impl Model {
    /// One that an agent asked for and a person approved.
    async fn new(setup: &Setup, data: &Path) -> Result<Self> {
        let story = Story::on(TestGate::open(setup.clone(), data).await?).await;
        let exception = story.ask(&write_file("report-writer", "/srv/files/reports/q3.md", "asked"), None).await;
        let mara = story.gate.person("mara").await;
        let voted = story.vote(&mara, &exception, "approve", None).await.json();
        let grant = voted.get("grant").and_then(serde_json::Value::as_str).ok_or("no grant was made")?.to_owned();
        let (mut records, stream) = (Vec::new(), format!("exception/{exception}"));
        verify::each_record(data, &mut |record| {
            records.extend((record.log == Log::Ledger && record.leaf.stream == stream).then(|| again(record.clone())));
            Ok(())
        })?;
        Ok(Self { records, exception, grant, agent: format!("{AGENTS}report-writer") })
    }

    /// The same of another agent.
    fn other(&self, number: usize) -> Result<Vec<NewRecord>> {
        let (exception, grant) = names(number);
        let agent = format!("{AGENTS}of-others-{}", number % AGENTS_OF_OTHERS);
        let named = |text: &str| {
            text.replace(&self.exception, &exception).replace(&self.grant, &grant).replace(&self.agent, &agent)
        };
        let records = self.records.iter().map(|record| {
            let payloads = record.payloads.iter().map(|(name, bytes)| {
                let text = std::str::from_utf8(bytes)?;
                Ok((*name, named(text).into_bytes()))
            });
            let payloads = payloads.collect::<Result<Vec<_>>>()?;
            Ok(NewRecord { stream: named(&record.stream), payloads, ..record.clone() })
        });
        records.collect()
    }
}

async fn append(data: &Path, model: &Model) -> Result<()> {
    let (folder, random) = (until_free(data).await?, Arc::new(SystemRandom));
    let keys = Arc::new(Keys::open(&folder, &*random)?);
    let store = SqliteStore::open(folder, keys, random, Arc::new(Nobody))?;
    for first in (0..OTHERS).step_by(JOB) {
        let mut records = Vec::new();
        for number in first..first + JOB {
            records.extend(model.other(number)?);
        }
        store.append(Vec::new(), records).await?;
    }
    Ok(())
}
