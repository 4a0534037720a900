//! Whether an event is what the released schema of OCSF 1.8.0 says: every member known, of its type, with a code that there
//! is, under a profile that the event follows; what must be there is there. The schema is an excerpt of the release's own
//! files, made by `tests/fixtures/ocsf/excerpt.py`.

use std::sync::OnceLock;

use serde_json::Value;

/// The excerpt.
fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let schema: Value = serde_json::from_str(include_str!("../../../fixtures/ocsf/schema.json")).expect("JSON");
        assert_eq!(schema["version"], "1.8.0");
        schema
    })
}

/// What is wrong with an event; nothing where the schema knows all of it.
pub(super) fn faults(event: &Value) -> Vec<String> {
    let classes = schema()["classes"].as_object().expect("classes");
    let Some((name, class)) = classes.iter().find(|(_, class)| class["uid"] == event["class_uid"]) else {
        return vec![format!("no class of the excerpt: {}", event["class_uid"])];
    };
    let profiles: Vec<&str> =
        event["metadata"]["profiles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Vec::new();
    hold(event, class, &profiles, name, &mut found);
    let number = |name: &str| event[name].as_u64().unwrap_or_default();
    if number("type_uid") != number("class_uid") * 100 + number("activity_id") {
        found.push("type_uid is not of class and activity".to_owned());
    }
    if event["metadata"]["version"] != schema()["version"] {
        found.push("metadata.version".to_owned());
    }
    // A profile that is named and whose members are not there says nothing.
    for profile in &profiles {
        let members = class["members"].as_object().expect("members");
        if !members.iter().any(|(name, of)| of["profile"] == **profile && event.get(name).is_some()) {
            found.push(format!("nothing of the profile `{profile}`"));
        }
    }
    found
}

/// An object, or an event, against what the schema says of it.
fn hold(value: &Value, kind: &Value, profiles: &[&str], at: &str, found: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        found.push(format!("{at} is no object"));
        return;
    };
    let known = kind["members"].as_object().expect("members");
    for (name, of) in known {
        // What a profile demands is demanded of those who follow it.
        let followed = of["profile"].as_str().is_none_or(|profile| profiles.contains(&profile));
        if of["required"] == true && followed && !members.contains_key(name) {
            found.push(format!("{at}.{name} is missing"));
        }
        if members.contains_key(name) && !followed {
            found.push(format!("{at}.{name} is of the profile {}, which the event does not name", of["profile"]));
        }
    }
    for (rule, fits) in [("at_least_one", (|count| count >= 1) as fn(usize) -> bool), ("just_one", |count| count == 1)]
    {
        let names = kind[rule].as_array().map_or(&[][..], Vec::as_slice);
        let there = names.iter().filter(|name| name.as_str().is_some_and(|name| members.contains_key(name))).count();
        if !names.is_empty() && !fits(there) {
            found.push(format!("{at} has {there} of {names:?}, not {rule}"));
        }
    }
    for (name, member) in members {
        let at = format!("{at}.{name}");
        match known.get(name) {
            None => found.push(format!("{at} is not of the schema: {member}")),
            Some(of) if of["array"] == true => match member.as_array() {
                Some(items) => items.iter().for_each(|item| hold_member(item, of, profiles, &at, found)),
                None => found.push(format!("{at} is no array: {member}")),
            },
            Some(of) => hold_member(member, of, profiles, &at, found),
        }
    }
}

fn hold_member(member: &Value, of: &Value, profiles: &[&str], at: &str, found: &mut Vec<String>) {
    let kind = of["type"].as_str().expect("a type");
    let simple = &schema()["types"][kind];
    if !simple.is_null() {
        if !is(member, simple) {
            found.push(format!("{at} is no {kind}: {member}"));
        }
    } else if kind != "object" {
        // `object` is what the schema leaves open.
        match schema()["objects"].get(kind) {
            Some(kind) => hold(member, kind, profiles, at, found),
            None => found.push(format!("{at} is a `{kind}`, which the excerpt does not hold")),
        }
    }
    if let Some(codes) = of["codes"].as_array() {
        let code = member.as_str().map_or_else(|| member.to_string(), str::to_owned);
        if !codes.iter().any(|known| *known == *code) {
            found.push(format!("{at} has no code {code}"));
        }
    }
}

/// Whether a value is of a simple type.
fn is(value: &Value, simple: &Value) -> bool {
    // A pattern or a range would have to be held, too: nothing of ours has one.
    if simple.get("regex").is_some() || simple.get("range").is_some() {
        return false;
    }
    match simple["base"].as_str() {
        Some("string_t") => value
            .as_str()
            .is_some_and(|text| simple["max_len"].as_u64().is_none_or(|most| text.chars().count() as u64 <= most)),
        Some("integer_t") => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Some("long_t") => value.is_i64(),
        Some("float_t") => value.is_number(),
        Some("boolean_t") => value.is_boolean(),
        Some("json_t") => true,
        other => panic!("a type of the base {other:?}"),
    }
}

/// What is wrong with an event.
type Change = fn(&mut Value);

#[test]
fn what_the_schema_does_not_know_is_found() {
    let event = serde_json::json!({
        "class_uid": 3002, "class_name": "Authentication", "category_uid": 3,
        "category_name": "Identity & Access Management", "activity_id": 1, "activity_name": "Logon", "type_uid": 300_201,
        "type_name": "Authentication: Logon", "time": 1_764_000_000_000_i64, "severity_id": 1,
        "metadata": {"version": "1.8.0", "product": {"name": "Proviso"}},
        "user": {"uid": "User::mara"}, "service": {"name": "Proviso"},
    });
    assert_eq!(faults(&event), Vec::<String>::new());
    let changes: [(&str, Change); 14] = [
        ("no class", |event| event["class_uid"] = 9999.into()),
        ("a member of another class", |event| event["entity"] = serde_json::json!({"uid": "x"})),
        ("a member of nobody", |event| event["proviso"] = 1.into()),
        ("a member of nobody, inside", |event| event["user"]["shoe_size"] = 44.into()),
        ("text for a number", |event| event["severity_id"] = "1".into()),
        ("a code that there is not", |event| event["severity_id"] = 7.into()),
        ("a category of another class", |event| event["category_uid"] = 6.into()),
        ("a type of another activity", |event| event["type_uid"] = 300_202.into()),
        ("one for many", |event| event["metadata"]["profiles"] = "host".into()),
        ("a profile without its members", |event| event["metadata"]["profiles"] = serde_json::json!(["cloud"])),
        ("a profile's member without it", |event| event["disposition_id"] = 1.into()),
        ("nothing that must be", |event| drop(event.as_object_mut().unwrap().remove("user"))),
        ("none of which one must be", |event| drop(event.as_object_mut().unwrap().remove("service"))),
        ("another release", |event| event["metadata"]["version"] = "1.7.0".into()),
    ];
    for (what, change) in changes {
        let mut changed = event.clone();
        change(&mut changed);
        assert!(!faults(&changed).is_empty(), "{what}");
    }
}
