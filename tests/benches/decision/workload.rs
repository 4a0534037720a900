//! The work that everybody does: a bundle of so many permits, and one question about it in each one's own form.
//!
//! A question has an instant, four entities with attributes, arguments, and five guardrails whose scope is open. Each
//! permit names one agent, one action and one dataset, and has two conditions.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Grant, ResourceScope, Scope, Test};
use policy_core::question::{Candidate, Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use policy_evaluator::Bundle;
use policy_evaluator::seal::{Ask, Claimed};
use serde_json::{Value, json};

use crate::Result;

pub const NOW: i64 = 1_795_363_200_000;
const TASK: &str = "close-q4";
/// Rows that scope permits, that may be asked for, and that a guardrail forbids.
const SCOPE: i64 = 5;
const ASKED: i64 = 2_000;
const FORBIDDEN: i64 = 200_000;

pub const SCHEMA: &str = r#"
entity Group = { level: Long };
entity User in [Group] = { name: String };
entity Agent = { owner: User, autonomy: Long, until: datetime };
entity Dataset = { regulated: Bool };
action post appliesTo {
  principal: [Agent], resource: [Dataset],
  context: {
    now: datetime, task: String, input_digest: String, requested?: Proviso::Requested,
    input: { rows: Long, memo?: String },
  },
};
"#;

const CONFIG: &str = r#"
tiers = ["low"]
step_ups = ["link"]
[types]
person = "User"
subjects = ["Agent"]
"#;

pub const GUARDRAILS: &str = r#"
@id("not-too-many-rows") forbid(principal, action, resource) when { context.input.rows > 100000 };
@id("not-by-the-least-autonomous") forbid(principal, action, resource) when { principal.autonomy < 1 };
@id("not-on-regulated-data") forbid(principal, action, resource) when { resource.regulated && context.input.rows > 10 };
@id("not-after-its-end") forbid(principal, action, resource) when { context.now > principal.until };
@id("not-for-another-house") forbid(principal, action, resource) when { principal.owner.name like "*@elsewhere.example" };
"#;

const REQUEST: &str = r#"
@id("more-rows-need-one") @tier("low") @approvals("1") @max_duration("1h") @max_uses("5")
permit(principal, action == Action::"post", resource) when { context.input.rows <= 10000 };
"#;

/// How a question comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Scope,
    Exception,
    Requestable,
    Guardrail,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Scope, Self::Exception, Self::Requestable, Self::Guardrail];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Scope => "scope hit",
            Self::Exception => "exception hit",
            Self::Requestable => "requestable denial",
            Self::Guardrail => "guardrail hit",
        }
    }

    const fn rows(self) -> i64 {
        match self {
            Self::Scope => SCOPE,
            Self::Exception | Self::Requestable => ASKED,
            Self::Guardrail => FORBIDDEN,
        }
    }
}

/// The agent that the question is about: one in the middle, as an unsliced engine finds it neither first nor last.
fn agent(policies: usize) -> String {
    format!("agent-{}", policies / 2)
}

fn dataset(policies: usize) -> String {
    format!("dataset-{}", policies / 2)
}

/// The permits, as Cedar.
pub fn scope(policies: usize) -> String {
    let permit = |number: usize| {
        format!(
            "@id(\"post-{number}\") permit(principal == Agent::\"agent-{number}\", action == Action::\"post\", \
             resource == Dataset::\"dataset-{number}\")\nwhen {{ context.input.rows <= 1000 && principal.autonomy >= 2 }};\n"
        )
    };
    (0..policies).map(permit).collect()
}

/// The permits and the guardrails, as Rego.
pub fn rego(policies: usize) -> String {
    let allow = |number: usize| {
        format!(
            "permit if {{\n  input.principal.id == \"agent-{number}\"\n  input.action == \"post\"\n  \
             input.resource.id == \"dataset-{number}\"\n  input.context.input.rows <= 1000\n  \
             input.entities[input.principal.id].autonomy >= 2\n}}\n"
        )
    };
    let permits: String = (0..policies).map(allow).collect();
    format!(
        "package gate\nimport rego.v1\ndefault allow := false\nallow if {{\n  permit\n  not forbid\n}}\n\
         forbid if input.context.input.rows > 100000\n\
         forbid if input.entities[input.principal.id].autonomy < 1\n\
         forbid if {{\n  input.entities[input.resource.id].regulated\n  input.context.input.rows > 10\n}}\n\
         forbid if input.context.now > input.entities[input.principal.id].until\n\
         forbid if endswith(input.entities[input.entities[input.principal.id].owner].name, \"@elsewhere.example\")\n\
         {permits}"
    )
}

/// The entities of the question, in Cedar's JSON.
pub fn entities(policies: usize) -> Value {
    let uid = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let until = json!({"__extn": {"fn": "datetime", "arg": "2030-01-01T00:00:00.000Z"}});
    json!([
        {"uid": uid("Group", "finance"), "attrs": {"level": 3}, "parents": []},
        {"uid": uid("User", "ines"), "attrs": {"name": "ines@acme.example"}, "parents": [uid("Group", "finance")]},
        {"uid": uid("Agent", &agent(policies)), "parents": [],
         "attrs": {"owner": {"__entity": uid("User", "ines")}, "autonomy": 3, "until": until}},
        {"uid": uid("Dataset", &dataset(policies)), "attrs": {"regulated": false}, "parents": []},
    ])
}

