//! A state in which anything may happen, and what may happen in it.

use policy_core::digest::Digest;
use policy_core::grant::Grant;
use policy_core::leaf::{LEAF_VERSION, Leaf};
use policy_core::lifecycle::{Event, RequestFacts};
use policy_core::outcome::{Reason, Terms};
use policy_core::presence::Proof;
use policy_core::value::Value;
use proptest::prelude::*;
use proviso_api::ownership::Owned;
use serde_json::json;

use super::*;
use crate::app::append::canonical;
use crate::app::epoch::{EpochCause, EpochFact};
use crate::app::erasure::{Erasure, Lost};
use crate::app::evaluate::denial;
use crate::app::event::{EVENT, GateEvent, LedgerEvent, ORIGIN, RequestOrigin};
use crate::app::ownership::OwnershipEvent;
use crate::store::{Log, Record};

const BEGIN: i64 = 1_800_000_000_000;
pub const DAY: i64 = 86_400;

/// The agents: of the last one but one no bundle knows anything, and the last one was asked for under another name.
pub const AGENTS: [(&str, &str); 6] =
    [("Agent", "a"), ("Agent", "b"), ("Agent", "c"), ("Agent", "d"), ("Agent", "stranger"), ("Acme::Agent", "a")];
const PEOPLE: [&str; 3] = ["tom", "ines", "jun"];
const ACTIONS: [&str; 2] = ["post", "read"];
const TASKS: [&str; 2] = ["close", "audit"];

fn agent(index: usize) -> EntityRef {
    let (kind, id) = AGENTS[index % AGENTS.len()];
    EntityRef::new(kind, id)
}

fn user(id: &str) -> EntityRef {
    EntityRef::new("User", id)
}

/// A bundle with these owners, in the namespace `Acme` or in none. It has a dataset of an agent's id, too.
fn policy(namespace: &str, owners: &[(&str, &[&str])]) -> Policy {
    let named = |kind: &str| if namespace.is_empty() { kind.to_owned() } else { format!("{namespace}::{kind}") };
    let entity = |kind: &str, id: &str, owners: &[&str]| {
        let users = owners.iter().map(|owner| json!({"__entity": {"type": named("User"), "id": owner}}));
        let attrs = json!({"owner": users.collect::<Vec<_>>()});
        json!({"uid": {"type": named(kind), "id": id}, "attrs": attrs, "parents": []})
    };
    let mut entities = vec![entity("Dataset", "b", &["jun"])];
    entities.extend(owners.iter().map(|(id, owners)| entity("Agent", id, owners)));
    let of_people =
        PEOPLE.iter().map(|id| json!({"uid": {"type": named("User"), "id": id}, "attrs": {}, "parents": []}));
    entities.extend(of_people);
    let types = "entity User; entity Agent = { owner: Set<User> }; entity Dataset = { owner: Set<User> };
        @sum(\"rows\") action post appliesTo { principal: [Agent], resource: [Dataset],
            context: { input: { rows: Long } } };
        action read appliesTo { principal: [Agent], resource: [Dataset] };";
    let (schema, first) = match namespace {
        "" => (types.to_owned(), String::new()),
        named => (format!("namespace {named} {{ {types} }}"), format!("namespace = \"{named}\"\n")),
    };
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let files = [
        ("schema.cedarschema", schema),
        ("bundle.toml", first + config),
        ("entities.json", json!(entities).to_string()),
    ];
    Policy::accept(&files.map(|(path, text)| (path.to_owned(), text)).into()).unwrap()
}

pub fn policies() -> [Policy; 2] {
    let first: &[(&str, &[&str])] = &[("a", &["tom"]), ("b", &["ines", "tom"]), ("c", &["ines"]), ("d", &["jun"])];
    let next: &[(&str, &[&str])] = &[("a", &["ines"]), ("b", &["jun"]), ("c", &["tom"]), ("d", &["tom"])];
    [policy("", first), policy("Acme", next)]
}

/// What happens next. Numbers choose among what there is.
#[derive(Debug, Clone)]
pub enum Step {
    Ask { agent: usize, action: usize, task: usize, rows: i64, uses: u32, seconds: i64 },
    Grant(usize),
    Use(usize, i64),
    GiveBack(usize),
    Exhaust(usize),
    Revoke(usize),
    Refuse(usize),
    Suspend(usize),
    JudgeAgain(usize),
    Lapse(usize),
    Declare(usize),
    Erase(usize),
    HandOver(usize, Vec<usize>),
    Epoch,
    Later(i64),
}

