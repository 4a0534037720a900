//! The same question, with one thing changed.

use policy_core::containment::is_normal_path;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Scalar;
use policy_core::json::LARGEST_INTEGER;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use policy_core::value::Value;

/// What a made-up neighbour's id ends with.
const OTHER: &str = "-other";

/// At another time.
pub(super) fn at_time(question: &SealedQuestion, now: Timestamp) -> SealedQuestion {
    let mut question = SealedQuestion { now, ..question.clone() };
    if let Some(Value::Datetime(text)) = question.context.get_mut("now") {
        *text = now.to_string();
    }
    question
}

/// In another task.
pub(super) fn other_task(question: &SealedQuestion) -> SealedQuestion {
    let task = format!("{}{OTHER}", question.task);
    let mut question = SealedQuestion { task: task.as_str().into(), ..question.clone() };
    if let Some(Value::String(text)) = question.context.get_mut("task") {
        *text = task;
    }
    question
}

/// By a subject of which everything is true that is true of this one.
pub(super) fn other_subject(question: &SealedQuestion) -> SealedQuestion {
    let old = question.call.subject.clone();
    let mut question = question.clone();
    question.call.subject = double(&mut question, &old);
    if let Some(Value::Set(actors)) = question.context.get_mut("actors") {
        actors.retain(|actor| *actor != Value::String(old.to_string()));
        actors.push(Value::String(question.call.subject.to_string()));
        actors.sort();
    }
    question
}

/// On a resource of which everything is true that is true of the last one: its groups too.
pub(super) fn other_resource(question: &SealedQuestion) -> Option<SealedQuestion> {
    let mut question = question.clone();
    let old = question.call.resources.pop()?;
    let new = double(&mut question, &old);
    question.call.resources.push(new);
    Some(question)
}

/// On this resource alone.
pub(super) fn on(question: &SealedQuestion, resource: &EntityRef) -> SealedQuestion {
    let mut question = question.clone();
    question.call.resources = vec![resource.clone()];
    question
}

/// Adds an entity with another id and the same facts.
fn double(question: &mut SealedQuestion, of: &EntityRef) -> EntityRef {
    let new = EntityRef::new(of.kind.clone(), format!("{}{OTHER}", of.id));
    let facts = question.entities.iter().find(|fact| fact.uid == *of).cloned();
    question.entities.retain(|fact| fact.uid != new);
    question.entities.extend(facts.map(|mut fact| {
        fact.uid = new.clone();
        fact
    }));
    question.entities.sort_by(|a, b| a.uid.cmp(&b.uid));
    new
}

/// With arguments whose values do not matter, only that they are others.
pub(super) fn other_arguments(question: &SealedQuestion) -> SealedQuestion {
    with_digest(question, Digest::of(question.call.input_digest.to_string().as_bytes()))
}

/// With this value at this place of the arguments; a last member that is not there is added.
pub(super) fn with_argument(question: &SealedQuestion, at: &[String], value: Value) -> Option<SealedQuestion> {
    let mut changed = question.clone();
    let (last, before) = at.split_last()?;
    let record = before.iter().try_fold(changed.call.input.as_mut()?, |value, name| match value {
        Value::Record(members) => members.get_mut(name),
        _ => None,
    })?;
    let Value::Record(members) = record else { return None };
    members.insert(last.clone(), value);
    if changed.call.input == question.call.input {
        return Some(changed);
    }
    // Which digest it is does not matter here: it is one for these arguments and for no others.
    let digest = Digest::of_json(&changed.call.input).ok()?;
    Some(with_digest(&changed, digest))
}

fn with_digest(question: &SealedQuestion, digest: Digest) -> SealedQuestion {
    let mut question = question.clone();
    question.call.input_digest = digest;
    if let Some(Value::String(text)) = question.context.get_mut("input_digest") {
        *text = digest.to_string();
    }
    question
}

/// The argument at this place.
pub(super) fn argument<'a>(question: &'a SealedQuestion, at: &[String]) -> Option<&'a Value> {
    at.iter().try_fold(question.call.input.as_ref()?, |value, name| match value {
        Value::Record(members) => members.get(name),
        _ => None,
    })
}

/// The nearest other value of the same type, where there is one.
pub(super) fn other(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Bool(bool) => Value::Bool(!bool),
        Value::Long(long) if *long < LARGEST_INTEGER => Value::Long(long.checked_add(1)?),
        Value::Long(long) => Value::Long(long.checked_sub(1)?),
        Value::String(text) => Value::String(format!("{text}x")),
        Value::Entity(entity) => Value::Entity(EntityRef::new(entity.kind.clone(), format!("{}{OTHER}", entity.id))),
        _ => return None,
    })
}

/// A condition's value as an argument.
pub(super) fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(bool) => Value::Bool(*bool),
        Scalar::Long(long) => Value::Long(*long),
        Scalar::String(text) => Value::String(text.clone()),
        Scalar::Entity(entity) => Value::Entity(entity.clone()),
    }
}

/// A path with the last segment of `like`, in a folder.
pub(super) fn file_in(folder: &str, like: &str) -> Option<String> {
    let name = like.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("x");
    let path = if folder == "/" { format!("/{name}") } else { format!("{folder}/{name}") };
    is_normal_path(&path).then_some(path)
}

/// The folder that a path in normal form lies in.
pub(super) fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        (_, "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}
