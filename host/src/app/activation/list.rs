//! What a proposal would have changed of what was asked of late.

use std::sync::Arc;

use audit_verify::source::StoredRecord;
use policy_core::abi::{ABI_VERSION, Answer, Evaluate, Load, Op};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::outcome::{Evaluation, Reason};
use policy_core::question::SealedQuestion;
use policy_core::text;
use policy_core::time::Timestamp;
use policy_evaluator::change::{named, narrowing};
use proviso_api::activation::{AskedAgain, ChangeLine, ChangeList, ChangeSide, StepLine};

use crate::app::App;
use crate::app::engine::{Apart, EngineError, OtherModule};
use crate::app::evaluate::{denial, outcome_word};
use crate::app::inputs::of_refusal;
use crate::app::judge::NoAnswer;
use crate::app::policy::Policy;
use crate::app::refusal::Refusal;
use crate::replay::{self, Change};
use crate::store::Log;

/// How many of the newest records of decisions are put to both bundles.
const MOST_RECORDS: u64 = 2_000;
/// How many changes are listed. All are counted.
const MOST_LISTED: usize = 1_000;
/// How many questions may end without an answer before there is no list: each costs as much as a load.
const MOST_FAILED: u32 = 20;
/// How many policies are named on one side of a change, and how much of each name.
const MOST_NAMED: usize = 16;
const LONGEST_NAME: usize = 256;
/// What a module's answer may hold: of one that is only proposed no more than a decision needs.
const ANSWER: json::Limits = json::Limits { max_bytes: 1 << 20, max_depth: 120 };

impl App {
    /// The list of what a bundle changes of the active one, or another module of the one that runs. Takes seconds: call it
    /// where that holds up nobody.
    pub(super) fn change_list(
        &self,
        active: &Arc<Policy>,
        proposed: &Policy,
        other: Option<(Digest, OtherModule)>,
        now: Timestamp,
    ) -> Result<ChangeList, Refusal> {
        let (digest, module) = other.unzip();
        let span = self.newest_decisions();
        let (from, older) = (span.start, span.start > 0);
        let from = (!span.is_empty()).then_some(from);
        let mut unread = None;
        let records = span.map_while(|seq| match self.store().stored(Log::Decisions, seq) {
            Ok(record) => record,
            Err(error) => {
                unread = Some(self.unreadable(&error));
                None
            }
        });
        let activations = self.activation_records()?;
        let mut before = Trial::new(self, None, active.load())?;
        let mut after = Trial::new(self, module, proposed.load())?;
        let compared = replay::compare(
            (active.bundle(), &mut |question| before.ask(question)),
            (proposed.bundle(), &mut |question| after.ask(question)),
            &activations,
            records,
            MOST_LISTED,
        );
        if let Some(refusal) = unread {
            return Err(refusal);
        }
        if before.failed > MOST_FAILED || after.failed > MOST_FAILED {
            let detail = "the policy module gives no answer to too many recorded questions under that bundle";
            return Err(Refusal::conflict("limit", detail).help("make its policies cheaper to evaluate"));
        }
        let mut narrowing = narrowing(active.bundle(), proposed.bundle());
        // INVARIANT (R4): of another module nothing is proved.
        narrowing.proved &= digest.is_none();
        let counts = &compared.counts;
        let left_out = [&counts.by_limit, &counts.by_gate, &counts.not_evaluated].into_iter().flatten();
        let mut left_out: std::collections::BTreeMap<String, u64> =
            left_out.map(|(why, count)| (why.clone(), *count)).collect();
        for (why, count) in [("erased", counts.erased), ("not_as_recorded", counts.disagreed)] {
            if count > 0 {
                left_out.insert(why.to_owned(), count);
            }
        }
        Ok(ChangeList {
            v: 1,
            bundle: proposed.digest(),
            base: active.digest(),
            module: self.engine().module(),
            other_module: digest,
            at: now,
            asked: AskedAgain { records: counts.records, questions: counts.questions, from, older, left_out },
            counts: compared.by_kind,
            otherwise: compared.otherwise,
            changes: compared.changes.into_iter().map(line).collect(),
            narrower: narrowing.proved,
            steps: narrowing.steps.into_iter().map(step).collect(),
            named: named(active.bundle(), proposed.bundle()),
        })
    }

