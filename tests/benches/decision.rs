//! What a decision costs inside the sandbox, against cedar-policy natively on the same policies: ratios of one run.
//!
//! The same question about the sample bundle is asked four ways: of cedar-policy alone, with request and entities made
//! before the clock starts; of the evaluator natively; of the evaluator through its boundary of bytes; and of
//! `policy.wasm` under wasmtime, as the gate calls it, thread hop included. They take turns, so that a slow moment of the
//! machine falls on all, and of many rounds the median counts.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Schema};
use policy_core::abi::{ABI_VERSION, Evaluate, Op};
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use policy_evaluator::Bundle;
use policy_evaluator::abi::Instance;
use policy_evaluator::evaluate::evaluate;
use policy_evaluator::seal::{Ask, Claimed};
use proviso::app::Engine;
use proviso::assets;
use proviso::gate::{Limits, PolicyModule, WasmEngine};
use serde_json::json;

/// How many rounds, unless `PROVISO_BENCH_ROUNDS` says another number.
const ROUNDS: usize = 41;
const CALLS: u32 = 200;
const AGENT: &str = "spiffe://acme.example/agent/report-writer";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A way to ask, and its name.
type Way<'a> = (&'a str, Box<dyn FnMut() + 'a>);

fn main() -> Result<()> {
    let files = assets::sample_bundle();
    let bundle = Bundle::accept(&files).map_err(|errors| format!("the sample bundle does not load: {errors:?}"))?;
    let question = question(&bundle)?;
    let bytes = json::to_canonical_bytes(&Evaluate { v: ABI_VERSION, question: question.clone() })?;

    let native = Native::new(&files, &question)?;
    let mut instance = Instance::default();
    instance.call(Op::Load as i32, &json::to_canonical_bytes(&bundle.load())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let engine = engine(&runtime, &bundle)?;
    let digest = bundle.digests.bundle;

    // All four say yes, or the figures are of different things.
    if !native.permits() || !evaluate(&bundle.rules, &question).outcome.permits() {
        return Err("the question is not permitted".into());
    }
    let answer = runtime.block_on(engine.call(digest, Op::Evaluate, bytes.clone()))?;
    if answer != instance.call(Op::Evaluate as i32, &bytes) {
        return Err("the sandbox answers something else than the evaluator".into());
    }

    let mut ways: [Way<'_>; 4] = [
        ("cedar-policy natively", Box::new(|| _ = black_box(native.permits()))),
        ("the evaluator natively", Box::new(|| drop(black_box(evaluate(&bundle.rules, &question))))),
        (
            "the evaluator natively, bytes in and out",
            Box::new(|| drop(black_box(instance.call(Op::Evaluate as i32, &bytes)))),
        ),
        (
            "policy.wasm in the sandbox, bytes in and out",
            Box::new(|| drop(black_box(runtime.block_on(engine.call(digest, Op::Evaluate, bytes.clone()))))),
        ),
    ];
    let rounds = match std::env::var("PROVISO_BENCH_ROUNDS") {
        Ok(rounds) => rounds.parse()?,
        Err(_) => ROUNDS,
    };
    let mut times = ways.each_ref().map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for ((_, call), times) in ways.iter_mut().zip(&mut times) {
            times.push(time(call));
        }
    }
    report(&ways.map(|(name, _)| name), &mut times);
    Ok(())
}

/// Prints the median of each, and its ratio to the first.
fn report(names: &[&str], times: &mut [Vec<Duration>]) {
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6 / f64::from(CALLS))
        })
        .collect();
    let first = medians.first().copied().unwrap_or(f64::NAN);
    let rounds = times.first().map_or(0, Vec::len);
    println!("a decision by the sample bundle, permitted by scope, {rounds} rounds of {CALLS} calls:");
    for (name, median) in names.iter().zip(&medians) {
        println!("{:>10.1} µs  {:>6.1} ×  {name}", median, median / first);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; no product code links it")]
fn time(call: &mut dyn FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    begun.elapsed()
}

/// A read inside delegated scope, as the MCP proxy asks.
fn question(bundle: &Bundle) -> Result<SealedQuestion> {
    Ok(bundle.seal(&Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", AGENT),
        task: "close-q4".to_owned(),
        chain: Vec::new(),
        enforcement_point: Some("files-proxy".to_owned()),
        bound: false,
        vouched: false,
        server: Some("files".to_owned()),
        tool: None,
        action: "tools/call".to_owned(),
        resource: EntityRef::new("tool", "read_text_file"),
        input: Some(json!({"path": "/srv/files/notes.txt"})),
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_795_363_200_000),
        done: BTreeSet::new(),
    })?)
}

fn engine(runtime: &tokio::runtime::Runtime, bundle: &Bundle) -> Result<WasmEngine> {
    let (module, expected) =
        assets::policy_wasm().zip(assets::policy_digest()).ok_or("there is no policy.wasm: `cargo xtask build`")?;
    let engine = WasmEngine::new(&PolicyModule::load(&module, expected, None)?, Limits::default())?;
    runtime.block_on(engine.load(bundle.load()))?;
    Ok(engine)
}

/// Guardrails and scope as two sets, as the evaluator has them, with everything that Cedar needs made beforehand.
struct Native {
    guardrails: PolicySet,
    scope: PolicySet,
    entities: Entities,
    request: Request,
}

impl Native {
    fn new(files: &BTreeMap<String, String>, question: &SealedQuestion) -> Result<Self> {
        let text = files.get("schema.cedarschema").ok_or("no schema")?;
        // The fragment that the evaluator adds at load.
        let text = text.replace("requested?: Proviso::Requested,", "");
        let (schema, _) = Schema::from_cedarschema_str(&text)?;
        let entities = files.get("entities.json").ok_or("no entities")?;
        let mut entities = Entities::from_json_str(entities, Some(&schema))?;
        // Only what the question is about, as in the sealed one.
        let about: BTreeSet<String> = question.entities.iter().map(|fact| fact.uid.id.clone()).collect();
        let others: Vec<EntityUid> = entities
            .iter()
            .map(cedar_policy::Entity::uid)
            .filter(|uid| uid.type_name().to_string() != "Action" && !about.contains(uid.id().unescaped()))
            .collect();
        entities = entities.remove_entities(others)?;
        let call = &question.call;
        let action: EntityUid = format!("Action::\"{}\"", call.action).parse()?;
        let context = json!({
            "now": {"__extn": {"fn": "datetime", "arg": "2026-11-22T16:00:00Z"}},
            "task": question.task,
            "input_digest": call.input_digest,
            "input": {"path": "/srv/files/notes.txt"},
        });
        let context = Context::from_json_value(context, Some((&schema, &action)))?;
        let principal: EntityUid = format!("Agent::\"{AGENT}\"").parse()?;
        let request = Request::new(principal, action, "Volume::\"files\"".parse()?, context, Some(&schema))?;
        let set = |folder: &str| -> Result<PolicySet> {
            let texts = files.iter().filter(|(path, _)| path.starts_with(folder)).map(|(_, text)| text.as_str());
            Ok(texts.collect::<Vec<_>>().join("\n").parse()?)
        };
        Ok(Self { guardrails: set("guardrails/")?, scope: set("scope/")?, entities, request })
    }

    fn permits(&self) -> bool {
        let authorizer = Authorizer::new();
        let forbidden = authorizer.is_authorized(&self.request, &self.guardrails, &self.entities);
        let permitted = authorizer.is_authorized(&self.request, &self.scope, &self.entities);
        forbidden.diagnostics().reason().next().is_none() && permitted.decision() == Decision::Allow
    }
}