pub fn step() -> impl Strategy<Value = Step> {
    let any = any::<usize>;
    let ask = (any(), 0..2usize, 0..2usize, 1..9i64, 1..4u32, 60..2 * DAY);
    let ask = ask.prop_map(|(agent, action, task, rows, uses, seconds)| Step::Ask {
        agent,
        action,
        task,
        rows,
        uses,
        seconds,
    });
    prop_oneof![
        8 => ask,
        8 => any().prop_map(Step::Grant),
        8 => (any(), 1..9i64).prop_map(|(which, rows)| Step::Use(which, rows)),
        2 => any().prop_map(Step::GiveBack),
        2 => any().prop_map(Step::Exhaust),
        1 => any().prop_map(Step::Revoke),
        1 => any().prop_map(Step::Refuse),
        2 => any().prop_map(Step::Suspend),
        1 => any().prop_map(Step::JudgeAgain),
        1 => any().prop_map(Step::Lapse),
        1 => any().prop_map(Step::Declare),
        1 => any().prop_map(Step::Erase),
        2 => (any(), prop::collection::vec(0..3usize, 0..3)).prop_map(|(agent, to)| Step::HandOver(agent, to)),
        1 => Just(Step::Epoch),
        4 => (-DAY..2 * DAY).prop_map(Step::Later),
    ]
}

/// A state with what happened in it.
pub struct World {
    pub state: State,
    pub now: Timestamp,
    asked: u32,
    /// The grants that were erased.
    pub erased: Vec<String>,
    blank: SealedQuestion,
}

impl World {
    pub fn new(policy: &Policy) -> Self {
        let blank = policy.bundle().nothing();
        Self { state: State::new(0), now: Timestamp::from_millis(BEGIN), asked: 0, erased: Vec::new(), blank }
    }

    /// Folds what can follow; what cannot changes nothing.
    fn record(&mut self, event: &LedgerEvent, origin: Option<&RequestOrigin>) {
        let mut payloads = vec![(EVENT.to_owned(), canonical(event).unwrap())];
        payloads.extend(origin.map(|origin| (ORIGIN.to_owned(), canonical(origin).unwrap())));
        let leaf = Leaf {
            v: LEAF_VERSION,
            log: Log::Ledger.name().to_owned(),
            seq: self.state.position,
            at: self.now,
            kind: event.kind(),
            stream: String::new(),
            after: None,
            outcome: None,
            policies: Vec::new(),
            module: None,
            bundle: None,
            commitments: BTreeMap::new(),
        };
        let _ = self.state.apply(&Record { log: Log::Ledger, leaf, payloads, erased: Vec::new() });
    }

    pub fn exception(&self, which: usize) -> Option<&Exception> {
        let all = &self.state.exceptions;
        all.values().nth(which.checked_rem(all.len())?).map(|entry| &entry.exception)
    }

    /// Something happens to one exception.
    fn happen(&mut self, which: usize, event: impl FnOnce(&Exception, Timestamp) -> Event) {
        let Some(exception) = self.exception(which) else { return };
        let (id, event) = (exception.request.id.clone(), Box::new(event(exception, self.now)));
        self.record(&LedgerEvent::Exception { id, event }, None);
    }

    pub fn question(&self, agent: usize, action: usize, task: usize) -> SealedQuestion {
        let mut question = self.blank.clone();
        question.call.subject = self::agent(agent);
        question.call.action = ACTIONS[action].into();
        question.call.resources = vec![EntityRef::new("Dataset", "b")];
        question.task = TASKS[task].into();
        question
    }

    pub fn ask(&mut self, mut question: SealedQuestion, rows: i64, uses: u32, seconds: u64) {
        self.asked += 1;
        // In another order than they are asked in.
        let id = format!("exc_{}{}", self.asked % 7, self.asked);
        question.call.input = Some(Value::Record([("rows".to_owned(), Value::Long(rows))].into()));
        let budget = Budget { at: vec!["rows".to_owned()], max: rows.saturating_mul(2) };
        let scope = Scope {
            resource: policy_core::grant::ResourceScope::Is(EntityRef::new("Dataset", "b")),
            arguments: ArgumentScope::Exact,
            not_before: None,
            not_after: self.now.plus(Span::from_seconds(seconds)),
            max_uses: uses,
            valid_for: None,
            rate: None,
            budgets: if rows % 2 == 0 { vec![budget] } else { Vec::new() },
        };
        let request = RequestFacts {
            id: id.clone(),
            question,
            evaluation: "eval".to_owned(),
            requester: user("ines"),
            asker: None,
            owners: Vec::new(),
            scope,
            justification: "due".to_owned(),
            emergency: false,
            renews: None,
            requested_at: self.now,
            decide_by: self.now.plus(Span::from_seconds(seconds / 2)),
        };
        let event = Event::ExceptionRequested { request: request.into(), terms: terms(), bundle: Digest::of(b"b") };
        let origin = RequestOrigin {
            credential: "token".to_owned(),
            subject_credential: None,
            build: None,
            idempotency_key: None,
            body: Digest::of(b"body"),
            refused: denial(Reason::NotPermitted),
            refused_seq: 0,
            reopens: None,
        };
        self.record(&LedgerEvent::Exception { id, event: Box::new(event) }, Some(&origin));
    }

