//! From start to ready: the compiled module from its cache, a bundle with a thousand entities, a record that is there.

use std::time::Duration;

use policy_core::digest::Digest;
use proviso::assets;
use proviso::gate::{Cache, PolicyModule};
use proviso_tests::{Setup, TestGate, copy_folder, sample_bundle};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::million;
use crate::figures::Measured;
use crate::measure::now;
use crate::{Result, Run};

const ENTITIES: usize = 1_000;
const MOST_ROUNDS: usize = 9;

pub fn measure(run: &mut Run, runtime: &Runtime) -> Result<()> {
    let bytes = assets::policy_wasm().ok_or("there is no policy.wasm: `cargo xtask build`")?;
    let folder = tempfile::tempdir()?;
    let cached = Cache::new(folder.path(), &Digest::of);
    PolicyModule::load(&bytes, Digest::of(&bytes), Some(&cached))?.keep(&cached);
    let first = folder.path().join("data");
    let setup = Setup { bundle: bundle()?, ..Setup::default() };
    drop(runtime.block_on(TestGate::open(setup.clone(), &first))?);
    let mut times = Vec::new();
    for _ in 0..run.rounds.min(MOST_ROUNDS) {
        times.push(one(runtime, &bytes, &cached, &setup, &first)?.as_secs_f64());
    }
    run.figure("start_to_ready", Measured::of(times));
    million::measure(run, runtime, (&bytes, &cached), &setup)
}

/// A start over a copy of the folder that a first start has left.
fn one(runtime: &Runtime, bytes: &[u8], cached: &Cache, setup: &Setup, first: &std::path::Path) -> Result<Duration> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    copy_folder(first, &data)?;
    let begun = now();
    let module = PolicyModule::load(bytes, Digest::of(bytes), Some(cached))?;
    let setup = Setup { module: Some(module), ..setup.clone() };
    runtime.block_on(async {
        let gate = TestGate::open(setup, &data).await?;
        gate.client.request(Method::GET, "/readyz").send().await?.error_for_status()?;
        Ok(begun.elapsed())
    })
}

/// The sample bundle, with datasets until there are so many entities.
fn bundle() -> Result<std::collections::BTreeMap<String, String>> {
    let mut bundle = sample_bundle();
    let entities = bundle.get_mut("entities.json").ok_or("the sample bundle has no entities")?;
    let mut all: Vec<Value> = serde_json::from_str(entities)?;
    all.extend((all.len()..ENTITIES).map(|number| {
        json!({"uid": {"type": "Dataset", "id": format!("finance/{number}")}, "attrs": {"regulated": false}, "parents": []})
    }));
    *entities = serde_json::to_string(&all)?;
    Ok(bundle)
}
