//! JSON to tagged values, led by the schema's types.

use std::collections::BTreeMap;

use policy_core::containment::is_normal_path;
use policy_core::entity::EntityRef;
use policy_core::json::LARGEST_INTEGER;
use policy_core::record::Record;
use policy_core::value::Value;
use serde_json::Value as Json;

use crate::bundle::Config;
use crate::bundle::types::{Member, Type};

/// What does not fit, and where: member names from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) at: Vec<String>,
    pub(crate) what: &'static str,
}

impl Misfit {
    const fn here(what: &'static str) -> Self {
        Self { at: Vec::new(), what }
    }

    fn under(mut self, name: &str) -> Self {
        self.at.insert(0, name.to_owned());
        self
    }
}

/// Who wrote the JSON: it decides which forms are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// `entities.json`, in Cedar's JSON form.
    Bundle,
    /// A caller: arguments and claims.
    Caller,
}

/// Reads a record. A member that is not declared does not fit; `null` is absent.
pub(crate) fn record(
    json: &serde_json::Map<String, Json>,
    members: &BTreeMap<String, Member>,
    writer: Writer,
    config: &Config,
) -> Result<Record, Misfit> {
    let mut record = Record::new();
    for (name, json) in json {
        let member = members.get(name).ok_or_else(|| Misfit::here("is not declared").under(name))?;
        if json.is_null() && writer == Writer::Caller {
            continue;
        }
        let value = value(json, &member.of, writer, config).map_err(|misfit| misfit.under(name))?;
        if member.path && !paths_are_normal(&value) {
            return Err(Misfit::here("is no absolute path in normal form").under(name));
        }
        record.insert(name.clone(), value);
    }
    let missing = members.iter().find(|(name, member)| member.required && !record.contains_key(name));
    match missing {
        Some((name, _)) => Err(Misfit::here("is missing").under(name)),
        None => Ok(record),
    }
}

fn paths_are_normal(value: &Value) -> bool {
    match value {
        Value::String(path) => is_normal_path(path),
        Value::Set(paths) => paths.iter().all(paths_are_normal),
        _ => false,
    }
}

/// Reads a value of this type.
pub(crate) fn value(json: &Json, of: &Type, writer: Writer, config: &Config) -> Result<Value, Misfit> {
    let wrong = |what| Err(Misfit::here(what));
    match (of, json) {
        (Type::Bool, Json::Bool(bool)) => Ok(Value::Bool(*bool)),
        (Type::Long, Json::Number(number)) => match long(number) {
            Some(long) => Ok(Value::Long(long)),
            None => wrong("is no whole number from -(2^53-1) to 2^53-1"),
        },
        (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Type::Decimal, Json::Number(number)) => match decimal(number) {
            Some(text) => Ok(Value::Decimal(text)),
            None => wrong("has more than four digits behind the point"),
        },
        (Type::Datetime | Type::Duration | Type::Decimal | Type::Ipaddr, json) => match extension(json, writer) {
            Some(text) => Ok(match of {
                Type::Datetime => Value::Datetime(text),
                Type::Duration => Value::Duration(text),
                Type::Decimal => Value::Decimal(text),
                _ => Value::Ipaddr(text),
            }),
            None => wrong("is no text of the declared type"),
        },
        (Type::Entity(kind), Json::Object(_)) => match entity(json, config) {
            Some(uid) if config.long(&uid.kind) == *kind => Ok(Value::Entity(uid)),
            _ => wrong("is no entity of the declared type"),
        },
        (Type::Set(element), Json::Array(items)) => {
            let read = items.iter().map(|item| self::value(item, element, writer, config));
            let mut items = read.collect::<Result<Vec<_>, _>>()?;
            items.sort();
            items.dedup();
            Ok(Value::Set(items))
        }
        (Type::Record(members), Json::Object(json)) => Ok(Value::Record(record(json, members, writer, config)?)),
        _ => wrong("is not of the declared type"),
    }
}

/// A whole number inside ±(2⁵³−1), also where it is written with a fraction of zero.
fn long(number: &serde_json::Number) -> Option<i64> {
    let long = match number.as_i64() {
        Some(long) => long,
        None => {
            let float = number.as_f64()?;
            let text = if float.fract() == 0.0 { format!("{float:.0}") } else { String::new() };
            text.parse().ok()?
        }
    };
    (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&long).then_some(long)
}