/// The question as a peer of Cedar's reads it.
pub fn cedar_json(policies: usize, kind: Kind) -> Value {
    json!({
        "principal": {"type": "Agent", "id": agent(policies)},
        "action": {"type": "Action", "id": "post"},
        "resource": {"type": "Dataset", "id": dataset(policies)},
        "context": {
            "now": {"__extn": {"fn": "datetime", "arg": "2026-11-22T16:00:00.000Z"}},
            "task": TASK,
            "input_digest": "0".repeat(64),
            "input": {"rows": kind.rows(), "memo": "December"},
        },
        "entities": entities(policies),
    })
}

/// The question as Rego reads it: entities by id.
pub fn rego_json(policies: usize, kind: Kind) -> Value {
    json!({
        "principal": {"type": "Agent", "id": agent(policies)},
        "action": "post",
        "resource": {"type": "Dataset", "id": dataset(policies)},
        "context": {
            "now": "2026-11-22T16:00:00.000Z", "task": TASK, "input_digest": "0".repeat(64),
            "input": {"rows": kind.rows(), "memo": "December"},
        },
        "entities": {
            "finance": {"level": 3},
            "ines": {"name": "ines@acme.example", "groups": ["finance"]},
            agent(policies): {"owner": "ines", "autonomy": 3, "until": "2030-01-01T00:00:00.000Z"},
            dataset(policies): {"regulated": false},
        },
    })
}

/// A bundle with so many permits.
pub fn bundle(policies: usize) -> Result<Bundle> {
    let files = [
        ("schema.cedarschema", SCHEMA.to_owned()),
        ("bundle.toml", CONFIG.to_owned()),
        ("entities.json", entities(policies).to_string()),
        ("scope/permits.cedar", scope(policies)),
        ("guardrails/all.cedar", GUARDRAILS.to_owned()),
        ("approval/request/all.cedar", REQUEST.to_owned()),
    ];
    let files: BTreeMap<String, String> = files.map(|(path, text)| (path.to_owned(), text)).into();
    Bundle::accept(&files).map_err(|errors| format!("the bundle does not load: {errors:?}").into())
}

/// The question that the gate seals. `memo`: how long the argument is that nothing looks at.
pub fn question(bundle: &Bundle, policies: usize, kind: Kind, memo: usize) -> Result<SealedQuestion> {
    let memo = if memo == 0 { "December".to_owned() } else { "x".repeat(memo) };
    let mut question = bundle.seal(&Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", agent(policies)),
        task: TASK.into(),
        chain: Vec::new(),
        enforcement_point: Some("ledger-proxy".into()),
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: "post".into(),
        resource: EntityRef::new("Dataset", dataset(policies)),
        input: Some(json!({"rows": kind.rows(), "memo": memo})),
        claims: Claimed::default(),
        now: Timestamp::from_millis(NOW),
        done: BTreeSet::new(),
    })?;
    if kind == Kind::Exception {
        question.candidates.push(candidate(&question, 0, ASKED));
    }
    Ok(question)
}

/// A live grant of the question's subject for so many rows.
pub fn candidate(question: &SealedQuestion, number: usize, rows: i64) -> Candidate {
    let at = vec!["rows".to_owned()];
    let scope = Scope {
        resource: ResourceScope::Is(
            question.call.resources.first().cloned().unwrap_or(EntityRef::new("Dataset", "none")),
        ),
        arguments: ArgumentScope::Conditions(vec![Condition { at, test: Test::Between { min: 0, max: rows } }]),
        not_before: None,
        not_after: Timestamp::from_millis(NOW + 3_600_000),
        max_uses: 5,
        valid_for: None,
        rate: None,
        budgets: Vec::new(),
    };
    let grant = Grant {
        id: format!("grant-{number}").into(),
        exception: format!("exception-{number}").into(),
        version: 1,
        subject: question.call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: question.enforcement_point.clone().unwrap_or_default(),
        server: None,
        tool: None,
        action: question.call.action.clone(),
        input_digest: question.call.input_digest,
        input_names: vec!["memo".into(), "rows".into()],
        members: Vec::new(),
        scope,
    };
    Candidate { grant: grant.into(), uses_left: 5, budgets_left: Vec::new(), rate_left: None }
}

/// Permits of the same kind about nothing but who, what and on what, with two conditions that read nothing from outside.
pub fn bare_scope(policies: usize) -> String {
    let permit = |number: usize| {
        format!(
            "@id(\"bare-{number}\") permit(principal == Agent::\"agent-{number}\", action == Action::\"post\", \
             resource == Dataset::\"dataset-{number}\")\nwhen {{ principal != resource && [1, 2, 3].contains(2) }};\n"
        )
    };
    (0..policies).map(permit).collect()
}

/// One permit, and entity types without attributes: the smallest question that there is.
pub fn bare_bundle() -> Result<Bundle> {
    let schema = "entity User; entity Agent; entity Dataset;
        action post appliesTo { principal: [Agent], resource: [Dataset] };";
    let files = [
        ("schema.cedarschema", schema.to_owned()),
        ("bundle.toml", CONFIG.to_owned()),
        ("scope/one.cedar", bare_scope(1)),
    ];
    let files: BTreeMap<String, String> = files.map(|(path, text)| (path.to_owned(), text)).into();
    Bundle::accept(&files).map_err(|errors| format!("the bare bundle does not load: {errors:?}").into())
}

/// A question about nothing but who, what and on what.
pub fn bare_question(bundle: &Bundle) -> Result<SealedQuestion> {
    Ok(bundle.seal(&Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", "agent-0"),
        task: "t".into(),
        chain: Vec::new(),
        enforcement_point: None,
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: "post".into(),
        resource: EntityRef::new("Dataset", "dataset-0"),
        input: None,
        claims: Claimed::default(),
        now: Timestamp::from_millis(NOW),
        done: BTreeSet::new(),
    })?)
}
