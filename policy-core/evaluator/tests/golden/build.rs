//! From a case to the bytes that cross the module's boundary.

use std::collections::BTreeMap;

use policy_core::abi::{Compile, ConsoleAct, Eligible, Evaluate, Preview, Voter};
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Budget, Grant, Rate, ResourceScope, Scope};
use policy_core::json::to_canonical_bytes;
use policy_core::question::{Candidate, Lock, LockTarget, SealedQuestion};
use policy_core::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::ask::{entity, over, seal};
use crate::case::{self, ActSpec, Case, Head, Op};
use crate::repeat::{self, Run};

/// One call: the bundle that the instance holds, the operation and its input.
pub struct Call {
    pub bundle: Option<String>,
    pub op: i32,
    /// The input, with marks where something is repeated.
    pub input: String,
    pub runs: Vec<Run>,
}

/// A grant as case files write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantSpec {
    id: String,
    /// What differs in the approved question from the file's.
    #[serde(default)]
    approved: BTreeMap<String, Value>,
    /// `TYPE::id`; absent: the approved call's first.
    is: Option<String>,
    /// A group, instead.
    r#in: Option<String>,
    /// Absent: the group's members, or the resources of a call with several.
    members: Option<Vec<String>>,
    arguments: ArgumentScope,
    not_before: Option<Timestamp>,
    not_after: Timestamp,
    max_uses: u32,
    uses_left: Option<u32>,
    #[serde(default)]
    budgets: Vec<Budget>,
    budgets_left: Option<Vec<i64>>,
    rate: Option<Rate>,
    rate_left: Option<u32>,
}

#[derive(Deserialize)]
struct VoteSpec {
    tier: String,
    requester: String,
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    voted: Vec<String>,
    #[serde(default)]
    votes: u32,
}

/// The call of a case, or the reason why its question cannot be sealed.
pub fn call(head: &Head, case: &Case) -> Result<Call, Value> {
    let bundle = (!case.empty && case.op != Op::Load).then(|| head.bundle.clone());
    let op = case.number.unwrap_or(case.op as i32 + 1);
    if let Some(raw) = &case.raw {
        let runs = repeat::runs(&Value::Null, raw, &case.repeat);
        return Ok(Call { bundle, op, input: raw.clone(), runs });
    }
    let mut input = match case.op {
        Op::Load => load(head, case),
        Op::Evaluate | Op::Terms => json(&Evaluate { v: 1, question: question(head, case, true)? }),
        Op::Eligible => eligible(head, case)?,
        Op::Compile => json(&Compile { v: 1, grant: (*candidate(head, &case.grants[0])?.grant).clone() }),
        Op::Preview => preview(head, case)?,
        Op::Console => console(head, case),
    };
    for (pointer, text) in &case.patch {
        patch(&mut input, pointer, text);
    }
    let text = String::from_utf8(to_canonical_bytes(&input).expect("a canonical form")).expect("JSON is text");
    let runs = repeat::runs(&input, &text, &case.repeat);
    Ok(Call { bundle, op, input: text, runs })
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("ABI types are JSON")
}

fn question(head: &Head, case: &Case, with_grants: bool) -> Result<SealedQuestion, Value> {
    let mut question = seal(head, &repeat::in_texts(&case.ask, &case.repeat))?;
    if with_grants {
        question.candidates = case.grants.iter().map(|own| candidate(head, own)).collect::<Result<_, _>>()?;
    }
    question.locks = case.locks.iter().map(lock).collect();
    let requested = json(&question.requested).as_object().cloned().expect("an object").into_iter().collect();
    let requested = over(&requested, &head.requested);
    let requested = requested.as_object().cloned().expect("an object").into_iter().collect();
    question.requested = serde_json::from_value(over(&requested, &case.requested)).expect("what is requested");
    Ok(question)
}

fn lock(spec: &BTreeMap<String, String>) -> Lock {
    let (kind, on) = spec.iter().find(|(name, _)| *name != "id").expect("a lock has a target");
    let target = match kind.as_str() {
        "subject" => LockTarget::Subject(entity(on)),
        "person" => LockTarget::Person(entity(on)),
        "task" => LockTarget::Task(on.clone()),
        "tool" => LockTarget::Tool(on.clone()),
        "server" => LockTarget::Server(on.clone()),
        "grant" => LockTarget::Grant(on.clone()),
        other => panic!("no lock on a `{other}`"),
    };
    Lock { id: spec["id"].clone(), target }
}

fn entities(texts: &[String]) -> Vec<EntityRef> {
    let mut entities: Vec<EntityRef> = texts.iter().map(|text| entity(text)).collect();
    entities.sort();
    entities
}

