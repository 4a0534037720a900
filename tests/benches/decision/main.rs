//! What a decision costs inside the sandbox, against its peers on the same work in the same run.
//!
//! `cargo xtask bench` builds and installs the peers, runs this, and writes `BENCHMARKS.md` and `BENCHMARKS.json`. What is
//! ours is asked as the gate asks it: limits on, bytes in and out. What is to be reached stands in `goals.toml`.

mod figures;
mod measure;
mod native;
mod ours;
mod peer;
mod report;
mod served;
mod workload;

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use figures::Measured;
use measure::{Way, each, rounds};
use native::{Bare, Native};
use ours::Module;
use peer::Peer;
use policy_core::abi::Op;
use policy_evaluator::evaluate::evaluate;
use report::{Report, Time};
use workload::Kind;

/// How many rounds, unless `PROVISO_BENCH_ROUNDS` says another number.
const ROUNDS: usize = 41;
const SIZES: [usize; 3] = [10, 100, 1000];
const GRANTS: [usize; 3] = [0, 1_000, 100_000];
const SINGLE_CALLS: usize = 20_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What has been measured so far.
struct Run {
    rounds: usize,
    figures: BTreeMap<String, Measured>,
    times: Vec<Time>,
}

fn main() -> Result<()> {
    let count = match std::env::var("PROVISO_BENCH_ROUNDS") {
        Ok(rounds) => rounds.parse()?,
        Err(_) => ROUNDS,
    };
    let mut run = Run { rounds: count, figures: BTreeMap::new(), times: Vec::new() };
    // First, while nothing that was given back is there to be taken again.
    run.memory_of_grants()?;
    let module = Module::new()?;
    run.sizes(&module)?;
    run.kinds(&module)?;
    run.grants(&module)?;
    run.floor(&module)?;
    run.tail(&module)?;
    run.memory(&module)?;
    served::measure(&mut run)?;
    let report = Report {
        command: "cargo xtask bench",
        machine: report::machine(),
        versions: report::versions()?,
        rounds: run.rounds,
        figures: figures::judge(&run.figures)?,
        times: run.times,
    };
    println!("{}", report.markdown());
    match std::env::var_os("PROVISO_BENCH_WRITE") {
        Some(folder) => report.write(Path::new(&folder)),
        None => Ok(()),
    }
}

