//! The calls of `golden/vectors.json` through the gate's runtime, on the very `policy.wasm` that it runs: whole answers
//! are equal as bytes. The evaluator's own tests write that file and hold its cases natively.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use policy_core::abi::{Load, Op};
use proviso::app::Engine as _;
use proviso::gate::{Limits, WasmEngine};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    loads: BTreeMap<String, Bytes>,
    cases: Vec<Call>,
}

/// What loads a bundle.
#[derive(Deserialize)]
struct Bytes {
    input: String,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    /// The bundle that the instance holds, by its name among the loads.
    load: Option<String>,
    op: i32,
    input: String,
    answer: String,
}

impl Call {
    /// The operation, where the gate's runtime can make the call at all: it knows the six and always loads first.
    fn op(&self) -> Option<Op> {
        let ops = [Op::Load, Op::Evaluate, Op::Terms, Op::Eligible, Op::Compile, Op::Preview];
        let op = ops.into_iter().find(|op| *op as i32 == self.op)?;
        (self.load.is_some() || matches!(op, Op::Load)).then_some(op)
    }
}

fn vectors() -> Vectors {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/vectors.json");
    serde_json::from_str(&fs::read_to_string(path).expect("vectors.json is there")).expect("vectors.json")
}

/// An engine that holds this bundle.
async fn holding(load: &Load) -> WasmEngine {
    let engine = WasmEngine::new(proviso_tests::module(), Limits::default()).expect("policy.wasm exports its ABI");
    let loaded = engine.load(load.clone()).await.expect("the bundle loads");
    assert_eq!(loaded.bundle, load.bundle);
    engine
}

#[tokio::test]
async fn golden_cases_are_answered_with_the_same_bytes_by_the_gates_runtime() {
    let vectors = vectors();
    let load = |name: &str| serde_json::from_str::<Load>(&vectors.loads[name].input).expect("what loads a bundle");
    let mut engines: BTreeMap<String, WasmEngine> = BTreeMap::new();
    let mut count = 0;
    for call in &vectors.cases {
        let Some(op) = call.op() else { continue };
        let name = call.load.as_deref().unwrap_or("hops");
        let load = load(name);
        // An instance that was told to load holds another bundle, or none: it is not used again.
        let fresh = matches!(op, Op::Load);
        if fresh || !engines.contains_key(name) {
            engines.insert(name.to_owned(), holding(&load).await);
        }
        let answer = engines[name].call(load.bundle, op, call.input.clone().into_bytes()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", call.name));
        assert_eq!(String::from_utf8_lossy(&answer), call.answer, "{}", call.name);
        if fresh {
            engines.remove(name);
        }
        count += 1;
    }
    assert!(count >= 40, "only {count} cases ran");
}
