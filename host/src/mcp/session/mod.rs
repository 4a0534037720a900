//! The proxy as a state machine: messages and the gate's answers in, actions out. No I/O and no clock.
//!
//! INVARIANT (R3): a gated call leaves as the canonical bytes whose digest the gate judged, and nothing reads them again
//! on the way. INVARIANT (R8): whatever does not fit goes nowhere.

mod approvals;
mod call;
mod client;
mod errand;
mod exchange;
mod gated;
mod listing;
mod standing;
mod state;
mod stopping;
mod types;
mod upstream;
mod wanted;

use std::collections::{BTreeMap, VecDeque};

use policy_core::digest::Digest;
use proviso_api::operations::{ExecutionPhase, ExecutionReport};

use super::catalog::Catalog;
use super::sentences::Failure;
use approvals::Approvals;
use call::{Call, Exchange};
use state::{Answering, Asked, ErrandState, Listing, Passed, Rest, Started, Waiting};
pub use types::{Action, Answer, Ask, Config, End, Input, Side, Submission, Ticket, Told};

/// One client, one upstream.
#[derive(Debug)]
pub struct Session {
    config: Config,
    counter: u64,
    catalog: Catalog,
    /// When the list of tools was read.
    listed_at: u64,
    calls: BTreeMap<String, Call>,
    passed: BTreeMap<String, Passed>,
    errands: BTreeMap<String, ErrandState>,
    approvals: Approvals,
    /// By the request's id.
    rests: BTreeMap<String, Rest>,
    asked: BTreeMap<String, Asked>,
    /// The proxy's own repetitions of a call, to the call's key.
    continued: BTreeMap<String, String>,
    listing: Option<(String, Listing)>,
    exchanges: VecDeque<Exchange>,
    /// By the upstream's task id.
    tasks: BTreeMap<String, Started>,
    waiting: BTreeMap<Ticket, Waiting>,
    ended: bool,
    out: Vec<Action>,
}