impl Run {
    /// Everybody's turns about one question. The first is ours.
    fn measure(&mut self, of: &str, ways: &mut [Way<'_>]) -> Result<Vec<Vec<Duration>>> {
        let times = rounds(ways, self.rounds)?;
        for (way, times) in ways.iter().zip(&times) {
            let micros = Measured::micros(times);
            println!("{:>10.1} µs  {of}: {}", micros.median, way.name);
            self.times.push(Time { of: of.to_owned(), who: way.name.clone(), micros });
        }
        Ok(times)
    }

    fn figure(&mut self, name: impl Into<String>, measured: Measured) {
        self.figures.insert(name.into(), measured);
    }

    /// A hit in scope among 10, 100 and 1,000 policies, against everybody.
    fn sizes(&mut self, module: &Module) -> Result<()> {
        let mut gates = Vec::new();
        for policies in SIZES {
            let bundle = workload::bundle(policies)?;
            let question = workload::question(&bundle, policies, Kind::Scope, 0)?;
            let gate = module.gate(&bundle)?;
            let bytes = gate.hold(&question, Kind::Scope)?;
            let mut instance = ours::native(&bundle)?;
            let cedar = workload::scope(policies) + workload::GUARDRAILS;
            let native = Native::new(&cedar)?;
            let json = workload::cedar_json(policies, Kind::Scope).to_string();
            let (request, entities) = native.read(&json)?;
            if !native.answer(&json)? {
                return Err("cedar-policy says no".into());
            }
            let mut ways = vec![
                Way::here("policy.wasm in the sandbox", || Ok(gate.ask(&bytes)?.is_empty())),
                Way::here("cedar-policy natively, JSON in", || native.answer(&json)),
                Way::here("`is_authorized` alone", || Ok(native.permits(&request, &entities))),
                Way::here("our evaluator natively, bytes in and out", || {
                    Ok(black_box(instance.call(Op::Evaluate as i32, &bytes)).is_empty())
                }),
                Way::here("our evaluator natively, question in memory", || {
                    Ok(evaluate(&bundle.rules, &question).outcome.permits())
                }),
            ];
            let mut names = vec!["against_native_json", "against_is_authorized"];
            if let Some(command) = peer::regorus() {
                let question = workload::rego_json(policies, Kind::Scope).to_string();
                let files = [("policies.rego", workload::rego(policies)), ("question.json", question)];
                let mut peer = Peer::start(command, &files)?;
                ways.insert(names.len() + 1, Way::elsewhere("regorus, JSON in", move |calls| peer.time(calls)));
                names.push("against_regorus");
            }
            if let Some(command) = peer::cedar_wasm() {
                let schema = workload::SCHEMA.replace(", requested?: Proviso::Requested", "");
                let files =
                    [("policies.cedar", cedar), ("schema.cedarschema", schema), ("question.json", json.clone())];
                let mut peer = Peer::start(command, &files)?;
                ways.insert(
                    names.len() + 1,
                    Way::elsewhere("cedar-wasm in Node, preparsed", move |calls| peer.time(calls)),
                );
                names.push("against_cedar_wasm");
            }
            let times = self.measure(&format!("{policies} policies"), &mut ways)?;
            let (ours, theirs) = times.split_first().ok_or("nothing was measured")?;
            for (name, theirs) in names.iter().zip(theirs) {
                let name = format!("{name}_{policies}");
                // At 100 policies some peers have no goal.
                if !["against_is_authorized_100", "against_cedar_wasm_100"].contains(&name.as_str()) {
                    self.figure(name, Measured::ratio(ours, theirs));
                }
            }
            drop(ways);
            gates.push((gate, bytes));
        }
        let mut growing: Vec<Way<'_>> = SIZES
            .iter()
            .zip(&gates)
            .map(|(size, (gate, bytes))| Way::here(format!("{size} policies"), || Ok(gate.ask(bytes)?.is_empty())))
            .collect();
        let times = self.measure("growth, policy.wasm in the sandbox", &mut growing)?;
        if let (Some(few), Some(many)) = (times.first(), times.last()) {
            self.figure("growth_policies", Measured::ratio(many, few));
        }
        Ok(())
    }

    /// Each outcome, and arguments of 16 KB.
    fn kinds(&mut self, module: &Module) -> Result<()> {
        let bundle = workload::bundle(100)?;
        let gate = module.gate(&bundle)?;
        let mut questions = Vec::new();
        for (size, memo) in [("", 0), (", arguments of 16 KB", 16 * 1024)] {
            for kind in Kind::ALL {
                let question = workload::question(&bundle, 100, kind, memo)?;
                questions.push((format!("{}{size}", kind.name()), gate.hold(&question, kind)?));
            }
        }
        let ways = questions.iter().map(|(name, bytes)| Way::here(name.as_str(), || Ok(gate.ask(bytes)?.is_empty())));
        self.measure("100 policies, policy.wasm in the sandbox", &mut ways.collect::<Vec<_>>()).map(drop)
    }

    /// Live grants: found in the index, put into the question, written down, and asked.
    fn grants(&mut self, module: &Module) -> Result<()> {
        let bundle = workload::bundle(100)?;
        let gate = module.gate(&bundle)?;
        let question = workload::question(&bundle, 100, Kind::Scope, 0)?;
        let live = GRANTS.map(|others| ours::Grants::new(&question, others));
        let ways = GRANTS.iter().zip(&live).map(|(others, live)| {
            let (gate, question) = (&gate, &question);
            Way::here(format!("{others} live grants"), move || Ok(gate.ask(&live.input(question)?)?.is_empty()))
        });
        let times = self.measure("growth, index to answer", &mut ways.collect::<Vec<_>>())?;
        if let (Some(none), Some(many)) = (times.first(), times.last()) {
            self.figure("growth_grants", Measured::ratio(many, none));
        }
        Ok(())
    }

    /// What each of very many live grants takes, in the index and as the data that a question is given.
    fn memory_of_grants(&mut self) -> Result<()> {
        const LIVE: usize = 100_000;
        let bundle = workload::bundle(10)?;
        let question = workload::question(&bundle, 10, Kind::Scope, 0)?;
        let before = report::resident()?;
        let live = ours::Grants::new(&question, LIVE);
        let taken = report::resident()?.saturating_sub(before);
        drop(black_box(live));
        #[expect(clippy::cast_precision_loss, reason = "some hundred megabytes")]
        self.figure("memory_of_grant", Measured::exactly(taken as f64 / LIVE as f64 / 1000.0));
        Ok(())
    }

    /// The smallest question that there is.
    fn floor(&mut self, module: &Module) -> Result<()> {
        let bundle = workload::bare_bundle()?;
        let gate = module.gate(&bundle)?;
        let bytes = gate.hold(&workload::bare_question(&bundle)?, Kind::Scope)?;
        let bare = Bare::new(10)?;
        if !bare.permits() {
            return Err("cedar-policy says no to the bare question".into());
        }
        let mut ways = [
            Way::here("policy.wasm in the sandbox, one policy", || Ok(gate.ask(&bytes)?.is_empty())),
            Way::here("`is_authorized` alone, ten policies", || Ok(bare.permits())),
        ];
        let times = self.measure("an empty question", &mut ways)?;
        if let [ours, theirs] = times.as_slice() {
            self.figure("floor", Measured::ratio(ours, theirs));
        }
        Ok(())
    }

    /// How far the slow ones are from the usual.
    fn tail(&mut self, module: &Module) -> Result<()> {
        let bundle = workload::bundle(100)?;
        let gate = module.gate(&bundle)?;
        let bytes = gate.hold(&workload::question(&bundle, 100, Kind::Scope, 0)?, Kind::Scope)?;
        let times = each(SINGLE_CALLS, || Ok(gate.ask(&bytes)?.is_empty()))?;
        let at = |percent: usize| times.get(times.len() * percent / 100).map_or(f64::NAN, Duration::as_secs_f64);
        self.figure("p99_over_p50", Measured::exactly(at(99) / at(50)));
        Ok(())
    }

    /// What a warm instance holds, and what a browser fetches.
    fn memory(&mut self, module: &Module) -> Result<()> {
        let bundle = workload::bundle(1000)?;
        let question = workload::question(&bundle, 1000, Kind::Scope, 0)?;
        let bytes = u32::try_from(module.memory(&bundle, &question)?)?;
        self.figure("memory_of_instance", Measured::exactly(f64::from(bytes) / 1e6));
        println!("policy.wasm has {} bytes", module.size);
        // Of the very files that a gate serves: `cargo xtask bench` has them built.
        if let Ok(size) = std::env::var("PROVISO_BENCH_BROTLI") {
            self.figure("module_brotli", Measured::exactly(size.parse::<f64>()? / 1000.0));
        }
        if let Ok(size) = std::env::var("PROVISO_BENCH_FIRST_LOAD") {
            self.figure("first_load_brotli", Measured::exactly(size.parse::<f64>()? / 1000.0));
        }
        Ok(())
    }
}
