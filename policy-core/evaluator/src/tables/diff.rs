//! What two bundles answer differently.

use policy_core::outcome::{Outcome, Terms};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::{Answered, answer};
use super::read::Row;
use crate::Bundle;

/// How an outcome changes, from what needs the closest look to what needs the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Refused before, permitted now.
    NewAllow,
    /// Could not be asked for before, can now.
    NewRequestable,
    /// Could be asked for before and now, on other terms.
    Terms,
    /// On the same terms, by other people.
    Approvers,
    /// Permitted before, refused now.
    NewDenial,
    /// Could be asked for before, not any more.
    NoLongerRequestable,
    /// Refused before and now, for another reason.
    Reason,
}

/// One member of an answer that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Which: `outcome`, `reason`, `terms.…` or `approvers`.
    pub member: String,
    /// What the first bundle answers; `null` where it says nothing.
    pub before: Value,
    /// What the second one does.
    pub after: Value,
}

/// A question that two bundles answer differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How.
    pub kind: Kind,
    /// The row's table.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// What differs.
    pub differences: Vec<Changed>,
    /// What the first bundle answers.
    pub before: Answered,
    /// What the second answers.
    pub after: Answered,
}

/// Every row that comes out differently, new allows first. A question that stands in several rows is asked once.
pub fn compare(before: &Bundle, after: &Bundle, rows: &[Row]) -> Vec<Change> {
    let mut changes = Vec::new();
    for row in distinct(rows) {
        let (old, new) = (answer(before, &row.ask), answer(after, &row.ask));
        if let Some(kind) = kind(&old, &new) {
            let (file, name) = (row.file.clone(), row.name.clone());
            let differences = what(&old, &new);
            changes.push(Change { kind, file, line: row.line, name, differences, before: old, after: new });
        }
    }
    changes.sort_by(|a, b| (a.kind, &a.file, a.line).cmp(&(b.kind, &b.file, b.line)));
    changes
}

/// How many questions the rows ask.
pub fn questions(rows: &[Row]) -> usize {
    distinct(rows).count()
}

fn distinct(rows: &[Row]) -> impl Iterator<Item = &Row> {
    let again = |position: usize, row: &Row| rows.iter().take(position).any(|earlier| earlier.ask == row.ask);
    rows.iter().enumerate().filter(move |(position, row)| !again(*position, row)).map(|(_, row)| row)
}

fn kind(old: &Answered, new: &Answered) -> Option<Kind> {
    let requestable = |answer: &Answered| answer.outcome == Outcome::RequestableDenial;
    match (old.outcome.permits(), new.outcome.permits()) {
        (false, true) => return Some(Kind::NewAllow),
        (true, false) => return Some(Kind::NewDenial),
        (true, true) => return None,
        (false, false) => {}
    }
    match (requestable(old), requestable(new)) {
        (false, true) => Some(Kind::NewRequestable),
        (true, false) => Some(Kind::NoLongerRequestable),
        (true, true) if demands(old.terms.as_ref()) != demands(new.terms.as_ref()) => Some(Kind::Terms),
        (true, true) if old.approvers != new.approvers => Some(Kind::Approvers),
        (false, false) if old.reason != new.reason => Some(Kind::Reason),
        _ => None,
    }
}

/// Terms without the names of the policies that say them: a policy may be renamed.
fn demands(terms: Option<&Terms>) -> Map<String, Value> {
    let mut demands = json!(terms).as_object().cloned().unwrap_or_default();
    demands.remove("policies");
    demands
}

fn what(old: &Answered, new: &Answered) -> Vec<Changed> {
    let mut all = Vec::new();
    let mut hold = |member: String, before: Value, after: Value| {
        if before != after {
            all.push(Changed { member, before, after });
        }
    };
    hold("outcome".to_owned(), json!(old.outcome), json!(new.outcome));
    hold("reason".to_owned(), json!(old.reason), json!(new.reason));
    let (before, after) = (demands(old.terms.as_ref()), demands(new.terms.as_ref()));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let of = |demands: &Map<String, Value>| demands.get(name).cloned().unwrap_or(Value::Null);
        hold(format!("terms.{name}"), of(&before), of(&after));
    }
    let people = |answer: &Answered| json!(answer.approvers.iter().map(ToString::to_string).collect::<Vec<_>>());
    hold("approvers".to_owned(), people(old), people(new));
    all
}
