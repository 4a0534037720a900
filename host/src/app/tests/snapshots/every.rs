//! Every kind of event that the ledger knows takes part, and every member of what is believed.
//!
//! A story that was played goes on by `every.jsonl`: one event a line, as the record holds it, each of which can follow.
//! In it `@TYPE::ID` is an entity, `#WORD` a digest, `~SECONDS` so long after the record's time, and an object with `$`
//! what the story's first event of that kind says, with the members beside it put in their place.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::digest::Digest;
use policy_core::time::{Span, Timestamp};

use super::*;
use crate::app::event::{EVENT, LedgerEvent, ORIGIN};

const LINES: &str = include_str!("every.jsonl");
/// What no event of this story reaches: numbers and a list of the same kinds as others that it does reach.
const ELSEWHERE: [&str; 7] = [
    // When very many uses or credentials are looked through next: it changes how long that takes, and nothing else.
    "/registry/brought/most",
    "/uses/swept",
    // An agent's own word on what it did.
    "/accounts/reported",
    // Of a replay alone, which has no snapshot.
    "/accounts/keep_all",
    // How many erasures were before the last fifty.
    "/erased/earlier",
    // Everything here is decided within its second.
    "/measures/granted/sum",
    "/measures/denied/sum",
];

/// What the story's first events say.
struct Said {
    by_name: BTreeMap<&'static str, Value>,
    template: Record,
}

/// From where in which kind of event each name is taken.
const NAMES: [(&str, &str, &str); 9] = [
    ("request", "exception_requested", "/exception/event/request"),
    ("terms", "exception_requested", "/exception/event/terms"),
    ("bundle", "exception_requested", "/exception/event/bundle"),
    ("scope", "exception_requested", "/exception/event/request/scope"),
    ("vote", "vote_cast", "/exception/event/vote"),
    ("grant", "exception_granted", "/exception/event/grant"),
    ("token", "token_minted", "/identity/token"),
    ("session", "signed_in", "/identity/session"),
    ("activation", "bundle_activated", "/gate/activation"),
];

fn event(record: &Record) -> Value {
    serde_json::from_slice(record.payload(EVENT).unwrap()).unwrap()
}

impl Said {
    fn by(ledger: &[Record]) -> Self {
        let first =
            |kind: &str| ledger.iter().find(|record| record.leaf.kind == kind).unwrap_or_else(|| panic!("{kind}"));
        let mut by_name: BTreeMap<_, _> = NAMES
            .into_iter()
            .map(|(name, kind, at)| (name, event(first(kind)).pointer(at).unwrap_or_else(|| panic!("{name}")).clone()))
            .collect();
        let origin = first("exception_requested").payload(ORIGIN).unwrap();
        by_name.insert(ORIGIN, serde_json::from_slice(origin).unwrap());
        Self { by_name, template: ledger.last().unwrap().clone() }
    }

    fn filled(&self, value: Value, at: Timestamp) -> Value {
        match value {
            Value::String(text) => match text.split_at_checked(1) {
                Some(("@", entity)) => {
                    let (kind, id) = entity.split_once("::").unwrap();
                    json!({"type": kind, "id": id})
                }
                Some(("#", word)) => json!(Digest::of(word.as_bytes())),
                Some(("~", seconds)) => json!(at.plus(Span::from_seconds(seconds.parse().unwrap_or(0)))),
                _ => Value::String(text),
            },
            Value::Array(items) => items.into_iter().map(|item| self.filled(item, at)).collect(),
            Value::Object(members) => {
                let mut members: Map<String, Value> =
                    members.into_iter().map(|(name, member)| (name, self.filled(member, at))).collect();
                let Some(base) = members.remove("$") else { return Value::Object(members) };
                let mut base = self.by_name[base.as_str().unwrap()].clone();
                if let Value::Object(base) = &mut base {
                    base.extend(members);
                }
                base
            }
            other => other,
        }
    }

    /// The record behind `position` others.
    fn record(&self, position: usize, line: Value) -> Record {
        let at = self.template.leaf.at.plus(Span::from_seconds(1));
        let line = self.filled(line, at);
        let event: LedgerEvent = serde_json::from_value(line.clone()).unwrap_or_else(|error| panic!("{error}: {line}"));
        let (seq, kind) = (position as u64, event.kind());
        let mut payloads = vec![(EVENT.to_owned(), serde_json::to_vec(&event).unwrap())];
        let origin = match kind.as_str() {
            "exception_requested" => Some(self.by_name[ORIGIN].clone()),
            "request_folded" => Some(json!({"credential": "t1", "idempotency_key": "k1", "body": Digest::of(b"body")})),
            _ => None,
        };
        payloads.extend(origin.map(|origin| (ORIGIN.to_owned(), origin.to_string().into_bytes())));
        let leaf = policy_core::leaf::Leaf { seq, at, kind, ..self.template.leaf.clone() };
        Record { log: Log::Ledger, leaf, payloads, erased: Vec::new() }
    }
}

