//! A record, opened as far as an export tells of it. Read as plain JSON: kinds that a later release writes are told too.

use std::collections::BTreeMap;

use audit_verify::source::StoredRecord;
use policy_core::json;
use policy_core::leaf::Leaf;
use serde_json::Value;

use crate::app::event::{BUNDLE, DECISION, EVENT, QUESTION, QUESTIONS};

/// What a stored payload of our own may hold.
const STORED: json::Limits = json::Limits { max_bytes: 64 << 20, max_depth: 120 };

/// Where an event names who did it.
const BY: [&str; 12] = [
    "/by",
    "/vote/person",
    "/version/by",
    "/closing/by",
    "/disposed/by",
    "/answer/by",
    "/emergency/by",
    "/request/requester",
    "/session/person",
    "/token/by",
    "/activation/by",
    "/from",
];
/// Where an event holds what somebody said.
const SAID: [&str; 11] = [
    "/reason",
    "/vote/reason",
    "/closing/note",
    "/disposed/note",
    "/answer/words",
    "/emergency/reason",
    "/request/justification",
    "/repeat/justification",
    "/activation/reason",
    "/words",
    "/note",
];
/// Where a record names the agent that it is about.
const SUBJECT: [&str; 8] = [
    "/subject",
    "/request/question/call/subject",
    "/grant/subject",
    "/token/facts/agent/subject",
    "/lock/target/subject",
    "/finding/subject",
    "/said/subject",
    "/of/agent",
];
/// Where it names a task.
const TASK: [&str; 6] =
    ["/task", "/request/question/task", "/grant/task", "/token/facts/agent/task", "/lock/target/task", "/finding/task"];

/// A record to be told.
pub(super) struct Told {
    pub(super) leaf: Leaf,
    payloads: BTreeMap<String, Value>,
    /// Whether what it holds of a call is kept from who reads it.
    withheld: bool,
}

impl Told {
    /// Absent: its leaf is none that this release knows, or commits to other payloads.
    pub(super) fn open(stored: &StoredRecord) -> Option<Self> {
        let leaf: Leaf = json::read_as(&stored.bytes, STORED).ok()?;
        audit_verify::leaf::Leaf::read(&stored.bytes)?.hold_payloads(&stored.payloads).ok()?;
        // Of a bundle's files, and of the questions of a search, nothing is told.
        let told = stored.payloads.iter().filter(|payload| ![BUNDLE, QUESTIONS].contains(&payload.name.as_str()));
        let read = told.filter_map(|payload| {
            let content = payload.content.as_ref()?;
            Some((payload.name.clone(), json::read_as(&content.bytes, STORED).ok()?))
        });
        let payloads = read.collect();
        Some(Self { leaf, payloads, withheld: false })
    }

    /// Without what a call is made with, what it may be made with, and what was said of it.
    pub(super) fn withhold(&mut self) {
        self.withheld = true;
    }

    /// The scope of a grant, as it was made.
    pub(super) fn scope(&self) -> Option<&Value> {
        self.says().pointer("/grant/scope").filter(|_| !self.withheld)
    }

    /// What the record says: an event's own members, a decision, a search, a report.
    pub(super) fn says(&self) -> &Value {
        let Some(event) = self.payloads.get(EVENT) else {
            let other =
                self.payloads.iter().find(|(name, _)| ![QUESTION, "claimed", "origin"].contains(&name.as_str()));
            return other.map_or(&Value::Null, |(_, value)| value);
        };
        let inner = event.as_object().and_then(|members| members.values().next()).unwrap_or(event);
        inner.get("event").unwrap_or(inner)
    }

    pub(super) fn decision(&self) -> Option<&Value> {
        self.payloads.get(DECISION)
    }

    /// The question as policy saw it.
    pub(super) fn question(&self) -> Option<&Value> {
        self.payloads.get(QUESTION)
    }

    /// The call as it was claimed, where it could not be sealed.
    pub(super) fn claimed(&self) -> Option<&Value> {
        self.payloads.get("claimed")
    }

    /// The exception that it is about.
    pub(super) fn exception(&self) -> Option<&str> {
        let event = self.payloads.get(EVENT).and_then(|event| event.pointer("/exception/id"));
        let says = self.says();
        let names = ["/exception", "/finding/exception", "/of/exception"];
        event.or_else(|| names.iter().find_map(|name| says.pointer(name))).and_then(Value::as_str)
    }

