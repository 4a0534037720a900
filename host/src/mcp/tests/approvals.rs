//! Approvals that the gate told of, brought back with the call that they are for.

use policy_core::digest::Digest;
use serde_json::{Value, json};

use super::world::{Policy, World, call, exception, permitted, requestable, scope};
use crate::mcp::sentences::Failure;
use crate::mcp::session::{Answer, Ask};

/// As the gate wrote it, with a member that this proxy does not know.
fn approval() -> Value {
    json!({"id": "g1", "approved_until": "2026-11-22T17:00:00Z", "state": "a.b.c", "acme.example/more": [1.0]})
}

fn task(status: &str, more: Value) -> Value {
    let mut reply = json!({"task": {
        "id": "ex_1", "status": status, "status_endpoint": "s", "links": {"cancel": "c", "review": "r"}
    }});
    if !more.is_null() {
        reply["result"] = json!({"mode": "reevaluate", "approval": more});
    }
    reply
}

fn ours(world: &mut World, name: &str, arguments: &Value) {
    let params = json!({"name": name, "arguments": arguments});
    world.client_says(&json!({"jsonrpc": "2.0", "id": "o", "method": "tools/call", "params": params}));
}

/// A session in which `write` with the arguments of [`call`] was asked for and approved.
fn approved() -> World {
    let mut world = World::listed(requestable);
    world.tasks.extend([task("pending", Value::Null), task("approved", approval())]);
    let wish = json!({"tool": "write", "arguments": {"a": "x", "b": 1}, "justification": "It is due."});
    ours(&mut world, "proviso_request", &wish);
    ours(&mut world, "proviso_wait", &json!({"request": "ex_1"}));
    world.clear();
    world.policy = exception;
    world
}

/// The approval that each judgement came with.
fn brought(world: &World) -> Vec<Option<&Value>> {
    fn with(ask: &Ask) -> Option<Option<&Value>> {
        match ask {
            Ask::Evaluate(_) => Some(None),
            Ask::Reevaluate(_, approval) => Some(Some(approval)),
            _ => None,
        }
    }
    world.asks.iter().filter_map(with).collect()
}

#[test]
fn an_approval_is_brought_unchanged_with_its_own_call_and_with_no_other() {
    let mut world = approved();
    world.client_says(&call("1"));
    assert_eq!(brought(&world), [Some(&approval())]);
    assert_eq!(world.sent()["method"], json!("tools/call"), "the same arguments, written otherwise");
    world.clear();
    let mut other = call("2");
    other["params"]["arguments"]["a"] = json!("y");
    world.client_says(&other);
    ours(&mut world, "proviso_check", &json!({"tool": "write", "arguments": {"a": "x", "b": 1}}));
    assert_eq!(brought(&world), [None, None]);
    // Another session knows of no approval, and the record decides.
    let mut world = World::listed(exception);
    world.client_says(&call("1"));
    assert_eq!(brought(&world), [None]);
    assert_eq!(world.sent()["method"], json!("tools/call"));
}

#[test]
fn a_definition_that_changed_is_not_what_was_approved() {
    let mut world = approved();
    world.upstream_says(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    world.client_says(&call("1"));
    let own = world.sent();
    let mut changed = super::world::tool("write");
    changed["description"] = "Another tool.".into();
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": own["id"], "result": {"tools": [changed]}}));
    assert!(brought(&world).iter().all(Option::is_none), "{:?}", world.asks);
}

fn denied(reason: &str) -> Result<Answer, Failure> {
    let context = json!({
        "evaluation_id": "eval_1", "evaluated_at": "2026-11-22T16:00:00Z", "reason": reason, "message": "m"
    });
    let reply = serde_json::from_value(json!({"decision": false, "context": context})).expect("a reply");
    Ok(Answer::Evaluation(Box::new(reply), context))
}

#[test]
fn an_approval_that_is_over_or_counts_for_nothing_keeps_nothing_closed() {
    for (policy, brings) in [
        ((|_| denied("approval_expired")) as Policy, 2),
        (|_| denied("approval_unverifiable"), 2),
        (|_| denied("policy_denied"), 1),
        (|_| denied("out_of_scope"), 1),
        (|_| denied("grant_pending"), 1),
    ] {
        let mut world = approved();
        world.policy = policy;
        world.client_says(&call("1"));
        assert_eq!((brought(&world).len(), brought(&world)[0]), (brings, Some(&approval())));
        assert!(world.upstream.is_empty() && world.told()["result"]["isError"] == json!(true));
        // The record alone decides from then on, or the approval is brought again.
        world.clear();
        world.policy = scope;
        world.client_says(&call("2"));
        assert_eq!(brought(&world)[0].is_some(), brings == 1);
        assert_eq!(world.sent()["method"], json!("tools/call"));
    }
}

#[test]
fn what_is_honoured_is_honoured_with_an_approval_as_without() {
    let mut world = approved();
    world.policy = |_| permitted(Digest::of(b"other"), json!({"reason": "exception"}));
    world.client_says(&call("1"));
    assert!(world.upstream.is_empty());
    assert_eq!(world.told()["result"]["_meta"]["proviso.dev/context"]["reason"], json!("input_digest_differs"));
}
