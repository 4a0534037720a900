//! What a caller says, sealed on the sample bundle: at the edge, inside and outside.

use policy_core::outcome::Outcome;
use serde_json::json;

use super::*;
use crate::bundle::tests::sample;
use crate::evaluate::evaluate;

mod claims;
mod edges;

fn bundle() -> Bundle {
    Bundle::accept(&sample()).unwrap()
}

/// The sample bundle with one file changed.
fn bundle_with(file: &str, change: impl Fn(&str) -> String) -> Bundle {
    let mut files = sample();
    let text = files.get_mut(file).unwrap();
    *text = change(text);
    Bundle::accept(&files).unwrap()
}

fn ask(server: &str, tool: &str, input: Json) -> Ask {
    Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", "spiffe://acme.example/agent/ledger-bot"),
        task: "T-1".into(),
        chain: vec![Hop { entity: EntityRef::new("User", "ines"), issuer: "proviso".into() }],
        enforcement_point: Some("proxy".into()),
        bound: false,
        vouched: false,
        server: Some(server.into()),
        tool: None,
        action: "tools/call".into(),
        resource: EntityRef::new("tool", tool),
        input: Some(input),
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_795_000_000_000),
        done: BTreeSet::new(),
    }
}

fn reason(ask: &Ask) -> Reason {
    bundle().seal(ask).unwrap_err().reason
}

#[test]
fn a_tool_becomes_an_action_on_the_resource_that_its_arguments_name() {
    let question =
        bundle().seal(&ask("ledger", "post_journal", json!({"dataset": "finance/sandbox", "rows": 3}))).unwrap();
    assert_eq!(question.call.action, "post_journal");
    assert_eq!(question.call.resources, [EntityRef::new("Dataset", "finance/sandbox")]);
    assert!(question.call.typed);
    let members: Vec<&str> = question.context.keys().map(SmolStr::as_str).collect();
    assert_eq!(members, ["input_digest", "now", "task"]);
    let sources: Vec<&str> = question.entities.iter().map(|fact| fact.source.as_str()).collect();
    assert!(sources.iter().all(|source| *source == "bundle"), "{:?}", question.entities);
    let evaluation = evaluate(&bundle().rules, &question);
    assert_eq!((evaluation.outcome, evaluation.reason), (Outcome::PermittedByScope, Reason::Scope), "{evaluation:?}");
}

#[test]
fn arguments_fit_the_schema_or_are_bad_input() {
    let path = |path: &str| ask("files", "read_text_file", json!({"path": path}));
    for good in ["/srv/files", "/srv/files/a b", "/srv/files/*", "/srv/files/\"quoted\"", "/etc/passwd"] {
        assert!(bundle().seal(&path(good)).is_ok(), "{good}");
    }
    for bad in [
        "reports/../x",
        "reports//x",
        "~/x",
        " reports/x",
        "relative/x",
        "/srv/files/../x",
        "/srv/files//x",
        "/srv/files/",
        "/srv/files/./x",
        "/~/x",
        "/srv/files\\x",
        "/srv/\u{202e}files",
        "",
    ] {
        assert_eq!(reason(&path(bad)), Reason::BadInput, "{bad}");
    }
    for bad in [
        json!({"dataset": "finance/sandbox", "rows": "3"}),
        json!({"dataset": "finance/sandbox", "rows": 1.5}),
        json!({"dataset": "finance/sandbox", "rows": 9_007_199_254_740_992_u64}),
        json!({"dataset": "finance/sandbox", "rows": 3, "overwrite": true}),
        json!({"dataset": "finance/sandbox", "rows": null}),
        json!({"dataset": "finance/sandbox"}),
        json!({"dataset": ["finance/sandbox", 3], "rows": 3}),
        json!({"rows": 3}),
        json!([]),
        json!("rows"),
    ] {
        assert_eq!(reason(&ask("ledger", "post_journal", bad.clone())), Reason::BadInput, "{bad}");
    }
    let rows =
        |rows: Json| bundle().seal(&ask("ledger", "post_journal", json!({"dataset": "finance/sandbox", "rows": rows})));
    assert_eq!(rows(json!(3.0)).unwrap().call.input, rows(json!(3)).unwrap().call.input);
    assert_eq!(rows(json!(3.0)).unwrap().call.input_digest, rows(json!(3)).unwrap().call.input_digest);
    // A null member is absent to policy; the digest is of what was said.
    let memo = ask("ledger", "post_journal", json!({"dataset": "finance/sandbox", "rows": 3, "memo": null}));
    let memo = bundle().seal(&memo).unwrap();
    assert_eq!(memo.call.input, rows(json!(3)).unwrap().call.input);
    assert_ne!(memo.call.input_digest, rows(json!(3)).unwrap().call.input_digest);
}