    /// The finding that something happened to.
    pub(super) fn finding(&self) -> Option<&str> {
        self.leaf.stream.strip_prefix("finding/")
    }

    /// A member of what it says, as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.says().get(name)?.as_str()
    }

    fn first(&self, places: &[&str]) -> Option<&Value> {
        places.iter().find_map(|place| self.says().pointer(place)).filter(|value| !value.is_null())
    }

    /// The agent that it is about: `{type, id}`.
    pub(super) fn subject(&self) -> Option<&Value> {
        self.first(&SUBJECT).filter(|subject| subject.is_object())
    }

    pub(super) fn task(&self) -> Option<&str> {
        self.first(&TASK)?.as_str()
    }

    /// Who did it: a person, or the name of an operating-system user. Of several the one whose yes was the last.
    pub(super) fn by(&self) -> Option<&Value> {
        self.people().last().or_else(|| self.first(&BY))
    }

    /// The people who did it together, in the order of their yes; nobody where one did. Others whom a record names, such as
    /// those who are told of a request, did nothing.
    pub(super) fn people(&self) -> &[Value] {
        let place = match self.leaf.kind.as_str() {
            "bundle_activated" => "/activation/people/people",
            "module_activated" => "/people/people",
            "payloads_erased" => "/people",
            _ => return &[],
        };
        self.says().pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody did it, alone or with others.
    pub(super) fn is_by(&self, wanted: impl Fn(&Value) -> bool) -> bool {
        self.by().into_iter().chain(self.people()).any(wanted)
    }

    /// What somebody said.
    pub(super) fn said(&self) -> Option<&str> {
        self.first(&SAID).filter(|_| !self.withheld)?.as_str()
    }

    /// What a call is on: `{type, id}` each.
    pub(super) fn resources(&self) -> Vec<&Value> {
        let sealed = self.question().and_then(|question| question.pointer("/call/resources")).and_then(Value::as_array);
        let claimed = self.claimed().and_then(|claimed| claimed.get("resource"));
        sealed.into_iter().flatten().chain(claimed).collect()
    }

    /// Whether an entity is named anywhere in what it says.
    pub(super) fn names(&self, wanted: &dyn Fn(&Value) -> bool) -> bool {
        fn anywhere(value: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
            wanted(value)
                || match value {
                    Value::Object(members) => members.values().any(|member| anywhere(member, wanted)),
                    Value::Array(items) => items.iter().any(|item| anywhere(item, wanted)),
                    _ => false,
                }
        }
        anywhere(self.says(), wanted)
    }
}

/// An entity as `TYPE::ID`; a name as it is.
pub(super) fn entity(value: &Value) -> String {
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    value.as_str().map_or_else(|| format!("{}::{}", part("type"), part("id")), str::to_owned)
}

#[cfg(test)]
mod tests {
    use policy_core::time::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn people_who_agreed_did_it_and_people_who_were_told_did_not() {
        let (kit, jun) = (json!({"type": "User", "id": "kit"}), json!({"type": "User", "id": "jun"}));
        let both = json!([kit, jun]);
        for (kind, says, people, by) in [
            ("payloads_erased", json!({"people": both, "by": "User::kit, User::jun"}), 2, Some(&jun)),
            ("payloads_erased", json!({"by": "root"}), 0, Some(&json!("root"))),
            ("bundle_activated", json!({"activation": {"by": "both", "people": {"people": both}}}), 2, Some(&jun)),
            ("bundle_activated", json!({"activation": {"by": "root"}}), 0, Some(&json!("root"))),
            ("module_activated", json!({"people": {"people": both}}), 2, Some(&jun)),
            ("notification_sent", json!({"exception": "exc_1", "people": both}), 0, None),
        ] {
            let leaf = Leaf {
                v: 1,
                log: "ledger".to_owned(),
                seq: 1,
                at: Timestamp::from_millis(0),
                kind: kind.to_owned(),
                stream: "gate".to_owned(),
                after: None,
                outcome: None,
                policies: Vec::new(),
                module: None,
                bundle: None,
                commitments: BTreeMap::new(),
            };
            let payloads = BTreeMap::from([(EVENT.to_owned(), json!({"gate": says}))]);
            let told = Told { leaf, payloads, withheld: false };
            assert_eq!((told.people().len(), told.by()), (people, by), "{kind}");
            assert_eq!(told.is_by(|one| *one == kit), people == 2, "{kind}");
        }
    }
}