    /// Which records are the newest decisions.
    fn newest_decisions(&self) -> std::ops::Range<u64> {
        let heads = self.store().heads();
        let size = heads.iter().find(|head| head.log == Log::Decisions).map_or(0, |head| head.size);
        size.saturating_sub(MOST_RECORDS)..size
    }

    /// The records of all activations, each with its bundle.
    fn activation_records(&self) -> Result<Vec<StoredRecord>, Refusal> {
        let seqs: Vec<u64> = self.state().activations.iter().map(|(seq, _)| *seq).collect();
        let read = |seq| self.store().stored(Log::Ledger, seq).map_err(|error| self.unreadable(&error));
        let records: Vec<Option<StoredRecord>> = seqs.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(records.into_iter().flatten().collect())
    }
}

/// A bundle on an instance apart, of the module that runs or of another.
struct Trial<'a> {
    app: &'a App,
    module: Option<OtherModule>,
    load: Load,
    instance: Option<Box<dyn Apart>>,
    failed: u32,
}

impl<'a> Trial<'a> {
    fn new(app: &'a App, module: Option<OtherModule>, load: Load) -> Result<Self, Refusal> {
        let mut trial = Self { app, module, load, instance: None, failed: 0 };
        let instance = trial.make().map_err(|error| {
            Refusal::bad("module_unusable", format!("the policy module does not take the bundle: {error}"))
        })?;
        trial.instance = Some(instance);
        Ok(trial)
    }

    fn make(&self) -> Result<Box<dyn Apart>, EngineError> {
        match &self.module {
            Some(module) => module(&self.load),
            None => self.app.engine().apart(&self.load),
        }
    }

    /// As the gate would: what gives no answer is a denial (R8).
    fn ask(&mut self, question: &SealedQuestion) -> Evaluation {
        if self.failed > MOST_FAILED {
            return denial(Reason::Limit);
        }
        match self.answer(question) {
            Ok(answer) => match answer.terms.as_ref().and_then(|terms| self.app.cannot_check(terms)) {
                Some(_) => denial(Reason::TermsUnavailable),
                None => answer,
            },
            Err(error) => match error.refusal().and_then(of_refusal) {
                Some(answer) => answer,
                None => {
                    self.failed = self.failed.saturating_add(1);
                    self.instance = None;
                    denial(Reason::Limit)
                }
            },
        }
    }

    fn answer(&mut self, question: &SealedQuestion) -> Result<Evaluation, NoAnswer> {
        let input = Evaluate { v: ABI_VERSION, question: question.clone() };
        let input = json::to_canonical_bytes(&input).map_err(|_| NoAnswer::Unreadable)?;
        let fresh = if self.instance.is_none() { Some(self.make().map_err(NoAnswer::Engine)?) } else { None };
        let instance = match fresh {
            Some(fresh) => self.instance.insert(fresh),
            None => self.instance.as_mut().ok_or(NoAnswer::Unreadable)?,
        };
        let answer = instance.call(Op::Evaluate, &input).map_err(NoAnswer::Engine)?;
        match json::read_as::<Answer<Evaluation>>(&answer, ANSWER) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Error(error)) => Err(NoAnswer::Refused(error)),
            Err(_) => Err(NoAnswer::Unreadable),
        }
    }
}

/// INVARIANT: of what was asked the list holds no word of its own: what is erased is gone.
fn line(change: Change) -> ChangeLine {
    let side = |side: replay::Side| ChangeSide {
        outcome: outcome_word(side.outcome).to_owned(),
        reason: side.reason.code().to_owned(),
        // A module that is only proposed says what it likes.
        policies: side.policies.iter().take(MOST_NAMED).map(|policy| text::visible(policy, LONGEST_NAME)).collect(),
    };
    ChangeLine {
        kind: change.kind.words().replace(' ', "_"),
        seq: change.seq,
        before: side(change.before),
        after: side(change.after),
        call: None,
    }
}

fn step(step: policy_evaluator::change::Step) -> StepLine {
    let kind = serde_json::to_value(step.kind).ok();
    let kind = kind.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    StepLine { narrows: step.narrows, kind, of: step.of }
}