/// The names that an enum has for its variants, by what is said where there is another one.
fn variants(unknown: Value) -> BTreeSet<String> {
    let refused = serde_json::from_value::<LedgerEvent>(unknown).unwrap_err().to_string();
    let (_, expected) = refused.split_once("expected").unwrap_or_else(|| panic!("{refused}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every kind that there is.
fn kinds() -> BTreeSet<String> {
    let unknown = json!({"kind": "?"});
    let of = |family: String| match family.as_str() {
        "exception" => variants(json!({"exception": {"id": "x", "event": unknown}})),
        family => variants(json!({family: unknown})),
    };
    variants(json!({"?": {}})).into_iter().flat_map(of).collect()
}

/// The members that are the same in all of these as in nothing, each by its path.
fn untouched(path: &str, nothing: &Value, seen: &[&Value]) -> Vec<String> {
    match nothing {
        Value::Object(members) if !members.is_empty() => members
            .iter()
            .flat_map(|(name, member)| {
                let seen: Vec<&Value> = seen.iter().map(|value| &value[name]).collect();
                untouched(&format!("{path}/{name}"), member, &seen)
            })
            .collect(),
        nothing if seen.iter().all(|value| *value == nothing) => vec![path.to_owned()],
        _ => Vec::new(),
    }
}

/// At each cut from this one on: who goes on from the form comes to the same as who goes on. What was believed at each.
fn held(ledger: &[Record], decisions: &[Record], from: usize) -> Vec<Value> {
    let mut state = State::new(1);
    fold(&mut state, &ledger[..from]);
    fold(&mut state, decisions);
    let mut forms = Vec::new();
    for cut in from..=ledger.len() {
        let snapshot = form(&mut state.clone());
        let mut resumed = State::of_form(1, snapshot.as_bytes()).unwrap();
        assert_eq!(form(&mut resumed.clone()), snapshot, "cut at {cut}");
        let mut on = state.clone();
        for state in [&mut on, &mut resumed] {
            fold(state, &ledger[cut..]);
        }
        assert_eq!(form(&mut resumed), form(&mut on), "cut at {cut}");
        forms.push(serde_json::from_str(&snapshot).unwrap());
        fold(&mut state, ledger.get(cut).map_or(&[], std::slice::from_ref));
    }
    forms
}

#[test]
fn every_kind_of_event_and_every_member_of_the_state_takes_part() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut ledger = Vec::new();
    let mut decisions = Vec::new();
    runtime.block_on(async {
        let mut played = Played::begin().await;
        for step in STORY {
            played.step(&step).await;
        }
        [ledger, decisions] = records(&played.gate.app);
    });
    let (said, played) = (Said::by(&ledger), ledger.len());
    for line in LINES.lines() {
        ledger.push(said.record(ledger.len(), serde_json::from_str(line).unwrap()));
    }
    let kinds = kinds();
    assert!(kinds.len() > 60 && kinds.contains("payloads_erased") && kinds.contains("act_refused"), "{kinds:?}");
    let seen: BTreeSet<String> = ledger.iter().map(|record| record.leaf.kind.clone()).collect();
    let missing: Vec<_> = kinds.difference(&seen).collect();
    assert!(missing.is_empty(), "a snapshot is held against none of {missing:?}: add a line to every.jsonl");
    let mut forms = held(&ledger, &decisions, played);

    // What is erased is gone from before the record that says so: a snapshot that is gone on from is of behind it.
    let of_x3 = |record: &Record| event(record).pointer("/exception/id") == Some(&json!("x3"));
    let gone: Vec<usize> = (0..ledger.len()).filter(|seq| of_x3(&ledger[*seq])).collect();
    let ranges = |gone: &[usize]| gone.iter().map(|seq| [*seq, *seq]).collect::<Vec<_>>();
    let erased = json!({"gate": {
        "kind": "payloads_erased", "run": "n2", "what": "exception x3", "by": "root", "reason": "they asked us to",
        "at": "~", "erased": [
            {"log": "ledger", "name": EVENT, "ranges": ranges(&gone), "payloads": gone.len()},
            {"log": "decisions/main", "name": "decision", "ranges": [[0, 0]], "payloads": 1},
        ],
        "counts": {"exceptions": gone.len(), "decisions": 1},
        "lost": {"replays": 1, "previews": 1, "exceptions": 1, "findings": 1},
        "exceptions": ["x3"], "credentials": ["t1"], "tasks": ["#task"],
    }});
    let theirs = ledger.iter_mut().enumerate().filter(|(seq, _)| gone.contains(seq)).map(|(_, record)| record);
    for record in theirs.chain(&mut decisions[..1]) {
        record.erased = record.payloads.drain(..).map(|(name, _)| name).collect();
    }
    let behind = ledger.len() + 1;
    for line in [erased, json!({"gate": {"kind": "gate_stopped", "at": "~"}})] {
        ledger.push(said.record(ledger.len(), line));
    }
    forms.extend(held(&ledger, &decisions, behind));

    let nothing = serde_json::from_str(&form(&mut State::new(1))).unwrap();
    let untouched = untouched("", &nothing, &forms.iter().collect::<Vec<_>>());
    assert_eq!(untouched, ELSEWHERE, "no event of this story says anything of them");
}
