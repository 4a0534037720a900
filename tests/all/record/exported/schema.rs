//! What OCSF 1.8.0 says of the classes and objects that an export uses: members with their types, which are required,
//! and which codes there are. Written down from the released schema (schema.ocsf.io/1.8.0); a member that is not here is
//! a fault, so that nothing is exported under a name that nobody checked.

use serde_json::Value;

/// What a member is.
enum Of {
    Text,
    Number,
    /// One of these codes.
    Code(&'static [u64]),
    Flag,
    Object(&'static Object),
    Objects(&'static Object),
    /// Anything: `json_t`, and what the schema leaves open.
    Open,
}

/// An object, or a class.
struct Object {
    members: &'static [(&'static str, Of)],
    required: &'static [&'static str],
    at_least_one: &'static [&'static str],
}

use Of::{Code, Flag, Number, Objects, Open, Text};

const POLICY: Object = Object {
    members: &[("uid", Text), ("name", Text), ("is_applied", Flag), ("version", Text)],
    required: &[],
    at_least_one: &["name", "uid"],
};
const AUTHORIZATION: Object =
    Object { members: &[("decision", Text), ("policy", Of::Object(&POLICY))], required: &[], at_least_one: &[] };
const PRODUCT: Object = Object {
    members: &[("name", Text), ("uid", Text), ("vendor_name", Text), ("version", Text)],
    required: &[],
    at_least_one: &["name", "uid"],
};
const METADATA: Object = Object {
    members: &[
        ("version", Text),
        ("product", Of::Object(&PRODUCT)),
        ("uid", Text),
        ("log_name", Text),
        ("sequence", Number),
        ("event_code", Text),
        ("original_time", Text),
        ("correlation_uid", Text),
        ("profiles", Open),
    ],
    required: &["product", "version"],
    at_least_one: &[],
};
const USER: Object = Object {
    members: &[("uid", Text), ("name", Text), ("type", Text), ("type_id", Code(&[0, 1, 2, 3, 4, 99]))],
    required: &[],
    at_least_one: &["account", "name", "uid"],
};
const SESSION: Object = Object { members: &[("uid", Text)], required: &[], at_least_one: &[] };
const ACTOR: Object = Object {
    members: &[("app_uid", Text), ("app_name", Text), ("user", Of::Object(&USER))],
    required: &[],
    at_least_one: &["process", "user", "invoked_by", "session", "app_name", "app_uid"],
};
const SERVICE: Object =
    Object { members: &[("name", Text), ("uid", Text)], required: &[], at_least_one: &["name", "uid"] };
const REQUEST: Object = Object { members: &[("uid", Text)], required: &["uid"], at_least_one: &[] };
const API: Object = Object {
    members: &[("operation", Text), ("service", Of::Object(&SERVICE)), ("request", Of::Object(&REQUEST))],
    required: &["operation"],
    at_least_one: &[],
};
const ENDPOINT: Object = Object {
    members: &[("uid", Text), ("name", Text)],
    required: &[],
    at_least_one: &["ip", "uid", "name", "hostname"],
};
const RESOURCE: Object =
    Object { members: &[("uid", Text), ("name", Text), ("type", Text)], required: &[], at_least_one: &["name", "uid"] };
const ENTITY: Object = Object {
    members: &[
        ("uid", Text),
        ("name", Text),
        ("type", Text),
        ("type_id", Code(&[0, 1, 2, 3, 4, 5, 6, 7, 99])),
        ("version", Text),
        ("policy", Of::Object(&POLICY)),
        ("data", Open),
    ],
    required: &[],
    at_least_one: &["name", "uid", "device", "group", "org", "policy", "user"],
};

