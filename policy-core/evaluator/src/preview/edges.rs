//! The edge of a grant in each dimension: the largest call that passes, and the nearest that does not.

use policy_core::abi::Edge;
use policy_core::grant::{ArgumentScope, Condition, ResourceScope, Test};
use policy_core::outcome::Outcome;
use policy_core::question::{Candidate, SealedQuestion};
use policy_core::time::Timestamp;
use policy_core::value::Value;

use super::{Trial, vary, words};
use crate::bundle::types::Type;

/// The most edges that one preview shows.
const MOST_EDGES: usize = 64;

/// One call to try, in words of its dimension.
struct Attempt {
    words: String,
    question: SealedQuestion,
    candidate: Candidate,
}

impl Trial<'_> {
    /// Every edge, in a fixed order: who, what on, with which arguments, when, how often.
    pub(super) fn edges(&self, question: &SealedQuestion) -> Vec<Edge> {
        let mut edges = vec![
            self.edge(
                "task",
                self.as_is(question, &question.task),
                [self.with("another task", vary::other_task(question))],
            ),
            self.subject(question),
        ];
        edges.extend(self.resource(question));
        match &self.candidate.grant.scope.arguments {
            ArgumentScope::Exact => edges.extend(self.exact(question)),
            ArgumentScope::Conditions(conditions) => {
                edges.extend(conditions.iter().filter_map(|condition| self.condition(question, condition)));
                edges.extend(self.open_arguments(question, conditions));
                edges.extend(self.added_arguments(question));
            }
        }
        edges.truncate(MOST_EDGES);
        edges.extend([self.time(question), self.uses(question)]);
        edges.extend(self.budgets(question));
        edges
    }

    fn with(&self, words: impl Into<String>, question: SealedQuestion) -> Attempt {
        Attempt { words: words.into(), question, candidate: self.candidate.clone() }
    }

    /// The call that is asked for.
    fn as_is(&self, question: &SealedQuestion, words: &str) -> Attempt {
        self.with(policy_core::text::visible(words, 200), question.clone())
    }

    fn outcome(&self, attempt: &Attempt) -> Outcome {
        self.ask(&attempt.question, &attempt.candidate).outcome
    }

    /// Tries both sides. Of several neighbours the first that does not pass is the edge: a nearer one may pass for
    /// reasons of its own, by delegated scope. Where none is there or all pass, the side that fails has no words.
    fn edge(&self, dimension: impl Into<String>, passes: Attempt, fails: impl IntoIterator<Item = Attempt>) -> Edge {
        let passes_outcome = self.outcome(&passes);
        let tried = fails.into_iter().map(|attempt| (self.outcome(&attempt), attempt.words));
        let failed = tried.into_iter().find(|(outcome, _)| !outcome.permits());
        let (fails_outcome, fails) = failed.unwrap_or((passes_outcome, String::new()));
        Edge { dimension: dimension.into(), passes: passes.words, passes_outcome, fails, fails_outcome }
    }

    fn subject(&self, question: &SealedQuestion) -> Edge {
        let subject = &question.call.subject;
        let other = self.with(format!("another {}", subject.kind), vary::other_subject(question));
        self.edge("subject", self.as_is(question, &subject.to_string()), [other])
    }

    fn resource(&self, question: &SealedQuestion) -> Option<Edge> {
        let (asked, grant) = (question.call.resources.last()?, &self.candidate.grant);
        let other = vary::other_resource(question)?;
        Some(match &grant.scope.resource {
            ResourceScope::Is(_) => {
                let names: Vec<String> = question.call.resources.iter().map(ToString::to_string).collect();
                let other = self.with(format!("another {}", asked.kind), other);
                self.edge("resource", self.as_is(question, &names.join(", ")), [other])
            }
            ResourceScope::In(group) => {
                // A member that the question knows nothing of cannot be tried.
                let known = |uid: &_| question.entities.iter().any(|fact| fact.uid == *uid);
                let member = grant.members.iter().rev().find(|member| known(member)).unwrap_or(asked);
                let passes = self.with(words(&Value::Entity(member.clone())), vary::on(question, member));
                let other = self.with(format!("a {} that joins {group} later", asked.kind), other);
                self.edge("resource", passes, [other])
            }
        })
    }

    /// Exactly these arguments: each one that has a neighbour, or all as a whole.
    fn exact(&self, question: &SealedQuestion) -> Vec<Edge> {
        let members = match &question.call.input {
            Some(Value::Record(members)) => members.clone(),
            _ => Default::default(),
        };
        let edges = members.into_iter().filter_map(|(name, value)| {
            let at = [name.to_string()];
            let passes = self.with(words(&value), question.clone());
            let other = self.argument(question, &at, vary::other(&value)?)?;
            Some(self.edge(dimension(&at), passes, [other]))
        });
        let edges: Vec<Edge> = edges.collect();
        if edges.is_empty() {
            let other = self.with("any other", vary::other_arguments(question));
            return vec![self.edge("input", self.as_is(question, "exactly these arguments"), [other])];
        }
        edges
    }

    fn argument(&self, question: &SealedQuestion, at: &[String], value: Value) -> Option<Attempt> {
        let words = words(&value);
        Some(self.with(words, vary::with_argument(question, at, value)?))
    }

    fn condition(&self, question: &SealedQuestion, condition: &Condition) -> Option<Edge> {
        let at = condition.at.as_slice();
        let attempt = |value: Value| self.argument(question, at, value);
        let (passes, fails) = match &condition.test {
            Test::Equals { value } => {
                let value = vary::value(value);
                (attempt(value.clone())?, vary::other(&value).into_iter().filter_map(attempt).collect())
            }
            Test::OneOf { values } => {
                let mut values: Vec<Value> = values.iter().map(vary::value).collect();
                values.sort();
                let others = values.iter().rev().filter_map(vary::other).filter(|other| !values.contains(other));
                (attempt(values.last()?.clone())?, others.filter_map(attempt).collect())
            }
            Test::Between { min, max } => return self.between(question, at, *min, *max),
            Test::Inside { path } => {
                let asked = match vary::argument(question, at) {
                    Some(Value::String(asked)) => asked.as_str(),
                    _ => "x",
                };
                let file = |folder: &str| vary::file_in(folder, asked).map(Value::String).and_then(attempt);
                // The neighbour whose name only begins like the folder's, then the folder around it.
                let around = vary::parent(path).map(|parent| [format!("{path}-other"), parent.to_owned()]);
                let fails = around.iter().flatten().filter_map(|folder| file(folder)).collect::<Vec<_>>();
                (file(path)?, fails)
            }
        };
        Some(self.edge(dimension(at), passes, fails))
    }

    /// The largest number that passes: the upper end, or where a budget or a guardrail ends it before.
    fn between(&self, question: &SealedQuestion, at: &[String], min: i64, max: i64) -> Option<Edge> {
        let attempt = |number: i64| self.argument(question, at, Value::Long(number));
        let passes = |number: i64| attempt(number).is_some_and(|attempt| self.outcome(&attempt).permits());
        let mut largest = max;
        if !passes(max) {
            let asked = match vary::argument(question, at) {
                Some(Value::Long(asked)) if (min..=max).contains(asked) => *asked,
                _ => min,
            };
            // Halving between a number that passes and one that does not.
            let (mut good, mut bad) = (asked, max);
            while bad.saturating_sub(good) > 1 {
                let middle = good.saturating_add(bad.saturating_sub(good) / 2);
                if passes(middle) { good = middle } else { bad = middle }
            }
            largest = good;
        }
        let next = largest.checked_add(1).and_then(attempt);
        Some(self.edge(dimension(at), attempt(largest)?, next))
    }

    /// Arguments of the approved call that no condition names: anything passes.
    fn open_arguments(&self, question: &SealedQuestion, conditions: &[Condition]) -> Vec<Edge> {
        let named = |at: &[String]| conditions.iter().any(|condition| condition.at.first() == at.first());
        let edges = self.candidate.grant.input_names.iter().filter_map(|name| {
            let at = [name.to_string()];
            let other = vary::other(vary::argument(question, &at)?).filter(|_| !named(&at))?;
            let mut attempt = self.argument(question, &at, other)?;
            attempt.words = format!("anything, such as {}", attempt.words);
            Some(self.edge(dimension(&at), attempt, []))
        });
        edges.collect()
    }

    /// Arguments that the approved call did not have: none may be added.
    fn added_arguments(&self, question: &SealedQuestion) -> Vec<Edge> {
        let declared = self.rules.actions.get(question.call.action.as_str()).and_then(|action| action.input());
        let absent = declared
            .into_iter()
            .flatten()
            .filter(|(name, _)| !self.candidate.grant.input_names.iter().any(|held| held == name.as_str()));
        let edges = absent.filter_map(|(name, member)| {
            let value = match &member.of {
                Type::Bool => Value::Bool(true),
                Type::Long => Value::Long(0),
                Type::String => Value::String("/".to_owned()),
                _ => return None,
            };
            let at = [name.to_string()];
            let mut added = self.argument(question, &at, value)?;
            added.words = "given".to_owned();
            Some(self.edge(dimension(&at), self.as_is(question, "not given"), [added]))
        });
        edges.collect()
    }

    fn time(&self, question: &SealedQuestion) -> Edge {
        let end = self.candidate.grant.scope.not_after;
        let last = Timestamp::from_millis(end.millis().saturating_sub(1));
        // When the last vote will land nobody knows: where the length ends the grant, no instant is told.
        let (passes, fails) = match self.lasts {
            Some(length) => (format!("just before {length} from its start"), format!("{length} from its start")),
            None => (last.to_string(), end.to_string()),
        };
        self.edge(
            "time",
            self.with(passes, vary::at_time(question, last)),
            [self.with(fails, vary::at_time(question, end))],
        )
    }

    fn uses(&self, question: &SealedQuestion) -> Edge {
        let most = self.candidate.grant.scope.max_uses;
        let with = |left: u32, number: u64| Attempt {
            words: format!("use {number}"),
            question: question.clone(),
            candidate: Candidate { uses_left: left, ..self.candidate.clone() },
        };
        self.edge("uses", with(1, u64::from(most)), [with(0, u64::from(most) + 1)])
    }

    /// What is left of a budget is just enough for the call, or one too little.
    fn budgets(&self, question: &SealedQuestion) -> Vec<Edge> {
        let budgets = self.candidate.grant.scope.budgets.iter().enumerate();
        let edges = budgets.filter_map(|(position, budget)| {
            let Some(Value::Long(amount)) = vary::argument(question, &budget.at) else { return None };
            let with = |left: i64, sum: i64| {
                let mut candidate = self.candidate.clone();
                if let Some(budget) = candidate.budgets_left.get_mut(position) {
                    *budget = left;
                }
                Attempt { words: format!("{sum} in all"), question: question.clone(), candidate }
            };
            let over = with(amount.checked_sub(1)?, budget.max.checked_add(1)?);
            Some(self.edge(format!("sum of {}", dimension(&budget.at)), with(*amount, budget.max), [over]))
        });
        edges.collect()
    }
}

fn dimension(at: &[String]) -> String {
    format!("input.{}", at.join("."))
}
