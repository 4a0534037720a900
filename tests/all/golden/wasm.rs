//! The same calls through the gate's runtime, on the very `policy.wasm` that it runs: whole answers are equal as bytes.

use std::collections::BTreeMap;

use policy_core::abi::Op;
use policy_core::digest::Digest;
use proviso::app::Engine as _;
use proviso::gate::{Limits, WasmEngine};

use super::{Played, case, played};

fn engine() -> WasmEngine {
    WasmEngine::new(proviso_tests::module(), Limits::default()).expect("policy.wasm exports its ABI")
}

/// The operation of a call, where the gate's runtime can make it at all: it knows the six and always loads first.
fn op(call: &Played) -> Option<Op> {
    let ops = [Op::Load, Op::Evaluate, Op::Terms, Op::Eligible, Op::Compile, Op::Preview];
    let op = ops.into_iter().find(|op| *op as i32 == call.op)?;
    (call.bundle.is_some() || matches!(op, Op::Load)).then_some(op)
}

/// An engine that holds this bundle.
async fn holding(bundle: &str) -> (WasmEngine, Digest) {
    let (engine, bundle) = (engine(), &case::bundle(bundle).bundle);
    let loaded = engine.load(bundle.load()).await.expect("the bundle loads");
    assert_eq!(loaded.bundle, bundle.digests.bundle);
    (engine, loaded.bundle)
}

#[tokio::test]
async fn golden_cases_are_answered_with_the_same_bytes_by_the_gates_runtime() {
    let mut engines: BTreeMap<String, (WasmEngine, Digest)> = BTreeMap::new();
    let mut count = 0;
    for call in &played().0 {
        let Some(op) = op(call) else { continue };
        let name = call.bundle.as_deref().unwrap_or("hops");
        // An instance that was told to load holds another bundle, or none: it is not used again.
        let fresh = matches!(op, Op::Load);
        if fresh || !engines.contains_key(name) {
            engines.insert(name.to_owned(), holding(name).await);
        }
        let (engine, bundle) = &engines[name];
        let answer = engine.call(*bundle, op, call.input.clone().into_bytes()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", call.name));
        assert_eq!(String::from_utf8_lossy(&answer), call.answer, "{}", call.name);
        if fresh {
            engines.remove(name);
        }
        count += 1;
    }
    assert!(count >= 40, "only {count} cases ran");
}
