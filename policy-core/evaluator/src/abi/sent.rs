//! A question as it is sent, read straight from its text: the entities in it are taken as the text that they stand in, so
//! that those of an earlier question are known again. So are the recorded denials of a preview, all together.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy_core::abi::{Evaluate, Preview};
use policy_core::digest::Digest;
use policy_core::entity::Hop;
use policy_core::grant::Grant;
use policy_core::json::{Limits, Raw, read_plain};
use policy_core::question::{Call, Candidate, Lock, Purpose, Requested, SealedQuestion};
use policy_core::time::Timestamp;
use policy_core::value::Value;
use serde::Deserialize;

use super::{DEEPEST_INPUT, LARGEST_INPUT};
use crate::Rules;
use crate::kept::{Facts, Recorded};

/// [`Evaluate`], member by member.
#[derive(Deserialize)]
struct Sent<'a> {
    v: u32,
    #[serde(borrow)]
    question: Question<'a>,
}

/// [`SealedQuestion`], member by member: what is missing here does not compile below.
#[derive(Deserialize)]
struct Question<'a> {
    v: u32,
    purpose: Purpose,
    bundle: Digest,
    now: Timestamp,
    call: Call,
    task: String,
    chain: Vec<Hop>,
    #[serde(default)]
    enforcement_point: Option<String>,
    #[serde(default)]
    bound: bool,
    #[serde(default)]
    vouched: bool,
    context: BTreeMap<String, Value>,
    #[serde(borrow)]
    entities: Raw<'a>,
    #[serde(default)]
    claimed: BTreeMap<String, serde_json::Value>,
    candidates: Vec<Candidate>,
    locks: Vec<Lock>,
    requested: Requested,
}

/// Reads a question whose text is plain. What it answers is what the strict reader would: whoever gets nothing asks that.
pub(super) fn read(rules: &Rules, input: &[u8]) -> Option<(Evaluate, Arc<Facts>)> {
    let limits = Limits { max_bytes: LARGEST_INPUT, max_depth: DEEPEST_INPUT };
    let Sent { v, question } = read_plain(input, limits, &|rest| rules.kept.facts.known(rest))?;
    let (question, facts) = question.sealed(rules)?;
    Some((Evaluate { v, question }, facts))
}

/// [`Preview`], member by member.
#[derive(Deserialize)]
struct Trial<'a> {
    at: Timestamp,
    grant: Grant,
    #[serde(borrow)]
    others: Raw<'a>,
    question: SealedQuestion,
    v: u32,
}

/// Reads a preview whose text is plain, the recorded denials apart: what it answers has none.
pub(super) fn read_trial(rules: &Rules, input: &[u8]) -> Option<(Preview, Arc<[Recorded]>)> {
    let limits = Limits { max_bytes: LARGEST_INPUT, max_depth: DEEPEST_INPUT };
    let Trial { at, grant, others, question, v } = read_plain(input, limits, &|rest| rules.kept.denials.known(rest))?;
    let others = rules.kept.denials.of(others.0, || {
        let known = |rest: &str| rules.kept.facts.known(rest);
        let questions: Vec<Question<'_>> = read_plain(others.0.as_bytes(), limits, &known)?;
        questions.into_iter().map(|question| question.sealed(rules)).collect()
    })?;
    Some((Preview { v, question, grant, others: Vec::new(), at }, others))
}

impl Question<'_> {
    /// As whoever evaluates has it, with its entities by their text.
    fn sealed(self, rules: &Rules) -> Option<(SealedQuestion, Arc<Facts>)> {
        let facts = rules.kept.facts.of(rules, self.entities.0)?;
        let question = SealedQuestion {
            v: self.v,
            purpose: self.purpose,
            bundle: self.bundle,
            now: self.now,
            call: self.call,
            task: self.task,
            chain: self.chain,
            enforcement_point: self.enforcement_point,
            bound: self.bound,
            vouched: self.vouched,
            context: self.context,
            entities: facts.facts.clone(),
            claimed: self.claimed,
            candidates: self.candidates,
            locks: self.locks,
            requested: self.requested,
        };
        Some((question, facts))
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use policy_core::abi::ABI_VERSION;
    use policy_core::entity::EntityRef;
    use policy_core::json::{read_as, to_canonical_bytes};
    use policy_core::question::LockTarget;

    use super::*;
    use crate::Bundle;

    #[test]
    fn a_question_is_read_as_the_strict_reader_reads_it_the_first_time_and_again() {
        let schema = "entity User, Agent, File;\naction read appliesTo { principal: [Agent], resource: [File] };\n";
        let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
        let files = [("bundle.toml", config), ("schema.cedarschema", schema)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let bundle = Bundle::accept(&files.into()).unwrap();
        let mut bare = bundle.nothing();
        bare.context.insert("task".to_owned(), Value::String("t \"quoted\"".to_owned()));
        // With every member that a question may have.
        let whole = SealedQuestion {
            enforcement_point: Some("proxy".to_owned()),
            bound: true,
            vouched: true,
            chain: vec![Hop { entity: EntityRef::new("User", "ines"), issuer: "gate".to_owned() }],
            claimed: BTreeMap::from([("subject".to_owned(), serde_json::json!({"autonomy": 9}))]),
            locks: vec![Lock { id: "l".to_owned(), target: LockTarget::Task("t".to_owned()) }],
            ..bare.clone()
        };
        for question in [bare, whole] {
            let bytes = to_canonical_bytes(&Evaluate { v: ABI_VERSION, question }).unwrap();
            let strict: Evaluate = read_as(&bytes, Limits::DEFAULT).unwrap();
            for _ in 0..2 {
                let (sent, facts) = read(&bundle.rules, &bytes).unwrap();
                assert_eq!(sent, strict);
                assert_eq!(facts.facts, strict.question.entities);
            }
        }
        assert!(read(&bundle.rules, b"{ }").is_none());
    }
}
