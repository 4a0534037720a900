//! A question as it is sent, read straight from its text: entities and candidates are taken as the texts that they stand
//! in, so that those of an earlier question are known again. So are the recorded denials of a preview, all together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use policy_core::abi::Preview;
use policy_core::digest::Digest;
use policy_core::entity::Hop;
use policy_core::grant::Grant;
use policy_core::json::{Raw, read_plain};
use policy_core::question::{Call, Candidate, Lock, Purpose, Requested, SealedQuestion};
use policy_core::record::Record;
use policy_core::time::Timestamp;
use serde::Deserialize;

use super::LIMITS;
use crate::Rules;
use crate::evaluate::Asked;
use crate::kept::{Facts, Recorded};

/// [`policy_core::abi::Evaluate`], member by member.
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
    context: Record,
    #[serde(borrow)]
    entities: Raw<'a>,
    #[serde(default)]
    claimed: BTreeMap<String, serde_json::Value>,
    #[serde(borrow)]
    candidates: Raw<'a>,
    locks: Vec<Lock>,
    #[serde(borrow)]
    requested: Raw<'a>,
}

/// A question with its entities and its candidates apart: its own members hold none.
pub(super) struct Apart {
    pub(super) v: u32,
    question: SealedQuestion,
    facts: Arc<Facts>,
    candidates: Arc<Vec<Candidate>>,
}

impl Apart {
    /// As whoever evaluates has it.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { question: &self.question, facts: Some(&self.facts), candidates: &self.candidates }
    }

    pub(super) const fn bundle(&self) -> &Digest {
        &self.question.bundle
    }
}

/// Reads a question whose text is plain. What it answers is what the strict reader would: whoever gets nothing asks that.
pub(super) fn read(rules: &Rules, input: &[u8]) -> Option<Apart> {
    let seen = Seen::default();
    let Sent { v, question } = read_plain(input, LIMITS, &|rest| seen.known(rules, rest))?;
    question.apart(v, rules, &seen)
}

/// [`Preview`], member by member and in their order.
#[derive(Deserialize)]
struct Trial<'a> {
    v: u32,
    question: SealedQuestion,
    grant: Grant,
    #[serde(borrow)]
    others: Raw<'a>,
    at: Timestamp,
}

/// Reads a preview whose text is plain, the recorded denials apart: what it answers has none.
pub(super) fn read_trial(rules: &Rules, input: &[u8]) -> Option<(Preview, Arc<[Recorded]>)> {
    let Trial { at, grant, others, question, v } = read_plain(input, LIMITS, &|rest| rules.kept.denials.known(rest))?;
    let others = rules.kept.denials.of(others.0, || {
        let seen = Seen::default();
        let questions: Vec<Question<'_>> = read_plain(others.0.as_bytes(), LIMITS, &|rest| seen.known(rules, rest))?;
        questions.into_iter().map(|question| Some(question.apart(0, rules, &seen)?.whole())).collect()
    })?;
    Some((Preview { v, question, grant, others: Vec::new(), at }, others))
}

/// What was known of the texts of an input, the last of each, by where it stands there.
#[derive(Default)]
struct Seen {
    facts: RefCell<Option<(Place, Arc<Facts>)>>,
    candidates: RefCell<Option<(Place, Arc<Vec<Candidate>>)>>,
    requested: RefCell<Option<(Place, Arc<Requested>)>>,
}

type Place = (*const u8, usize);

impl Seen {
    /// How long the known text is that `rest` begins with.
    fn known(&self, rules: &Rules, rest: &str) -> Option<usize> {
        if let Some((length, known)) = rules.kept.requested.at(rest) {
            self.requested.replace(Some(((rest.as_ptr(), length), known)));
            return Some(length);
        }
        if let Some((length, known)) = rules.kept.candidates.at(rest) {
            self.candidates.replace(Some(((rest.as_ptr(), length), known)));
            return Some(length);
        }
        let (length, known) = rules.kept.facts.at(rest)?;
        self.facts.replace(Some(((rest.as_ptr(), length), known)));
        Some(length)
    }
}

/// What was known of the text that stands here.
fn here<T>(seen: &RefCell<Option<(Place, Arc<T>)>>, text: &str) -> Option<Arc<T>> {
    let seen = seen.borrow();
    let (_, known) = seen.as_ref().filter(|(place, _)| *place == (text.as_ptr(), text.len()))?;
    Some(Arc::clone(known))
}

impl Question<'_> {
    /// With its entities and its candidates by their texts.
    fn apart(self, v: u32, rules: &Rules, seen: &Seen) -> Option<Apart> {
        let facts = here(&seen.facts, self.entities.0).or_else(|| rules.kept.facts.of(rules, self.entities.0))?;
        let candidates =
            here(&seen.candidates, self.candidates.0).or_else(|| rules.kept.candidates.of(self.candidates.0))?;
        let requested =
            here(&seen.requested, self.requested.0).or_else(|| rules.kept.requested.of(self.requested.0))?;
        let question = SealedQuestion {
            v: self.v,
            purpose: self.purpose,
            bundle: self.bundle,
            now: self.now,
            call: self.call,
            task: self.task.into(),
            chain: self.chain,
            enforcement_point: self.enforcement_point.map(Into::into),
            bound: self.bound,
            vouched: self.vouched,
            context: self.context,
            entities: Vec::new(),
            claimed: self.claimed,
            candidates: Vec::new(),
            locks: self.locks,
            requested: (*requested).clone(),
        };
        Some(Apart { v, question, facts, candidates })
    }
}

impl Apart {
    /// The whole question, and its entities as they are kept.
    fn whole(self) -> (SealedQuestion, Arc<Facts>) {
        let (entities, candidates) = (self.facts.facts.clone(), (*self.candidates).clone());
        (SealedQuestion { entities, candidates, ..self.question }, self.facts)
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use policy_core::abi::{ABI_VERSION, Evaluate};
    use policy_core::entity::EntityRef;
    use policy_core::json::{read_object_as, to_canonical_bytes};
    use policy_core::question::LockTarget;
    use policy_core::value::Value;

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
        bare.context.insert("task", Value::String("t \"quoted\"".to_owned()));
        // With every member that a question may have.
        let whole = SealedQuestion {
            enforcement_point: Some("proxy".into()),
            bound: true,
            vouched: true,
            chain: vec![Hop { entity: EntityRef::new("User", "ines"), issuer: "gate".into() }],
            claimed: BTreeMap::from([("subject".to_owned(), serde_json::json!({"autonomy": 9}))]),
            locks: vec![Lock { id: "l".to_owned(), target: LockTarget::Task("t".to_owned()) }],
            ..bare.clone()
        };
        let asking = SealedQuestion {
            requested: Requested { uses: 3, sum: 5, asker: Some("Agent::b".to_owned()), ..Requested::default() },
            ..whole.clone()
        };
        for question in [bare.clone(), whole, asking, bare] {
            let bytes = to_canonical_bytes(&Evaluate { v: ABI_VERSION, question }).unwrap();
            let strict: Evaluate = read_object_as(&bytes, LIMITS, &[]).unwrap();
            for _ in 0..2 {
                let sent = read(&bundle.rules, &bytes).unwrap();
                let v = sent.v;
                let (question, facts) = sent.whole();
                assert_eq!(Evaluate { v, question }, strict);
                assert_eq!(facts.facts, strict.question.entities);
            }
        }
        assert!(read(&bundle.rules, b"{ }").is_none());
    }
}
