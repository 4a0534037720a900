//! The list of tools: ours are added, the upstream's are remembered.

use policy_core::digest::Digest;
use serde_json::{Value, json};

use super::world::{World, call, requestable, scope, stateless_call, tool};
use crate::mcp::session::End;

fn names(list: &Value) -> Vec<&str> {
    list["result"]["tools"].as_array().expect("tools").iter().filter_map(|tool| tool["name"].as_str()).collect()
}

fn list(world: &mut World, id: u32, cursor: Option<&str>, result: &Value) {
    let params = cursor.map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
    world.client_says(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params}));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
}

#[test]
fn our_tools_stand_on_the_first_page() {
    let mut world = World::new(scope);
    list(&mut world, 1, None, &json!({"tools": [tool("a")], "nextCursor": "2", "_meta": {"x": 1}}));
    assert_eq!(names(&world.told()), ["a", "proviso_check", "proviso_request", "proviso_wait", "proviso_answer"]);
    assert_eq!(
        (&world.told()["result"]["nextCursor"], &world.told()["result"]["_meta"]),
        (&json!("2"), &json!({"x": 1}))
    );
    list(&mut world, 2, Some("2"), &json!({"tools": [tool("b")]}));
    assert_eq!(names(&world.told()), ["b"]);
    assert_eq!(world.told()["result"]["tools"][0], tool("b"), "the upstream's own are as they were");
}

#[test]
fn an_upstream_tool_under_our_prefix_ends_the_session() {
    for bad in [json!([tool("a"), tool("proviso_wait")]), json!([tool("Proviso_x")]), json!([tool("a"), tool("a")])] {
        let mut world = World::new(scope);
        list(&mut world, 1, None, &json!({"tools": bad}));
        assert_eq!(world.end, Some(End::BadToolList));
        assert!(world.told()["error"]["message"].as_str().expect("a message").contains("over"));
        world.clear();
        world.client_says(&json!({"jsonrpc": "2.0", "id": 9, "method": "ping"}));
        assert!(world.upstream.is_empty() && world.client.is_empty(), "the session is over");
    }
}

#[test]
fn a_call_before_any_list_makes_the_proxy_list_first() {
    let mut world = World::new(scope);
    world.client_says(&stateless_call(
        "1",
        &json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "progressToken": 7
        }}),
    ));
    let own = world.sent();
    assert_eq!(own["method"], json!("tools/list"));
    assert_eq!(own["params"]["_meta"], json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}));
    assert!(world.asks.is_empty(), "its own list is nothing that the agent gets");
    world.upstream_says(
        &json!({"jsonrpc": "2.0", "id": own["id"], "result": {"tools": [tool("x")], "nextCursor": "n"}}),
    );
    let second = world.sent();
    assert_eq!(second["params"]["cursor"], json!("n"));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": second["id"], "result": {"tools": [tool("write")]}}));
    assert_eq!(world.questions()[0].tool, Digest::of_json(&tool("write")).ok());
    assert_eq!(world.sent()["method"], json!("tools/call"));
    assert!(world.client.is_empty());
}

#[test]
fn a_bad_list_that_the_proxy_reads_ends_the_session_and_runs_nothing() {
    let mut world = World::new(scope);
    world.client_says(&call("1"));
    let own = world.sent();
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": own["id"], "result": {"tools": [tool("proviso_check")]}}));
    assert_eq!(world.end, Some(End::BadToolList));
    assert_eq!((world.upstream.len(), world.told()["result"]["isError"].as_bool()), (1, Some(true)));
}

#[test]
fn a_list_that_never_comes_runs_nothing() {
    let mut world = World::new(scope);
    world.client_says(&call("1"));
    world.elapse();
    assert_eq!(world.told()["result"]["_meta"]["proviso.dev/context"]["reason"], json!("tool_list_unavailable"));
    let own = world.sent();
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": own["id"], "result": {"tools": [tool("write")]}}));
    assert_eq!((world.upstream.len(), world.client.len()), (1, 1), "too late is too late");
}

#[test]
fn a_changed_definition_changes_what_the_gate_is_asked() {
    let mut world = World::listed(scope);
    world.client_says(&call("1"));
    world.upstream_says(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    world.client_says(&call("2"));
    let own = world.sent();
    assert_eq!(own["method"], json!("tools/list"));
    let mut changed = tool("write");
    changed["description"] = "Another tool.".into();
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": own["id"], "result": {"tools": [changed]}}));
    let digests: Vec<_> = world.questions().iter().map(|question| question.tool).collect();
    assert_eq!(digests, [Digest::of_json(&tool("write")).ok(), Digest::of_json(&changed).ok()]);
    assert!(
        world.notes.iter().any(|note| note.contains("definition of the tool `write` has changed")),
        "{:?}",
        world.notes
    );
}

#[test]
fn a_definition_that_changes_after_the_judgement_stops_the_call() {
    let mut world = World::listed(scope);
    world.prompt = false;
    world.client_says(&call("1"));
    world.release();
    world.client_says(&json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}));
    world.prompt = true;
    // The list is judged and answered while `sending` of the call is still being recorded.
    world.release_last();
    let mut changed = tool("write");
    changed["description"] = "Another tool.".into();
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 5, "result": {"tools": [changed]}}));
    world.release();
    assert!(world.upstream.iter().all(|line| super::world::value(line)["method"] != json!("tools/call")));
    assert_eq!(world.told()["result"]["isError"], json!(true));
}

#[test]
fn a_refused_list_is_an_error_with_the_gates_context() {
    let mut world = World::new(requestable);
    world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert!(world.upstream.is_empty());
    assert!(world.told()["error"]["data"]["proviso.dev/context"]["access_request"].is_object());
}
