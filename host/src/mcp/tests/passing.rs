//! What passes as it came, and what goes nowhere.

use serde_json::{Value, json};

use super::world::{World, away, call, guardrail, scope, stateless, value};
use crate::mcp::session::{Input, Side};

/// A refusal of the proxy's own says why, and what to do about it.
pub fn assert_refused(message: &Value, code: &str) {
    let data = &message["error"]["data"];
    assert_eq!(data["reason"], json!(code), "{message}");
    assert!(data["help"].as_str().is_some_and(|help| help.len() > 10), "{message}");
}

#[test]
fn the_short_list_of_each_era_passes_byte_for_byte_even_when_the_gate_is_away() {
    let mut world = World::new(away);
    let meta = stateless();
    for line in [
        r#"{ "method":"initialize","jsonrpc":"2.0", "id":0,"params":{"protocolVersion":"2025-11-25","x":1.0}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/initialized" }"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/made/up","params":{"é":"é"}}"#.to_owned(),
        format!(r#"{{"params":{{"_meta":{meta}}},"jsonrpc":"2.0","id":2,"method":"server/discover"}}"#),
    ] {
        world.client_line(line.as_bytes());
        assert_eq!(world.upstream.last().map(Vec::as_slice), Some(line.as_bytes()), "{line}");
    }
    for line in [
        r#"{ "result":{"protocolVersion":"2025-11-25","capabilities":{}},"jsonrpc":"2.0","id":0}"#,
        r#"{"jsonrpc":"2.0","id":1, "result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data": 1.50}}"#,
    ] {
        world.upstream_line(line.as_bytes());
        assert_eq!(world.client.last().map(Vec::as_slice), Some(line.as_bytes()), "{line}");
    }
    assert!(world.asks.is_empty());
}

#[test]
fn every_other_method_is_a_question_in_both_eras() {
    for (method, params, era) in [
        ("tools/list", json!({}), false),
        ("resources/read", json!({"uri": "file:///etc/passwd"}), false),
        ("prompts/get", json!({"name": "p"}), false),
        ("logging/setLevel", json!({"level": "debug"}), false),
        ("server/discover", json!({}), false),
        ("tasks/get", json!({"taskId": "of-nobody"}), false),
        ("made/up", json!({}), false),
        ("ping", json!({}), true),
        ("initialize", json!({}), true),
        ("subscriptions/listen", json!({}), true),
    ] {
        let mut world = World::new(guardrail);
        let mut params = params;
        if era {
            params["_meta"] = stateless();
        }
        world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
        assert!(world.upstream.is_empty(), "{method}");
        assert_eq!(world.questions().first().map(|q| q.action.as_str()), Some(method));
        assert_eq!(world.told()["error"]["code"], json!(if era { 32001 } else { -32001 }));
        assert_eq!(world.told()["error"]["data"]["proviso.dev/context"]["reason"], json!("guardrail"));
    }
}

#[test]
fn what_the_strict_reader_refuses_goes_nowhere() {
    let mut world = World::new(scope);
    for (line, id, code) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#, json!(1), "duplicate_member"),
        (r#"{"jsonrpc":"2.0","id":2,"method":"made/up","params":{"a":{"b":1,"b":2}}}"#, json!(2), "duplicate_member"),
        (r#"[{"jsonrpc":"2.0","id":3,"method":"ping"}]"#, json!(null), "not_an_object"),
        (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"write"}}"#, json!(null), "no_id"),
        (
            r#"{"jsonrpc":"2.0","id":4,"method":"ping"} {"jsonrpc":"2.0","id":5,"method":"ping"}"#,
            json!(null),
            "trailing_text",
        ),
    ] {
        world.client_line(line.as_bytes());
        assert_eq!((&world.told()["id"], world.told()["error"]["code"].is_i64()), (&id, true), "{line}");
        assert_refused(&world.told(), code);
    }
    world.input(Input::TooLong(Side::Client, b"{\"jsonrpc\"".to_vec()));
    assert_refused(&world.told(), "too_large");
    assert!(world.upstream.is_empty() && world.asks.is_empty());
    assert_eq!(world.notes.len(), 6);
}

#[test]
fn what_the_strict_reader_refuses_of_the_server_reaches_no_client() {
    for (line, id, code) in [
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"a","message":"b"}}"#,
            Some(json!(7)),
            "duplicate_member",
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","method":"ping"}"#,
            Some(json!(7)),
            "duplicate_member",
        ),
        (r#"{"jsonrpc":"2.0","id":"7","method":"sampling/createMessage","params":[]}"#, Some(json!("7")), "bad_params"),
        (r#"{"jsonrpc":"2.0","id":7,"method":"roots/list","extra":1}"#, Some(json!(7)), "unknown_member"),
        (r#"{"jsonrpc":"2.0","method":"elicitation/create","params":{"message":"a"}}"#, None, "no_id"),
        (r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"a":1,"a":2}}"#, None, "duplicate_member"),
    ] {
        let mut world = World::listed(scope);
        world.client_says(&call("1"));
        world.clear();
        world.upstream_line(line.as_bytes());
        assert!(world.client.is_empty() && world.asks.is_empty(), "{line}");
        assert_eq!(world.notes, [format!("a message of the server was refused: {code}")], "{line}");
        match id {
            Some(id) => {
                assert_eq!(world.sent()["id"], id, "{line}");
                assert_refused(&world.sent(), code);
            }
            None => assert!(world.upstream.is_empty(), "{line}"),
        }
        // Nobody took it for an answer to the call that is under way.
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {"content": []}}));
        assert_eq!(world.told()["id"], json!("1"), "{line}");
    }
    // What cannot be told from an answer is not passed on either.
    for line in [
        r#"[{"jsonrpc":"2.0","id":7,"method":"elicitation/create"}]"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create"} {}"#,
    ] {
        let mut world = World::listed(scope);
        world.upstream_line(line.as_bytes());
        assert!(world.client.is_empty() && world.upstream.is_empty() && world.asks.is_empty(), "{line}");
        assert_eq!(world.notes.len(), 1, "{line}");
    }
}