#[test]
fn arrays_that_differ_in_order_are_one_set_and_two_digests() {
    let edits = |edits: Json| {
        bundle().seal(&ask("files", "edit_file", json!({"path": "/srv/files/a", "edits": edits}))).unwrap().call
    };
    let (a, b) = (json!({"oldText": "a", "newText": "b"}), json!({"oldText": "c", "newText": "d"}));
    let (one, two, thrice) = (edits(json!([a, b])), edits(json!([b, a])), edits(json!([a, b, a])));
    assert_eq!(one.input, two.input);
    assert_eq!(one.input, thrice.input);
    assert_ne!(one.input_digest, two.input_digest);
    assert_ne!(one.input_digest, thrice.input_digest);
}

#[test]
fn what_the_bundle_does_not_know_is_refused_by_its_reason() {
    let bundle = bundle();
    let direct = |kind: &str, id: &str, action: &str| Ask {
        action: action.into(),
        resource: EntityRef::new(kind, id),
        input: None,
        ..ask("ledger", "", Json::Null)
    };
    for (ask, expected) in [
        (direct("Dataset", "finance/new", "read_journal"), Reason::UnknownEntity),
        (direct("Journal", "finance/new", "read_journal"), Reason::UnknownType),
        (direct("not a type", "x", "read_journal"), Reason::UnknownType),
        (direct("Volume", "files", "read_journal"), Reason::UnknownAction),
        (direct("Dataset", "finance/sandbox", "burn"), Reason::UnknownAction),
        (ask("ledger", "burn", json!({})), Reason::UnknownAction),
        (ask("elsewhere", "post_journal", json!({"dataset": "finance/sandbox", "rows": 1})), Reason::UnknownAction),
        (
            Ask {
                subject: EntityRef::new("Agent", "spiffe://acme.example/agent/stranger"),
                ..direct("Dataset", "finance/sandbox", "read_journal")
            },
            Reason::UnknownEntity,
        ),
        (
            Ask { subject: EntityRef::new("User", "ines"), ..direct("Dataset", "finance/sandbox", "read_journal") },
            Reason::UnknownAction,
        ),
        (
            Ask { subject: EntityRef::new("Agent", "a < b"), ..direct("Dataset", "finance/sandbox", "read_journal") },
            Reason::BadInput,
        ),
    ] {
        assert_eq!(bundle.seal(&ask).unwrap_err().reason, expected, "{ask:?}");
    }
    // And it says which of the two it is.
    let stranger = EntityRef::new("Agent", "spiffe://acme.example/agent/stranger");
    for (ask, which) in [
        (direct("Dataset", "finance/new", "read_journal"), "resource"),
        (Ask { subject: stranger, ..direct("Dataset", "finance/sandbox", "read_journal") }, "subject"),
    ] {
        let message = format!("the bundle does not know the {which}, and its type has a required attribute");
        assert_eq!(bundle.seal(&ask).unwrap_err().message, message);
    }
}

#[test]
fn a_persons_groups_are_those_that_the_bundle_puts_them_in() {
    let bundle = bundle_with("entities.json", |text| {
        let mut entities: Vec<Json> = serde_json::from_str(text).unwrap();
        let groups = ["security", "finance"].map(|id| json!({"type": "Group", "id": id}));
        entities.push(json!({"uid": {"type": "User", "id": "zoe"}, "attrs": {"name": "Zoe"}, "parents": groups}));
        serde_json::to_string(&entities).unwrap()
    });
    assert_eq!(bundle.groups_of(&EntityRef::new("User", "zoe")), ["finance", "security"]);
    assert_eq!(bundle.groups_of(&EntityRef::new("User", "nobody")), Vec::<String>::new());
}

