//! What clients sent and heard.

use serde_json::Value;

/// A history.
pub struct History {
    /// In the order in which they began.
    pub operations: Vec<Seen>,
    /// How many decisions the gate's record holds in the end.
    pub recorded: u64,
}

/// One operation of one client.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The counter before it was sent.
    pub begin: u64,
    /// The counter after it was answered.
    pub end: u64,
    /// The gate's clock before it was sent, in milliseconds.
    pub from: i64,
    /// The gate's clock after it was answered.
    pub until: i64,
    /// What.
    pub what: What,
}

/// What was sent and heard.
#[derive(Debug, Clone)]
pub enum What {
    /// An evaluation.
    Used(Used),
    /// A request: what was refused, and the id and time to decide that came back.
    Asked { call: Used, scope: Value, id: String, decide_by: i64 },
    /// A vote that was accepted; the grant, where it made one.
    Voted { person: String, exception: String, decision: String, scope: Value, grant: Option<String> },
    /// A revoke that was acknowledged.
    Revoked { grant: String },
    /// A lock that was acknowledged: its kind, what it stops, its id.
    Locked { kind: String, target: String, id: String },
    /// A lock that somebody tried to lift.
    Unlocked { id: String },
    /// Anything else: it must only not get in the way.
    Other,
}

/// An evaluation as it was sent, and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    pub agent: String,
    pub task: String,
    pub point: String,
    pub body: Value,
    /// An enforcement point's evaluation for one call, not a question.
    pub is_use: bool,
    /// Whether the gate gave an answer at all, and not a refusal.
    pub answered: bool,
    pub allowed: bool,
    pub reason: String,
    /// The grant that allowed it.
    pub grant: Option<String>,
}

impl History {
    /// The evaluations.
    pub fn uses(&self) -> impl Iterator<Item = (&Seen, &Used)> {
        self.operations.iter().filter_map(|seen| match &seen.what {
            What::Used(used) => Some((seen, used)),
            _ => None,
        })
    }
}

impl Used {
    pub fn action(&self) -> &str {
        self.body["action"]["name"].as_str().unwrap_or_default()
    }

    pub fn volume(&self) -> &str {
        self.body["resource"]["id"].as_str().unwrap_or_default()
    }

    pub fn server(&self) -> &Value {
        &self.body["context"]["proviso.dev/server"]
    }

    pub fn tool(&self) -> &Value {
        &self.body["context"]["proviso.dev/tool"]
    }

    pub fn input(&self) -> &Value {
        &self.body["context"]["input"]
    }

    pub fn path(&self) -> &str {
        self.input()["path"].as_str().unwrap_or_default()
    }

    pub fn call(&self) -> &str {
        self.body["context"]["proviso.dev/call"].as_str().unwrap_or_default()
    }
}
