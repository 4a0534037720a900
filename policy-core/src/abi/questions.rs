//! Questions as they are put to the module and written down: the grants in them are written once, and copied into each
//! question after that.
//!
//! What is written is what [`to_canonical_bytes`] writes of the same question, byte for byte.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use smol_str::SmolStr;

use super::ABI_VERSION;
use crate::grant::Grant;
use crate::json::{CanonicalError, to_canonical_bytes, write_canonical};
use crate::question::{Candidate, SealedQuestion};
use crate::shared::Shared;

/// How many texts are kept. One of a plain grant has half a kilobyte.
const MOST: usize = 4_096;
/// How long they are in all, in bytes.
const MOST_BYTES: usize = 4 << 20;
/// The longest text that is kept at all.
const LONGEST: usize = 64 << 10;

/// Writes questions, and keeps the texts of the grants that were in the last ones: bounded, and dropped as a whole when it
/// is full.
#[derive(Debug, Default)]
pub struct Questions(RwLock<Texts>);

#[derive(Debug, Default)]
struct Texts {
    by_id: BTreeMap<SmolStr, (Shared<Grant>, Arc<[u8]>)>,
    bytes: usize,
}

impl Questions {
    /// The input that puts a question to the module.
    ///
    /// # Errors
    /// When a part has no canonical form.
    pub fn input(&self, question: &SealedQuestion) -> Result<Vec<u8>, CanonicalError> {
        let mut members = Members::new(b"{\"question\":");
        self.write(question, &mut members)?;
        members.bytes.extend_from_slice(b",\"v\":");
        write_canonical(&ABI_VERSION, &mut members.bytes)?;
        members.bytes.push(b'}');
        Ok(members.bytes)
    }

    /// A question as it is written down.
    ///
    /// # Errors
    /// When a part has no canonical form.
    pub fn question(&self, question: &SealedQuestion) -> Result<Vec<u8>, CanonicalError> {
        let mut members = Members::new(b"");
        self.write(question, &mut members)?;
        Ok(members.bytes)
    }

    /// The members of a question in the order of their names. One that is missing here does not compile.
    fn write(&self, question: &SealedQuestion, members: &mut Members) -> Result<(), CanonicalError> {
        let SealedQuestion {
            v,
            purpose,
            bundle,
            now,
            call,
            task,
            chain,
            enforcement_point,
            bound,
            vouched,
            context,
            entities,
            claimed,
            candidates,
            locks,
            requested,
        } = question;
        members.open();
        if *bound {
            members.member("bound", bound)?;
        }
        members.member("bundle", bundle)?;
        members.member("call", call)?;
        members.name("candidates");
        self.candidates(candidates, members)?;
        members.member("chain", chain)?;
        if !claimed.is_empty() {
            members.member("claimed", claimed)?;
        }
        members.member("context", context)?;
        if let Some(enforcement_point) = enforcement_point {
            members.member("enforcement_point", enforcement_point)?;
        }
        members.member("entities", entities)?;
        members.member("locks", locks)?;
        members.member("now", now)?;
        members.member("purpose", purpose)?;
        members.member("requested", requested)?;
        members.member("task", task)?;
        members.member("v", v)?;
        if *vouched {
            members.member("vouched", vouched)?;
        }
        members.close();
        Ok(())
    }

    fn candidates(&self, candidates: &[Candidate], members: &mut Members) -> Result<(), CanonicalError> {
        members.bytes.push(b'[');
        for (position, candidate) in candidates.iter().enumerate() {
            if position > 0 {
                members.bytes.push(b',');
            }
            let Candidate { grant, uses_left, budgets_left, rate_left } = candidate;
            members.open();
            if !budgets_left.is_empty() {
                members.member("budgets_left", budgets_left)?;
            }
            members.name("grant");
            self.grant(grant, &mut members.bytes)?;
            if let Some(rate_left) = rate_left {
                members.member("rate_left", rate_left)?;
            }
            members.member("uses_left", uses_left)?;
            members.close();
        }
        members.bytes.push(b']');
        Ok(())
    }

    fn grant(&self, grant: &Shared<Grant>, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
        {
            let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
            // INVARIANT (R3): the text of this very grant, whatever else has its id.
            if let Some((_, text)) = texts.by_id.get(&grant.id).filter(|(kept, _)| kept == grant) {
                bytes.extend_from_slice(text);
                return Ok(());
            }
        }
        let text: Arc<[u8]> = to_canonical_bytes(grant)?.into();
        bytes.extend_from_slice(&text);
        self.0.write().unwrap_or_else(PoisonError::into_inner).keep(grant, text);
        Ok(())
    }
}

impl Texts {
    fn keep(&mut self, grant: &Shared<Grant>, text: Arc<[u8]>) {
        if text.len() > LONGEST {
            return;
        }
        if self.by_id.len() >= MOST || self.bytes.saturating_add(text.len()) > MOST_BYTES {
            *self = Self::default();
        }
        // Another grant of the same id takes its place, and the bytes of both count until all is dropped.
        self.bytes = self.bytes.saturating_add(text.len());
        self.by_id.insert(grant.id.clone(), (grant.clone(), text));
    }
}

/// Bytes, and whether a member stands before the next one.
struct Members {
    bytes: Vec<u8>,
    begun: bool,
}

impl Members {
    fn new(head: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(4_096);
        bytes.extend_from_slice(head);
        Self { bytes, begun: false }
    }

    fn open(&mut self) {
        self.bytes.push(b'{');
        self.begun = false;
    }

    fn close(&mut self) {
        self.bytes.push(b'}');
        self.begun = true;
    }

    /// A name that is written as it is.
    fn name(&mut self, name: &str) {
        self.bytes.extend_from_slice(if self.begun { b",\"" } else { b"\"" });
        self.begun = true;
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), CanonicalError> {
        self.name(name);
        write_canonical(value, &mut self.bytes)
    }
}

#[cfg(test)]
mod tests;
