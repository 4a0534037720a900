//! A record made for tests: a log of one's own, signed with a key of one's own.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::fault::Fault;
use crate::hash::TreeHash;
use crate::log::Trust;
use crate::note::{VerifierKey, note};
use crate::source::{Each, Entry, LogSize, Source, StoredPayload, StoredRecord};
use crate::tree::{CompactRange, leaf_hash};

/// What stands before a log's name in its origin.
pub const PREFIX: &str = "proviso.dev/log/0123456789abcdef/";
/// The log of decisions.
pub const DECISIONS: &str = "decisions/main";

/// A record in memory: a ledger, and the log of decisions that its uses were taken by.
pub struct Record {
    pub entries: RefCell<Vec<Entry>>,
    decisions: RefCell<Vec<Entry>>,
    key: SigningKey,
    range: CompactRange,
    decided: CompactRange,
    /// What is to be decided before the next head: how many ledger records stood, and the decision.
    pub undecided: Vec<Decided>,
}

/// A decision as it will be recorded.
#[derive(Clone)]
pub struct Decided {
    pub after: u64,
    pub at: String,
    pub outcome: String,
    /// Absent: its payload is gone.
    pub decision: Option<Value>,
}

impl Record {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let (range, decided) = (CompactRange::default(), CompactRange::default());
        Self { entries: RefCell::default(), decisions: RefCell::default(), key, range, decided, undecided: Vec::new() }
    }

    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.verifier()], complete: true }
    }

    pub fn verifier(&self) -> VerifierKey {
        self.verifier_of("ledger")
    }

    fn verifier_of(&self, log: &str) -> VerifierKey {
        VerifierKey::new(&format!("{PREFIX}{log}"), self.key.verifying_key().as_bytes()).unwrap()
    }

    pub fn public(&self) -> String {
        STANDARD.encode(self.key.verifying_key().as_bytes())
    }

    /// Signs with another key from here on.
    pub fn sign_with(&mut self, other: &Self) {
        self.key = other.key.clone();
    }

    /// Appends an event: the leaf's bytes. What takes a use is decided along with it.
    pub fn event(&mut self, kind: &str, event: &Value) -> Vec<u8> {
        self.event_at(kind, event, "2026-11-22T12:00:00.000Z")
    }

    /// The same at this time.
    pub fn event_at(&mut self, kind: &str, event: &Value, at: &str) -> Vec<u8> {
        let seq = self.range.size();
        if kind == "grant_used" {
            self.undecided.push(decided(seq, &event["exception"]["event"]));
        }
        let leaf = json!({"log": "ledger", "seq": seq, "at": at, "kind": kind});
        self.append(stored(leaf, &[("event", Some(event))]))
    }

    /// The same with the files of a bundle beside it.
    pub fn activation(&mut self, event: &Value, files: &Value) -> Vec<u8> {
        let seq = self.range.size();
        let leaf = json!({"log": "ledger", "seq": seq, "at": "2026-11-22T12:00:00.000Z", "kind": "bundle_activated"});
        self.append(stored(leaf, &[("event", Some(event)), ("bundle", Some(files))]))
    }

    fn append(&mut self, record: StoredRecord) -> Vec<u8> {
        let bytes = record.bytes.clone();
        self.range.append(leaf_hash(&bytes));
        self.entries.borrow_mut().push(Entry::Record(record));
        bytes
    }

    /// Signs the heads over what there is: the ledger's.
    pub fn head(&mut self) -> String {
        for Decided { after, at, outcome, decision } in std::mem::take(&mut self.undecided) {
            let seq = self.decided.size();
            let leaf = json!({
                "log": DECISIONS, "seq": seq, "at": at, "kind": "evaluation", "after": after, "outcome": outcome,
            });
            let record = stored(leaf, &[("decision", decision.as_ref())]);
            self.decided.append(leaf_hash(&record.bytes));
            self.decisions.borrow_mut().push(Entry::Record(record));
        }
        let signed = self.sign(DECISIONS, &self.decided);
        self.decisions.borrow_mut().push(Entry::Head(signed));
        let signed = self.sign("ledger", &self.range);
        self.entries.borrow_mut().push(Entry::Head(signed.clone()));
        signed
    }

    fn sign(&self, log: &str, range: &CompactRange) -> String {
        let head = Checkpoint { origin: format!("{PREFIX}{log}"), size: range.size(), root: range.root() };
        let text = head.to_string();
        note(&text, &[self.verifier_of(log).line(&self.key.sign(text.as_bytes()).to_bytes())])
    }

    /// Changes a record.
    pub fn change(&self, seq: u64, change: impl FnOnce(&mut StoredRecord)) {
        let mut entries = self.entries.borrow_mut();
        let record = entries.iter_mut().find_map(|entry| match entry {
            Entry::Record(record) if record.seq == seq => Some(record),
            _ => None,
        });
        change(record.unwrap());
    }
}

/// A record as a store holds it, with those of these payloads that are there.
fn stored(mut leaf: Value, payloads: &[(&str, Option<&Value>)]) -> StoredRecord {
    let salt = vec![7; 32];
    (leaf["v"], leaf["stream"], leaf["commitments"]) = (json!(1), json!("test"), json!({}));
    let mut all = Vec::new();
    for (name, payload) in payloads.iter().filter_map(|(name, payload)| Some((*name, payload.as_ref()?.to_string()))) {
        let commitment = TreeHash::over(&[b"proviso-payload-v1\0", &salt, payload.as_bytes()]);
        leaf["commitments"][name] = json!(commitment.to_string());
        all.push(StoredPayload::new(name, salt.clone(), payload.into_bytes()));
    }
    let seq = leaf["seq"].as_u64().unwrap();
    StoredRecord { seq, bytes: leaf.to_string().into_bytes(), payloads: all, listed: None }
}

