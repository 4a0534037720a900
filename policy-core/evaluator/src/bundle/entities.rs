//! `entities.json`: what is true of entities, in Cedar's JSON form. Every error names the line of its own entity.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::json::{Limits, read};
use policy_core::question::EntityFact;
use serde_json::Value as Json;

use super::Rules;
use super::digest::ENTITIES;
use super::error::{BundleError, line_of};
use super::place::elements;
use crate::cedar::{self, BUNDLE};
use crate::typed::{self, Writer};

/// The largest `entities.json`, in bytes.
const LARGEST: usize = 64 << 20;

/// Reads the facts, by reference, and holds each against the schema.
pub(crate) fn facts(text: &str, rules: &Rules) -> Result<BTreeMap<EntityRef, EntityFact>, BundleError> {
    let json = read(text.as_bytes(), Limits { max_bytes: LARGEST, ..Limits::DEFAULT });
    let json = json.map_err(|error| {
        let line = error.position().map_or(1, |offset| line_of(text, offset));
        refuse(line, error.to_string())
    })?;
    let entities = json.as_array().ok_or_else(|| refuse(1, "the file is no array".to_owned()))?;
    let mut facts = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for (number, entity) in entities.iter().enumerate() {
        let fact = fact(entity, rules).map_err(|wrong| wrong.at(text, number))?;
        let uid = fact.uid.clone();
        if facts.insert(uid.clone(), fact).is_some() {
            return Err(Wrong::here(format!("`{uid}` stands there twice")).at(text, number));
        }
        numbers.insert(uid, number);
    }
    if let Err(whole) = cedar::entities(rules, &facts.values().cloned().collect::<Vec<_>>()) {
        let alone = facts.values().find_map(|fact| {
            let unfit = cedar::entities(rules, std::slice::from_ref(fact)).err()?;
            Some((&fact.uid, unfit))
        });
        let (uid, unfit) = match alone {
            Some((uid, unfit)) => (Some(uid), unfit),
            // Each by itself fits: their parents lead round to where they began.
            None => (on_a_circle(&facts), whole),
        };
        let name = uid.map_or_else(|| "an entity".to_owned(), |uid| format!("`{uid}`"));
        let number = uid.and_then(|uid| numbers.get(uid)).copied().unwrap_or_default();
        return Err(Wrong::here(format!("{name} does not fit the schema: {}", unfit.says)).at(text, number));
    }
    Ok(facts)
}

/// What is wrong with an entity, and with which of its members.
struct Wrong {
    message: String,
    member: Option<String>,
}

impl Wrong {
    const fn here(message: String) -> Self {
        Self { message, member: None }
    }

    /// As an error at the entity with this number.
    fn at(self, text: &str, number: usize) -> BundleError {
        let elements = elements(text);
        let element = elements.get(number);
        let line =
            element.map_or(1, |element| self.member.map_or_else(|| element.line(), |name| element.literal(&name)));
        refuse(line, self.message)
    }
}

fn refuse(line: u32, message: String) -> BundleError {
    let help = "one object for each entity: `uid`, `attrs`, `parents`, as Cedar's JSON form has them and the schema \
                declares their types";
    BundleError::new(ENTITIES, line, "bad_entities", message, help)
}

fn fact(entity: &Json, rules: &Rules) -> Result<EntityFact, Wrong> {
    let uid = entity.get("uid").and_then(|uid| typed::entity(uid, &rules.config));
    let uid = uid.ok_or_else(|| Wrong::here(format!("an entity has no `uid`: {}", shorten(entity))))?;
    let shape = rules.types.get(&rules.config.long(&uid.kind));
    let shape = shape.ok_or_else(|| Wrong::here(format!("`{uid}` is of a type that the schema does not declare")))?;
    let empty = serde_json::Map::new();
    let attrs = match entity.get("attrs") {
        None => &empty,
        Some(attrs) => attrs.as_object().ok_or_else(|| Wrong::here(format!("`attrs` of `{uid}` is no object")))?,
    };
    let attrs = typed::record(attrs, &shape.attributes, Writer::Bundle, &rules.config).map_err(|misfit| {
        let message = format!("`{}` of `{uid}` {}", misfit.at.join("."), misfit.what);
        Wrong { message, member: misfit.at.last().cloned() }
    })?;
    let mut parents = Vec::new();
    for parent in entity.get("parents").and_then(Json::as_array).into_iter().flatten() {
        let parent = typed::entity(parent, &rules.config);
        parents.push(parent.ok_or_else(|| Wrong::here(format!("a parent of `{uid}` is no reference")))?);
    }
    parents.sort();
    parents.dedup();
    let known = |key: &String| ["uid", "attrs", "parents"].contains(&key.as_str());
    if entity.as_object().is_some_and(|members| !members.keys().all(known)) {
        return Err(Wrong::here(format!("`{uid}` has members besides `uid`, `attrs` and `parents`")));
    }
    Ok(EntityFact { uid, attrs, parents, source: BUNDLE.into() })
}

/// An entity whose parents lead back to it, where there is one.
fn on_a_circle(facts: &BTreeMap<EntityRef, EntityFact>) -> Option<&EntityRef> {
    // Whatever has no parent among those that are left lies on no circle.
    let mut left: BTreeMap<&EntityRef, &EntityFact> = facts.iter().collect();
    loop {
        let before = left.len();
        let known: BTreeSet<&EntityRef> = left.keys().copied().collect();
        left.retain(|_, fact| fact.parents.iter().any(|parent| known.contains(parent)));
        if left.len() == before {
            break;
        }
    }
    // All that are left lead to a circle: as many steps up as there are of them end on it.
    let mut here = *left.keys().next()?;
    for _ in 0..left.len() {
        here = left.get(here)?.parents.iter().find_map(|parent| Some(*left.get_key_value(parent)?.0))?;
    }
    Some(here)
}

fn shorten(json: &Json) -> String {
    json.to_string().chars().take(80).collect()
}
