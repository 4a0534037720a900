//! Where one thread asks: warm instances of the modules, each with a bundle.

use std::collections::BTreeMap;

use policy_core::abi::{ABI_VERSION, Answer, Evaluate, Op};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;

use super::classes::Class;
use super::kept::{Kept, Trouble};
use crate::app::inputs::of_refusal;
use crate::gate::{Runner, Warm};

/// How many instances one thread keeps warm. Records come in order, so that a few are enough.
const MOST_WARM: usize = 4;
/// What a module's answer may hold.
const ANSWER: json::Limits = json::Limits { max_bytes: 16 << 20, max_depth: 120 };

/// One thread's instances.
pub(super) struct Bench<'a> {
    pub(super) kept: &'a Kept<'a>,
    warm: BTreeMap<(Digest, Digest), Warm>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(kept: &'a Kept<'a>) -> Self {
        Self { kept, warm: BTreeMap::new() }
    }

    /// What a recorded module says of a question under the bundle that the question names.
    pub(super) fn ask(&mut self, module: Digest, question: &SealedQuestion) -> Result<Evaluation, Class> {
        let mut warm = self.warm(module, question.bundle)?;
        let answer = asked(&mut warm, question)?;
        self.keep((module, question.bundle), warm);
        Ok(answer)
    }

    /// The same of a question as it stands in the record: nothing is made of it here, and the module reads the very bytes.
    pub(super) fn ask_recorded(
        &mut self,
        module: Digest,
        bundle: Digest,
        question: &[u8],
    ) -> Result<Evaluation, Class> {
        let mut warm = self.warm(module, bundle)?;
        let answer = called(&mut warm, &put(question))?;
        self.keep((module, bundle), warm);
        Ok(answer)
    }

    /// Whether a module and a bundle that a record names are there, and are what it names.
    pub(super) fn ready(&mut self, module: Digest, bundle: Digest) -> Result<(), Class> {
        let warm = self.warm(module, bundle)?;
        self.keep((module, bundle), warm);
        Ok(())
    }

    fn warm(&mut self, module: Digest, bundle: Digest) -> Result<Warm, Trouble> {
        if let Some(warm) = self.warm.remove(&(module, bundle)) {
            return Ok(warm);
        }
        let load = self.kept.load(&bundle)?;
        let warm = self.kept.runner(&module)?.warm(&load);
        warm.map_err(|error| Trouble::new("bundle_unusable", error.to_string()))
    }

    fn keep(&mut self, key: (Digest, Digest), warm: Warm) {
        if self.warm.len() >= MOST_WARM {
            self.warm.clear();
        }
        self.warm.insert(key, warm);
    }

    /// What another module says, under a bundle that no record names.
    pub(super) fn ask_other(
        &mut self,
        runner: &Runner,
        load: &policy_core::abi::Load,
        question: &SealedQuestion,
    ) -> Result<Evaluation, Class> {
        let key = (runner.digest(), load.bundle);
        let mut warm = match self.warm.remove(&key) {
            Some(warm) => warm,
            None => runner.warm(load).map_err(|error| Trouble::new("bundle_unusable", error.to_string()))?,
        };
        let answer = asked(&mut warm, question)?;
        self.keep(key, warm);
        Ok(answer)
    }
}

/// One question. An instance that gives no answer is spent.
fn asked(warm: &mut Warm, question: &SealedQuestion) -> Result<Evaluation, Trouble> {
    let none = |message: String| Trouble::new("no_answer", message);
    let input = Evaluate { v: ABI_VERSION, question: question.clone() };
    let input = json::to_canonical_bytes(&input).map_err(|error| none(error.to_string()))?;
    called(warm, &input)
}

/// A question in its canonical bytes, as it is put to the module: what [`Evaluate`] is written as.
fn put(question: &[u8]) -> Vec<u8> {
    [b"{\"question\":", question, format!(",\"v\":{ABI_VERSION}}}").as_bytes()].concat()
}

fn called(warm: &mut Warm, input: &[u8]) -> Result<Evaluation, Trouble> {
    let none = |message: String| Trouble::new("no_answer", message);
    let answer = warm.call(Op::Evaluate, input).map_err(|error| none(error.to_string()))?;
    match json::read_as::<Answer<Evaluation>>(&answer, ANSWER).map_err(|error| none(error.to_string()))? {
        Answer::Ok(answer) => Ok(answer),
        Answer::Error(error) => of_refusal(&error).ok_or_else(|| none(format!("{}: {}", error.code, error.message))),
    }
}

#[cfg(test)]
mod tests {
    use policy_core::question::{Purpose, Requested, SEALED_VERSION};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_recorded_question_is_put_as_the_gate_puts_it() {
        let digest = Digest::of(b"");
        let agent = json!({"type": "Agent", "id": "a"});
        let call =
            json!({"subject": agent, "action": "read", "resources": [agent], "input_digest": digest, "typed": false});
        let stored = json!({
            "v": SEALED_VERSION, "purpose": Purpose::Use, "bundle": digest, "now": "2026-11-29T12:00:00.000Z",
            "call": call, "task": "t", "chain": [], "context": {}, "entities": [], "candidates": [], "locks": [],
            "requested": Requested::default(),
        });
        let question: SealedQuestion = serde_json::from_value(stored).unwrap();
        let recorded = json::to_canonical_bytes(&question).unwrap();
        let asked = json::to_canonical_bytes(&Evaluate { v: ABI_VERSION, question }).unwrap();
        assert_eq!(put(&recorded), asked);
    }
}
