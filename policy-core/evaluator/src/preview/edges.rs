//! The edge of a grant in each dimension: the largest call that passes and the nearest that does not, both tried.

use policy_core::abi::Edge;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Grant, ResourceScope, Scalar, Test};
use policy_core::question::{Candidate, SealedQuestion};
use policy_core::text::visible;
use policy_core::time::Timestamp;
use policy_core::value::Value;

use crate::Rules;

/// What is put behind a text to make it another one.
const OTHER: &str = "-other";
/// How much of a value an edge shows, in characters.
const LONGEST: usize = 200;

struct Trial<'a> {
    rules: &'a Rules,
    question: &'a SealedQuestion,
    grant: &'a Grant,
    edges: Vec<Edge>,
}

/// A variation of the question in words, and as it is asked.
type Variation = (String, SealedQuestion);

pub(super) fn edges(rules: &Rules, question: &SealedQuestion, grant: &Grant) -> Vec<Edge> {
    let mut trial = Trial { rules, question, grant, edges: Vec::new() };
    trial.subject_and_task();
    trial.resource();
    trial.arguments();
    trial.time();
    trial.uses();
    trial.edges
}

impl Trial<'_> {
    fn push(&mut self, dimension: &str, passes: Variation, fails: Variation) {
        let unused = super::unused(self.grant);
        self.push_with(dimension, (passes, unused.clone()), (fails, unused));
    }

    fn push_with(&mut self, dimension: &str, passes: (Variation, Candidate), fails: (Variation, Candidate)) {
        let ((passes, passing), passes_with) = passes;
        let ((fails, failing), fails_with) = fails;
        self.edges.push(Edge {
            dimension: dimension.to_owned(),
            passes: visible(&passes, LONGEST),
            passes_outcome: super::alone(self.rules, passing, passes_with),
            fails: visible(&fails, LONGEST),
            fails_outcome: super::alone(self.rules, failing, fails_with),
        });
    }

    fn same(&self) -> SealedQuestion {
        self.question.clone()
    }

    fn subject_and_task(&mut self) {
        let subject = self.question.call.subject.clone();
        let other = other_than(&subject);
        let mut question = self.same();
        rename(&mut question, &subject, &other);
        question.call.subject = other.clone();
        self.push("subject", (subject.to_string(), self.same()), (other.to_string(), question));
        let (task, other) = (self.question.task.clone(), format!("{}{OTHER}", self.question.task));
        let mut question = self.same();
        question.task.clone_from(&other);
        if let Some(told) = question.context.get_mut("task") {
            *told = Value::String(other.clone());
        }
        self.push("task", (task, self.same()), (other, question));
    }

    fn resource(&mut self) {
        let asked = self.question.call.resources.clone();
        let Some(first) = asked.first() else { return };
        let largest = match &self.grant.scope.resource {
            ResourceScope::Is(_) => first.clone(),
            ResourceScope::In(_) => self.grant.members.last().unwrap_or(first).clone(),
        };
        let other = other_than(&largest);
        let moved = |to: &EntityRef| {
            let mut question = self.same();
            rename(&mut question, first, to);
            if let Some(resource) = question.call.resources.first_mut() {
                *resource = to.clone();
            }
            question
        };
        let (passes, fails) = (moved(&largest), moved(&other));
        self.push("resource", (largest.to_string(), passes), (other.to_string(), fails));
    }

    fn arguments(&mut self) {
        match self.grant.scope.arguments.clone() {
            ArgumentScope::Exact => {
                let mut question = self.same();
                // Any other digest stands for any other arguments.
                sign(&mut question, Digest::of(self.question.call.input_digest.as_bytes()));
                self.push(
                    "input",
                    ("the same arguments".into(), self.same()),
                    ("any other arguments".into(), question),
                );
            }
            ArgumentScope::Conditions(conditions) => {
                for condition in conditions {
                    let Some((passes, fails)) = edge_of(&condition.test) else { continue };
                    let dimension = format!("input.{}", condition.at.join("."));
                    let changed = |scalar: &Scalar| (words(scalar), self.with_argument(&condition.at, scalar));
                    let (passes, fails) = (changed(&passes), changed(&fails));
                    self.push(&dimension, passes, fails);
                }
            }
        }
    }

    /// The question with one argument changed. An argument that is not there stays away.
    fn with_argument(&self, at: &[String], scalar: &Scalar) -> SealedQuestion {
        let mut question = self.same();
        let mut place = question.call.input.as_mut();
        for name in at {
            place = match place {
                Some(Value::Record(members)) => members.get_mut(name),
                _ => None,
            };
        }
        if let Some(place) = place {
            *place = match scalar {
                Scalar::Bool(bool) => Value::Bool(*bool),
                Scalar::Long(long) => Value::Long(*long),
                Scalar::String(text) => Value::String(text.clone()),
                Scalar::Entity(uid) => Value::Entity(uid.clone()),
            };
        }
        let digest = Digest::of_json(&question.call.input);
        sign(&mut question, digest.unwrap_or_else(|_| Digest::of(b"changed")));
        question
    }

    fn time(&mut self) {
        let end = self.grant.scope.not_after;
        let last = Timestamp::from_millis(end.millis().saturating_sub(1));
        let told = |instant: Timestamp| (instant.to_string(), super::at(self.question, instant));
        let (passes, fails) = (told(last), told(end));
        self.push("time", passes, fails);
    }

    fn uses(&mut self) {
        let uses = self.grant.scope.max_uses;
        let used = |uses_left: u32| Candidate { uses_left, ..super::unused(self.grant) };
        let passes = ((format!("use {uses} of {uses}"), self.same()), used(1));
        let fails = ((format!("use {} of {uses}", u64::from(uses) + 1), self.same()), used(0));
        self.push_with("uses", passes, fails);
    }
}