    pub fn step(&mut self, step: &Step) {
        let (by, reason) = (user("mara"), "so".to_owned());
        match step {
            Step::Ask { agent, action, task, rows, uses, seconds } => {
                let question = self.question(*agent, *action, *task);
                self.ask(question, *rows, *uses, seconds.unsigned_abs());
            }
            Step::Grant(which) => self.happen(*which, |exception, at| Event::ExceptionGranted {
                grant: grant(exception).into(),
                at,
                counted: Vec::new(),
            }),
            Step::Use(which, rows) => self.happen(*which, |exception, at| Event::GrantUsed {
                call: "c".to_owned(),
                evaluation: format!("eval_{}", exception.phase.grant().map_or(0, |held| held.taken.len())),
                amounts: exception.phase.grant().map_or(Vec::new(), |held| vec![*rows; held.spent.len()]),
                at,
            }),
            Step::GiveBack(which) => self.happen(*which, |exception, at| {
                let taken = exception.phase.grant().and_then(|held| held.taken.last());
                let evaluation = taken.map_or_else(String::new, |taken| taken.evaluation.clone());
                Event::UseGivenBack { evaluation, by, reason, at }
            }),
            Step::Exhaust(which) => self.happen(*which, |_, at| Event::GrantExhausted { at }),
            Step::Revoke(which) => self.happen(*which, |_, at| Event::GrantRevoked { by, reason, at }),
            Step::Refuse(which) => self.happen(*which, |_, at| Event::ExceptionDenied { by, reason, at }),
            Step::Suspend(which) => self.happen(*which, |_, at| Event::GrantSuspended {
                terms: None,
                bundle: Digest::of(b"next"),
                reason,
                at,
            }),
            Step::JudgeAgain(which) => self.happen(*which, |_, at| Event::ExceptionRejudged {
                terms: terms(),
                bundle: Digest::of(b"next"),
                at,
            }),
            Step::Lapse(which) => self.happen(*which, |_, at| Event::ExceptionLapsed { at }),
            Step::Declare(which) => self.happen(*which, |_, at| {
                let decide_by = at.plus(Span::from_seconds(30));
                let emergency = policy_core::lifecycle::Emergency { by, reason, decide_by, proof: Proof::Session, at };
                Event::EmergencyDeclared { emergency: Box::new(emergency), terms: terms(), bundle: Digest::of(b"b") }
            }),
            Step::Erase(which) => {
                let gone = self.exception(*which).cloned();
                let grant = gone.as_ref().and_then(|gone| gone.phase.grant()).map(|held| held.grant.id.to_string());
                self.erased.extend(grant);
                let erasure = Erasure {
                    run: "run".to_owned(),
                    what: "record".to_owned(),
                    of: None,
                    older_than: None,
                    classes: Vec::new(),
                    by: "root".to_owned(),
                    reason,
                    at: self.now,
                    proposal: None,
                    people: Vec::new(),
                    erased: Vec::new(),
                    counts: BTreeMap::new(),
                    lost: Lost::default(),
                    exceptions: gone.into_iter().map(|gone| gone.request.id.clone()).collect(),
                    credentials: Vec::new(),
                    tasks: Vec::new(),
                };
                self.record(&LedgerEvent::Gate(GateEvent::PayloadsErased(Box::new(erasure))), None);
            }
            Step::HandOver(which, to) => {
                let mut owners: Vec<EntityRef> = to.iter().map(|index| user(PEOPLE[*index])).collect();
                owners.sort();
                owners.dedup();
                let of = Owned::Agent(agent(*which));
                let (from, to, at) = (user("tom"), user("ines"), self.now);
                let event = OwnershipEvent::OwnerHandedOver { of, from, to, owners, by, reason, at };
                self.record(&LedgerEvent::Ownership(event), None);
            }
            Step::Epoch => {
                let epoch = EpochFact {
                    number: self.state.epoch() + 1,
                    cause: EpochCause::Restored,
                    by: "root".to_owned(),
                    reason,
                    restore: None,
                    from: Vec::new(),
                    known: Vec::new(),
                    at: self.now,
                };
                self.record(&LedgerEvent::Gate(GateEvent::EpochBegun { epoch: Box::new(epoch) }), None);
            }
            Step::Later(seconds) => self.now = Timestamp::from_millis(self.now.millis() + seconds * 1_000),
        }
    }
}

fn terms() -> Terms {
    let terms = json!({
        "tier": "low", "approvals": 1, "groups": [], "max_duration": "1h", "max_uses": 5, "policies": [],
    });
    serde_json::from_value(terms).unwrap()
}

fn grant(exception: &Exception) -> Grant {
    let (request, question) = (&exception.request, &exception.request.question);
    Grant {
        id: request.id.replace("exc", "grant").into(),
        exception: request.id.as_str().into(),
        version: 1,
        subject: question.call.subject.clone(),
        task: question.task.clone(),
        chain: Vec::new(),
        enforcement_point: "proxy".into(),
        server: None,
        tool: None,
        action: question.call.action.clone(),
        scope: request.scope.clone(),
        members: Vec::new(),
        input_digest: question.call.input_digest,
        input_names: vec!["rows".into()],
    }
}