impl Session {
    /// A new session.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            counter: 0,
            catalog: Catalog::default(),
            listed_at: 0,
            calls: BTreeMap::new(),
            passed: BTreeMap::new(),
            errands: BTreeMap::new(),
            approvals: Approvals::default(),
            rests: BTreeMap::new(),
            asked: BTreeMap::new(),
            continued: BTreeMap::new(),
            listing: None,
            exchanges: VecDeque::new(),
            tasks: BTreeMap::new(),
            waiting: BTreeMap::new(),
            ended: false,
            out: Vec::new(),
        }
    }

    /// Takes what happened at this instant of the boot clock (milliseconds), and answers what to do, in this order.
    pub fn handle(&mut self, input: Input, now: u64) -> Vec<Action> {
        if !self.ended {
            self.end_old_exchanges(now);
            self.doubt_old_list(now);
            match input {
                Input::Client(line) => self.take_from_client(&line, now),
                Input::Upstream(line) => self.take_from_upstream(&line, now),
                Input::TooLong(Side::Client, _) => self.refuse_client_line("too_large", -32600, None),
                Input::TooLong(Side::Upstream, beginning) => self.lost_upstream_line("too_large", None, &beginning),
                Input::Gate(ticket, answer) => self.take_from_gate(ticket, answer, now),
                Input::Elapsed(ticket) => self.elapsed(ticket, now),
                Input::Lost(id, code) => {
                    self.note(format!("the server gave no answer: {code}"));
                    self.lost(&id);
                }
                Input::Stopped(evaluations) => self.stopped(&evaluations.unwrap_or_default()),
                Input::UpstreamClosed => self.end(End::UpstreamClosed),
                Input::ClientClosed => self.end(End::ClientClosed),
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Whether nothing of the client's is under way.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.passed.is_empty() && self.errands.is_empty()
    }

    /// Whether the upstream works on something that could be called off.
    pub fn has_begun(&self) -> bool {
        !self.exchanges.is_empty() || self.calls.values().any(|call| call.stage != call::Stage::Listing)
    }

    /// Whether every report has its receipt.
    pub fn is_reported(&self) -> bool {
        !self.waiting.values().any(|waiting| *waiting == Waiting::Outcome)
    }

    /// After the end: takes a receipt.
    pub fn settle(&mut self, input: Input) {
        if let Input::Gate(ticket, _) | Input::Elapsed(ticket) = input {
            self.waiting.remove(&ticket);
        }
    }

    fn take_from_gate(&mut self, ticket: Ticket, answer: Result<Answer, Failure>, now: u64) {
        match self.waiting.remove(&ticket) {
            Some(Waiting::Judgement(key)) => self.judged(&key, answer, now),
            Some(Waiting::Receipt(key)) => self.announced(&key, answer, now),
            Some(Waiting::AnswerJudgement(key)) => self.answer_judged(&key, answer, now),
            Some(Waiting::AnswerReceipt(key)) => self.answer_announced(&key, answer, now),
            Some(Waiting::UpstreamJudgement(key)) => self.upstream_judged(&key, answer),
            Some(Waiting::ErrandEvaluation(key)) => self.errand_evaluated(&key, answer),
            Some(Waiting::ErrandSubmission(key)) => self.errand_submitted(&key, answer),
            Some(Waiting::ErrandStatus(key)) => self.errand_looked(&key, answer, now),
            Some(Waiting::ErrandAnswer(key)) => self.errand_answered(&key, answer),
            Some(Waiting::Outcome) => {
                if let Err(failure) = answer {
                    self.note(format!("an outcome could not be reported: {}", failure.code()));
                }
            }
            Some(Waiting::ErrandPause(_) | Waiting::Listing(_)) | None => {}
        }
    }

    fn elapsed(&mut self, ticket: Ticket, now: u64) {
        match self.waiting.remove(&ticket) {
            Some(Waiting::ErrandPause(key)) => self.look(&key, now),
            Some(Waiting::Listing(id)) => self.listing_elapsed(&id),
            _ => {}
        }
    }

    /// Ends the session: what was sent and not answered is of unknown outcome, never "not run".
    fn end(&mut self, why: End) {
        let keys: Vec<String> = self.calls.keys().cloned().collect();
        for key in keys {
            self.lose(&key);
        }
        while let Some(exchange) = self.exchanges.pop_front() {
            self.report_all(&exchange.evaluations, &exchange.call, ExecutionPhase::OutcomeUnknown, None);
        }
        self.ended = true;
        self.out.push(Action::End(why));
    }

    fn note(&mut self, text: String) {
        self.out.push(Action::Note(text));
    }

    fn say(&mut self, line: Vec<u8>) {
        self.out.push(Action::ToClient(line));
    }

    fn ask(&mut self, waiting: Waiting, ask: Ask) {
        let ticket = self.ticket(waiting);
        self.out.push(Action::Gate(ticket, ask));
    }

    fn ticket(&mut self, waiting: Waiting) -> Ticket {
        self.counter += 1;
        let ticket = Ticket(self.counter);
        self.waiting.insert(ticket, waiting);
        ticket
    }

    /// A new call id.
    fn call_id(&mut self) -> String {
        self.counter += 1;
        format!("call_{}_{}", self.config.word, self.counter)
    }

    /// An id for a request of the proxy's own.
    fn own_id(&mut self) -> String {
        self.counter += 1;
        format!("proviso_{}_{}", self.config.word, self.counter)
    }

    /// Whether a client's request with this id is under way.
    pub fn in_flight(&self, key: &str) -> bool {
        self.calls.contains_key(key) || self.passed.contains_key(key) || self.errands.contains_key(key)
    }

    /// Reports a phase of every evaluation that a call went by.
    fn report_all(&mut self, evaluations: &[String], call: &str, phase: ExecutionPhase, digest: Option<Digest>) {
        for evaluation_id in evaluations {
            let report = ExecutionReport::of_call(evaluation_id.clone(), call.to_owned(), phase, digest);
            self.ask(Waiting::Outcome, Ask::Report(report));
        }
    }
}
