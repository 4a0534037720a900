//! What is folded from a snapshot and the records behind it is what is folded from all of them, and what the gate believed
//! while it wrote them.

mod every;

use policy_core::lifecycle::Phase;
use policy_core::time::Span;
use proptest::prelude::*;
use proviso_api::operations::{ExecutionPhase, ExecutionReport};

use super::*;
use crate::app::event::DECISION;
use crate::app::state::{Entry, State};
use crate::store::verify::each_record;
use crate::store::{Log, Record};

/// What somebody does next.
#[derive(Debug, Clone)]
enum Step {
    Read,
    /// Whether it is for the folder, with three uses.
    Ask(bool),
    Approve,
    Refuse,
    Use(u8),
    Report(bool),
    Revoke,
    Lock,
    Lift,
    Later(i64),
    SetBack,
    Trust,
    SignInAndOut,
    EndTask,
    Depart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Read),
        4 => any::<bool>().prop_map(Step::Ask),
        4 => Just(Step::Approve),
        1 => Just(Step::Refuse),
        6 => (0..3u8).prop_map(Step::Use),
        3 => any::<bool>().prop_map(Step::Report),
        1 => Just(Step::Revoke),
        1 => Just(Step::Lock),
        2 => Just(Step::Lift),
        2 => (1..1_500i64).prop_map(Step::Later),
        1 => Just(Step::SetBack),
        2 => Just(Step::Trust),
        1 => Just(Step::SignInAndOut),
        1 => Just(Step::EndTask),
        1 => Just(Step::Depart),
    ]
}

/// What was done until now.
struct Played {
    gate: Gate,
    caller: Caller,
    requests: Vec<String>,
    allowed: Option<(String, String)>,
    locks: Vec<String>,
    calls: u32,
}

impl Played {
    async fn begin() -> Self {
        let gate = Gate::start().await;
        let caller = caller(&gate.app).await;
        Self { gate, caller, requests: Vec::new(), allowed: None, locks: Vec::new(), calls: 0 }
    }

    /// Does it, where it can be done.
    async fn step(&mut self, step: &Step) {
        let (app, caller) = (&self.gate.app, &self.caller);
        let path = "/srv/files/reports/q3.md";
        self.calls += 1;
        let call = format!("c{}", self.calls);
        match step {
            Step::Read => {
                caller.evaluate(app, tool("read_file", "/srv/files/a.md", &call)).await;
            }
            Step::Ask(wide) => {
                let body = tool("write_file", path, &call);
                let denied = caller.evaluate(app, body.clone()).await;
                if denied.context.access_request.is_some() {
                    let folder = wide.then_some("/srv/files/reports");
                    self.requests.extend(caller.ask_for(app, &body, &denied, folder).await);
                }
            }
            Step::Approve | Step::Refuse => {
                let Some(id) = self.requests.last().cloned() else { return };
                let mara = person(app, "mara").await;
                let open =
                    |entry: &Entry| entry.exception.phase == Phase::Requested && !entry.exception.is_over(app.now());
                if !app.state().exceptions.get(&id).is_some_and(open) {
                    return;
                }
                let decision = if matches!(step, Step::Approve) { VoteDecision::Approve } else { VoteDecision::Refuse };
                let vote = ballot(app, &mara, &id, decision, None).await;
                let _ = app.vote(&mara, &id, unsigned(vote)).await;
            }
            Step::Use(again) => {
                // Sometimes the very same call.
                let call = if *again == 0 { "same".to_owned() } else { call };
                let reply = caller.write(app, path, &call).await;
                if reply.decision {
                    self.allowed = Some((reply.context.evaluation_id, call));
                }
            }
            Step::Report(ended) => {
                let Some((evaluation, call)) = self.allowed.clone() else { return };
                let phase = if *ended { ExecutionPhase::Executed } else { ExecutionPhase::Sending };
                let report = ExecutionReport::of_call(evaluation, call, phase, None);
                let _ = app.report_execution(&caller.point, report).await;
            }
            Step::Revoke => {
                let grant = app.state().grants.keys().next_back().cloned();
                let mara = person(app, "mara").await;
                if let Some(grant) = grant {
                    let _ = app.revoke(&mara, &grant, "no longer").await;
                }
            }
            Step::Lock => {
                let ola = person(app, "ola").await;
                let locked = lock(app, &ola, LockTarget::Subject(EntityRef::new("Agent", WRITER))).await;
                self.locks.extend(locked.map(|locked| locked.id));
            }
            Step::Lift => {
                let ola = person(app, "ola").await;
                if let Some(id) = self.locks.pop() {
                    let _ = app.unlock(&ola, &id, None).await;
                }
            }
            Step::Later(seconds) => self.gate.clock.advance(*seconds),
            Step::SetBack => self.gate.clock.shift(-40_000, 0),
            Step::Trust => app.trust_clock(&ROOT, "the time server was wrong").await.unwrap(),
            Step::SignInAndOut => {
                let jun = person(app, "jun").await;
                app.sign_out(&jun).await.unwrap();
            }
            Step::EndTask => drop(app.end_task_as(&ROOT, "another", "it is done").await),
            Step::Depart => {
                let _ = app.departed(&ROOT, "vera", "left").await;
                let _ = app.returned(&ROOT, "vera", "is back").await;
            }
        }
    }
}

