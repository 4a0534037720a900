//! The module's boundary: bytes in, bytes out. Total: bad input is an answer, never a trap.

mod sent;

use std::sync::Arc;

use policy_core::abi::{
    ABI_VERSION, AbiError, Answer, Compile, Console, Eligible, Evaluate, Load, Loaded, Op, Preview,
};
use policy_core::digest::Digest;
use policy_core::json::{Limits, ReadError, read_as, to_canonical_bytes};
use policy_core::outcome::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::evaluate::Asked;
use crate::kept::Recorded;
use crate::{Rules, compile, console, eligible, evaluate, preview, terms};

/// The largest input, in bytes.
pub const LARGEST_INPUT: usize = 4 << 20;
/// How deep an input may nest: a tagged value takes two levels for each level of the arguments, which are at most 32.
pub const DEEPEST_INPUT: usize = 80;

/// What a grant is tried on, and its recorded denials where they are kept apart.
type Trial = (Preview, Option<Arc<[Recorded]>>);

/// One instance's state: the bundle that it holds.
#[derive(Debug, Default)]
pub struct Instance {
    rules: Option<Rules>,
}

impl Instance {
    /// An instance that holds no bundle.
    pub const fn new() -> Self {
        Self { rules: None }
    }

    /// Answers one call. `op` is a number of [`Op`], `input` its canonical JSON.
    pub fn call(&mut self, op: i32, input: &[u8]) -> Vec<u8> {
        match self.answer(op, input) {
            Ok(bytes) => bytes,
            Err(error) => bytes(&Answer::<()>::Error(error)).unwrap_or_else(|_| FALLBACK.to_vec()),
        }
    }

    fn answer(&mut self, op: i32, input: &[u8]) -> Result<Vec<u8>, AbiError> {
        let op = Op::ALL
            .into_iter()
            .find(|known| *known as i32 == op)
            .ok_or_else(|| error("unknown_op", "there is no operation of that number"))?;
        match op {
            Op::Load => ok(&self.load(&read::<Load>(input)?)?),
            Op::Evaluate => {
                // Where its text is plain, entities and candidates are kept by theirs.
                if let Some(apart) = self.rules.as_ref().and_then(|rules| sent::read(rules, input)) {
                    let rules = self.rules(apart.v, apart.bundle())?;
                    return ok(&evaluate::evaluate_with(rules, apart.asked()));
                }
                let input: Evaluate = read(input)?;
                let rules = self.rules(input.v, &input.question.bundle)?;
                ok(&evaluate::evaluate_with(rules, Asked::whole(&input.question)))
            }
            Op::Terms => {
                let input: Evaluate = read(input)?;
                let rules = self.rules(input.v, &input.question.bundle)?;
                ok(&terms::terms(rules, &input.question).map_err(misfit)?)
            }
            Op::Eligible => {
                let input: Eligible = read(input)?;
                let rules = self.rules(input.v, &input.question.bundle)?;
                ok(&eligible::eligible(rules, &input).map_err(misfit)?)
            }
            Op::Compile => {
                let input: Compile = read(input)?;
                let rules = self.rules.as_ref().ok_or_else(not_loaded)?;
                version(input.v)?;
                ok(&compile::compile(rules, &input.grant).map_err(|refusal| error("bad_grant", refusal.to_string()))?)
            }
            Op::Preview => {
                let (input, others) = self.trial(input)?;
                let rules = self.rules(input.v, &input.question.bundle)?;
                ok(&match others {
                    Some(others) => preview::preview_over(rules, &input, &others)?,
                    None => preview::preview(rules, &input)?,
                })
            }
            Op::Console => {
                let input: Console = read(input)?;
                let rules = self.rules(input.v, &input.bundle)?;
                ok(&console::console(rules, &input).map_err(misfit)?)
            }
        }
    }

    fn load(&mut self, input: &Load) -> Result<Loaded, AbiError> {
        version(input.v)?;
        // INVARIANT (R8): a bundle that does not load leaves none behind.
        self.rules = None;
        let rules = Rules::read(&input.files, input.bundle).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            error("bad_bundle", errors.join("; "))
        })?;
        rules.kept.moments.warm_up();
        let loaded = Loaded { bundle: input.bundle, policies: rules.policy_count() };
        self.rules = Some(rules);
        Ok(loaded)
    }

    /// What a grant is tried on, with the recorded denials apart where their text is plain: they are kept by it.
    fn trial(&self, input: &[u8]) -> Result<Trial, AbiError> {
        match self.rules.as_ref().and_then(|rules| sent::read_trial(rules, input)) {
            Some((input, others)) => Ok((input, Some(others))),
            None => Ok((read(input)?, None)),
        }
    }

    fn rules(&self, v: u32, bundle: &Digest) -> Result<&Rules, AbiError> {
        version(v)?;
        let rules = self.rules.as_ref().ok_or_else(not_loaded)?;
        if rules.digest == *bundle {
            Ok(rules)
        } else {
            Err(error("wrong_bundle", "the question names another bundle than the instance holds"))
        }
    }
}

/// What is answered when even an error cannot be written.
const FALLBACK: &[u8] = br#"{"error":{"code":"bad_input","message":"the answer has no canonical form"}}"#;

fn error(code: &str, message: impl Into<String>) -> AbiError {
    AbiError { code: code.to_owned(), message: message.into() }
}

fn not_loaded() -> AbiError {
    error("not_loaded", "the instance holds no bundle")
}

fn misfit(reason: Reason) -> AbiError {
    let reason =
        to_canonical_bytes(&reason).map(|bytes| String::from_utf8_lossy(&bytes).replace('"', "")).unwrap_or_default();
    error("bad_input", format!("the question does not fit the bundle: {reason}"))
}

fn version(v: u32) -> Result<(), AbiError> {
    if v == ABI_VERSION {
        Ok(())
    } else {
        Err(error("unknown_version", format!("this module speaks version {ABI_VERSION}")))
    }
}

const LIMITS: Limits = Limits { max_bytes: LARGEST_INPUT, max_depth: DEEPEST_INPUT };

fn read<T: DeserializeOwned>(input: &[u8]) -> Result<T, AbiError> {
    read_as(input, LIMITS).map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &ReadError) -> AbiError {
    let code = match refusal.code() {
        code @ ("too_large" | "too_deep") => code,
        _ => "bad_input",
    };
    error(code, refusal.to_string())
}

fn ok<T: Serialize>(answer: &T) -> Result<Vec<u8>, AbiError> {
    bytes(&Answer::Ok(answer))
}

fn bytes<T: Serialize>(answer: &Answer<T>) -> Result<Vec<u8>, AbiError> {
    to_canonical_bytes(answer).map_err(|refusal| error("bad_input", refusal.to_string()))
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