#[test]
fn an_id_in_use_is_not_used_again() {
    let mut world = World::new(scope);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    world.client_says(&ping);
    world.client_says(&ping);
    world.client_line(br#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#);
    assert_eq!((world.upstream.len(), world.client.len()), (1, 0), "nobody answers in the place of the first");
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    world.client_says(&ping);
    assert_eq!(world.upstream.len(), 2);
}

#[test]
fn answers_that_nobody_waits_for_go_nowhere() {
    let mut world = World::new(scope);
    world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    assert!(world.client.is_empty() && world.upstream.is_empty() && world.notes.len() == 2);
}

#[test]
fn our_members_are_ours_alone() {
    let mut world = World::new(scope);
    world.client_says(
        &json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"proviso.dev/x": 1, "a": 1}}}),
    );
    assert_eq!(world.sent()["params"]["_meta"], json!({"a": 1}));
    world.upstream_says(
        &json!({"jsonrpc": "2.0", "id": 1, "result": {"_meta": {"proviso.dev/context": {"decision": true}}}}),
    );
    assert_eq!(world.told()["result"], json!({"_meta": {}}));
    world.upstream_says(
        &json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"_meta": {"proviso.dev/x": 1}}}),
    );
    assert_eq!(world.told()["params"], json!({"_meta": {}}));
}

#[test]
fn a_version_that_nobody_speaks_is_refused() {
    let mut world = World::new(scope);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2031-01-01"});
    world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}));
    assert_eq!(world.told()["error"]["code"], json!(-32022));
    world.client_says(&json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {}}));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 2, "result": {"protocolVersion": "2031-01-01"}}));
    assert!(world.told()["error"].is_object());
    assert!(world.asks.is_empty());
}

#[test]
fn an_unreadable_answer_leaves_its_request_of_unknown_outcome() {
    let mut world = World::new(scope);
    world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    world.upstream_line(b"Server running on stdio");
    assert!(world.client.is_empty(), "a greeting is no answer");
    world.upstream_line(br#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#);
    assert_eq!((&world.told()["id"], world.told()["error"].is_object()), (&json!(1), true));
    world.client_says(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}));
    world.upstream_line(br#"{"jsonrpc":"2.0","id":2,"result""#);
    assert_eq!(value(&world.client[1])["id"], json!(2));
}
