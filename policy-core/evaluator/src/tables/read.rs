//! A table as its author writes it: what the rows have in common, and the rows.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::outcome::{Outcome, Reason};
use policy_core::time::{Span, Timestamp};
use serde::Deserialize;
use toml::{Spanned, Table};

use crate::bundle::BundleError;
use crate::bundle::error::line_of;

/// When a row that does not say it is asked.
const NOON: &str = "2026-11-23T12:00:00Z";
/// The members of terms that a row may expect; a test holds them against [`policy_core::outcome::Terms`].
pub(super) const TERMS: [&str; 21] = [
    "approvals",
    "binding",
    "decide_within",
    "emergency_approvals",
    "escalate",
    "for_another",
    "groups",
    "lead_time",
    "max_duration",
    "max_rate",
    "max_renewals",
    "max_uses",
    "notify",
    "policies",
    "presence",
    "raised_from",
    "renewal_period",
    "review_within",
    "silence",
    "step_up",
    "tier",
];

/// One row: a question, and what it should come to.
#[derive(Debug, Clone)]
pub struct Row {
    /// The table's path.
    pub file: String,
    /// The line that the row's name stands on, from 1.
    pub line: u32,
    /// Its name, unique in its table.
    pub name: String,
    /// The question.
    pub ask: Tabled,
    /// What it should come to.
    pub expect: Expect,
}

/// A question as a table writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tabled {
    /// Who acts, `TYPE::id`.
    pub subject: String,
    /// The task.
    #[serde(default = "task")]
    pub task: String,
    /// On whose behalf, from the current actor inward, each `TYPE::id`.
    #[serde(default)]
    pub chain: Vec<String>,
    /// The enforcement point that asks.
    #[serde(default)]
    pub enforcement_point: Option<String>,
    /// Whether the agent's credential is bound to a key.
    #[serde(default)]
    pub bound: bool,
    /// The upstream server.
    #[serde(default)]
    pub server: Option<String>,
    /// The action, or `tools/call` with a resource `tool::NAME`.
    pub action: String,
    /// On what, `TYPE::id`.
    pub resource: String,
    /// The arguments.
    #[serde(default)]
    pub input: Option<Table>,
    /// When it is asked.
    #[serde(default = "noon")]
    pub now: Timestamp,
    /// What the task was permitted before: actions and effects.
    #[serde(default)]
    pub done: BTreeSet<String>,
    /// What a request would ask for, and what is held already.
    #[serde(default, skip_deserializing)]
    pub requested: Wanted,
}

/// What a request would ask for, and what is held already, as `context.requested` shows it to policy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// For how long.
    pub duration: Option<Span>,
    /// How often.
    pub uses: Option<u32>,
    /// Live and pending grants of the same action by the same owner's agents.
    pub held_grants: u32,
    /// Their uses.
    pub held_uses: u32,
    /// Their sum.
    pub held_sum: i64,
    /// Whether a person has declared an emergency.
    pub emergency: bool,
    /// The most that the request could take of the argument that is summed, all uses together.
    pub sum: i64,
    /// The agent that asks, `TYPE::id`, where it is another than the subject.
    pub asker: Option<String>,
}

/// What a row should come to. What it does not mention is not compared.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The outcome.
    pub outcome: Outcome,
    /// Its reason.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// The policies that decide, all of them.
    #[serde(default)]
    pub policies: Option<BTreeSet<String>>,
    /// Members of the terms; `"none"` where there should be none.
    #[serde(default)]
    pub terms: Option<Table>,
    /// Everybody who could approve: by `approval/approve/` and by separation of duty.
    #[serde(default)]
    pub approvers: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    ask: Table,
    #[serde(default)]
    requested: Table,
    #[serde(default)]
    row: Vec<RawRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    name: Spanned<String>,
    #[serde(default)]
    ask: Table,
    #[serde(default)]
    requested: Table,
    expect: Expect,
}

fn task() -> String {
    "test".to_owned()
}

fn noon() -> Timestamp {
    NOON.parse().unwrap_or_else(|_| Timestamp::from_millis(0))
}

/// Reads a table.
///
/// # Errors
/// Everything that is wrong with it, by line, each with its remedy.
pub fn read(file: &str, text: &str) -> Result<Vec<Row>, Vec<BundleError>> {
    let refuse = |line: u32, message: String| {
        let help = "a table has `[ask]`, `[requested]` and `[[row]]`s with `name`, `ask`, `requested` and `expect`: \
                    docs/bundles.md shows one";
        BundleError::new(file, line, "bad_table", message, help)
    };
    let raw: RawTable = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        vec![refuse(line, error.message().to_owned())]
    })?;
    let (mut rows, mut errors, mut names) = (Vec::new(), Vec::new(), BTreeMap::new());
    if raw.row.is_empty() {
        errors.push(refuse(1, "the table has no `[[row]]`".to_owned()));
    }
    for one in raw.row {
        let line = line_of(text, one.name.span().start);
        let name = one.name.into_inner();
        if let Some(first) = names.insert(name.clone(), line) {
            errors.push(refuse(line, format!("`{name}` is the name of another row, too, on line {first}")));
        }
        if let Err(message) = check(&one.expect) {
            errors.push(refuse(line, format!("`{name}`: {message}")));
        }
        let ask = over(&raw.ask, one.ask).try_into::<Tabled>();
        let requested = over(&raw.requested, one.requested).try_into::<Wanted>();
        match (ask, requested) {
            (Ok(ask), Ok(requested)) => {
                let (file, ask) = (file.to_owned(), Tabled { requested, ..ask });
                rows.push(Row { file, line, name, ask, expect: one.expect });
            }
            (ask, requested) => {
                let wrong = [ask.err(), requested.err()].into_iter().flatten();
                errors.extend(wrong.map(|error| refuse(line, format!("`{name}`: {}", error.message()))));
            }
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// Refuses what could never hold, so that no row is red, or green, for a slip of its author's.
fn check(expect: &Expect) -> Result<(), String> {
    let requestable = expect.outcome == Outcome::RequestableDenial;
    if !requestable && (expect.terms.is_some() || expect.approvers.is_some()) {
        return Err("only a requestable denial has terms and approvers".to_owned());
    }
    let unknown = expect.terms.iter().flat_map(Table::keys).find(|name| !TERMS.contains(&name.as_str()));
    match unknown {
        Some(unknown) => Err(format!("terms have no `{unknown}`; they have {}", TERMS.join(", "))),
        None => Ok(()),
    }
}

fn over(common: &Table, own: Table) -> Table {
    let mut all = common.clone();
    all.extend(own);
    all
}

/// `TYPE::id`, the type's namespace in front of it where it has one.
pub(super) fn entity(text: &str, known: impl Fn(&str) -> bool) -> EntityRef {
    let splits = text.match_indices("::").filter_map(|(at, _)| {
        let (kind, id) = text.split_at_checked(at)?;
        Some((kind, id.strip_prefix("::")?))
    });
    let mut splits = splits.collect::<Vec<_>>().into_iter();
    let first = splits.next();
    let found = first.filter(|(kind, _)| known(kind)).or_else(|| splits.find(|(kind, _)| known(kind))).or(first);
    let (kind, id) = found.unwrap_or((text, ""));
    EntityRef::new(kind, id)
}
