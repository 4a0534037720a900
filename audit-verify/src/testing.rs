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

/// A record in memory.
pub struct Record {
    pub entries: RefCell<Vec<Entry>>,
    key: SigningKey,
    range: CompactRange,
}

impl Record {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Self { entries: RefCell::default(), key, range: CompactRange::default() }
    }

    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.verifier()], complete: true }
    }

    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(&format!("{PREFIX}ledger"), self.key.verifying_key().as_bytes()).unwrap()
    }

    pub fn public(&self) -> String {
        STANDARD.encode(self.key.verifying_key().as_bytes())
    }

    /// Signs with another key from here on.
    pub fn sign_with(&mut self, other: &Self) {
        self.key = other.key.clone();
    }

    /// Appends an event: the leaf's bytes.
    pub fn event(&mut self, kind: &str, event: &Value) -> Vec<u8> {
        let seq = self.range.size();
        let (salt, payload) = (vec![7; 32], event.to_string().into_bytes());
        let commitment = TreeHash::over(&[b"proviso-payload-v1\0", &salt, &payload]);
        let leaf = json!({
            "v": 1, "log": "ledger", "seq": seq, "at": "2026-11-22T12:00:00.000Z", "kind": kind, "stream": "test",
            "commitments": {"event": commitment.to_string()},
        });
        let bytes = leaf.to_string().into_bytes();
        self.range.append(leaf_hash(&bytes));
        let payloads = vec![StoredPayload::new("event", salt, payload)];
        let record = StoredRecord { seq, bytes: bytes.clone(), payloads, listed: None };
        self.entries.borrow_mut().push(Entry::Record(record));
        bytes
    }

    /// Signs the head over what there is.
    pub fn head(&mut self) -> String {
        let head = Checkpoint { origin: format!("{PREFIX}ledger"), size: self.range.size(), root: self.range.root() };
        let text = head.to_string();
        let signed = note(&text, &[self.verifier().line(&self.key.sign(text.as_bytes()).to_bytes())]);
        self.entries.borrow_mut().push(Entry::Head(signed.clone()));
        signed
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

impl Source for Record {
    fn logs(&self) -> Result<Vec<LogSize>, Fault> {
        Ok(vec![LogSize { log: "ledger".to_owned(), records: self.range.size() }])
    }

    fn read(&self, _: &str, each: Each<'_>) -> Result<(), Fault> {
        self.entries.borrow().iter().try_for_each(|entry| each(entry.clone()))
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
    let used = |evaluation: &str, rows: i64, at: &str| {
        of("grant_used", json!({"call": "c", "evaluation": evaluation, "amounts": [rows], "at": at}))
    };
    vec![
        of("exception_requested", json!({"request": request, "terms": terms, "bundle": "00"})),
        of("scope_narrowed", json!({"version": {"number": 2, "scope": narrowed}})),
        of("vote_cast", vote("mara", 2, &["finance"], "2026-11-22T12:01:00.000Z")),
        of("vote_cast", vote("vera", 2, &["security"], "2026-11-22T12:02:00.000Z")),
        of("exception_granted", json!({"grant": grant, "at": "2026-11-22T12:02:00.000Z"})),
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
