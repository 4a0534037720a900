//! What is ours: the module in its sandbox as the gate asks it, the evaluator natively, a gate's live grants.

use std::collections::BTreeMap;

use policy_core::abi::{ABI_VERSION, Answer, Evaluate, Op, Questions};
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::outcome::{Evaluation, Outcome};
use policy_core::question::{Candidate, SealedQuestion};
use policy_evaluator::Bundle;
use policy_evaluator::abi::Instance;
use proviso::app::{Engine as _, GrantIndex as _};
use proviso::assets;
use proviso::gate::{Limits, LiveGrants, PolicyModule, Runner, WasmEngine};
use tokio::runtime::Runtime;

use crate::Result;
use crate::workload::{Kind, candidate};

/// The module, compiled once.
pub struct Module {
    module: PolicyModule,
    runtime: Runtime,
    pub size: usize,
}

impl Module {
    pub fn new() -> Result<Self> {
        let (bytes, digest) =
            assets::policy_wasm().zip(assets::policy_digest()).ok_or("there is no policy.wasm: `cargo xtask build`")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { module: PolicyModule::load(&bytes, digest, None)?, runtime, size: bytes.len() })
    }

    /// A gate's engine that holds this bundle, with its limits on.
    pub fn gate(&self, bundle: &Bundle) -> Result<Gate<'_>> {
        let engine = WasmEngine::new(&self.module, Limits::default())?;
        self.runtime.block_on(engine.load(bundle.load()))?;
        Ok(Gate { engine, runtime: &self.runtime, bundle: bundle.digests.bundle })
    }

    /// Bytes of memory that a warm instance has after it answered this question.
    pub fn memory(&self, bundle: &Bundle, question: &SealedQuestion) -> Result<usize> {
        let mut warm = Runner::new(&self.module, Limits::default())?.warm(&bundle.load())?;
        warm.call(Op::Evaluate, &bytes(question)?)?;
        Ok(warm.memory())
    }
}

/// The module as the gate asks it: limits, thread, bytes in and out.
pub struct Gate<'a> {
    engine: WasmEngine,
    runtime: &'a Runtime,
    bundle: Digest,
}

impl Gate<'_> {
    pub fn ask(&self, question: &[u8]) -> Result<Vec<u8>> {
        Ok(self.runtime.block_on(self.engine.call(self.bundle, Op::Evaluate, question.to_vec()))?)
    }

    /// The outcome, which is what was meant to be measured, or nothing is.
    pub fn hold(&self, question: &SealedQuestion, kind: Kind) -> Result<Vec<u8>> {
        let bytes = bytes(question)?;
        let answer: Answer<Evaluation> = json::read_as(&self.ask(&bytes)?, json::Limits::DEFAULT)?;
        let expected = match kind {
            Kind::Scope => Outcome::PermittedByScope,
            Kind::Exception => Outcome::PermittedByException,
            Kind::Requestable => Outcome::RequestableDenial,
            Kind::Guardrail => Outcome::Denial,
        };
        match answer {
            Answer::Ok(evaluation) if evaluation.outcome == expected => Ok(bytes),
            other => Err(format!("a {} comes to {other:?}", kind.name()).into()),
        }
    }
}

/// The input of the operation `evaluate`.
pub fn bytes(question: &SealedQuestion) -> Result<Vec<u8>> {
    Ok(json::to_canonical_bytes(&Evaluate { v: ABI_VERSION, question: question.clone() })?)
}

/// The evaluator natively, bytes in and out.
pub fn native(bundle: &Bundle) -> Result<Instance> {
    let mut instance = Instance::default();
    instance.call(Op::Load as i32, &json::to_canonical_bytes(&bundle.load())?);
    Ok(instance)
}

/// A gate's live grants: ten of the question's subject, and so many of others.
pub struct Grants {
    index: LiveGrants,
    by_id: BTreeMap<String, Candidate>,
    questions: Questions,
}

impl Grants {
    pub fn new(question: &SealedQuestion, others: usize) -> Self {
        let (index, mut by_id) = (LiveGrants::default(), BTreeMap::new());
        for number in 0..others {
            let mut live = candidate(question, number, 10);
            if number >= 10 {
                live.grant.subject = EntityRef::new("Agent", format!("agent-of-others-{}", number % 10_000));
            }
            index.insert(&live.grant);
            by_id.insert(live.grant.id.to_string(), live);
        }
        Self { index, by_id, questions: Questions::default() }
    }

    /// The question with what the index finds for it, as the gate puts it together and writes it.
    pub fn input(&self, question: &SealedQuestion) -> Result<Vec<u8>> {
        let found = self.index.find(&question.call.subject, &question.task);
        let candidates = found.iter().filter_map(|id| self.by_id.get(id)).cloned().collect();
        Ok(self.questions.input(&SealedQuestion { candidates, ..question.clone() })?)
    }
}
