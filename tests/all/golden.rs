//! The calls of `golden/vectors.json` through the gate's runtime, on the very `policy.wasm` that it runs: whole answers
//! are equal as bytes. The evaluator's own tests write that file and hold its cases natively.

mod fuel;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use policy_core::abi::{Load, Op};
use proviso::app::Engine as _;
use proviso::gate::{Limits, WasmEngine};
use serde::Deserialize;
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

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
    /// Marks in the input, each with the text that replaces it and how often.
    #[serde(default)]
    repeat: Vec<(String, String, usize)>,
    answer: String,
}

impl Call {
    /// The input as it is sent.
    fn input(&self) -> Vec<u8> {
        let marks = self.repeat.iter();
        let input =
            marks.fold(self.input.clone(), |input, (mark, text, times)| input.replace(mark, &text.repeat(*times)));
        input.into_bytes()
    }

    /// The operation, where the gate's runtime can make the call at all: it knows the six and always loads first.
    fn op(&self) -> Option<Op> {
        let ops = Op::ALL;
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

/// An instance as any host makes one, by the ABI's page alone: it may be asked what the gate never asks.
struct Bare {
    store: Store<()>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    call: TypedFunc<(i32, i32, i32), i64>,
}

impl Bare {
    fn new(module: &Module) -> Self {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).expect("it wants no imports");
        let memory = instance.get_memory(&mut store, "memory").expect("its memory");
        let alloc = instance.get_typed_func(&mut store, "alloc").expect("`alloc`");
        let call = instance.get_typed_func(&mut store, "call").expect("`call`");
        Self { store, memory, alloc, call }
    }

    fn answer(&mut self, op: i32, input: &[u8]) -> Vec<u8> {
        let length = i32::try_from(input.len()).expect("a length");
        let at = self.alloc.call(&mut self.store, length).expect("memory for the input");
        let start = usize::try_from(at.cast_unsigned()).expect("an address");
        self.memory.write(&mut self.store, start, input).expect("the input fits");
        let packed = self.call.call(&mut self.store, (op, at, length)).expect("no trap").cast_unsigned();
        let number = |part: u64| usize::try_from(part).expect("an address");
        let (at, length) = (number(packed >> 32), number(packed & 0xffff_ffff));
        self.memory.data(&self.store)[at..at + length].to_vec()
    }
}

#[tokio::test]
async fn golden_cases_are_answered_with_the_same_bytes_by_the_gates_runtime() {
    let vectors = vectors();
    let load = |name: &str| serde_json::from_str::<Load>(&vectors.loads[name].input).expect("what loads a bundle");
    let mut engines: BTreeMap<String, WasmEngine> = BTreeMap::new();
    let module = Module::new(&Engine::default(), proviso_tests::module().bytes()).expect("policy.wasm compiles");
    let mut count = 0;
    for call in &vectors.cases {
        let answer = match call.op() {
            Some(op) => {
                let name = call.load.as_deref().unwrap_or("hops");
                let load = load(name);
                // An instance that was told to load holds another bundle, or none: it is not used again.
                let fresh = matches!(op, Op::Load);
                if fresh || !engines.contains_key(name) {
                    engines.insert(name.to_owned(), holding(&load).await);
                }
                let answer = engines[name].call(load.bundle, op, call.input()).await;
                if fresh {
                    engines.remove(name);
                }
                answer.unwrap_or_else(|error| panic!("{}: {error}", call.name))
            }
            None => {
                let mut bare = Bare::new(&module);
                if let Some(name) = &call.load {
                    bare.answer(Op::Load as i32, vectors.loads[name].input.as_bytes());
                }
                bare.answer(call.op, &call.input())
            }
        };
        assert_eq!(String::from_utf8_lossy(&answer), call.answer, "{}", call.name);
        count += 1;
    }
    assert_eq!(count, vectors.cases.len());
    assert!(count >= 380, "only {count} cases are there");
}