/// All records of a data folder, the ledger's first.
fn records(app: &App) -> [Vec<Record>; 2] {
    let (mut ledger, mut decisions) = (Vec::new(), Vec::new());
    each_record(&app.settings().data, &mut |record| {
        match record.log {
            Log::Ledger => ledger.push(record.clone()),
            Log::Decisions => decisions.push(record.clone()),
        }
        Ok(())
    })
    .unwrap();
    [ledger, decisions]
}

fn fold(state: &mut State, records: &[Record]) {
    for record in records {
        state.apply(record).unwrap();
    }
}

/// The form as text, to be read where two differ.
fn form(state: &mut State) -> String {
    String::from_utf8(state.form().unwrap()).unwrap()
}

/// A decision so long after these that none of them is remembered any more.
fn much_later(decisions: &[Record]) -> Option<Record> {
    let last = decisions.last()?;
    let mut later = decisions.iter().rfind(|record| record.payload(DECISION).is_some())?.clone();
    (later.leaf.seq, later.leaf.at) = (last.leaf.seq + 1, last.leaf.at.plus(Span::from_seconds(90 * 86_400)));
    let (_, payload) = later.payloads.iter_mut().find(|(name, _)| name == DECISION).unwrap();
    let mut decision: Value = serde_json::from_slice(payload).unwrap();
    decision["evaluation"] = json!("eval_much_later");
    *payload = serde_json::to_vec(&decision).unwrap();
    Some(later)
}

/// What is believed behind that.
fn forgotten(mut state: State, later: Option<&Record>) -> String {
    fold(&mut state, later.map_or(&[], std::slice::from_ref));
    assert!(later.is_none() || state.denials.len() <= 1, "{:?}", state.denials);
    form(&mut state)
}

/// Holds every cut of a history against all of it.
fn hold_every_cut(app: &App) {
    let [ledger, decisions] = records(app);
    let later = much_later(&decisions);
    let mut whole = State::new(1);
    fold(&mut whole, &ledger);
    fold(&mut whole, &decisions);
    let whole_later = forgotten(whole.clone(), later.as_ref());
    let whole = form(&mut whole);
    // What the gate believes came record by record as they were written.
    assert_eq!(form(&mut app.state().clone()), whole, "as the gate believes");
    assert_eq!(form(&mut State::of_form(7, whole.as_bytes()).unwrap()), whole, "written and read");
    // Every place where a head may have been signed: so many of the ledger, and the decisions that came with them.
    let mut cut = (0, 0);
    loop {
        let (before, behind) = (ledger.split_at(cut.0), decisions.split_at(cut.1));
        let mut state = State::new(1);
        fold(&mut state, before.0);
        fold(&mut state, behind.0);
        let snapshot = form(&mut state);
        let mut resumed = State::of_form(1, snapshot.as_bytes()).unwrap();
        assert_eq!(form(&mut resumed), snapshot, "{cut:?}");
        fold(&mut resumed, before.1);
        fold(&mut resumed, behind.1);
        assert_eq!(form(&mut resumed), whole, "cut at {cut:?}");
        assert_eq!(forgotten(resumed, later.as_ref()), whole_later, "cut at {cut:?}, much later");
        cut = match decisions.get(cut.1) {
            Some(next) if next.leaf.after.unwrap() <= cut.0 as u64 => (cut.0, cut.1 + 1),
            _ if cut.0 < ledger.len() => (cut.0 + 1, cut.1),
            _ => return,
        };
    }
}

fn played(steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut played = Played::begin().await;
        for step in steps {
            played.step(step).await;
        }
        hold_every_cut(&played.gate.app);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_what_came_behind_it_is_all_of_it(steps in prop::collection::vec(step(), 1..24)) {
        played(&steps);
    }
}

/// A whole story.
const STORY: [Step; 22] = [
    Step::Read,
    Step::Ask(true),
    Step::Approve,
    Step::Use(0),
    Step::Report(false),
    Step::Use(0),
    Step::Report(true),
    Step::SetBack,
    Step::Use(1),
    Step::Trust,
    Step::Use(0),
    Step::Lock,
    Step::Use(1),
    Step::Lift,
    Step::Ask(false),
    Step::Refuse,
    Step::Revoke,
    Step::Depart,
    Step::EndTask,
    Step::SignInAndOut,
    Step::Later(3_700),
    Step::Use(2),
];

#[test]
fn a_whole_story_is_the_same_cut_anywhere() {
    played(&STORY);
}
