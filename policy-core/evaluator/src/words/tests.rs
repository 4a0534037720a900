//! Words and lists of a bundle with a namespace, where every kind of argument, secret and owner occurs.

use policy_core::question::Purpose;
use policy_core::time::Timestamp;
use serde_json::json;

use super::*;
use crate::seal::{Ask, Claimed};

const ENTITIES: &str = r#"[
  {"uid": {"type": "Acme::Group", "id": "all"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Acme::Group", "id": "finance"}, "attrs": {}, "parents": [{"type": "Acme::Group", "id": "all"}]},
  {"uid": {"type": "Acme::Group", "id": "ops"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Acme::User", "id": "ines"}, "attrs": {}, "parents": [{"type": "Acme::Group", "id": "finance"}, {"type": "Acme::Group", "id": "ops"}]},
  {"uid": {"type": "Acme::User", "id": "tom"}, "attrs": {}, "parents": [{"type": "Acme::Group", "id": "ops"}]},
  {"uid": {"type": "Acme::Agent", "id": "one"}, "attrs": {"held_by": [{"__entity": {"type": "Acme::User", "id": "tom"}}, {"__entity": {"type": "Acme::User", "id": "ines"}}]}, "parents": []},
  {"uid": {"type": "Acme::Agent", "id": "free"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Acme::Robot", "id": "arm"}, "attrs": {"held_by": {"__entity": {"type": "Acme::User", "id": "tom"}}}, "parents": []}
]"#;

fn bundle() -> Bundle {
    let schema = r#"namespace Acme {
        entity Group in [Group];
        entity User in [Group];
        entity Agent = { held_by?: Set<User> };
        entity Robot = { held_by?: User };
        entity File, Note;
        type Args = {
            flag?: Bool, rows?: Long, memo?: String, who?: User, tags?: Set<String>, day?: datetime, hold?: duration,
            share?: decimal, source?: ipaddr, deep?: { n?: Long, @secret pin?: String },
            @secret token?: String, @secret vault?: { key?: String }, keys?: Set<{ @secret key: String }>,
        };
        @says("{subject} posts {rows} rows and {deep.n} to {resource}; {missing}")
        @effect("money, files,money")
        @reversible("for a day")
        @sum("deep.n")
        action post appliesTo { principal: [Agent, Robot], resource: [File], context: { input: Args } };
        @effect("files")
        action read appliesTo { principal: [Agent], resource: [File] };
        @reversible("no")
        action note appliesTo { principal: [Agent], resource: [Note] };
    }"#;
    let config = r#"
        namespace = "Acme"
        owner = "held_by"
        tiers = ["low"]
        step_ups = ["link"]
        [types]
        person = "User"
        subjects = ["Agent", "Acme::Robot"]
        [[tool]]
        server = "disk"
        name = "write"
        action = "post"
        resource = "File"
        fixed = "a"
        [[tool]]
        server = "clock"
        name = "tick"
        action = "read"
        resource = "File"
        fixed = "b"
    "#;
    let files = [("schema.cedarschema", schema), ("bundle.toml", config), ("entities.json", ENTITIES)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

fn question(action: &str, input: Option<Json>) -> SealedQuestion {
    let ask = Ask {
        purpose: Purpose::Question,
        subject: EntityRef::new("Agent", "one"),
        task: "T-1".into(),
        chain: Vec::new(),
        enforcement_point: None,
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: action.into(),
        resource: EntityRef::new("File", "/a"),
        input,
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_000_000),
        done: std::collections::BTreeSet::new(),
    };
    bundle().seal(&ask).unwrap()
}

fn lines(input: Json) -> Vec<(String, String)> {
    let lines = bundle().argument_lines(&question("post", Some(input)));
    lines.into_iter().map(|line| (line.at.join("."), line.text)).collect()
}

fn ids(entities: Vec<EntityRef>) -> Vec<String> {
    entities.into_iter().map(|uid| uid.to_string()).collect()
}

#[test]
fn a_sentence_is_filled_in_once() {
    let says = |input: Json| bundle().says(&question("post", Some(input)));
    assert_eq!(
        says(json!({"rows": 3, "deep": {"n": 4}})),
        "\"one\" posts 3 rows and 4 to \"/a\"; nothing",
        "every place is filled"
    );
    assert_eq!(says(json!({})), "\"one\" posts nothing rows and nothing to \"/a\"; nothing");
    assert_eq!(bundle().says(&question("read", None)), "read on \"/a\"");
}

#[test]
fn an_action_does_what_its_annotations_say() {
    assert_eq!(bundle().effects("post"), ["files", "money", "reversible: for a day"]);
    assert_eq!(bundle().effects("read"), ["files"]);
    assert_eq!(bundle().effects("note"), ["not reversible"]);
    assert!(bundle().effects("burn").is_empty());
}

#[test]
fn every_kind_of_argument_is_told_as_it_came() {
    let input = json!({
        "flag": true, "rows": 3, "memo": "a\"b", "who": {"type": "User", "id": "ines"}, "tags": ["b", "a"],
        "day": "2026-11-22", "hold": "1h", "share": "0.5", "source": "10.0.0.1", "deep": {"n": 4},
    });
    let expected = [
        ("day", "\"2026-11-22\""),
        ("deep.n", "4"),
        ("flag", "true"),
        ("hold", "\"1h\""),
        ("memo", "\"a\\\"b\""),
        ("rows", "3"),
        ("share", "\"0.5\""),
        ("source", "\"10.0.0.1\""),
        ("tags", "[\"a\",\"b\"]"),
        ("who", "\"User::ines\""),
    ];
    assert_eq!(lines(input), expected.map(|(at, text)| (at.to_owned(), text.to_owned())));
}

#[test]
fn a_secret_is_told_as_its_length_wherever_it_stands() {
    let input = json!({
        "token": "four", "vault": {"key": "k"}, "keys": [{"key": "k"}], "deep": {"n": 1, "pin": "12"},
    });
    let secret = |at: &str, length: usize| (at.to_owned(), format!("secret, {length} characters as JSON"));
    let expected = [
        ("deep.n".to_owned(), "1".to_owned()),
        secret("deep.pin", "\"12\"".len()),
        secret("keys", r#"[{"key":"k"}]"#.len()),
        secret("token", "\"four\"".len()),
        secret("vault", r#"{"key":"k"}"#.len()),
    ];
    assert_eq!(lines(input), expected);
    let secrets: Vec<String> = bundle().secrets("post").into_iter().map(|at| at.join(".")).collect();
    assert_eq!(secrets, ["deep.pin", "keys", "token", "vault"]);
    assert!(bundle().secrets("read").is_empty());
}

#[test]
fn a_sum_is_of_a_place_in_the_arguments() {
    assert_eq!(bundle().sum_argument("post"), Some(vec!["deep".to_owned(), "n".to_owned()]));
    assert_eq!(bundle().sum_argument("read"), None);
    assert_eq!(bundle().sum_argument("burn"), None);
}

#[test]
fn who_is_known_and_who_owns_whom() {
    let bundle = bundle();
    let owners = |kind: &str, id: &str| ids(bundle.owners(&EntityRef::new(kind, id)));
    assert_eq!(owners("Agent", "one"), ["User::ines", "User::tom"]);
    assert_eq!(owners("Acme::Agent", "one"), ["User::ines", "User::tom"]);
    assert_eq!(owners("Robot", "arm"), ["User::tom"]);
    for (kind, id) in [("Agent", "free"), ("Agent", "stranger"), ("User", "ines")] {
        assert!(owners(kind, id).is_empty(), "{kind}::{id}");
    }
    assert_eq!(ids(bundle.people()), ["User::ines", "User::tom"]);
    assert_eq!(ids(bundle.subjects()), ["Agent::free", "Agent::one", "Robot::arm"]);
    assert!(bundle.knows(&EntityRef::new("Acme::User", "ines")) && bundle.knows(&EntityRef::new("User", "ines")));
    assert!(!bundle.knows(&EntityRef::new("User", "one")));
}

#[test]
fn members_are_those_inside_directly_or_through_another_group() {
    let members = |id: &str| ids(bundle().members_of(&EntityRef::new("Group", id)));
    assert_eq!(members("all"), ["Group::finance", "User::ines"]);
    assert_eq!(members("finance"), ["User::ines"]);
    assert_eq!(members("ops"), ["User::ines", "User::tom"]);
    assert!(members("none").is_empty());
    assert_eq!(ids(bundle().members_of(&EntityRef::new("Acme::Group", "finance"))), ["User::ines"]);
}

#[test]
fn a_person_is_in_a_group_directly_or_through_another() {
    let is_in = |id: &str, group: &str| bundle().is_in(&EntityRef::new("User", id), group);
    assert!(is_in("ines", "finance") && is_in("ines", "all") && is_in("tom", "ops"));
    assert!(!is_in("tom", "finance") && !is_in("ines", "none") && !is_in("stranger", "ops"));
}

#[test]
fn tools_and_actions_are_listed_in_order() {
    let pair = |server: &str, name: &str| (server.to_owned(), name.to_owned());
    assert_eq!(bundle().tools(), [pair("clock", "tick"), pair("disk", "write")]);
    for (subject, resource, expected) in [
        ("Agent", "File", &["post", "read"][..]),
        ("Acme::Agent", "Acme::Note", &["note"]),
        ("Robot", "File", &["post"]),
        ("Robot", "Note", &[]),
        ("User", "File", &["approve"]),
        ("File", "File", &[]),
    ] {
        assert_eq!(bundle().actions_for(subject, resource), expected, "{subject} on {resource}");
    }
}
