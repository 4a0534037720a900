//! Where mapping a call ends: how many resources, how long an id, which paths, which names.

use super::*;

/// A bundle with a namespace, in which nothing needs facts.
fn small() -> Bundle {
    let schema = r#"namespace Acme {
        entity User, Agent, File, tool;
        action join, tool appliesTo { principal: [Agent], resource: [File], context: { input: {
            from?: Set<String>, into?: String, @path files?: Set<String>, deep?: { @path file?: String }, near?: Set<File> } } };
    }"#;
    let config = r#"
        namespace = "Acme"
        tiers = ["low"]
        step_ups = ["link"]
        [types]
        person = "User"
        subjects = ["Agent"]
        [[tool]]
        server = "disk"
        name = "join"
        action = "join"
        resource = "File"
        id = "from"
    "#;
    let files = [("schema.cedarschema", schema), ("bundle.toml", config)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

/// A tool's call by an agent that somebody names with the namespace.
fn call(input: Json) -> Ask {
    Ask { subject: EntityRef::new("Agent", "one"), chain: Vec::new(), ..ask("disk", "join", input) }
}

fn from(number: usize) -> Json {
    json!({"from": (0..number).map(|id| format!("f{id:03}")).collect::<Vec<_>>()})
}

fn refused(ask: &Ask) -> Option<Reason> {
    small().seal(ask).err().map(|error| error.reason)
}

#[test]
fn a_call_fans_out_to_as_many_resources_as_there_may_be() {
    for (number, expected) in [
        (0, Some(Reason::BadInput)),
        (1, None),
        (256, None),
        (257, Some(Reason::BadInput)),
        (300, Some(Reason::BadInput)),
    ] {
        assert_eq!(refused(&call(from(number))), expected, "{number} resources");
    }
    assert_eq!(small().seal(&call(from(256))).unwrap().call.resources.len(), 256);
}

#[test]
fn an_id_is_as_long_as_it_may_be() {
    for (length, expected) in [(4096, None), (4097, Some(Reason::BadInput)), (5000, Some(Reason::BadInput))] {
        let resource = EntityRef::new("File", "x".repeat(length));
        let direct = Ask { action: "join".into(), resource, ..call(json!({})) };
        assert_eq!(refused(&direct), expected, "{length} bytes");
        assert_eq!(refused(&call(json!({"from": ["x".repeat(length)]}))), expected, "{length} bytes");
    }
}

#[test]
fn only_a_tools_call_of_a_tool_is_mapped() {
    let id = || "join".to_owned();
    for (action, kind, mapped) in
        [("tools/call", "tool", true), ("tools/call", "File", false), ("join", "tool", false), ("tool", "File", false)]
    {
        let ask = Ask { action: action.into(), resource: EntityRef::new(kind, id()), ..call(from(2)) };
        let ids = small().seal(&ask).map(|question| question.call.resources.len());
        assert_eq!(ids == Ok(2), mapped, "{action} on a {kind}: {ids:?}");
    }
    let question =
        small().seal(&Ask { action: "tool".into(), resource: EntityRef::new("File", id()), ..call(from(2)) });
    assert_eq!(question.unwrap().call.resources, [EntityRef::new("File", "join")]);
}

#[test]
fn every_path_is_found_and_held_to_its_normal_form() {
    let with = |input: Json| Ask { action: "join".into(), resource: EntityRef::new("File", "a"), ..call(input) };
    let question = small().seal(&with(json!({"deep": {"file": "/a/b"}, "into": "/c", "files": ["/a", "/b"]}))).unwrap();
    assert_eq!(question.call.paths, [["deep", "file"]]);
    assert_eq!(refused(&with(json!({"deep": {"file": "/a/../b"}}))), Some(Reason::BadInput));
    assert_eq!(refused(&with(json!({"files": ["/a", "/a/../b"]}))), Some(Reason::BadInput));
}

#[test]
fn names_with_the_namespace_are_sealed_without_it() {
    let hop = |kind: &str| Hop { entity: EntityRef::new(kind, "two"), issuer: "gate".into() };
    let mut ask = call(from(1));
    ask.chain = vec![hop("Acme::Agent"), hop("Acme::User"), hop("Elsewhere::Agent")];
    ask.subject = EntityRef::new("Acme::Agent", "one");
    let question = small().seal(&ask).unwrap();
    assert_eq!(question.call.subject, EntityRef::new("Agent", "one"));
    assert_eq!(question.chain, [hop("Agent"), hop("User"), hop("Elsewhere::Agent")]);
}

#[test]
fn a_question_needs_as_many_entities_as_it_may() {
    let near = |number: usize| (0..number).map(|id| json!({"type": "File", "id": id.to_string()})).collect::<Vec<_>>();
    let with = |number: usize| {
        let resource = EntityRef::new("File", "a");
        Ask { action: "join".into(), resource, ..call(json!({"near": near(number)})) }
    };
    // The agent, its file, and those that the argument names.
    for (number, expected) in [(4_094, None), (4_095, Some(Reason::Limit)), (4_200, Some(Reason::Limit))] {
        assert_eq!(refused(&with(number)), expected, "{number} references");
    }
    assert_eq!(small().seal(&with(4_094)).unwrap().entities.len(), 4_096);
}
