//! The schema that `console/` is written in: the bundle's entities, our actions, and nothing of what agents do.

use policy_core::console::Act;
use serde_json::{Map, Value, json};

use crate::bundle::Config;

/// The type of the gate as a whole. Cedar lets no name of a namespace hide one that stands in none, so it is one that no
/// bundle has.
pub(crate) const GATE: &str = "Proviso::ThisGate";
/// What stands in a namespace for its actions: attributes may have their type.
const NO_ACTION: &str = "(none)";

/// The schema of `console/`, from the bundle's own with our fragment.
pub(crate) fn schema(whole: &Value, config: &Config) -> Value {
    let mut schema = whole.clone();
    for namespace in schema.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(actions) = namespace.get_mut("actions").and_then(Value::as_object_mut)
            && !actions.is_empty()
        {
            actions.clear();
            actions.insert(NO_ACTION.to_owned(), json!({}));
        }
    }
    let named = |name: &str| json!({"type": "EntityOrCommon", "name": name});
    let optional = |name: &str| json!({"type": "EntityOrCommon", "name": name, "required": false});
    let person = config.long(&config.types.person);
    let people = json!({"type": "Set", "element": {"type": "Entity", "name": person}});
    let context = json!({"type": "Record", "attributes": {
        "now": named("__cedar::datetime"), "assurance": named("__cedar::String"), "owners": people,
        "requester": {"type": "Entity", "name": person, "required": false},
        "action": optional("__cedar::String"), "tier": optional("__cedar::String"), "task": optional("__cedar::String"),
    }});
    let mut resources: Vec<String> = config.types.subjects.iter().map(|subject| config.long(subject)).collect();
    resources.push(GATE.to_owned());
    let applies = json!({"principalTypes": [person], "resourceTypes": resources, "context": context});
    let action = |act: Act| (act.word().to_owned(), json!({"appliesTo": applies}));
    let actions: Map<String, Value> = Act::ALL.into_iter().map(action).collect();
    if let Some(ours) = schema.get_mut("Proviso").and_then(Value::as_object_mut) {
        ours.insert("entityTypes".to_owned(), json!({"ThisGate": {}}));
        ours.insert("actions".to_owned(), Value::Object(actions));
    }
    schema
}
