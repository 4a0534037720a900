//! What a caller says of the context and the action: believed where `bundle.toml` lists it, and never of what the gate
//! sets.

use super::*;

fn listing() -> Bundle {
    let schema = r#"
        entity User, Agent;
        entity File = { open?: Bool };
        action read appliesTo { principal: [Agent], resource: [File], context: {
            now: datetime, task: String, ticket?: String, count?: Long, action_properties?: { soft?: Bool },
            requested?: Proviso::Requested, input: { rows?: Long, near?: File } } };
    "#;
    let config = r#"
        tiers = ["low"]
        step_ups = ["link"]
        [types]
        person = "User"
        subjects = ["Agent"]
        [claims.File]
        names = ["open"]
        enforcement_points = ["gateway"]
        [context_claims]
        names = ["now", "task", "ticket", "action_properties", "requested", "input", "undeclared"]
        enforcement_points = ["gateway"]
    "#;
    let files = [("schema.cedarschema", schema), ("bundle.toml", config)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

/// A read that says something of everything, asked by this enforcement point.
fn saying(enforcement_point: Option<&str>) -> Ask {
    let mut ask = Ask {
        subject: EntityRef::new("Agent", "one"),
        chain: Vec::new(),
        enforcement_point: enforcement_point.map(Into::into),
        action: "read".into(),
        resource: EntityRef::new("File", "a"),
        ..ask("disk", "", json!({"rows": 1}))
    };
    ask.claims.context = json!({
        "now": "1970-01-01T00:00:00Z", "task": "T-2", "ticket": "OPS-1", "count": 3, "undeclared": true,
        "input": {"rows": 2},
        "requested": {
            "duration": "1h", "uses": 1, "held_grants": 0, "held_uses": 0, "held_sum": 0, "emergency": false, "sum": 0,
        },
    })
    .as_object()
    .unwrap()
    .clone();
    ask.claims.action = json!({"soft": true}).as_object().unwrap().clone();
    ask
}

#[test]
fn a_listed_member_is_believed_of_a_listed_enforcement_point_and_what_the_gate_sets_never() {
    let question = listing().seal(&saying(Some("gateway"))).unwrap();
    let names: Vec<&str> = question.context.keys().map(SmolStr::as_str).collect();
    assert_eq!(names, ["action_properties", "now", "task", "ticket"]);
    assert_eq!(question.context.get("ticket"), Some(&Value::String("OPS-1".into())));
    assert_eq!(question.context.get("task"), Some(&Value::String("T-1".into())));
    assert_eq!(question.context.get("now"), Some(&Value::Datetime(question.now.to_string())));
    assert_eq!(question.call.input, Some(Value::Record([("rows".to_owned(), Value::Long(1))].into())));
    let claimed: Vec<&str> = question.claimed.keys().map(String::as_str).collect();
    let expected =
        ["context.count", "context.input", "context.now", "context.requested", "context.task", "context.undeclared"];
    assert_eq!(claimed, expected);
}

#[test]
fn of_anyone_else_a_listed_member_is_kept_as_said() {
    for enforcement_point in [None, Some("proxy")] {
        let question = listing().seal(&saying(enforcement_point)).unwrap();
        let names: Vec<&str> = question.context.keys().map(SmolStr::as_str).collect();
        assert_eq!(names, ["now", "task"], "{enforcement_point:?}");
        assert_eq!(question.claimed.len(), 8, "{:?}", question.claimed);
        assert_eq!(question.claimed["context.ticket"], json!("OPS-1"));
    }
}

#[test]
fn a_believed_member_of_another_type_is_bad_input() {
    let mut ask = saying(Some("gateway"));
    ask.claims.context.insert("ticket".to_owned(), json!(7));
    let error = listing().seal(&ask).unwrap_err();
    assert_eq!((error.reason, error.message.contains("`ticket`")), (Reason::BadInput, true), "{error}");
}

#[test]
fn what_is_believed_of_an_entity_stands_where_an_argument_refers_to_it() {
    let mut ask = saying(Some("gateway"));
    ask.input = Some(json!({"near": {"type": "File", "id": "a"}}));
    ask.claims.resource = json!({"open": true}).as_object().unwrap().clone();
    let question = listing().seal(&ask).unwrap();
    let file = question.entities.iter().find(|fact| fact.uid == EntityRef::new("File", "a")).unwrap();
    assert_eq!((file.attrs.get("open"), file.source.as_str()), (Some(&Value::Bool(true)), "gateway"));
}