/// The decision that a use of the story's grant was taken by, which stands at this position.
pub fn decided(after: u64, used: &Value) -> Decided {
    let decision = json!({
        "evaluation": used["evaluation"], "credential": "tok_1", "purpose": "use", "call": used["call"],
        "subject": {"type": "Agent", "id": "a"}, "task": "t", "action": "write", "server": "files",
        "actors": [{"type": "User", "id": "ines"}], "input_digest": "00", "exception": "exc_1",
        "answer": {"outcome": "permitted_by_exception", "grant": "grant_1"},
    });
    let at = used["at"].as_str().unwrap_or_default().to_owned();
    Decided { after, at, outcome: "permitted_by_exception".to_owned(), decision: Some(decision) }
}

impl Source for Record {
    fn logs(&self) -> Result<Vec<LogSize>, Fault> {
        let sizes = [("ledger", self.range.size()), (DECISIONS, self.decided.size())];
        Ok(sizes.map(|(log, records)| LogSize { log: log.to_owned(), records }).to_vec())
    }

    fn read(&self, log: &str, each: Each<'_>) -> Result<(), Fault> {
        let entries = if log == DECISIONS { &self.decisions } else { &self.entries };
        entries.borrow().iter().try_for_each(|entry| each(entry.clone()))
    }

    fn page(&self, log: &str, from: u64) -> Result<Vec<StoredRecord>, Fault> {
        let mut page = Vec::new();
        self.read(log, &mut |entry| {
            if let Entry::Record(record) = entry {
                page.push(record);
            }
            Ok(())
        })?;
        page.retain(|record| record.seq >= from);
        // A page is as short as a source likes.
        page.truncate(2);
        Ok(page)
    }
}

/// What happens to an exception, by the words of its events.
pub fn of(kind: &str, event: Value) -> (String, Value) {
    let mut event = event;
    event["kind"] = json!(kind);
    (kind.to_owned(), json!({"exception": {"id": "exc_1", "event": event}}))
}

/// From a request to two uses: two votes of two groups, one of which narrows.
pub fn story() -> Vec<(String, Value)> {
    let scope = json!({
        "resource": {"is": {"type": "Volume", "id": "files"}},
        "arguments": [{"at": ["path"], "op": "inside", "path": "/srv/reports"}],
        "not_after": "2026-11-22T20:00:00.000Z", "valid_for": "1h", "max_uses": 3,
        "budgets": [{"at": ["rows"], "max": 10}],
    });
    let mut narrowed = scope.clone();
    narrowed["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv/reports/week"}]);
    narrowed["max_uses"] = json!(2);
    let mut granted = narrowed.clone();
    granted["not_after"] = json!("2026-11-22T13:02:00.000Z");
    granted.as_object_mut().unwrap().remove("valid_for");
    let chain = json!([{"type": "User", "id": "ines", "issuer": "gate"}]);
    let call = json!({
        "subject": {"type": "Agent", "id": "a"}, "action": "write", "resources": [{"type": "Volume", "id": "files"}],
        "input_digest": "00", "typed": true, "server": "files",
    });
    let request = json!({
        "id": "exc_1", "requester": {"type": "User", "id": "ines"}, "owners": [{"type": "User", "id": "tom"}],
        "scope": scope, "decide_by": "2026-11-22T20:00:00.000Z",
        "question": {"call": call, "task": "t", "chain": chain, "enforcement_point": "proxy"},
    });
    let terms = json!({
        "tier": "high", "approvals": 2, "groups": ["finance", "security"], "max_duration": "1h", "max_uses": 5,
        "policies": [],
    });
    let vote = |person: &str, version: u32, groups: &[&str], at: &str| {
        json!({"vote": {
            "person": {"type": "User", "id": person}, "decision": "approve", "version": version, "groups": groups,
            "sheet": "00", "as_of": 1, "reason": "r", "assurance": "link", "at": at,
        }})
    };
    let grant = json!({
        "id": "grant_1", "exception": "exc_1", "version": 2, "subject": {"type": "Agent", "id": "a"}, "task": "t",
        "chain": chain, "enforcement_point": "proxy", "server": "files", "action": "write", "scope": granted,
        "input_digest": "00", "input_names": ["path"],
    });
    let counted = json!([
        {"person": {"type": "User", "id": "mara"}, "groups": ["finance"]},
        {"person": {"type": "User", "id": "vera"}, "groups": ["security"]},
    ]);
    let used = |evaluation: &str, rows: i64, at: &str| {
        of("grant_used", json!({"call": "c", "evaluation": evaluation, "amounts": [rows], "at": at}))
    };
    vec![
        of("exception_requested", json!({"request": request, "terms": terms, "bundle": "00"})),
        of("scope_narrowed", json!({"version": {"number": 2, "scope": narrowed}})),
        of("vote_cast", vote("mara", 2, &["finance"], "2026-11-22T12:01:00.000Z")),
        of("vote_cast", vote("vera", 2, &["security"], "2026-11-22T12:02:00.000Z")),
        of("exception_granted", json!({"grant": grant, "at": "2026-11-22T12:02:00.000Z", "counted": counted})),
        used("eval_1", 4, "2026-11-22T12:03:00.000Z"),
        used("eval_2", 6, "2026-11-22T13:01:59.999Z"),
        of("grant_exhausted", json!({"at": "2026-11-22T13:01:59.999Z"})),
        of("disposition_set", json!({"disposed": {}})),
    ]
}

/// A record of these events, one head over all.
pub fn record(events: &[(String, Value)]) -> Record {
    let mut record = Record::new(1);
    events.iter().for_each(|(kind, event)| drop(record.event(kind, event)));
    record.head();
    record
}
