//! Which records an export tells of: by time, agent, approver, exception.

use std::collections::{BTreeSet, VecDeque};

use policy_core::time::Timestamp;
use serde_json::Value;

use super::told::{Told, entity};
use crate::store::Log;

/// How many evaluations of an agent are remembered, so that what is reported of them is told with them.
const MOST_EVALUATIONS: usize = 10_000;

/// What somebody wants to see. All of it has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// About this agent, as `TYPE::ID` or by its id.
    pub agent: Option<String>,
    /// What this person decided, and what came of it.
    pub approver: Option<String>,
    /// About this exception.
    pub exception: Option<String>,
}

/// [`Wanted`], with what was found out from the ledger.
#[derive(Debug, Default)]
pub struct Filter {
    wanted: Wanted,
    /// The exceptions of the agent.
    of_agent: BTreeSet<String>,
    /// The exceptions that the person acted on.
    of_approver: BTreeSet<String>,
    /// The findings that were told of: what happens to one later names neither agent nor exception.
    findings: BTreeSet<String>,
    /// The last evaluations that were told of.
    evaluations: VecDeque<String>,
}

impl Filter {
    /// Nothing is known of the ledger yet.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Whether the ledger has to be looked through before anything can be told: a vote comes after what it is about.
    pub(super) const fn looks_first(&self) -> bool {
        self.wanted.agent.is_some() || self.wanted.approver.is_some()
    }

    /// Finds out which exceptions are the agent's, and which the person acted on.
    pub(super) fn look(&mut self, told: &Told) {
        let Some(exception) = told.exception() else { return };
        if self.wanted.agent.as_deref().is_some_and(|agent| told.subject().is_some_and(|of| is(of, agent))) {
            self.of_agent.insert(exception.to_owned());
        }
        // Who asks has not decided.
        let acts = told.leaf.kind != "exception_requested";
        if acts && self.wanted.approver.as_deref().is_some_and(|person| told.is_by(|by| is(by, person))) {
            self.of_approver.insert(exception.to_owned());
        }
    }

    /// Whether a record is told.
    pub(super) fn holds(&mut self, told: &Told) -> bool {
        let at = told.leaf.at;
        let in_time =
            self.wanted.since.is_none_or(|since| at >= since) && self.wanted.until.is_none_or(|until| at < until);
        let exception = told.exception();
        let about = |wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| exception == Some(wanted));
        let goes_on = told.finding().is_some_and(|id| self.findings.contains(id));
        let of_exception = about(&self.wanted.exception) || goes_on;
        let of_agent = self.is_of_agent(told) || goes_on;
        let fits = of_exception && of_agent && self.is_of_approver(told);
        if fits && self.wanted.agent.is_some() {
            self.remember(told);
        }
        if fits && let Some(id) = told.finding().filter(|_| told.leaf.kind == "finding_opened") {
            self.findings.insert(id.to_owned());
        }
        fits && in_time
    }

    fn is_of_agent(&self, told: &Told) -> bool {
        let Some(agent) = self.wanted.agent.as_deref() else { return true };
        let of_its = told.exception().is_some_and(|exception| self.of_agent.contains(exception));
        let reported = told.text("evaluation").is_some_and(|id| self.evaluations.iter().any(|known| known == id));
        // A bundle names everybody.
        of_its || reported || (told.leaf.kind != "bundle_activated" && told.names(&|value| is_entity(value, agent)))
    }

    fn is_of_approver(&self, told: &Told) -> bool {
        let Some(person) = self.wanted.approver.as_deref() else { return true };
        let of_theirs = told.exception().is_some_and(|exception| self.of_approver.contains(exception));
        let acts = told.leaf.log == Log::Ledger.name() && told.leaf.kind != "exception_requested";
        of_theirs || (acts && told.is_by(|by| is(by, person)))
    }

    fn remember(&mut self, told: &Told) {
        let evaluation = told.decision().and_then(|decision| decision.get("evaluation")).and_then(Value::as_str);
        if let Some(evaluation) = evaluation {
            self.evaluations.push_back(evaluation.to_owned());
            if self.evaluations.len() > MOST_EVALUATIONS {
                self.evaluations.pop_front();
            }
        }
    }
}

/// Whether an entity, or a name, is the one that is meant: by `TYPE::ID` or by its id alone.
fn is(value: &Value, wanted: &str) -> bool {
    is_entity(value, wanted) || value.as_str() == Some(wanted)
}

fn is_entity(value: &Value, wanted: &str) -> bool {
    let whole = value.get("type").is_some_and(Value::is_string) && value.get("id").is_some_and(Value::is_string);
    whole && (value.get("id").and_then(Value::as_str) == Some(wanted) || entity(value) == wanted)
}
