//! `entities.json`: what is true of entities, in Cedar's JSON form.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use policy_core::json::{Limits, read};
use policy_core::question::EntityFact;
use serde_json::Value as Json;

use super::Rules;
use super::digest::ENTITIES;
use super::error::{BundleError, line_with};
use crate::cedar::BUNDLE;
use crate::typed::{self, Writer};

/// The largest `entities.json`, in bytes.
const LARGEST: usize = 64 << 20;

/// Reads the facts, by reference.
pub(crate) fn facts(text: &str, rules: &Rules) -> Result<BTreeMap<EntityRef, EntityFact>, BundleError> {
    let refuse = |near: &str, message: String| {
        let help = "one object for each entity: `uid`, `attrs`, `parents`, as Cedar's JSON form has them";
        BundleError::new(ENTITIES, line_with(text, near), "bad_entities", message, help)
    };
    let limits = Limits { max_bytes: LARGEST, ..Limits::DEFAULT };
    let json = read(text.as_bytes(), limits).map_err(|error| refuse("[", error.to_string()))?;
    let entities = json.as_array().ok_or_else(|| refuse("[", "the file is no array".to_owned()))?;
    let mut facts = BTreeMap::new();
    for entity in entities {
        let uid = entity.get("uid").and_then(|uid| typed::entity(uid, &rules.config));
        let uid = uid.ok_or_else(|| refuse("[", format!("an entity has no `uid`: {}", shorten(entity))))?;
        let near = format!("\"{}\"", uid.id);
        let shape = rules.types.get(&rules.config.long(&uid.kind));
        let shape =
            shape.ok_or_else(|| refuse(&near, format!("`{uid}` is of a type that the schema does not declare")))?;
        let empty = serde_json::Map::new();
        let attrs = match entity.get("attrs") {
            None => &empty,
            Some(attrs) => {
                attrs.as_object().ok_or_else(|| refuse(&near, format!("`attrs` of `{uid}` is no object")))?
            }
        };
        let attrs = typed::record(attrs, &shape.attributes, Writer::Bundle, &rules.config)
            .map_err(|misfit| refuse(&near, format!("`{}` of `{uid}` {}", misfit.at.join("."), misfit.what)))?;
        let mut parents = Vec::new();
        for parent in entity.get("parents").and_then(Json::as_array).into_iter().flatten() {
            let parent = typed::entity(parent, &rules.config);
            parents.push(parent.ok_or_else(|| refuse(&near, format!("a parent of `{uid}` is no reference")))?);
        }
        parents.sort();
        parents.dedup();
        if entity
            .as_object()
            .is_some_and(|members| members.keys().any(|key| !["uid", "attrs", "parents"].contains(&key.as_str())))
        {
            return Err(refuse(&near, format!("`{uid}` has members besides `uid`, `attrs` and `parents`")));
        }
        let fact = EntityFact { uid: uid.clone(), attrs, parents, source: BUNDLE.to_owned() };
        if facts.insert(uid.clone(), fact).is_some() {
            return Err(refuse(&near, format!("`{uid}` stands there twice")));
        }
    }
    Ok(facts)
}

fn shorten(json: &Json) -> String {
    json.to_string().chars().take(80).collect()
}
