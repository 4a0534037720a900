//! Calls that are stopped after they began.

use proviso_api::operations::ExecutionPhase::{OutcomeUnknown, Sending};
use serde_json::json;

use super::world::{World, call, exception, scope, stateless_call};
use crate::mcp::session::Input;

fn stop(world: &mut World, evaluations: &[&str]) {
    let evaluations = evaluations.iter().map(|id| (*id).to_owned()).collect();
    world.input(Input::Stopped(Some(evaluations)));
}

#[test]
fn a_stopped_call_is_called_off_upstream_and_its_outcome_is_unknown() {
    for policy in [scope, exception] {
        let mut world = World::listed(policy);
        world.client_says(&call("1"));
        world.clear();
        stop(&mut world, &["eval_another"]);
        world.input(Input::Stopped(None));
        assert!(world.upstream.is_empty() && world.client.is_empty(), "it is not about this call");
        stop(&mut world, &["eval_1"]);
        let cancel = world.sent();
        assert_eq!(
            (cancel["method"].as_str(), &cancel["params"]["requestId"]),
            (Some("notifications/cancelled"), &json!("1"))
        );
        let told = world.told();
        assert_eq!((&told["id"], told["result"]["isError"].as_bool()), (&json!("1"), Some(true)));
        assert!(told.to_string().contains("do not repeat it"), "{told}");
        assert_eq!(world.phases(), [OutcomeUnknown]);
        world.clear();
        // What the server says of it afterwards goes nowhere, and it is stopped once.
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {"content": []}}));
        stop(&mut world, &["eval_1"]);
        assert!(world.client.is_empty() && world.upstream.is_empty() && world.asks.is_empty());
    }
}

#[test]
fn a_call_that_is_stopped_before_its_bytes_leave_never_leaves() {
    let mut world = World::listed(exception);
    world.prompt = false;
    world.client_says(&call("1"));
    world.release();
    // The permit is there, and `sending` is being recorded.
    world.clear();
    stop(&mut world, &["eval_1"]);
    assert_eq!(world.told()["result"]["isError"].as_bool(), Some(true));
    world.release();
    assert!(world.upstream.is_empty(), "{:?}", world.story);
}

#[test]
fn a_stopped_exchange_has_nothing_more_to_answer() {
    let mut world = World::listed(exception);
    world.client_says(&stateless_call("1", &json!({})));
    let requests = json!({"q": {"method": "elicitation/create"}});
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {
        "resultType": "input_required", "inputRequests": requests, "requestState": "s1"
    }}));
    assert_eq!(world.phases(), [Sending]);
    stop(&mut world, &["eval_1"]);
    assert_eq!(world.phases(), [Sending, OutcomeUnknown]);
    world.clear();
    let more = json!({"inputResponses": {"q": {"action": "accept"}}, "requestState": "s1"});
    world.client_says(&stateless_call("2", &more));
    assert_eq!(world.told()["error"]["code"], json!(-32602));
    assert!(world.upstream.is_empty() && world.asks.is_empty());
}

#[test]
fn a_call_that_the_proxy_repeated_is_called_off_under_the_id_that_the_server_knows() {
    let mut world = World::listed(scope);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {
        "resultType": "input_required", "inputRequests": {"r": {"method": "roots/list"}}, "requestState": "s1"
    }}));
    let repeated = world.sent()["id"].clone();
    assert_ne!(repeated, json!("1"));
    stop(&mut world, &["eval_1"]);
    assert_eq!(world.sent()["params"]["requestId"], repeated);
    assert_eq!(world.told()["id"], json!("1"));
}