/// A number as Cedar's decimal, when four digits behind the point hold it exactly.
fn decimal(number: &serde_json::Number) -> Option<String> {
    if let Some(long) = long(number) {
        return Some(format!("{long}.0"));
    }
    let text = number.as_f64()?.to_string();
    let (_, behind) = text.split_once('.')?;
    (behind.len() <= 4 && behind.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn extension(json: &Json, writer: Writer) -> Option<String> {
    match (json, writer) {
        (Json::String(text), _) => Some(text.clone()),
        (Json::Object(object), Writer::Bundle) => {
            let call = object.get("__extn").unwrap_or(json);
            call.get("arg")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// Reads `{"type", "id"}`, or Cedar's `{"__entity": {…}}`. The name is given as sealed questions have it.
pub(crate) fn entity(json: &Json, config: &Config) -> Option<EntityRef> {
    let json = json.get("__entity").unwrap_or(json).as_object()?;
    let (kind, id) = (json.get("type")?.as_str()?, json.get("id")?.as_str()?);
    (json.len() == 2).then(|| EntityRef::new(config.short(kind), id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_fit_as_cedar_holds_them() {
        for (text, expected) in [
            ("3", Some(3)),
            ("-3.0", Some(-3)),
            ("1e3", Some(1000)),
            ("9007199254740991", Some(9_007_199_254_740_991)),
            ("9007199254740992", None),
            ("1.5", None),
            ("18446744073709551615", None),
        ] {
            let number: serde_json::Number = serde_json::from_str(text).unwrap();
            assert_eq!(long(&number), expected, "{text}");
        }
        for (text, expected) in [
            ("1.5", Some("1.5")),
            ("1", Some("1.0")),
            ("0.1234", Some("0.1234")),
            ("0.12345", None),
            ("-2.5", Some("-2.5")),
        ] {
            let number: serde_json::Number = serde_json::from_str(text).unwrap();
            assert_eq!(decimal(&number).as_deref(), expected, "{text}");
        }
    }

    fn config() -> Config {
        let text = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
        Config::read(text).unwrap()
    }

    #[test]
    fn texts_are_read_as_the_type_that_is_declared_and_calls_from_a_bundle_only() {
        let call = || json!({"__extn": {"fn": "decimal", "arg": "1.5"}});
        let bare = || json!({"fn": "decimal", "arg": "1.5"});
        let read = |json: Json, of: Type, writer| value(&json, &of, writer, &config()).ok();
        for (of, expected) in [
            (Type::Decimal, Value::Decimal("1.5".into())),
            (Type::Datetime, Value::Datetime("1.5".into())),
            (Type::Duration, Value::Duration("1.5".into())),
            (Type::Ipaddr, Value::Ipaddr("1.5".into())),
        ] {
            for (json, writer, fits) in [
                (json!("1.5"), Writer::Caller, true),
                (json!("1.5"), Writer::Bundle, true),
                (call(), Writer::Bundle, true),
                (bare(), Writer::Bundle, true),
                (call(), Writer::Caller, false),
                (bare(), Writer::Caller, false),
                (json!(true), Writer::Bundle, false),
            ] {
                let expected = fits.then(|| expected.clone());
                assert_eq!(read(json.clone(), of.clone(), writer), expected, "{json} of {writer:?} as {of:?}");
            }
        }
    }

    #[test]
    fn an_entity_is_of_the_declared_type() {
        let read = |json: Json| value(&json, &Type::Entity("User".into()), Writer::Caller, &config()).ok();
        let ines = Value::Entity(EntityRef::new("User", "ines"));
        assert_eq!(read(json!({"type": "User", "id": "ines"})), Some(ines.clone()));
        assert_eq!(read(json!({"__entity": {"type": "User", "id": "ines"}})), Some(ines));
        assert_eq!(read(json!({"type": "Agent", "id": "ines"})), None);
        assert_eq!(read(json!({"type": "User", "id": "ines", "as": "root"})), None);
        assert_eq!(read(json!("ines")), None);
    }
}
