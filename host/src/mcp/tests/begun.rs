//! A call that was begun, and whose continuation comes to nothing: of unknown outcome, never "not run".

use proviso_api::operations::ExecutionPhase::{OutcomeUnknown, Sending};
use serde_json::json;

use super::exchanges::{answered, input_required};
use super::world::{World, away, exception, guardrail, requestable, scope, stateless_call};
use crate::mcp::session::Input;

type Step = fn(&mut World);

/// A call that the upstream has had once, and has asked something about.
fn asked(policy: super::world::Policy) -> World {
    let mut world = World::listed(policy);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    assert_eq!((world.phases(), world.upstream.len()), (vec![Sending], 1));
    world.clear();
    world.policy = scope;
    world.prompt = false;
    world
}

fn stopped(world: &mut World) {
    world.input(Input::Stopped(Some(vec!["eval_1".to_owned()])));
}

/// What may come between the client's answer and the upstream.
const ENDS: [(&str, Step); 12] = [
    ("denied", |world| {
        world.policy = guardrail;
        world.release();
    }),
    ("may be requested", |world| {
        world.policy = requestable;
        world.release();
    }),
    ("the gate is away", |world| {
        world.policy = away;
        world.release();
    }),
    ("over while it was judged", |world| {
        world.now += 5_000;
        world.release();
    }),
    ("over while it was announced", |world| {
        world.release();
        world.now += 5_000;
        world.release();
    }),
    ("not recorded", |world| {
        world.release();
        world.record = false;
        world.release();
    }),
    ("the server goes while it is judged", |world| world.input(Input::UpstreamClosed)),
    ("the server goes while it is announced", |world| {
        world.release();
        world.input(Input::UpstreamClosed);
    }),
    ("the client goes", |world| world.input(Input::ClientClosed)),
    ("stopped while it is judged", stopped),
    ("stopped while it is announced", |world| {
        world.release();
        stopped(world);
    }),
    ("the list of tools is unacceptable", |world| {
        world.release();
        world.upstream_says(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
        world.client_says(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}));
        world.release_last();
        world.release_last();
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": "list", "result": {"tools": [{"name": "proviso_x"}]}}));
    }),
];

fn assert_unknown(world: &World, why: &str) {
    let told = world.client.iter().map(|line| super::world::value(line)).find(|told| told["id"] == json!("2"));
    let told = told.unwrap_or_else(|| panic!("{why}: nothing was said"));
    let sentence = told["result"]["content"][0]["text"].as_str().expect("a sentence");
    assert!(sentence.contains("unknown") && !sentence.contains("not run"), "{why}: {sentence}");
    assert_eq!(told["result"]["isError"], json!(true), "{why}");
    assert!(world.phases().contains(&OutcomeUnknown), "{why}: {:?}", world.phases());
    let sent = String::from_utf8_lossy(&world.upstream.concat()).into_owned();
    assert!(!sent.contains("inputResponses"), "{why}: {sent}");
}

#[test]
fn a_continuation_that_goes_no_further_leaves_its_call_of_unknown_outcome() {
    for policy in [exception, scope] {
        for (why, end) in ENDS {
            let mut world = asked(policy);
            world.client_says(&answered("2"));
            end(&mut world);
            assert_unknown(&world, why);
        }
    }
}

#[test]
fn so_does_one_that_waits_for_the_list_of_tools() {
    let ends: [(&str, Step); 3] = [
        ("the server goes", |world| world.input(Input::UpstreamClosed)),
        ("stopped", stopped),
        ("no list comes", World::elapse),
    ];
    for (why, end) in ends {
        let mut world = asked(exception);
        world.upstream_says(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
        world.client_says(&answered("2"));
        assert_eq!((world.sent()["method"].as_str(), world.asks.len()), (Some("tools/list"), 0), "{why}");
        end(&mut world);
        assert_unknown(&world, why);
    }
}

#[test]
fn one_that_the_client_takes_back_is_reported_too() {
    let mut world = asked(exception);
    world.client_says(&answered("2"));
    world.client_says(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "2"}}));
    assert_eq!(world.phases(), [OutcomeUnknown]);
    world.release();
    assert!(world.upstream.is_empty() && world.client.is_empty());
}

#[test]
fn a_first_round_that_goes_no_further_was_not_run() {
    // What has no evaluation yet cannot be stopped.
    for (why, end) in ENDS.into_iter().filter(|(why, _)| *why != "stopped while it is judged") {
        let mut world = World::listed(scope);
        world.prompt = false;
        world.client_says(&stateless_call("2", &json!({})));
        end(&mut world);
        let told = world.client.iter().map(|line| super::world::value(line)).find(|told| told["id"] == json!("2"));
        let told = told.unwrap_or_else(|| panic!("{why}: nothing was said")).to_string();
        let unrun = told.contains("not run") || told.contains("before it ran");
        assert!(unrun && !told.contains("unknown"), "{why}: {told}");
    }
}