/// The grant as the votes would make it for the approved question.
fn candidate(head: &Head, own: &BTreeMap<String, Value>) -> Result<Candidate, Value> {
    let spec = over(&head.grant, own);
    let spec: GrantSpec = serde_json::from_value(spec).unwrap_or_else(|error| panic!("{own:?}: {error}"));
    let approved = seal(head, &spec.approved)?;
    let call = approved.call;
    let input_names = policy_core::containment::input_names(&call);
    let (resource, members) = match (&spec.is, &spec.r#in) {
        (None, Some(group)) => {
            let group = entity(group);
            let members = case::bundle(&head.bundle).bundle.members_of(&group);
            (ResourceScope::In(group), members)
        }
        (is, _) => {
            let is = is.as_deref().map_or_else(|| call.resources[0].clone(), entity);
            (ResourceScope::Is(is), if call.resources.len() > 1 { call.resources.clone() } else { Vec::new() })
        }
    };
    let grant = Grant {
        exception: format!("exception-{}", spec.id).into(),
        id: spec.id.into(),
        version: 1,
        subject: call.subject,
        task: approved.task,
        chain: approved.chain,
        enforcement_point: approved.enforcement_point.unwrap_or_default(),
        server: call.server,
        tool: call.tool,
        action: call.action,
        scope: Scope {
            resource,
            arguments: spec.arguments,
            not_before: spec.not_before,
            not_after: spec.not_after,
            max_uses: spec.max_uses,
            valid_for: None,
            rate: spec.rate,
            budgets: spec.budgets.clone(),
        },
        members: spec.members.as_deref().map_or(members, entities),
        input_digest: call.input_digest,
        input_names,
    };
    let budgets_left = spec.budgets_left.unwrap_or_else(|| spec.budgets.iter().map(|budget| budget.max).collect());
    let rate_left = spec.rate_left.or(spec.rate.map(|rate| rate.uses));
    let uses_left = spec.uses_left.unwrap_or(spec.max_uses);
    Ok(Candidate { grant: grant.into(), uses_left, budgets_left, rate_left })
}

fn load(head: &Head, case: &Case) -> Value {
    let mut load: Value = serde_json::from_str(&case::bundle(&head.bundle).load).expect("JSON");
    for (path, text) in &case.files {
        if text.is_empty() {
            load["files"].as_object_mut().expect("files").remove(path);
        } else {
            load["files"][path] = text.clone().into();
        }
    }
    load
}

fn eligible(head: &Head, case: &Case) -> Result<Value, Value> {
    let vote: VoteSpec = serde_json::from_value(over(&BTreeMap::new(), &case.vote)).expect("`vote`");
    let mut question = question(head, case, true)?;
    let people: Vec<Voter> = case.people.iter().map(|text| voter(text)).collect();
    let persons: Vec<EntityRef> =
        people.iter().flat_map(|voter| std::iter::once(&voter.person).chain(&voter.groups)).cloned().collect();
    case::bundle(&head.bundle).bundle.add_people(&mut question, &persons);
    Ok(json(&Eligible {
        v: 1,
        question,
        people,
        tier: vote.tier,
        requester: entity(&vote.requester),
        owners: entities(&vote.owners),
        voted: entities(&vote.voted),
        votes: vote.votes,
    }))
}

fn voter(text: &str) -> Voter {
    let mut parts = text.split(' ');
    let (person, assurance) = parts.next().zip(parts.next()).expect("TYPE::id assurance [TYPE::group…]");
    Voter { groups: parts.map(entity).collect(), ..Voter::new(entity(person), assurance.to_owned()) }
}

fn console(head: &Head, case: &Case) -> Value {
    let act = |spec: &ActSpec| ConsoleAct {
        act: spec.act,
        about: spec.about.as_deref().map(entity),
        owners: entities(&spec.owners),
        requester: spec.requester.as_deref().map(entity),
        action: spec.action.clone(),
        tier: spec.tier.clone(),
        task: spec.task.clone(),
    };
    let now = over(&head.ask, &case.ask)["now"].as_str().expect("an instant").parse().expect("an instant");
    let acts = case.acts.iter().map(act).collect();
    json(&case::bundle(&head.bundle).bundle.console_question(&voter(&case.person), now, acts))
}

fn preview(head: &Head, case: &Case) -> Result<Value, Value> {
    let (grant, held) = case.grants.split_first().expect("a grant to preview");
    let mut question = question(head, case, false)?;
    question.candidates = held.iter().map(|own| candidate(head, own)).collect::<Result<_, _>>()?;
    let at = case.at.as_ref().map_or(question.now, |at| at.parse().expect("an instant"));
    let others = case.others.iter().map(|own| seal(head, own)).collect::<Result<_, _>>()?;
    let grant = (*candidate(head, grant)?.grant).clone();
    Ok(json(&Preview { v: 1, question, grant, others, at }))
}

/// Sets what stands at a JSON pointer, or takes it away. `/-` at the end appends.
fn patch(input: &mut Value, pointer: &str, text: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = input.pointer_mut(parent).unwrap_or_else(|| panic!("`{pointer}` points to nothing"));
    let value = || serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match parent {
        Value::Object(members) if text.is_empty() => drop(members.remove(name)),
        Value::Object(members) => drop(members.insert(name.to_owned(), value())),
        Value::Array(items) if name == "-" => items.push(value()),
        Value::Array(items) if text.is_empty() => drop(items.remove(name.parse().expect("a position"))),
        Value::Array(items) => items[name.parse::<usize>().expect("a position")] = value(),
        _ => panic!("`{pointer}` points into no object and no array"),
    }
}
