//! The engine: one verified module, one instance, typed operations.

use std::cell::RefCell;

use policy_core::abi::{
    Answer, Compile, Compiled, Console, ConsoleAnswer, Eligibility, Eligible, Evaluate, Load, Loaded, Op, Preview,
    Previewed, Previews, TermsAnswer,
};
use policy_core::digest::Digest;
use policy_core::grant::Grant;
use policy_core::json;
use policy_core::outcome::Evaluation;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::EngineError;
use crate::instance::Instance;

/// A running policy module.
///
/// It holds the bundle that [`Engine::load`] gave it last. After a trap or a broken answer the instance is dropped and
/// every further call answers [`EngineError::Dropped`]: make a new engine from the same bytes. There is no limit on
/// time or fuel here; run it where it can be stopped from outside, in a worker.
pub struct Engine {
    instance: RefCell<Option<Instance>>,
}

impl Engine {
    /// Compiles and starts `policy.wasm`, when its bytes have the expected digest.
    ///
    /// Compiling 3 MB takes some tens of milliseconds and blocks: call it in a worker.
    ///
    /// # Errors
    /// Another digest, bytes that are no module, any import, a missing export, another version of the boundary.
    pub fn from_bytes(bytes: &[u8], expected: Digest) -> Result<Self, EngineError> {
        // INVARIANT (R10): these bytes are hashed, and the same bytes are compiled; nothing is fetched in between.
        let actual = Digest::of(bytes);
        if actual != expected {
            return Err(EngineError::DigestMismatch { expected, actual });
        }
        Ok(Self { instance: RefCell::new(Some(Instance::start(bytes)?)) })
    }

    /// Loads a bundle's policies; it replaces the one before.
    ///
    /// # Errors
    /// `bad_bundle` and the other codes of the boundary, a trap.
    pub fn load(&self, load: &Load) -> Result<Loaded, EngineError> {
        self.ask(Op::Load, load)
    }

    /// Evaluates a question.
    ///
    /// # Errors
    /// The codes of the boundary, a trap. An outcome, a denial too, is an answer and no error.
    pub fn evaluate(&self, evaluate: &Evaluate) -> Result<Evaluation, EngineError> {
        self.ask(Op::Evaluate, evaluate)
    }

    /// The terms for what the question requests.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn terms(&self, evaluate: &Evaluate) -> Result<TermsAnswer, EngineError> {
        self.ask(Op::Terms, evaluate)
    }

    /// Who of these people may approve.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn eligible(&self, eligible: &Eligible) -> Result<Vec<Eligibility>, EngineError> {
        self.ask(Op::Eligible, eligible)
    }

    /// A grant as policy.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn compile(&self, compile: &Compile) -> Result<Compiled, EngineError> {
        self.ask(Op::Compile, compile)
    }

    /// What a yes would allow.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn preview(&self, preview: &Preview) -> Result<Previewed, EngineError> {
        self.ask(Op::Preview, preview)
    }

    /// The same for one grant of many that are tried on the same questions.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn preview_of(&self, previews: &Previews, grant: &Grant) -> Result<Previewed, EngineError> {
        self.answer(Op::Preview, &previews.with(grant).map_err(|error| EngineError::BadInput(error.to_string()))?)
    }

    /// What of this one person may do in Proviso itself.
    ///
    /// # Errors
    /// The codes of the boundary, a trap.
    pub fn console(&self, console: &Console) -> Result<Vec<ConsoleAnswer>, EngineError> {
        self.ask(Op::Console, console)
    }

    /// The raw boundary: canonical JSON in, canonical JSON out, refusals among the answers.
    ///
    /// # Errors
    /// A trap, or an earlier one.
    pub fn call(&self, op: i32, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        // Taken out while it runs: whatever goes wrong in between, nobody calls a broken instance again.
        let instance = self.instance.take().ok_or(EngineError::Dropped)?;
        let answer = instance.call(op, input)?;
        self.instance.replace(Some(instance));
        Ok(answer)
    }

    fn ask<I: Serialize, O: DeserializeOwned>(&self, op: Op, input: &I) -> Result<O, EngineError> {
        let input = json::to_canonical_bytes(input).map_err(|error| EngineError::BadInput(error.to_string()))?;
        self.answer(op, &input)
    }

    fn answer<O: DeserializeOwned>(&self, op: Op, input: &[u8]) -> Result<O, EngineError> {
        let answer = self.call(op as i32, input)?;
        match serde_json::from_slice(&answer) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Error(refusal)) => Err(EngineError::Refused(refusal)),
            Err(error) => {
                self.instance.take();
                Err(EngineError::BadAnswer(error.to_string()))
            }
        }
    }
}