/// What every class has.
const BASE: Object = Object {
    members: &[
        ("class_uid", Code(&[3002, 3004, 6003])),
        ("class_name", Text),
        ("category_uid", Code(&[3, 6])),
        ("category_name", Text),
        ("activity_id", Number),
        ("activity_name", Text),
        ("type_uid", Number),
        ("type_name", Text),
        ("time", Number),
        ("metadata", Of::Object(&METADATA)),
        ("severity_id", Code(&[0, 1, 2, 3, 4, 5, 6, 99])),
        ("status_id", Code(&[0, 1, 2, 99])),
        ("status_code", Text),
        ("message", Text),
        ("unmapped", Open),
        ("actor", Of::Object(&ACTOR)),
    ],
    required: &["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"],
    at_least_one: &[],
};
const API_ACTIVITY: Object = Object {
    members: &[
        ("api", Of::Object(&API)),
        ("src_endpoint", Of::Object(&ENDPOINT)),
        ("resources", Objects(&RESOURCE)),
        // The profile `security_control`.
        ("action_id", Code(&[0, 1, 2, 3, 4, 99])),
        ("action", Text),
        ("disposition_id", Code(&[0, 1, 2, 8, 14, 23, 24, 25, 26, 27, 99])),
        ("disposition", Text),
        ("authorizations", Objects(&AUTHORIZATION)),
        ("is_alert", Flag),
    ],
    required: &["actor", "api", "src_endpoint"],
    at_least_one: &[],
};
const AUTHENTICATION: Object = Object {
    members: &[
        ("user", Of::Object(&USER)),
        ("session", Of::Object(&SESSION)),
        ("service", Of::Object(&SERVICE)),
        ("auth_protocol", Text),
        ("auth_protocol_id", Code(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99])),
    ],
    required: &["user"],
    at_least_one: &["service", "dst_endpoint"],
};
const ENTITY_MANAGEMENT: Object =
    Object { members: &[("entity", Of::Object(&ENTITY)), ("comment", Text)], required: &["entity"], at_least_one: &[] };

/// What is wrong with an event; nothing where the schema knows all of it.
pub(super) fn faults(event: &Value) -> Vec<String> {
    let (class, activities): (&Object, &[u64]) = match event["class_uid"].as_u64() {
        Some(6003) => (&API_ACTIVITY, &[0, 1, 2, 3, 4, 99]),
        Some(3002) => (&AUTHENTICATION, &[0, 1, 2, 3, 4, 5, 6, 7, 99]),
        Some(3004) => (&ENTITY_MANAGEMENT, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99]),
        _ => return vec!["no class of ours".to_owned()],
    };
    let mut found = Vec::new();
    hold(event, &[&BASE, class], "", &mut found);
    let number = |name: &str| event[name].as_u64().unwrap_or_default();
    if number("type_uid") != number("class_uid") * 100 + number("activity_id") {
        found.push("type_uid".to_owned());
    }
    if number("category_uid") != number("class_uid") / 1000 || !activities.contains(&number("activity_id")) {
        found.push("category_uid or activity_id".to_owned());
    }
    if event["metadata"]["version"] != "1.8.0" {
        found.push("metadata.version".to_owned());
    }
    // A profile's members are there only where the event says that it follows it.
    let profiled = event["metadata"]["profiles"].as_array().is_some_and(|all| all.contains(&"security_control".into()));
    if event.get("action_id").is_some() != profiled {
        found.push("metadata.profiles".to_owned());
    }
    found
}

fn hold(value: &Value, kinds: &[&Object], at: &str, found: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        found.push(format!("{at} is no object"));
        return;
    };
    let known = |name: &str| kinds.iter().flat_map(|kind| kind.members).find(|(member, _)| *member == name);
    for kind in kinds {
        found.extend(
            kind.required
                .iter()
                .filter(|name| !members.contains_key(**name))
                .map(|name| format!("{at}.{name} is missing")),
        );
        if !kind.at_least_one.is_empty() && !kind.at_least_one.iter().any(|name| members.contains_key(*name)) {
            found.push(format!("{at} has none of {:?}", kind.at_least_one));
        }
    }
    for (name, member) in members {
        let at = format!("{at}.{name}");
        let fits = match known(name).map(|(_, of)| of) {
            None => false,
            Some(Text) => member.is_string(),
            Some(Number) => member.is_u64(),
            Some(Code(codes)) => member.as_u64().is_some_and(|code| codes.contains(&code)),
            Some(Flag) => member.is_boolean(),
            Some(Open) => true,
            Some(Of::Object(kind)) => {
                hold(member, &[*kind], &at, found);
                true
            }
            Some(Objects(kind)) => {
                member.as_array().into_iter().flatten().for_each(|item| hold(item, &[*kind], &at, found));
                member.is_array()
            }
        };
        if !fits {
            found.push(format!("{at} is not of the schema: {member}"));
        }
    }
}