/// The largest value that meets a test, and the nearest that does not. None where every value meets it.
fn edge_of(test: &Test) -> Option<(Scalar, Scalar)> {
    let text = |text: String| Scalar::String(text);
    match test {
        Test::Equals { value } => Some((value.clone(), next(value, std::slice::from_ref(value))?)),
        Test::OneOf { values } => {
            let last = values.last()?;
            Some((last.clone(), next(last, values)?))
        }
        Test::Between { max, .. } => Some((Scalar::Long(*max), Scalar::Long(max.checked_add(1)?))),
        Test::Inside { path } if path == "/" => None,
        Test::Inside { path } => Some((text(format!("{path}/any-file")), text(format!("{path}{OTHER}/any-file")))),
    }
}

/// A value of the same type that is none of these.
fn next(value: &Scalar, taken: &[Scalar]) -> Option<Scalar> {
    let mut next = value.clone();
    for _ in 0..=taken.len() {
        next = match next {
            Scalar::Bool(bool) => Scalar::Bool(!bool),
            Scalar::Long(long) => Scalar::Long(long.checked_add(1)?),
            Scalar::String(text) => Scalar::String(format!("{text}{OTHER}")),
            Scalar::Entity(uid) => Scalar::Entity(other_than(&uid)),
        };
        if !taken.contains(&next) {
            return Some(next);
        }
    }
    None
}

fn words(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(bool) => bool.to_string(),
        Scalar::Long(long) => long.to_string(),
        Scalar::String(text) => text.clone(),
        Scalar::Entity(uid) => uid.to_string(),
    }
}

fn other_than(uid: &EntityRef) -> EntityRef {
    EntityRef::new(&uid.kind, format!("{}{OTHER}", uid.id))
}

/// Gives another entity the facts of this one, so that the grant decides and not what is unknown.
fn rename(question: &mut SealedQuestion, from: &EntityRef, to: &EntityRef) {
    if question.entities.iter().any(|fact| fact.uid == *to) {
        return;
    }
    if let Some(fact) = question.entities.iter().find(|fact| fact.uid == *from) {
        let fact = policy_core::question::EntityFact { uid: to.clone(), ..fact.clone() };
        question.entities.push(fact);
        question.entities.sort_by(|a, b| a.uid.cmp(&b.uid));
    }
}

fn sign(question: &mut SealedQuestion, digest: Digest) {
    question.call.input_digest = digest;
    if let Some(told) = question.context.get_mut("input_digest") {
        *told = Value::String(digest.to_string());
    }
}