#[test]
fn what_a_caller_claims_is_kept_and_never_believed() {
    let mut ask = ask("ledger", "post_journal", json!({"dataset": "finance/ledger-eu", "rows": 3}));
    ask.claims.subject = json!({"autonomy": 1}).as_object().unwrap().clone();
    ask.claims.resource = json!({"regulated": false}).as_object().unwrap().clone();
    ask.claims.context = json!({"now": "1970-01-01T00:00:00Z", "requested": {}}).as_object().unwrap().clone();
    ask.claims.action = json!({"soft": true}).as_object().unwrap().clone();
    let question = bundle().seal(&ask).unwrap();
    let claimed: Vec<&str> = question.claimed.keys().map(String::as_str).collect();
    let expected =
        ["context.action_properties", "context.now", "context.requested", "resource.regulated", "subject.autonomy"];
    assert_eq!(claimed, expected);
    ask.claims = Claimed::default();
    let plain = bundle().seal(&ask).unwrap();
    assert_eq!(question.entities, plain.entities);
    assert_eq!(question.context, plain.context);
}

#[test]
fn a_listed_claim_is_believed_of_a_listed_enforcement_point_only() {
    let claims = "\n[claims.User]\nnames = [\"name\"]\nenforcement_points = [\"gateway\"]\n";
    let files = {
        let mut files = sample();
        files.get_mut("bundle.toml").unwrap().push_str(claims);
        files
    };
    let bundle = Bundle::accept(&files).unwrap();
    let mut fact = policy_core::question::EntityFact {
        uid: EntityRef::new("User", "new"),
        attrs: Record::new(),
        parents: Vec::new(),
        source: crate::UNKNOWN.into(),
    };
    let said = json!({"name": "New"}).as_object().unwrap().clone();
    for (enforcement_point, believed) in [(None, false), (Some("proxy"), false), (Some("gateway"), true)] {
        let ask = Ask { enforcement_point: enforcement_point.map(Into::into), ..ask("files", "x", Json::Null) };
        let (mut fact, mut claimed) = (fact.clone(), BTreeMap::new());
        bundle.entity_claims(&ask, "subject", &said, &mut fact, &mut claimed).unwrap();
        assert_eq!(fact.attrs.contains_key("name"), believed);
        assert_eq!(claimed.is_empty(), believed);
        assert_eq!(fact.source, if believed { "gateway" } else { "unknown" });
    }
    // What the bundle says stands.
    fact.attrs.insert("name", Value::String("Old".into()));
    let ask = Ask { enforcement_point: Some("gateway".into()), ..ask("files", "x", Json::Null) };
    bundle.entity_claims(&ask, "subject", &said, &mut fact, &mut BTreeMap::new()).unwrap();
    assert_eq!(fact.attrs.get("name"), Some(&Value::String("Old".into())));
}

#[test]
fn a_call_is_told_in_the_authors_words_with_quoted_values() {
    let bundle =
        bundle_with("schema.cedarschema", |text| text.replacen("content: String", "@secret content: String", 1));
    let input = json!({"path": "/srv/files/{content}\"x", "content": "hunter2"});
    let question = bundle.seal(&ask("files", "write_file", input)).unwrap();
    assert_eq!(bundle.says(&question), "writes \"/srv/files/{content}\\\"x\"");
    let lines: Vec<String> = bundle.argument_lines(&question).into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["secret, 9 characters as JSON", "\"/srv/files/{content}\\\"x\""]);
    assert_eq!(bundle.secrets("write_file"), [["content"]]);
    assert_eq!(bundle.effects("write_file"), ["files", "not reversible"]);
    let question =
        bundle.seal(&ask("ledger", "post_journal", json!({"dataset": "finance/ledger-eu", "rows": 40}))).unwrap();
    assert_eq!(bundle.says(&question), "posts 40 rows to \"finance/ledger-eu\"");
    assert_eq!(bundle.sum_argument("post_journal"), Some(vec!["rows".to_owned()]));
    assert_eq!(bundle.owners(&question.call.subject), [EntityRef::new("User", "tom")]);
    let finance: Vec<_> =
        bundle.members_of(&EntityRef::new("Group", "finance")).into_iter().map(|uid| uid.id).collect();
    assert_eq!(finance, ["jun", "mara"]);
    assert!(bundle.people().contains(&EntityRef::new("User", "vera")));
}
